//! Whether pictures flow: frames of the last second, and freezes, which are
//! gaps that nobody meant. Pure; time is an argument.

use super::ReceiverStats;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The longest gap between two pictures of a camera that is not a freeze.
pub const FREEZE: Duration = Duration::from_millis(500);
/// The same of a screen, of which a picture is sent each second when nothing
/// moves.
pub const SCREEN_FREEZE: Duration = Duration::from_millis(2_500);

const SECOND: Duration = Duration::from_secs(1);

/// Watches the pictures of one sender.
#[derive(Debug, Clone)]
pub struct Watch {
    longest_gap: Duration,
    /// Of the last second.
    times: VecDeque<Instant>,
    last: Option<Instant>,
    /// Nobody looks.
    hidden: bool,
    freezes: u64,
    frozen: Duration,
}

impl Watch {
    pub fn new(longest_gap: Duration) -> Self {
        Self {
            longest_gap,
            times: VecDeque::new(),
            last: None,
            hidden: false,
            freezes: 0,
            frozen: Duration::ZERO,
        }
    }

    /// A picture came. True for the first, and the first after a pause.
    pub fn picture(&mut self, now: Instant) -> bool {
        let first = self.last.is_none() && !self.hidden;
        self.end_gap(now);
        self.last = (!self.hidden).then_some(now);
        self.times.push_back(now);
        self.forget(now);
        first
    }

    /// None are meant to come now. The gap before it is no freeze: the word of
    /// it takes longer than pictures do.
    pub fn pause(&mut self) {
        self.last = None;
        self.times.clear();
    }

    /// Whoever does not look misses nothing, and is sent nothing.
    pub fn hide(&mut self, hidden: bool) {
        if hidden != self.hidden {
            self.hidden = hidden;
            self.last = None;
        }
    }

    /// Fill in what it saw.
    pub fn read(&mut self, now: Instant, stats: &mut ReceiverStats) {
        self.forget(now);
        let gap = self.gap(now);
        stats.fps = self.times.len() as u32;
        stats.frozen_now = gap.is_some();
        stats.freezes = self.freezes + u64::from(gap.is_some());
        stats.frozen = self.frozen + gap.unwrap_or_default();
    }

    fn end_gap(&mut self, now: Instant) {
        if let Some(gap) = self.gap(now) {
            self.freezes += 1;
            self.frozen += gap;
        }
    }

    fn gap(&self, now: Instant) -> Option<Duration> {
        let gap = now.saturating_duration_since(self.last?);
        (gap > self.longest_gap).then_some(gap)
    }

    fn forget(&mut self, now: Instant) {
        while let Some(first) = self.times.front() {
            if now.saturating_duration_since(*first) < SECOND {
                break;
            }
            self.times.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(watch: &mut Watch, now: Instant) -> ReceiverStats {
        let mut stats = ReceiverStats::default();
        watch.read(now, &mut stats);
        stats
    }

    #[test]
    fn a_steady_flow_has_no_freezes() {
        let (mut watch, start) = (Watch::new(FREEZE), Instant::now());
        for step in 0..90 {
            watch.picture(start + step * Duration::from_millis(33));
        }
        let seen = stats(&mut watch, start + Duration::from_millis(90 * 33));
        assert_eq!(seen.fps, 30);
        assert_eq!((seen.freezes, seen.frozen_now), (0, false));
    }

    #[test]
    fn a_gap_is_a_freeze_while_it_lasts_and_after() {
        let (mut watch, start) = (Watch::new(FREEZE), Instant::now());
        watch.picture(start);
        let later = start + Duration::from_millis(700);
        let seen = stats(&mut watch, later);
        assert_eq!((seen.freezes, seen.frozen_now), (1, true));
        watch.picture(later);
        let seen = stats(&mut watch, later);
        assert_eq!((seen.freezes, seen.frozen_now), (1, false));
        assert_eq!(seen.frozen, Duration::from_millis(700));
    }

    #[test]
    fn a_camera_that_was_switched_off_is_not_frozen() {
        let (mut watch, start) = (Watch::new(FREEZE), Instant::now());
        assert!(watch.picture(start));
        watch.pause();
        let later = start + Duration::from_secs(60);
        assert_eq!(stats(&mut watch, later).freezes, 0);
        assert!(watch.picture(later), "the first again");
        assert_eq!(stats(&mut watch, later).freezes, 0);
    }

    #[test]
    fn the_time_until_it_is_known_that_a_camera_is_off_is_no_freeze() {
        let (mut watch, start) = (Watch::new(FREEZE), Instant::now());
        watch.picture(start);
        let told = start + Duration::from_secs(2);
        assert_eq!(stats(&mut watch, told).freezes, 1, "as far as is known");
        watch.pause();
        let seen = stats(&mut watch, told);
        assert_eq!((seen.freezes, seen.frozen), (0, Duration::ZERO));
    }

    #[test]
    fn what_nobody_looks_at_does_not_freeze_and_counts_again_when_it_moves() {
        let (mut watch, start) = (Watch::new(FREEZE), Instant::now());
        watch.picture(start);
        watch.hide(true);
        let later = start + Duration::from_secs(5);
        assert_eq!(stats(&mut watch, later).freezes, 0);
        watch.hide(false);
        let shown = later + Duration::from_secs(1);
        assert_eq!(stats(&mut watch, shown).freezes, 0, "it has to begin");
        assert!(watch.picture(shown));
        let seen = stats(&mut watch, shown + Duration::from_secs(1));
        assert_eq!((seen.freezes, seen.frozen_now), (1, true));
    }
}
