//! Devices for calls as the profile keeps them: inside the encrypted store, as
//! one JSON record. A choice of a device that is gone stays: it may come back.
//! What to share is chosen anew for each call and not kept.
//!
//! The page chooses by name, and only what was listed, or something that opens
//! nothing of this computer. Names that say a path are never taken from it, nor
//! from a record: a file becomes a device when a person picks it in a dialog of
//! Rust's, and the page knows it as [`FILE`].

use crate::{
    ipc::{
        error::{ErrorCode, UiError},
        view::{DeviceChoices, DeviceUse, Devices, Processing},
    },
    settings::unreadable,
};
use serde::{Deserialize, Serialize};
use sotto_engine::Engine;
use sotto_media::{
    console::Choices,
    device::{Device, DeviceKind, DeviceName, list::Listing, pattern, silence, tone, wav, y4m},
};
use std::path::{Path, PathBuf};

/// The record that [`load`] and [`save`] use.
const KEY: &str = "devices";

/// Longest name of a device that is kept, in bytes.
const LONGEST: usize = 1_024;

/// What the page calls the file that a person picked.
const FILE: &str = "file:";

/// How media calls a file. Only made here.
const PATHS: [&str; 2] = ["wav:", "y4m:"];

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    pub choices: DeviceChoices,
    pub processing: Processing,
    #[serde(default)]
    files: Files,
}

/// What a file can stand in for. Only what is read: nothing of the app's ever
/// writes to a file that was named as a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    Microphone,
    Camera,
}

impl FileUse {
    /// `None` where no file will do.
    pub fn of(what: DeviceUse) -> Option<Self> {
        match what {
            DeviceUse::Microphone => Some(Self::Microphone),
            DeviceUse::Camera => Some(Self::Camera),
            DeviceUse::Speaker | DeviceUse::Ringer | DeviceUse::Screen => None,
        }
    }

    /// How such a file's name ends.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Microphone => "wav",
            Self::Camera => "y4m",
        }
    }
}

/// The newest file that a person picked, for each use.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Files {
    microphone: Option<PathBuf>,
    camera: Option<PathBuf>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<files>")
    }
}

impl Files {
    fn of(&self, what: FileUse) -> Option<&PathBuf> {
        match what {
            FileUse::Microphone => self.microphone.as_ref(),
            FileUse::Camera => self.camera.as_ref(),
        }
    }

    /// As media knows it.
    fn device(&self, what: FileUse) -> Option<Device> {
        let path = self.of(what)?;
        Some(match what {
            FileUse::Microphone => wav::listed(path, DeviceKind::Microphone),
            FileUse::Camera => y4m::device(path),
        })
    }

    /// What media is told instead of [`FILE`]; `None` is the default.
    fn resolve(&self, what: DeviceUse, name: Option<String>) -> Option<String> {
        if name.as_deref() != Some(FILE) {
            return name;
        }
        let device = FileUse::of(what).and_then(|what| self.device(what))?;
        Some(device.name.0)
    }
}

impl Kept {
    /// Chooses a device, or the default with none. `unknownDevice` if it is
    /// none that the page was shown.
    pub fn choose(
        &mut self,
        what: DeviceUse,
        name: Option<String>,
        listing: &Listing,
    ) -> Result<(), UiError> {
        if let Some(name) = &name
            && !self.may_choose(what, name, listing)
        {
            return Err(ErrorCode::UnknownDevice.into());
        }
        *self.choice(what) = name;
        Ok(())
    }

    /// A person picked this file in a dialog. It is a device from now on, and
    /// the one in use.
    pub fn use_file(&mut self, what: FileUse, path: &Path) -> Result<(), UiError> {
        // Names of devices are text.
        let fits = path.to_str().is_some_and(|text| text.len() <= LONGEST);
        if !fits || !path.is_absolute() {
            return Err(ErrorCode::UnknownDevice.into());
        }
        match what {
            FileUse::Microphone => {
                self.files.microphone = Some(path.into());
                self.choices.microphone = Some(FILE.into());
            }
            FileUse::Camera => {
                self.files.camera = Some(path.into());
                self.choices.camera = Some(FILE.into());
            }
        }
        Ok(())
    }

    fn may_choose(&mut self, what: DeviceUse, name: &str, listing: &Listing) -> bool {
        if name.len() > LONGEST || is_path(name) {
            return false;
        }
        if name == FILE {
            return FileUse::of(what).is_some_and(|what| self.files.of(what).is_some());
        }
        // What is in use already may be gone, and stays.
        if self.choice(what).as_deref() == Some(name) {
            return true;
        }
        let (kind, device) = (kind(what), DeviceName(name.to_owned()));
        let listed = |one: &Device| one.name == device && one.kind == kind;
        listing.devices.iter().any(listed) || opens_nothing(kind, &device)
    }

    fn choice(&mut self, what: DeviceUse) -> &mut Option<String> {
        match what {
            DeviceUse::Microphone => &mut self.choices.microphone,
            DeviceUse::Speaker => &mut self.choices.speaker,
            DeviceUse::Ringer => &mut self.choices.ringer,
            DeviceUse::Camera => &mut self.choices.camera,
            DeviceUse::Screen => &mut self.choices.screen,
        }
    }

    /// What the page sees: the files stand among the devices, without where
    /// they are.
    pub fn view(&self, listing: &Listing) -> Devices {
        let mut devices = Devices::new(listing, self.choices.clone(), self.processing);
        for what in [FileUse::Microphone, FileUse::Camera] {
            if let Some(mut device) = self.files.device(what) {
                device.name = DeviceName(FILE.into());
                devices.devices.push((&device).into());
            }
        }
        devices
    }

    /// Makes the engine use them.
    pub fn apply(&self, engine: &Engine) {
        engine.media().choose(self.wanted());
        engine.media().process(self.processing.into());
    }

    fn wanted(&self) -> Choices {
        let choices = self.choices.clone();
        let resolve = |what, name| self.files.resolve(what, name);
        DeviceChoices {
            microphone: resolve(DeviceUse::Microphone, choices.microphone),
            speaker: resolve(DeviceUse::Speaker, choices.speaker),
            ringer: resolve(DeviceUse::Ringer, choices.ringer),
            camera: resolve(DeviceUse::Camera, choices.camera),
            screen: resolve(DeviceUse::Screen, choices.screen),
        }
        .into()
    }

    /// Earlier versions kept whatever the page said.
    fn without_paths(mut self) -> Self {
        for what in [
            DeviceUse::Microphone,
            DeviceUse::Speaker,
            DeviceUse::Ringer,
            DeviceUse::Camera,
            DeviceUse::Screen,
        ] {
            let choice = self.choice(what);
            if choice.as_deref().is_some_and(is_path) {
                tracing::warn!("a file that nobody picked is no device any more");
                *choice = None;
            }
        }
        self
    }
}

fn kind(what: DeviceUse) -> DeviceKind {
    match what {
        DeviceUse::Microphone => DeviceKind::Microphone,
        DeviceUse::Speaker | DeviceUse::Ringer => DeviceKind::Speaker,
        DeviceUse::Camera => DeviceKind::Camera,
        DeviceUse::Screen => DeviceKind::Screen,
    }
}

fn is_path(name: &str) -> bool {
    PATHS.iter().any(|prefix| name.starts_with(prefix))
}

/// Tones, silence and test pictures need no list: they are made here.
fn opens_nothing(kind: DeviceKind, name: &DeviceName) -> bool {
    match kind {
        DeviceKind::Microphone => tone::Tone::open(name).is_some(),
        DeviceKind::Speaker => silence::is(name),
        DeviceKind::Camera | DeviceKind::Screen => {
            pattern::list(kind).iter().any(|made| made.name == *name)
        }
    }
}

pub async fn load(engine: &Engine) -> Kept {
    read(engine.setting(KEY).await.as_deref())
}

fn read(text: Option<&str>) -> Kept {
    let Some(text) = text else {
        return Kept::default();
    };
    let kept: Kept = serde_json::from_str(text).unwrap_or_else(|error| {
        let place = unreadable(&error);
        tracing::warn!(%place, "devices of another version, back to the defaults");
        Kept::default()
    });
    kept.without_paths()
}

pub async fn save(engine: &Engine, kept: &Kept) -> Result<(), UiError> {
    Ok(engine.set_setting(KEY, write(kept)?).await?)
}

fn write(kept: &Kept) -> Result<String, UiError> {
    let mut kept = kept.clone();
    kept.choices.screen = None;
    serde_json::to_string(&kept).map_err(|_| ErrorCode::Internal.into())
}

#[cfg(test)]
mod tests;
