//! VP8 (RFC 6386) by libvpx, behind two small safe types. The only unsafe code
//! of this crate is in here: [`encoder`] and [`decoder`] talk to the library,
//! and everything that can be checked before is checked here.
//!
//! Both types stay on the thread that made them.

mod decoder;
mod encoder;
mod header;

#[cfg(test)]
mod tests;

pub use decoder::Decoder;
pub use encoder::{Encoded, Encoder, Settings};
pub use header::{Header, MAX_AREA, MAX_FRAME, MAX_SIDE};

/// Why a frame is not encoded or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Vp8Error {
    #[error("these settings cannot be encoded with")]
    Settings,
    #[error("the picture has another size than the encoder")]
    Size,
    #[error("the frame is not VP8 or is damaged")]
    Broken,
    #[error("the frame or its picture is too large")]
    TooLarge,
    #[error("a keyframe has to come first")]
    NeedsKeyframe,
    #[error("the codec does not work")]
    Library,
}
