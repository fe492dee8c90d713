//! The page's settings as the profile keeps them: inside the encrypted store,
//! as one JSON record. What cannot be read is the default again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sotto_engine::Engine;
use specta::Type;

use crate::ipc::{
    error::{ErrorCode, UiError},
    number::Num,
};

/// The record that [`load`] and [`save`] use.
const KEY: &str = "settings";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Density {
    #[default]
    Comfortable,
    Compact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    #[default]
    System,
    En,
    De,
}

/// How much a desktop notification tells to whoever sees the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Notifications {
    /// Room, sender and text.
    All,
    /// Room and sender.
    #[default]
    Names,
    /// That there is something.
    Hidden,
    Off,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub theme: Theme,
    pub density: Density,
    pub language: Language,
    pub notifications: Notifications,
    pub sound: bool,
    /// The space bar opens a muted microphone while it is held.
    pub push_to_talk: bool,
    /// When the recovery code was offered and taken or put off (Unix
    /// milliseconds); null: not yet.
    pub recovery_asked: Option<Num>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            density: Density::default(),
            language: Language::default(),
            notifications: Notifications::default(),
            sound: true,
            push_to_talk: false,
            recovery_asked: None,
        }
    }
}

pub async fn load(engine: &Engine) -> Settings {
    read(engine.setting(KEY).await.as_deref())
}

fn read(text: Option<&str>) -> Settings {
    let Some(text) = text else {
        return Settings::default();
    };
    let text = with_defaults(text);
    serde_json::from_value(text).unwrap_or_else(|error| {
        tracing::warn!(%error, "settings of another version, back to the defaults");
        Settings::default()
    })
}

/// A record of an older version lacks what came since.
fn with_defaults(text: &str) -> Value {
    let mut record = serde_json::from_str(text).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut record
        && let Ok(Value::Object(defaults)) = serde_json::to_value(Settings::default())
    {
        for (name, value) in defaults {
            fields.entry(name).or_insert(value);
        }
    }
    record
}

pub async fn save(engine: &Engine, settings: &Settings) -> Result<(), UiError> {
    let text = serde_json::to_string(settings).map_err(|_| ErrorCode::Internal)?;
    Ok(engine.set_setting(KEY, text).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_store_and_damage_is_the_default() {
        let settings = Settings {
            theme: Theme::Dark,
            sound: false,
            ..Settings::default()
        };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(read(Some(&text)), settings);
        let mut older: Value = serde_json::from_str(&text).unwrap();
        older.as_object_mut().unwrap().remove("pushToTalk");
        assert_eq!(read(Some(&older.to_string())), settings);
        assert_eq!(read(Some("{")), Settings::default());
        assert_eq!(read(None), Settings::default());
    }
}
