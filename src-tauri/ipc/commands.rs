//! The commands, by subject. Each carries one intent, is a few lines long, and
//! is async so that none runs on the window's thread.

pub mod calls;
pub mod people;
pub mod relays;
pub mod ringing;
pub mod rooms;
pub mod settings;
pub mod start;
pub mod timeline;

use super::error::{ErrorCode, UiError};
use crate::session::Session;
use sotto_client::{Outcome, Request};
use sotto_wire::{CallId, MessageId, RoomId, UserId};

/// What every command answers.
pub type Answer<T> = Result<T, UiError>;

fn room_id(text: &str) -> Answer<RoomId> {
    text.parse().map_err(|_| ErrorCode::UnknownRoom.into())
}

fn call_id(text: &str) -> Answer<CallId> {
    text.parse().map_err(|_| ErrorCode::CallOver.into())
}

fn user_id(text: &str) -> Answer<UserId> {
    text.parse().map_err(|_| ErrorCode::UnknownPerson.into())
}

fn message_id(text: &str, otherwise: ErrorCode) -> Answer<MessageId> {
    text.parse().map_err(|_| otherwise.into())
}

async fn request(session: &Session, request: Request) -> Answer<Outcome> {
    Ok(session.engine()?.request(request).await?)
}

/// A request of which only the success matters.
async fn ask(session: &Session, wish: Request) -> Answer<()> {
    request(session, wish).await.map(drop)
}

/// A request that answers with a room.
async fn ask_room(session: &Session, wish: Request) -> Answer<String> {
    match request(session, wish).await? {
        Outcome::Room(room) => Ok(room.to_string()),
        Outcome::Done | Outcome::Invite(_) => Err(ErrorCode::Internal.into()),
    }
}
