//! The frames, one closed enum for each direction.
//!
//! `id` in an envelope names a request (see [`crate::codec::Envelope`]);
//! `chat.send`, `direct.send` and `room.knock` carry a [`MessageId`] of their
//! own as `id`, which names the request as well.

use crate::{
    Bytes, CallId, DeviceId, Epoch, MessageId, Millis, RoomId, Seq, UserId, WireError,
    limits::Limits,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

/// From a client to the relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ClientFrame {
    /// Signs in on a socket that was opened without a credential.
    #[serde(rename = "auth")]
    Auth { token: Token },
    #[serde(rename = "ping")]
    Ping,

    /// Makes a room; the sender becomes its host. The MLS group starts at
    /// epoch 0.
    #[serde(rename = "room.create")]
    RoomCreate {
        room: RoomId,
        #[serde(default)]
        settings: RoomSettings,
    },
    /// Asks for everything after `since`, and to follow the room from now on.
    #[serde(rename = "room.open")]
    RoomOpen { room: RoomId, since: Seq },
    /// Asks the members to be let in. The body is sealed under the invite
    /// secret, which the relay does not have.
    #[serde(rename = "room.knock")]
    RoomKnock {
        room: RoomId,
        id: MessageId,
        body: Bytes,
    },
    /// A member turns a knock down, or the one who knocked gives up.
    #[serde(rename = "room.deny")]
    RoomDeny { room: RoomId, knock: MessageId },
    #[serde(rename = "room.leave")]
    RoomLeave { room: RoomId },
    /// Host only. All members are detached at once.
    #[serde(rename = "room.delete")]
    RoomDelete { room: RoomId },
    /// Host only.
    #[serde(rename = "host.transfer")]
    HostTransfer { room: RoomId, to: UserId },

    #[serde(rename = "chat.send")]
    ChatSend(ChatSend),
    /// Passing signals (typing, read marks): sealed, not stored, dropped
    /// first under load.
    #[serde(rename = "chat.signal")]
    ChatSignal { room: RoomId, body: Bytes },
    /// This device has everything up to here on disk.
    #[serde(rename = "chat.received")]
    ChatReceived { room: RoomId, up_to: Seq },

    /// One sealed message to one person, stored until acknowledged.
    #[serde(rename = "direct.send")]
    DirectSend {
        to: UserId,
        id: MessageId,
        body: Bytes,
        /// The relay drops it unread after this time.
        expires: Millis,
    },
    #[serde(rename = "direct.received")]
    DirectReceived { id: MessageId },

    /// Adds one-time MLS key packages and replaces the last-resort one.
    #[serde(rename = "keys.publish")]
    KeysPublish {
        packages: Vec<Bytes>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_resort: Option<Bytes>,
    },
    /// Takes one key package of a person; each one-time package goes out once.
    #[serde(rename = "keys.take")]
    KeysTake { user: UserId },

    #[serde(rename = "presence.set")]
    PresenceSet { state: Presence },

    /// Starts a call, and rings. The body is sealed. The caller is in it.
    #[serde(rename = "call.initiate")]
    CallInitiate {
        room: RoomId,
        call: CallId,
        kind: CallKind,
        body: Bytes,
    },
    /// This device takes part from now on. A call the relay does not know
    /// (any more) is begun by it.
    #[serde(rename = "call.join")]
    CallJoin { room: RoomId, call: CallId },
    #[serde(rename = "call.leave")]
    CallLeave { room: RoomId, call: CallId },
    /// Offer, answer, candidate, key: sealed and signed, for one device that
    /// takes part. Not stored; `recipient_offline` if it cannot be handed on.
    #[serde(rename = "call.signal")]
    CallSignal {
        room: RoomId,
        call: CallId,
        to: CallParticipant,
        body: Bytes,
    },

    /// Asks for a credential of the relay's TURN server (RFC 8656);
    /// `not_found` where the relay has none.
    #[serde(rename = "turn.take")]
    TurnTake,
}

/// How a call was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    Audio,
    Video,
}

/// One end of a call, as the relay sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallParticipant {
    pub user: UserId,
    pub device: DeviceId,
}

/// A message for the room's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatSend {
    pub room: RoomId,
    pub id: MessageId,
    pub kind: ChatKind,
    /// The epoch it was encrypted in; any other than the room's current one
    /// gets `stale_epoch`.
    pub epoch: Epoch,
    /// With a commit: who joins by it, for routing. Clients never believe it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adds: Vec<UserId>,
    /// With a commit: who is gone by it, for routing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removes: Vec<UserId>,
    pub body: Bytes,
}

/// What a `chat.send` holds, as far as the relay must know: a commit moves the
/// room to the next epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    Application,
    Commit,
    Proposal,
}

/// What a room asks of the relay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// Days to keep the backlog; the relay's own limit holds where it is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Online,
    Away,
    Offline,
}

/// From the relay to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum RelayFrame {
    #[serde(rename = "auth.ok")]
    AuthOk {
        user: UserId,
        device: DeviceId,
        server_time: Millis,
        limits: Limits,
    },
    #[serde(rename = "auth.error")]
    AuthError {
        code: crate::ErrorCode,
        message: String,
    },
    #[serde(rename = "pong")]
    Pong,

    #[serde(rename = "room.created")]
    RoomCreated { room: RoomId },
    /// Followed by the backlog after `since`, in order, as `chat.receive`.
    #[serde(rename = "room.opened")]
    RoomOpened(RoomOpened),
    /// To members: someone asks to be let in. Repeated at `room.open` while
    /// it is unanswered.
    #[serde(rename = "room.knocked")]
    RoomKnocked {
        room: RoomId,
        knock: MessageId,
        from: UserId,
        body: Bytes,
    },
    /// To the one who knocked, and to members so that they stop asking.
    #[serde(rename = "room.denied")]
    RoomDenied { room: RoomId, knock: MessageId },
    /// Answer to `room.leave`.
    #[serde(rename = "room.left")]
    RoomLeft { room: RoomId },
    #[serde(rename = "room.deleted")]
    RoomDeleted { room: RoomId },
    #[serde(rename = "host.updated")]
    HostUpdated { room: RoomId, host: UserId },

    /// The message is durable and has its place.
    #[serde(rename = "chat.ack")]
    ChatAck {
        id: MessageId,
        room: RoomId,
        seq: Seq,
        at: Millis,
    },
    #[serde(rename = "chat.receive")]
    ChatReceive(ChatReceive),
    #[serde(rename = "chat.signal")]
    ChatSignal {
        room: RoomId,
        from: UserId,
        body: Bytes,
    },
    /// A member's device has everything up to here.
    #[serde(rename = "chat.delivered")]
    ChatDelivered {
        room: RoomId,
        user: UserId,
        device: DeviceId,
        up_to: Seq,
    },

    /// The direct message is durable.
    #[serde(rename = "direct.ack")]
    DirectAck { id: MessageId },
    #[serde(rename = "direct.receive")]
    DirectReceive {
        id: MessageId,
        from: UserId,
        body: Bytes,
    },

    #[serde(rename = "keys.published")]
    KeysPublished { count: usize },
    #[serde(rename = "keys.taken")]
    KeysTaken { user: UserId, package: Bytes },
    /// Few one-time key packages are left.
    #[serde(rename = "keys.low")]
    KeysLow { count: usize },

    #[serde(rename = "presence.update")]
    PresenceUpdate {
        room: RoomId,
        user: UserId,
        action: PresenceAction,
        count: usize,
    },
    /// Somebody calls the room.
    #[serde(rename = "call.initiate")]
    CallInitiate {
        room: RoomId,
        call: CallId,
        kind: CallKind,
        from: UserId,
        device: DeviceId,
        body: Bytes,
    },
    /// Who is in a call now; nobody: it is over. Also after `room.opened`, for
    /// each call that runs.
    #[serde(rename = "call.updated")]
    CallUpdated {
        room: RoomId,
        call: CallId,
        participants: Vec<CallParticipant>,
    },
    #[serde(rename = "call.signal")]
    CallSignal {
        room: RoomId,
        call: CallId,
        from: UserId,
        device: DeviceId,
        body: Bytes,
    },

    /// A credential for the STUN and TURN server at this UDP port of the host
    /// under which the client reaches the relay. Allocations begin with it
    /// until it expires; those that were begun go on.
    #[serde(rename = "turn.taken")]
    TurnTaken {
        port: u16,
        username: String,
        password: Token,
        expires: Millis,
    },

    /// A word from the relay's operator.
    #[serde(rename = "notice")]
    Notice { kind: String, body: String },
    #[serde(rename = "error")]
    Error(WireError),
}

/// A room as the relay sees it. Clients take routing hints from it, never
/// authority: who is a member is in the MLS tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomOpened {
    pub room: RoomId,
    pub host: UserId,
    pub members: Vec<RoomMember>,
    pub count: usize,
    pub epoch: Epoch,
    /// The newest `seq`; 0 in a room without messages.
    pub head: Seq,
    /// The oldest `seq` that is still kept; `head + 1` when none is.
    pub retained_from: Seq,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMember {
    pub user: UserId,
    pub state: Presence,
    /// What every device of this member has.
    pub up_to: Seq,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatReceive {
    pub room: RoomId,
    pub seq: Seq,
    pub id: MessageId,
    pub from: UserId,
    pub device: DeviceId,
    pub kind: ChatKind,
    pub body: Bytes,
    pub at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceAction {
    Joined,
    Left,
    Online,
    Away,
    Offline,
}

/// A bearer credential. Serializable, because it must travel; never printed,
/// and wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<token>")
    }
}
