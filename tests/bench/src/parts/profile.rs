//! Fills a profile with rooms and messages through a real engine and a real
//! relay: `sotto-bench profile <folder> <relay> <name> <rooms> <messages>`. The
//! session's keyring opens it afterwards.

use crate::people::Failure;
use sotto_client::model::{Admission, Delivery, ItemKind, MessageBody, Profile};
use sotto_client::{Change, Outcome, Request};
use sotto_engine::{Engine, Event, ProfileDir, Protection, SystemKeyring, create, new_message_id};
use sotto_wire::{MessageId, RelayAddress, RoomId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Messages of one room that are on their way at once.
const AT_ONCE: usize = 200;

/// Nothing happens for so long: something is stuck.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(args: Vec<String>) -> Result<(), Failure> {
    let [folder, relay, name, rooms, messages] = args.as_slice() else {
        return Err("sotto-bench profile <folder> <relay> <name> <rooms> <messages>".into());
    };
    let relay: RelayAddress = relay.parse()?;
    let protection = Protection {
        keyring: true,
        passphrase: None,
    };
    let profile = Profile {
        name: name.clone(),
        ..Profile::default()
    };
    let dir = ProfileDir::new(folder);
    let engine = create(
        &dir,
        Arc::new(SystemKeyring::default()),
        protection,
        profile,
    )
    .await?;
    engine.request(Request::AddRelay(relay.clone())).await?;
    for room in 1..=rooms.parse()? {
        let room = open_room(&engine, &relay, room).await?;
        fill(&engine, room, messages.parse()?).await?;
    }
    engine.stop().await;
    Ok(())
}

async fn open_room(engine: &Engine, relay: &RelayAddress, room: u32) -> Result<RoomId, Failure> {
    let request = Request::CreateRoom {
        relay: relay.clone(),
        name: format!("Room number {room}"),
        topic: String::new(),
        admission: Admission::ByHost,
    };
    match engine.request(request).await? {
        Outcome::Room(room) => Ok(room),
        _ => Err("no room was made".into()),
    }
}

async fn fill(engine: &Engine, room: RoomId, messages: usize) -> Result<(), Failure> {
    let mut done = 0;
    while done < messages {
        let (_, mut events) = engine.subscribe().await;
        let mut waiting = BTreeSet::new();
        for number in 0..AT_ONCE.min(messages - done) {
            let number = done + number;
            let body = MessageBody {
                text: format!("Message {number} of an evening that was longer than planned"),
                reply_to: None,
            };
            let id = new_message_id();
            engine.request(Request::Send { room, id, body }).await?;
            waiting.insert(id);
        }
        done += waiting.len();
        while !waiting.is_empty() {
            match timeout(PATIENCE, events.recv()).await {
                Ok(Some(event)) => waiting.retain(|id| !accepts(&event, id)),
                Ok(None) => return Err("the engine stopped".into()),
                Err(_) => {
                    let (open, counters) = (waiting.len(), engine.counters().await);
                    return Err(format!("{open} messages are never accepted; {counters:?}").into());
                }
            }
        }
    }
    Ok(())
}

fn accepts(event: &Event, id: &MessageId) -> bool {
    let Event::Client(Change::Item { item, .. }) = event else {
        return false;
    };
    let accepted = |kind: &ItemKind| matches!(kind, ItemKind::Message { delivery, .. } if *delivery == Delivery::Accepted);
    item.id == *id && accepted(&item.kind)
}
