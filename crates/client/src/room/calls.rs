//! Where a room and its calls meet: the room says and hears for the call what
//! goes through MLS, seals what goes through the relay, and writes down what
//! came of it. What happens in a call is decided in [`crate::call`].

mod acts;
mod notes;

use super::{
    Cx, Room,
    content::{Content, Saying},
    record,
    timeline::At,
};
use crate::{
    api::{Change, Effect, RequestError, Why},
    call::{
        Deed, Tick,
        desk::{self, Desk, News},
        epochs::EpochKeys,
        ledger::CallSaying,
        media::{IceServer, MediaReport, Paths, Peer},
        session::Attendant,
        view::{CallView, Route},
    },
    model::Standing,
    pad,
    seal::{Purpose, SealKey},
    store::{Space, StoreError, Txn},
};
use sotto_wire::{
    CallId, ClientFrame, DeviceId, Millis, RoomId, UserId,
    frame::{CallKind, CallParticipant},
};

/// What calls need to know of the room's relay.
pub(crate) struct CallSide<'a> {
    /// The own clock, set by the relay's.
    pub wall: Millis,
    pub paths: Option<&'a Paths>,
    /// The relay's TURN server, if it has one.
    pub turn: Option<&'a IceServer>,
    /// Calls are relayed, or do not take place.
    pub hide_address: bool,
    /// This client is in a call of another room, and callers may know.
    pub busy: bool,
}

/// What came of an act of a person.
type Done = Result<Result<(), RequestError>, StoreError>;

pub(super) fn load(txn: &dyn Txn, room: &RoomId) -> Result<Desk, StoreError> {
    let key = record::key_in(room, record::CALLS);
    let ledger = record::read(txn, Space::Room, &key)?;
    Ok(Desk::new(ledger.unwrap_or_default()))
}

impl Room {
    /// Lets the call act, and does what it wants done. `at`: where in the
    /// order this is.
    fn with_desk<T>(
        &mut self,
        cx: &mut Cx<'_>,
        at: Option<&mut At>,
        act: impl FnOnce(&mut Desk, &mut Tick<'_>, &desk::Room<'_>) -> T,
    ) -> Result<T, StoreError> {
        let members = self.attendants();
        let (people, me) = (&*cx.people, cx.me);
        let room = desk::Room {
            id: self.record.id,
            me: own_peer(cx),
            members: &members,
            current: cx.up && self.is_current(),
            busy: cx.calls.busy,
            ahead: cx.now.wall.cast_signed() - cx.calls.wall.cast_signed(),
            route: self.route(cx),
            verified: &|user| people.is_verified(user),
        };
        let mut deeds = Vec::new();
        let mut tick = Tick {
            now: crate::api::Now {
                wall: cx.calls.wall,
                mono: cx.now.mono,
            },
            account: me.account_key(),
            rng: cx.rng,
            out: &mut deeds,
        };
        let done = act(&mut self.desk, &mut tick, &room);
        self.perform(cx, at, deeds)?;
        Ok(done)
    }

    fn attendants(&self) -> Vec<Attendant> {
        let staying = self.record.roster.iter();
        staying
            .filter(|m| !self.record.leaving.contains(&m.user))
            .map(|m| Attendant {
                peer: Peer {
                    user: m.user,
                    device: m.device,
                },
                account: m.account,
            })
            .collect()
    }

    fn perform(
        &mut self,
        cx: &mut Cx<'_>,
        mut at: Option<&mut At>,
        deeds: Vec<Deed>,
    ) -> Result<(), StoreError> {
        let room = self.record.id;
        for deed in deeds {
            let mut late = At::late(self.record.cursor, cx.now.wall);
            let at = at.as_deref_mut().unwrap_or(&mut late);
            match deed {
                Deed::Order(order) => cx.out.push(Effect::Media(order)),
                Deed::Say(saying) => {
                    let id = cx.random_id();
                    let saying = Saying::Call(saying);
                    self.enqueue(Content {
                        id,
                        saying,
                        seen: None,
                    });
                }
                Deed::Initiate { call, video } => self.ring(cx, call, video)?,
                Deed::Join(call) => self.pass_on(cx, ClientFrame::CallJoin { room, call }),
                Deed::Leave(call) => self.pass_on(cx, ClientFrame::CallLeave { room, call }),
                Deed::Signal { call, to, body } => {
                    let body = body.into();
                    let to = CallParticipant {
                        user: to.user,
                        device: to.device,
                    };
                    let frame = ClientFrame::CallSignal {
                        room,
                        call,
                        to,
                        body,
                    };
                    self.pass_on(cx, frame);
                }
                Deed::Reaction { call, user, emoji } => {
                    cx.show(Change::Reaction { call, user, emoji });
                }
                Deed::Began => self.note_began(cx, at)?,
                Deed::Ended { running, at: time } => self.note_ended(cx, at, &running, time)?,
                Deed::Over(view) => cx.show(Change::Call(view)),
                Deed::Reject(user, why) => self.reject(cx, Some(user), None, why),
            }
        }
        Ok(())
    }

    /// Hints and signals are not kept for later: what matters is said again.
    fn pass_on(&self, cx: &mut Cx<'_>, frame: ClientFrame) {
        if cx.up {
            self.send(cx, frame);
        }
    }

    /// Lets the relay know of a call. Those who ring because of it look into
    /// the room's order whether it is true.
    fn ring(&mut self, cx: &mut Cx<'_>, call: CallId, video: bool) -> Result<(), StoreError> {
        let Some(key) = self.ring_key(cx)? else {
            return Ok(());
        };
        let body = key
            .seal(
                cx.rng,
                call.as_bytes(),
                &pad::pad(cx.me.device().as_bytes()),
            )
            .into();
        let kind = if video {
            CallKind::Video
        } else {
            CallKind::Audio
        };
        let room = self.record.id;
        let frame = ClientFrame::CallInitiate {
            room,
            call,
            kind,
            body,
        };
        self.pass_on(cx, frame);
        Ok(())
    }

    fn ring_key(&mut self, cx: &mut Cx<'_>) -> Result<Option<SealKey>, StoreError> {
        let secret = self.with_group(cx, |group, provider, _| Ok(group.signal_secret(provider)))?;
        let room = self.record.id;
        let key = |secret: &zeroize::Zeroizing<Vec<u8>>| {
            SealKey::derive(secret, Purpose::CallRing, room.as_bytes())
        };
        Ok(secret.flatten().as_ref().map(key))
    }

    /// People who are not verified do not learn our addresses, where the relay
    /// has another way for packets; nobody does, where this person wants that.
    fn route(&self, cx: &Cx<'_>) -> Route {
        let stranger = |m: &record::Member| !cx.people.is_verified(&m.user);
        let strangers = self.record.roster.iter().any(stranger);
        match (cx.calls.hide_address, strangers, cx.calls.turn.is_some()) {
            (true, ..) | (_, true, true) => Route::Relayed,
            (_, true, false) => Route::Exposed,
            (_, false, _) => Route::Direct,
        }
    }

    fn paths(&self, cx: &Cx<'_>) -> Paths {
        let mut paths = cx.calls.paths.cloned().unwrap_or_default();
        paths.servers.extend(cx.calls.turn.cloned());
        paths.relayed_only |= self.route(cx) == Route::Relayed;
        paths.loopback |= self.record.relay.is_loopback();
        paths
    }

    fn epoch_keys(&mut self, cx: &mut Cx<'_>) -> Result<Option<EpochKeys>, StoreError> {
        let keys = self.with_group(cx, |group, provider, _| {
            let (epoch, authenticator) = (group.epoch(), group.epoch_authenticator());
            let secret = group.call_secret(provider);
            Ok(secret.map(|secret| EpochKeys {
                epoch,
                authenticator,
                secret,
            }))
        })?;
        Ok(keys.flatten())
    }

    /// A member says something of a call.
    pub(super) fn hear_call(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        from: UserId,
        saying: &CallSaying,
    ) -> Result<(), StoreError> {
        let Some(device) = self.record.member(&from).map(|m| m.device) else {
            return Ok(());
        };
        let (from, time) = (Peer { user: from, device }, at.time());
        self.with_desk(cx, Some(at), |desk, tick, room| {
            desk.hear(tick, room, from, saying, time);
        })
    }

    /// The relay refused what we said of a call for good.
    pub(super) fn call_refused(
        &mut self,
        cx: &mut Cx<'_>,
        saying: &CallSaying,
    ) -> Result<(), StoreError> {
        self.with_desk(cx, None, |desk, tick, room| {
            desk.refused(tick, room, saying)
        })
    }

    pub fn call_signaled(
        &mut self,
        cx: &mut Cx<'_>,
        (user, device): (UserId, DeviceId),
        call: CallId,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let known = self
            .record
            .member(&user)
            .is_some_and(|m| m.device == device);
        if !known {
            self.reject(cx, Some(user), None, Why::CallUnknown);
            return Ok(());
        }
        let from = Peer { user, device };
        self.with_desk(cx, None, |desk, tick, _| {
            desk.signal(tick, from, call, body)
        })
    }

    pub fn call_updated(
        &mut self,
        cx: &mut Cx<'_>,
        call: CallId,
        participants: &[CallParticipant],
    ) -> Result<(), StoreError> {
        let devices = participants.iter().map(|p| p.device).collect();
        self.with_desk(cx, None, |desk, tick, _| desk.present(tick, call, devices))
    }

    /// Somebody is said to call. It is true once the order says so; until then
    /// it is a hint that they are there.
    pub fn call_initiated(
        &mut self,
        cx: &mut Cx<'_>,
        (user, device): (UserId, DeviceId),
        call: CallId,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let opened = self.ring_key(cx)?.and_then(|key| {
            let padded = key.open(call.as_bytes(), body).ok()?;
            pad::unpad(&padded).map(<[u8]>::to_vec)
        });
        let known = self
            .record
            .member(&user)
            .is_some_and(|m| m.device == device);
        if !known || opened.as_deref() != Some(device.as_bytes()) {
            self.reject(cx, Some(user), None, Why::BadSignal);
            return Ok(());
        }
        let devices = vec![device];
        self.with_desk(cx, None, |desk, tick, _| desk.present(tick, call, devices))
    }

    pub fn call_report(&mut self, cx: &mut Cx<'_>, report: MediaReport) -> Result<(), StoreError> {
        self.with_desk(cx, None, |desk, tick, _| desk.report(tick, report))
    }

    pub fn call_network_changed(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.with_desk(cx, None, |desk, tick, _| desk.network_changed(tick))
    }

    pub fn call_relay_up(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.with_desk(cx, None, |desk, tick, _| desk.relay_up(tick))
    }

    pub fn call_relay_down(&mut self) {
        self.desk.relay_down();
    }

    /// What a process that is no more wanted to say of a call, and did not get
    /// to: its key is gone, so it must not be said any more.
    fn unsay_call(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let stale =
            |q: &&super::Queued| !q.out.sent && matches!(q.out.content.saying, Saying::Call(_));
        let ids: Vec<_> = self
            .outbox
            .iter()
            .filter(stale)
            .map(|q| q.out.content.id)
            .collect();
        for id in ids {
            self.dequeue(cx, &id)?;
        }
        Ok(())
    }

    /// Takes up what is due in the room's call, writes and shows what changed.
    pub(super) fn settle_call(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if self.desk.is_idle() && !self.desk.dirty {
            return Ok(());
        }
        if !matches!(self.record.standing, Standing::Member | Standing::Lost) {
            self.with_desk(cx, None, |desk, tick, room| desk.room_over(tick, room))?;
        } else {
            if self.desk.lost_part().is_some() {
                self.unsay_call(cx)?;
            }
            let epoch = self.desk.session_epoch();
            if epoch.is_some_and(|epoch| epoch != self.record.mls_epoch)
                && let Some(keys) = self.epoch_keys(cx)?
            {
                self.with_desk(cx, None, |desk, tick, _| desk.enter_epoch(tick, keys))?;
            }
            if epoch.is_some() {
                let paths = self.paths(cx);
                self.with_desk(cx, None, |desk, tick, room| desk.travel(tick, room, paths))?;
            }
            self.with_desk(cx, None, |desk, tick, room| desk.settle(tick, room))?;
        }
        if std::mem::take(&mut self.desk.dirty) {
            let key = record::key_in(&self.record.id, record::CALLS);
            record::write(cx.txn, Space::Room, &key, &self.desk.ledger)?;
        }
        self.show_call(cx)
    }

    fn show_call(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let room = self.record.id;
        let news = self.with_desk(cx, None, |desk, tick, room| desk.news(tick.now, room))?;
        if let News::Some { view, gone } = news {
            if let Some(call) = gone {
                cx.show(Change::CallGone { room, call });
            }
            if let Some(view) = view {
                cx.show(Change::Call(view));
            }
        }
        Ok(())
    }

    /// The call this client is in.
    pub fn own_call(&self) -> Option<CallId> {
        self.desk.session_call()
    }

    /// The relay has not yet taken all that was said of calls.
    pub fn speaks_of_calls(&self) -> bool {
        let of_call = |q: &super::Queued| matches!(q.out.content.saying, Saying::Call(_));
        self.outbox.iter().any(of_call)
    }

    #[cfg(feature = "testing")]
    pub fn own_session(&self) -> Option<&crate::call::session::Session> {
        self.desk.session()
    }

    /// What goes on in the room now.
    pub fn call(&self) -> Option<CallView> {
        self.desk.shown().cloned()
    }

    pub fn next_call_wake(&self) -> Option<Millis> {
        let staying = self.record.roster.iter();
        let members = staying.filter(|m| !self.record.leaving.contains(&m.user));
        self.desk.next_wake(members.count())
    }
}

fn own_peer(cx: &Cx<'_>) -> Peer {
    Peer {
        user: cx.me.user(),
        device: cx.me.device(),
    }
}
