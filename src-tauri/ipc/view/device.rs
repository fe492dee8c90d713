//! Devices for calls, and how loud it is.

use super::call::{Trouble, troubles_of};
use serde::{Deserialize, Serialize};
use sotto_media::{
    audio,
    console::{self, Choices},
    device::{self, DeviceName, list::Listing},
};
use specta::Type;

#[derive(Debug, Clone, Serialize, Type)]
pub struct Devices {
    /// They have been looked up at least once.
    pub known: bool,
    pub devices: Vec<Device>,
    pub choices: DeviceChoices,
    pub processing: Processing,
}

impl Devices {
    pub fn new(listing: &Listing, choices: DeviceChoices, processing: Processing) -> Self {
        Self {
            known: listing.known,
            devices: listing.devices.iter().map(Device::from).collect(),
            choices,
            processing,
        }
    }
}

#[derive(Debug, Clone, Serialize, Type)]
pub struct Device {
    /// Names it from one start to the next.
    pub name: String,
    pub kind: DeviceKind,
    pub label: String,
    pub default: bool,
    /// Made by us: a test picture, a tone, a file.
    pub synthetic: bool,
}

impl From<&device::Device> for Device {
    fn from(device: &device::Device) -> Self {
        Self {
            name: device.name.0.clone(),
            kind: device.kind.into(),
            label: device.label.clone(),
            default: device.default,
            synthetic: device.synthetic,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    Microphone,
    Speaker,
    Camera,
    Screen,
}

impl From<device::DeviceKind> for DeviceKind {
    fn from(kind: device::DeviceKind) -> Self {
        match kind {
            device::DeviceKind::Microphone => Self::Microphone,
            device::DeviceKind::Speaker => Self::Speaker,
            device::DeviceKind::Camera => Self::Camera,
            device::DeviceKind::Screen => Self::Screen,
        }
    }
}

/// What a device is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceUse {
    Microphone,
    Speaker,
    Ringer,
    Camera,
    Screen,
}

/// Devices in use; null is the system's default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
pub struct DeviceChoices {
    pub microphone: Option<String>,
    pub speaker: Option<String>,
    pub ringer: Option<String>,
    pub camera: Option<String>,
    pub screen: Option<String>,
}

impl From<DeviceChoices> for Choices {
    fn from(choices: DeviceChoices) -> Self {
        let name = |name: Option<String>| name.map(DeviceName);
        Self {
            microphone: name(choices.microphone),
            speaker: name(choices.speaker),
            ringer: name(choices.ringer),
            camera: name(choices.camera),
            screen: name(choices.screen),
        }
    }
}

/// What is done to the own voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Processing {
    /// Take out what the speaker plays.
    pub echo: bool,
    /// Take out fans and hiss.
    pub noise: bool,
    /// Bring quiet and loud voices to one level.
    pub gain: bool,
}

impl Default for Processing {
    fn default() -> Self {
        let audio::Processing { echo, noise, gain } = audio::Processing::ALL;
        Self { echo, noise, gain }
    }
}

impl From<Processing> for audio::Processing {
    fn from(Processing { echo, noise, gain }: Processing) -> Self {
        Self { echo, noise, gain }
    }
}

#[derive(Debug, Clone, Serialize, Type)]
pub struct Levels {
    pub microphone: Level,
    pub peers: Vec<PeerLevel>,
    /// What does not open of what is only tried.
    pub troubles: Vec<Trouble>,
}

#[derive(Debug, Clone, Serialize, Type)]
pub struct PeerLevel {
    pub user: String,
    pub device: String,
    pub level: Level,
}

/// How loud it is, 0 to 100.
#[derive(Debug, Clone, Copy, Serialize, Type)]
pub struct Level {
    pub loudness: u32,
    pub speaking: bool,
}

impl From<console::Levels> for Levels {
    fn from(levels: console::Levels) -> Self {
        let peers = levels.peers.into_iter().map(|(peer, level)| PeerLevel {
            user: peer.user.to_string(),
            device: peer.device.to_string(),
            level: level.into(),
        });
        Self {
            microphone: levels.microphone.into(),
            peers: peers.collect(),
            troubles: troubles_of(levels.troubles),
        }
    }
}

impl From<console::Level> for Level {
    fn from(level: console::Level) -> Self {
        Self {
            loudness: super::stats::whole(f64::from(level.loudness) * 100.0).min(100),
            speaking: level.speaking,
        }
    }
}

/// A tile on screen, in physical pixels.
#[derive(Debug, Clone, Deserialize, Type)]
pub struct ShownTile {
    /// `own-camera`, `own-screen`, `camera.USER.DEVICE` or `screen.USER.DEVICE`.
    pub tile: String,
    pub width: u32,
    pub height: u32,
}
