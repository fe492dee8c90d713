//! Decides what a receiver plays next: pure, a function of packets that came
//! and of the time at which sound is asked for. Decoding and stretching are
//! its caller's.
//!
//! ```text
//!            first packet is old enough
//!  Filling ───────────────────────────────► Playing
//!     ▲                                        │
//!     └── pause (DTX), time gap, long outage ──┘
//! ```
//!
//! Everything is measured against the fastest packet of the last two seconds:
//! the *delay* of a sample is how long after the earliest time at which it
//! could have been here it is heard. The target for it comes from the
//! histogram of how much later than the fastest the others came; a drifting
//! sender moves the fastest packet, and so the delay, which is corrected.

mod arrivals;
mod outcome;
#[cfg(test)]
mod tests;

use super::decode::{begins_pause, repeats_last, samples_in};
use super::{PACKET, RATE, ReceivedAudio, STEP};
pub use outcome::{JitterCounts, Next, Taken, Tempo};

use arrivals::Arrivals;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Packets held at most, two seconds of them; beyond, the oldest go.
const MOST_PACKETS: usize = 100;
/// A sequence number this far away is another stream, not a late packet.
const OTHER_STREAM: i64 = 3_000;
/// RTP time that disagrees with the clock by this much is another stream.
const OTHER_TIME: Duration = Duration::from_secs(10);
/// So much is made up when nothing comes; then there is silence.
const HIDE_MOST: i64 = 6 * PACKET as i64;
/// A hole longer than this is an outage: skipped, not made up.
const OUTAGE: i64 = 10 * PACKET as i64;
/// Play faster above the target by this much, until below it by `CLOSE`.
const TOO_MUCH: Duration = Duration::from_millis(15);
/// Play slower below the target by this much.
const TOO_LITTLE: Duration = Duration::from_millis(5);
const CLOSE: Duration = Duration::from_millis(5);
/// So far above the target packets are skipped instead of played faster.
const FAR_TOO_MUCH: Duration = Duration::from_millis(400);
/// From this share of lost packets on it is worth waiting for the next packet,
/// which repeats the lost one.
const WORTH_WAITING: f32 = 0.01;
/// What a packet weighs in the shares of lost and of repeating packets.
const WEIGHT: f32 = 0.005;
/// Lost packets remembered, to tell a late one from a second copy.
const LOST_REMEMBERED: usize = 128;

struct Held {
    data: Bytes,
    /// Unwrapped RTP time.
    rtp: i64,
    samples: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Filling,
    Playing,
}

pub struct JitterBuffer {
    /// By unwrapped sequence number.
    packets: BTreeMap<i64, Held>,
    state: State,
    /// The stream's newest sequence number and RTP time, unwrapped.
    newest: Option<(i64, i64)>,
    /// The sequence number to play next, once something was played.
    next: Option<i64>,
    /// RTP time of the next sample to be heard.
    position: i64,
    /// Samples made up while it was not known whether a packet is late or lost.
    hidden: i64,
    /// Samples of a packet, as the last one had.
    samples: i64,
    pausing: bool,
    /// The sender says that it sends nothing.
    muted: bool,
    tempo: Tempo,
    delay: Duration,
    arrivals: Arrivals,
    lost: BTreeSet<i64>,
    /// Shares of late, of packets lost and of packets that repeat another.
    losing: f32,
    repeating: f32,
    counts: JitterCounts,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self {
            packets: BTreeMap::new(),
            state: State::Filling,
            newest: None,
            next: None,
            position: 0,
            hidden: 0,
            samples: PACKET as i64,
            pausing: false,
            muted: false,
            tempo: Tempo::Normal,
            delay: Duration::ZERO,
            arrivals: Arrivals::default(),
            lost: BTreeSet::new(),
            losing: 0.0,
            repeating: 0.0,
            counts: JitterCounts::default(),
        }
    }
}

impl JitterBuffer {
    pub fn push(&mut self, packet: ReceivedAudio) -> Taken {
        let Some(samples) = samples_in(&packet.data) else {
            return Taken::Broken;
        };
        self.counts.received += 1;
        let mut taken = Taken::Held;
        let (mut sequence, mut rtp) = self.unwrap(&packet);
        if self.other_stream(sequence, rtp, packet.arrived) {
            self.restart();
            (sequence, rtp) = self.unwrap(&packet);
            taken = Taken::Restarted;
        }
        if self.next.is_some_and(|next| sequence < next) {
            return self.too_late(sequence);
        }
        if self.packets.contains_key(&sequence) {
            self.counts.duplicate += 1;
            return Taken::Duplicate;
        }
        if self.newest.is_none_or(|(newest, _)| sequence > newest) {
            self.newest = Some((sequence, rtp));
        }
        self.arrivals.take(packet.arrived, rtp);
        let repeats = f32::from(u8::from(repeats_last(&packet.data)));
        self.repeating += (repeats - self.repeating) * WEIGHT * 4.0;
        let held = Held {
            data: packet.data,
            rtp,
            samples: samples as i64,
        };
        self.packets.insert(sequence, held);
        if self.packets.len() > MOST_PACKETS {
            self.skip_first();
        }
        taken
    }

    /// Sound is asked for at `at`, with `queued` decoded samples to be heard
    /// before it.
    pub fn next(&mut self, at: Instant, queued: usize) -> Next {
        loop {
            let decided = match self.state {
                State::Filling => self.fill(at, queued),
                State::Playing => self.play(at, queued),
            };
            if let Some(next) = decided {
                return next;
            }
        }
    }

    /// Whether the sender says that it is muted. What still comes is played;
    /// what does not is not missed. Packets travel faster than that word, so a
    /// packet is never refused for it.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub fn counts(&self) -> JitterCounts {
        self.counts
    }

    /// How long after the earliest possible time sound is heard.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// What the delay should be: what almost all packets need, and a packet
    /// more while FEC has something to bring back.
    pub fn target(&self) -> Duration {
        let fec = self.losing > WORTH_WAITING && self.repeating > 0.2;
        let wait = if fec { self.samples } else { 0 };
        self.arrivals.target() + Duration::from_micros(wait as u64 * 1_000_000 / u64::from(RATE))
    }

    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub fn jitter(&self) -> Duration {
        self.arrivals.jitter()
    }

    /// `None`: the state changed, decide again.
    fn fill(&mut self, at: Instant, queued: usize) -> Option<Next> {
        let pause = Next::Pause { samples: STEP };
        let Some((sequence, rtp)) = self.packets.iter().next().map(|(s, h)| (*s, h.rtp)) else {
            return Some(pause);
        };
        if self.delay_of(rtp, at, queued) < self.target() {
            return Some(pause);
        }
        // A burst after an outage: begin where the target says.
        let second = self.packets.values().nth(1).map(|held| held.rtp);
        if second.is_some_and(|rtp| self.delay_of(rtp, at, queued) > self.target() + TOO_MUCH) {
            self.skip_first();
            return None;
        }
        if let Some(next) = self.next {
            self.note_lost(next..sequence);
        }
        self.next = Some(sequence);
        self.position = rtp;
        self.hidden = 0;
        self.tempo = Tempo::Normal;
        self.state = State::Playing;
        None
    }

    fn play(&mut self, at: Instant, queued: usize) -> Option<Next> {
        let next = self.next?;
        let Some((sequence, rtp)) = self.packets.iter().next().map(|(s, h)| (*s, h.rtp)) else {
            return self.run_dry();
        };
        if sequence > next {
            return self.hole(next, sequence, rtp);
        }
        if rtp - self.position > self.hidden + STEP as i64 {
            // The sender said nothing in between.
            self.state = State::Filling;
            return None;
        }
        self.delay = self.delay_of(rtp, at, queued);
        if self.delay > self.target() + FAR_TOO_MUCH && self.packets.len() > 1 {
            self.skip_first();
            self.next = Some(next + 1);
            self.position = self.packets.values().next().map_or(rtp, |held| held.rtp);
            self.hidden = 0;
            return None;
        }
        let held = self.packets.remove(&sequence)?;
        self.next = Some(next + 1);
        self.position = held.rtp + held.samples;
        self.hidden = 0;
        self.samples = held.samples;
        self.pausing = begins_pause(&held.data);
        self.losing -= self.losing * WEIGHT;
        self.tempo = self.choose_tempo();
        Some(Next::Play {
            data: held.data,
            tempo: self.tempo,
        })
    }

    /// Nothing is here to be played.
    fn run_dry(&mut self) -> Option<Next> {
        if self.pausing || self.muted || self.hidden >= HIDE_MOST {
            self.state = State::Filling;
            return None;
        }
        self.hidden += self.samples;
        Some(self.conceal())
    }

    /// `sequence` is here and `next` before it is not.
    fn hole(&mut self, next: i64, sequence: i64, rtp: i64) -> Option<Next> {
        let missing = sequence - next;
        if rtp - self.position > OUTAGE || missing * self.samples > OUTAGE {
            self.note_lost(next..sequence);
            self.next = Some(sequence);
            self.state = State::Filling;
            return None;
        }
        self.note_lost(next..next + 1);
        self.next = Some(next + 1);
        if self.hidden >= self.samples {
            // Its time was filled already.
            self.hidden -= self.samples;
            self.position += self.samples;
            return None;
        }
        self.hidden = 0;
        self.position += self.samples;
        let from = self.packets.get(&sequence).map(|held| held.data.clone());
        match from {
            Some(from) if missing == 1 && repeats_last(&from) => {
                self.counts.recovered += 1;
                Some(Next::Recover {
                    samples: self.samples as usize,
                    from,
                })
            }
            _ => Some(self.conceal()),
        }
    }

    fn conceal(&mut self) -> Next {
        self.counts.concealed += self.samples as u64;
        Next::Conceal {
            samples: self.samples as usize,
        }
    }

    fn choose_tempo(&self) -> Tempo {
        let (delay, target) = (self.delay, self.target());
        match self.tempo {
            Tempo::Faster if delay > target + CLOSE => Tempo::Faster,
            Tempo::Slower if delay < target => Tempo::Slower,
            _ if delay > target + TOO_MUCH => Tempo::Faster,
            _ if delay + TOO_LITTLE < target => Tempo::Slower,
            _ => Tempo::Normal,
        }
    }

    fn delay_of(&self, rtp: i64, at: Instant, queued: usize) -> Duration {
        let heard = at + Duration::from_micros(queued as u64 * 1_000_000 / u64::from(RATE));
        self.arrivals.delay_of(rtp, heard)
    }

    fn unwrap(&self, packet: &ReceivedAudio) -> (i64, i64) {
        match self.newest {
            None => (i64::from(packet.sequence), i64::from(packet.rtp_time)),
            Some((sequence, rtp)) => (
                sequence + i64::from(packet.sequence.wrapping_sub(sequence as u16) as i16),
                rtp + i64::from(packet.rtp_time.wrapping_sub(rtp as u32) as i32),
            ),
        }
    }

    fn other_stream(&self, sequence: i64, rtp: i64, arrived: Instant) -> bool {
        let Some((newest, _)) = self.newest else {
            return false;
        };
        (sequence - newest).abs() > OTHER_STREAM
            || self.arrivals.surprise(arrived, rtp) > OTHER_TIME
    }

    fn restart(&mut self) {
        *self = Self {
            counts: self.counts,
            muted: self.muted,
            ..Self::default()
        };
    }

    fn too_late(&mut self, sequence: i64) -> Taken {
        if self.lost.remove(&sequence) {
            self.counts.late += 1;
            Taken::Late
        } else {
            self.counts.duplicate += 1;
            Taken::Duplicate
        }
    }

    fn note_lost(&mut self, sequences: std::ops::Range<i64>) {
        self.counts.lost += sequences.end.saturating_sub(sequences.start).max(0) as u64;
        if sequences.end - sequences.start == 1 {
            self.losing += (1.0 - self.losing) * WEIGHT;
        }
        let remembered = sequences.end - LOST_REMEMBERED as i64;
        self.lost
            .extend(sequences.start.max(remembered)..sequences.end);
        while self.lost.len() > LOST_REMEMBERED {
            self.lost.pop_first();
        }
    }

    fn skip_first(&mut self) {
        if let Some((sequence, held)) = self.packets.pop_first() {
            self.counts.skipped += 1;
            // What lies before it is not waited for.
            if let Some(next) = self.next
                && sequence >= next
            {
                self.note_lost(next..sequence);
                self.next = Some(sequence + 1);
                self.position = held.rtp + held.samples;
                self.hidden = 0;
            }
        }
    }
}
