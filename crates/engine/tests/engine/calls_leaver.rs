//! Who leaves a call hears and sees nothing more of it, even with the
//! connection kept and every packet still coming.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

use crate::harness::{Person, World};
use sotto_client::{
    Change, Request,
    call::{
        media::{MediaKey, MediaOrder, MediaReport, Paths, Peer, Sending},
        view::{CallPhase, CallView, Connection},
    },
};
use sotto_engine::Event;
use sotto_media::{
    Media, Setup, Shown,
    audio::Processing,
    console::{CallStats, Choices, EndStats, TileId},
    device::DeviceName,
};
use sotto_wire::{CallId, DeviceId, RoomId, UserId};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const CALL: CallId = CallId([7; 16]);
const ALL: Sending = Sending {
    microphone: true,
    camera: true,
    screen: None,
};

fn devices() -> Choices {
    let device = |name: &str| Some(DeviceName(name.into()));
    Choices {
        microphone: device("tone:440"),
        speaker: device("silence:"),
        ringer: device("silence:"),
        camera: device("pattern:cool"),
        screen: None,
    }
}

fn shown(peer: Peer) -> Shown {
    Shown {
        tile: TileId::Camera(peer),
        width: 320,
        height: 180,
    }
}

/// Waits for numbers. There is no event for them: they are looked at often.
async fn measures(media: &Media, wanted: impl Fn(&CallStats) -> bool) -> CallStats {
    let wait = async {
        loop {
            let stats = media.stats().await;
            if wanted(&stats) {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(stats) => stats,
        Err(_) => panic!("never: {:#?}", media.stats().await),
    }
}

/// One end without a client: its orders are the test's.
struct End {
    peer: Peer,
    media: Media,
    reports: mpsc::UnboundedReceiver<MediaReport>,
    missing: Option<u64>,
    connected: bool,
}

impl End {
    fn begins(number: u8, sending: Sending) -> Self {
        let (tell, reports) = mpsc::unbounded_channel();
        let setup = Setup {
            choices: devices(),
            processing: Processing::NONE,
        };
        let media = Media::start(setup, tell);
        let paths = Paths {
            loopback: true,
            ..Paths::default()
        };
        media.order(MediaOrder::Begin { call: CALL, paths });
        let call = CALL;
        media.order(MediaOrder::Send { call, sending });
        Self {
            peer: Peer {
                user: UserId([number; 32]),
                device: DeviceId([number; 16]),
            },
            media,
            reports,
            missing: None,
            connected: false,
        }
    }

    fn connects(&self, to: Peer, offers: bool) {
        self.media.order(MediaOrder::Connect {
            call: CALL,
            peer: to,
            offers,
        });
    }

    /// What media reports, as the other's client would have it ordered.
    fn hears(&mut self, report: MediaReport, other: &Media) {
        let (call, peer) = (CALL, self.peer);
        match report {
            MediaReport::Described { description, .. } => other.order(MediaOrder::Describe {
                call,
                peer,
                description,
            }),
            MediaReport::Gathered {
                candidate: Some(candidate),
                ..
            } => other.order(MediaOrder::AddCandidate {
                call,
                peer,
                candidate,
            }),
            MediaReport::Connected { .. } => self.connected = true,
            MediaReport::KeyMissing { kid, .. } => self.missing = Some(kid),
            _ => {}
        }
    }
}

/// Carries descriptions and candidates to and fro until it is so.
async fn carry(one: &mut End, other: &mut End, so: impl Fn(&End, &End) -> bool) {
    let wait = async {
        while !so(one, other) {
            tokio::select! {
                Some(report) = one.reports.recv() => one.hears(report, &other.media),
                Some(report) = other.reports.recv() => other.hears(report, &one.media),
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_the_connection_but_has_no_new_key_decrypts_nothing_more() {
    let mut alice = End::begins(1, ALL);
    let mut carol = End::begins(2, Sending::default());
    let (call, peer) = (CALL, alice.peer);
    let old = MediaKey::new(1, [11; 32]);
    let key = old.clone();
    alice.media.order(MediaOrder::SealWith { call, key });
    alice.connects(carol.peer, true);
    carol.connects(peer, false);
    let key = old;
    carol.media.order(MediaOrder::OpenWith { call, peer, key });
    carry(&mut alice, &mut carol, |a, c| a.connected && c.connected).await;
    carol.media.show(vec![shown(peer)]);
    let sees = |stats: &CallStats| {
        let end = stats.peers.first();
        end.is_some_and(|end| {
            let decoded = end.camera.is_some_and(|camera| camera.decoded > 15);
            decoded && end.sound.played_ms > 500
        })
    };
    measures(&carol.media, sees).await;

    // She has left: the next key is for the others.
    let key = MediaKey::new(2, [22; 32]);
    alice.media.order(MediaOrder::SealWith { call, key });
    let changed = Instant::now();
    carry(&mut alice, &mut carol, |_, carol| carol.missing == Some(2)).await;
    let took = changed.elapsed();
    let closed = |stats: &CallStats, more: u64| {
        let end = stats.peers.first();
        end.is_some_and(|end| end.frames.without_key > more)
    };
    let first = measures(&carol.media, |stats| closed(stats, 10)).await;
    let later = measures(&carol.media, |stats| closed(stats, 200)).await;
    let (first, later) = (&first.peers[0], &later.peers[0]);
    println!(
        "the new key was missed after {took:?}; then {} frames came and {} were opened",
        later.frames.without_key - first.frames.without_key,
        later.frames.opened - first.frames.opened
    );
    assert!(later.connection.audio_in.packets > first.connection.audio_in.packets);
    assert_eq!(later.frames.opened, first.frames.opened);
    assert_eq!(later.frames.forged, 0);
    for end in [&alice, &carol] {
        end.media.stop().await;
    }
}

async fn person(name: &str) -> Person {
    let person = Person::new(name).await;
    person.engine.media().choose(devices());
    person.engine.media().process(Processing::NONE);
    person
}

async fn call(person: &mut Person, wanted: impl Fn(&CallView) -> bool) -> CallView {
    let (now, events) = person.engine.subscribe().await;
    person.events = events;
    if let Some(view) = now.calls.into_iter().find(|view| wanted(view)) {
        return view;
    }
    person
        .until(|event| match event {
            Event::Client(Change::Call(view)) => wanted(view).then(|| (**view).clone()),
            _ => None,
        })
        .await
}

async fn accepts(person: &mut Person, room: RoomId) {
    let rings = |view: &CallView| matches!(view.phase, CallPhase::Ringing { .. });
    let call = call(person, rings).await.call;
    let request = Request::JoinCall {
        room,
        call,
        sending: ALL,
    };
    person.engine.request(request).await.expect("they join");
}

/// Waits until they are connected with so many, and looks at them.
async fn looks_at(person: &mut Person, count: usize) {
    let view = call(person, |view| {
        let up = view.participants.iter();
        let up = up.filter(|p| p.connection == Connection::Connected && p.confirmed);
        up.count() == count
    })
    .await;
    let others = view.participants.iter().filter(|p| !p.me);
    let peers = others.map(|p| Peer {
        user: p.user,
        device: p.device,
    });
    person.engine.media().show(peers.map(shown).collect());
}

fn of(stats: &CallStats, user: UserId) -> Option<&EndStats> {
    stats.peers.iter().find(|end| end.user == user)
}

fn decoded(stats: &CallStats, user: UserId) -> u64 {
    let camera = of(stats, user).and_then(|end| end.camera);
    camera.map_or(0, |camera| camera.decoded)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_third_person_leaves_the_others_seal_under_new_keys_within_a_second() {
    let world = World::new().await;
    let (mut alice, mut bob) = (person("Alice").await, person("Bob").await);
    let mut carol = person("Carol").await;
    let room = world.room_of(&mut alice, &mut [&mut bob, &mut carol]).await;
    let request = Request::StartCall {
        room,
        video: true,
        sending: ALL,
    };
    alice.engine.request(request).await.expect("it rings");
    for other in [&mut bob, &mut carol] {
        accepts(other, room).await;
    }
    for one in [&mut alice, &mut bob, &mut carol] {
        looks_at(one, 2).await;
    }
    let (hers, his) = (alice.user(), bob.user());
    let sees_both = |stats: &CallStats| decoded(stats, hers) > 5 && decoded(stats, his) > 5;
    measures(carol.engine.media(), sees_both).await;
    let keys = [&alice, &bob].map(|one| one.engine.media().clone());
    let before = [
        keys[0].stats().await.own.keys,
        keys[1].stats().await.own.keys,
    ];

    let call = call(&mut carol, |view| view.phase == CallPhase::Joined).await;
    let call = call.call;
    let leave = Request::LeaveCall { room, call };
    carol.engine.request(leave).await.expect("she may");
    let left = Instant::now();
    for (media, before) in keys.iter().zip(before) {
        measures(media, |stats| stats.own.keys > before).await;
    }
    let took = left.elapsed();
    println!("new keys {took:?} after she hung up");
    // One second for the key, and what the word takes to get around.
    assert!(took < Duration::from_millis(1_500), "{took:?}");

    // The two go on.
    for (one, other) in [(&alice, his), (&bob, hers)] {
        let now = decoded(&one.engine.media().stats().await, other);
        measures(one.engine.media(), |s| decoded(s, other) > now + 15).await;
    }
    for mut one in [alice, bob, carol] {
        one.stop().await;
    }
    world.stop().await;
}
