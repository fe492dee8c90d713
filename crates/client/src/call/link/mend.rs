//! A connection that breaks: a new path is looked for at once and again, the
//! person is told after a while, and after a minute it is given up. Whatever
//! was given up is tried again when the relay sees the other end.
//!
//! One that media ended (no path, a handshake that never came to an end, an
//! error of its own) has no new path: another is made in its place. Each has a
//! certificate of its own, and by it the other end tells a new connection from
//! a new path. Of the two, the end that offers begins; the other asks it to.

use super::{Air, GIVE_UP, Link, Phase, REPAIR_PAUSE, RESTART_PAUSE, RESTARTS, SETTLE};
use crate::{
    api::Why,
    call::{
        media::{MediaOrder, PeerFailure},
        payload::Payload,
    },
};
use sotto_wire::Millis;

impl Link {
    pub(super) fn hear_restart(&mut self, air: &mut Air<'_, '_>, fresh: bool) -> Result<(), Why> {
        if !self.offers {
            return Err(Why::CallUnbound);
        }
        let now = air.mono();
        let pause = |at: Millis| now < at + RESTART_PAUSE;
        if self.is_final() || self.last_restart.is_some_and(pause) {
            return Ok(());
        }
        let begun = self.talk.their_cert.is_some();
        if matches!(self.phase, Phase::Failed(_)) || (fresh && begun) {
            self.renew(air);
        } else if self.talk.theirs.is_some() {
            self.restart(air);
        } else if self.talk.mine.is_some() {
            self.debts.soon(now);
        }
        Ok(())
    }

    /// Looks for a new path, or asks the other end to.
    pub(super) fn restart(&mut self, air: &mut Air<'_, '_>) {
        self.last_restart = Some(air.mono());
        if self.torn {
            self.remake(air);
            self.ask_for_another(air);
        } else if self.offers {
            let (call, peer) = (air.call, self.peer);
            air.tick.order(MediaOrder::Restart { call, peer });
        } else {
            // Owed until an offer comes: the way to the relay may be as new as
            // the path that is looked for.
            self.asks_restart = true;
            self.debts.begin(air.mono());
            self.say(air, &Payload::Restart { fresh: false });
        }
    }

    /// Whoever answers cannot begin a connection.
    pub fn ask_for_another(&mut self, air: &mut Air<'_, '_>) {
        if !self.offers {
            self.say(air, &Payload::Restart { fresh: true });
        }
    }

    /// Own addresses changed. It stays connected for people: it is not known
    /// to be broken, and that the path changes is no news.
    pub fn moved(&mut self, air: &mut Air<'_, '_>) {
        match self.phase {
            // What was gathered is of the old addresses.
            Phase::Connecting { .. } => self.connect(air, true),
            Phase::Connected => self.restart(air),
            Phase::Lost { since, .. } => {
                self.phase = Phase::Lost { since, tried: 1 };
                self.restart(air);
            }
            // Tried again when the relay is back.
            Phase::Failed(_) => {}
        }
    }

    /// Whether the person may have it mended: not as fast as one can click, for
    /// it costs the others a key and a path each time.
    pub fn may_repair(&self, now: Millis) -> bool {
        let pause = |at: Millis| now < at + REPAIR_PAUSE;
        !self.last_repair.is_some_and(pause)
    }

    /// The person wants it mended now, whatever it looks like here. What was
    /// refused for what it is stays refused.
    pub fn repair(&mut self, air: &mut Air<'_, '_>) {
        self.last_repair = Some(air.mono());
        // If a key of theirs is missing, this tells them.
        self.acknowledge(air);
        match self.phase {
            Phase::Failed(_) if self.is_final() => {}
            Phase::Failed(_) => self.connect(air, false),
            Phase::Connected | Phase::Lost { .. } => self.restart(air),
            Phase::Connecting { .. } => {}
        }
        self.debts.now(air.mono());
        self.pay(air);
    }

    pub fn interrupted(&mut self, air: &mut Air<'_, '_>) {
        if self.phase == Phase::Connected {
            let since = air.mono();
            // A path that is looked for anew is interrupted by that.
            let tried = usize::from(self.settles_until().is_some_and(|until| since < until));
            self.phase = Phase::Lost { since, tried };
            self.mend(air);
        }
    }

    pub fn failed(&mut self, air: &mut Air<'_, '_>, why: PeerFailure) {
        if matches!(self.phase, Phase::Failed(_)) {
            return;
        }
        if !matches!(why, PeerFailure::NoPath | PeerFailure::Silent) {
            return self.fail(air, why);
        }
        self.torn = true;
        match self.phase {
            Phase::Connected => self.interrupted(air),
            Phase::Connecting { since } => {
                self.phase = Phase::Lost { since, tried: 1 };
                self.mend(air);
            }
            // At the time for the next.
            Phase::Lost { .. } | Phase::Failed(_) => {}
        }
    }

    /// What was begun last, here or at the other end, may take until then: one
    /// more would only begin it again.
    fn settles_until(&self) -> Option<Millis> {
        self.last_restart.map(|at| at + SETTLE)
    }

    /// When the next restart is due, if one is (mono).
    pub(super) fn next_restart(&self) -> Option<Millis> {
        let Phase::Lost { since, tried } = self.phase else {
            return None;
        };
        let due = since + RESTARTS.get(tried)?;
        // The first is for a break that nobody has done anything about.
        Some(
            self.settles_until()
                .filter(|_| tried > 0)
                .map_or(due, |until| due.max(until)),
        )
    }

    /// Tries the next restart that is due, or gives up.
    pub fn mend(&mut self, air: &mut Air<'_, '_>) {
        let now = air.mono();
        match self.phase {
            Phase::Connecting { since } if now >= since + GIVE_UP => {
                self.fail(air, PeerFailure::NoPath);
            }
            Phase::Lost { since, .. } if now >= since + GIVE_UP => {
                self.fail(air, PeerFailure::Silent);
            }
            Phase::Lost { since, tried } if self.next_restart().is_some_and(|due| now >= due) => {
                let tried = tried + 1;
                self.phase = Phase::Lost { since, tried };
                self.restart(air);
            }
            _ => {}
        }
    }

    /// The relay says whether they are there. It can only make somebody look
    /// gone: whoever is heard stays.
    pub fn present(&mut self, air: &mut Air<'_, '_>, here: bool) {
        if !here {
            self.met = false;
            self.gone = true;
            // Silence may have come first.
            if self.is_lost() && !self.dropped {
                self.drop_out(air);
            }
            return;
        }
        let back = std::mem::take(&mut self.gone);
        if std::mem::take(&mut self.dropped) {
            self.connect(air, false);
        } else if back {
            self.revive(air);
        }
        if !std::mem::replace(&mut self.met, true) {
            // Whatever was said before did not get through.
            self.debts.now(air.mono());
            self.pay(air);
        }
    }

    /// Out of the call here, until the relay sees them again.
    pub fn drop_out(&mut self, air: &mut Air<'_, '_>) {
        if !matches!(self.phase, Phase::Failed(_)) {
            self.disconnect(air);
        }
        self.dropped = true;
        self.phase = Phase::Failed(PeerFailure::Silent);
        (self.forget, self.debts.at) = (None, None);
    }

    /// Tries again what was given up.
    pub fn revive(&mut self, air: &mut Air<'_, '_>) {
        match self.phase {
            Phase::Failed(_) if !self.is_final() => self.connect(air, false),
            Phase::Lost { since, .. } => {
                self.phase = Phase::Lost { since, tried: 1 };
                self.restart(air);
            }
            _ => {}
        }
        self.debts.begin(air.mono());
    }

    /// Gone by the relay's word, and silent for too long: out of the call.
    pub fn is_lost(&self) -> bool {
        self.gone && matches!(self.phase, Phase::Failed(_))
    }
}
