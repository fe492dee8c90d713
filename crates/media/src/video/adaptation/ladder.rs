//! The rungs: what size and rate is worth what bitrate with VP8 in real time.
//! Raising `least` makes pictures smaller and cleaner on slow networks.

use crate::video::{Content, Size};

/// One way to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// The picture fits in here, in its own shape.
    pub within: Size,
    pub fps: u32,
    /// Bits a second below which the next lower rung looks better.
    pub least: u32,
    /// Bits a second above which nobody sees a difference.
    pub most: u32,
}

impl Rung {
    /// Bits a second at which this begins after nothing was sent: the edge
    /// between nothing and something must not make pictures come and go.
    pub fn begins_with(self) -> u32 {
        self.least + self.least * 3 / 10
    }
}

const fn rung(width: u32, height: u32, fps: u32, least: u32, most: u32) -> Rung {
    Rung {
        within: Size::new(width, height),
        fps,
        least,
        most,
    }
}

const CAMERA: [Rung; 6] = [
    rung(320, 240, 15, 30_000, 180_000),
    rung(480, 360, 20, 150_000, 350_000),
    rung(640, 480, 30, 300_000, 800_000),
    rung(960, 720, 30, 650_000, 1_300_000),
    rung(1280, 960, 30, 1_100_000, 2_500_000),
    rung(1920, 1080, 30, 2_600_000, 4_500_000),
];

/// Text is not scaled before its rate has given way.
const TEXT: [Rung; 6] = [
    rung(1280, 720, 2, 80_000, 250_000),
    rung(1920, 1200, 2, 180_000, 500_000),
    rung(1920, 1200, 5, 400_000, 1_200_000),
    rung(1920, 1200, 10, 900_000, 2_500_000),
    rung(2560, 1600, 10, 1_800_000, 3_500_000),
    rung(3840, 2160, 10, 3_500_000, 8_000_000),
];

const MOTION: [Rung; 5] = [
    rung(640, 400, 15, 150_000, 450_000),
    rung(960, 600, 24, 400_000, 900_000),
    rung(1280, 800, 30, 900_000, 2_200_000),
    rung(1600, 1000, 30, 1_900_000, 3_500_000),
    rung(1920, 1200, 30, 2_800_000, 6_000_000),
];

/// The rungs for this content, the lowest first.
pub fn ladder(content: Content) -> &'static [Rung] {
    match content {
        Content::Camera => &CAMERA,
        Content::Text => &TEXT,
        Content::Motion => &MOTION,
    }
}
