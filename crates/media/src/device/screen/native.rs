//! Screens and windows of Windows and macOS, by xcap, one picture at a time.
//! Thin: what is listed, and what its errors mean.

use super::PREFIX;
use crate::device::{Device, DeviceError, DeviceKind, DeviceName};
use crate::video::picture::{Layout, Raw, convert};
use crate::video::source::{Metronome, Pace, VideoSource};
use crate::video::{Picture, Size};
use xcap::{Monitor, Window, XCapError};

/// Screens first, then the windows that are not minimized.
pub fn list() -> Vec<Device> {
    let monitors = Monitor::all().unwrap_or_default().into_iter();
    let mut devices: Vec<_> = monitors
        .filter_map(|monitor| {
            let label = monitor.friendly_name().or_else(|_| monitor.name()).ok()?;
            let name = format!("{PREFIX}monitor:{}", monitor.id().ok()?);
            let default = monitor.is_primary().unwrap_or(false);
            Some(device(name, label, default))
        })
        .collect();
    let windows = Window::all().unwrap_or_default().into_iter();
    devices.extend(windows.filter_map(|window| {
        if window.is_minimized().unwrap_or(true) {
            return None;
        }
        let title = window.title().ok().filter(|title| !title.is_empty())?;
        let name = format!("{PREFIX}window:{}", window.id().ok()?);
        Some(device(name, title, false))
    }));
    devices
}

fn device(name: String, label: String, default: bool) -> Device {
    Device {
        name: DeviceName(name),
        kind: DeviceKind::Screen,
        label,
        default,
        synthetic: false,
    }
}

pub fn open(name: &DeviceName) -> Result<Box<dyn VideoSource>, DeviceError> {
    let rest = name.0.strip_prefix(PREFIX).ok_or(DeviceError::NoDevice)?;
    let (kind, id) = rest.split_once(':').ok_or(DeviceError::NoDevice)?;
    let id: u32 = id.parse().map_err(|_| DeviceError::NoDevice)?;
    let target = match kind {
        "monitor" => {
            let mut monitors = Monitor::all().map_err(meaning)?.into_iter();
            let found = monitors.find(|monitor| monitor.id().is_ok_and(|known| known == id));
            Target::Monitor(found.ok_or(DeviceError::NoDevice)?)
        }
        "window" => {
            let mut windows = Window::all().map_err(meaning)?.into_iter();
            let found = windows.find(|window| window.id().is_ok_and(|known| known == id));
            Target::Window(found.ok_or(DeviceError::NoDevice)?)
        }
        _ => return Err(DeviceError::NoDevice),
    };
    Ok(Box::new(Screen {
        target,
        metronome: Metronome::default(),
        works: false,
    }))
}

enum Target {
    Monitor(Monitor),
    Window(Window),
}

struct Screen {
    target: Target,
    metronome: Metronome,
    works: bool,
}

impl VideoSource for Screen {
    fn next(&mut self, pace: Pace) -> Result<Option<Picture>, DeviceError> {
        let at = self.metronome.wait(pace.fps.min(30));
        let image = match &self.target {
            Target::Monitor(monitor) => monitor.capture_image(),
            Target::Window(window) => window.capture_image(),
        };
        let image = match image {
            Ok(image) => image,
            Err(_) if self.works => return Err(DeviceError::Vanished),
            Err(error) => return Err(meaning(error)),
        };
        self.works = true;
        let picture = convert(Raw {
            layout: Layout::Rgba,
            size: Size::new(image.width(), image.height()),
            stride: None,
            bytes: image.as_raw(),
            at,
        });
        picture.map(Some).map_err(|_| DeviceError::Broken)
    }
}

/// The systems give no pictures to whom they did not allow it.
fn meaning(error: XCapError) -> DeviceError {
    match error {
        XCapError::NotSupported => DeviceError::Broken,
        _ => DeviceError::Refused,
    }
}
