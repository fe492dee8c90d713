//! Pictures: from captured frames to VP8 and back to the tiles of a page.
//! Nothing queues on the way but a peer's frames before its decoder, and that
//! queue is short: everywhere else the newest picture replaces the last.
//!
//! It knows no peer, no packet and no key: frames go out through a callback
//! and come in by a call.
//!
//! ```text
//! source → newest → rate → scale → VP8 → callback        (VideoSender)
//!              └→ own tile
//! frames → short queue → VP8 → newest → scale, when pulled (VideoReceiver, Tile)
//! ```

use bytes::Bytes;
use std::time::Instant;

pub mod adaptation;
pub mod newest;
pub mod picture;
pub mod receiver;
pub mod sender;
pub mod source;
pub mod tile;
pub mod vp8;

pub use adaptation::{Adaptation, Seen, Wish};
pub use receiver::{ReceiverEvent, ReceiverStats, VideoReceiver};
pub use sender::{SenderStats, Sent, VideoSender};
pub use tile::{Tile, TileFrame};

/// Ticks a second of the RTP clock of video (RFC 7741 §4.1).
pub const CLOCK: u32 = 90_000;

/// A picture in I420: BT.601 in studio range (luma 16 to 235) as WebRTC has
/// it, planes without padding, chroma halved (rounded up) both ways. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    /// Y, then U, then V.
    pub data: Bytes,
    /// When it was captured, or decoded.
    pub at: Instant,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// What a picture shows, which decides how it is encoded and what gives way
/// when the network is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// People: smooth first.
    Camera,
    /// A screen to be read: sharp first, few frames.
    Text,
    /// A screen that moves: smooth first.
    Motion,
}

/// The two pictures a participant can send at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoKind {
    Camera,
    Screen,
}

/// One whole VP8 frame (RFC 7741), not yet encrypted, or decrypted.
#[derive(Debug, Clone)]
pub struct EncodedVideo {
    pub data: Bytes,
    pub keyframe: bool,
    /// RTP time, 90 kHz; wraps. Frames of one picture share it.
    pub rtp_time: u32,
}
