//! What really arrives, by the clock of the other end: the pauses between
//! reports are no part of it.

use std::collections::VecDeque;
use std::time::Duration;

/// Looked back over, on the other end's clock.
const WINDOW: Duration = Duration::from_millis(600);
/// Less than this says nothing.
const ENOUGH: Duration = Duration::from_millis(80);

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
            && at.saturating_sub(first) > WINDOW
        {
            self.packets.pop_front();
            self.octets -= size;
        }
    }

    /// In bit/s.
    pub(super) fn rate(&self) -> Option<f64> {
        let (&(first, size), &(last, _)) = (self.packets.front()?, self.packets.back()?);
        let span = last.saturating_sub(first);
        // The first packet came before the span began.
        let bits = (self.octets - size) as f64 * 8.0;
        (span >= ENOUGH).then(|| bits / span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_exact_however_reports_are_bundled() {
        let mut arrived = Arrived::default();
        assert_eq!(arrived.rate(), None);
        for step in 0..200 {
            arrived.add(Duration::from_millis(20) * step, 1000);
        }
        let rate = arrived.rate().unwrap();
        assert!((rate - 400_000.0).abs() < 1.0, "{rate}");
    }

    #[test]
    fn a_clock_that_leaps_begins_anew() {
        let mut arrived = Arrived::default();
        for step in 0..100 {
            arrived.add(Duration::from_millis(20) * step, 1000);
        }
        arrived.add(Duration::from_secs(3600), 1000);
        assert_eq!(arrived.rate(), None);
    }
}
