//! Sending and reading.

use crate::{failure::Failure, find, output::Output, session::Session};
use serde_json::json;
use sotto_client::{
    Change, Request,
    model::{Delivery, Item, ItemKind, MessageBody},
    store::pending_position,
};
use sotto_engine::{Event, new_message_id};
use sotto_wire::RoomId;
use std::{collections::BTreeMap, io::Read};

/// What is read again after too much happened at once, for each room.
const CATCH_UP: usize = 500;

pub async fn send(
    output: &Output,
    session: &mut Session,
    room: &str,
    text: Option<&str>,
) -> Result<(), Failure> {
    let room = find::room(session, room)?;
    session.watch(&room.relay);
    let text = match text {
        Some(text) => text.to_owned(),
        None => stdin()?,
    };
    let id = new_message_id();
    let body = MessageBody {
        text,
        reply_to: None,
    };
    session
        .request(Request::Send {
            room: room.id,
            id,
            body,
        })
        .await?;
    let accepted = session
        .until(|event| match event {
            Event::Client(Change::Item { room: at, item }) if *at == room.id && item.id == id => {
                delivered(item)
            }
            _ => None,
        })
        .await;
    if let Err(Failure::Unreachable(why)) = accepted {
        let kept = "the message waits in the outbox and goes out at the next connection";
        return Err(Failure::Unreachable(format!("{why}; {kept}")));
    }
    let item = accepted?;
    let object = json!({
        "id": item.id, "room": room.id, "at": item.at, "position": item.position,
    });
    output.line(object, format!("{}  accepted", item.id))
}

fn delivered(item: &Item) -> Option<Result<Item, Failure>> {
    let ItemKind::Message { delivery, .. } = &item.kind else {
        return None;
    };
    match delivery {
        Delivery::Pending => None,
        Delivery::Accepted => Some(Ok(item.clone())),
        Delivery::Failed => Some(Err(Failure::refused("the relay refused the message"))),
    }
}

fn stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|_| Failure::Usage("standard input is no text".into()))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Before everything that still waits in the outbox.
fn accepted() -> Option<u64> {
    Some(pending_position(0))
}

/// What was printed of each room, and how much is still wanted.
struct Reader<'a> {
    output: &'a Output,
    only: Option<RoomId>,
    names: BTreeMap<RoomId, String>,
    printed: BTreeMap<RoomId, u64>,
    left: Option<u64>,
}

pub async fn follow(
    output: &Output,
    session: &mut Session,
    room: Option<&str>,
    history: usize,
    count: Option<u64>,
) -> Result<(), Failure> {
    let only = match room {
        Some(room) => Some(find::room(session, room)?.id),
        None => None,
    };
    let (names, printed) = (BTreeMap::new(), BTreeMap::new());
    let mut reader = Reader {
        output,
        only,
        names,
        printed,
        left: count,
    };
    for room in session.snapshot.rooms.clone() {
        reader.names.insert(room.id, room.name);
        let page = session
            .engine
            .timeline(room.id, accepted(), history.max(1))
            .await?;
        let newest = page.items.last().map_or(0, |item| item.position);
        if history == 0 {
            reader.printed.insert(room.id, newest);
        }
        reader.read(session, &room.id, &page.items).await?;
    }
    while reader.left != Some(0) {
        match session.watch_next().await? {
            Some(Event::Client(Change::Item { room, item })) => {
                reader.read(session, &room, &[*item]).await?;
            }
            Some(Event::Client(Change::Room(room))) => {
                reader.names.insert(room.id, room.name);
            }
            Some(_) => {}
            None => {
                session.resume().await;
                for room in session.snapshot.rooms.clone() {
                    let page = session
                        .engine
                        .timeline(room.id, accepted(), CATCH_UP)
                        .await?;
                    reader.names.insert(room.id, room.name);
                    reader.read(session, &room.id, &page.items).await?;
                }
            }
        }
    }
    Ok(())
}

impl Reader<'_> {
    /// Prints what was not printed yet and marks it as read.
    async fn read(
        &mut self,
        session: &Session,
        room: &RoomId,
        items: &[Item],
    ) -> Result<(), Failure> {
        if self.only.is_some_and(|only| only != *room) {
            return Ok(());
        }
        let before = self.printed.get(room).copied().unwrap_or(0);
        let mut newest = before;
        let name = self.names.get(room).cloned().unwrap_or_default();
        for item in items.iter().filter(|item| item.position > before) {
            let waits = matches!(
                item.kind,
                ItemKind::Message {
                    delivery: Delivery::Pending | Delivery::Failed,
                    ..
                }
            );
            if waits || self.left == Some(0) {
                continue;
            }
            self.output.item(room, &name, item)?;
            newest = newest.max(item.position);
            if let (Some(left), ItemKind::Message { .. }) = (&mut self.left, &item.kind) {
                *left -= 1;
            }
        }
        if newest > before {
            self.printed.insert(*room, newest);
            // A room that is over takes no marks; what was printed stays so.
            let _ = session
                .request(Request::MarkRead {
                    room: *room,
                    position: newest,
                })
                .await;
        }
        Ok(())
    }
}
