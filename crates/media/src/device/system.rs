//! The system's sound devices: which library speaks to them and what they are
//! called. In which format is [`super::format`]'s, opening
//! [`super::microphone`]'s and [`super::speaker`]'s.
//!
//! On Linux that is PulseAudio where it answers (PipeWire answers for it), else
//! ALSA; elsewhere the system's own.

use super::list::Finder;
use super::{Device, DeviceError, DeviceKind, DeviceName};
use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Data, ErrorKind, FromSample, Host, HostId, SampleFormat};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest that opening a stream may take where the library bounds it.
pub(super) const OPENING: Duration = Duration::from_secs(5);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    fn prefix(self) -> &'static str {
        match self {
            Self::In => "in:",
            Self::Out => "out:",
        }
    }

    fn kind(self) -> DeviceKind {
        match self {
            Self::In => DeviceKind::Microphone,
            Self::Out => DeviceKind::Speaker,
        }
    }
}

/// One connection to the sound server for all: the library's has a thread that
/// outlives it until the server speaks again.
static HOST: Mutex<Option<Arc<Host>>> = Mutex::new(None);

fn host() -> Option<Arc<Host>> {
    let mut kept = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.as_ref().is_some_and(|host| is_server(host.id())) {
        return kept.clone();
    }
    // A server that came is better than what there was without one.
    let mut ids = cpal::available_hosts();
    ids.sort_by_key(|id| !is_server(*id));
    for id in ids {
        if kept.as_ref().is_some_and(|host| host.id() == id) {
            break;
        }
        if let Ok(host) = cpal::host_from_id(id) {
            *kept = Some(Arc::new(host));
            break;
        }
    }
    kept.clone()
}

/// It mixes, and its devices are what people know.
pub(super) fn is_server(id: HostId) -> bool {
    id.name() == "PulseAudio"
}

/// It does not answer any more: the next one who asks connects again.
fn give_up(dead: &Arc<Host>) {
    let mut kept = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.as_ref().is_some_and(|host| Arc::ptr_eq(host, dead)) {
        *kept = None;
    }
}

/// Finds microphones and speakers, the system's and ours.
pub fn finder() -> Finder {
    Box::new(|| {
        let mut found = Vec::new();
        if let Some(host) = host() {
            match list(&host) {
                Some(devices) => found = devices,
                None => give_up(&host),
            }
        }
        found.push(super::tone::listed());
        found.push(super::silence::listed());
        found
    })
}

fn list(host: &Host) -> Option<Vec<Device>> {
    let name_of = |device: Option<cpal::Device>| device.and_then(|d| d.id().ok());
    let default_in = name_of(host.default_input_device());
    let default_out = name_of(host.default_output_device());
    let mut found = Vec::new();
    for device in host.devices().ok()? {
        let (Ok(id), Ok(about)) = (device.id(), device.description()) else {
            continue;
        };
        if !worth_listing(id.host(), id.id()) {
            continue;
        }
        for (direction, here, default) in [
            (Direction::In, about.supports_input(), &default_in),
            (Direction::Out, about.supports_output(), &default_out),
        ] {
            if here {
                found.push(Device {
                    name: DeviceName(format!("{}{id}", direction.prefix())),
                    kind: direction.kind(),
                    label: about.name().to_owned(),
                    default: default.as_ref() == Some(&id),
                    synthetic: false,
                });
            }
        }
    }
    // What a speaker plays is seldom what somebody wants to say.
    found.sort_by_key(|d| d.name.0.ends_with(".monitor"));
    Some(found)
}

/// ALSA lists dozens of ways to reach one card: the ones that convert.
fn worth_listing(host: HostId, id: &str) -> bool {
    if host.name() != "ALSA" {
        return true;
    }
    ["default", "sysdefault:", "plughw:"]
        .iter()
        .any(|way| id == *way || (way.ends_with(':') && id.starts_with(way)))
}

/// The device behind a name.
pub(super) fn find(
    name: &DeviceName,
    direction: Direction,
) -> Result<(cpal::Device, HostId), DeviceError> {
    let id = name.0.strip_prefix(direction.prefix());
    let id: cpal::DeviceId = id
        .and_then(|id| id.parse().ok())
        .ok_or(DeviceError::NoDevice)?;
    let host = host().ok_or(DeviceError::NoDevice)?;
    if host.id() != id.host() {
        return Err(DeviceError::NoDevice);
    }
    let look = |host: &Host| {
        let mut devices = host.devices().map_err(|e| open_error(&e))?;
        let same = |device: &cpal::Device| device.id().is_ok_and(|d| d == id);
        devices.find(same).ok_or(DeviceError::NoDevice)
    };
    let device = look(&host)?;
    if direction == Direction::Out && is_server(id.host()) {
        // The library asks for all playback of one connection to be in sync,
        // which the server refuses for more than one stream. This connection
        // ends with its stream.
        let own = cpal::host_from_id(id.host()).map_err(|e| open_error(&e))?;
        return Ok((look(&own)?, id.host()));
    }
    Ok((device, id.host()))
}

/// What an error means for people; `None` if the stream goes on.
pub(super) fn stream_error(kind: ErrorKind) -> Option<DeviceError> {
    match kind {
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => None,
        ErrorKind::StreamInvalidated => Some(DeviceError::Vanished),
        other => Some(match device_error(other) {
            DeviceError::NoDevice => DeviceError::Vanished,
            error => error,
        }),
    }
}

/// Why a device does not open.
pub(super) fn open_error(error: &cpal::Error) -> DeviceError {
    let kind = error.kind();
    tracing::debug!(?kind, "a sound device does not open");
    if matches!(
        kind,
        ErrorKind::StreamInvalidated | ErrorKind::HostUnavailable
    ) {
        // The connection is dead: the next one who asks connects again.
        *HOST.lock().unwrap_or_else(PoisonError::into_inner) = None;
        return DeviceError::Vanished;
    }
    device_error(kind)
}

fn device_error(kind: ErrorKind) -> DeviceError {
    match kind {
        ErrorKind::DeviceBusy => DeviceError::Busy,
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => DeviceError::NoDevice,
        ErrorKind::PermissionDenied => DeviceError::Refused,
        _ => DeviceError::Broken,
    }
}

/// Calls `$call` with the slice of samples that `$data` holds.
macro_rules! with_samples {
    ($data:expr, $slice:ident, $call:ident($($argument:expr),*)) => {
        match $data.sample_format() {
            SampleFormat::F32 => $data.$slice::<f32>().map(|s| $call(s, $($argument),*)),
            SampleFormat::F64 => $data.$slice::<f64>().map(|s| $call(s, $($argument),*)),
            SampleFormat::I8 => $data.$slice::<i8>().map(|s| $call(s, $($argument),*)),
            SampleFormat::I16 => $data.$slice::<i16>().map(|s| $call(s, $($argument),*)),
            SampleFormat::I24 => $data.$slice::<cpal::I24>().map(|s| $call(s, $($argument),*)),
            SampleFormat::I32 => $data.$slice::<i32>().map(|s| $call(s, $($argument),*)),
            SampleFormat::I64 => $data.$slice::<i64>().map(|s| $call(s, $($argument),*)),
            SampleFormat::U8 => $data.$slice::<u8>().map(|s| $call(s, $($argument),*)),
            SampleFormat::U16 => $data.$slice::<u16>().map(|s| $call(s, $($argument),*)),
            SampleFormat::U24 => $data.$slice::<cpal::U24>().map(|s| $call(s, $($argument),*)),
            SampleFormat::U32 => $data.$slice::<u32>().map(|s| $call(s, $($argument),*)),
            SampleFormat::U64 => $data.$slice::<u64>().map(|s| $call(s, $($argument),*)),
            _ => None,
        }
    };
}

/// Gives each frame of the data as one mono sample.
pub(super) fn each_mono(data: &Data, channels: usize, each: &mut dyn FnMut(f32)) {
    fn run<T: Copy>(frames: &[T], channels: usize, each: &mut dyn FnMut(f32))
    where
        f32: FromSample<T>,
    {
        for frame in frames.chunks_exact(channels) {
            let sum: f32 = frame.iter().map(|s| f32::from_sample_(*s)).sum();
            each(sum / channels as f32);
        }
    }
    with_samples!(data, as_slice, run(channels, each));
}

/// Fills each frame of the data with a mono sample, in all channels.
pub(super) fn fill_mono(data: &mut Data, channels: usize, next: &mut dyn FnMut() -> f32) {
    fn run<T: Copy + FromSample<f32>>(
        frames: &mut [T],
        channels: usize,
        next: &mut dyn FnMut() -> f32,
    ) {
        for frame in frames.chunks_exact_mut(channels) {
            frame.fill(T::from_sample_(next()));
        }
    }
    with_samples!(data, as_slice_mut, run(channels, next));
}
