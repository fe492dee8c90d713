//! What whoever runs an engine sees of it: its person, its relays, its
//! troubles, and what happens.

use sotto_client::{
    Change, StoreError,
    call::view::CallView,
    model::{Profile, RoomView},
};
use sotto_wire::{DeviceId, MessageId, RelayAddress, RoomId, UserId};

use crate::vault::keyring::KeyringState;

/// Whose engine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    pub user: UserId,
    pub device: DeviceId,
    pub profile: Profile,
}

/// Everything at one moment; the events of the same subscription go on from
/// exactly here.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub me: Me,
    /// Empty while the store cannot be read; each comes as an event then.
    pub rooms: Vec<RoomView>,
    /// Calls that ring or run.
    pub calls: Vec<CallView>,
    pub relays: Vec<(RelayAddress, LinkStatus)>,
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Never [`Change::ClockWrong`], which is a [`Problem`].
    Client(Change),
    /// Worth a desktop notification, if the settings say so.
    Notify {
        room: RoomId,
        item: MessageId,
    },
    Link {
        relay: RelayAddress,
        status: LinkStatus,
    },
    Problem(Problem),
    /// The same value that was raised before.
    ProblemGone(Problem),
    /// The last event: this subscriber was too slow, and must subscribe anew.
    Lagged,
    /// The last event: the engine is gone.
    Stopped(StopWhy),
}

/// From here on a clock is wrong (milliseconds).
pub(crate) const CLOCK_OFF: u64 = 300_000;

/// How the connection to one relay is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    Connecting,
    /// Signed in.
    Connected,
    /// `retry_in_ms` counts from the event; "try now" cuts it short.
    Waiting {
        retry_in_ms: u64,
        why: LinkProblem,
    },
    /// Not tried: the relay is no longer used, or the store does not work.
    Off,
}

/// Why a relay is not connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkProblem {
    /// No such host, nobody listens, or it does not answer.
    Unreachable,
    /// The relay's certificate does not hold, or the connection is no TLS.
    Tls,
    /// By this computer's clock, the relay's certificate is over or not valid
    /// yet. As likely as not it is the clock.
    CertificateDates,
    /// It shows another certificate than the address names.
    PinMismatch,
    /// Something answers there, but it is no relay.
    NotARelay,
    /// It speaks another version of the protocol.
    Version,
    /// Its operator does not admit this account.
    NotAdmitted,
    /// Its operator admits by invite code, and none was given.
    NeedsCode,
    /// The invite code that was given does not hold.
    WrongCode,
    /// It takes no sign-in by this computer's clock, which is far from its own.
    Clock,
    /// It turns us away for now: too many connections or requests, a full
    /// disk, or a sign-in that does not hold.
    Refused,
    ClosedByRelay,
    /// It closed because we read too slowly, or it could not keep up itself.
    SlowReader,
}

/// Something a person must know or mend. Lasts until it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Nothing can be stored; nothing is lost, and it is tried again.
    DiskFull,
    /// Another program holds the database; tried again.
    StoreLocked,
    /// The disk fails to read or write; tried again.
    DiskFailing,
    /// Against a relay's clock; positive: ours is ahead.
    ClockWrong { ahead_ms: i64 },
    /// The keyring should open this profile, and cannot.
    KeyringGone(KeyringState),
}

impl Problem {
    /// Whether one takes the other's place.
    pub(crate) fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopWhy {
    Asked,
    /// The database is damaged: going on could only lose more.
    Store(StoreFailure),
}

/// How the store failed. What [`StoreError`] says, as a plain value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFailure {
    Full,
    Locked,
    Damaged,
    Io,
}

impl From<&StoreError> for StoreFailure {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Locked => Self::Locked,
            StoreError::Damaged => Self::Damaged,
            StoreError::Io => Self::Io,
        }
    }
}

/// The engine gave no answer: it stopped, or its store cannot be read now, in
/// which case a [`Problem`] says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine gave no answer")]
pub struct EngineStopped;
