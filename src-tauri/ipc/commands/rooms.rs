//! Rooms and the ways into them.

use super::{Answer, ask, ask_room, message_id, request, room_id};
use crate::{
    ipc::{
        error::ErrorCode,
        number::Num,
        view::{Admission, CheckedLink, Invite},
    },
    session::Session,
};
use sotto_client::{Outcome, Request, invite::Link};
use std::time::{SystemTime, UNIX_EPOCH};
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn create_room(
    session: State<'_, Session>,
    relay: String,
    name: String,
    topic: String,
    admission: Admission,
) -> Answer<String> {
    let relay = relay.parse()?;
    ask_room(
        &session,
        Request::CreateRoom {
            relay,
            name,
            topic,
            admission: admission.into(),
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn change_room(
    session: State<'_, Session>,
    room: String,
    name: String,
    topic: String,
    admission: Admission,
) -> Answer<()> {
    let room = room_id(&room)?;
    ask(
        &session,
        Request::ChangeRoom {
            room,
            name,
            topic,
            admission: admission.into(),
        },
    )
    .await
}

/// Says where a link leads, or what is wrong with it, without following it.
#[tauri::command]
#[specta::specta]
pub async fn check_link(link: String) -> Answer<CheckedLink> {
    let link: Link = link.parse()?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    link.check(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))?;
    Ok(CheckedLink {
        relay: link.relay.authority(),
        expires: link.expires.into(),
    })
}

/// Knocks. Answers with the room that waits to be let into.
#[tauri::command]
#[specta::specta]
pub async fn join(session: State<'_, Session>, link: String) -> Answer<String> {
    ask_room(&session, Request::Join { link }).await
}

#[tauri::command]
#[specta::specta]
pub async fn cancel_join(session: State<'_, Session>, room: String) -> Answer<()> {
    ask(&session, Request::CancelJoin(room_id(&room)?)).await
}

#[tauri::command]
#[specta::specta]
pub async fn create_invite(
    session: State<'_, Session>,
    room: String,
    valid_for_ms: Num,
) -> Answer<Invite> {
    let valid_for = valid_for_ms.unsigned().ok_or(ErrorCode::Internal)?;
    match request(
        &session,
        Request::CreateInvite {
            room: room_id(&room)?,
            valid_for,
        },
    )
    .await?
    {
        Outcome::Invite(invite) => Ok(invite.into()),
        Outcome::Done | Outcome::Room(_) => Err(ErrorCode::Internal.into()),
    }
}

#[tauri::command]
#[specta::specta]
pub async fn revoke_invite(
    session: State<'_, Session>,
    room: String,
    invite: String,
) -> Answer<()> {
    let invite = message_id(&invite, ErrorCode::UnknownInvite)?;
    ask(
        &session,
        Request::RevokeInvite {
            room: room_id(&room)?,
            invite,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn answer_knock(
    session: State<'_, Session>,
    room: String,
    knock: String,
    admit: bool,
) -> Answer<()> {
    let knock = message_id(&knock, ErrorCode::UnknownKnock)?;
    ask(
        &session,
        Request::AnswerKnock {
            room: room_id(&room)?,
            knock,
            admit,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn leave_room(session: State<'_, Session>, room: String) -> Answer<()> {
    ask(&session, Request::Leave(room_id(&room)?)).await
}

/// Ends the room for everybody.
#[tauri::command]
#[specta::specta]
pub async fn delete_room(session: State<'_, Session>, room: String) -> Answer<()> {
    ask(&session, Request::Delete(room_id(&room)?)).await
}

/// Drops a room that is over, with its history, from this computer.
#[tauri::command]
#[specta::specta]
pub async fn forget_room(session: State<'_, Session>, room: String) -> Answer<()> {
    ask(&session, Request::Forget(room_id(&room)?)).await
}

#[tauri::command]
#[specta::specta]
pub async fn invites(session: State<'_, Session>, room: String) -> Answer<Vec<Invite>> {
    let invites = session.engine()?.invites(room_id(&room)?).await?;
    Ok(invites.into_iter().map(Invite::from).collect())
}
