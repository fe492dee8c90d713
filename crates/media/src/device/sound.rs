//! The seam between things that hear and speak and everything else: ten
//! milliseconds of mono sound at 48 kHz at a time.
//!
//! Both traits block, each on the one thread that owns the device; never on an
//! async one.

use super::list::{DeviceList, Listing};
use super::{DeviceError, DeviceName, microphone, silence, speaker, tone, wav};
use crate::audio::Step;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Something that hears.
pub trait AudioSource {
    /// Waits for the next step, at most `wait`; `false`: there is none yet.
    fn read(&mut self, step: &mut Step, wait: Duration) -> Result<bool, DeviceError>;

    /// From being heard by the device to being read.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether it hears a real room, with echoes and noise to be taken out.
    fn live(&self) -> bool {
        false
    }
}

/// Something that speaks. It owns the clock of playout.
pub trait AudioSink {
    /// Waits until it wants the next step, at most `wait`; `false`: not yet.
    fn wants(&mut self, wait: Duration) -> Result<bool, DeviceError>;

    /// Takes a step that it wants.
    fn write(&mut self, step: &Step) -> Result<(), DeviceError>;

    /// From being written to being heard.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

pub type OpenSource =
    dyn Fn(&DeviceName) -> Result<Box<dyn AudioSource>, DeviceError> + Send + Sync;
pub type OpenSink = dyn Fn(&DeviceName) -> Result<Box<dyn AudioSink>, DeviceError> + Send + Sync;

/// What there is and how it opens: what capture and playout are given instead
/// of the system, so that tests can give them something else.
#[derive(Clone)]
pub struct SoundDevices {
    pub(crate) list: watch::Receiver<Listing>,
    pub(crate) source: Arc<OpenSource>,
    pub(crate) sink: Arc<OpenSink>,
}

impl SoundDevices {
    /// The system's devices and ours.
    pub fn of(list: &DeviceList) -> Self {
        Self::new(list.watch(), Arc::new(open_source), Arc::new(open_sink))
    }

    pub fn new(
        list: watch::Receiver<Listing>,
        source: Arc<OpenSource>,
        sink: Arc<OpenSink>,
    ) -> Self {
        Self { list, source, sink }
    }
}

impl std::fmt::Debug for SoundDevices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<sound devices>")
    }
}

/// Opens what hears. Blocks; the answer stays on this thread.
pub fn open_source(name: &DeviceName) -> Result<Box<dyn AudioSource>, DeviceError> {
    if let Some(tone) = tone::Tone::open(name) {
        return Ok(Box::new(tone));
    }
    if let Some(path) = wav::path_of(name) {
        return Ok(Box::new(wav::WavSource::open(path)?));
    }
    Ok(Box::new(microphone::Microphone::open(name)?))
}

/// Opens what speaks. Blocks; the answer stays on this thread.
pub fn open_sink(name: &DeviceName) -> Result<Box<dyn AudioSink>, DeviceError> {
    if silence::is(name) {
        return Ok(Box::new(silence::Silence::default()));
    }
    if let Some(path) = wav::path_of(name) {
        return Ok(Box::new(wav::WavSink::create(path)?));
    }
    Ok(Box::new(speaker::Speaker::open(name)?))
}

/// Whether a name stands for something of ours that opens without being
/// listed.
pub(super) fn ours(name: &DeviceName) -> bool {
    tone::Tone::open(name).is_some() || wav::path_of(name).is_some() || silence::is(name)
}
