//! One room: its record on disk, its MLS group, its outbox, and what is known
//! of it while its relay is up. This file holds the parts together; each act
//! has a file of its own.
//!
//! | standing | comes from | goes to |
//! |---|---|---|
//! | creating | `CreateRoom` | member (`room.created`) |
//! | knocking | `Join` | member (Welcome), denied (`room.denied`) |
//! | member | | left, removed (a commit), deleted (host or relay), lost (out of step with the relay) |
//! | lost | | member (in step again), knocking (`Join`) |
//! | left, removed, deleted, denied | | knocking (`Join`), gone (`Forget`) |

pub(crate) mod authorize;
mod calls;
mod commits;
mod content;
mod departure;
mod duties;
mod following;
mod grants;
mod hearing;
mod host;
mod inbox;
mod joining;
mod knocks;
mod letters;
mod news;
mod outbox;
pub(crate) mod record;
mod reopening;
mod signals;
pub(crate) mod state;
mod sync;
mod timeline;
mod trail;
mod view;

pub(crate) use crate::mls::leaf::Leaf;
pub(crate) use calls::CallSide;

use crate::{
    api::{Change, Effect, Now, Rejected, Why},
    call::desk::Desk,
    client::{Me, People},
    mls::{MlsError, group::Group, group::Signer, provider::Crypto, provider::Provider},
    model::Standing,
    store::{Space, StoreError, Txn},
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use record::{Outgoing, Pending, Record};
use sotto_wire::{
    Bytes, ClientFrame, Epoch, MessageId, Millis, RelayAddress, RoomId, Seq, UserId,
    codec::Envelope, limits::Limits,
};
use std::collections::BTreeMap;

/// What a room is handed for one input.
pub(crate) struct Cx<'a> {
    pub now: Now,
    pub txn: &'a mut dyn Txn,
    pub crypto: &'a Crypto,
    pub rng: &'a mut ChaCha20Rng,
    pub me: &'a Me,
    pub people: &'a mut People,
    /// Whether the room's relay is up.
    pub up: bool,
    /// Where others reach the room's relay, if that is elsewhere.
    pub public: Option<&'a RelayAddress>,
    /// How much the room's relay takes at a time.
    pub limits: Limits,
    pub calls: CallSide<'a>,
    pub out: &'a mut Vec<Effect>,
}

impl Cx<'_> {
    pub fn random_id(&mut self) -> MessageId {
        let mut id = [0; MessageId::SIZE];
        self.rng.fill_bytes(&mut id);
        MessageId(id)
    }

    pub fn show(&mut self, change: Change) {
        self.out.push(Effect::Show(change));
    }
}

pub(crate) struct Room {
    pub record: Record,
    group: Option<Group>,
    pending: Option<Pending>,
    outbox: Vec<Queued>,
    live: Live,
    desk: Desk,
    /// The record differs from the store.
    dirty: bool,
    /// State or roster differ from the store.
    agreed_dirty: bool,
}

struct Queued {
    out: Outgoing,
    /// The epoch in which it was last sent on this connection.
    sent_in: Option<Epoch>,
    /// It differs from the store. Only true while an input is handled.
    unsaved: bool,
}

/// What is only true while the relay is up, or for a moment.
#[derive(Default)]
struct Live {
    sync: Sync,
    /// The pending commit was sent on this connection.
    commit_sent: bool,
    online: BTreeMap<UserId, bool>,
    delivered: BTreeMap<UserId, Seq>,
    /// Whom the relay takes for the host. Nobody else may take them off its
    /// roster, whatever the members agree on.
    relay_host: Option<UserId>,
    /// Who is typing, and until when (mono).
    typing: BTreeMap<UserId, Millis>,
    /// The newest signal of each sender.
    heard: BTreeMap<UserId, u64>,
    last_signal: u64,
    /// When to let in, if nobody else did (mono).
    admit_at: BTreeMap<MessageId, Millis>,
    sweep_at: Option<Millis>,
    renew_at: Option<Millis>,
    /// The relay asked to wait (mono).
    hold_until: Option<Millis>,
    /// It could not store something, and has stored nothing since.
    cannot_store: bool,
    reopening: reopening::Reopening,
    acknowledged: Seq,
    /// Knocks whose invite is not known yet.
    held_knocks: Vec<(MessageId, UserId, Bytes)>,
    /// To whom this client, whose orders the relay took, has handed over.
    handed_to: Option<UserId>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Sync {
    #[default]
    Closed,
    Opening,
    /// The backlog up to `head` is on its way.
    Open {
        head: Seq,
        epoch: Epoch,
    },
    /// Everything there was has come.
    Current,
}

impl Room {
    pub fn new(record: Record) -> Self {
        Self {
            record,
            group: None,
            pending: None,
            outbox: Vec::new(),
            live: Live::default(),
            desk: Desk::default(),
            dirty: true,
            agreed_dirty: true,
        }
    }

    pub fn load(txn: &dyn Txn, record: Record) -> Result<Self, StoreError> {
        let mut room = Self::new(record);
        (room.dirty, room.agreed_dirty) = (false, false);
        room.desk = calls::load(txn, &room.id())?;
        room.pending = record::read(txn, Space::Room, &record::pending_key(&room.id()))?;
        room.outbox = record::scan(txn, Space::Outbox, room.id().as_bytes())?
            .into_iter()
            .map(|out| Queued {
                out,
                sent_in: None,
                unsaved: false,
            })
            .collect();
        Ok(room)
    }

    pub fn id(&self) -> RoomId {
        self.record.id
    }

    /// Drops what is cached of the store, keeping what belongs to the running
    /// connection. A save that was forgotten cannot survive this.
    pub fn reload(&mut self, txn: &dyn Txn) -> Result<(), StoreError> {
        let Some(record) = Record::load(txn, &self.record.id)? else {
            return Ok(());
        };
        let mut fresh = Self::load(txn, record)?;
        for queued in &mut fresh.outbox {
            let old = self
                .outbox
                .iter()
                .find(|q| q.out.content.id == queued.out.content.id);
            queued.sent_in = old.and_then(|q| q.sent_in);
        }
        fresh.live = std::mem::take(&mut self.live);
        fresh.desk.keep_live(std::mem::take(&mut self.desk));
        *self = fresh;
        Ok(())
    }

    /// Takes up what can be done now, then writes and shows what changed.
    pub fn settle(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.settle_call(cx)?;
        self.drive(cx)?;
        self.save_outbox(cx)?;
        if std::mem::take(&mut self.dirty) {
            self.count_unread(cx)?;
            self.record.save(cx.txn)?;
            if std::mem::take(&mut self.agreed_dirty) {
                self.record.save_agreed(cx.txn)?;
            }
            self.show(cx);
        }
        Ok(())
    }

    /// Counts anew only where it has to: one by one they are counted as they
    /// come, see [`Room::hear`].
    fn count_unread(&mut self, cx: &Cx<'_>) -> Result<(), StoreError> {
        let from = self.record.read_position;
        if self.record.counted_from != Some(from) {
            self.record.unread = cx.txn.unread(&self.id(), from)?;
            self.record.counted_from = Some(from);
        }
        debug_assert!(
            cx.txn
                .unread(&self.id(), from)
                .map_or(true, |counted| counted == self.record.unread),
            "somebody changed what counts without saying so"
        );
        Ok(())
    }

    fn touch(&mut self) {
        self.dirty = true;
    }

    fn is_member(&self) -> bool {
        self.record.standing == Standing::Member
    }

    /// Whether this client takes part in the room's order, be it only to say
    /// goodbye, or to see whether it gets back into step.
    fn takes_part(&self) -> bool {
        let catching_up =
            self.record.standing == Standing::Lost && matches!(self.live.sync, Sync::Open { .. });
        self.is_member()
            || catching_up
            || matches!(self.record.departure, record::Departure::Announcing { .. })
    }

    fn is_current(&self) -> bool {
        self.live.sync == Sync::Current
    }

    fn host(&self) -> Option<UserId> {
        let named = self.record.state.as_ref()?.host;
        let members = self.record.roster.iter().map(|m| m.user);
        authorize::host_among(named, members, &self.record.leaving)
    }

    /// The members as the judge wants them.
    fn seats(&self) -> Vec<authorize::Seat> {
        let seat = |m: &record::Member| authorize::Seat {
            leaf: m.leaf,
            user: m.user,
            device: m.device,
            made: m.made,
        };
        self.record.roster.iter().map(seat).collect()
    }

    fn before<'a>(&'a self, seats: &'a [authorize::Seat]) -> Option<authorize::Before<'a>> {
        let state = self.record.state.as_ref()?;
        Some(authorize::Before {
            state,
            seats,
            leaving: &self.record.leaving,
        })
    }

    /// The age of an own leaf that is made now: later than all before it, even
    /// if the clock was set back. See [`Leaf::made`].
    fn next_made(&self, cx: &Cx<'_>) -> Millis {
        let seated = self.record.member(&cx.me.user()).map(|m| m.made);
        let knocked = self.record.joining.as_ref().map(|j| j.made);
        let before = seated.max(knocked).unwrap_or(0);
        cx.now.wall.max(before.saturating_add(1))
    }

    /// Runs one operation on the group, loading it first where needed. `None`
    /// if there is no group, or if it refused.
    fn with_group<T>(
        &mut self,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut Group, &Provider<'_>, &Signer<'_>) -> Result<T, MlsError>,
    ) -> Result<Option<T>, StoreError> {
        let made = self.next_made(cx);
        let provider = Provider::new(cx.crypto, cx.txn);
        if self.group.is_none() {
            self.group = match Group::load(&provider, &self.record.id) {
                Ok(group) => group,
                Err(MlsError::Store(error)) => return Err(error),
                Err(MlsError::Refused) => return Err(StoreError::Damaged),
            };
        }
        let Some(group) = &mut self.group else {
            return Ok(None);
        };
        match act(group, &provider, &cx.me.signer(made)) {
            Ok(done) => Ok(Some(done)),
            Err(MlsError::Refused) => Ok(None),
            Err(MlsError::Store(error)) => Err(error),
        }
    }

    /// Forgets the group and everything that waited for it. History stays.
    fn drop_group(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.with_group(cx, |_, _, _| Ok(()))?;
        if let Some(group) = self.group.take() {
            let provider = Provider::new(cx.crypto, cx.txn);
            if let Err(MlsError::Store(error)) = group.delete(&provider) {
                return Err(error);
            }
        }
        self.drop_pending(cx)?;
        self.record.wishes.clear();
        self.record.leaving.clear();
        self.live.typing.clear();
        self.clear_knocks(cx)?;
        self.touch();
        Ok(())
    }

    fn send(&self, cx: &mut Cx<'_>, frame: ClientFrame) {
        let relay = self.record.relay.clone();
        cx.out.push(Effect::Send {
            relay,
            envelope: Envelope::from(frame),
        });
    }

    /// Sends a request whose error is to be known by the room's own id.
    fn request(&self, cx: &mut Cx<'_>, frame: ClientFrame) {
        let id = Some(MessageId(self.id().0).into());
        let relay = self.record.relay.clone();
        let envelope = Envelope { id, frame };
        cx.out.push(Effect::Send { relay, envelope });
    }

    fn reject(&self, cx: &mut Cx<'_>, from: Option<UserId>, seq: Option<Seq>, why: Why) {
        let room = Some(self.record.id);
        cx.out.push(Effect::Reject(Rejected {
            room,
            from,
            seq,
            why,
        }));
    }
}
