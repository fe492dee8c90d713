//! The client itself: it routes every input to the module that owns the
//! subject, and holds what rooms have in common. It decides nothing about
//! rooms.

mod calls;
mod me;
mod people;
mod privacy;
mod relays;
mod requests;
#[cfg(feature = "testing")]
pub mod rogue;
mod rooms;
mod turn;

pub(crate) use me::Me;
pub(crate) use people::People;

use crate::{
    api::{Change, Effect, Input, Now, Rejected, Why},
    mls::provider::Crypto,
    model::{Invite, Item, Knock, Page, Person, Privacy, Profile, RoomView, Safety},
    room::{CallSide, Cx, Room},
    store::{StoreError, Txn},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use relays::Relays;
use sotto_wire::{
    Bytes, DeviceId, Millis, RelayAddress, RoomId, UserId, auth::DeviceCertificate, frame::Token,
};
use std::collections::BTreeMap;

/// One person's client. See the crate's documentation for its law of use.
pub struct Client {
    me: Me,
    people: People,
    privacy: Privacy,
    relays: Relays,
    rooms: BTreeMap<RoomId, Room>,
    crypto: Crypto,
    rng: ChaCha20Rng,
}

impl Client {
    /// First start: makes the account and this device. `seed` must be fresh
    /// randomness; tests pass a fixed one.
    pub fn create(
        seed: [u8; 32],
        txn: &mut dyn Txn,
        now: Now,
        profile: Profile,
    ) -> Result<Self, StoreError> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let me = Me::create(&mut rng, txn, now, profile)?;
        Self::assemble(rng, txn, me)
    }

    /// Loads what a store holds; `None` if it holds no client yet.
    pub fn load(seed: [u8; 32], txn: &mut dyn Txn, now: Now) -> Result<Option<Self>, StoreError> {
        let rng = ChaCha20Rng::from_seed(seed);
        match Me::load(txn, now)? {
            Some(me) => Self::assemble(rng, txn, me).map(Some),
            None => Ok(None),
        }
    }

    fn assemble(rng: ChaCha20Rng, txn: &mut dyn Txn, me: Me) -> Result<Self, StoreError> {
        let people = People::load(txn, me.user())?;
        let privacy = privacy::load(txn)?;
        let relays = Relays::load(txn)?;
        let rooms = rooms::load(txn)?;
        Ok(Self {
            me,
            people,
            privacy,
            relays,
            rooms,
            crypto: Crypto::default(),
            rng,
        })
    }

    /// Takes one input. The effects are to be performed after the transaction
    /// is committed, and dropped if it is not.
    pub fn handle(
        &mut self,
        now: Now,
        input: Input,
        txn: &mut dyn Txn,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut out = Vec::new();
        match input {
            Input::Ui { ask, request } => self.request(now, txn, &mut out, ask, request)?,
            Input::Relay { relay, envelope } => {
                self.hear_relay(now, txn, &mut out, relay, envelope)?;
            }
            Input::Garbled { .. } => out.push(Effect::Reject(Rejected {
                room: None,
                from: None,
                seq: None,
                why: Why::NotAFrame,
            })),
            Input::RelayUp { relay } => self.relay_up(now, txn, &mut out, relay)?,
            Input::RelayDown { relay } => self.relay_down(now, txn, &mut out, &relay)?,
            Input::Media(report) => self.hear_media(now, txn, &mut out, report)?,
            Input::Paths { relay, paths } => self.relays.set_paths(&relay, paths),
            Input::NetworkChanged => {
                self.each_room(now, txn, &mut out, |_| true, Room::call_network_changed)?;
            }
            Input::Wake => {
                self.relays.renew_turn(now, &mut out);
                self.each_room(now, txn, &mut out, |_| true, Room::wake)?;
            }
        }
        Ok(out)
    }

    /// When to call with [`Input::Wake`] next, in [`Now::mono`].
    pub fn next_wake(&self) -> Option<Millis> {
        let rooms = self.rooms.values();
        rooms
            .flat_map(|room| [room.next_wake(), room.next_call_wake()])
            .chain([self.relays.next_wake()])
            .flatten()
            .min()
    }

    /// Drops everything that is cached of the store. Tests call it after each
    /// input, so that a forgotten save cannot pass.
    pub fn distrust_memory(&mut self, txn: &dyn Txn) -> Result<(), StoreError> {
        self.rooms
            .values_mut()
            .try_for_each(|room| room.reload(txn))
    }

    /// Runs `act` on one room, then lets it take up what can be done.
    fn with_room<T>(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        id: &RoomId,
        act: impl FnOnce(&mut Room, &mut Cx<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let busy = self.me.tells_busy && self.is_busy(id);
        let Some(room) = self.rooms.get_mut(id) else {
            return Ok(None);
        };
        let up = self.relays.is_up(&room.record.relay);
        let public = self.relays.public(&room.record.relay);
        let limits = self.relays.limits(&room.record.relay);
        let calls = CallSide {
            busy,
            ..self.relays.call_side(&room.record.relay, now, self.privacy)
        };
        let (crypto, rng, me, people) = (&self.crypto, &mut self.rng, &self.me, &mut self.people);
        let mut cx = Cx {
            now,
            txn,
            crypto,
            rng,
            me,
            people,
            up,
            public,
            limits,
            calls,
            out,
        };
        let done = act(room, &mut cx)?;
        room.settle(&mut cx)?;
        Ok(Some(done))
    }

    fn each_room(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        which: impl Fn(&Room) -> bool,
        mut act: impl FnMut(&mut Room, &mut Cx<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let ids: Vec<RoomId> = self
            .rooms
            .values()
            .filter(|room| which(room))
            .map(Room::id)
            .collect();
        for id in ids {
            self.with_room(now, txn, out, &id, &mut act)?;
        }
        Ok(())
    }

    pub fn user(&self) -> UserId {
        self.me.user()
    }

    pub fn device(&self) -> DeviceId {
        self.me.device()
    }

    pub fn profile(&self) -> Profile {
        self.me.profile.clone()
    }

    pub fn privacy(&self) -> Privacy {
        self.privacy
    }

    /// The relays to keep a connection to.
    pub fn relays(&self) -> Vec<RelayAddress> {
        self.relays.wanted()
    }

    /// The invite code to show at the first sign-in at this relay.
    pub fn admission(&self, relay: &RelayAddress) -> Option<Token> {
        self.relays.code(relay)
    }

    /// Answers a relay's challenge: certificate and signature. The certificate
    /// is made anew where it would not hold, and to be committed before it is
    /// shown.
    pub fn sign_in(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        audience: &str,
        challenge: &[u8],
    ) -> Result<(DeviceCertificate, Bytes), StoreError> {
        self.me.renew(txn, now)?;
        Ok(self.me.sign_in(audience, challenge))
    }

    pub fn rooms(&self) -> Vec<RoomView> {
        self.rooms.values().map(|room| self.view(room)).collect()
    }

    pub fn room(&self, room: &RoomId) -> Option<RoomView> {
        self.rooms.get(room).map(|room| self.view(room))
    }

    fn view(&self, room: &Room) -> RoomView {
        room.view(&self.people, self.relays.limits(&room.record.relay))
    }

    pub fn people(&self, room: &RoomId) -> Vec<Person> {
        self.rooms
            .get(room)
            .map(|room| room.people(&self.people))
            .unwrap_or_default()
    }

    pub fn knocks(&self, txn: &dyn Txn, room: &RoomId) -> Result<Vec<Knock>, StoreError> {
        self.rooms
            .get(room)
            .map_or(Ok(Vec::new()), |room| room.knocks(txn))
    }

    pub fn invites(&self, room: &RoomId) -> Vec<Invite> {
        let invites = |room: &Room| room.invites(self.relays.public(&room.record.relay));
        self.rooms.get(room).map(invites).unwrap_or_default()
    }

    /// At most `limit` items before a position (or the newest), oldest first.
    pub fn timeline(
        &self,
        txn: &dyn Txn,
        room: &RoomId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let mut rows = txn.rows(room, before, limit.saturating_add(1))?;
        let more = rows.len() > limit;
        if more {
            rows.remove(0);
        }
        let parse =
            |bytes: &[u8]| serde_json::from_slice::<Item>(bytes).map_err(|_| StoreError::Damaged);
        let items = rows
            .iter()
            .map(|row| parse(&row.item))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, more })
    }

    /// The safety number of somebody who was met in a room.
    pub fn safety(&self, user: &UserId) -> Option<Safety> {
        self.people.safety(&self.me, user)
    }
}

impl Client {
    /// Tells every room's watchers about somebody whose verification changed.
    fn show_person(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        user: &UserId,
    ) -> Result<(), StoreError> {
        let with_them = |room: &Room| room.record.member(user).is_some();
        self.each_room(now, txn, out, with_them, |room, cx| {
            let people = room.people(cx.people);
            cx.show(Change::People {
                room: room.id(),
                people,
            });
            room.show(cx);
            Ok(())
        })
    }
}
