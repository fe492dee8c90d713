//! What the codecs alone take for a call's frames: as many ends at once as the
//! call had, in the call's rhythm, with nothing around them.

use crate::Work;
use crate::people::Failure;
use sotto_media::audio::{PACKET, decode, encode};
use sotto_media::console::PictureOut;
use sotto_media::device::pattern::{Painter, Style};
use sotto_media::device::tone;
use sotto_media::video::source::Metronome;
use sotto_media::video::vp8::{Decoder, Encoder, Settings};
use sotto_media::video::{CLOCK, Content, Size};
use std::thread;
use std::time::{Duration, Instant};

const WHILE: Duration = Duration::from_secs(10);
/// Opus packets a second.
const PACKETS: u32 = 50;
const PITCH: u32 = 440;

/// Parts of a core, for one end.
#[derive(Debug, Clone, Copy)]
pub struct Alone {
    /// The test picture, which stands for a camera.
    pub drawing: f64,
    /// VP8, encoding and decoding.
    pub video: f64,
    /// Opus, likewise.
    pub sound: f64,
}

/// For so many ends at once that each send and receive what was sent there.
pub fn alone(sent: PictureOut, ends: u32) -> Result<Alone, Failure> {
    let size = Size::new(sent.width, sent.height);
    let settings = Settings {
        size,
        fps: sent.fps.max(1),
        bitrate: sent.bitrate,
        content: Content::Camera,
    };
    let drawing = load(ends, settings.fps, || {
        let painter = Painter::new(Style::Cool, size)?;
        Ok(move |number| {
            painter.paint(number, u64::from(number), Instant::now())?;
            Ok(())
        })
    })?;
    let drawn_and_coded = load(ends, settings.fps, || {
        let painter = Painter::new(Style::Cool, size)?;
        let (mut encoder, mut decoder) = (Encoder::new(settings)?, Decoder::new());
        Ok(move |number| {
            let now = Instant::now();
            let picture = painter.paint(number, u64::from(number), now)?;
            let ticks = i64::from(number) * i64::from(CLOCK / settings.fps);
            if let Some(frame) = encoder.encode(&picture, ticks, false)? {
                decoder.decode(&frame.data, now)?;
            }
            Ok(())
        })
    })?;
    let sound = load(ends, PACKETS, || {
        let (mut encoder, mut decoder) = (encode::Encoder::new()?, decode::Decoder::new()?);
        Ok(move |number| {
            let first = u64::from(number) * PACKET as u64;
            let samples = std::array::from_fn(|n| tone::sample(first + n as u64, PITCH));
            if let Some(packet) = encoder.encode(&samples)? {
                decoder.decode(&packet.data)?;
            }
            Ok(())
        })
    })?;
    Ok(Alone {
        drawing,
        video: drawn_and_coded - drawing,
        sound,
    })
}

/// The part of a core that one of so many threads takes which each do this so
/// often a second. `begin` makes what a thread works with.
fn load<W: FnMut(u32) -> Result<(), Failure>>(
    threads: u32,
    a_second: u32,
    begin: impl Fn() -> Result<W, Failure> + Sync,
) -> Result<f64, Failure> {
    let run = || {
        let mut work = begin()?;
        let mut metronome = Metronome::default();
        let begun = Instant::now();
        for number in 0.. {
            if begun.elapsed() >= WHILE {
                break;
            }
            metronome.wait(a_second);
            work(number)?;
        }
        Ok::<_, Failure>(())
    };
    let (begun, work) = (Instant::now(), Work::begin());
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        for thread in running {
            thread.join().map_err(|_| "it panicked")??;
        }
        Ok::<_, Failure>(())
    })?;
    let took = work.took().as_secs_f64() / begun.elapsed().as_secs_f64();
    Ok(took / f64::from(threads))
}
