//! Screens and windows to share. On X11 they are listed and read here; on
//! Wayland the system's own dialog chooses, and pictures come over PipeWire;
//! on Windows and macOS xcap reads them.

use super::{Device, DeviceError, DeviceName};
use crate::video::source::VideoSource;

#[cfg(not(target_os = "linux"))]
mod native;
#[cfg(target_os = "linux")]
mod portal;
#[cfg(target_os = "linux")]
mod x11;

const PREFIX: &str = "screen:";

/// What can be shared now. Under Wayland one entry: the system asks then.
#[cfg(target_os = "linux")]
pub fn list() -> Vec<Device> {
    if portal::wanted() {
        return portal::list();
    }
    x11::list(None).unwrap_or_default()
}

/// Begin to share; may ask the person and wait for the answer.
#[cfg(target_os = "linux")]
pub fn open(name: &DeviceName) -> Result<Box<dyn VideoSource>, DeviceError> {
    let rest = name.0.strip_prefix(PREFIX).ok_or(DeviceError::NoDevice)?;
    if rest == portal::NAME {
        return Ok(Box::new(portal::Portal::open()?));
    }
    Ok(Box::new(x11::Screen::open(None, rest)?))
}

#[cfg(not(target_os = "linux"))]
pub use native::{list, open};
