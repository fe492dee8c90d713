//! Where pictures come from: every camera, screen and file behind one small
//! trait, and one place that lists and opens them.

use super::Picture;
use crate::device::{Device, DeviceError, DeviceKind, DeviceName};
use crate::device::{camera, pattern, screen, y4m};
use std::thread;
use std::time::{Duration, Instant};

/// How long a source may take before it says that it has nothing new.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// What is wanted of a source. It may give less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Pictures a second.
    pub fps: u32,
}

/// Something that makes pictures. Lives on the thread that opened it, and lets
/// go of its device when dropped.
pub trait VideoSource {
    /// Wait for the next picture and give it; what came in between is lost.
    /// `None`: there was none within about [`PATIENCE`]. An error is final.
    fn next(&mut self, pace: Pace) -> Result<Option<Picture>, DeviceError>;
}

/// Opens a source, on the thread that will use it.
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn VideoSource>, DeviceError> + Send>;

/// The devices of this kind, real ones first. Looks at the system each time,
/// which takes a few milliseconds.
pub fn list(kind: DeviceKind) -> Vec<Device> {
    let mut devices = match kind {
        DeviceKind::Camera => camera::list(),
        DeviceKind::Screen => screen::list(),
        DeviceKind::Microphone | DeviceKind::Speaker => return Vec::new(),
    };
    devices.extend(pattern::list(kind));
    devices
}

/// How to open the device of this name. Nothing is opened yet.
pub fn opener(name: &DeviceName) -> Open {
    let name = name.clone();
    Box::new(move || {
        if let Some(style) = pattern::style(&name) {
            return Ok(Box::new(pattern::Pattern::open(style)?) as Box<dyn VideoSource>);
        }
        if let Some(path) = y4m::path(&name) {
            return Ok(Box::new(y4m::Y4m::open(&path)?));
        }
        if camera::is(&name) {
            return camera::open(&name);
        }
        screen::open(&name)
    })
}

/// Keeps time: ticks that do not drift, and are skipped when nobody waits for
/// them.
#[derive(Debug, Default)]
pub struct Metronome {
    next: Option<Instant>,
}

impl Metronome {
    /// Sleep until the next tick. The first is now.
    pub fn wait(&mut self, a_second: u32) -> Instant {
        let interval = Duration::from_secs(1) / a_second.max(1);
        let now = Instant::now();
        // Late by more than a tick: what was missed stays missed. Far ahead:
        // the rate was lower before.
        let tick = match self.next {
            Some(next) if next + interval > now => next.min(now + interval),
            _ => now,
        };
        thread::sleep(tick.saturating_duration_since(now));
        self.next = Some(tick + interval);
        tick
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_build_has_a_camera_and_a_screen() {
        for kind in [DeviceKind::Camera, DeviceKind::Screen] {
            assert!(list(kind).iter().any(|device| device.synthetic));
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_no_device() {
        for name in ["", "camera:nobody's#0", "screen:window:1", "what"] {
            let open = opener(&DeviceName(name.to_owned()));
            assert!(open().is_err(), "{name}");
        }
        let open = opener(&DeviceName("camera:nobody's#0".to_owned()));
        assert_eq!(open().err(), Some(DeviceError::NoDevice));
    }

    #[test]
    fn a_metronome_does_not_make_up_for_what_was_missed() {
        let mut metronome = Metronome::default();
        let first = metronome.wait(1000);
        thread::sleep(Duration::from_millis(50));
        let second = metronome.wait(1000);
        let third = metronome.wait(1000);
        assert!(second - first >= Duration::from_millis(50));
        assert!(third > second);
    }
}
