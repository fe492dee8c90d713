//! Messages: reading, writing, and what is kept about a room while doing so.

use super::{Answer, ask, message_id, room_id};
use crate::{
    ipc::{
        error::{ErrorCode, UiError},
        number::Num,
        view::{Page, Quote},
    },
    session::Session,
};
use sotto_client::{
    Request,
    model::{MessageBody, RoomPrefs, TEXT_MAX},
};
use tauri::State;

/// Most items of one page. The page asks again; a larger answer would stall it.
const PAGE_MAX: usize = 200;

/// At most `limit` items before this position, or the newest.
#[tauri::command]
#[specta::specta]
pub async fn timeline(
    session: State<'_, Session>,
    room: String,
    before: Option<Num>,
    limit: u32,
) -> Answer<Page> {
    let before = before.and_then(Num::unsigned);
    let limit = usize::try_from(limit).unwrap_or(PAGE_MAX).min(PAGE_MAX);
    Ok(session
        .engine()?
        .timeline(room_id(&room)?, before, limit)
        .await?
        .into())
}

/// The id is the page's choice, so that it can show the message at once.
#[tauri::command]
#[specta::specta]
pub async fn send_message(
    session: State<'_, Session>,
    room: String,
    id: String,
    text: String,
    reply_to: Option<Quote>,
) -> Answer<()> {
    let (room, id) = (room_id(&room)?, message_id(&id, ErrorCode::UnknownMessage)?);
    let reply_to = reply_to.map(TryInto::try_into).transpose()?;
    ask(
        &session,
        Request::Send {
            room,
            id,
            body: MessageBody { text, reply_to },
        },
    )
    .await
}

/// Tries again what failed.
#[tauri::command]
#[specta::specta]
pub async fn retry_message(session: State<'_, Session>, room: String, id: String) -> Answer<()> {
    let id = message_id(&id, ErrorCode::UnknownMessage)?;
    ask(
        &session,
        Request::Retry {
            room: room_id(&room)?,
            id,
        },
    )
    .await
}

/// Drops a message that was not accepted yet.
#[tauri::command]
#[specta::specta]
pub async fn discard_message(session: State<'_, Session>, room: String, id: String) -> Answer<()> {
    let id = message_id(&id, ErrorCode::UnknownMessage)?;
    ask(
        &session,
        Request::Discard {
            room: room_id(&room)?,
            id,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn set_typing(session: State<'_, Session>, room: String, on: bool) -> Answer<()> {
    ask(
        &session,
        Request::Typing {
            room: room_id(&room)?,
            on,
        },
    )
    .await
}

/// Everything up to this position has been seen.
#[tauri::command]
#[specta::specta]
pub async fn mark_read(session: State<'_, Session>, room: String, position: Num) -> Answer<()> {
    let position = position.unsigned().ok_or(ErrorCode::UnknownMessage)?;
    ask(
        &session,
        Request::MarkRead {
            room: room_id(&room)?,
            position,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn set_draft(session: State<'_, Session>, room: String, text: String) -> Answer<()> {
    // A draft may be longer than a message, but not without end.
    const DRAFT_MAX: usize = 4 * TEXT_MAX;
    if text.len() > DRAFT_MAX {
        return Err(UiError {
            max: Some(DRAFT_MAX.into()),
            ..ErrorCode::MessageTooLong.into()
        });
    }
    ask(
        &session,
        Request::SetDraft {
            room: room_id(&room)?,
            text,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn set_prefs(
    session: State<'_, Session>,
    room: String,
    muted: bool,
    pinned: bool,
    archived: bool,
) -> Answer<()> {
    let prefs = RoomPrefs {
        muted,
        pinned,
        archived,
    };
    ask(
        &session,
        Request::SetPrefs {
            room: room_id(&room)?,
            prefs,
        },
    )
    .await
}
