//! A speaker that nobody hears, driven by a timer: what plays where there is no
//! speaker, so that a call goes on without one.

use super::sound::AudioSink;
use super::{Device, DeviceError, DeviceKind, DeviceName, tone};
use crate::audio::Step;
use std::time::{Duration, Instant};

const NAME: &str = "silence:";

pub fn listed() -> Device {
    Device {
        name: name(),
        kind: DeviceKind::Speaker,
        label: "No sound".into(),
        default: false,
        synthetic: true,
    }
}

pub fn name() -> DeviceName {
    DeviceName(NAME.into())
}

pub fn is(name: &DeviceName) -> bool {
    name.0 == NAME
}

#[derive(Debug, Default)]
pub struct Silence {
    due: Option<Instant>,
}

impl AudioSink for Silence {
    fn wants(&mut self, wait: Duration) -> Result<bool, DeviceError> {
        Ok(tone::pace(&mut self.due, wait))
    }

    fn write(&mut self, _: &Step) -> Result<(), DeviceError> {
        Ok(())
    }
}
