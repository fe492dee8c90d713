//! Settings, the ways into the profile, and the desktop's small services.

use super::{Answer, start::new_passphrase};
use crate::{
    ipc::{
        error::ErrorCode,
        markdown::safe_href,
        view::{About, Slots},
    },
    session::Session,
    settings::Settings,
};
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn set_settings(session: State<'_, Session>, settings: Settings) -> Answer<()> {
    session.set_settings(settings).await
}

#[tauri::command]
#[specta::specta]
pub async fn slots(session: State<'_, Session>) -> Answer<Slots> {
    Ok(session.engine()?.slots().await.into())
}

/// Sets the passphrase, or removes it with null.
#[tauri::command]
#[specta::specta]
pub async fn set_passphrase(session: State<'_, Session>, passphrase: Option<String>) -> Answer<()> {
    let passphrase = passphrase.map(new_passphrase).transpose()?;
    Ok(session.engine()?.set_passphrase(passphrase).await?)
}

/// A new recovery code; the one before opens nothing any more. It is shown
/// once and kept nowhere.
#[tauri::command]
#[specta::specta]
pub async fn new_recovery_code(session: State<'_, Session>) -> Answer<String> {
    Ok(session
        .engine()?
        .new_recovery_code()
        .await?
        .expose()
        .to_owned())
}

/// Builds the keyring entry (again), or removes it.
#[tauri::command]
#[specta::specta]
pub async fn set_keyring_slot(session: State<'_, Session>, on: bool) -> Answer<()> {
    Ok(session.engine()?.set_keyring_slot(on).await?)
}

#[tauri::command]
#[specta::specta]
pub async fn about(session: State<'_, Session>) -> Answer<About> {
    Ok(session.about())
}

/// Opens an `https:` or `mailto:` address outside of the app, and no other.
#[tauri::command]
#[specta::specta]
pub async fn open_link(session: State<'_, Session>, href: String) -> Answer<()> {
    let href = safe_href(&href).ok_or(ErrorCode::BadAddress)?;
    session.desktop().open_address(&href)
}

#[tauri::command]
#[specta::specta]
pub async fn copy_text(session: State<'_, Session>, text: String) -> Answer<()> {
    session.desktop().copy_text(text)
}
