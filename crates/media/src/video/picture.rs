//! What a picture is made of, and the bounds that every picture keeps. Pixels
//! come from cameras, files and strangers' encoders, so every size is checked
//! before anything is read or allocated.

use super::{Picture, Size};
use bytes::Bytes;
use std::time::Instant;

mod convert;
mod huffman;
mod scale;

#[cfg(test)]
mod tests;

pub use convert::{Layout, Raw, convert};
pub use scale::{Scaler, fit, fit_even};

/// The longest side of a picture. 8K screens fit; raising it costs 1.5 bytes
/// for each pixel more.
pub const MAX_SIDE: u32 = 8192;
/// The most pixels of a picture: 8192 × 4608.
pub const MAX_AREA: u64 = 8192 * 4608;

/// Why bytes are not a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PictureError {
    #[error("the picture has no pixels or too many")]
    Size,
    #[error("the picture has fewer bytes than its size needs")]
    Short,
    #[error("the picture cannot be read")]
    Broken,
}

impl Size {
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Bytes of a picture of this size in I420, or why there is none.
    pub fn bytes(self) -> Result<usize, PictureError> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&self.width) || !sides.contains(&self.height) || self.area() > MAX_AREA {
            return Err(PictureError::Size);
        }
        Ok(self.luma() + 2 * self.chroma())
    }

    fn luma(self) -> usize {
        self.width as usize * self.height as usize
    }

    fn chroma(self) -> usize {
        self.chroma_width() * self.height.div_ceil(2) as usize
    }

    fn chroma_width(self) -> usize {
        self.width.div_ceil(2) as usize
    }
}

impl Picture {
    /// A picture of I420 bytes; more bytes than it needs are cut off.
    pub fn new(size: Size, data: impl Into<Bytes>, at: Instant) -> Result<Self, PictureError> {
        let mut data = data.into();
        let bytes = size.bytes()?;
        if data.len() < bytes {
            return Err(PictureError::Short);
        }
        data.truncate(bytes);
        Ok(Self {
            width: size.width,
            height: size.height,
            data,
            at,
        })
    }

    pub fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }

    /// Y, U and V. Rows follow each other without padding: `width` bytes, and
    /// `width / 2` rounded up.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (luma, rest) = self.data.split_at(self.size().luma());
        let (blue, red) = rest.split_at(self.size().chroma());
        [luma, blue, red]
    }

    /// Cut at the right and bottom edge so that both sides are even, as
    /// encoders want them; a side of 1 is doubled instead.
    pub fn even(self) -> Self {
        let even = |side: u32| if side == 1 { 2 } else { side & !1 };
        let size = Size::new(even(self.width), even(self.height));
        if size == self.size() {
            return self;
        }
        let mut data = Vec::with_capacity(size.luma() + 2 * size.chroma());
        let [luma, blue, red] = self.planes();
        let shapes = [
            (luma, self.width as usize, size.width, size.height),
            (
                blue,
                self.size().chroma_width(),
                size.width / 2,
                size.height / 2,
            ),
            (
                red,
                self.size().chroma_width(),
                size.width / 2,
                size.height / 2,
            ),
        ];
        for (plane, stride, width, height) in shapes {
            let rows = plane.chunks_exact(stride);
            let last = rows.clone().next_back().unwrap_or_default();
            for row in rows.chain([last]).take(height as usize) {
                let kept = &row[..row.len().min(width as usize)];
                data.extend_from_slice(kept);
                let missing = width as usize - kept.len();
                data.extend(std::iter::repeat_n(row[row.len() - 1], missing));
            }
        }
        Self {
            width: size.width,
            height: size.height,
            data: data.into(),
            at: self.at,
        }
    }
}

/// Planes to be drawn or converted into, all black.
pub(crate) fn black(size: Size) -> Result<Vec<u8>, PictureError> {
    let mut data = vec![128; size.bytes()?];
    data[..size.luma()].fill(16);
    Ok(data)
}

/// The three planes of a buffer of [`Size::bytes`] bytes.
pub(crate) fn planes_mut(size: Size, data: &mut [u8]) -> [&mut [u8]; 3] {
    let (luma, rest) = data.split_at_mut(size.luma());
    let (blue, red) = rest.split_at_mut(size.chroma());
    [luma, blue, red]
}
