//! Links, and the door they lead to.

use crate::{args::Args, failure::Failure, find, output::Output, session::Session};
use serde_json::json;
use sotto_client::{
    Change, Outcome, Request,
    invite::Link,
    model::{RoomView, Standing},
};
use sotto_engine::{Event, LinkStatus};
use sotto_wire::Millis;

const HOUR: Millis = 60 * 60 * 1000;

/// Makes a link, and waits until the room knows it: before, it opens nothing.
pub async fn invite(
    output: &Output,
    session: &mut Session,
    room: &str,
    hours: u64,
) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    session.watch(&room.relay);
    let valid_for = hours.saturating_mul(HOUR);
    let request = Request::CreateInvite {
        room: room.id,
        valid_for,
    };
    let Outcome::Invite(invite) = session.request(request).await? else {
        return Err(Failure::refused("no link was made"));
    };
    loop {
        let open = session.engine.invites(room.id).await?;
        if open.iter().any(|open| open.id == invite.id) {
            break;
        }
        session.next().await?;
    }
    let object = json!({ "link": invite.link, "invite": invite.id, "expires": invite.expires });
    output.line(object, &invite.link)
}

pub async fn join(
    args: &Args,
    output: &Output,
    session: &mut Session,
    link: &str,
) -> Result<(), Failure> {
    if let Ok(Link { relay, .. }) = link.parse() {
        session.watch(&relay);
        session.use_relay(args, &relay).await?;
    }
    let request = Request::Join {
        link: link.to_owned(),
    };
    let Outcome::Room(id) = session.request(request).await? else {
        return Err(Failure::refused("the link leads to no room"));
    };
    let mut told = false;
    loop {
        let event = match session.next().await {
            Err(Failure::Unreachable(_))
                if session.status().await == Some(LinkStatus::Connected) =>
            {
                let why = "nobody let you in within the time; the request stays";
                return Err(Failure::refused(why));
            }
            event => event?,
        };
        let Event::Client(Change::Room(room)) = event else {
            continue;
        };
        if room.id != id {
            continue;
        }
        session.watch(&room.relay);
        match room.standing {
            Standing::Member => return output.room(&room),
            Standing::Knocking if !told => {
                told = true;
                output.hint("waiting to be let in");
            }
            Standing::Knocking => {}
            Standing::Denied => return Err(Failure::refused("the request was turned down")),
            _ => return Err(Failure::refused("the room is over")),
        }
    }
}

pub async fn knocks(
    output: &Output,
    session: &mut Session,
    room: &str,
    wait: bool,
) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    in_sync(session, &room).await?;
    loop {
        let knocks = session.engine.knocks(room.id).await?;
        if !knocks.is_empty() || !wait {
            return knocks.iter().try_for_each(|knock| output.knock(knock));
        }
        session.next().await?;
    }
}

pub async fn admit(
    output: &Output,
    session: &mut Session,
    room: &str,
    knock: &str,
    admit: bool,
) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    in_sync(session, &room).await?;
    let knock = find::knock(session, room.id, knock).await?;
    session
        .request(Request::AnswerKnock {
            room: room.id,
            knock: knock.id,
            admit,
        })
        .await?;
    loop {
        let people = session.engine.people(room.id).await?;
        let knocks = session.engine.knocks(room.id).await?;
        let inside = people.iter().any(|person| person.user == knock.user);
        let asking = knocks.iter().any(|other| other.id == knock.id);
        if if admit { inside } else { !asking } {
            break;
        }
        session.next().await?;
    }
    let object = json!({ "knock": knock.id, "user": knock.user, "admitted": admit });
    let word = if admit { "admitted" } else { "turned down" };
    output.line(object, format!("{}  {word}", knock.profile.name))
}

/// Waits until everything the relay has of the room is here.
pub async fn in_sync(session: &mut Session, room: &RoomView) -> Result<(), Failure> {
    session.watch(&room.relay);
    let now = session
        .snapshot
        .rooms
        .iter()
        .find(|known| known.id == room.id);
    if now.is_some_and(|now| now.in_sync) {
        return Ok(());
    }
    session
        .until(|event| match event {
            Event::Client(Change::Room(now)) if now.id == room.id && now.in_sync => Some(Ok(())),
            _ => None,
        })
        .await
}
