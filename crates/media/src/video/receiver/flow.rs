//! Which frame is decoded next, which are dropped, and when a keyframe is
//! asked for. Pure; time is an argument.

use super::ASK_AGAIN;
use crate::video::EncodedVideo;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most frames that wait: two thirds of a second at 30 a second. More
/// would be decoded too late to be looked at.
pub const DEPTH: usize = 20;

/// Waiting frames of one picture.
#[derive(Default)]
pub struct Flow {
    waiting: VecDeque<EncodedVideo>,
    /// A frame is missing: only a keyframe can follow.
    gap: Gap,
    /// How often the sender paused.
    pauses: u64,
}

#[derive(Default, Clone, Copy)]
enum Gap {
    /// Nothing has come; whoever sends begins with a keyframe by itself.
    #[default]
    Start,
    None,
    /// A keyframe is needed; asked for at that time.
    Open(Option<Instant>),
}

/// What to do next.
pub enum Taken {
    Nothing,
    Ask,
    /// Decode this one, taken when the sender had paused so often.
    Frame(EncodedVideo, u64),
}

impl Flow {
    /// A frame came. Returns how many were dropped.
    pub fn push(&mut self, frame: EncodedVideo) -> u64 {
        if frame.keyframe {
            // What waits before it would only be shown for an instant.
            let late = self.waiting.len() as u64;
            self.waiting.clear();
            self.gap = Gap::None;
            self.waiting.push_back(frame);
            return late;
        }
        match self.gap {
            Gap::Start => {
                // It began without us.
                self.gap = Gap::Open(None);
                1
            }
            Gap::Open(_) => 1,
            Gap::None if self.waiting.len() == DEPTH => {
                let late = self.waiting.len() as u64 + 1;
                self.waiting.clear();
                self.gap = Gap::Open(None);
                late
            }
            Gap::None => {
                self.waiting.push_back(frame);
                0
            }
        }
    }

    /// One before the next is missing or could not be decoded. A keyframe that
    /// waits mends it.
    pub fn lost(&mut self) {
        let keyframe = self.waiting.iter().position(|frame| frame.keyframe);
        match keyframe {
            Some(position) => drop(self.waiting.drain(..position)),
            None => {
                self.waiting.clear();
                if !matches!(self.gap, Gap::Open(_)) {
                    self.gap = Gap::Open(None);
                }
            }
        }
    }

    /// Begin anew: the sender paused.
    pub fn reset(&mut self) {
        self.waiting.clear();
        self.gap = Gap::Start;
        self.pauses += 1;
    }

    /// Whether what was taken then is still to be shown.
    pub fn current(&self, pauses: u64) -> bool {
        self.pauses == pauses
    }

    pub fn take(&mut self, now: Instant) -> Taken {
        if let Some(frame) = self.waiting.pop_front() {
            return Taken::Frame(frame, self.pauses);
        }
        match self.gap {
            Gap::Open(asked) if asked.is_none_or(|at| now >= at + ASK_AGAIN) => {
                self.gap = Gap::Open(Some(now));
                Taken::Ask
            }
            _ => Taken::Nothing,
        }
    }

    /// How long until [`Self::take`] has something to do by itself.
    pub fn wake(&self, now: Instant) -> Option<Duration> {
        match self.gap {
            Gap::Open(Some(asked)) => Some((asked + ASK_AGAIN).saturating_duration_since(now)),
            _ => None,
        }
    }

    pub fn depth(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn frame(rtp_time: u32, keyframe: bool) -> EncodedVideo {
        EncodedVideo {
            data: Bytes::new(),
            keyframe,
            rtp_time,
        }
    }

    fn taken(flow: &mut Flow, now: Instant) -> Option<u32> {
        match flow.take(now) {
            Taken::Frame(frame, _) => Some(frame.rtp_time),
            _ => None,
        }
    }

    fn asks(flow: &mut Flow, now: Instant) -> bool {
        matches!(flow.take(now), Taken::Ask)
    }

    #[test]
    fn frames_leave_in_their_order() {
        let (mut flow, now) = (Flow::default(), Instant::now());
        flow.push(frame(1, true));
        flow.push(frame(2, false));
        assert_eq!(taken(&mut flow, now), Some(1));
        assert_eq!(taken(&mut flow, now), Some(2));
        assert_eq!(taken(&mut flow, now), None);
    }

    #[test]
    fn a_full_queue_is_emptied_and_a_keyframe_asked_for() {
        let (mut flow, now) = (Flow::default(), Instant::now());
        flow.push(frame(0, true));
        let mut dropped = 0;
        for time in 1..=DEPTH as u32 + 5 {
            dropped += flow.push(frame(time, false));
        }
        assert_eq!(dropped, DEPTH as u64 + 6);
        assert_eq!(flow.depth(), 0);
        assert!(asks(&mut flow, now));
        assert!(!asks(&mut flow, now), "once, not all the time");
        assert!(
            asks(&mut flow, now + ASK_AGAIN),
            "but again when none comes"
        );
        flow.push(frame(100, true));
        flow.push(frame(101, false));
        assert_eq!(taken(&mut flow, now), Some(100));
        assert_eq!(taken(&mut flow, now), Some(101));
        assert!(!asks(&mut flow, now + 2 * ASK_AGAIN));
    }

    #[test]
    fn after_a_loss_only_a_keyframe_counts() {
        let (mut flow, now) = (Flow::default(), Instant::now());
        flow.push(frame(1, true));
        taken(&mut flow, now);
        flow.lost();
        assert!(asks(&mut flow, now));
        assert_eq!(flow.push(frame(2, false)), 1);
        assert_eq!(taken(&mut flow, now), None);
        flow.push(frame(3, true));
        flow.lost();
        assert_eq!(taken(&mut flow, now), Some(3), "a waiting one mends it");
    }

    #[test]
    fn whoever_comes_in_the_middle_asks_and_whoever_waits_from_the_start_does_not() {
        let (mut flow, now) = (Flow::default(), Instant::now());
        assert!(!asks(&mut flow, now));
        assert_eq!(flow.wake(now), None, "and does not wake for nothing");
        flow.push(frame(1, false));
        assert!(asks(&mut flow, now));
    }

    #[test]
    fn what_was_taken_before_a_pause_is_not_shown_after_it() {
        let mut flow = Flow::default();
        flow.push(frame(1, true));
        let Taken::Frame(_, pauses) = flow.take(Instant::now()) else {
            panic!("a frame")
        };
        assert!(flow.current(pauses));
        flow.reset();
        assert!(!flow.current(pauses));
    }
}
