//! When the next packet may leave: audio at once, video spread over time, so
//! that a key frame does not stand in the way of voices nor fill the path's
//! queue. Pure: the time is an argument.

use crate::video::VideoKind;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Video leaves this much faster than the estimate, so that a key frame does
/// not take a second.
const HASTE: f64 = 1.5;

/// Budget that may be saved up: what timers are late at most.
const SAVED: Duration = Duration::from_millis(8);

/// Video waiting longer than this is given up for a fresh key frame.
const OLDEST: Duration = Duration::from_millis(1200);

/// After the packet that opens a stream: until the other end has made one of it.
const OPENING: Duration = Duration::from_millis(10);

/// Octets around each payload: RTP with extension, SRTP, UDP and IP.
const AROUND: usize = 70;

/// One payload that waits; an empty one opens its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub kind: VideoKind,
    pub payload: Bytes,
    pub rtp_time: u32,
    pub marker: bool,
}

#[derive(Debug)]
pub(super) struct Pacer {
    queue: VecDeque<Waiting>,
    queued: usize,
    rate: f64,
    /// From when on the next packet may leave.
    free_at: Option<Instant>,
}

impl Pacer {
    /// `rate` in bit/s.
    pub(super) fn new(rate: u32) -> Self {
        Self {
            queue: VecDeque::new(),
            queued: 0,
            rate: f64::from(rate.max(1)) * HASTE,
            free_at: None,
        }
    }

    pub(super) fn set_rate(&mut self, rate: u32) {
        self.rate = f64::from(rate.max(1)) * HASTE;
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.queued += waiting.payload.len() + AROUND;
        self.queue.push_back(waiting);
    }

    /// How long the last packet would wait.
    pub(super) fn backlog(&self) -> Duration {
        Duration::from_secs_f64(self.queued as f64 * 8.0 / self.rate)
    }

    /// Whether so much waits that it is of no use any more.
    pub(super) fn is_hopeless(&self) -> bool {
        self.backlog() > OLDEST
    }

    /// Throws away what waits of `kind`.
    pub(super) fn clear(&mut self, kind: VideoKind) {
        self.queue.retain(|w| w.kind != kind);
        self.queued = self.queue.iter().map(|w| w.payload.len() + AROUND).sum();
    }

    /// Audio of `bytes` left: it goes at once, and video waits for it.
    pub(super) fn passed(&mut self, bytes: usize, now: Instant) {
        self.spend(bytes, now);
    }

    /// The next packet, if it may leave at `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Waiting> {
        if self.free_at.is_some_and(|at| at > now) {
            return None;
        }
        let waiting = self.queue.pop_front()?;
        self.queued -= waiting.payload.len() + AROUND;
        self.spend(waiting.payload.len(), now);
        if waiting.payload.is_empty() {
            self.free_at = self.free_at.map(|at| at.max(now) + OPENING);
        }
        Some(waiting)
    }

    /// When [`Self::pop`] has something.
    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() {
            return None;
        }
        Some(self.free_at.map_or(now, |at| at.max(now)))
    }

    fn spend(&mut self, bytes: usize, now: Instant) {
        let takes = Duration::from_secs_f64((bytes + AROUND) as f64 * 8.0 / self.rate);
        let earliest = now.checked_sub(SAVED).unwrap_or(now);
        let from = self.free_at.map_or(now, |at| at.max(earliest));
        self.free_at = Some(from + takes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: VideoKind) -> Waiting {
        Waiting {
            kind,
            payload: Bytes::from_static(&[0; 930]),
            rtp_time: 0,
            marker: false,
        }
    }

    /// Milliseconds at which `count` packets of 1,000 octets leave.
    fn departures(pacer: &mut Pacer, start: Instant, count: usize) -> Vec<u128> {
        let mut now = start;
        let mut left = Vec::new();
        while left.len() < count {
            while pacer.pop(now).is_some() {
                left.push((now - start).as_millis());
            }
            match pacer.wake_at(now) {
                Some(at) => now = at.max(now + Duration::from_millis(1)),
                None => break,
            }
        }
        left
    }

    #[test]
    fn a_stream_is_opened_before_its_first_picture() {
        let start = Instant::now();
        let mut pacer = Pacer::new(800_000);
        pacer.push(Waiting {
            payload: Bytes::new(),
            ..packet(VideoKind::Camera)
        });
        pacer.push(packet(VideoKind::Camera));
        let left = departures(&mut pacer, start, 2);
        assert_eq!(left[0], 0);
        assert!((10..=12).contains(&left[1]), "{left:?}");
    }

    #[test]
    fn a_key_frame_is_spread_over_time() {
        let start = Instant::now();
        let mut pacer = Pacer::new(800_000);
        for _ in 0..30 {
            pacer.push(packet(VideoKind::Camera));
        }
        // 240,000 bits at 1.2 Mbit/s.
        assert_eq!(pacer.backlog().as_millis(), 200);
        let left = departures(&mut pacer, start, 30);
        assert_eq!(left.len(), 30);
        assert!((185..=205).contains(left.last().unwrap()), "{left:?}");
        assert!(left.windows(4).all(|w| w[3] - w[0] >= 10), "{left:?}");
    }

    #[test]
    fn a_quiet_time_saves_up_next_to_nothing() {
        let start = Instant::now();
        let mut pacer = Pacer::new(800_000);
        pacer.push(packet(VideoKind::Camera));
        assert!(pacer.pop(start).is_some());
        let later = start + Duration::from_secs(10);
        for _ in 0..10 {
            pacer.push(packet(VideoKind::Camera));
        }
        let at_once = std::iter::from_fn(|| pacer.pop(later)).count();
        assert!(at_once <= 3, "{at_once}");
    }

    #[test]
    fn video_waits_for_the_voice() {
        let now = Instant::now();
        let mut pacer = Pacer::new(100_000);
        pacer.push(packet(VideoKind::Camera));
        pacer.passed(100, now);
        assert_eq!(pacer.pop(now), None);
        assert!(pacer.wake_at(now).unwrap() > now);
    }

    #[test]
    fn a_queue_that_grew_too_old_can_be_cleared_for_one_stream() {
        let mut pacer = Pacer::new(100_000);
        for _ in 0..15 {
            pacer.push(packet(VideoKind::Camera));
            pacer.push(packet(VideoKind::Screen));
        }
        assert!(pacer.is_hopeless());
        pacer.clear(VideoKind::Camera);
        assert!(!pacer.is_hopeless());
        let left = pacer.pop(Instant::now()).unwrap();
        assert_eq!(left.kind, VideoKind::Screen);
    }
}
