//! Microphone, speaker and bell of a session: which of them run, and on which
//! devices.

use super::devices::Devices;
use super::outgoing::Outgoing;
use crate::audio::capture::CaptureSetup;
use crate::audio::{
    Capture, CaptureEvent, CaptureStats, Chime, EncodedAudio, Mute, Playout, PlayoutEvent,
    Processing, Ring, Voice,
};
use crate::console::{Choices, Level};
use crate::device::list::DeviceChoice;
use crate::device::{DeviceError, DeviceName};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Packets between the microphone's thread and the connections: 200 ms.
const PACKETS: usize = 10;
/// What a meter shows as nothing, dBFS.
const QUIET: f32 = -60.0;

/// What the microphone is wanted for.
#[derive(Clone)]
pub enum Listen {
    Off,
    /// To show its level.
    Level,
    Send {
        to: Arc<Outgoing>,
        mute: Mute,
    },
}

pub struct Sound {
    devices: Arc<Devices>,
    choices: Choices,
    processing: Processing,
    capture: Option<Capture>,
    /// The capture sends.
    sends: bool,
    playout: Option<Playout>,
    bell: Option<(Ring, Chime)>,
    test: Option<Chime>,
}

impl Sound {
    pub fn new(devices: Arc<Devices>, choices: Choices, processing: Processing) -> Self {
        Self {
            devices,
            choices,
            processing,
            capture: None,
            sends: false,
            playout: None,
            bell: None,
            test: None,
        }
    }

    pub fn choose(&mut self, choices: Choices) {
        if let Some(capture) = &self.capture {
            capture.choose(choice(&choices.microphone));
        }
        if let Some(playout) = &self.playout {
            playout.choose(choice(&choices.speaker));
        }
        if let Some((_, bell)) = &self.bell {
            bell.choose(ringer(&choices));
        }
        // Of another speaker, the test of this one says nothing.
        if choices.speaker != self.choices.speaker {
            self.test = None;
        }
        self.choices = choices;
    }

    pub fn process(&mut self, processing: Processing) {
        self.processing = processing;
        if let Some(capture) = &self.capture {
            capture.set_processing(processing);
        }
    }

    /// Opens or closes the microphone.
    pub fn listen(&mut self, listen: Listen, tell: impl FnMut(CaptureEvent) + Send + 'static) {
        match listen {
            Listen::Off => self.capture = None,
            Listen::Level => {
                if self.capture.is_none() || self.sends {
                    self.start_capture(Mute::Off, None, tell);
                    self.sends = false;
                }
            }
            Listen::Send { to, mute } => {
                if let (Some(capture), true) = (&self.capture, self.sends) {
                    return capture.set_mute(mute);
                }
                let (packets, leaving) = mpsc::channel(PACKETS);
                tokio::spawn(send(leaving, to));
                self.start_capture(mute, Some(packets), tell);
                self.sends = true;
            }
        }
    }

    fn start_capture(
        &mut self,
        mute: Mute,
        packets: Option<mpsc::Sender<EncodedAudio>>,
        tell: impl FnMut(CaptureEvent) + Send + 'static,
    ) {
        // The device may be one that opens only once.
        self.capture = None;
        let Some(devices) = self.devices.sound() else {
            return;
        };
        let setup = CaptureSetup {
            devices,
            choice: choice(&self.choices.microphone),
            processing: self.processing,
            mute,
            echo: self.playout.as_ref().map(Playout::echo),
            packets,
        };
        match Capture::start(setup, tell) {
            Ok(capture) => self.capture = Some(capture),
            Err(error) => tracing::error!(%error, "the microphone's thread did not start"),
        }
    }

    /// Opens the speaker.
    pub fn play(&mut self, tell: impl FnMut(PlayoutEvent) + Send + 'static) {
        if self.playout.is_some() {
            return;
        }
        let Some(devices) = self.devices.sound() else {
            return;
        };
        match Playout::start(devices, choice(&self.choices.speaker), tell) {
            Ok(playout) => self.playout = Some(playout),
            Err(error) => tracing::error!(%error, "the speaker's thread did not start"),
        }
    }

    /// Somebody who is to be heard.
    pub fn voice(&self) -> Option<Voice> {
        self.playout.as_ref()?.add().ok()
    }

    /// Closes what a call had open.
    pub fn hang_up(&mut self) {
        self.capture = None;
        self.playout = None;
    }

    pub fn ring(&mut self, ring: Option<Ring>) {
        if self.bell.as_ref().map(|(ring, _)| *ring) == ring {
            return;
        }
        self.bell = ring.and_then(|ring| {
            let choice = ringer(&self.choices);
            let chime = Chime::start(self.devices.sound()?, choice, ring, |played| {
                // The call is on screen as well.
                if let Err(error) = played {
                    tracing::info!(%error, "a ring is seen and not heard");
                }
            });
            Some((ring, chime.ok()?))
        });
    }

    /// Tries the speaker; `tell` is told whether it plays.
    pub fn test(&mut self, tell: impl FnMut(Result<(), DeviceError>) + Send + 'static) {
        let choice = choice(&self.choices.speaker);
        let devices = self.devices.sound();
        self.test = devices.and_then(|d| Chime::start(d, choice, Ring::Test, tell).ok());
    }

    /// What the paths carry (bit/s), and how much of it is lost, 0 to 1.
    pub fn adapt(&self, available: u32, loss: f64) {
        if let Some(capture) = &self.capture {
            capture.set_available(available);
            // A share of at most 1.
            capture.set_loss((loss.clamp(0.0, 1.0) * 100.0).round() as u8);
        }
    }

    pub fn stats(&self) -> Option<CaptureStats> {
        self.capture.as_ref().map(Capture::stats)
    }

    pub fn level(&self) -> Level {
        let stats = self.stats().unwrap_or_default();
        level(stats.level_db, stats.speaking)
    }
}

async fn send(mut leaving: mpsc::Receiver<EncodedAudio>, to: Arc<Outgoing>) {
    while let Some(packet) = leaving.recv().await {
        to.audio(&packet);
    }
}

/// From dBFS to a meter.
pub fn level(db: f32, speaking: bool) -> Level {
    Level {
        loudness: ((db - QUIET) / -QUIET).clamp(0.0, 1.0),
        speaking,
    }
}

fn choice(name: &Option<DeviceName>) -> DeviceChoice {
    name.clone()
        .map_or(DeviceChoice::Default, DeviceChoice::Named)
}

fn ringer(choices: &Choices) -> DeviceChoice {
    choice(if choices.ringer.is_some() {
        &choices.ringer
    } else {
        &choices.speaker
    })
}
