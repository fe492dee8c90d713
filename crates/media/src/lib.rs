//! Calls for real: devices, codecs, frame encryption and webrtc-rs peers,
//! under the orders of the client. Runs without a window.
//!
//! It decides nothing about who may call, ring or hear: that is the client's,
//! whose [`sotto_client::call::media::MediaOrder`]s it obeys and whose
//! [`sotto_client::call::media::MediaReport`]s it makes. No type of a WebRTC
//! library, a codec or a device library leaves this crate.
//!
//! ```text
//! microphone → processing → Opus ─┐
//! camera, screen → scale → VP8 ───┴→ SFrame → RTP, pacing, GCC → peers
//! peers → RTP → order → SFrame ─┬→ jitter buffer → Opus → mix → speaker
//!                               └→ VP8 → newest frame of each tile → page
//! ```

pub mod audio;
pub mod console;
pub mod device;
pub mod peer;
pub mod sealing;
pub mod session;
pub mod video;

pub use session::{Media, Preview, Setup, Shown};
