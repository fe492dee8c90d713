//! A speaker of the system. Its callback takes what is ready and wakes the
//! thread that writes; it never waits, allocates or mixes.

use super::format::{self, Found};
use super::microphone::micros;
use super::sound::AudioSink;
use super::system::{self, Direction};
use super::{DeviceError, DeviceName};
use crate::audio::Step;
use crate::audio::resample::FromSteps;
use cpal::SampleFormat;
use cpal::traits::{DeviceTrait, StreamTrait};
use ringbuf::HeapRb;
use ringbuf::traits::{Consumer, Observer, Producer, Split};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The most that waits for the callback.
const ROOM: Duration = Duration::from_millis(500);

pub struct Speaker {
    // Dropped first: no callback outlives the rest.
    _stream: cpal::Stream,
    ring: ringbuf::HeapProd<f32>,
    steps: FromSteps,
    rate: u32,
    /// More than one callback's worth kept ready, samples: grows when a
    /// callback finds too little.
    spare: usize,
    seen_short: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    failed: OnceLock<DeviceError>,
    /// From callback to sound, microseconds.
    delay: AtomicU64,
    /// The most that a callback takes lately, samples.
    takes: AtomicUsize,
    /// Callbacks that found too little.
    short: AtomicUsize,
}

impl Speaker {
    /// Opens it in the best of its formats. Blocks; write to it on this thread.
    pub fn open(name: &DeviceName) -> Result<Self, DeviceError> {
        Self::open_found(format::best(name, Direction::Out)?)
    }

    fn open_found(found: Found) -> Result<Self, DeviceError> {
        let Found {
            device,
            config,
            format,
        } = found;
        let rate = config.sample_rate;
        let steps = FromSteps::new(rate).ok_or(DeviceError::Broken)?;
        let room = (f64::from(rate) * ROOM.as_secs_f64()) as usize;
        let (ring, mut take) = HeapRb::<f32>::new(room).split();
        let shared = Arc::new(Shared::default());
        let writer = std::thread::current();
        let (played, broke) = (shared.clone(), shared.clone());
        let (woken, channels) = (writer.clone(), usize::from(config.channels));
        let stream = device
            .build_output_stream_raw(
                config,
                format,
                move |data, info| {
                    let frames = data.len() / channels;
                    if take.occupied_len() < frames {
                        played.short.fetch_add(1, Ordering::Relaxed);
                    }
                    system::fill_mono(data, channels, &mut || take.try_pop().unwrap_or(0.0));
                    let most = played.takes.load(Ordering::Relaxed);
                    let most = frames.max(most - most / 64);
                    played.takes.store(most, Ordering::Relaxed);
                    let times = info.timestamp();
                    let delay = times.playback.duration_since(times.callback);
                    played.delay.store(micros(delay), Ordering::Relaxed);
                    writer.unpark();
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
            spare: rate as usize / 200,
            seen_short: 0,
            shared,
        })
    }

    /// How much shall be ready.
    fn ready(&mut self) -> usize {
        let short = self.shared.short.load(Ordering::Relaxed);
        // The first callbacks come before the first step.
        if short > self.seen_short.max(2) {
            let most = self.rate as usize / 25;
            self.spare = (self.spare + self.rate as usize / 200).min(most);
        }
        self.seen_short = short;
        let takes = self.shared.takes.load(Ordering::Relaxed);
        (takes + self.spare).min(self.ring.capacity().get() - self.rate as usize / 50)
    }
}

impl AudioSink for Speaker {
    fn wants(&mut self, wait: Duration) -> Result<bool, DeviceError> {
        let until = Instant::now() + wait;
        loop {
            if let Some(error) = self.shared.failed.get() {
                return Err(*error);
            }
            if self.ring.occupied_len() < self.ready() {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::park_timeout(left);
        }
    }

    fn write(&mut self, step: &Step) -> Result<(), DeviceError> {
        self.ring.push_slice(self.steps.convert(step));
        Ok(())
    }

    fn delay(&self) -> Duration {
        let waiting = self.ring.occupied_len() as u64 * 1_000_000 / u64::from(self.rate.max(1));
        Duration::from_micros(self.shared.delay.load(Ordering::Relaxed) + waiting)
    }
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<speaker, {} Hz>", self.rate)
    }
}

/// Opens a speaker at that rate, width and number of channels, whatever it would
/// rather have.
pub fn open_as(
    name: &DeviceName,
    rate: u32,
    channels: u16,
    format: SampleFormat,
) -> Result<Box<dyn AudioSink>, DeviceError> {
    let found = format::exactly(name, Direction::Out, rate, channels, format)?;
    Ok(Box::new(Speaker::open_found(found)?))
}
