//! Relays: the built-in one and others.

use super::{Answer, ask};
use crate::{
    ipc::view::{BuiltInRelay, Reach},
    session::Session,
};
use sotto_client::Request;
use sotto_wire::{RelayAddress, frame::Token};
use tauri::State;

/// Starts the built-in relay, uses it, and remembers to start it again.
#[tauri::command]
#[specta::specta]
pub async fn start_built_in_relay(
    session: State<'_, Session>,
    reach: Reach,
    port: Option<u16>,
) -> Answer<BuiltInRelay> {
    session
        .start_relay(reach, port.filter(|port| *port > 0))
        .await
}

#[tauri::command]
#[specta::specta]
pub async fn stop_built_in_relay(session: State<'_, Session>) -> Answer<()> {
    session.stop_relay().await
}

#[tauri::command]
#[specta::specta]
pub async fn built_in_relay(session: State<'_, Session>) -> Answer<BuiltInRelay> {
    session.relay().await
}

/// Answers with the address as it was understood. `code`: the invite code of
/// its operator, also for a relay that is known already and asks for one.
#[tauri::command]
#[specta::specta]
pub async fn add_relay(
    session: State<'_, Session>,
    address: String,
    code: Option<String>,
) -> Answer<String> {
    let relay: RelayAddress = address.parse()?;
    let known = relay.to_string();
    let code = code
        .as_deref()
        .map(str::trim)
        .filter(|code| !code.is_empty());
    let request = match code {
        Some(code) => Request::AddRelayWithCode {
            relay,
            code: Token(code.to_owned()),
        },
        None => Request::AddRelay(relay),
    };
    ask(&session, request).await?;
    Ok(known)
}

#[tauri::command]
#[specta::specta]
pub async fn remove_relay(session: State<'_, Session>, address: String) -> Answer<()> {
    ask(&session, Request::RemoveRelay(address.parse()?)).await
}

#[tauri::command]
#[specta::specta]
pub async fn reconnect_now(session: State<'_, Session>) -> Answer<()> {
    session.engine()?.reconnect_now().await;
    Ok(())
}
