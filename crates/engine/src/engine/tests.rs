//! The engine against a disk that is full, which only a test inside can
//! arrange.

use super::*;
use crate::{
    api::Problem,
    open,
    profile::ProfileDir,
    vault::{Protection, Unlock, keyring::NoKeyring},
};
use sotto_client::{
    Change,
    model::{Admission, Item, ItemKind, MessageBody, Profile, Standing},
};
use std::time::Duration;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

struct Person {
    dir: tempfile::TempDir,
    engine: Engine,
    events: mpsc::Receiver<Event>,
}

impl Person {
    async fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let protection = Protection {
            keyring: false,
            passphrase: Some(Secret::new("sotto voce".into())),
        };
        let profile = Profile {
            name: name.into(),
            ..Profile::default()
        };
        let place = ProfileDir::new(dir.path());
        let engine = open::create(&place, Arc::new(NoKeyring), protection, profile)
            .await
            .unwrap();
        let (_, events) = engine.subscribe().await;
        Self {
            dir,
            engine,
            events,
        }
    }

    async fn reopened(self) -> Self {
        let Self { dir, engine, .. } = self;
        engine.stop().await;
        let unlock = Unlock::Passphrase(Secret::new("sotto voce".into()));
        let place = ProfileDir::new(dir.path());
        let engine = open::open(&place, Arc::new(NoKeyring), unlock)
            .await
            .unwrap();
        let (_, events) = engine.subscribe().await;
        Self {
            dir,
            engine,
            events,
        }
    }

    async fn fill_disk(&self, full: bool) {
        self.engine
            .asks
            .send(Ask::FillDisk(full))
            .await
            .ok()
            .unwrap();
    }

    async fn until<T>(&mut self, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the engine runs");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("it happens in time")
    }

    async fn create_room(&self, relay: &RelayAddress) -> Result<RoomId, RequestError> {
        let request = Request::CreateRoom {
            relay: relay.clone(),
            name: "Backstage".into(),
            topic: String::new(),
            admission: Admission::AtOnce,
        };
        match self.engine.request(request).await? {
            Outcome::Room(room) => Ok(room),
            other => panic!("{other:?}"),
        }
    }

    async fn is_member(&mut self, room: RoomId) {
        self.until(|event| match event {
            Event::Client(Change::Room(view)) if view.id == room => {
                (view.standing == Standing::Member).then_some(())
            }
            _ => None,
        })
        .await;
    }

    async fn texts(&self, room: RoomId) -> Vec<String> {
        let page = self.engine.timeline(room, None, 1000).await.unwrap();
        page.items.into_iter().filter_map(text).collect()
    }
}

fn text(item: Item) -> Option<String> {
    match item.kind {
        ItemKind::Message { body, .. } => Some(body.text),
        _ => None,
    }
}

fn nowhere() -> RelayAddress {
    "127.0.0.1:9".parse().unwrap()
}

async fn relay() -> (sotto_relay::Relay, RelayAddress) {
    let bind = "127.0.0.1:0".parse().unwrap();
    let relay = sotto_relay::start(sotto_relay::Config {
        bind,
        ..Default::default()
    })
    .await
    .unwrap();
    let address = relay.address().to_string().parse().unwrap();
    (relay, address)
}

/// Makes rooms until the disk takes no more; how many it took.
async fn fill_with_rooms(alice: &Person) -> usize {
    for made in 0.. {
        if alice.create_room(&nowhere()).await.is_err() {
            return made;
        }
        assert!(made < 100, "the disk is never full");
    }
    unreachable!()
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_that_was_answered_is_lost() {
    let mut alice = Person::new("Alice").await;
    alice.create_room(&nowhere()).await.unwrap();
    alice.fill_disk(true).await;
    let made = 1 + fill_with_rooms(&alice).await;
    alice
        .until(|e| (e == Event::Problem(Problem::DiskFull)).then_some(()))
        .await;

    // It can be read, and says no to everything that would be stored.
    let (snapshot, _) = alice.engine.subscribe().await;
    assert_eq!(snapshot.problems, [Problem::DiskFull]);
    assert_eq!(snapshot.rooms.len(), made);
    assert_eq!(
        alice.create_room(&nowhere()).await,
        Err(RequestError::Internal)
    );
    assert!(alice.engine.set_setting("theme", "dark").await.is_err());

    // Room again: whoever asks next gets what they want.
    alice.fill_disk(false).await;
    alice.create_room(&nowhere()).await.unwrap();
    alice
        .until(|e| (e == Event::ProblemGone(Problem::DiskFull)).then_some(()))
        .await;
    let alice = alice.reopened().await;
    assert_eq!(alice.engine.subscribe().await.0.rooms.len(), made + 1);
}

#[tokio::test]
async fn a_disk_that_was_full_is_found_out_without_asking() {
    let mut alice = Person::new("Alice").await;
    alice.fill_disk(true).await;
    fill_with_rooms(&alice).await;
    alice.fill_disk(false).await;
    alice
        .until(|e| (e == Event::ProblemGone(Problem::DiskFull)).then_some(()))
        .await;
}

#[tokio::test]
async fn what_came_while_the_disk_was_full_comes_again() {
    let (_relay, address) = relay().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let room = alice.create_room(&address).await.unwrap();
    alice.is_member(room).await;
    let valid_for = 3_600_000;
    let invite = Request::CreateInvite { room, valid_for };
    let Ok(Outcome::Invite(invite)) = alice.engine.request(invite).await else {
        panic!()
    };
    bob.engine
        .request(Request::Join { link: invite.link })
        .await
        .unwrap();
    bob.is_member(room).await;

    bob.fill_disk(true).await;
    let sent: Vec<String> = (0..40)
        .map(|n| format!("{n}{}", " word".repeat(200)))
        .collect();
    for text in &sent {
        let body = MessageBody {
            text: text.clone(),
            reply_to: None,
        };
        let id = crate::new_message_id();
        alice
            .engine
            .request(Request::Send { room, id, body })
            .await
            .unwrap();
    }
    bob.until(|e| (e == Event::Problem(Problem::DiskFull)).then_some(()))
        .await;
    bob.fill_disk(false).await;
    let last = sent.last().unwrap().clone();
    bob.until(|event| match event {
        Event::Client(Change::Item { item, .. }) => text(*item).filter(|text| *text == last),
        _ => None,
    })
    .await;
    assert_eq!(bob.texts(room).await, sent);
    let bob = bob.reopened().await;
    assert_eq!(bob.texts(room).await, sent);
}

#[tokio::test]
async fn a_damaged_database_stops_the_engine_and_says_why() {
    let mut alice = Person::new("Alice").await;
    let damage = Ask::Read(Box::new(|_, _| Err(StoreError::Damaged)));
    alice.engine.asks.send(damage).await.ok().unwrap();
    let damaged = StopWhy::Store(crate::api::StoreFailure::Damaged);
    alice
        .until(|e| (e == Event::Stopped(damaged)).then_some(()))
        .await;
    assert_eq!(
        alice.create_room(&nowhere()).await,
        Err(RequestError::Internal)
    );
    assert!(
        alice
            .engine
            .timeline(RoomId([0; 16]), None, 1)
            .await
            .is_err()
    );
    let (_, mut late) = alice.engine.subscribe().await;
    assert_eq!(late.recv().await, Some(Event::Stopped(damaged)));
}
