//! What an end of a call owes another until that one shows that it has it:
//! signals are not stored on their way, so any may be lost. Said again after
//! 1 s, doubling to 30 s, and so many times; then only when something changes.

use super::{
    link::{Air, Link, Phase},
    payload::Payload,
};
use sotto_wire::Millis;

const FIRST: Millis = 1_000;
const LONGEST: Millis = 30_000;
const TRIES: u32 = 8;

#[derive(Debug)]
pub(crate) struct Debts {
    /// When to look next (mono).
    pub at: Option<Millis>,
    tries: u32,
    last: Millis,
    /// The newest of our states that they have.
    pub state_had: u64,
}

impl Debts {
    pub fn new(now: Millis) -> Self {
        Self {
            at: Some(now + FIRST),
            tries: 0,
            last: now,
            state_had: 0,
        }
    }

    /// Something new is owed, and was just said.
    pub fn begin(&mut self, now: Millis) {
        self.tries = 0;
        self.last = now;
        self.at = Some(now + FIRST);
    }

    /// They say that they lack something.
    pub fn soon(&mut self, now: Millis) {
        let at = now.max(self.last + FIRST);
        self.at = Some(self.at.map_or(at, |old| old.min(at)));
        self.tries = self.tries.min(TRIES - 1);
    }

    /// The way to them is open again.
    pub fn now(&mut self, now: Millis) {
        self.tries = 0;
        self.at = Some(now);
    }

    fn put_off(&mut self, now: Millis) {
        self.tries += 1;
        self.last = now;
        let pause = (FIRST << self.tries.min(5)).min(LONGEST);
        self.at = (self.tries < TRIES).then_some(now + pause);
    }
}

impl Link {
    /// Says again what is owed, if it is time.
    pub fn pay(&mut self, air: &mut Air<'_, '_>) {
        let now = air.mono();
        if self.debts.at.is_none_or(|at| at > now) {
            return;
        }
        let owed = self.owed(air);
        if owed.is_empty() && !self.has_no_description() {
            self.debts.at = None;
            return;
        }
        if self.has_no_description() {
            self.say_description(air);
        }
        for payload in owed {
            self.say(air, &payload);
        }
        self.debts.put_off(now);
    }

    /// Our offer is not answered, or leads nowhere.
    fn has_no_description(&self) -> bool {
        let unanswered = self.talk.theirs.is_none() && self.talk.mine.is_some();
        self.offers && (self.is_open() || unanswered) && !matches!(self.phase, Phase::Failed(_))
    }

    /// There is no connection at the moment, and one is looked for.
    fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Connecting { .. } | Phase::Lost { .. })
    }

    fn owed(&self, air: &Air<'_, '_>) -> Vec<Payload> {
        let mut owed = Vec::new();
        if self.talk.theirs.is_none() && self.is_open() && !self.offers {
            owed.push(Payload::Restart { fresh: true });
        }
        if self.asks_restart {
            owed.push(Payload::Restart { fresh: false });
        }
        if let (Some(certs), None) = (self.talk.certs, self.talk.confirmed) {
            owed.push(Payload::confirm(certs, false));
        }
        if !air.own.has(&self.peer) {
            owed.push(air.own.letter());
        }
        if self.debts.state_had < air.state.0 {
            owed.push(Payload::state(air.state.0, &air.state.1));
        }
        if self.key_missing {
            // They see what we have, and give us the rest.
            owed.push(self.acknowledgment());
        }
        owed
    }
}
