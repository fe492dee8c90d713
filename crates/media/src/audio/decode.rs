//! Opus, the way in, and what of its packets must be known without decoding.

use super::{PACKET, RATE, encode::CodecFailed, encode::PAUSE_BYTES};
use opus::Channels;

/// Samples of the longest packet there is, 120 ms (RFC 6716 §3.2.5).
pub const LONGEST: usize = 5760;

/// How many samples the packet holds; `None` if it is not Opus.
pub fn samples_in(packet: &[u8]) -> Option<usize> {
    if packet.is_empty() {
        return None;
    }
    let samples = opus::packet::get_nb_samples(packet, RATE).ok()?;
    (1..=LONGEST).contains(&samples).then_some(samples)
}

/// The sender says that nobody speaks from here on (DTX).
pub fn begins_pause(packet: &[u8]) -> bool {
    packet.len() <= PAUSE_BYTES
}

/// Whether the packet repeats the one before it (in-band FEC): the LBRR flag
/// of the first SILK frame, RFC 6716 §4.2.3, for one mono frame in a packet.
pub fn repeats_last(packet: &[u8]) -> bool {
    let [toc, first, ..] = packet else {
        return false;
    };
    let celt_only = toc & 0x80 != 0;
    let one_mono_frame = toc & 0x07 == 0;
    if celt_only || !one_mono_frame || begins_pause(packet) {
        return false;
    }
    // A SILK frame is 10 or 20 ms, longer ones are several.
    let frames = match samples_in(packet) {
        Some(n) if n <= PACKET => 1,
        Some(n) => n / PACKET,
        None => return false,
    };
    first >> (7 - frames.min(3)) & 1 == 1
}

pub struct Decoder {
    opus: opus::Decoder,
    buffer: Vec<f32>,
}

impl Decoder {
    pub fn new() -> Result<Self, CodecFailed> {
        Ok(Self {
            opus: opus::Decoder::new(RATE, Channels::Mono)?,
            buffer: vec![0.0; LONGEST],
        })
    }

    /// Decodes a packet.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[f32], CodecFailed> {
        self.run(packet, LONGEST, false)
    }

    /// Makes the `samples` before `next` from what `next` repeats of them.
    pub fn recover(&mut self, next: &[u8], samples: usize) -> Result<&[f32], CodecFailed> {
        self.run(next, samples, true)
    }

    /// Makes up `samples` for a packet that is not there: goes on as before
    /// and fades, or after a pause's begin makes comfort noise.
    pub fn conceal(&mut self, samples: usize) -> Result<&[f32], CodecFailed> {
        self.run(&[], samples, false)
    }

    pub fn reset(&mut self) {
        let _ = self.opus.reset_state();
    }

    fn run(&mut self, packet: &[u8], room: usize, fec: bool) -> Result<&[f32], CodecFailed> {
        // Made-up sound comes in multiples of 2.5 ms.
        let room = room.clamp(120, LONGEST) / 120 * 120;
        let made = self
            .opus
            .decode_float(packet, &mut self.buffer[..room], fec)?;
        Ok(&self.buffer[..made])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::encode::Encoder;

    /// Syllables: what a codec takes for speech.
    fn voice(n: usize) -> [f32; PACKET] {
        std::array::from_fn(|i| {
            let t = (n * PACKET + i) as f32 / RATE as f32;
            let syllable = 0.55 - 0.45 * (t * std::f32::consts::TAU * 4.0).cos();
            let pitch = t * std::f32::consts::TAU * 140.0;
            (1..20)
                .map(|k| (pitch * k as f32).sin() / k as f32)
                .sum::<f32>()
                * syllable
                * 0.2
        })
    }

    #[test]
    fn packets_repeat_the_last_one_only_when_loss_is_reported() {
        let repeats = |loss: u8, bits: u32| {
            let mut encoder = Encoder::new().expect("opus");
            encoder.set_loss(loss).expect("opus");
            encoder.set_bitrate(bits).expect("opus");
            (0..300)
                .filter_map(|n| encoder.encode(&voice(n)).expect("opus"))
                .filter(|p| repeats_last(&p.data))
                .count()
        };
        assert_eq!(repeats(0, 32_000), 0);
        // The loud part of each syllable is worth repeating.
        assert!(repeats(1, 32_000) > 180);
        assert!(repeats(20, 48_000) > 180);
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic() {
        let mut decoder = Decoder::new().expect("opus");
        let mut bytes = vec![0u8; 0];
        for n in 0..2000u32 {
            bytes.push((n.wrapping_mul(2_654_435_761) >> 13) as u8);
            if bytes.len() > 300 {
                bytes.clear();
            }
            let _ = samples_in(&bytes);
            let _ = repeats_last(&bytes);
            let _ = decoder.decode(&bytes);
            let _ = decoder.recover(&bytes, PACKET);
        }
        assert_eq!(decoder.conceal(PACKET).expect("opus").len(), PACKET);
    }
}
