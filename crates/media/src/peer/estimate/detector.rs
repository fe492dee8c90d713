//! Whether a trend of the delay means that the path is overfilled. The
//! threshold follows the trend slowly upward and quickly back, so that a path
//! with much jitter is not always taken for a full one.

use std::time::{Duration, Instant};

/// In the measure of [`super::trend::Trend`].
const FIRST: f64 = 12.5;
const LEAST: f64 = 6.0;
const MOST: f64 = 600.0;

/// Share of the distance, for each ms.
const UPWARD: f64 = 0.0087;
const BACK: f64 = 0.039;

/// Further away than this it is no jitter, and is not followed.
const STRAY: f64 = 15.0;

/// Longest step between two trends that counts.
const STEP: Duration = Duration::from_millis(100);

/// A trend must stay this long.
const STAYS: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    #[default]
    Normal,
    /// The queue grows.
    Over,
    /// The queue empties.
    Under,
}

#[derive(Debug)]
pub(super) struct Detector {
    threshold: f64,
    usage: Usage,
    over_since: Option<Instant>,
    before: f64,
    at: Option<Instant>,
}

impl Detector {
    pub(super) fn new() -> Self {
        Self {
            threshold: FIRST,
            usage: Usage::Normal,
            over_since: None,
            before: 0.0,
            at: None,
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn update(&mut self, at: Instant, trend: f64) -> Usage {
        if trend > self.threshold {
            match self.over_since {
                None => self.over_since = Some(at),
                Some(since) => {
                    let stays = at.saturating_duration_since(since) >= STAYS;
                    if stays && trend >= self.before {
                        self.usage = Usage::Over;
                    }
                }
            }
        } else {
            self.over_since = None;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.before = trend;
        self.follow(at, trend.abs());
        self.usage
    }

    fn follow(&mut self, at: Instant, trend: f64) {
        let elapsed = self
            .at
            .replace(at)
            .map_or(Duration::ZERO, |before| {
                at.saturating_duration_since(before)
            })
            .min(STEP);
        if trend > self.threshold + STRAY {
            return;
        }
        let share = if trend > self.threshold { UPWARD } else { BACK };
        let step = share * (trend - self.threshold) * elapsed.as_secs_f64() * 1000.0;
        self.threshold = (self.threshold + step).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(trends: &[f64]) -> Usage {
        let start = Instant::now();
        let mut detector = Detector::new();
        for (step, trend) in (0..).zip(trends) {
            detector.update(start + Duration::from_millis(10) * step, *trend);
        }
        detector.usage()
    }

    #[test]
    fn a_trend_that_stays_is_overuse() {
        assert_eq!(after(&[0.0, 30.0, 31.0, 32.0]), Usage::Over);
    }

    #[test]
    fn one_stray_group_is_not() {
        assert_eq!(after(&[0.0, 80.0, 0.0, 0.0]), Usage::Normal);
        assert_eq!(after(&[0.0, 80.0]), Usage::Normal);
    }

    #[test]
    fn a_queue_that_empties_is_seen_at_once() {
        assert_eq!(after(&[0.0, 30.0, 31.0, 32.0, -40.0]), Usage::Under);
        assert_eq!(after(&[0.0, 30.0, 31.0, 32.0, 1.0]), Usage::Normal);
    }
}
