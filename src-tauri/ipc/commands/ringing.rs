//! What the window of a ringing call may ask, and no other window.

use super::{Answer, call_id};
use crate::{
    ipc::view::{RingingAnswer, RingingCall},
    session::Session,
};
use tauri::{State, ipc::Channel};

/// The call that rings now, and every change of it; null when none does.
#[tauri::command]
#[specta::specta]
pub async fn watch_ringing(
    session: State<'_, Session>,
    channel: Channel<Option<RingingCall>>,
) -> Answer<()> {
    session
        .watch_ringing(Box::new(move |call| channel.send(call).is_ok()))
        .await
}

#[tauri::command]
#[specta::specta]
pub async fn answer_ringing(
    session: State<'_, Session>,
    call: String,
    answer: RingingAnswer,
) -> Answer<()> {
    session.answer_ringing(call_id(&call)?, answer).await
}
