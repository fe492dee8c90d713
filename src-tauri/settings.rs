//! The page's settings as the profile keeps them: inside the encrypted store,
//! as one JSON record. What cannot be read is the default again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sotto_client::{Request, model::Privacy};
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
    /// Calls are relayed, or do not take place: nobody in them learns this
    /// computer's network address. Kept by the client, which goes by it.
    pub hide_address: bool,
    /// Callers learn that one is in another call.
    pub tell_busy: bool,
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
            hide_address: false,
            tell_busy: true,
            recovery_asked: None,
        }
    }
}

pub async fn load(engine: &Engine) -> Settings {
    let settings = read(engine.setting(KEY).await.as_deref());
    let privacy = engine.privacy().await.unwrap_or_default();
    Settings {
        hide_address: privacy.hide_address,
        ..settings
    }
}

fn read(text: Option<&str>) -> Settings {
    let Some(text) = text else {
        return Settings::default();
    };
    let text = with_defaults(text);
    serde_json::from_value(text).unwrap_or_else(|error| {
        let place = unreadable(&error);
        tracing::warn!(%place, "settings of another version, back to the defaults");
        Settings::default()
    })
}

/// What may be logged of a record that cannot be read: of which kind the
/// mistake is, and where. In its own words it may quote what is in there.
pub fn unreadable(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("{:?} at {line}:{column}", error.classify())
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
    // What others would learn comes first.
    let hide_address = settings.hide_address;
    if engine.privacy().await?.hide_address != hide_address {
        let privacy = Privacy { hide_address };
        engine.request(Request::SetPrivacy(privacy)).await?;
    }
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

    #[test]
    fn what_is_logged_of_a_record_quotes_nothing_of_it() {
        let record = r#"{"theme": "wss://relay.example:3030"}"#;
        let error = serde_json::from_str::<Settings>(record).unwrap_err();
        assert!(error.to_string().contains("relay.example"), "it would");
        assert_eq!(unreadable(&error), "Data at 1:36");
    }
}
