//! A member whose client keeps to no rule: what the attacks in the simulator
//! are made with. It is built with the feature `testing` only, which nothing
//! that people use has.

use super::Client;
use crate::{
    call::media::Peer,
    identity::PublicKey,
    invite::{InviteSecret, Link, proof::InviteKey},
    mls::{
        group::{self, Group, Plan, read_key_package},
        provider::Provider,
    },
    model::{Admission, Profile},
    pad,
    room::{
        authorize::{CommitNote, bar},
        state::{InviteEntry, RoomState},
    },
    store::{Txn, memory::MemoryStore},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sotto_wire::{Bytes, CallId, Epoch, MessageId, Millis, RoomId, UserId};

/// What a commit is to do, allowed or not.
#[derive(Debug, Clone, Default)]
pub struct Rogue {
    /// Key packages, as they stand in knocks.
    pub adds: Vec<Vec<u8>>,
    pub removes: Vec<UserId>,
    pub changes: Vec<Tamper>,
    /// The invite it says that the additions rest on.
    pub invite: Option<MessageId>,
}

/// A change to what the members agree on.
#[derive(Debug, Clone)]
pub enum Tamper {
    Host(UserId),
    Name(String),
    Admission(Admission),
    Bar(UserId),
    CloseInvites,
    OpenInvite { by: UserId },
}

/// An invite as a false room shows it.
#[derive(Debug, Clone)]
pub struct RogueInvite {
    pub link: Link,
    pub account: PublicKey,
    pub key: InviteKey,
    pub vouching: [u8; 64],
}

impl RogueInvite {
    fn entry(&self, now: Millis) -> InviteEntry {
        InviteEntry {
            id: self.link.invite,
            secret: self.link.secret.clone(),
            key: self.key.clone(),
            created: now,
            expires: self.link.expires,
            by: self.link.inviter,
            vouching: self.vouching.as_slice().into(),
        }
    }
}

/// A commit that nobody may ever merge.
#[derive(Debug, Clone)]
pub struct RogueCommit {
    pub body: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
    /// The relay's epoch of the room.
    pub epoch: Epoch,
}

impl Client {
    /// Goes by any name from now on, without it being looked at.
    pub fn rogue_profile(&mut self, profile: Profile) {
        self.me.profile = profile;
    }

    /// Makes a commit and forgets it: the own group stays where it is.
    pub fn rogue_commit(
        &mut self,
        txn: &mut dyn Txn,
        now: Millis,
        room: &RoomId,
        rogue: &Rogue,
    ) -> Option<RogueCommit> {
        let provider = Provider::new(&self.crypto, txn);
        let mut group = Group::load(&provider, room).ok()??;
        let record = &self.rooms.get(room)?.record;
        let package = |bytes: &Vec<u8>| Some(read_key_package(&provider, bytes, now)?.0);
        let leaf = |user: &UserId| Some(record.member(user)?.leaf);
        let mut state = group.state()?;
        rogue
            .changes
            .iter()
            .for_each(|change| tamper(&mut state, change, now));
        let plan = Plan {
            adds: rogue.adds.iter().map(package).collect::<Option<_>>()?,
            removes: rogue.removes.iter().map(leaf).collect::<Option<_>>()?,
            state: (!rogue.changes.is_empty()).then_some(state),
            note: CommitNote {
                invite: rogue.invite,
            },
        };
        let made = record.member(&self.me.user()).map_or(0, |m| m.made) + 1;
        let built = group
            .commit(&provider, &self.me.signer(now.max(made)), plan)
            .ok()?;
        group.clear_pending_commit(&provider).ok()?;
        let (body, welcome) = (built.commit, built.welcome);
        Some(RogueCommit {
            body,
            welcome,
            epoch: record.epoch,
        })
    }

    /// A signal of the own call, in words of another version.
    pub fn rogue_signal(
        &mut self,
        room: &RoomId,
        to: Peer,
        text: &str,
    ) -> Option<(CallId, Vec<u8>)> {
        let session = self.rooms.get(room)?.own_session()?;
        let channel = &session.link(&to)?.channel;
        let body = channel.seal_text(&session.call, &mut self.rng, text);
        Some((session.call, body))
    }

    /// Encrypts any content at all.
    pub fn rogue_message(
        &mut self,
        txn: &mut dyn Txn,
        room: &RoomId,
        content: &[u8],
    ) -> Option<Vec<u8>> {
        let provider = Provider::new(&self.crypto, txn);
        let mut group = Group::load(&provider, room).ok()??;
        group
            .encrypt(&provider, &self.me.signer(0), &pad::pad(content))
            .ok()
    }

    /// A key package of this device.
    pub fn rogue_package(&mut self, txn: &mut dyn Txn, made: Millis) -> Option<Vec<u8>> {
        let provider = Provider::new(&self.crypto, txn);
        group::key_package(&provider, &self.me.signer(made)).ok()
    }

    /// What every member has of an open invite.
    pub fn rogue_invite(&self, link: &Link) -> Option<RogueInvite> {
        let record = &self.rooms.get(&link.room)?.record;
        let entry = record.state.as_ref()?.invite(&link.invite)?;
        Some(RogueInvite {
            link: link.clone(),
            account: record.member(&entry.by)?.account,
            key: entry.key.clone(),
            vouching: entry.vouching[..].try_into().ok()?,
        })
    }

    /// A key of one's own for somebody's link, with one's own word for it.
    pub fn rogue_own_invite(&self, seed: [u8; 32], link: &Link) -> RogueInvite {
        let key = InviteKey::generate(&mut ChaCha20Rng::from_seed(seed));
        RogueInvite {
            link: link.clone(),
            account: self.me.account(),
            vouching: self.me.vouch(&link.terms(), &key.public()),
            key,
        }
    }

    /// A group of one's own under the id of any room, with others put into it,
    /// and with invites as if they were open there: the Welcome for them.
    pub fn rogue_group(
        &mut self,
        now: Millis,
        room: &RoomId,
        packages: &[Vec<u8>],
        invites: &[RogueInvite],
    ) -> Option<Vec<u8>> {
        // Not in the own store: there may be the true group of that id.
        let mut store = MemoryStore::default();
        let mut txn = store.begin();
        let provider = Provider::new(&self.crypto, &mut txn);
        let mut state = RoomState::new(
            "Trap".into(),
            String::new(),
            self.me.user(),
            Admission::AtOnce,
        );
        state.invites = invites.iter().map(|i| i.entry(now)).collect();
        let mut group = Group::create(&provider, &self.me.signer(now), room, &state).ok()?;
        let package = |bytes: &Vec<u8>| Some(read_key_package(&provider, bytes, now)?.0);
        let adds = packages.iter().map(package).collect::<Option<_>>()?;
        let plan = Plan {
            adds,
            ..Plan::default()
        };
        group
            .commit(&provider, &self.me.signer(now + 1), plan)
            .ok()?
            .welcome
    }
}

fn tamper(state: &mut RoomState, change: &Tamper, now: Millis) {
    match change {
        Tamper::Host(user) => state.host = *user,
        Tamper::Name(name) => state.name.clone_from(name),
        Tamper::Admission(admission) => state.admission = *admission,
        Tamper::Bar(user) => bar(state, *user),
        Tamper::CloseInvites => state.invites.clear(),
        Tamper::OpenInvite { by } => state.invites.push(InviteEntry {
            id: MessageId([0xee; 16]),
            secret: InviteSecret::from_bytes([0xee; 32]),
            key: InviteKey::from_bytes([0xee; 32]).expect("a key"),
            created: now,
            expires: now + 60_000,
            by: *by,
            vouching: Bytes::default(),
        }),
    }
}
