//! A room as it is kept on disk, and the smaller records around it.

use super::{authorize::PackageId, state::RoomState, trail::Trail};
use crate::{
    invite::InviteSecret,
    model::{Knock, LastLine, Profile, RoomPrefs, Standing},
    store::{Space, StoreError, Txn},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sotto_wire::{Bytes, DeviceId, Epoch, MessageId, Millis, RelayAddress, RoomId, Seq, UserId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub id: RoomId,
    pub relay: RelayAddress,
    pub standing: Standing,
    /// As of the last merged commit; kept in a record of its own, because it
    /// is large and a message does not change it. See [`Agreed`].
    #[serde(skip)]
    pub state: Option<RoomState>,
    /// The members, as of the last merged commit, in leaf order. Kept like
    /// `state`.
    #[serde(skip)]
    pub roster: Vec<Member>,
    /// Who announced to leave and is still in the tree.
    #[serde(default)]
    pub leaving: BTreeSet<UserId>,
    /// Everything up to here is processed.
    pub cursor: Seq,
    /// See [`super::trail`].
    #[serde(default)]
    pub trail: Trail,
    /// Others were shown another order, and the person was told.
    #[serde(default)]
    pub split: bool,
    /// The relay's epoch: how many commits the room's order holds, refused
    /// ones included. MLS's own epoch does not count those.
    pub epoch: Epoch,
    pub mls_epoch: u64,
    pub read_position: u64,
    pub unread: u32,
    /// The read position from which `unread` was counted in the store; after
    /// that it goes along with what comes.
    #[serde(skip)]
    pub counted_from: Option<u64>,
    /// Knocks that wait for an answer.
    pub knocks: usize,
    /// The newest message of somebody else, for read marks.
    #[serde(default)]
    pub newest_heard: Seq,
    pub read_marks: BTreeMap<UserId, Seq>,
    pub last: Option<LastLine>,
    pub active_at: Millis,
    pub draft: String,
    pub prefs: RoomPrefs,
    pub joining: Option<Joining>,
    pub departure: Departure,
    pub wishes: Vec<Wish>,
    /// When the own leaf was last renewed, and how much was sent since.
    pub renewed_at: Millis,
    pub sent_since: u32,
    /// Something that only an older copy of this store could explain has been
    /// seen: no more messages before the own leaf is renewed.
    #[serde(default)]
    pub renew_first: bool,
    /// Counts what was put into the outbox.
    pub outbox_next: u64,
    /// Key packages that were let in, newest last: the relay cannot have the
    /// same knock answered twice.
    #[serde(default)]
    pub answered: Vec<PackageId>,
    /// Invites that were open once, newest last: who knocks with one is told.
    #[serde(default)]
    pub closed: Vec<MessageId>,
}

/// What the members of a room agree on, as stored.
#[derive(Deserialize)]
struct Agreed {
    state: Option<RoomState>,
    roster: Vec<Member>,
}

#[derive(Serialize)]
struct AgreedRef<'a> {
    state: &'a Option<RoomState>,
    roster: &'a [Member],
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub leaf: u32,
    pub user: UserId,
    pub device: DeviceId,
    pub account: crate::identity::PublicKey,
    pub profile: Profile,
    /// See [`super::Leaf::made`].
    #[serde(default)]
    pub made: Millis,
    pub added_by: Option<UserId>,
    /// When this client saw it happen, by its own clock.
    pub added_at: Option<Millis>,
}

/// A knock of our own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Joining {
    pub knock: MessageId,
    pub invite: MessageId,
    #[serde(with = "super::state::shared")]
    pub secret: InviteSecret,
    /// Who has to have invited, and until when; see [`crate::invite::proof`].
    pub inviter: UserId,
    pub expires: Millis,
    pub body: Bytes,
    /// A member who lost step comes back: what was missed in between is a gap.
    #[serde(default)]
    pub lost: bool,
    /// When the key package was made.
    #[serde(default)]
    pub made: Millis,
}

/// How far an own leaving or deleting has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Departure {
    #[default]
    None,
    /// The members are being told, inside MLS.
    Announcing { delete: bool },
    /// The relay is being told.
    Telling { delete: bool },
}

/// A change to the room that this client wants to commit.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    Admit {
        knock: MessageId,
    },
    Remove {
        user: UserId,
    },
    /// Take those who announced to leave out of the tree.
    Sweep,
    /// Renew the own leaf; also carries a changed profile.
    Renew,
    Describe {
        name: String,
        topic: String,
        admission: crate::model::Admission,
    },
    MakeHost {
        user: UserId,
    },
    OpenInvite(super::state::InviteEntry),
    CloseInvite {
        invite: MessageId,
    },
}

/// An own commit that the relay has not accepted yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub id: MessageId,
    pub epoch: Epoch,
    pub body: Bytes,
    pub adds: Vec<UserId>,
    pub removes: Vec<UserId>,
    pub note: super::authorize::CommitNote,
    /// The MLS Welcome, and the knocks it answers.
    pub welcome: Option<Bytes>,
    pub answers: Vec<Answer>,
    pub wishes: Vec<Wish>,
}

/// To whom a Welcome goes, the invite to answer by, and its maker's account.
/// Knock and invite may be gone by the time that the commit is accepted.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub knock: MessageId,
    pub user: UserId,
    pub invite: super::state::InviteEntry,
    pub account: crate::identity::PublicKey,
}

/// Something in the outbox.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub order: u64,
    pub content: super::content::Content,
    /// It was refused for good, and waits for a retry or to be discarded.
    pub failed: bool,
    /// The relay may have it already.
    pub sent: bool,
}

/// A knock of somebody else that waits for an answer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Caller {
    pub knock: Knock,
    pub key_package: Bytes,
    pub package: PackageId,
    pub made: Millis,
}

/// A direct message that the relay has not accepted yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub relay: RelayAddress,
    pub id: MessageId,
    pub to: UserId,
    pub body: Bytes,
    pub expires: Millis,
}

impl Record {
    pub fn new(id: RoomId, relay: RelayAddress, standing: Standing, now: Millis) -> Self {
        Self {
            id,
            relay,
            standing,
            state: None,
            roster: Vec::new(),
            leaving: BTreeSet::new(),
            cursor: 0,
            trail: Trail::new(&id),
            split: false,
            epoch: 0,
            mls_epoch: 0,
            read_position: 0,
            unread: 0,
            counted_from: None,
            knocks: 0,
            newest_heard: 0,
            read_marks: BTreeMap::new(),
            last: None,
            active_at: now,
            draft: String::new(),
            prefs: RoomPrefs::default(),
            joining: None,
            departure: Departure::None,
            wishes: Vec::new(),
            renewed_at: now,
            sent_since: 0,
            renew_first: false,
            outbox_next: 0,
            answered: Vec::new(),
            closed: Vec::new(),
        }
    }

    /// Reads a room; `None` if there is none of that id.
    pub fn load(txn: &dyn Txn, id: &RoomId) -> Result<Option<Self>, StoreError> {
        let Some(mut record) = read::<Self>(txn, Space::Room, id.as_bytes())? else {
            return Ok(None);
        };
        if let Some(agreed) = read::<Agreed>(txn, Space::Room, &key_in(id, AGREED))? {
            record.state = agreed.state;
            record.roster = agreed.roster;
        }
        Ok(Some(record))
    }

    pub fn save(&self, txn: &mut dyn Txn) -> Result<(), StoreError> {
        write(txn, Space::Room, self.id.as_bytes(), self)
    }

    /// Saves `state` and `roster`.
    pub fn save_agreed(&self, txn: &mut dyn Txn) -> Result<(), StoreError> {
        let agreed = AgreedRef {
            state: &self.state,
            roster: &self.roster,
        };
        write(txn, Space::Room, &key_in(&self.id, AGREED), &agreed)
    }

    pub fn member(&self, user: &UserId) -> Option<&Member> {
        self.roster.iter().find(|m| m.user == *user)
    }

    pub fn at_leaf(&self, leaf: u32) -> Option<&Member> {
        self.roster.iter().find(|m| m.leaf == leaf)
    }

    /// The name to show for somebody; empty if they are not known here.
    pub fn name_of(&self, user: &UserId) -> String {
        self.member(user)
            .map(|m| m.profile.name.clone())
            .unwrap_or_default()
    }
}

/// How much is remembered of what is over.
const MEMORY: usize = 64;

/// Remembers something at the end of a list, forgetting the oldest.
pub(crate) fn remember<T: PartialEq>(list: &mut Vec<T>, new: T) {
    if !list.contains(&new) {
        list.push(new);
        let excess = list.len().saturating_sub(MEMORY);
        list.drain(..excess);
    }
}

pub(crate) fn read<T: DeserializeOwned>(
    txn: &dyn Txn,
    space: Space,
    key: &[u8],
) -> Result<Option<T>, StoreError> {
    match txn.get(space, key)? {
        Some(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| StoreError::Damaged),
        None => Ok(None),
    }
}

pub(crate) fn scan<T: DeserializeOwned>(
    txn: &dyn Txn,
    space: Space,
    prefix: &[u8],
) -> Result<Vec<T>, StoreError> {
    let records = txn.scan(space, prefix)?;
    let parse =
        |(_, bytes): (_, Vec<u8>)| serde_json::from_slice(&bytes).map_err(|_| StoreError::Damaged);
    records.into_iter().map(parse).collect()
}

pub(crate) fn write<T: Serialize>(
    txn: &mut dyn Txn,
    space: Space,
    key: &[u8],
    value: &T,
) -> Result<(), StoreError> {
    let bytes = serde_json::to_vec(value).expect("records are plain data");
    txn.put(space, key, &bytes)
}

/// A key below a room: the room's id, then what follows.
pub(crate) fn key_in(room: &RoomId, rest: &[u8]) -> Vec<u8> {
    [room.as_bytes(), rest].concat()
}

/// The key of what a room's members agree on, below the room's own.
pub(crate) const AGREED: &[u8] = b"agreed";

/// The key of what members agree on about the room's call.
pub(crate) const CALLS: &[u8] = b"calls";

/// The key of a room's pending commit in [`Space::Room`]; longer than a room's
/// own key, so that the two never meet.
pub(crate) fn pending_key(room: &RoomId) -> Vec<u8> {
    key_in(room, b"pending")
}
