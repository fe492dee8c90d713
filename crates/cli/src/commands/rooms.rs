//! Making, listing and leaving rooms.

use crate::{args::Args, failure::Failure, find, output::Output, session::Session};
use serde_json::json;
use sotto_client::{
    Change, Outcome, Request,
    model::{Admission, Standing},
};
use sotto_engine::Event;
use sotto_wire::RelayAddress;

pub async fn create(
    args: &Args,
    output: &Output,
    session: &mut Session,
    name: &str,
    topic: &str,
    ask_host: bool,
) -> Result<(), Failure> {
    let relay = relay(args, session).await?;
    let admission = if ask_host {
        Admission::ByHost
    } else {
        Admission::AtOnce
    };
    session.watch(&relay);
    session.use_relay(args, &relay).await?;
    let (name, topic) = (name.to_owned(), topic.to_owned());
    let request = Request::CreateRoom {
        relay,
        name,
        topic,
        admission,
    };
    let Outcome::Room(id) = session.request(request).await? else {
        return Err(Failure::refused("the room was not made"));
    };
    let made = session
        .until(|event| match event {
            Event::Client(Change::Room(room)) if room.id == id => match room.standing {
                Standing::Creating => None,
                Standing::Member => Some(Ok(room.clone())),
                _ => Some(Err(Failure::refused("the relay refused the room"))),
            },
            _ => None,
        })
        .await?;
    output.room(&made)
}

/// The relay that is named, or the only one that is known.
async fn relay(args: &Args, session: &Session) -> Result<RelayAddress, Failure> {
    if let Some(relay) = &args.relay {
        return Ok(relay.clone());
    }
    match &session.engine.relays().await[..] {
        [(relay, _)] => Ok(relay.clone()),
        [] => Err(Failure::Usage("say which relay: --relay ADDRESS".into())),
        _ => Err(Failure::Usage(
            "say which of the relays: --relay ADDRESS".into(),
        )),
    }
}

pub fn list(output: &Output, session: &Session) -> Result<(), Failure> {
    session
        .snapshot
        .rooms
        .iter()
        .try_for_each(|room| output.room(room))
}

/// Says goodbye as far as it goes now; the rest is said at the next
/// connection.
pub async fn leave(output: &Output, session: &mut Session, room: &str) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    session.watch(&room.relay);
    if room.standing == Standing::Member {
        match super::joining::in_sync(session, &room).await {
            Err(Failure::Unreachable(why)) => {
                output.hint(&format!("{why}; goodbye is said at the next connection"));
            }
            reached => reached?,
        }
    }
    session.request(Request::Leave(room.id)).await?;
    output.line(json!({ "left": room.id }), format!("{}  left", room.id))
}
