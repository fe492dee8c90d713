//! Scaling, with the picture's shape kept: never larger than it is.

use super::{Picture, PictureError, planes_mut};
use crate::video::Size;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// The largest size of the shape of `of` within `within`. Never larger than
/// `of`, never 0.
pub fn fit(of: Size, within: Size) -> Size {
    if of.width <= within.width && of.height <= within.height {
        return of;
    }
    let wide = u64::from(of.width) * u64::from(within.height);
    let high = u64::from(of.height) * u64::from(within.width);
    let scaled = |side: u32, by: u32, of: u32| {
        let rounded = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of.max(1));
        (rounded as u32).max(1)
    };
    if wide > high {
        Size::new(
            within.width.max(1),
            scaled(of.height, within.width, of.width),
        )
    } else {
        Size::new(
            scaled(of.width, within.height, of.height),
            within.height.max(1),
        )
    }
}

/// [`fit`], with both sides even and at least 16, as an encoder wants them.
pub fn fit_even(of: Size, within: Size) -> Size {
    let size = fit(of, within);
    let even = |side: u32| (side & !1).max(16);
    Size::new(even(size.width), even(size.height))
}

/// Scales pictures; keeps its working memory from one to the next.
#[derive(Default)]
pub struct Scaler {
    resizer: Resizer,
}

impl Scaler {
    /// The picture at exactly this size. Free when it has it already.
    pub fn scale(&mut self, picture: &Picture, to: Size) -> Result<Picture, PictureError> {
        if picture.size() == to {
            return Ok(picture.clone());
        }
        let mut data = vec![0; to.bytes()?];
        let halved = |size: Size| Size::new(size.width.div_ceil(2), size.height.div_ceil(2));
        let from = picture.size();
        let sizes = [
            (from, to),
            (halved(from), halved(to)),
            (halved(from), halved(to)),
        ];
        let planes = planes_mut(to, &mut data);
        for ((plane, target), (from, to)) in picture.planes().into_iter().zip(planes).zip(sizes) {
            self.plane(plane, from, target, to)?;
        }
        Picture::new(to, data, picture.at)
    }

    fn plane(
        &mut self,
        plane: &[u8],
        from: Size,
        target: &mut [u8],
        to: Size,
    ) -> Result<(), PictureError> {
        let broken = |_| PictureError::Broken;
        let source = TypedImageRef::<U8>::from_buffer(from.width, from.height, plane);
        let target = TypedImage::<U8>::from_buffer(to.width, to.height, target);
        let (source, mut target) = (source.map_err(broken)?, target.map_err(broken)?);
        // Down to a half, two pixels each way make one without loss; that is
        // much cheaper than weighing all of them, which less would need.
        let mild = from.width <= 2 * to.width && from.height <= 2 * to.height;
        let algorithm = if mild {
            ResizeAlg::Interpolation(FilterType::Bilinear)
        } else {
            ResizeAlg::Convolution(FilterType::Box)
        };
        let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(false);
        // The generic call would be compiled for every kind of pixel.
        self.resizer
            .resize_typed(&source, &mut target, &options)
            .map_err(|_| PictureError::Broken)
    }
}
