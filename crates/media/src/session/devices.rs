//! The device list, looked up every two seconds from the moment somebody wants
//! to know: whoever never calls and never asks has the system asked nothing.

use crate::device::list::{DeviceList, Listing};
use crate::device::sound::SoundDevices;
use crate::device::{DeviceKind, system};
use crate::video::source;
use std::sync::OnceLock;
use tokio::sync::watch;

#[derive(Default)]
pub struct Devices(OnceLock<Option<DeviceList>>);

impl Devices {
    /// `None` only where the system gives no more threads.
    pub fn list(&self) -> Option<&DeviceList> {
        let started = self.0.get_or_init(|| {
            let started = DeviceList::start(vec![
                system::finder(),
                Box::new(|| source::list(DeviceKind::Camera)),
                Box::new(|| source::list(DeviceKind::Screen)),
            ]);
            started
                .inspect_err(|error| tracing::error!(%error, "devices cannot be looked up"))
                .ok()
        });
        started.as_ref()
    }

    pub fn watch(&self) -> watch::Receiver<Listing> {
        match self.list() {
            Some(list) => list.watch(),
            None => watch::channel(Listing::of(Vec::new())).1,
        }
    }

    pub fn sound(&self) -> Option<SoundDevices> {
        self.list().map(SoundDevices::of)
    }
}
