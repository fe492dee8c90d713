//! Opus, the way out: 48 kHz mono, 20 ms, for voice (RFC 6716, RFC 7587).

use super::{EncodedAudio, PACKET, RATE, bitrate};
use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Signal};

/// Longer than any packet of these bitrates; the rest would be a fault.
const LARGEST: usize = 1275;
/// The loss from which libopus makes room for FEC, percent.
const LEAST_LOSS: u8 = 10;
/// Opus says with packets this small that nobody speaks.
pub(crate) const PAUSE_BYTES: usize = 2;

/// Turns packets' worth of samples into Opus. Constant bitrate: the size of a
/// packet can be seen by everybody on the path, and sizes that follow the
/// voice give words away, encrypted or not.
pub struct Encoder {
    opus: opus::Encoder,
    rtp_time: u32,
    bitrate: u32,
    loss: u8,
    pausing: bool,
    first: bool,
    buffer: [u8; LARGEST],
}

/// libopus would not do what it promises for these parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Opus codec failed")]
pub struct CodecFailed;

impl From<opus::Error> for CodecFailed {
    fn from(_: opus::Error) -> Self {
        Self
    }
}

impl Encoder {
    pub fn new() -> Result<Self, CodecFailed> {
        let mut opus = opus::Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        opus.set_bitrate(Bitrate::Bits(bitrate::START as i32))?;
        opus.set_vbr(false)?;
        opus.set_inband_fec(true)?;
        opus.set_packet_loss_perc(0)?;
        opus.set_dtx(true)?;
        opus.set_signal(Signal::Voice)?;
        opus.set_complexity(8)?;
        Ok(Self {
            opus,
            rtp_time: 0,
            bitrate: bitrate::START,
            loss: 0,
            pausing: false,
            first: true,
            buffer: [0; LARGEST],
        })
    }

    /// Encodes the next 20 ms. `None`: nobody speaks and the others know
    /// already. RTP time goes on either way.
    pub fn encode(&mut self, samples: &[f32; PACKET]) -> Result<Option<EncodedAudio>, CodecFailed> {
        let rtp_time = self.rtp_time;
        self.rtp_time = rtp_time.wrapping_add(PACKET as u32);
        let length = self.opus.encode_float(samples, &mut self.buffer)?;
        let pause = length <= PAUSE_BYTES;
        let known = pause && self.pausing;
        self.pausing = pause;
        if known {
            self.first = true;
            return Ok(None);
        }
        Ok(Some(EncodedAudio {
            data: Bytes::copy_from_slice(&self.buffer[..length]),
            rtp_time,
            first: std::mem::replace(&mut self.first, pause),
        }))
    }

    /// Ends a spurt: 20 ms of silence, and a packet that announces a pause (a
    /// frame of no bytes, RFC 6716 §3.4). Nothing if there is none to end.
    pub fn end(&mut self) -> Vec<EncodedAudio> {
        if self.first || self.pausing {
            return Vec::new();
        }
        let Ok(Some(silence)) = self.encode(&[0.0; PACKET]) else {
            return Vec::new();
        };
        let mut packets = vec![silence];
        if !self.pausing {
            let one_frame = packets[0].data[0] & !0b11;
            packets.push(EncodedAudio {
                data: Bytes::copy_from_slice(&[one_frame]),
                rtp_time: self.rtp_time,
                first: false,
            });
            self.rtp_time = self.rtp_time.wrapping_add(PACKET as u32);
            self.pausing = true;
            self.first = true;
        }
        packets
    }

    /// Time passed in which nothing was captured: RTP time goes on with it, so
    /// that the others neither wait nor hurry, and a new spurt begins.
    pub fn skip(&mut self, packets: u32) {
        self.rtp_time = self
            .rtp_time
            .wrapping_add(packets.wrapping_mul(PACKET as u32));
        self.first = true;
        self.pausing = false;
        // What was said before the gap says nothing about what comes after.
        let _ = self.opus.reset_state();
    }

    /// One of [`bitrate::STEPS`].
    pub fn set_bitrate(&mut self, bits: u32) -> Result<(), CodecFailed> {
        if bits != self.bitrate {
            self.opus.set_bitrate(Bitrate::Bits(bits as i32))?;
            self.bitrate = bits;
        }
        Ok(())
    }

    pub fn bitrate(&self) -> u32 {
        self.bitrate
    }

    /// How many of a hundred packets get lost, as the receivers report it: how
    /// much each packet repeats of the one before (FEC). Below 20 kbit/s there
    /// is no room to repeat anything.
    pub fn set_loss(&mut self, percent: u8) -> Result<(), CodecFailed> {
        // For less than this libopus repeats nothing at 32 kbit/s.
        let percent = match percent {
            0 => 0,
            lost => lost.clamp(LEAST_LOSS, 50),
        };
        if percent != self.loss {
            self.opus.set_packet_loss_perc(i32::from(percent))?;
            self.loss = percent;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(n: usize) -> [f32; PACKET] {
        std::array::from_fn(|i| {
            let t = (n * PACKET + i) as f32;
            0.3 * (t * std::f32::consts::TAU * 440.0 / RATE as f32).sin()
        })
    }

    #[test]
    fn packets_of_a_voice_have_one_size() {
        let mut encoder = Encoder::new().expect("opus");
        let sizes: Vec<usize> = (0..50)
            .filter_map(|n| encoder.encode(&tone(n)).expect("opus"))
            .map(|p| p.data.len())
            .collect();
        assert_eq!(sizes.len(), 50);
        assert!(sizes.iter().all(|s| *s == sizes[0]), "{sizes:?}");
        assert_eq!(sizes[0], 80, "32 kbit/s");
    }

    #[test]
    fn silence_is_announced_once_and_then_costs_almost_nothing() {
        let mut encoder = Encoder::new().expect("opus");
        for n in 0..50 {
            encoder.encode(&tone(n)).expect("opus");
        }
        let sent: Vec<EncodedAudio> = (0..250)
            .filter_map(|_| encoder.encode(&[0.0; PACKET]).expect("opus"))
            .collect();
        assert!(sent.len() < 60, "{} of 250", sent.len());
        assert!(sent.iter().any(|p| p.data.len() <= PAUSE_BYTES));
        let speech = encoder.encode(&tone(300)).expect("opus").expect("speech");
        assert!(speech.first);
        assert_eq!(speech.rtp_time, 300 * PACKET as u32);
    }

    #[test]
    fn after_a_gap_a_new_spurt_begins_at_its_time() {
        let mut encoder = Encoder::new().expect("opus");
        assert!(encoder.encode(&tone(0)).expect("opus").expect("p").first);
        assert!(!encoder.encode(&tone(1)).expect("opus").expect("p").first);
        encoder.skip(10);
        let packet = encoder.encode(&tone(12)).expect("opus").expect("p");
        assert!(packet.first);
        assert_eq!(packet.rtp_time, 12 * PACKET as u32);
    }

    #[test]
    fn the_bitrate_follows() {
        let mut encoder = Encoder::new().expect("opus");
        encoder.set_bitrate(12_000).expect("opus");
        encoder.set_loss(20).expect("opus");
        let packet = encoder.encode(&tone(0)).expect("opus").expect("p");
        assert_eq!(packet.data.len(), 30);
    }
}
