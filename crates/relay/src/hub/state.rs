//! The hub's tables, and how each durable change moves them.

use super::{Change, ConnId, GoneRow, Hub, RoomRow, bucket::Bucket, calls::Call, plan::Quota};
use sotto_wire::{
    CallId, DeviceId, MessageId, Millis, RoomId, Seq, UserId,
    frame::{ChatReceive, Presence},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Account {
    pub created: Millis,
    pub disabled: bool,
    /// Tokens of earlier generations no longer hold.
    pub generation: u32,
    pub devices: BTreeMap<DeviceId, Device>,
    /// Unread direct messages in order of arrival.
    pub waiting: BTreeMap<u64, Letter>,
    pub waiting_bytes: u64,
    /// Received ones that are still remembered, until when.
    pub done: BTreeMap<(UserId, MessageId), Millis>,
    pub denials: BTreeMap<RoomId, (MessageId, Millis)>,
    /// Rooms this account is a member of (an index).
    pub rooms: BTreeSet<RoomId>,
    // A restart forgets what follows.
    pub conns: BTreeSet<ConnId>,
    pub buckets: BTreeMap<Quota, Bucket>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Device {
    pub revoked: bool,
    /// Numbers of its one-time key packages.
    pub keys: BTreeSet<u64>,
    pub last_resort: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Letter {
    pub from: UserId,
    pub id: MessageId,
    pub expires: Millis,
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    pub user: UserId,
    pub device: DeviceId,
    pub secret: [u8; 32],
    pub expires: Millis,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Room {
    pub row: RoomRow,
    pub members: BTreeMap<UserId, Member>,
    pub gone: BTreeMap<UserId, GoneRow>,
    pub knocks: BTreeMap<UserId, Knock>,
    pub kept: VecDeque<Kept>,
    pub kept_bytes: u64,
    /// Where the kept messages are, by who sent them.
    pub seen: BTreeMap<(UserId, DeviceId, MessageId), (Seq, Millis)>,
    /// Connections that follow the room. A restart forgets them.
    pub open: BTreeSet<ConnId>,
    /// Calls that run. A restart forgets them.
    pub calls: BTreeMap<CallId, Call>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub order: u64,
    /// The first message this member may read.
    pub joined: Seq,
    pub cursors: BTreeMap<DeviceId, Seq>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Knock {
    pub id: MessageId,
    pub at: Millis,
}

/// A stored message without its body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub seq: Seq,
    pub user: UserId,
    pub device: DeviceId,
    pub id: MessageId,
    pub at: Millis,
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conn {
    pub user: UserId,
    pub device: DeviceId,
    pub open: BTreeSet<RoomId>,
    pub state: Presence,
}

/// Counts for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    pub connections: usize,
    pub accounts: usize,
    /// Every room with its number of members.
    pub rooms: Vec<(RoomId, usize)>,
}

impl Conn {
    pub fn new(user: UserId, device: DeviceId) -> Self {
        Self {
            user,
            device,
            open: BTreeSet::new(),
            state: Presence::Online,
        }
    }
}

impl Member {
    /// What every device has that was ever seen; before the first message the
    /// member may read, if none was.
    pub fn up_to(&self) -> Seq {
        let before = self.joined.saturating_sub(1);
        self.cursors
            .values()
            .copied()
            .min()
            .unwrap_or(before)
            .max(before)
    }
}

impl Room {
    pub fn new(row: RoomRow) -> Self {
        Self {
            row,
            members: BTreeMap::new(),
            gone: BTreeMap::new(),
            knocks: BTreeMap::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
            seen: BTreeMap::new(),
            open: BTreeSet::new(),
            calls: BTreeMap::new(),
        }
    }

    /// The oldest message still kept; the one after the head when none is.
    pub fn retained_from(&self) -> Seq {
        self.kept.front().map_or(self.row.head + 1, |kept| kept.seq)
    }

    /// Who has been a member longest, but for those in `without`.
    pub fn eldest(&self, without: &BTreeSet<UserId>) -> Option<UserId> {
        let staying = self
            .members
            .iter()
            .filter(|(user, _)| !without.contains(user));
        staying
            .min_by_key(|(_, member)| member.order)
            .map(|(user, _)| *user)
    }

    fn keep(&mut self, message: &ChatReceive, size: u64) {
        let kept = Kept {
            seq: message.seq,
            user: message.from,
            device: message.device,
            id: message.id,
            at: message.at,
            size,
        };
        self.seen
            .insert((kept.user, kept.device, kept.id), (kept.seq, kept.at));
        self.kept_bytes += size;
        self.kept.push_back(kept);
    }

    fn forget_below(&mut self, below: Seq) {
        while self.kept.front().is_some_and(|kept| kept.seq < below) {
            if let Some(kept) = self.kept.pop_front() {
                self.kept_bytes -= kept.size;
                self.seen.remove(&(kept.user, kept.device, kept.id));
            }
        }
    }
}

impl Hub {
    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.conns.len(),
            accounts: self.accounts.len(),
            rooms: self
                .rooms
                .iter()
                .map(|(id, room)| (*id, room.members.len()))
                .collect(),
        }
    }

    fn device_entry(&mut self, user: &UserId, device: &DeviceId) -> &mut Device {
        self.accounts
            .entry(*user)
            .or_default()
            .devices
            .entry(*device)
            .or_default()
    }

    /// The one place where durable state moves.
    pub(super) fn change(&mut self, change: &Change) {
        match change {
            Change::AccountPut {
                user,
                created,
                generation,
                disabled,
            } => {
                let account = self.accounts.entry(*user).or_default();
                account.created = *created;
                account.generation = *generation;
                account.disabled = *disabled;
            }
            Change::DevicePut {
                user,
                device,
                revoked,
            } => {
                self.device_entry(user, device).revoked = *revoked;
            }
            Change::SessionPut {
                family,
                user,
                device,
                secret,
                expires,
            } => {
                let session = Session {
                    user: *user,
                    device: *device,
                    secret: *secret,
                    expires: *expires,
                };
                self.sessions.insert(*family, session);
            }
            Change::SessionDrop { family } => {
                self.sessions.remove(family);
            }
            Change::DenialPut {
                user,
                room,
                knock,
                at,
            } => {
                self.accounts
                    .entry(*user)
                    .or_default()
                    .denials
                    .insert(*room, (*knock, *at));
            }
            Change::DenialDrop { user, room } => {
                if let Some(account) = self.accounts.get_mut(user) {
                    account.denials.remove(room);
                }
            }
            Change::DirectPut { .. } | Change::DirectDone { .. } | Change::DirectDrop { .. } => {
                self.change_direct(change);
            }
            Change::KeyPut {
                user, device, key, ..
            } => {
                self.next_key = self.next_key.max(key + 1);
                self.device_entry(user, device).keys.insert(*key);
            }
            Change::KeyDrop { user, device, key } => {
                self.device_entry(user, device).keys.remove(key);
            }
            Change::LastResortPut { user, device, .. } => {
                self.device_entry(user, device).last_resort = true;
            }
            Change::LastResortDrop { user, device } => {
                self.device_entry(user, device).last_resort = false;
            }
            Change::RoomPut { room, row } => {
                self.rooms
                    .entry(*room)
                    .and_modify(|r| r.row = *row)
                    .or_insert(Room::new(*row));
            }
            Change::RoomDrop { room } => self.drop_room(room),
            Change::MemberPut { room, user, .. } | Change::MemberDrop { room, user } => {
                let rooms = &mut self.accounts.entry(*user).or_default().rooms;
                match change {
                    Change::MemberPut { .. } => rooms.insert(*room),
                    _ => rooms.remove(room),
                };
                self.change_room(room, change);
            }
            Change::GonePut { room, .. }
            | Change::GoneDrop { room, .. }
            | Change::CursorPut { room, .. }
            | Change::MessagePut { room, .. }
            | Change::MessagesDrop { room, .. }
            | Change::KnockPut { room, .. }
            | Change::KnockDrop { room, .. } => self.change_room(room, change),
        }
    }

    fn change_room(&mut self, room: &RoomId, change: &Change) {
        let Some(room) = self.rooms.get_mut(room) else {
            return;
        };
        match change {
            Change::MemberPut {
                user,
                order,
                joined,
                ..
            } => {
                let new = Member {
                    order: *order,
                    joined: *joined,
                    cursors: BTreeMap::new(),
                };
                room.members.insert(*user, new);
            }
            Change::MemberDrop { user, .. } => {
                room.members.remove(user);
            }
            Change::GonePut { user, gone, .. } => {
                room.gone.insert(*user, *gone);
            }
            Change::GoneDrop { user, .. } => {
                room.gone.remove(user);
            }
            Change::CursorPut {
                user,
                device,
                up_to,
                ..
            } => {
                if let Some(member) = room.members.get_mut(user) {
                    member.cursors.insert(*device, *up_to);
                }
            }
            Change::MessagePut { message, size, .. } => room.keep(message, *size),
            Change::MessagesDrop { below, .. } => room.forget_below(*below),
            Change::KnockPut { user, id, at, .. } => {
                room.knocks.insert(*user, Knock { id: *id, at: *at });
            }
            Change::KnockDrop { user, .. } => {
                room.knocks.remove(user);
            }
            _ => {}
        }
    }

    fn change_direct(&mut self, change: &Change) {
        match change {
            Change::DirectPut {
                to,
                from,
                id,
                order,
                expires,
                size,
                ..
            } => {
                self.next_direct = self.next_direct.max(order + 1);
                let account = self.accounts.entry(*to).or_default();
                account.waiting_bytes += size;
                let letter = Letter {
                    from: *from,
                    id: *id,
                    expires: *expires,
                    size: *size,
                };
                account.waiting.insert(*order, letter);
            }
            Change::DirectDone {
                to,
                from,
                id,
                until,
            } => {
                let account = self.accounts.entry(*to).or_default();
                account.drop_letter(from, id);
                account.done.insert((*from, *id), *until);
            }
            Change::DirectDrop { to, from, id } => {
                if let Some(account) = self.accounts.get_mut(to) {
                    account.drop_letter(from, id);
                    account.done.remove(&(*from, *id));
                }
            }
            _ => {}
        }
    }

    fn drop_room(&mut self, id: &RoomId) {
        let Some(room) = self.rooms.remove(id) else {
            return;
        };
        for user in room.members.keys() {
            if let Some(account) = self.accounts.get_mut(user) {
                account.rooms.remove(id);
            }
        }
        for conn in &room.open {
            if let Some(conn) = self.conns.get_mut(conn) {
                conn.open.remove(id);
            }
        }
    }
}

impl Account {
    pub fn letter(&self, from: &UserId, id: &MessageId) -> Option<(u64, &Letter)> {
        let mut found = self
            .waiting
            .iter()
            .filter(|(_, l)| l.from == *from && l.id == *id);
        found.next().map(|(order, letter)| (*order, letter))
    }

    fn drop_letter(&mut self, from: &UserId, id: &MessageId) {
        let Some((order, _)) = self.letter(from, id) else {
            return;
        };
        if let Some(letter) = self.waiting.remove(&order) {
            self.waiting_bytes -= letter.size;
        }
    }
}
