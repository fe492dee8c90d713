//! Frame encryption: SFrame (RFC 9605) over whole encoded frames, before they
//! are cut into packets, so that nothing on the way can read or swap them.
//!
//! ```text
//! audio frame on the wire:            SFrame header · ciphertext · tag
//! video frame on the wire:  P octet · SFrame header · ciphertext · tag
//! ```
//! The P octet is what VP8 begins every frame with, reduced to its P bit
//! (RFC 7741 §4.3: 0 for a key frame): the transport of the other end needs it
//! to know where decoding can begin. It is authenticated, as is the stream a
//! frame belongs to, so a frame of the camera cannot be shown as the screen.
//!
//! Which keys exist, and when they change, is not decided here.

mod open;
mod seal;
mod window;

#[cfg(test)]
mod tests;

#[cfg(all(feature = "testing", not(debug_assertions)))]
compile_error!("a release build always encrypts frames: feature `testing` is for test builds");

pub use open::{OpenCounts, OpenError, OpenedFrame, Opener};
pub use seal::{SealError, Sealer};

use crate::video::VideoKind;
use sframe::CipherSuite;

/// AES-256-GCM with a 16-byte tag, keys by HKDF-SHA-512 (RFC 9605 §4.5).
const SUITE: CipherSuite = CipherSuite::AesGcm256Sha512;

/// First octet of the associated data: the layout above.
const LAYOUT: u8 = 1;

/// The three streams one participant can send. Part of what is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    Audio,
    Camera,
    Screen,
}

impl Stream {
    const COUNT: usize = 3;

    fn index(self) -> usize {
        match self {
            Self::Audio => 0,
            Self::Camera => 1,
            Self::Screen => 2,
        }
    }
}

impl From<VideoKind> for Stream {
    fn from(kind: VideoKind) -> Self {
        match kind {
            VideoKind::Camera => Self::Camera,
            VideoKind::Screen => Self::Screen,
        }
    }
}

/// What the tag covers besides header and payload. The call and the sender are
/// bound by the key itself, which is derived for them.
fn associated(stream: Stream, keyframe: bool) -> [u8; 3] {
    [LAYOUT, stream.index() as u8, u8::from(keyframe)]
}
