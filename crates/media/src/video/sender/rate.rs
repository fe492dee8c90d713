//! Counts what happened in the last second. Pure; time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub struct Rate {
    events: VecDeque<(Instant, usize)>,
    bytes: usize,
}

impl Rate {
    pub fn count(&mut self, now: Instant, bytes: usize) {
        self.events.push_back((now, bytes));
        self.bytes += bytes;
        self.forget(now);
    }

    /// Events and bytes of the last second.
    pub fn read(&mut self, now: Instant) -> (u32, usize) {
        self.forget(now);
        (self.events.len() as u32, self.bytes)
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, bytes)) = self.events.front() {
            if now.saturating_duration_since(*at) < Duration::from_secs(1) {
                return;
            }
            self.bytes -= bytes;
            self.events.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_what_is_older_than_a_second() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for step in 0..30u32 {
            rate.count(start + step * Duration::from_millis(100), 10);
        }
        let end = start + Duration::from_millis(2_900);
        assert_eq!(rate.read(end), (10, 100));
        assert_eq!(rate.read(end + Duration::from_secs(5)), (0, 0));
    }
}
