//! How often a room is opened again that does not get on by it: a relay can
//! leave out a place of the order for good, or name an epoch that never comes.

use sotto_wire::{Millis, Seq};

const FIRST: Millis = 1_000;
const LONGEST: Millis = 30_000;

/// The openings of one connection.
#[derive(Debug, Default)]
pub(super) struct Reopening {
    /// From which place it was opened last, and how often in a row.
    last: Option<(Seq, u32)>,
    /// When to open again (mono).
    due: Option<Millis>,
}

impl Reopening {
    /// The room is to be opened from this place: at once, or later, which is
    /// remembered. The second time in a row comes at once as well, since one
    /// frame can be lost; before each one after that it is waited twice as
    /// long. `chance` is any number: clients are not to come all together.
    pub fn now(&mut self, from: Seq, now: Millis, chance: u32) -> bool {
        let times = match self.last {
            Some((last, times)) if last == from => times.saturating_add(1),
            _ => 1,
        };
        if times > 1 && self.due.is_some_and(|due| now < due) {
            return false;
        }
        let waited = self.due.take().is_some();
        if times > 2 && !waited {
            let longest = (FIRST << (times - 3).min(5)).min(LONGEST);
            self.due = Some(now + longest / 2 + Millis::from(chance) % (longest / 2));
            return false;
        }
        self.last = Some((from, times));
        true
    }

    pub fn due(&self) -> Option<Millis> {
        self.due
    }

    pub fn is_due(&self, now: Millis) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When it is opened, in the first so many milliseconds, if nothing is
    /// got by it.
    fn openings(until: Millis, chance: u32) -> Vec<Millis> {
        let mut reopening = Reopening::default();
        (0..until)
            .filter(|now| reopening.now(7, *now, chance))
            .collect()
    }

    #[test]
    fn what_leads_nowhere_is_done_ever_more_rarely() {
        let times = openings(300_000, u32::MAX);
        let waits: Vec<Millis> = times.windows(2).map(|w| w[1] - w[0]).collect();
        assert_eq!(times[..2], [0, 1], "twice at once");
        assert!(waits[1..].is_sorted(), "{waits:?}");
        let within = |wait: &Millis| (FIRST / 2..=LONGEST).contains(wait);
        assert!(waits[1..].iter().all(within), "{waits:?}");
        assert!(waits.last().is_some_and(|wait| *wait >= LONGEST / 2));
    }

    #[test]
    fn chance_keeps_clients_apart() {
        assert_ne!(openings(60_000, 1), openings(60_000, 400));
    }

    #[test]
    fn whoever_gets_on_is_not_held_up() {
        let mut reopening = Reopening::default();
        for place in 0..100 {
            assert!(reopening.now(place, 0, 0), "{place}");
        }
    }
}
