//! What happens to the hub, and what it wants done.

use super::Change;
use sotto_wire::{
    ClientFrame, DeviceId, MessageId, RelayFrame, RequestId, RoomId, Seq, UserId, codec::Envelope,
};
use std::fmt;

/// One socket, numbered by the shell and never reused while the hub lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conn:{}", self.0)
    }
}

#[derive(Debug, Clone)]
pub enum Event {
    /// A socket whose credential was judged good. The account and the device
    /// come to be by this if they did not exist.
    Connected {
        conn: ConnId,
        user: UserId,
        device: DeviceId,
    },
    Frame {
        conn: ConnId,
        envelope: Envelope<ClientFrame>,
    },
    Disconnected {
        conn: ConnId,
    },
    /// Time has passed: retention, expiry, empty rooms.
    Tick,
    /// A sign-in whose signature was judged good and that the relay admits.
    SignedIn {
        user: UserId,
        device: DeviceId,
        session: NewSession,
    },
    /// A refresh token was shown. `next` takes its place.
    Rotate {
        family: [u8; 32],
        secret: [u8; 32],
        next: NewSession,
    },
    /// Over REST.
    DeleteRoom {
        by: Deleter,
        room: RoomId,
    },
    /// Bars one device for good, or makes every device sign in again.
    Revoke {
        user: UserId,
        device: Option<DeviceId>,
    },
    Disable {
        user: UserId,
        disabled: bool,
    },
    /// From the operator, to one user or to all who are connected.
    Notice {
        user: Option<UserId>,
        kind: String,
        body: String,
    },
}

/// A refresh token to be: hashes of its two halves, and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSession {
    pub family: [u8; 32],
    pub secret: [u8; 32],
    pub expires: sotto_wire::Millis,
}

/// Who wants a room deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleter {
    User(UserId),
    Operator,
}

/// An order to the shell. In the order given, and never before the changes
/// of the same event are durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Persist(Change),
    Send {
        conn: ConnId,
        envelope: Envelope<RelayFrame>,
    },
    /// The same frame to many.
    Fan {
        conns: Vec<ConnId>,
        frame: RelayFrame,
    },
    /// The stored messages `from..=to`, in order, before any later message of
    /// that room.
    SendBacklog {
        conn: ConnId,
        room: RoomId,
        from: Seq,
        to: Seq,
    },
    /// A stored knock.
    SendKnock {
        conn: ConnId,
        room: RoomId,
        knock: MessageId,
        from: UserId,
    },
    /// A stored direct message.
    SendDirect {
        conn: ConnId,
        to: UserId,
        from: UserId,
        id: MessageId,
    },
    /// A stored key package. To be read *before* the changes of the same event
    /// are made: one of them deletes it.
    SendKey {
        conn: ConnId,
        request: Option<RequestId>,
        user: UserId,
        device: DeviceId,
        key: KeyRef,
    },
    /// A credential for relayed calls, which only the shell can make.
    GiveTurn {
        conn: ConnId,
        request: Option<RequestId>,
        user: UserId,
        device: DeviceId,
    },
    /// What an account, or one device of it, has of relayed calls ends.
    EndTurn {
        user: UserId,
        device: Option<DeviceId>,
    },
    Close {
        conn: ConnId,
        code: CloseCode,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRef {
    OneTime(u64),
    LastResort,
}

/// Why a socket is closed (RFC 6455 §7.4, and 4401 of our own).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The relay stops.
    GoingAway,
    /// A flood of nonsense.
    Policy,
    TooBig,
    /// Too slow a reader, or a relay that cannot store: come back and resume.
    TryAgainLater,
    /// The credential does not hold, or no longer.
    Unauthenticated,
}

impl CloseCode {
    pub fn number(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Policy => 1008,
            Self::TooBig => 1009,
            Self::TryAgainLater => 1013,
            Self::Unauthenticated => 4401,
        }
    }
}
