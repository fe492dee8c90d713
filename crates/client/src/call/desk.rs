//! One room's calls, as this client sees them: the ledger that all members
//! share, the own part if there is one, what rings, and what the relay hints.

mod acts;
mod ringing;
mod show;

pub(crate) use show::News;

use super::{
    Deed, Tick,
    epochs::EpochKeys,
    ledger::{CallSaying, CallSays, Heard, Ledger, Running},
    media::{MediaReport, Paths, Peer},
    session::{Attendant, RING, Session, call_of},
    view::{CallEnd, CallPhase, CallView, Route},
};
use crate::{api::Why, model::CallOutcome};
use sotto_wire::{CallId, DeviceId, Millis, RoomId, UserId};

/// It rings here a little longer than there, so that the caller's goodbye
/// ends it and not the clock (milliseconds).
const RING_LATE: Millis = 3_000;

/// How long the relay's word that nobody is in a call waits for the goodbyes.
const DOUBT: Millis = 3_000;

#[derive(Default)]
pub(crate) struct Desk {
    pub ledger: Ledger,
    /// The ledger differs from the store.
    pub dirty: bool,
    session: Option<Box<Session>>,
    /// Who is in the call as the relay says, since this connection began.
    hint: Option<Hint>,
    /// It rings here until then (mono).
    ring: Option<Millis>,
    /// What was shown last.
    shown: Option<CallView>,
    /// The call that we have said goodbye to, be it on its way yet.
    said_left: Option<CallId>,
    /// The call whose members were told that we are in another one.
    said_busy: Option<CallId>,
    /// The members when it was looked last.
    known: Vec<Peer>,
}

/// What the relay says of a call.
#[derive(Debug, Clone, PartialEq)]
struct Hint {
    call: CallId,
    devices: Vec<DeviceId>,
    /// That nobody is in it is not believed before then (mono).
    doubt: Option<Millis>,
}

/// What the room is at this moment.
pub(crate) struct Room<'a> {
    pub id: RoomId,
    pub me: Peer,
    /// Everybody who is not leaving.
    pub members: &'a [Attendant],
    /// Everything that the relay had is processed, and it is up.
    pub current: bool,
    /// This client is in a call of another room, and callers may know.
    pub busy: bool,
    /// How far the own clock is ahead of the relay's (milliseconds).
    pub ahead: i64,
    /// How packets of a call that begins now would travel.
    pub route: Route,
    /// Whether somebody is verified.
    pub verified: &'a dyn Fn(&UserId) -> bool,
}

impl Desk {
    pub fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            ..Self::default()
        }
    }

    /// Nothing goes on that time, members or epochs could change.
    pub fn is_idle(&self) -> bool {
        self.ledger == Ledger::default()
            || (self.ledger.running.is_none()
                && self.ledger.part.is_none()
                && self.session.is_none()
                && self.shown.is_none())
    }

    pub fn session_call(&self) -> Option<CallId> {
        self.session.as_ref().map(|session| session.call)
    }

    #[cfg(feature = "testing")]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_deref()
    }

    /// The epoch whose keys the own part has; `None` without one.
    pub fn session_epoch(&self) -> Option<u64> {
        self.session.as_ref().map(|session| session.epoch())
    }

    /// Takes the part of memory that is not on disk from an older self.
    pub fn keep_live(&mut self, old: Self) {
        let ledger = std::mem::take(&mut self.ledger);
        *self = Self { ledger, ..old };
    }

    /// A call of which somebody is known to be in it.
    fn running_live(&self, wall: Millis) -> Option<&Running> {
        let running = self.ledger.running.as_ref()?;
        let seated = |device: &DeviceId| running.seats.iter().any(|s| s.device == *device);
        let live = match &self.hint {
            Some(hint) if hint.call == running.call => {
                hint.doubt.is_some() || hint.devices.iter().any(seated)
            }
            // The relay says nothing of it: young calls are believed.
            _ => wall < running.started + RING,
        };
        (live || self.session.is_some()).then_some(running)
    }

    /// Somebody said something of a call, at this place of the order.
    pub fn hear(
        &mut self,
        tick: &mut Tick<'_>,
        room: &Room<'_>,
        from: Peer,
        saying: &CallSaying,
        at: Millis,
    ) {
        if from == room.me
            && let Some(session) = &mut self.session
        {
            let key = match &saying.says {
                CallSays::Started { key, .. } | CallSays::Joined { key } => Some(*key),
                _ => None,
            };
            session.placed |= key == Some(session.key);
        }
        let heard = self.ledger.hear(from, saying, at);
        self.take_note(tick, heard);
        self.follow(tick, room);
        self.stop_ringing(tick, room);
    }

    fn take_note(&mut self, tick: &mut Tick<'_>, heard: Vec<Heard>) {
        for heard in heard {
            self.dirty |= heard != Heard::Nothing;
            match heard {
                Heard::Began => tick.out.push(Deed::Began),
                Heard::Ended { running, at } => tick.out.push(Deed::Ended { running, at }),
                Heard::Changed | Heard::Nothing => {}
            }
        }
    }

    /// Our own saying was refused by the relay for good.
    pub fn refused(&mut self, tick: &mut Tick<'_>, room: &Room<'_>, saying: &CallSaying) {
        let entering = matches!(
            saying.says,
            CallSays::Started { .. } | CallSays::Joined { .. }
        );
        if entering && self.session_call() == Some(saying.call) {
            self.hang_up(tick, room, CallEnd::Ended, false);
        }
    }

    /// Brings the own part in line with the ledger.
    fn follow(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let running = self.ledger.running.as_ref();
        if let Some(end) = session.follow(tick, running, room.members) {
            return self.hang_up(tick, room, end, false);
        }
        self.give_up(tick, room);
    }

    fn give_up(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        let Some(session) = &self.session else { return };
        let running = self.ledger.running.as_ref();
        if session.gives_up(tick.now.mono, running, room.members.len()) {
            let end = self.own_end(room);
            self.hang_up(tick, room, end, true);
        }
    }

    fn own_end(&self, room: &Room<'_>) -> CallEnd {
        let running = self.ledger.running.as_ref();
        let busy = running.is_some_and(|running| {
            let answered = |m: &Attendant| {
                let user = m.peer.user;
                m.peer == room.me
                    || running.busy.contains(&user)
                    || running.declined.contains(&user)
            };
            !running.busy.is_empty() && room.members.iter().all(answered)
        });
        match running.map(|running| running.outcome(room.me.user)) {
            Some(CallOutcome::Declined | CallOutcome::Unanswered) if busy => CallEnd::Busy,
            Some(CallOutcome::Declined) => CallEnd::Declined,
            Some(CallOutcome::Unanswered) => CallEnd::Unanswered,
            _ => CallEnd::Ended,
        }
    }

    /// The own part ends; `say`: the members are to know.
    fn hang_up(&mut self, tick: &mut Tick<'_>, room: &Room<'_>, end: CallEnd, say: bool) {
        let view = self.view(tick.now, room);
        let Some(session) = self.session.take() else {
            return;
        };
        let call = session.call;
        session.close(tick);
        if say {
            let says = CallSays::Left;
            tick.out.push(Deed::Say(CallSaying { call, says }));
        }
        self.ledger.part = None;
        self.dirty = true;
        if say {
            self.said_left = Some(call);
        }
        self.over(tick, view, end);
    }

    fn over(&mut self, tick: &mut Tick<'_>, view: Option<CallView>, end: CallEnd) {
        if let Some(view) = view {
            let phase = CallPhase::Over(end);
            let participants = Vec::new();
            let view = CallView {
                phase,
                participants,
                ..view
            };
            tick.out.push(Deed::Over(Box::new(view)));
        }
    }

    /// The room is over for us, or is about to be.
    pub fn room_over(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        self.hang_up(tick, room, CallEnd::RoomOver, false);
        let heard = self.ledger.close(tick.now.wall);
        self.take_note(tick, heard);
        (self.ring, self.hint) = (None, None);
        self.dirty |= self.ledger.part.take().is_some();
    }

    /// A sealed signal came.
    pub fn signal(&mut self, tick: &mut Tick<'_>, from: Peer, call: CallId, body: &[u8]) {
        match &mut self.session {
            Some(session) if session.call == call && session.me != from => {
                session.signal(tick, from, body)
            }
            _ => tick.reject(from.user, Why::CallUnknown),
        }
    }

    /// The relay says who is in a call.
    pub fn present(&mut self, tick: &mut Tick<'_>, call: CallId, devices: Vec<DeviceId>) {
        if let Some(session) = self.session.as_mut().filter(|s| s.call == call) {
            session.present(tick, &devices);
        }
        let running = self.ledger.running.as_ref().map(|running| running.call);
        // Of another call that the order does not know (yet), nothing is kept.
        if running.is_none_or(|running| running == call) {
            // The goodbyes may still be on their way.
            let doubt = devices.is_empty().then(|| tick.now.mono + DOUBT);
            self.hint = Some(Hint {
                call,
                devices,
                doubt,
            });
        }
    }

    pub fn report(&mut self, tick: &mut Tick<'_>, report: MediaReport) {
        let call = call_of(&report);
        if let Some(session) = self.session.as_mut().filter(|s| s.call == call) {
            session.report(tick, report);
        }
    }

    pub fn relay_up(&mut self, tick: &mut Tick<'_>) {
        if let Some(session) = &mut self.session {
            session.relay_up(tick);
        }
    }

    pub fn network_changed(&mut self, tick: &mut Tick<'_>) {
        if let Some(session) = &mut self.session {
            session.network_changed(tick);
        }
    }

    pub fn relay_down(&mut self) {
        self.hint = None;
    }

    /// How packets may travel from now on.
    pub fn travel(&mut self, tick: &mut Tick<'_>, room: &Room<'_>, paths: Paths) {
        if let Some(session) = &mut self.session {
            session.travel(tick, paths, room.route);
        }
    }

    /// An epoch of the room began.
    pub fn enter_epoch(&mut self, tick: &mut Tick<'_>, keys: EpochKeys) {
        if let Some(session) = &mut self.session {
            session.enter_epoch(tick, keys);
        }
    }

    /// People who came into the room know nothing of the call, and are told.
    fn welcome(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        let members: Vec<Peer> = room.members.iter().map(|m| m.peer).collect();
        let newcomers = members.iter().any(|peer| !self.known.contains(peer));
        let first = self.known.is_empty();
        self.known = members;
        if let (Some(session), Some(running)) = (&self.session, &self.ledger.running)
            && session.seated
            && newcomers
            && !first
        {
            tick.out.push(Deed::Say(session.here(running)));
        }
    }

    /// Says goodbye for a process that could not: it was about to take part, or
    /// has a seat.
    fn leave_for_the_last(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        if self.session.is_some() {
            return;
        }
        let seated = |running: &&Running| running.seats.iter().any(|s| s.peer() == room.me);
        let seat = self.ledger.running.as_ref().filter(seated).map(|r| r.call);
        let part = self.ledger.part.take();
        self.dirty |= part.is_some();
        for call in [part, seat].into_iter().flatten() {
            if self.said_left.replace(call) != Some(call) {
                let says = CallSays::Left;
                tick.out.push(Deed::Say(CallSaying { call, says }));
            }
        }
    }

    /// The part of a process that is no more.
    pub fn lost_part(&self) -> Option<CallId> {
        self.ledger.part.filter(|_| self.session.is_none())
    }

    /// Takes up whatever is due: members that are gone, time that is over,
    /// a part that did not survive its process.
    pub fn settle(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        self.leave_for_the_last(tick, room);
        let here = |peer: &Peer| room.members.iter().any(|m| m.peer == *peer);
        let heard = self.ledger.keep_members(here, tick.now.wall);
        self.take_note(tick, heard);
        if let Some(session) = &mut self.session {
            session.wake(tick);
        }
        if let Some(hint) = &mut self.hint {
            hint.doubt.take_if(|until| *until <= tick.now.mono);
        }
        self.follow(tick, room);
        self.welcome(tick, room);
        self.mind_ringing(tick, room);
    }

    pub fn next_wake(&self, members: usize) -> Option<Millis> {
        let running = self.ledger.running.as_ref();
        let session = self.session.as_ref();
        let own = session.and_then(|session| session.next_wake(running, members));
        let doubt = self.hint.as_ref().and_then(|hint| hint.doubt);
        let doubt = doubt.filter(|_| running.is_some());
        [own, self.ring, doubt].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
