//! One remote voice: packets in, steps of sound out. No thread and no clock of
//! its own.

use super::decode::Decoder;
use super::encode::CodecFailed;
use super::jitter::{JitterBuffer, Next, Tempo};
use super::level::{Meter, SILENCE_DB, Speaking, rms_db};
use super::{PACKET, RATE, ReceivedAudio, STEP, Step, millis_of, stretch};
use std::collections::VecDeque;
use std::time::Instant;

/// What is known of a voice. Counts since the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReceiverStats {
    pub received: u64,
    /// Packets that never came in time.
    pub lost: u64,
    /// Of those, the ones that came after all.
    pub late: u64,
    pub duplicate: u64,
    /// Dropped before the jitter buffer, which had no room for them.
    pub overflowed: u64,
    /// Sound brought back by FEC, ms.
    pub recovered_ms: u64,
    /// Sound made up, ms.
    pub concealed_ms: u64,
    /// Sound played, pauses not counted, ms.
    pub played_ms: u64,
    /// Interarrival jitter, ms (RFC 3550).
    pub jitter_ms: u32,
    /// From the earliest possible time to being heard, ms, the speaker's own
    /// delay not counted.
    pub delay_ms: u32,
    /// What the delay should be, ms.
    pub target_ms: u32,
    /// dBFS, before the volume.
    pub level_db: f32,
    pub speaking: bool,
}

impl Default for ReceiverStats {
    fn default() -> Self {
        Self {
            received: 0,
            lost: 0,
            late: 0,
            duplicate: 0,
            overflowed: 0,
            recovered_ms: 0,
            concealed_ms: 0,
            played_ms: 0,
            jitter_ms: 0,
            delay_ms: 0,
            target_ms: 0,
            level_db: SILENCE_DB,
            speaking: false,
        }
    }
}

/// Comfort noise lasts this long without a word of the sender, who renews a
/// pause each 400 ms (RFC 7587 §3.1.3): whoever is muted says nothing more, and
/// what the codec takes for their background must end.
const COMFORT: usize = RATE as usize * 6 / 10;

pub struct Receiver {
    jitter: JitterBuffer,
    decoder: Decoder,
    /// Decoded and not yet heard.
    queue: VecDeque<f32>,
    block: Vec<f32>,
    /// Comfort noise is due for so many samples more: the sender announced a
    /// pause.
    comfort: usize,
    /// The last block was silence.
    silent: bool,
    meter: Meter,
    speaking: Speaking,
    played: u64,
    recovered: u64,
}

impl Receiver {
    pub fn new() -> Result<Self, CodecFailed> {
        Ok(Self {
            jitter: JitterBuffer::default(),
            decoder: Decoder::new()?,
            queue: VecDeque::with_capacity(4 * PACKET),
            block: Vec::with_capacity(2 * PACKET),
            comfort: 0,
            silent: true,
            meter: Meter::default(),
            speaking: Speaking::default(),
            played: 0,
            recovered: 0,
        })
    }

    pub fn push(&mut self, packet: ReceivedAudio) {
        if self.jitter.push(packet) == super::jitter::Taken::Restarted {
            self.decoder.reset();
        }
    }

    /// See [`JitterBuffer::set_muted`].
    pub fn set_muted(&mut self, muted: bool) {
        self.jitter.set_muted(muted);
    }

    /// The next 10 ms, asked for at `at` (see [`super::clock`]).
    pub fn pull(&mut self, at: Instant, out: &mut Step) {
        while self.queue.len() < STEP {
            let next = self.jitter.next(at, self.queue.len());
            self.make(next);
        }
        for (to, from) in out.iter_mut().zip(self.queue.drain(..STEP)) {
            *to = from;
        }
        self.meter.hear(out);
        self.speaking.hear(rms_db(out));
    }

    pub fn stats(&self) -> ReceiverStats {
        let counts = self.jitter.counts();
        let millis = |d: std::time::Duration| d.as_millis().min(u128::from(u32::MAX)) as u32;
        ReceiverStats {
            received: counts.received,
            lost: counts.lost,
            late: counts.late,
            duplicate: counts.duplicate,
            overflowed: counts.skipped,
            recovered_ms: millis_of(self.recovered),
            concealed_ms: millis_of(counts.concealed),
            played_ms: millis_of(self.played),
            jitter_ms: millis(self.jitter.jitter()),
            delay_ms: millis(self.jitter.delay()),
            target_ms: millis(self.jitter.target()),
            level_db: self.meter.db(),
            speaking: self.speaking.speaks(),
        }
    }

    /// Turns a decision into samples; always at least one step of them.
    fn make(&mut self, next: Next) {
        self.block.clear();
        let mut sound = true;
        match next {
            Next::Play { data, tempo } => {
                let made = self.decoder.decode(&data);
                take(&mut self.block, made);
                let pause = super::decode::begins_pause(&data);
                self.comfort = if pause { COMFORT } else { 0 };
                match tempo {
                    Tempo::Normal => 0,
                    Tempo::Faster => stretch::shorten(&mut self.block),
                    Tempo::Slower => stretch::lengthen(&mut self.block),
                };
            }
            Next::Recover { samples, from } => {
                let made = self.decoder.recover(&from, samples);
                take(&mut self.block, made);
                self.recovered += samples as u64;
            }
            Next::Conceal { samples } => {
                let made = self.decoder.conceal(samples);
                take(&mut self.block, made);
            }
            Next::Pause { samples } if self.comfort > 0 => {
                self.comfort = self.comfort.saturating_sub(samples);
                let made = self.decoder.conceal(samples);
                take(&mut self.block, made);
                sound = false;
            }
            Next::Pause { samples } => {
                self.fall_silent(samples);
                sound = false;
            }
        }
        if self.block.len() < STEP {
            // A packet that does not decode, or one of less than 10 ms: the
            // latter is legal, so it is not filled up but added to.
            let short = std::mem::take(&mut self.block);
            self.queue.extend(short.iter());
            self.block = short;
            if self.block.is_empty() {
                self.queue.extend([0.0; STEP]);
            }
            return;
        }
        if sound && !self.block.iter().all(|s| *s == 0.0) {
            self.played += self.block.len() as u64;
            if std::mem::take(&mut self.silent) {
                ramp(&mut self.block[..STEP / 2], 0.0, 1.0);
            }
        }
        self.queue.extend(self.block.iter());
    }

    /// Silence; from sound, by way of a short fade.
    fn fall_silent(&mut self, samples: usize) {
        if !std::mem::replace(&mut self.silent, true)
            && let Ok(tail) = self.decoder.conceal(samples)
        {
            self.block.extend_from_slice(tail);
            ramp(&mut self.block, 1.0, 0.0);
        }
        self.block.resize(samples, 0.0);
    }
}

fn take(block: &mut Vec<f32>, made: Result<&[f32], CodecFailed>) {
    if let Ok(samples) = made {
        block.extend_from_slice(samples);
    }
}

fn ramp(samples: &mut [f32], from: f32, to: f32) {
    let count = samples.len().max(1) as f32;
    for (n, sample) in samples.iter_mut().enumerate() {
        *sample *= from + (to - from) * n as f32 / count;
    }
}

#[cfg(test)]
mod tests;
