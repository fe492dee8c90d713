//! Scaling, with the picture's shape kept: never larger than it is. Does the
//! heavy part in a library whose code is not generic: what is compiled here is
//! slow in a build without optimization.

use super::{Picture, PictureError, planes_mut};
use crate::video::Size;
use pic_scale::{
    ImageSize, ImageStore, ImageStoreMut, Resampling, ResamplingFunction, Scaler as Planner,
};
use std::sync::Arc;

/// Ways between two sizes of a plane that are kept: luma and chroma of a few
/// tiles.
const PLANS: usize = 8;

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

/// Scales pictures; keeps what it worked out for their sizes.
#[derive(Default)]
pub struct Scaler {
    plans: Vec<(Size, Size, Arc<Resampling<u8, 1>>)>,
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
        let sides = |size: Size| (size.width as usize, size.height as usize);
        let ((width, height), (to_width, to_height)) = (sides(from), sides(to));
        let source = ImageStore::<u8, 1>::borrow(plane, width, height).map_err(broken)?;
        let target = ImageStoreMut::<u8, 1>::borrow(target, to_width, to_height);
        let mut target = target.map_err(broken)?;
        let plan = self.plan(from, to)?;
        plan.resample(&source, &mut target).map_err(broken)
    }

    fn plan(&mut self, from: Size, to: Size) -> Result<Arc<Resampling<u8, 1>>, PictureError> {
        let known = self.plans.iter().find(|(a, b, _)| (*a, *b) == (from, to));
        if let Some((.., plan)) = known {
            return Ok(Arc::clone(plan));
        }
        let sides = |size: Size| ImageSize::new(size.width as usize, size.height as usize);
        let planner = Planner::new(ResamplingFunction::Bilinear);
        let plan = planner.plan_planar_resampling(sides(from), sides(to));
        let plan = plan.map_err(|_| PictureError::Broken)?;
        if self.plans.len() == PLANS {
            self.plans.remove(0);
        }
        self.plans.push((from, to, Arc::clone(&plan)));
        Ok(plan)
    }
}
