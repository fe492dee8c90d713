//! Sound: from microphone samples to Opus packets and back to the speaker.
//!
//! ```text
//! microphone → Processor → Meter → Encoder → packets            (Capture)
//! packets → JitterBuffer → Decoder → stretch → volume ┐
//! packets → JitterBuffer → Decoder → stretch → volume ┴→ mix → limiter → speaker
//!                                                        └→ echo reference   (Playout)
//! ```
//!
//! Two threads do all of it, one for [`capture`] and one for [`playout`]; they
//! alone touch devices, which may block. Nothing here encrypts, sends or
//! decides who is heard.

pub mod bitrate;
pub mod capture;
pub mod chime;
pub mod clock;
pub mod decode;
pub mod echo;
pub mod encode;
pub mod jitter;
pub mod level;
pub mod mix;
pub mod pitch;
pub mod playout;
pub mod processing;
pub mod receiver;
pub mod resample;
pub mod stretch;

pub use capture::{Capture, CaptureEvent, CaptureStats, Mute};
pub use chime::{Chime, Ring};
pub use echo::EchoReference;
pub use playout::{Playout, PlayoutEvent, PlayoutStats, Voice};
pub use processing::Processing;
pub use receiver::ReceiverStats;

use bytes::Bytes;
use std::time::{Duration, Instant};

/// Samples a second everywhere inside: Opus's and the RTP clock's rate.
pub const RATE: u32 = 48_000;
/// Samples of one 20 ms packet.
pub const PACKET: usize = 960;
/// Samples of the 10 ms steps in which devices and processing work.
pub const STEP: usize = 480;
/// How long a step lasts.
pub const STEP_TIME: Duration = Duration::from_millis(10);

/// 10 ms of mono sound, full scale ±1.
pub type Step = [f32; STEP];

/// One Opus packet, not yet encrypted.
#[derive(Debug, Clone)]
pub struct EncodedAudio {
    pub data: Bytes,
    /// RTP time of its first sample, 48 kHz; wraps.
    pub rtp_time: u32,
    /// The first packet of a talk spurt (the RTP marker, RFC 7587 §4.1).
    pub first: bool,
}

/// One Opus packet of a peer, decrypted, as it came.
#[derive(Debug, Clone)]
pub struct ReceivedAudio {
    pub data: Bytes,
    /// RTP sequence number; wraps.
    pub sequence: u16,
    /// RTP time of its first sample, 48 kHz; wraps.
    pub rtp_time: u32,
    pub arrived: Instant,
}

/// How long that many samples last, in milliseconds.
pub(crate) fn millis_of(samples: u64) -> u64 {
    samples * 1000 / u64::from(RATE)
}
