//! Whether the path's queue grows: a line laid through the delays of the last
//! groups of packets. After the trendline filter that browsers use in place of
//! the draft's Kalman filter; one group alone says next to nothing, since at
//! 10 ms between groups a path overfilled by a tenth adds 1 ms to each.

use std::collections::VecDeque;
use std::time::Instant;

/// Groups the line is laid through.
const GROUPS: usize = 20;

/// How much of the past stays in the smoothed delay.
const SMOOTHING: f64 = 0.9;

/// Brings the slope to the scale of the detector's threshold, in ms: after so
/// many groups it is trusted in full.
const GAIN: f64 = 4.0;
const TRUSTED: usize = 60;

#[derive(Debug, Default)]
pub(super) struct Trend {
    began: Option<Instant>,
    /// Sum of all changes of delay, in ms, and the same smoothed.
    delay: f64,
    smoothed: f64,
    /// When, in ms, and the smoothed delay then.
    points: VecDeque<(f64, f64)>,
    groups: usize,
}

impl Trend {
    /// Takes in by how much (ms) the group sent at `at` was more delayed than
    /// the one before; returns the trend in the detector's measure.
    pub(super) fn add(&mut self, at: Instant, change: f64) -> f64 {
        let began = *self.began.get_or_insert(at);
        self.groups = (self.groups + 1).min(TRUSTED);
        self.delay += change;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let time = at.saturating_duration_since(began).as_secs_f64() * 1000.0;
        self.points.push_back((time, self.smoothed));
        if self.points.len() > GROUPS {
            self.points.pop_front();
        }
        if self.points.len() < GROUPS {
            return 0.0;
        }
        self.slope() * self.groups as f64 * GAIN
    }

    /// Least squares, in ms of delay for each ms of time.
    fn slope(&self) -> f64 {
        let count = self.points.len() as f64;
        let mean_time = self.points.iter().map(|p| p.0).sum::<f64>() / count;
        let mean_delay = self.points.iter().map(|p| p.1).sum::<f64>() / count;
        let (mut above, mut below) = (0.0, 0.0);
        for (time, delay) in &self.points {
            above += (time - mean_time) * (delay - mean_delay);
            below += (time - mean_time).powi(2);
        }
        if below == 0.0 { 0.0 } else { above / below }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The trend after 100 groups, 10 ms apart, each later by `change` ms.
    fn after(change: impl Fn(u32) -> f64) -> f64 {
        let start = Instant::now();
        let mut trend = Trend::default();
        let steps = (0..100).map(|i| trend.add(start + Duration::from_millis(10) * i, change(i)));
        steps.last().unwrap()
    }

    #[test]
    fn a_queue_that_grows_by_a_tenth_is_told_from_one_that_does_not() {
        assert!(after(|_| 1.0) > 20.0);
        assert!(after(|_| 0.0).abs() < 0.001);
        assert!(after(|_| -1.0) < -20.0);
    }

    #[test]
    fn jitter_is_no_trend() {
        let jitter = after(|i| if i % 2 == 0 { 12.0 } else { -12.0 });
        assert!(jitter.abs() < 6.0, "{jitter}");
    }
}
