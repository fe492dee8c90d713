//! What captures and plays: real devices and synthetic ones, in one list. A
//! synthetic device is an ordinary entry on every build.

pub mod camera;
mod format;
pub(crate) mod keep;
pub mod list;
pub mod microphone;
pub mod pattern;
pub mod screen;
pub mod silence;
pub mod sound;
pub mod speaker;
pub mod system;
pub mod tone;
pub mod wav;
pub mod y4m;

use sotto_client::call::media::SourceState;
use std::fmt;

/// Names a device from one start to the next. Opaque; never logged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceName(pub String);

impl fmt::Debug for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<device>")
    }
}

/// One entry of the device list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub name: DeviceName,
    pub kind: DeviceKind,
    /// For people, as the system calls it. Text, never markup.
    pub label: String,
    /// The system's default of its kind.
    pub default: bool,
    /// Made by us: a test picture, a tone, a file.
    pub synthetic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    Microphone,
    Speaker,
    Camera,
    /// A screen or a window.
    Screen,
}

/// Why a device does not open, or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DeviceError {
    #[error("there is no such device")]
    NoDevice,
    #[error("another program holds the device")]
    Busy,
    #[error("the system does not allow the device")]
    Refused,
    #[error("the device is gone")]
    Vanished,
    #[error("the device or file does not work")]
    Broken,
}

impl From<DeviceError> for SourceState {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::NoDevice => Self::NoDevice,
            DeviceError::Busy => Self::Busy,
            DeviceError::Refused => Self::Refused,
            DeviceError::Vanished => Self::Vanished,
            DeviceError::Broken => Self::Broken,
        }
    }
}
