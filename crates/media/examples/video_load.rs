//! What pictures cost: processor time of each step for 720p at 30 a second, as
//! a part of one core. `cargo run --release -p sotto-media --example video_load`

use sotto_media::device::pattern::{Painter, Style};
use sotto_media::video::picture::{Layout, Raw, Scaler, convert};
use sotto_media::video::vp8::{Decoder, Encoder, Settings};
use sotto_media::video::{Content, Picture, Size, Tile};
use std::error::Error;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

const HD: Size = Size::new(1280, 720);
const FULL: Size = Size::new(1920, 1080);
const FRAMES: u32 = 300;
const FPS: u32 = 30;

fn main() -> Result<(), Box<dyn Error>> {
    let painter = Painter::new(Style::Cool, HD)?;
    let now = Instant::now();
    let pictures = (0..FRAMES).map(|frame| painter.paint(frame, u64::from(frame) * 33, now));
    let pictures: Vec<Picture> = pictures.collect::<Result<_, _>>()?;

    measure("draw the test picture", || {
        for frame in 0..FRAMES {
            painter.paint(frame, 0, now)?;
        }
        Ok(())
    })?;
    let screen = vec![90; FULL.area() as usize * 4];
    measure("1080p BGRA to I420", || {
        for _ in 0..FRAMES {
            convert(Raw {
                layout: Layout::Bgra,
                size: FULL,
                stride: None,
                bytes: &screen,
                at: now,
            })?;
        }
        Ok(())
    })?;
    let yuyv = vec![90; HD.area() as usize * 2];
    measure("720p YUYV to I420", || {
        for _ in 0..FRAMES {
            convert(Raw {
                layout: Layout::Yuyv,
                size: HD,
                stride: None,
                bytes: &yuyv,
                at: now,
            })?;
        }
        Ok(())
    })?;
    for (width, height) in [(960, 540), (640, 360), (320, 180)] {
        measure(&format!("scale 720p to {height}p"), || {
            let mut scaler = Scaler::default();
            for picture in &pictures {
                scaler.scale(picture, Size::new(width, height))?;
            }
            Ok(())
        })?;
    }

    let mut frames = Vec::new();
    let mut bytes = 0;
    measure("encode 720p, 2 Mbit/s", || {
        let mut encoder = Encoder::new(Settings {
            size: HD,
            fps: FPS,
            bitrate: 2_000_000,
            content: Content::Camera,
        })?;
        for (number, picture) in (0..).zip(&pictures) {
            if let Some(frame) = encoder.encode(picture, number * 3000, false)? {
                bytes += frame.data.len();
                frames.push(frame.data);
            }
        }
        Ok(())
    })?;
    let seconds = FRAMES / FPS;
    writeln!(
        stdout(),
        "{:28} {} of {FRAMES} frames, {} kbit/s",
        "",
        frames.len(),
        bytes * 8 / 1000 / seconds as usize,
    )?;
    let tile = Tile::default();
    measure("decode 720p", || {
        let mut decoder = Decoder::new();
        for frame in &frames {
            if let Some(picture) = decoder.decode(frame, now)? {
                tile.put(picture, 0);
            }
        }
        Ok(())
    })?;
    measure("tile of 640 × 360", || {
        for picture in &pictures {
            tile.put(picture.clone(), 0);
            tile.newest(640, 360, 0).ok_or("no picture")?;
        }
        Ok(())
    })
}

fn measure(
    what: &str,
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let before = processor_time();
    work()?;
    let took = processor_time() - before;
    let each = took.as_secs_f64() * 1000.0 / f64::from(FRAMES);
    let part = each * f64::from(FPS) / 10.0;
    writeln!(
        stdout(),
        "{what:28} {each:7.3} ms a picture {part:6.1} % of a core"
    )?;
    Ok(())
}

/// Of all threads of this process so far, in steps of 10 ms; elsewhere than on
/// Linux the time of the clock.
fn processor_time() -> Duration {
    let ticks = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        Some(Duration::from_millis((user + system) * 10))
    };
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    ticks().unwrap_or_else(|| START.get_or_init(Instant::now).elapsed())
}
