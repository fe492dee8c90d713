//! What really arrives, by the clock of the other end: the pauses between
//! reports are no part of it.

use std::collections::VecDeque;
use std::time::Duration;

/// Looked back over, on the other end's clock.
const WINDOW: Duration = Duration::from_millis(600);
/// …and for what arrives in the moment.
const MOMENT: Duration = Duration::from_millis(120);
const MUCH_MORE: f64 = 1.4;
/// More than any path carries in that time. The clock is the other end's, and
/// may stand still.
const MOST: usize = 4096;
/// Less than this says nothing.
const ENOUGH: Duration = Duration::from_millis(80);

/// What arrives, in bit/s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub mean: f64,
    pub moment: f64,
}

impl Seen {
    /// What a path carries whose queue grows: the mean, unless it is of a time
    /// in which there was much less to carry. The moment alone swings.
    pub(super) fn carried(self) -> f64 {
        match self.moment > self.mean * MUCH_MORE {
            true => self.moment,
            false => self.mean,
        }
    }
}

fn rate(octets: usize, span: Duration) -> Option<f64> {
    (span >= ENOUGH).then(|| octets as f64 * 8.0 / span.as_secs_f64())
}

#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// When, and how many octets.
    packets: VecDeque<(Duration, usize)>,
    octets: usize,
}

impl Arrived {
    pub(super) fn add(&mut self, at: Duration, size: usize) {
        // A clock that leaps is another epoch.
        if let Some(&(last, _)) = self.packets.back()
            && at.abs_diff(last) > WINDOW * 8
        {
            *self = Self::default();
        }
        self.packets.push_back((at, size));
        self.octets += size;
        while let Some(&(first, size)) = self.packets.front()
            && (at.saturating_sub(first) > WINDOW || self.packets.len() > MOST)
        {
            self.packets.pop_front();
            self.octets -= size;
        }
    }

    pub(super) fn seen(&self) -> Option<Seen> {
        let (&(first, size), &(last, _)) = (self.packets.front()?, self.packets.back()?);
        // The first packet came before the span began.
        let mean = rate(self.octets - size, last.saturating_sub(first))?;
        Some(Seen {
            mean,
            moment: self.moment(last).unwrap_or(mean),
        })
    }

    fn moment(&self, last: Duration) -> Option<f64> {
        let newest = || {
            let lately = |at: Duration| last.saturating_sub(at) <= MOMENT;
            self.packets
                .iter()
                .rev()
                .take_while(move |(at, _)| lately(*at))
        };
        let &(first, size) = newest().last()?;
        let octets: usize = newest().map(|(_, size)| size).sum();
        rate(octets - size, last.saturating_sub(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_exact_however_reports_are_bundled() {
        let mut arrived = Arrived::default();
        assert_eq!(arrived.seen(), None);
        for step in 0..200 {
            arrived.add(Duration::from_millis(20) * step, 1000);
        }
        let seen = arrived.seen().unwrap();
        assert!((seen.mean - 400_000.0).abs() < 1.0, "{seen:?}");
        assert!((seen.moment - 400_000.0).abs() < 1.0, "{seen:?}");
    }

    #[test]
    fn a_burst_after_little_is_seen_as_it_is() {
        let mut arrived = Arrived::default();
        let mut at = Duration::ZERO;
        for _ in 0..20 {
            at += Duration::from_millis(20);
            arrived.add(at, 100);
        }
        for _ in 0..20 {
            at += Duration::from_millis(10);
            arrived.add(at, 375);
        }
        let seen = arrived.seen().unwrap();
        assert!((seen.carried() - 300_000.0).abs() < 1.0, "{seen:?}");
        assert!(seen.mean < 150_000.0, "{seen:?}");
    }

    #[test]
    fn a_clock_that_leaps_begins_anew() {
        let mut arrived = Arrived::default();
        for step in 0..100 {
            arrived.add(Duration::from_millis(20) * step, 1000);
        }
        arrived.add(Duration::from_secs(3600), 1000);
        assert_eq!(arrived.seen(), None);
    }

    #[test]
    fn a_clock_that_stands_still_or_runs_backwards_fills_nothing() {
        let mut arrived = Arrived::default();
        for step in 0..20_000u32 {
            let back = Duration::from_millis(u64::from(step % 100));
            arrived.add(Duration::from_secs(60) - back, 1000);
        }
        assert!(arrived.packets.len() <= MOST);
        let octets: usize = arrived.packets.iter().map(|(_, size)| size).sum();
        assert_eq!(arrived.octets, octets);
    }
}
