//! What pictures cost beside the codec, each step by itself: as a part of a
//! core at 30 pictures a second.

use crate::people::Failure;
use crate::{Work, row};
use sotto_media::device::pattern::{Painter, Style};
use sotto_media::video::picture::{Layout, Raw, Scaler, convert};
use sotto_media::video::{Picture, Size, Tile};
use std::time::Instant;

const HD: Size = Size::new(1280, 720);
const FULL: Size = Size::new(1920, 1080);
const FRAMES: u32 = 150;
const FPS: f64 = 30.0;

pub fn measure() -> Result<(), Failure> {
    let (painter, now) = (Painter::new(Style::Cool, HD)?, Instant::now());
    let pictures = (0..FRAMES).map(|frame| painter.paint(frame, u64::from(frame) * 33, now));
    let pictures: Vec<Picture> = pictures.collect::<Result<_, _>>()?;

    let screen = converting("1080p BGRA", Layout::Bgra, FULL, 4)?;
    let camera = converting("720p YUYV", Layout::Yuyv, HD, 2)?;
    let scaling = step("720p → 360p", || {
        let mut scaler = Scaler::default();
        for picture in &pictures {
            scaler.scale(picture, Size::new(640, 360))?;
        }
        Ok(())
    })?;
    let tile = Tile::default();
    let showing = step("720p → tile of 640 × 360", || {
        for picture in &pictures {
            tile.put(picture.clone(), 0);
            tile.newest(640, 360, 0).ok_or("no picture")?;
        }
        Ok(())
    })?;
    row(
        "pictures beside the codec, 30 a second, part of a core",
        &[screen, camera, scaling, showing].join(", "),
        None,
    );
    Ok(())
}

fn converting(name: &str, layout: Layout, size: Size, depth: usize) -> Result<String, Failure> {
    let bytes = vec![90; size.area() as usize * depth];
    let at = Instant::now();
    step(&format!("{name} → I420"), || {
        for _ in 0..FRAMES {
            convert(Raw {
                layout,
                size,
                stride: None,
                bytes: &bytes,
                at,
            })?;
        }
        Ok(())
    })
}

fn step(what: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<String, Failure> {
    let begun = Work::begin();
    work()?;
    let each = begun.took().as_secs_f64() / f64::from(FRAMES);
    Ok(format!("{what} {:.1} %", each * FPS * 100.0))
}
