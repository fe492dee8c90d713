//! When a part in a call ends by itself: nobody came, all declined, everybody
//! is gone, or what was said does not get through.

use super::{ALONE, RING, Session, Tick};
use crate::call::{ledger::Running, link::Link, view::CallEnd};
use sotto_wire::Millis;

impl Session {
    /// No seat is ours: not yet, or no more.
    pub(super) fn unseated(&self, running: Option<&Running>) -> Option<CallEnd> {
        if !self.placed && !self.seated {
            return None;
        }
        let full = running.is_some_and(|r| r.call == self.call && r.is_full());
        Some(match full && !self.seated {
            true => CallEnd::Full,
            false => CallEnd::Ended,
        })
    }

    pub(super) fn mind_being_alone(&mut self, tick: &mut Tick<'_>, running: &Running) {
        let others = self.links.values().any(|link| !link.dropped);
        if others || running.answered.is_none() {
            self.alone = None;
        } else {
            self.alone.get_or_insert(tick.now.mono);
        }
    }

    /// Whether to hang up by ourselves, and why that is. `members`: how many
    /// the room has.
    pub fn gives_up(&self, now: Millis, running: Option<&Running>, members: usize) -> bool {
        let Some(running) = running.filter(|_| self.seated) else {
            // What we said does not get through.
            return now >= self.since.0 + RING;
        };
        if running.answered.is_none() {
            let all_declined = running.declined.len() + 1 >= members;
            return now >= self.since.0 + RING || all_declined;
        }
        let patience = if members <= 2 { 0 } else { ALONE };
        self.alone.is_some_and(|since| now >= since + patience)
    }

    pub fn next_wake(&self, running: Option<&Running>, members: usize) -> Option<Millis> {
        let talks = self.seated && running.is_some_and(|r| r.answered.is_some());
        let ring = (!talks).then_some(self.since.0 + RING);
        let patience = if members <= 2 { 0 } else { ALONE };
        let alone = self.alone.map(|since| since + patience);
        let links = self.links.values().filter_map(Link::next_wake);
        let own = [ring, alone, self.own.deadline()];
        links.chain(own.into_iter().flatten()).min()
    }
}
