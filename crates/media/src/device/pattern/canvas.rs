//! The drawing of the test picture: rectangles, and numbers made of seven of
//! them.

use super::Style;
use crate::video::Size;
use crate::video::picture::planes_mut;

/// Planes to draw on. Rectangles are cut off at the edges.
pub struct Canvas<'a> {
    size: Size,
    planes: [&'a mut [u8]; 3],
}

/// In pixels, from the upper left corner.
#[derive(Clone, Copy)]
struct Rect {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl<'a> Canvas<'a> {
    pub fn new(size: Size, data: &'a mut [u8]) -> Self {
        Self {
            size,
            planes: planes_mut(size, data),
        }
    }

    pub fn background(&mut self, style: Style) {
        let Size { width, height } = self.size;
        const BARS: u32 = 12;
        for bar in 0..BARS {
            let from = bar * width / BARS;
            let rect = Rect {
                x: from,
                y: 0,
                width: (bar + 1) * width / BARS - from,
                height,
            };
            let step = (bar * 60 / BARS) as u8;
            let color = match style {
                Style::Cool => [70 + step, 160 - step / 2, 90 - step / 2],
                Style::Warm => [90 + step, 110 - step / 2, 175 - step / 2],
                Style::Page => [225, 128, 128],
            };
            self.fill(rect, color);
        }
    }

    /// What moves: a ball from side to side, or the lines of a page.
    pub fn moving(&mut self, style: Style, frame: u32) {
        let Size { width, height } = self.size;
        if style == Style::Page {
            return self.lines(frame / 15);
        }
        let side = height / 6;
        let way = width.saturating_sub(side).max(1);
        let place = frame.wrapping_mul(width / 160 + 1) % (2 * way);
        let rect = Rect {
            x: place.min(2 * way - place),
            y: height * 3 / 4,
            width: side,
            height: side,
        };
        self.fill(rect, [210, 90, 110]);
    }

    fn lines(&mut self, scrolled: u32) {
        let Size { width, height } = self.size;
        let line = (height / 45).max(4);
        let top = height * 5 / 8;
        for row in 0..(height - top) / line {
            let mut seed = (scrolled + row).wrapping_mul(2_654_435_761);
            let mut x = line;
            while x + line < width {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let word = line * (1 + (seed >> 28) / 2);
                let rect = Rect {
                    x,
                    y: top + row * line,
                    width: word.min(width - x),
                    height: line / 2,
                };
                self.fill(rect, [40, 128, 128]);
                x += word + line;
            }
        }
    }

    /// The frame number, and below it the time of day in UTC.
    pub fn counter(&mut self, frame: u32, time_ms: u64) {
        let Size { width, height } = self.size;
        let day = time_ms % 86_400_000;
        let (hours, minutes) = (day / 3_600_000, day / 60_000 % 60);
        let (seconds, rest) = (day / 1000 % 60, day % 1000);
        let number = format!("{frame:08}");
        let clock = format!("{hours:02}:{minutes:02}:{seconds:02}.{rest:03}");
        let rect = Rect {
            x: width / 16,
            y: height * 9 / 32,
            width: width * 7 / 8,
            height: height * 11 / 32,
        };
        self.fill(rect, [30, 128, 128]);
        self.text(&number, height * 10 / 32, height * 5 / 32);
        self.text(&clock, height * 16 / 32, height * 3 / 32);
    }

    /// Digits, colons and points, centered.
    fn text(&mut self, text: &str, top: u32, height: u32) {
        let (digit, point) = (height * 5 / 8, height / 4);
        let width_of = |c: char| if c.is_ascii_digit() { digit } else { point };
        let total: u32 = text.chars().map(width_of).sum();
        let mut x = self.size.width.saturating_sub(total) / 2;
        for c in text.chars() {
            self.glyph(c, x, top, height);
            x += width_of(c);
        }
    }

    fn glyph(&mut self, c: char, x: u32, y: u32, height: u32) {
        let (wide, thick) = (height / 2, (height / 8).max(1));
        let half = height / 2;
        let across = |y| Rect {
            x,
            y,
            width: wide,
            height: thick,
        };
        let down = |x, y| Rect {
            x,
            y,
            width: thick,
            height: half,
        };
        let right = x + wide.saturating_sub(thick);
        // From the top clockwise, the middle one last.
        let segments = [
            across(y),
            down(right, y),
            down(right, y + half),
            across((y + height).saturating_sub(thick)),
            down(x, y + half),
            down(x, y),
            across((y + half).saturating_sub(thick / 2)),
        ];
        const DIGITS: [u8; 10] = [
            0b011_1111, 0b000_0110, 0b101_1011, 0b100_1111, 0b110_0110, 0b110_1101, 0b111_1101,
            0b000_0111, 0b111_1111, 0b110_1111,
        ];
        let dot = |y| Rect {
            x,
            y,
            width: thick,
            height: thick,
        };
        let white = [235, 128, 128];
        match c.to_digit(10) {
            Some(digit) => {
                let lit = DIGITS[digit as usize];
                for (bit, segment) in segments.into_iter().enumerate() {
                    if lit >> bit & 1 == 1 {
                        self.fill(segment, white);
                    }
                }
            }
            None if c == ':' => {
                self.fill(dot(y + half / 2), white);
                self.fill(dot(y + half + half / 2), white);
            }
            None => self.fill(dot((y + height).saturating_sub(thick)), white),
        }
    }

    fn fill(&mut self, rect: Rect, color: [u8; 3]) {
        let Size { width, height } = self.size;
        let half = Rect {
            x: rect.x / 2,
            y: rect.y / 2,
            width: rect.width.div_ceil(2),
            height: rect.height.div_ceil(2),
        };
        let chroma = Size::new(width.div_ceil(2), height.div_ceil(2));
        let shapes = [(rect, self.size), (half, chroma), (half, chroma)];
        for ((plane, value), (rect, size)) in self.planes.iter_mut().zip(color).zip(shapes) {
            let from = rect.x.min(size.width) as usize;
            let to = (rect.x + rect.width).min(size.width) as usize;
            let rows = plane.chunks_exact_mut(size.width as usize);
            for row in rows.skip(rect.y as usize).take(rect.height as usize) {
                row[from..to].fill(value);
            }
        }
    }
}
