//! Opening the profile.

use super::Answer;
use crate::{
    ipc::{
        error::ErrorCode,
        event::Event,
        view::{Profile, Start},
    },
    session::Session,
};
use serde::Deserialize;
use sotto_engine::{Protection, Secret, Unlock};
use specta::Type;
use tauri::{State, ipc::Channel};

/// What a person typed to open a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum UnlockKind {
    Passphrase,
    Recovery,
}

/// Shortest passphrase, in characters. Argon2id makes guessing slow; it cannot
/// make a short one long.
const PASSPHRASE_MIN: usize = 8;

/// A passphrase that a person chose; refused if it protects nothing.
pub(super) fn new_passphrase(text: String) -> Answer<Secret> {
    let secret = Secret::new(text);
    if secret.expose().chars().count() < PASSPHRASE_MIN {
        return Err(ErrorCode::WeakPassphrase.into());
    }
    Ok(secret)
}

/// Hands over the state of things and subscribes this page to events. Events
/// may overtake the answer: a page holds them until it has it.
#[tauri::command]
#[specta::specta]
pub async fn open(session: State<'_, Session>, channel: Channel<Event>) -> Answer<Start> {
    session
        .open(Box::new(move |event| channel.send(event).is_ok()))
        .await
}

#[tauri::command]
#[specta::specta]
pub async fn create_profile(
    session: State<'_, Session>,
    profile: Profile,
    passphrase: Option<String>,
    use_keyring: bool,
) -> Answer<Start> {
    let passphrase = passphrase.map(new_passphrase).transpose()?;
    session
        .create(
            profile,
            Protection {
                keyring: use_keyring,
                passphrase,
            },
        )
        .await
}

#[tauri::command]
#[specta::specta]
pub async fn unlock(
    session: State<'_, Session>,
    secret: String,
    kind: UnlockKind,
) -> Answer<Start> {
    let secret = Secret::new(secret);
    let with = match kind {
        UnlockKind::Passphrase => Unlock::Passphrase(secret),
        UnlockKind::Recovery => Unlock::Recovery(secret),
    };
    session.unlock(with).await
}

#[tauri::command]
#[specta::specta]
pub async fn retry_keyring(session: State<'_, Session>) -> Answer<Start> {
    session.unlock(Unlock::Keyring).await
}
