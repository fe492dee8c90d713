//! What two ends tell each other about media over the data channel, below
//! everything the client decides. Small, versioned, and a stranger's octets:
//! what is not understood is ignored and counted.
//!
//! ```text
//! version (1) · kind of message · fields, big endian
//! shows: 1 · 1 · stream (0 camera, 1 screen) · width (2) · height (2)
//! ```

use crate::video::VideoKind;

/// The version spoken.
const VERSION: u8 = 1;

/// Longest message looked at, in octets. Fields may be added behind the ones
/// that are known: what is not known is not looked at.
pub(super) const LONGEST: usize = 64;

/// Widest and highest picture anyone can show, in pixels.
const MOST_PIXELS: u16 = 8192;

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// How large the sender of this message shows our picture, in pixels;
    /// 0 by 0 when it is not on their screen.
    Shows {
        kind: VideoKind,
        width: u16,
        height: u16,
    },
}

impl Control {
    pub(super) fn encode(self) -> Vec<u8> {
        match self {
            Self::Shows {
                kind,
                width,
                height,
            } => {
                let stream = match kind {
                    VideoKind::Camera => 0,
                    VideoKind::Screen => 1,
                };
                let mut octets = vec![VERSION, 1, stream];
                octets.extend_from_slice(&width.to_be_bytes());
                octets.extend_from_slice(&height.to_be_bytes());
                octets
            }
        }
    }

    /// `None` for what is malformed, out of bounds, or of another version.
    pub(super) fn decode(octets: &[u8]) -> Option<Self> {
        if octets.len() > LONGEST {
            return None;
        }
        let &[VERSION, 1, stream, w1, w0, h1, h0, ..] = octets else {
            return None;
        };
        let kind = match stream {
            0 => VideoKind::Camera,
            1 => VideoKind::Screen,
            _ => return None,
        };
        let width = u16::from_be_bytes([w1, w0]);
        let height = u16::from_be_bytes([h1, h0]);
        let bounded = width <= MOST_PIXELS && height <= MOST_PIXELS;
        let both = (width == 0) == (height == 0);
        (bounded && both).then_some(Self::Shows {
            kind,
            width,
            height,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWS: Control = Control::Shows {
        kind: VideoKind::Screen,
        width: 1280,
        height: 720,
    };

    #[test]
    fn what_is_said_is_heard() {
        let hidden = Control::Shows {
            kind: VideoKind::Camera,
            width: 0,
            height: 0,
        };
        for control in [SHOWS, hidden] {
            assert_eq!(Control::decode(&control.encode()), Some(control));
        }
    }

    #[test]
    fn the_octets_are_those_of_version_1() {
        assert_eq!(SHOWS.encode(), [1, 1, 1, 0x05, 0x00, 0x02, 0xd0]);
    }

    #[test]
    fn fields_that_were_added_later_are_not_looked_at() {
        let mut longer = SHOWS.encode();
        for more in 0..LONGEST - 7 {
            longer.push(more as u8);
            assert_eq!(Control::decode(&longer), Some(SHOWS), "{more} more");
        }
        longer.push(0);
        assert_eq!(Control::decode(&longer), None, "beyond what is looked at");
    }

    #[test]
    fn anything_else_is_ignored() {
        let check = |octets: &[u8]| assert_eq!(Control::decode(octets), None, "{octets:?}");
        check(&[]);
        check(&[2, 1, 1, 5, 0, 2, 208]);
        check(&[1, 9, 1, 5, 0, 2, 208]);
        check(&[1, 1, 2, 5, 0, 2, 208]);
        check(&[1, 1, 1, 5, 0, 2]);
        check(&[1, 1, 1, 0xff, 0xff, 2, 208]);
        check(&[1, 1, 1, 0, 0, 2, 208]);
        check(&[b'{'; 4096]);
    }
}
