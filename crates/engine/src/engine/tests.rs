//! The engine against a disk that is full, and what rings: only a test inside
//! can arrange the one and ask for the other.

use super::*;
use crate::{
    api::Problem,
    open,
    profile::ProfileDir,
    vault::{Protection, Unlock, keyring::NoKeyring},
};
use sotto_client::{
    Change,
    call::{
        media::Sending,
        view::{CallPhase, CallView},
    },
    model::{Admission, Item, ItemKind, MessageBody, Profile, RoomPrefs, Standing},
};
use sotto_media::{
    audio::{Processing, Ring},
    console::{CallStats, Choices, TileId},
    device::DeviceName,
};
use sotto_wire::CallId;
use std::time::Duration;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const ALL: Sending = Sending {
    microphone: true,
    camera: true,
    screen: None,
};

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

    /// Both are in this room then.
    async fn lets_in(&mut self, room: RoomId, other: &mut Self) {
        self.is_member(room).await;
        let valid_for = 3_600_000;
        let invite = Request::CreateInvite { room, valid_for };
        let Ok(Outcome::Invite(invite)) = self.engine.request(invite).await else {
            panic!()
        };
        let join = Request::Join { link: invite.link };
        other.engine.request(join).await.unwrap();
        other.is_member(room).await;
    }

    /// From now on a tone for a voice and a test picture for a face.
    fn has_made_up_devices(&self) {
        let device = |name: &str| Some(DeviceName(name.into()));
        let media = self.engine.media();
        media.choose(Choices {
            microphone: device("tone:440"),
            speaker: device("silence:"),
            ringer: device("silence:"),
            camera: device("pattern:cool"),
            screen: None,
        });
        media.process(Processing::NONE);
    }

    async fn calls(&self, room: RoomId) {
        let start = Request::StartCall {
            room,
            video: true,
            sending: ALL,
        };
        self.engine.request(start).await.unwrap();
    }

    async fn mutes(&self, room: RoomId, muted: bool) {
        let prefs = RoomPrefs {
            muted,
            ..RoomPrefs::default()
        };
        let mute = Request::SetPrefs { room, prefs };
        self.engine.request(mute).await.unwrap();
    }

    async fn sees_call(&mut self, wanted: impl Fn(&CallView) -> bool) -> CallId {
        self.until(|event| match event {
            Event::Client(Change::Call(view)) if wanted(&view) => Some(view.call),
            _ => None,
        })
        .await
    }

    async fn hears(&self) -> Option<Ring> {
        let (answer, answered) = oneshot::channel();
        self.engine
            .asks
            .send(Ask::Rings(answer))
            .await
            .ok()
            .unwrap();
        answered.await.unwrap()
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
    alice.lets_in(room, &mut bob).await;

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

fn rings(view: &CallView) -> bool {
    matches!(view.phase, CallPhase::Ringing { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_in_a_call_ends_it_and_a_later_call_rings() {
    let (_relay, address) = relay().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    alice.has_made_up_devices();
    bob.has_made_up_devices();
    let room = alice.create_room(&address).await.unwrap();
    alice.lets_in(room, &mut bob).await;
    alice.calls(room).await;
    let call = bob.sees_call(rings).await;
    let join = Request::JoinCall {
        room,
        call,
        sending: ALL,
    };
    bob.engine.request(join).await.unwrap();
    alice.sees_call(|view| view.participants.len() == 2).await;
    assert_ne!(bob.engine.media().stats().await, CallStats::default());

    bob.fill_disk(true).await;
    fill_with_rooms(&bob).await;
    bob.until(|e| (e == Event::Problem(Problem::DiskFull)).then_some(()))
        .await;
    bob.until(|e| (e == Event::Client(Change::CallGone { room, call })).then_some(()))
        .await;
    // Nothing is captured, and nothing is shown that could not be acted on.
    let media = bob.engine.media();
    assert_eq!(media.stats().await, CallStats::default());
    assert!(media.tile(&TileId::OwnCamera, 320, 180, 0).is_none());
    assert!(bob.engine.subscribe().await.0.calls.is_empty());

    // Room again: the others are told, and who calls anew is heard.
    bob.fill_disk(false).await;
    alice.sees_call(|view| view.participants.len() == 1).await;
    let leave = Request::LeaveCall { room, call };
    alice.engine.request(leave).await.unwrap();
    alice
        .until(|e| (e == Event::Client(Change::CallGone { room, call })).then_some(()))
        .await;
    alice.calls(room).await;
    let again = bob.sees_call(|view| view.call != call && rings(view)).await;
    assert_ne!(again, call);
    assert_eq!(bob.hears().await, Some(Ring::Incoming));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_a_muted_room_is_seen_and_not_heard() {
    let (_relay, address) = relay().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    alice.has_made_up_devices();
    bob.has_made_up_devices();
    let room = alice.create_room(&address).await.unwrap();
    alice.lets_in(room, &mut bob).await;
    bob.mutes(room, true).await;
    alice.calls(room).await;
    bob.sees_call(rings).await;
    assert_eq!(bob.hears().await, None);
    assert_eq!(alice.hears().await, Some(Ring::Outgoing));
    bob.mutes(room, false).await;
    assert_eq!(bob.hears().await, Some(Ring::Incoming));
    bob.engine.ring_aloud(false).await;
    assert_eq!(bob.hears().await, None);
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
