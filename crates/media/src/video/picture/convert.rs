//! From the layouts in which devices give pictures to I420.

use super::{Picture, PictureError, huffman, planes_mut};
use crate::video::Size;
use std::time::Instant;
use yuv::{
    BufferStoreMut, YuvConversionMode, YuvPackedImage, YuvPlanarImageMut, YuvRange,
    YuvStandardMatrix,
};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// How the bytes of a captured picture lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    Rgb,
    Bgr,
    Rgba,
    /// Blue, green, red and one byte that is ignored.
    Bgra,
    /// A plane of luma, then one of blue and red in turn.
    Nv12,
    /// Packed 4:2:2: Y, U, Y, V.
    Yuyv,
    /// Y, U and V planes.
    I420,
    Gray,
    /// A JPEG file; it says its size itself.
    Mjpeg,
}

/// A captured picture as a device gives it.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    pub layout: Layout,
    pub size: Size,
    /// Bytes from one row to the next (of the first plane); `None` if rows
    /// follow each other without a gap. Not for I420 and JPEG.
    pub stride: Option<u32>,
    pub bytes: &'a [u8],
    pub at: Instant,
}

const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;
const RANGE: YuvRange = YuvRange::Limited;
const MODE: YuvConversionMode = YuvConversionMode::Balanced;

/// Make I420 of whatever a device gave. Of odd sides the last row or column is
/// cut off, so that both are even.
pub fn convert(raw: Raw<'_>) -> Result<Picture, PictureError> {
    raw.size.bytes()?;
    let size = Size::new(raw.size.width & !1, raw.size.height & !1);
    if size.area() == 0 {
        return Err(PictureError::Size);
    }
    match raw.layout {
        Layout::Rgb | Layout::Bgr => color(raw, size, 3),
        Layout::Rgba | Layout::Bgra => color(raw, size, 4),
        Layout::Nv12 => nv12(raw, size),
        Layout::Yuyv => yuyv(raw, size),
        Layout::Gray => gray(raw, size),
        Layout::I420 => Ok(Picture::new(raw.size, raw.bytes.to_vec(), raw.at)?.even()),
        Layout::Mjpeg => jpeg(raw),
    }
}

fn color(raw: Raw<'_>, size: Size, channels: u32) -> Result<Picture, PictureError> {
    let stride = stride(raw, raw.size.width * channels)?;
    let bytes = rows(raw.bytes, stride, size.width * channels, size.height)?;
    let make = match raw.layout {
        Layout::Rgb => yuv::rgb_to_yuv420,
        Layout::Bgr => yuv::bgr_to_yuv420,
        Layout::Rgba => yuv::rgba_to_yuv420,
        _ => yuv::bgra_to_yuv420,
    };
    planar(size, raw.at, |image| {
        make(image, bytes, stride, RANGE, MATRIX, MODE).is_ok()
    })
}

/// The library has no way from NV12 to I420, and none is needed: luma stays,
/// chroma is dealt out.
fn nv12(raw: Raw<'_>, size: Size) -> Result<Picture, PictureError> {
    let stride = stride(raw, raw.size.width.next_multiple_of(2))?;
    let luma = stride as usize * raw.size.height as usize;
    let chroma = raw.bytes.get(luma..).ok_or(PictureError::Short)?;
    let chroma = rows(chroma, stride, size.width, size.height / 2)?;
    let (stride, width) = (stride as usize, size.width as usize);
    let mut data = Vec::with_capacity(size.bytes()?);
    for row in raw.bytes.chunks(stride).take(size.height as usize) {
        data.extend_from_slice(&row[..width]);
    }
    for color in [0, 1] {
        for row in chroma.chunks(stride).take(size.height as usize / 2) {
            let pairs = row[..width].as_chunks::<2>().0;
            data.extend(pairs.iter().map(|pair| pair[color]));
        }
    }
    Picture::new(size, data, raw.at)
}

fn yuyv(raw: Raw<'_>, size: Size) -> Result<Picture, PictureError> {
    let stride = stride(raw, raw.size.width.next_multiple_of(2) * 2)?;
    // The library wants the last row's padding too.
    let packed = YuvPackedImage {
        yuy: rows(raw.bytes, stride, stride, size.height)?,
        yuy_stride: stride,
        width: size.width,
        height: size.height,
    };
    planar(size, raw.at, |image| {
        yuv::yuyv422_to_yuv420(image, &packed).is_ok()
    })
}

fn gray(raw: Raw<'_>, size: Size) -> Result<Picture, PictureError> {
    let stride = stride(raw, raw.size.width)?;
    let bytes = rows(raw.bytes, stride, size.width, size.height)?;
    let mut data = super::black(size)?;
    let [luma, _, _] = planes_mut(size, &mut data);
    let table: [u8; 256] = std::array::from_fn(|luma| studio(luma as u16));
    let width = size.width as usize;
    let rows = bytes.chunks(stride as usize);
    for (to, from) in luma.chunks_exact_mut(width).zip(rows) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = table[usize::from(*from)];
        }
    }
    Picture::new(size, data, raw.at)
}

/// Full range to studio range.
fn studio(luma: u16) -> u8 {
    (16 + (luma * 219 + 127) / 255).min(235) as u8
}

fn jpeg(raw: Raw<'_>) -> Result<Picture, PictureError> {
    let options = DecoderOptions::new_fast()
        .set_max_width(super::MAX_SIDE as usize)
        .set_max_height(super::MAX_SIDE as usize)
        .jpeg_set_max_scans(32)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let bytes = huffman::complete(raw.bytes);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*bytes), options);
    let broken = |_| PictureError::Broken;
    decoder.decode_headers().map_err(broken)?;
    let info = decoder.info().ok_or(PictureError::Broken)?;
    let size = Size::new(u32::from(info.width), u32::from(info.height));
    // Before the pixels are allocated: a header can promise anything.
    size.bytes()?;
    let pixels = decoder.decode().map_err(broken)?;
    let components = decoder
        .output_colorspace()
        .map(|space| space.num_components());
    let layout = match components {
        Some(1) => Layout::Gray,
        Some(3) => Layout::Rgb,
        _ => return Err(PictureError::Broken),
    };
    convert(Raw {
        layout,
        size,
        stride: None,
        bytes: &pixels,
        at: raw.at,
    })
}

/// Let the library fill the planes of a new picture.
fn planar(
    size: Size,
    at: Instant,
    fill: impl FnOnce(&mut YuvPlanarImageMut<'_, u8>) -> bool,
) -> Result<Picture, PictureError> {
    let mut data = vec![0; size.bytes()?];
    let [luma, blue, red] = planes_mut(size, &mut data);
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(luma),
        y_stride: size.width,
        u_plane: BufferStoreMut::Borrowed(blue),
        u_stride: size.width / 2,
        v_plane: BufferStoreMut::Borrowed(red),
        v_stride: size.width / 2,
        width: size.width,
        height: size.height,
    };
    if !fill(&mut image) {
        return Err(PictureError::Broken);
    }
    Picture::new(size, data, at)
}

/// Bytes from row to row, when a row needs at least so many.
fn stride(raw: Raw<'_>, row: u32) -> Result<u32, PictureError> {
    match raw.stride {
        None => Ok(row),
        Some(stride) if stride >= row && stride <= 8 * super::MAX_SIDE => Ok(stride),
        Some(_) => Err(PictureError::Short),
    }
}

/// So many rows, of which the last needs no padding.
fn rows(bytes: &[u8], stride: u32, row: u32, count: u32) -> Result<&[u8], PictureError> {
    let needed = stride as usize * (count as usize - 1) + row as usize;
    bytes.get(..needed).ok_or(PictureError::Short)
}
