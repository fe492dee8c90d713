//! The uncompressed start of a VP8 frame (RFC 6386 §9.1): what can be known
//! before the codec sees a stranger's bytes.

use super::Vp8Error;
use crate::video::Size;

/// The most bytes of one frame. A 4K keyframe at its best quality is below.
pub const MAX_FRAME: usize = 4 << 20;
/// The longest side of a decoded picture.
pub const MAX_SIDE: u32 = 4096;
/// The most pixels of a decoded picture: 4096 × 2304. The codec keeps about
/// six pictures, 85 MB at this size.
pub const MAX_AREA: u64 = 4096 * 2304;

/// What a frame says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The picture's size, of a keyframe only.
    pub keyframe: Option<Size>,
    /// Frames that are not shown only change what later ones refer to.
    pub shown: bool,
}

impl Header {
    /// Read it, and refuse what the codec must not see.
    pub fn parse(frame: &[u8]) -> Result<Self, Vp8Error> {
        if frame.len() > MAX_FRAME {
            return Err(Vp8Error::TooLarge);
        }
        let Some((tag, rest)) = frame.split_first_chunk::<3>() else {
            return Err(Vp8Error::Broken);
        };
        let bits = u32::from_le_bytes([tag[0], tag[1], tag[2], 0]);
        let version = (bits >> 1) & 7;
        let first_partition = (bits >> 5) as usize;
        let shown = bits & 0x10 != 0;
        if version > 3 {
            return Err(Vp8Error::Broken);
        }
        if bits & 1 != 0 {
            if first_partition == 0 || first_partition > rest.len() {
                return Err(Vp8Error::Broken);
            }
            return Ok(Self {
                keyframe: None,
                shown,
            });
        }
        let Some((start, rest)) = rest.split_first_chunk::<7>() else {
            return Err(Vp8Error::Broken);
        };
        let [0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *start else {
            return Err(Vp8Error::Broken);
        };
        if first_partition == 0 || first_partition > rest.len() {
            return Err(Vp8Error::Broken);
        }
        // The upper two bits are a scaling hint that nobody follows.
        let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
        let size = Size::new(side(w0, w1), side(h0, h1));
        if size.area() == 0 {
            return Err(Vp8Error::Broken);
        }
        if size.width > MAX_SIDE || size.height > MAX_SIDE || size.area() > MAX_AREA {
            return Err(Vp8Error::TooLarge);
        }
        Ok(Self {
            keyframe: Some(size),
            shown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyframe(width: u16, height: u16) -> Vec<u8> {
        let [w0, w1] = width.to_le_bytes();
        let [h0, h1] = height.to_le_bytes();
        // Shown, version 0, a first partition of one byte.
        vec![0x30, 0, 0, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, 0]
    }

    #[test]
    fn a_keyframe_tells_its_size() {
        let header = Header::parse(&keyframe(1280, 720)).expect("a header");
        assert_eq!(header.keyframe, Some(Size::new(1280, 720)));
        assert!(header.shown);
    }

    #[test]
    fn what_is_too_large_or_empty_is_refused_before_the_codec_sees_it() {
        assert_eq!(Header::parse(&keyframe(5000, 16)), Err(Vp8Error::TooLarge));
        assert_eq!(
            Header::parse(&keyframe(4096, 4096)),
            Err(Vp8Error::TooLarge)
        );
        assert_eq!(Header::parse(&keyframe(0, 720)), Err(Vp8Error::Broken));
        assert_eq!(Header::parse(&[]), Err(Vp8Error::Broken));
        assert_eq!(Header::parse(&[0x31, 0]), Err(Vp8Error::Broken));
        assert_eq!(
            Header::parse(&vec![0; MAX_FRAME + 1]),
            Err(Vp8Error::TooLarge)
        );
    }

    #[test]
    fn a_partition_beyond_the_frame_is_refused() {
        let mut frame = keyframe(16, 16);
        frame[1] = 0xff;
        assert_eq!(Header::parse(&frame), Err(Vp8Error::Broken));
        assert_eq!(Header::parse(&[0xf1, 0xff, 0x0f, 1]), Err(Vp8Error::Broken));
    }
}
