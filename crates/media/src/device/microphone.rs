//! A microphone of the system. The library's callback only mixes down to mono
//! and hands over; everything else happens on the thread that reads.

use super::format::{self, Found};
use super::sound::AudioSource;
use super::system::{self, Direction};
use super::{DeviceError, DeviceName};
use crate::audio::resample::ToSteps;
use crate::audio::{RATE, Step};
use cpal::SampleFormat;
use cpal::traits::{DeviceTrait, StreamTrait};
use ringbuf::HeapRb;
use ringbuf::traits::{Consumer, Observer, Producer, Split};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What fits between callback and reader: the longest hiccup without a loss.
const ROOM: Duration = Duration::from_millis(300);

pub struct Microphone {
    // Dropped first: no callback outlives the rest.
    _stream: cpal::Stream,
    ring: ringbuf::HeapCons<f32>,
    steps: ToSteps,
    rate: u32,
    chunk: Vec<f32>,
    shared: Arc<Shared>,
}

struct Shared {
    failed: OnceLock<DeviceError>,
    /// From sound to callback, microseconds.
    delay: AtomicU64,
}

impl Microphone {
    /// Opens it in the best of its formats. Blocks; read it on this thread.
    pub fn open(name: &DeviceName) -> Result<Self, DeviceError> {
        Self::open_found(format::best(name, Direction::In)?)
    }

    fn open_found(found: Found) -> Result<Self, DeviceError> {
        let Found {
            device,
            config,
            format,
        } = found;
        let rate = config.sample_rate;
        let steps = ToSteps::new(rate).ok_or(DeviceError::Broken)?;
        let room = (f64::from(rate) * ROOM.as_secs_f64()) as usize;
        let (mut give, ring) = HeapRb::<f32>::new(room).split();
        let shared = Arc::new(Shared {
            failed: OnceLock::new(),
            delay: AtomicU64::new(0),
        });
        let reader = std::thread::current();
        let (heard, broke) = (shared.clone(), shared.clone());
        let (woken, channels) = (reader.clone(), usize::from(config.channels));
        let stream = device
            .build_input_stream_raw(
                config,
                format,
                move |data, info| {
                    // A full ring drops what is newest; the reader is stuck.
                    system::each_mono(data, channels, &mut |sample| {
                        let _ = give.try_push(sample);
                    });
                    let times = info.timestamp();
                    let delay = times.callback.duration_since(times.capture);
                    heard.delay.store(micros(delay), Ordering::Relaxed);
                    reader.unpark();
                },
                move |error| {
                    if let Some(error) = system::stream_error(error.kind()) {
                        let _ = broke.failed.set(error);
                        woken.unpark();
                    }
                },
                Some(system::OPENING),
            )
            .map_err(|e| system::open_error(&e))?;
        stream.play().map_err(|e| system::open_error(&e))?;
        Ok(Self {
            _stream: stream,
            ring,
            steps,
            rate,
            chunk: vec![0.0; room],
            shared,
        })
    }

    fn take(&mut self) {
        let wanted = self.steps.needs().min(self.chunk.len());
        let taken = self.ring.pop_slice(&mut self.chunk[..wanted]);
        self.steps.push(&self.chunk[..taken]);
    }
}

pub(super) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(0)
}

impl AudioSource for Microphone {
    fn read(&mut self, step: &mut Step, wait: Duration) -> Result<bool, DeviceError> {
        let until = Instant::now() + wait;
        loop {
            self.take();
            if self.steps.pull(step) {
                return Ok(true);
            }
            if let Some(error) = self.shared.failed.get() {
                return Err(*error);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::park_timeout(left);
        }
    }

    fn delay(&self) -> Duration {
        let waiting = self.ring.occupied_len() as u64 * 1_000_000 / u64::from(self.rate.max(1));
        Duration::from_micros(self.shared.delay.load(Ordering::Relaxed) + waiting)
    }

    fn live(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Microphone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<microphone, {} of {RATE} Hz>", self.rate)
    }
}

/// Opens a microphone at that rate, width and number of channels, whatever it
/// would rather have.
pub fn open_as(
    name: &DeviceName,
    rate: u32,
    channels: u16,
    format: SampleFormat,
) -> Result<Box<dyn AudioSource>, DeviceError> {
    let found = format::exactly(name, Direction::In, rate, channels, format)?;
    Ok(Box::new(Microphone::open_found(found)?))
}
