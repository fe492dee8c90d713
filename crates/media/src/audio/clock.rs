//! When a step of playout would have been asked for at the earliest.
//!
//! Speakers ask in bursts: two steps at once, then nothing for 20 ms. The
//! jitter buffer must be ready for the earliest of them, so it is given the
//! lower envelope of the times at which steps were really asked for.

use super::STEP_TIME;
use std::time::{Duration, Instant};

/// How much the envelope rises above a step's length for each step: 0.5 %,
/// more than any clock drifts.
const CREEP: Duration = Duration::from_micros(50);
/// A gap longer than this is a stop of the device and begins anew.
const STOPPED: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub struct PlayClock {
    at: Option<Instant>,
}

impl PlayClock {
    /// A step is asked for now. The answer never lies after `now`.
    pub fn tick(&mut self, now: Instant) -> Instant {
        let at = match self.at {
            Some(last) if now.saturating_duration_since(last) < STOPPED => {
                (last + STEP_TIME + CREEP).min(now)
            }
            _ => now,
        };
        self.at = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_smoothed_to_the_earliest_step() {
        let start = Instant::now();
        let mut clock = PlayClock::default();
        let mut last = clock.tick(start);
        for n in 1..200u32 {
            // Four steps at once every 40 ms.
            let now = start + Duration::from_millis(u64::from(n / 4) * 40);
            let at = clock.tick(now);
            assert!(at <= now);
            assert!(now - at <= Duration::from_millis(31), "{:?}", now - at);
            last = at;
        }
        assert!(last > start + Duration::from_millis(1900));
    }

    #[test]
    fn a_stop_begins_anew() {
        let start = Instant::now();
        let mut clock = PlayClock::default();
        clock.tick(start);
        let later = start + Duration::from_secs(3);
        assert_eq!(clock.tick(later), later);
    }
}
