//! From a microphone to packets, on a thread of its own: keeps the device,
//! cleans the sound, watches the level, encodes.
//!
//! While muted the device is closed: nothing is captured that could leak. For
//! somebody who holds a key to talk it can stay open instead; then what is heard
//! ends here, before it is encoded.

mod worker;

use super::level::SILENCE_DB;
use super::{EchoReference, EncodedAudio, Processing, bitrate};
use crate::device::list::DeviceChoice;
use crate::device::sound::SoundDevices;
use crate::device::{DeviceError, DeviceName};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;
use tokio::sync::{mpsc as packets, watch};
use worker::Worker;

/// How capture begins.
#[derive(Debug)]
pub struct CaptureSetup {
    pub devices: SoundDevices,
    pub choice: DeviceChoice,
    pub processing: Processing,
    pub mute: Mute,
    /// What the speaker plays; `None`: there is no speaker to be heard.
    pub echo: Option<EchoReference>,
    /// Where packets go; when it is full the newest is dropped and counted.
    /// `None`: only the level is wanted, as for a preview.
    pub packets: Option<packets::Sender<EncodedAudio>>,
}

/// Whether sound leaves, and what becomes of the device if it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    Off,
    /// Nothing leaves; the device stays open, so that the first syllable
    /// afterwards is not lost to opening it.
    Open,
    /// Nothing leaves and nothing is captured.
    Closed,
}

/// Reported from the capture thread, which must not be made to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureEvent {
    Opened(DeviceName),
    /// The device does not work. Another may be opened next.
    Failed(DeviceError),
    Speaking(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureStats {
    /// A device is open.
    pub open: bool,
    /// Of what the others get, dBFS.
    pub level_db: f32,
    pub speaking: bool,
    /// Packets given out.
    pub packets: u64,
    /// Packets that had no room.
    pub dropped: u64,
    /// Of Opus, bit/s.
    pub bitrate: u32,
}

impl Default for CaptureStats {
    fn default() -> Self {
        Self {
            open: false,
            level_db: SILENCE_DB,
            speaking: false,
            packets: 0,
            dropped: 0,
            bitrate: bitrate::START,
        }
    }
}

enum Order {
    Choose(DeviceChoice),
    Process(Processing),
    /// Look at [`Muted`] now.
    Mute,
    Available(u32),
    Loss(u8),
}

/// The newest wish, seen by the capture thread before each packet.
#[derive(Debug)]
struct Muted(AtomicU8);

impl Muted {
    fn set(&self, mute: Mute) {
        self.0.store(mute as u8, Ordering::SeqCst);
    }

    fn get(&self) -> Mute {
        match self.0.load(Ordering::SeqCst) {
            n if n == Mute::Off as u8 => Mute::Off,
            n if n == Mute::Open as u8 => Mute::Open,
            _ => Mute::Closed,
        }
    }
}

/// Captures while it lives. Dropping it closes the device soon, without
/// waiting for it.
#[derive(Debug)]
pub struct Capture {
    orders: mpsc::Sender<Order>,
    muted: Arc<Muted>,
    stats: watch::Receiver<CaptureStats>,
}

impl Capture {
    pub fn start(
        setup: CaptureSetup,
        events: impl FnMut(CaptureEvent) + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let (orders, received) = mpsc::channel();
        let (show, stats) = watch::channel(CaptureStats::default());
        let muted = Arc::new(Muted(AtomicU8::new(setup.mute as u8)));
        let flag = muted.clone();
        std::thread::Builder::new()
            .name("sotto-capture".into())
            .spawn(move || {
                if let Some(mut worker) = Worker::new(setup, flag, show, Box::new(events)) {
                    worker.run(&received);
                }
            })
            .map_err(|_| DeviceError::Broken)?;
        Ok(Self {
            orders,
            muted,
            stats,
        })
    }

    pub fn choose(&self, choice: DeviceChoice) {
        let _ = self.orders.send(Order::Choose(choice));
    }

    pub fn set_processing(&self, processing: Processing) {
        let _ = self.orders.send(Order::Process(processing));
    }

    /// From the return of this on no sound leaves, unless it is off. A device
    /// that is to be closed is closed soon after.
    pub fn set_mute(&self, mute: Mute) {
        self.muted.set(mute);
        let _ = self.orders.send(Order::Mute);
    }

    /// What the paths are thought to carry of Opus, bit/s.
    pub fn set_available(&self, bits: u32) {
        let _ = self.orders.send(Order::Available(bits));
    }

    /// How many of a hundred packets the receivers miss.
    pub fn set_loss(&self, percent: u8) {
        let _ = self.orders.send(Order::Loss(percent));
    }

    pub fn stats(&self) -> CaptureStats {
        *self.stats.borrow()
    }
}

#[cfg(test)]
mod tests;
