//! Oneself and others.

use super::{Answer, ask, room_id, user_id};
use crate::{
    ipc::{
        error::ErrorCode,
        view::{Knock, Person, Profile, Safety},
    },
    session::Session,
};
use sotto_client::Request;
use tauri::State;

#[tauri::command]
#[specta::specta]
pub async fn set_profile(session: State<'_, Session>, profile: Profile) -> Answer<()> {
    ask(&session, Request::SetProfile(profile.into())).await
}

#[tauri::command]
#[specta::specta]
pub async fn people(session: State<'_, Session>, room: String) -> Answer<Vec<Person>> {
    let people = session.engine()?.people(room_id(&room)?).await?;
    Ok(people.into_iter().map(Person::from).collect())
}

#[tauri::command]
#[specta::specta]
pub async fn knocks(session: State<'_, Session>, room: String) -> Answer<Vec<Knock>> {
    let knocks = session.engine()?.knocks(room_id(&room)?).await?;
    Ok(knocks.into_iter().map(Knock::from).collect())
}

#[tauri::command]
#[specta::specta]
pub async fn remove_person(session: State<'_, Session>, room: String, user: String) -> Answer<()> {
    ask(
        &session,
        Request::Remove {
            room: room_id(&room)?,
            user: user_id(&user)?,
        },
    )
    .await
}

#[tauri::command]
#[specta::specta]
pub async fn make_host(session: State<'_, Session>, room: String, user: String) -> Answer<()> {
    ask(
        &session,
        Request::MakeHost {
            room: room_id(&room)?,
            user: user_id(&user)?,
        },
    )
    .await
}

/// The safety number with this person.
#[tauri::command]
#[specta::specta]
pub async fn safety(session: State<'_, Session>, user: String) -> Answer<Safety> {
    let safety = session.engine()?.safety(user_id(&user)?).await;
    safety
        .map(Safety::from)
        .ok_or_else(|| ErrorCode::UnknownPerson.into())
}

/// The safety number was compared, and matched or did not.
#[tauri::command]
#[specta::specta]
pub async fn set_verified(session: State<'_, Session>, user: String, verified: bool) -> Answer<()> {
    ask(
        &session,
        Request::SetVerified {
            user: user_id(&user)?,
            verified,
        },
    )
    .await
}
