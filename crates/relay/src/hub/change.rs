//! The durable changes, a closed list. A store also answers with them: the
//! rows it holds, as the changes that would make them.

use sotto_wire::{
    Bytes, DeviceId, Epoch, MessageId, Millis, RoomId, Seq, UserId, frame::ChatReceive,
};

/// One change to what is stored. Every `…Put` replaces the row of its key.
///
/// `size` stands beside each body because a restored row comes without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    AccountPut {
        user: UserId,
        created: Millis,
        generation: u32,
        disabled: bool,
    },
    DevicePut {
        user: UserId,
        device: DeviceId,
        revoked: bool,
    },
    /// The one valid refresh token of a family, by hash.
    SessionPut {
        family: [u8; 32],
        user: UserId,
        device: DeviceId,
        secret: [u8; 32],
        expires: Millis,
    },
    SessionDrop {
        family: [u8; 32],
    },

    RoomPut {
        room: RoomId,
        row: RoomRow,
    },
    /// With everything in it.
    RoomDrop {
        room: RoomId,
    },
    MemberPut {
        room: RoomId,
        user: UserId,
        order: u64,
        joined: Seq,
    },
    /// With the cursors.
    MemberDrop {
        room: RoomId,
        user: UserId,
    },
    /// A removed member, who may still read `joined..=until`.
    GonePut {
        room: RoomId,
        user: UserId,
        gone: GoneRow,
    },
    GoneDrop {
        room: RoomId,
        user: UserId,
    },
    /// How far one device of a member is. May be stored late: losing it costs
    /// only a tick mark.
    CursorPut {
        room: RoomId,
        user: UserId,
        device: DeviceId,
        up_to: Seq,
    },
    MessagePut {
        room: RoomId,
        message: ChatReceive,
        size: u64,
    },
    /// All messages before `below`.
    MessagesDrop {
        room: RoomId,
        below: Seq,
    },

    KnockPut {
        room: RoomId,
        user: UserId,
        id: MessageId,
        at: Millis,
        body: Bytes,
    },
    KnockDrop {
        room: RoomId,
        user: UserId,
    },
    /// Someone who knocked is to be told at the next connection.
    DenialPut {
        user: UserId,
        room: RoomId,
        knock: MessageId,
        at: Millis,
    },
    DenialDrop {
        user: UserId,
        room: RoomId,
    },

    DirectPut {
        to: UserId,
        from: UserId,
        id: MessageId,
        order: u64,
        expires: Millis,
        size: u64,
        body: Bytes,
    },
    /// Received: the body goes, the id stays until `until`.
    DirectDone {
        to: UserId,
        from: UserId,
        id: MessageId,
        until: Millis,
    },
    DirectDrop {
        to: UserId,
        from: UserId,
        id: MessageId,
    },

    KeyPut {
        user: UserId,
        device: DeviceId,
        key: u64,
        body: Bytes,
    },
    KeyDrop {
        user: UserId,
        device: DeviceId,
        key: u64,
    },
    LastResortPut {
        user: UserId,
        device: DeviceId,
        body: Bytes,
    },
    LastResortDrop {
        user: UserId,
        device: DeviceId,
    },
}

/// A room without its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomRow {
    pub creator: UserId,
    pub host: UserId,
    pub epoch: Epoch,
    pub head: Seq,
    pub created: Millis,
    /// Milliseconds the backlog is kept, where the room asked for less than
    /// the relay's own limit.
    pub retention: Option<Millis>,
    /// Place in line of the next member, for who is longest-standing.
    pub next_order: u64,
    pub empty_since: Option<Millis>,
}

/// What a removed member may still see, and the room as it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoneRow {
    pub joined: Seq,
    pub until: Seq,
    /// What every device of theirs had.
    pub up_to: Seq,
    pub host: UserId,
    pub epoch: Epoch,
    pub at: Millis,
}

/// Which row a change is about. Sorts as rows must be restored: an account
/// before its devices, a room before its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKey {
    Account(UserId),
    Device(UserId, DeviceId),
    Session([u8; 32]),
    Room(RoomId),
    Member(RoomId, UserId),
    Gone(RoomId, UserId),
    Cursor(RoomId, UserId, DeviceId),
    Message(RoomId, Seq),
    Knock(RoomId, UserId),
    Denial(UserId, RoomId),
    Direct(UserId, UserId, MessageId),
    Key(UserId, DeviceId, u64),
    LastResort(UserId, DeviceId),
}

impl Change {
    /// May wait for the next transaction, and be lost in a crash.
    pub fn is_lazy(&self) -> bool {
        matches!(self, Self::CursorPut { .. })
    }

    /// The row this puts or drops; `None` for the two that drop many.
    pub fn row(&self) -> Option<RowKey> {
        Some(match *self {
            Self::AccountPut { user, .. } => RowKey::Account(user),
            Self::DevicePut { user, device, .. } => RowKey::Device(user, device),
            Self::SessionPut { family, .. } | Self::SessionDrop { family } => {
                RowKey::Session(family)
            }
            Self::RoomPut { room, .. } => RowKey::Room(room),
            Self::MemberPut { room, user, .. } => RowKey::Member(room, user),
            Self::GonePut { room, user, .. } | Self::GoneDrop { room, user } => {
                RowKey::Gone(room, user)
            }
            Self::CursorPut {
                room, user, device, ..
            } => RowKey::Cursor(room, user, device),
            Self::MessagePut {
                room, ref message, ..
            } => RowKey::Message(room, message.seq),
            Self::KnockPut { room, user, .. } | Self::KnockDrop { room, user } => {
                RowKey::Knock(room, user)
            }
            Self::DenialPut { user, room, .. } | Self::DenialDrop { user, room } => {
                RowKey::Denial(user, room)
            }
            Self::DirectPut { to, from, id, .. }
            | Self::DirectDone { to, from, id, .. }
            | Self::DirectDrop { to, from, id } => RowKey::Direct(to, from, id),
            Self::KeyPut {
                user, device, key, ..
            }
            | Self::KeyDrop { user, device, key } => RowKey::Key(user, device, key),
            Self::LastResortPut { user, device, .. } | Self::LastResortDrop { user, device } => {
                RowKey::LastResort(user, device)
            }
            Self::RoomDrop { .. } | Self::MemberDrop { .. } | Self::MessagesDrop { .. } => {
                return None;
            }
        })
    }

    /// The same row without its body, as a store gives it back.
    pub fn without_body(mut self) -> Self {
        match &mut self {
            Self::MessagePut { message, .. } => message.body = Bytes::default(),
            Self::KnockPut { body, .. }
            | Self::DirectPut { body, .. }
            | Self::KeyPut { body, .. }
            | Self::LastResortPut { body, .. } => *body = Bytes::default(),
            _ => {}
        }
        self
    }
}
