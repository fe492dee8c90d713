//! The decoder. Its input is a stranger's: [`Header`] bounds it before the
//! library sees it, and after an error the library's state is thrown away, so
//! that nothing is ever decoded from a half-broken one.
#![allow(unsafe_code)]

use super::{Header, MAX_AREA, MAX_SIDE, Vp8Error};
use crate::video::{Picture, Size};
use std::ffi::c_int;
use std::ptr;
use std::time::Instant;

/// A VP8 decoder. Follows the stream through changes of size.
#[derive(Default)]
pub struct Decoder {
    /// `None` until a keyframe comes.
    running: Option<Running>,
}

impl Decoder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Decode the next frame. `None`: it is not to be shown. After an error
    /// only a keyframe is taken.
    pub fn decode(&mut self, frame: &[u8], now: Instant) -> Result<Option<Picture>, Vp8Error> {
        let result = self.try_decode(frame, now);
        if result.is_err() {
            self.running = None;
        }
        result
    }

    fn try_decode(&mut self, frame: &[u8], now: Instant) -> Result<Option<Picture>, Vp8Error> {
        let header = Header::parse(frame)?;
        let running = match (&mut self.running, header.keyframe) {
            (Some(running), _) => running,
            (None, None) => return Err(Vp8Error::NeedsKeyframe),
            (slot @ None, Some(_)) => slot.insert(Running::new()?),
        };
        if let Some(size) = header.keyframe {
            running.size = size;
        }
        running.feed(frame)?;
        let picture = running.take(now)?;
        Ok(picture.filter(|_| header.shown))
    }
}

/// The library's decoder.
struct Running {
    // On the heap, because the library keeps pointers into it.
    context: Box<vpx_sys::vpx_codec_ctx_t>,
    /// What the last keyframe said.
    size: Size,
}

impl Running {
    fn new() -> Result<Self, Vp8Error> {
        let mut context = Box::new(vpx_sys::vpx_codec_ctx_t::default());
        // One thread: the library's threads gain little at these sizes, and
        // are where its decoder was attacked.
        let config = vpx_sys::vpx_codec_dec_cfg_t {
            threads: 1,
            w: 0,
            h: 0,
        };
        // SAFETY: the context is zeroed and outlives the call, as interface
        // and configuration do; the library copies the latter.
        let result = unsafe {
            vpx_sys::vpx_codec_dec_init_ver(
                &raw mut *context,
                vpx_sys::vpx_codec_vp8_dx(),
                &raw const config,
                0,
                vpx_sys::VPX_DECODER_ABI_VERSION as c_int,
            )
        };
        if result != vpx_sys::vpx_codec_err_t::VPX_CODEC_OK {
            return Err(Vp8Error::Library);
        }
        Ok(Self {
            context,
            size: Size::default(),
        })
    }

    fn feed(&mut self, frame: &[u8]) -> Result<(), Vp8Error> {
        let length = u32::try_from(frame.len()).map_err(|_| Vp8Error::TooLarge)?;
        // SAFETY: the context is initialized; `frame` is borrowed across the
        // call, is not empty (its header was read), and the library keeps
        // nothing of it.
        let result = unsafe {
            vpx_sys::vpx_codec_decode(
                &raw mut *self.context,
                frame.as_ptr(),
                length,
                ptr::null_mut(),
                0,
            )
        };
        match result {
            vpx_sys::vpx_codec_err_t::VPX_CODEC_OK => Ok(()),
            vpx_sys::vpx_codec_err_t::VPX_CODEC_MEM_ERROR => Err(Vp8Error::Library),
            _ => Err(Vp8Error::Broken),
        }
    }

    fn take(&mut self, now: Instant) -> Result<Option<Picture>, Vp8Error> {
        let mut cursor: vpx_sys::vpx_codec_iter_t = ptr::null();
        // SAFETY: the context is initialized, and the cursor lives across the
        // call.
        let image =
            unsafe { vpx_sys::vpx_codec_get_frame(&raw mut *self.context, &raw mut cursor) };
        if image.is_null() {
            return Ok(None);
        }
        // SAFETY: an image that is not null is valid until the next call of
        // decode, which cannot happen while `self` is borrowed here.
        let image = unsafe { &*image };
        let size = Size::new(image.d_w, image.d_h);
        // All this holds by the library's contract; what is about to be read
        // depends on it.
        let fits = size.area() != 0
            && size.width <= MAX_SIDE
            && size.height <= MAX_SIDE
            && size.area() <= MAX_AREA;
        let planar = image.fmt == vpx_sys::vpx_img_fmt::VPX_IMG_FMT_I420;
        if !fits || !planar || size != self.size {
            return Err(Vp8Error::Broken);
        }
        let mut data = Vec::with_capacity(size.bytes().map_err(|_| Vp8Error::TooLarge)?);
        let halved = Size::new(size.width.div_ceil(2), size.height.div_ceil(2));
        for (plane, shape) in [size, halved, halved].into_iter().enumerate() {
            let stride = usize::try_from(image.stride[plane]).map_err(|_| Vp8Error::Broken)?;
            let (width, height) = (shape.width as usize, shape.height as usize);
            let start = image.planes[plane].cast_const();
            if start.is_null() || stride < width {
                return Err(Vp8Error::Broken);
            }
            for row in 0..height {
                // SAFETY: the library's plane has `height` rows, `stride`
                // bytes apart, each with at least `width` bytes.
                let row = unsafe { std::slice::from_raw_parts(start.add(row * stride), width) };
                data.extend_from_slice(row);
            }
        }
        let picture = Picture::new(size, data, now).map_err(|_| Vp8Error::Broken)?;
        Ok(Some(picture))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: the context was initialized in `new`, and is destroyed only
        // here. What it answers changes nothing.
        let _ = unsafe { vpx_sys::vpx_codec_destroy(&raw mut *self.context) };
    }
}
