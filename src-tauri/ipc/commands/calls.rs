//! Calls: coming and going, what goes out, and what is shown of them. The
//! client decides about calls; the rest is media's console.

use super::{Answer, ask, call_id, room_id, user_id};
use crate::{
    ipc::{
        error::ErrorCode,
        view::{CallStats, DeviceUse, Devices, Levels, Processing, Sending, ShownTile},
    },
    session::Session,
    tiles,
};
use sotto_client::{Request, call::media::Peer};
use sotto_media::{Preview, Shown};
use tauri::State;

/// Most tiles that a window can show: six people with a screen each, in two
/// places.
const TILES: usize = 32;

/// Calls everybody in a room.
#[tauri::command]
#[specta::specta]
pub async fn start_call(
    session: State<'_, Session>,
    room: String,
    video: bool,
    sending: Sending,
) -> Answer<()> {
    let (room, sending) = (room_id(&room)?, sending.into());
    ask(
        &session,
        Request::StartCall {
            room,
            video,
            sending,
        },
    )
    .await
}

/// Accepts a call, or joins one that runs.
#[tauri::command]
#[specta::specta]
pub async fn join_call(
    session: State<'_, Session>,
    room: String,
    call: String,
    sending: Sending,
) -> Answer<()> {
    let (room, call, sending) = (room_id(&room)?, call_id(&call)?, sending.into());
    ask(
        &session,
        Request::JoinCall {
            room,
            call,
            sending,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn decline_call(session: State<'_, Session>, room: String, call: String) -> Answer<()> {
    let (room, call) = (room_id(&room)?, call_id(&call)?);
    ask(&session, Request::DeclineCall { room, call }).await
}

#[tauri::command]
#[specta::specta]
pub async fn leave_call(session: State<'_, Session>, room: String, call: String) -> Answer<()> {
    let (room, call) = (room_id(&room)?, call_id(&call)?);
    ask(&session, Request::LeaveCall { room, call }).await
}

/// What goes out from now on.
#[tauri::command]
#[specta::specta]
pub async fn set_sending(
    session: State<'_, Session>,
    call: String,
    sending: Sending,
) -> Answer<()> {
    let (call, sending) = (call_id(&call)?, sending.into());
    ask(&session, Request::SetSending { call, sending }).await
}

/// A fresh key for the own media, and a new way to one person: they are not
/// heard or seen as they should be.
#[tauri::command]
#[specta::specta]
pub async fn repair_call(
    session: State<'_, Session>,
    call: String,
    user: String,
    device: String,
) -> Answer<()> {
    let (call, peer) = (call_id(&call)?, peer(&user, &device)?);
    ask(&session, Request::RepairCall { call, peer }).await
}

#[tauri::command]
#[specta::specta]
pub async fn raise_hand(session: State<'_, Session>, call: String, up: bool) -> Answer<()> {
    let call = call_id(&call)?;
    ask(&session, Request::RaiseHand { call, up }).await
}

/// Shows everybody in the call an emoji, now.
#[tauri::command]
#[specta::specta]
pub async fn react(session: State<'_, Session>, call: String, emoji: String) -> Answer<()> {
    let call = call_id(&call)?;
    ask(&session, Request::React { call, emoji }).await
}

#[tauri::command]
#[specta::specta]
pub async fn devices(session: State<'_, Session>) -> Answer<Devices> {
    session.devices().await
}

/// Which device to use from now on; null is the system's default.
#[tauri::command]
#[specta::specta]
pub async fn choose_device(
    session: State<'_, Session>,
    kind: DeviceUse,
    name: Option<String>,
) -> Answer<()> {
    session.choose_device(kind, name).await
}

/// Has a person pick a file, in a dialog of the system's, to be used instead of
/// a microphone or a camera. False: they picked none.
#[tauri::command]
#[specta::specta]
pub async fn choose_device_file(session: State<'_, Session>, kind: DeviceUse) -> Answer<bool> {
    session.choose_device_file(kind).await
}

#[tauri::command]
#[specta::specta]
pub async fn set_processing(session: State<'_, Session>, processing: Processing) -> Answer<()> {
    session.set_processing(processing).await
}

/// How loud somebody is heard: 100 is as it comes, 200 the most.
#[tauri::command]
#[specta::specta]
pub async fn set_volume(
    session: State<'_, Session>,
    user: String,
    device: String,
    percent: u8,
) -> Answer<()> {
    let peer = peer(&user, &device)?;
    let factor = f32::from(percent.min(200)) / 100.0;
    session.engine()?.media().set_volume(peer, factor);
    Ok(())
}

fn peer(user: &str, device: &str) -> Answer<Peer> {
    Ok(Peer {
        user: user_id(user)?,
        device: device.parse().map_err(|_| ErrorCode::UnknownPerson)?,
    })
}

/// Opens of the own devices what is wanted, to try it; nothing is sent.
#[tauri::command]
#[specta::specta]
pub async fn preview(session: State<'_, Session>, microphone: bool, camera: bool) -> Answer<()> {
    session
        .engine()?
        .media()
        .preview(Preview { microphone, camera });
    Ok(())
}

/// Plays a short sound on the speaker.
#[tauri::command]
#[specta::specta]
pub async fn test_speaker(session: State<'_, Session>) -> Answer<()> {
    session.engine()?.media().test_sound();
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub async fn levels(session: State<'_, Session>) -> Answer<Levels> {
    Ok(session.engine()?.media().levels().into())
}

#[tauri::command]
#[specta::specta]
pub async fn call_stats(session: State<'_, Session>) -> Answer<CallStats> {
    let engine = session.engine()?;
    Ok(engine.media().stats().await.into())
}

/// Everything that is measured, as JSON, to the clipboard.
#[tauri::command]
#[specta::specta]
pub async fn copy_call_stats(session: State<'_, Session>) -> Answer<()> {
    let engine = session.engine()?;
    let stats = engine.media().stats().await;
    let text = serde_json::to_string_pretty(&stats).map_err(|_| ErrorCode::Internal)?;
    session.desktop().copy_text(text)
}

/// The tiles on screen, in physical pixels; nobody needs to send others.
#[tauri::command]
#[specta::specta]
pub async fn show_tiles(session: State<'_, Session>, tiles: Vec<ShownTile>) -> Answer<()> {
    let shown = tiles.iter().take(TILES).map(|shown| {
        Some(Shown {
            tile: tiles::parse(&shown.tile)?,
            width: shown.width,
            height: shown.height,
        })
    });
    let shown: Option<Vec<Shown>> = shown.collect();
    let shown = shown.ok_or(ErrorCode::UnknownPerson)?;
    session.engine()?.media().show(shown);
    Ok(())
}
