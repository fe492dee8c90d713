//! Whether it rings here, until when, and what the caller is told of it.

use super::{Desk, RING, RING_LATE, Room, Running, Tick};
use crate::call::{
    Deed,
    ledger::{CallSaying, CallSays},
    view::CallEnd,
};
use sotto_wire::Millis;

impl Desk {
    /// It rang, and does no more for a reason that the person is to see.
    pub(super) fn stop_ringing(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        let Some(view) = self.shown.clone().filter(|_| self.ring.is_some()) else {
            return;
        };
        let me = room.me;
        let running = self.ledger.running.as_ref().filter(|r| r.call == view.call);
        let end = match running {
            None => CallEnd::Missed,
            Some(running) if running.declined.contains(&me.user) => CallEnd::Declined,
            Some(running) if running.seats.iter().any(|s| s.user == me.user) => CallEnd::Elsewhere,
            Some(_) => return,
        };
        self.silence();
        self.over(tick, Some(view), end);
    }

    pub(super) fn mind_ringing(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        let now = tick.now;
        let Some(running) = self
            .ledger
            .running
            .as_ref()
            .filter(|r| self.rings(r, room, now.wall))
        else {
            self.ring = None;
            return;
        };
        let late = if running.answered.is_none() {
            RING_LATE
        } else {
            0
        };
        let until = running.started + RING + late;
        let left = until.saturating_sub(now.wall).min(RING + late);
        if left == 0 {
            self.silence();
        } else if room.current || self.ring.is_some() {
            self.ring = Some(now.mono + left);
            self.say_busy(tick, room);
        }
    }

    /// Whoever waits for us sees why we may not come. It rings on all the same:
    /// the person may prefer this call.
    fn say_busy(&mut self, tick: &mut Tick<'_>, room: &Room<'_>) {
        let waits = |r: &&Running| r.answered.is_none() && !r.busy.contains(&room.me.user);
        let running = self.ledger.running.as_ref().filter(waits);
        let may = room.busy && room.current;
        if let Some(call) = running.filter(|_| may).map(|running| running.call)
            && self.said_busy.replace(call) != Some(call)
        {
            let says = CallSays::Busy;
            tick.out.push(Deed::Say(CallSaying { call, says }));
        }
    }

    pub(super) fn rings(&self, running: &Running, room: &Room<'_>, wall: Millis) -> bool {
        let me = room.me.user;
        let there = running.came.contains(&me) || running.declined.contains(&me);
        running.witnessed
            && !running.silent
            && !there
            && self.session.is_none()
            && self.running_live(wall).is_some()
    }

    pub(super) fn silence(&mut self) {
        self.ring = None;
        if let Some(running) = &mut self.ledger.running
            && !running.silent
        {
            running.silent = true;
            self.dirty = true;
        }
    }
}
