//! The encoder, set up for calls: constant bitrate, no lookahead, frames
//! dropped rather than late, keyframes when asked for.
//!
//! Error resilience is off, as WebRTC has it with one temporal layer: a
//! receiver that lost a frame does not decode on but asks for a keyframe.
#![allow(unsafe_code)]

use super::Vp8Error;
use crate::video::{CLOCK, Content, Picture, Size};
use bytes::Bytes;
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;
use std::thread::available_parallelism;
use vpx_sys::vp8e_enc_control_id as control;

/// How to encode. Sides are even, from 16 to 4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub size: Size,
    /// Frames a second, 1 to 60.
    pub fps: u32,
    /// Bits a second, at least 20,000.
    pub bitrate: u32,
    pub content: Content,
}

/// An encoded frame.
#[derive(Debug, Clone)]
pub struct Encoded {
    pub data: Bytes,
    pub keyframe: bool,
    /// 0 (best) to 127.
    pub quantizer: u8,
}

/// A VP8 encoder for pictures of one size at a time.
pub struct Encoder {
    // On the heap, because the library keeps pointers into it.
    context: Box<vpx_sys::vpx_codec_ctx_t>,
    config: vpx_sys::vpx_codec_enc_cfg_t,
    settings: Settings,
    last: Option<i64>,
}

impl Encoder {
    pub fn new(settings: Settings) -> Result<Self, Vp8Error> {
        check(settings)?;
        let config = config(settings)?;
        let mut context = Box::new(vpx_sys::vpx_codec_ctx_t::default());
        // SAFETY: the context is zeroed and outlives the call, as the
        // interface and the configuration do; the version is that of the
        // header which the bindings were made from.
        let result = unsafe {
            vpx_sys::vpx_codec_enc_init_ver(
                &raw mut *context,
                vpx_sys::vpx_codec_vp8_cx(),
                &raw const config,
                0,
                vpx_sys::VPX_ENCODER_ABI_VERSION as c_int,
            )
        };
        ok(result)?;
        let mut encoder = Self {
            context,
            config,
            settings,
            last: None,
        };
        encoder.tune()?;
        Ok(encoder)
    }

    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Encode otherwise from the next frame on. Another bitrate or rate costs
    /// nothing; another size or content begins with a keyframe.
    pub fn change(&mut self, settings: Settings) -> Result<(), Vp8Error> {
        check(settings)?;
        if settings.size != self.settings.size || settings.content != self.settings.content {
            // The library can change its size in place, which is where its
            // bugs were; a new one is ready within a millisecond.
            let last = self.last;
            *self = Self::new(settings)?;
            self.last = last;
            return Ok(());
        }
        if settings.bitrate != self.settings.bitrate {
            let mut config = self.config;
            config.rc_target_bitrate = settings.bitrate / 1000;
            // SAFETY: the context was initialized in `new` and not destroyed;
            // the library copies the configuration.
            let result = unsafe {
                vpx_sys::vpx_codec_enc_config_set(&raw mut *self.context, &raw const config)
            };
            ok(result)?;
            self.config = config;
        }
        self.settings = settings;
        Ok(())
    }

    /// Encode a picture of the settings' size. `time` is in ticks of
    /// [`CLOCK`]. `None`: the frame was dropped to keep to the bitrate.
    pub fn encode(
        &mut self,
        picture: &Picture,
        time: i64,
        keyframe: bool,
    ) -> Result<Option<Encoded>, Vp8Error> {
        if picture.size() != self.settings.size {
            return Err(Vp8Error::Size);
        }
        // The library refuses time that stands still.
        let time = self.last.map_or(time, |last| time.max(last + 1));
        self.last = Some(time);
        let image = image(picture)?;
        let flags = if keyframe {
            vpx_sys::VPX_EFLAG_FORCE_KF
        } else {
            0
        };
        // SAFETY: the context is initialized; the image's planes point into
        // `picture`, which is borrowed until after the call, and have the size
        // and strides that the image says (`image` checked them). The library
        // only reads them, and copies what it keeps.
        let result = unsafe {
            vpx_sys::vpx_codec_encode(
                &raw mut *self.context,
                &raw const image,
                time,
                (CLOCK / self.settings.fps).into(),
                flags.into(),
                vpx_sys::VPX_DL_REALTIME.into(),
            )
        };
        ok(result)?;
        self.take()
    }

    /// The one frame that the library made, if it made one.
    fn take(&mut self) -> Result<Option<Encoded>, Vp8Error> {
        let mut cursor: vpx_sys::vpx_codec_iter_t = ptr::null();
        let mut made = None;
        loop {
            // SAFETY: the context is initialized, and the cursor lives across
            // the calls as the library wants it.
            let packet =
                unsafe { vpx_sys::vpx_codec_get_cx_data(&raw mut *self.context, &raw mut cursor) };
            if packet.is_null() {
                break;
            }
            // SAFETY: a packet that is not null is valid until the next call
            // of encode; its kind says which member of the union is set.
            let frame = unsafe {
                if (*packet).kind != vpx_sys::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                    continue;
                }
                (*packet).data.frame
            };
            let length = usize::try_from(frame.sz).map_err(|_| Vp8Error::Library)?;
            if frame.buf.is_null() || length == 0 {
                continue;
            }
            // SAFETY: the library says that `length` bytes are at `buf`, and
            // they stay until the next call of encode; they are copied here.
            let data = unsafe { std::slice::from_raw_parts(frame.buf.cast::<u8>(), length) };
            made = Some((
                Bytes::copy_from_slice(data),
                frame.flags & vpx_sys::VPX_FRAME_IS_KEY != 0,
            ));
        }
        let Some((data, keyframe)) = made else {
            return Ok(None);
        };
        Ok(Some(Encoded {
            data,
            keyframe,
            quantizer: self.quantizer(),
        }))
    }

    fn quantizer(&mut self) -> u8 {
        let mut quantizer: c_int = 0;
        // SAFETY: this control takes a pointer to one int, which outlives the
        // call.
        let result = unsafe {
            vpx_sys::vpx_codec_control_(
                &raw mut *self.context,
                control::VP8E_GET_LAST_QUANTIZER as c_int,
                &raw mut quantizer,
            )
        };
        if ok(result).is_err() {
            return 127;
        }
        u8::try_from(quantizer).unwrap_or(127)
    }

    fn tune(&mut self) -> Result<(), Vp8Error> {
        let Settings { size, content, .. } = self.settings;
        let text = content == Content::Text;
        // A keyframe may take half the buffer's time, three frames' share at
        // least.
        let intra = (self.config.rc_buf_optimal_sz * self.settings.fps / 20).max(300);
        let partitions = self.config.g_threads.ilog2();
        let values = [
            (control::VP8E_SET_CPUUSED, speed(size)),
            (control::VP8E_SET_TOKEN_PARTITIONS, partitions as c_int),
            (control::VP8E_SET_NOISE_SENSITIVITY, 0),
            (
                control::VP8E_SET_STATIC_THRESHOLD,
                if text { 100 } else { 1 },
            ),
            (control::VP8E_SET_MAX_INTRA_BITRATE_PCT, intra as c_int),
            (control::VP8E_SET_SCREEN_CONTENT_MODE, c_int::from(text)),
        ];
        for (id, value) in values {
            // SAFETY: the context is initialized, and each of these controls
            // takes one int by value.
            let result =
                unsafe { vpx_sys::vpx_codec_control_(&raw mut *self.context, id as c_int, value) };
            ok(result)?;
        }
        Ok(())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the context was initialized in `new`, and is destroyed only
        // here. What it answers changes nothing.
        let _ = unsafe { vpx_sys::vpx_codec_destroy(&raw mut *self.context) };
    }
}

fn check(settings: Settings) -> Result<(), Vp8Error> {
    let side = |side: u32| (16..=super::MAX_SIDE).contains(&side) && side.is_multiple_of(2);
    let size = settings.size;
    if side(size.width)
        && side(size.height)
        && size.area() <= super::MAX_AREA
        && (1..=60).contains(&settings.fps)
        && (20_000..=100_000_000).contains(&settings.bitrate)
    {
        Ok(())
    } else {
        Err(Vp8Error::Settings)
    }
}

/// How much is not tried to find a better encoding: more where there are more
/// pixels to do it for.
fn speed(size: Size) -> c_int {
    match size.area() {
        0..=76_800 => -4,
        76_801..=1_000_000 => -6,
        _ => -8,
    }
}

fn threads(size: Size) -> u32 {
    let cores = available_parallelism().map_or(1, |cores| cores.get() as u32);
    let useful = match size.area() {
        0..=400_000 => 1,
        400_001..=1_000_000 => 2,
        _ => 4,
    };
    // Half of the cores stay for the other side of the call. A power of two.
    match useful.min(cores / 2) {
        0 | 1 => 1,
        2 | 3 => 2,
        _ => 4,
    }
}

fn config(settings: Settings) -> Result<vpx_sys::vpx_codec_enc_cfg_t, Vp8Error> {
    let mut config = MaybeUninit::<vpx_sys::vpx_codec_enc_cfg_t>::zeroed();
    // SAFETY: the interface is the library's own; it writes the whole
    // configuration when it answers OK.
    let result = unsafe {
        vpx_sys::vpx_codec_enc_config_default(vpx_sys::vpx_codec_vp8_cx(), config.as_mut_ptr(), 0)
    };
    ok(result)?;
    // SAFETY: it was written, with values of its own enums.
    let mut config = unsafe { config.assume_init() };
    let text = settings.content == Content::Text;
    config.g_w = settings.size.width;
    config.g_h = settings.size.height;
    config.g_timebase.num = 1;
    config.g_timebase.den = CLOCK as c_int;
    config.g_threads = threads(settings.size);
    config.g_error_resilient = 0;
    config.g_lag_in_frames = 0;
    config.g_pass = vpx_sys::vpx_enc_pass::VPX_RC_ONE_PASS;
    config.rc_end_usage = vpx_sys::vpx_rc_mode::VPX_CBR;
    config.rc_target_bitrate = settings.bitrate / 1000;
    config.rc_dropframe_thresh = if text { 0 } else { 30 };
    config.rc_resize_allowed = 0;
    config.rc_min_quantizer = 2;
    config.rc_max_quantizer = if text { 52 } else { 56 };
    config.rc_undershoot_pct = 100;
    config.rc_overshoot_pct = 15;
    config.rc_buf_initial_sz = 500;
    config.rc_buf_optimal_sz = 600;
    config.rc_buf_sz = 1000;
    // Keyframes only when somebody needs one: they cost many frames' bits.
    config.kf_mode = vpx_sys::vpx_kf_mode::VPX_KF_DISABLED;
    Ok(config)
}

/// The picture as the library wants to see it.
fn image(picture: &Picture) -> Result<vpx_sys::vpx_image_t, Vp8Error> {
    let mut image = MaybeUninit::<vpx_sys::vpx_image_t>::zeroed();
    let [luma, blue, red] = picture.planes();
    // SAFETY: with memory of ours given, the library only fills the structure
    // in and does not touch the pixels.
    let filled = unsafe {
        vpx_sys::vpx_img_wrap(
            image.as_mut_ptr(),
            vpx_sys::vpx_img_fmt::VPX_IMG_FMT_I420,
            picture.width,
            picture.height,
            1,
            luma.as_ptr().cast_mut(),
        )
    };
    if filled.is_null() {
        return Err(Vp8Error::Library);
    }
    // SAFETY: it answered with the structure, so it wrote it.
    let mut image = unsafe { image.assume_init() };
    let stride = c_int::try_from(picture.width).map_err(|_| Vp8Error::Size)?;
    image.planes = [luma, blue, red, &[]].map(|plane| plane.as_ptr().cast_mut());
    image.stride = [stride, stride / 2, stride / 2, 0];
    Ok(image)
}

fn ok(result: vpx_sys::vpx_codec_err_t) -> Result<(), Vp8Error> {
    use vpx_sys::vpx_codec_err_t as code;
    match result {
        code::VPX_CODEC_OK => Ok(()),
        code::VPX_CODEC_INVALID_PARAM => Err(Vp8Error::Settings),
        _ => Err(Vp8Error::Library),
    }
}
