//! How much the path carries, after Google Congestion Control
//! (draft-ietf-rmcat-gcc-02): a growing queue or heavy loss lowers the
//! estimate at once, quiet raises it.
//!
//! Three things differ from the draft. Nothing sends probes, so the estimate
//! begins with a fast climb that ends at the first sign of a queue, and comes
//! back to a climb when a ceiling once met has been passed or forgotten. It
//! never runs far ahead of what really arrived, so an estimate that nobody
//! used is not taken for one that was proven. And a path on which nothing
//! passes for a while is not a narrow one: afterwards it begins anew.

mod arrived;
mod detector;
mod told;
mod trend;

use arrived::{Arrived, Seen};
use detector::{Detector, Usage};
use rtc::interceptor::{ArrivalGroupAccumulator, BandwidthEstimator, EstimatorStats, PacketReport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;
pub(super) use told::Told;
use trend::Trend;

/// Least and most of an estimate, in bit/s.
pub(super) const LEAST: f64 = 40_000.0;

/// Share of what arrived that is kept when a queue grows.
const BACK_OFF: f64 = 0.85;
/// A queue lowers the estimate no further at first: a voice and the smallest
/// picture. What looks like a queue is often a machine that is busy.
pub(crate) const SMALLEST_PICTURE: f64 = 75_000.0;
/// A round trip, with the pause between reports, after which it is a queue.
const LONG_QUEUE: Duration = Duration::from_secs(1);

/// Growth per second: at first, on known ground, and after long quiet.
const CLIMB: f64 = 1.5;
const RAISE: f64 = 1.08;
const REGAIN: f64 = 1.22;

/// Without overuse for this long, an old ceiling says little.
const QUIET: Duration = Duration::from_secs(4);

/// An estimate is at most this much more than what arrives.
const AHEAD: f64 = 1.5;
/// …and this much is believed without proof: what pictures begin with. They
/// stop below it, and what does not leave can prove nothing.
pub(crate) const BELIEVED: f64 = 400_000.0;

/// Loss that is no sign of a full queue, and loss that is.
const LITTLE_LOSS: f64 = 0.02;
const MUCH_LOSS: f64 = 0.10;

/// Share of what arrives below which loss lowers nothing.
const CARRIED: f64 = 0.7;

/// Loss is judged over at least this many packets and this time.
const LOSS_PACKETS: usize = 20;
const LOSS_TIME: Duration = Duration::from_millis(300);

/// No word from the other end for this long: the path is gone for now.
const SILENCE: Duration = Duration::from_millis(1500);
/// …if this many packets went unanswered.
const UNANSWERED: u64 = 10;
/// Share of what there was before, once there is word again.
const AFTER_SILENCE: f64 = 0.7;

/// The estimate as others read it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// bit/s.
    pub rate: u32,
    /// Until acknowledgement, with the pause between reports.
    pub round_trip: Option<Duration>,
    /// Share of packets lost, smoothed.
    pub loss: f64,
}

/// The estimator; publishes what it finds.
pub(super) struct Estimator {
    groups: ArrivalGroupAccumulator,
    trend: Trend,
    detector: Detector,
    arrived: Arrived,
    control: Control,
    losses: Losses,
    told: Told,
    /// Packets that left, as the sender counts them.
    sent: Arc<AtomicU64>,
    publish: watch::Sender<Estimate>,
}

impl Estimator {
    /// `start` and `most` in bit/s; `sent` counts packets as they leave, `told`
    /// knows what the other end reported.
    pub(super) fn new(
        start: u32,
        most: u32,
        sent: Arc<AtomicU64>,
        told: Told,
    ) -> (Self, watch::Receiver<Estimate>) {
        let estimate = Estimate {
            rate: start,
            round_trip: None,
            loss: 0.0,
        };
        let (publish, read) = watch::channel(estimate);
        let estimator = Self {
            groups: ArrivalGroupAccumulator::default(),
            trend: Trend::default(),
            detector: Detector::new(),
            arrived: Arrived::default(),
            control: Control::new(f64::from(start), f64::from(most)),
            losses: Losses::default(),
            told,
            sent,
            publish,
        };
        (estimator, read)
    }

    fn publish(&self, round_trip: Option<Duration>) {
        let rate = self.control.target as u32;
        let loss = self.losses.average;
        self.publish.send_if_modified(|estimate| {
            let next = Estimate {
                rate,
                round_trip: round_trip.or(estimate.round_trip),
                loss,
            };
            let changed = next != *estimate;
            *estimate = next;
            changed
        });
    }
}

impl BandwidthEstimator for Estimator {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        let Some(last) = reports.last() else { return };
        let mut usage = self.detector.usage();
        let (mut lost, mut known, mut untold) = (0, 0, 0);
        let sent = self.sent.load(Ordering::Relaxed);
        self.control.heard(now, sent);
        for report in reports {
            if let Some(at) = report.arrival.filter(|_| report.arrived) {
                // What nobody told of has most likely arrived as this has.
                self.arrived
                    .add(at, report.size + std::mem::take(&mut untold));
                known += 1;
            } else if self.control.was_silent(report.departure) {
                // Lost because nothing passed, and not because of how much.
            } else if self.told.of(report.twcc_sequence_number) {
                (lost, known) = (lost + 1, known + 1);
            } else {
                untold += report.size;
            }
            if let Some(delay) = self.groups.accumulate(report) {
                let trend = self.trend.add(delay.at, delay.delta_ms);
                usage = self.detector.update(delay.at, trend);
            }
        }
        let loss = self.losses.add(now, lost, known);
        let newest = reports.iter().rev().find(|r| r.arrived).unwrap_or(last);
        let round_trip = now.saturating_duration_since(newest.departure);
        self.control.long_queue = round_trip > LONG_QUEUE;
        self.control.update(now, usage, self.arrived.seen(), loss);
        self.publish(Some(round_trip));
    }

    fn target_bitrate(&self) -> f64 {
        self.control.target
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.control.silent(now, self.sent.load(Ordering::Relaxed)) {
            self.publish(None);
        }
    }

    fn stats(&self) -> EstimatorStats {
        EstimatorStats::default()
    }
}

/// Loss over windows that are long enough to mean something.
#[derive(Debug, Default)]
struct Losses {
    since: Option<Instant>,
    lost: usize,
    total: usize,
    average: f64,
}

impl Losses {
    /// The loss of a window that is complete.
    fn add(&mut self, now: Instant, lost: usize, total: usize) -> Option<f64> {
        let since = *self.since.get_or_insert(now);
        self.lost += lost;
        self.total += total;
        let long = now.saturating_duration_since(since) >= LOSS_TIME;
        if !long || self.total < LOSS_PACKETS {
            return None;
        }
        let loss = self.lost as f64 / self.total as f64;
        self.average += 0.3 * (loss - self.average);
        *self = Self {
            average: self.average,
            ..Self::default()
        };
        Some(loss)
    }
}

/// The decisions, on numbers alone.
#[derive(Debug)]
struct Control {
    target: f64,
    most: f64,
    /// Nothing has pushed back yet.
    climbing: bool,
    /// What arrived when the queue last grew.
    ceiling: Option<f64>,
    overused_at: Option<Instant>,
    changed_at: Option<Instant>,
    /// When word last came, and how many packets had left.
    heard_at: Option<(Instant, u64)>,
    /// While there is no word: the target there was.
    before_silence: Option<f64>,
    silent_until: Option<Instant>,
    long_queue: bool,
    held_back: bool,
}

impl Control {
    fn new(start: f64, most: f64) -> Self {
        Self {
            target: start.clamp(LEAST, most),
            most,
            climbing: true,
            ceiling: None,
            overused_at: None,
            changed_at: None,
            heard_at: None,
            before_silence: None,
            silent_until: None,
            long_queue: false,
            held_back: false,
        }
    }

    /// There is word of what was sent. After silence this is as good as another
    /// path: what was known of it and what it lost says nothing any more.
    fn heard(&mut self, now: Instant, sent: u64) {
        self.heard_at = Some((now, sent));
        if let Some(before) = self.before_silence.take() {
            let begin = (before * AFTER_SILENCE).min(BELIEVED);
            self.target = self.target.max(begin);
            self.silent_until = Some(now);
            self.climbing = true;
            self.held_back = false;
            (self.ceiling, self.overused_at, self.changed_at) = (None, None, None);
        }
    }

    /// Whether what left then fell into a silence that is over.
    fn was_silent(&self, departure: Instant) -> bool {
        self.silent_until.is_some_and(|until| departure < until)
    }

    /// Whether silence lowered the target, again for each time it lasts. When
    /// nothing was sent, there is nothing to hear.
    fn silent(&mut self, now: Instant, sent: u64) -> bool {
        let Some((at, before)) = self.heard_at else {
            return false;
        };
        if now.saturating_duration_since(at) < SILENCE || sent < before + UNANSWERED {
            return false;
        }
        self.heard_at = Some((now, sent));
        self.before_silence.get_or_insert(self.target);
        self.target = (self.target * 0.5).max(LEAST);
        true
    }

    fn update(&mut self, now: Instant, usage: Usage, arrived: Option<Seen>, loss: Option<f64>) {
        match usage {
            Usage::Over => self.back_off(now, arrived),
            Usage::Under => self.changed_at = Some(now),
            Usage::Normal => self.grow(now, arrived.map(|seen| seen.mean)),
        }
        match loss {
            Some(loss) if loss > MUCH_LOSS => {
                // A path that is full loses what is too much, and carries what
                // arrives: news of loss is older than the last step down.
                let carried = arrived.map_or(0.0, |seen| seen.mean * CARRIED);
                let lower = self.target * (1.0 - 0.5 * loss);
                self.target = lower.max(carried.min(self.target));
                self.climbing = false;
                self.held_back = true;
            }
            Some(loss) => self.held_back = loss > LITTLE_LOSS,
            None => {}
        }
        self.target = self.target.clamp(LEAST, self.most);
    }

    /// A queue grows, so what arrives is what the path carries.
    fn back_off(&mut self, now: Instant, arrived: Option<Seen>) {
        self.climbing = false;
        let lately = self
            .overused_at
            .is_some_and(|at| now.saturating_duration_since(at) < Duration::from_millis(300));
        let Some(arrived) = arrived.filter(|_| !lately).map(Seen::carried) else {
            return;
        };
        self.overused_at = Some(now);
        self.changed_at = Some(now);
        self.ceiling = Some(arrived);
        let floor = match self.long_queue {
            true => LEAST,
            false => SMALLEST_PICTURE,
        };
        self.target = self.target.min((arrived * BACK_OFF).max(floor));
    }

    fn grow(&mut self, now: Instant, arrived: Option<f64>) {
        let elapsed = self
            .changed_at
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
            .min(Duration::from_secs(1))
            .as_secs_f64();
        self.changed_at = Some(now);
        let quiet = self
            .overused_at
            .is_none_or(|at| now.saturating_duration_since(at) >= QUIET);
        if let (Some(ceiling), Some(arrived)) = (self.ceiling, arrived)
            && (quiet || arrived > ceiling * 1.2)
        {
            self.ceiling = None;
        }
        let near = self.ceiling.is_some_and(|c| self.target > c * 0.8);
        let grown = if self.held_back || near {
            // About one packet more for each round trip.
            self.target + 60_000.0 * elapsed
        } else if self.climbing {
            self.target * CLIMB.powf(elapsed)
        } else if quiet {
            self.target * REGAIN.powf(elapsed)
        } else {
            self.target * RAISE.powf(elapsed)
        };
        let proven = arrived.map_or(self.target, |rate| (rate * AHEAD).max(BELIEVED));
        // What was not used does not grow, but is not taken back either.
        self.target = grown.min(proven.max(self.target));
    }
}

#[cfg(test)]
mod tests;
