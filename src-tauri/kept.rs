//! Devices for calls as the profile keeps them: inside the encrypted store, as
//! one JSON record. A choice of a device that is gone stays: it may come back.
//! What to share is chosen anew for each call and not kept.

use crate::ipc::{
    error::{ErrorCode, UiError},
    view::{DeviceChoices, DeviceUse, Processing},
};
use serde::{Deserialize, Serialize};
use sotto_engine::Engine;

/// The record that [`load`] and [`save`] use.
const KEY: &str = "devices";

/// Longest name of a device that is kept, in bytes.
const LONGEST: usize = 1_024;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    pub choices: DeviceChoices,
    pub processing: Processing,
}

impl Kept {
    /// Chooses a device, or the default with none.
    pub fn choose(&mut self, what: DeviceUse, name: Option<String>) -> Result<(), UiError> {
        if name.as_ref().is_some_and(|name| name.len() > LONGEST) {
            return Err(ErrorCode::Internal.into());
        }
        *match what {
            DeviceUse::Microphone => &mut self.choices.microphone,
            DeviceUse::Speaker => &mut self.choices.speaker,
            DeviceUse::Ringer => &mut self.choices.ringer,
            DeviceUse::Camera => &mut self.choices.camera,
            DeviceUse::Screen => &mut self.choices.screen,
        } = name;
        Ok(())
    }

    /// Makes the engine use them.
    pub fn apply(&self, engine: &Engine) {
        engine.media().choose(self.choices.clone().into());
        engine.media().process(self.processing.into());
    }
}

pub async fn load(engine: &Engine) -> Kept {
    read(engine.setting(KEY).await.as_deref())
}

fn read(text: Option<&str>) -> Kept {
    let Some(text) = text else {
        return Kept::default();
    };
    serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::warn!(%error, "devices of another version, back to the defaults");
        Kept::default()
    })
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
mod tests {
    use super::*;

    #[test]
    fn choices_survive_the_store_but_not_what_was_shared() {
        let mut kept = Kept::default();
        kept.choose(DeviceUse::Microphone, Some("headset".into()))
            .unwrap();
        kept.choose(DeviceUse::Screen, Some("window:7".into()))
            .unwrap();
        kept.processing.noise = false;
        let read = read(Some(&write(&kept).unwrap()));
        assert_eq!(read.choices.microphone.as_deref(), Some("headset"));
        assert_eq!(read.choices.screen, None);
        assert!(!read.processing.noise && read.processing.echo);
    }

    #[test]
    fn damage_is_the_default_and_no_name_is_endless() {
        assert_eq!(read(Some("{")), Kept::default());
        assert_eq!(read(None), Kept::default());
        let endless = Some("x".repeat(LONGEST + 1));
        assert!(Kept::default().choose(DeviceUse::Camera, endless).is_err());
    }
}
