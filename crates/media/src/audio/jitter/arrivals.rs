//! When packets came, relative to the fastest of them, and what delay that
//! asks for.

use crate::audio::{RATE, STEP_TIME};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long the fastest packet is the measure.
const WINDOW_MICROS: i64 = 2_000_000;
/// Width of a bucket of the histogram.
const BUCKET_MICROS: i64 = 5_000;
const BUCKETS: usize = 100;
/// The fastest packet being later than before by this much is another path, or
/// a sender that stood still: not jitter.
const SHIFT_MICROS: i64 = 30_000;
/// What a packet weighs after another came: 500 packets, 10 s, are remembered.
const FORGET: f32 = 0.998;
/// So many packets shall be in time.
const IN_TIME: f32 = 0.98;
const LEAST: Duration = Duration::from_millis(20);
const MOST: Duration = Duration::from_millis(500);

pub(super) struct Arrivals {
    epoch: Option<Instant>,
    /// (arrival, transit), transits rising: the first is the fastest of the
    /// window.
    fastest: VecDeque<(i64, i64)>,
    last: Option<(i64, i64)>,
    histogram: [f32; BUCKETS],
    seen: f32,
    jitter: f64,
    target: Duration,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            epoch: None,
            fastest: VecDeque::new(),
            last: None,
            histogram: [0.0; BUCKETS],
            seen: 0.0,
            jitter: 0.0,
            target: LEAST,
        }
    }
}

impl Arrivals {
    pub(super) fn take(&mut self, arrived: Instant, rtp: i64) {
        let at = self.micros(arrived);
        let transit = at - rtp_micros(rtp);
        if let Some((last_at, last_transit)) = self.last {
            if at - last_at > WINDOW_MICROS {
                self.fastest.clear();
            } else {
                let differs = (transit - last_transit).abs() as f64;
                self.jitter += (differs - self.jitter) / 16.0;
            }
        }
        self.last = Some((at, transit));
        let before = self.fastest.front().map(|(_, transit)| *transit);
        while self.fastest.back().is_some_and(|(_, t)| *t >= transit) {
            self.fastest.pop_back();
        }
        self.fastest.push_back((at, transit));
        while self
            .fastest
            .front()
            .is_some_and(|(t, _)| at - t > WINDOW_MICROS)
        {
            self.fastest.pop_front();
        }
        if let Some(before) = before
            && self.base() - before > SHIFT_MICROS
        {
            self.shift(self.base() - before);
        }
        self.count(transit - self.base());
    }

    /// How long after the earliest possible time the sample is heard.
    pub(super) fn delay_of(&self, rtp: i64, heard: Instant) -> Duration {
        let Some(epoch) = self.epoch else {
            return Duration::ZERO;
        };
        let at = signed_micros(epoch, heard);
        let delay = at - rtp_micros(rtp) - self.base();
        Duration::from_micros(delay.max(0) as u64)
    }

    /// By how much a packet's time disagrees with the stream so far.
    pub(super) fn surprise(&self, arrived: Instant, rtp: i64) -> Duration {
        match (self.epoch, self.last) {
            (Some(epoch), Some((_, last))) => {
                let transit = signed_micros(epoch, arrived) - rtp_micros(rtp);
                Duration::from_micros((transit - last).unsigned_abs())
            }
            _ => Duration::ZERO,
        }
    }

    pub(super) fn target(&self) -> Duration {
        self.target
    }

    pub(super) fn jitter(&self) -> Duration {
        Duration::from_micros(self.jitter as u64)
    }

    fn base(&self) -> i64 {
        self.fastest.front().map_or(0, |(_, transit)| *transit)
    }

    fn count(&mut self, later_micros: i64) {
        let bucket = (later_micros / BUCKET_MICROS).clamp(0, BUCKETS as i64 - 1) as usize;
        self.seen += 1.0;
        // A plain average at first, a sliding one later.
        let keep = FORGET.min(1.0 - 1.0 / self.seen);
        for weight in &mut self.histogram {
            *weight *= keep;
        }
        self.histogram[bucket] += 1.0 - keep;
        let mut sum = 0.0;
        let enough = self
            .histogram
            .iter()
            .position(|weight| {
                sum += weight;
                sum >= IN_TIME
            })
            .unwrap_or(BUCKETS - 1);
        // A packet is decoded up to a step before it is heard.
        let wanted = Duration::from_micros((enough as u64 + 1) * BUCKET_MICROS as u64) + STEP_TIME;
        self.target = wanted.clamp(LEAST, MOST);
    }

    /// What was counted as late was on time, as the fastest packet is now.
    fn shift(&mut self, later_micros: i64) {
        let by = ((later_micros / BUCKET_MICROS) as usize).min(BUCKETS - 1);
        let on_time: f32 = self.histogram[..=by].iter().sum();
        self.histogram.copy_within(by.., 0);
        self.histogram[BUCKETS - by..].fill(0.0);
        self.histogram[0] = on_time;
    }

    fn micros(&mut self, at: Instant) -> i64 {
        signed_micros(*self.epoch.get_or_insert(at), at)
    }
}

fn rtp_micros(rtp: i64) -> i64 {
    rtp.saturating_mul(1_000_000) / i64::from(RATE)
}

fn signed_micros(epoch: Instant, at: Instant) -> i64 {
    match at.checked_duration_since(epoch) {
        Some(after) => after.as_micros() as i64,
        None => -(epoch.duration_since(at).as_micros() as i64),
    }
}
