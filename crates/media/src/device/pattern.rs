//! A moving test picture that can be read: by people (a frame counter and a
//! clock), and by programs, after VP8 and scaling ([`read`]). An ordinary
//! camera, and an ordinary screen, on every build.
//!
//! What programs read is a grid at the top edge, 18 columns wide and 5 rows
//! high; a column is 1/18 of the width, a row 1/20 of the height. Blocks are
//! black or white; white is 1. The first column is white, black, white, black,
//! white, and the last the other way round: they tell black from white. The
//! 16 columns between hold, high bits first, row by row: the frame number
//! (2 rows), the time in Unix milliseconds modulo 2³² (2 rows), and a CRC-16
//! (CCITT, from 0xffff) of those 8 bytes (1 row).

use super::{Device, DeviceError, DeviceKind, DeviceName};
use crate::video::picture::{PictureError, black, planes_mut};
use crate::video::source::{Metronome, Pace, VideoSource};
use crate::video::{Picture, Size};
use canvas::Canvas;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

mod canvas;

#[cfg(test)]
mod tests;

const COLUMNS: u32 = 18;
const ROWS: u32 = 5;
/// Rows of the grid in the height of a picture.
const ROW_PART: u32 = 20;
const WHITE: u8 = 235;
const BLACK: u8 = 16;

/// How the picture looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Blue to green.
    Cool,
    /// Red to yellow.
    Warm,
    /// A page of text that scrolls: a screen.
    Page,
}

const STYLES: [(Style, &str, &str); 3] = [
    (Style::Cool, "pattern:cool", "Test picture"),
    (Style::Warm, "pattern:warm", "Test picture, warm"),
    (Style::Page, "pattern:page", "Test page"),
];

impl Style {
    fn kind(self) -> DeviceKind {
        match self {
            Self::Cool | Self::Warm => DeviceKind::Camera,
            Self::Page => DeviceKind::Screen,
        }
    }
}

/// The test pictures of this kind, as devices.
pub fn list(kind: DeviceKind) -> Vec<Device> {
    let of_kind = STYLES.iter().filter(|(style, ..)| style.kind() == kind);
    of_kind
        .map(|(style, name, label)| Device {
            name: DeviceName((*name).to_owned()),
            kind: style.kind(),
            label: (*label).to_owned(),
            default: false,
            synthetic: true,
        })
        .collect()
}

/// The test picture of this name, if it is one's.
pub fn style(name: &DeviceName) -> Option<Style> {
    let found = STYLES.iter().find(|(_, known, _)| *known == name.0);
    found.map(|(style, ..)| *style)
}

/// One picture, as [`Pattern`] gives them.
pub fn draw(
    style: Style,
    size: Size,
    frame: u32,
    time_ms: u64,
    at: Instant,
) -> Result<Picture, PictureError> {
    Painter::new(style, size)?.paint(frame, time_ms, at)
}

/// The frame number and the time (Unix milliseconds modulo 2³²) in a picture,
/// if it is a test picture and they can be read.
pub fn read(picture: &Picture) -> Option<(u32, u32)> {
    let [luma, _, _] = picture.planes();
    read_luma(luma, picture.size())
}

/// [`read`], from luma alone; rows without padding.
pub fn read_luma(luma: &[u8], size: Size) -> Option<(u32, u32)> {
    if size.width < 4 * COLUMNS || size.height < 2 * ROW_PART {
        return None;
    }
    let mut words = [0u16; ROWS as usize];
    for (row, word) in (0..ROWS).zip(&mut words) {
        let value = |column| brightness(luma, size, column, row);
        let (first, last) = (value(0), value(COLUMNS - 1));
        let upright = row.is_multiple_of(2);
        let (white, black) = if upright {
            (first, last)
        } else {
            (last, first)
        };
        if white < black.saturating_add(60) {
            return None;
        }
        let middle = white.midpoint(black);
        *word = (1..=16).fold(0, |word, column| {
            word << 1 | u16::from(value(column) > middle)
        });
    }
    let [high, low, time_high, time_low, check] = words;
    let joined = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
    let (frame, time) = (joined(high, low), joined(time_high, time_low));
    (check == checksum(frame, time)).then_some((frame, time))
}

/// The mean of the middle of a block.
fn brightness(luma: &[u8], size: Size, column: u32, row: u32) -> u8 {
    let span = |index: u32, parts: u32, side: u32| {
        let (from, to) = (index * side / parts, (index + 1) * side / parts);
        let quarter = (to - from) / 4;
        (from + quarter, (to - quarter).max(from + quarter + 1))
    };
    let (left, right) = span(column, COLUMNS, size.width);
    let (top, bottom) = span(row, ROW_PART, size.height);
    let (mut sum, mut count) = (0u32, 0u32);
    for y in top..bottom {
        let start = (y * size.width) as usize;
        let row = luma.get(start + left as usize..start + right as usize);
        for value in row.unwrap_or_default() {
            sum += u32::from(*value);
            count += 1;
        }
    }
    (sum / count.max(1)) as u8
}

fn checksum(frame: u32, time: u32) -> u16 {
    let bytes = [frame.to_be_bytes(), time.to_be_bytes()].concat();
    bytes.into_iter().fold(0xffff, |sum, byte| {
        (0..8).fold(sum ^ u16::from(byte) << 8, |sum, _| {
            let carry = sum & 0x8000 != 0;
            if carry { sum << 1 ^ 0x1021 } else { sum << 1 }
        })
    })
}

/// Draws pictures of one look and size; what stays the same is drawn once.
pub struct Painter {
    style: Style,
    size: Size,
    background: Vec<u8>,
}

impl Painter {
    pub fn new(style: Style, size: Size) -> Result<Self, PictureError> {
        let mut background = black(size)?;
        Canvas::new(size, &mut background).background(style);
        Ok(Self {
            style,
            size,
            background,
        })
    }

    pub fn paint(&self, frame: u32, time_ms: u64, at: Instant) -> Result<Picture, PictureError> {
        let mut data = self.background.clone();
        let mut canvas = Canvas::new(self.size, &mut data);
        canvas.moving(self.style, frame);
        canvas.counter(frame, time_ms);
        let [luma, blue, red] = planes_mut(self.size, &mut data);
        self.grid(luma, frame, time_ms as u32);
        // The grid has no color.
        let chroma_row = self.size.width.div_ceil(2) as usize;
        let rows = (ROWS * self.size.height / ROW_PART).div_ceil(2) as usize;
        blue[..chroma_row * rows].fill(128);
        red[..chroma_row * rows].fill(128);
        Picture::new(self.size, data, at)
    }

    fn grid(&self, luma: &mut [u8], frame: u32, time: u32) {
        let high = |value: u32| (value >> 16) as u16;
        let low = |value: u32| value as u16;
        let check = checksum(frame, time);
        let words = [high(frame), low(frame), high(time), low(time), check];
        let Size { width, height } = self.size;
        for (row, word) in (0..ROWS).zip(words) {
            let upright = row.is_multiple_of(2);
            let (top, bottom) = (row * height / ROW_PART, (row + 1) * height / ROW_PART);
            if top == bottom {
                return;
            }
            let (top, bottom) = ((top * width) as usize, (bottom * width) as usize);
            let (first, rest) = luma[top..bottom].split_at_mut(width as usize);
            for column in 0..COLUMNS {
                let white = match column {
                    0 => upright,
                    17 => !upright,
                    _ => word >> (16 - column) & 1 == 1,
                };
                let (from, to) = (column * width / COLUMNS, (column + 1) * width / COLUMNS);
                first[from as usize..to as usize].fill(if white { WHITE } else { BLACK });
            }
            for row in rest.chunks_exact_mut(width as usize) {
                row.copy_from_slice(first);
            }
        }
    }
}

/// The test picture as a source.
pub struct Pattern {
    painter: Painter,
    metronome: Metronome,
    frame: u32,
}

impl Pattern {
    /// At the size of an ordinary camera or screen.
    pub fn open(style: Style) -> Result<Self, DeviceError> {
        let size = match style {
            Style::Cool | Style::Warm => Size::new(1280, 720),
            Style::Page => Size::new(1920, 1080),
        };
        Self::sized(style, size)
    }

    pub fn sized(style: Style, size: Size) -> Result<Self, DeviceError> {
        Ok(Self {
            painter: Painter::new(style, size).map_err(|_| DeviceError::Broken)?,
            metronome: Metronome::default(),
            frame: 0,
        })
    }
}

impl VideoSource for Pattern {
    fn next(&mut self, pace: Pace) -> Result<Option<Picture>, DeviceError> {
        let at = self.metronome.wait(pace.fps.min(30));
        let time = SystemTime::now().duration_since(UNIX_EPOCH);
        let time_ms = time.map_or(0, |time| time.as_millis() as u64);
        let picture = self.painter.paint(self.frame, time_ms, at);
        self.frame = self.frame.wrapping_add(1);
        picture.map(Some).map_err(|_| DeviceError::Broken)
    }
}
