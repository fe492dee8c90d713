//! Relays: the built-in one and others.

use super::{Answer, ask};
use crate::{
    ipc::view::{BuiltInRelay, Reach},
    session::Session,
};
use sotto_client::Request;
use sotto_wire::RelayAddress;
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

/// Answers with the address as it was understood.
#[tauri::command]
#[specta::specta]
pub async fn add_relay(session: State<'_, Session>, address: String) -> Answer<String> {
    let address: RelayAddress = address.parse()?;
    ask(&session, Request::AddRelay(address.clone())).await?;
    Ok(address.to_string())
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
