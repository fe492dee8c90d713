//! Who leaves a call hears and sees nothing more of it, even with the
//! connection kept and every packet still coming.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

use crate::calls::{
    ALL, call, connected, devices, join, looks, measured, measures, of, person, rings, start,
};
use crate::harness::World;
use sotto_client::{
    Request,
    call::{
        media::{MediaKey, MediaOrder, MediaReport, Paths, Peer, Sending},
        view::CallPhase,
    },
};
use sotto_media::{
    Media, Setup, Shown,
    audio::Processing,
    console::{CallStats, TileId},
};
use sotto_wire::{CallId, DeviceId, UserId};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const CALL: CallId = CallId([7; 16]);

fn shown(peer: Peer) -> Shown {
    Shown {
        tile: TileId::Camera(peer),
        width: 320,
        height: 180,
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
            choices: devices(440),
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
    measured(&carol.media, sees).await;

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
    let first = measured(&carol.media, |stats| closed(stats, 10)).await;
    let later = measured(&carol.media, |stats| closed(stats, 200)).await;
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

fn decoded(stats: &CallStats, user: UserId) -> u64 {
    let camera = of(stats, user).and_then(|end| end.camera);
    camera.map_or(0, |camera| camera.decoded)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_third_person_leaves_the_others_seal_under_new_keys_within_a_second() {
    let world = World::new().await;
    let (mut alice, mut bob) = (person("Alice", 440).await, person("Bob", 660).await);
    let mut carol = person("Carol", 880).await;
    let room = world.room_of(&mut alice, &mut [&mut bob, &mut carol]).await;
    start(&alice, room, ALL).await;
    for other in [&mut bob, &mut carol] {
        let id = rings(other).await;
        join(other, room, id, ALL).await;
    }
    for one in [&mut alice, &mut bob, &mut carol] {
        connected(one, 2).await;
        looks(one, 320, 180).await;
    }
    let (hers, his) = (alice.user(), bob.user());
    let sees_both = |stats: &CallStats| decoded(stats, hers) > 5 && decoded(stats, his) > 5;
    measures(&carol, sees_both).await;
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
        measured(media, |stats| stats.own.keys > before).await;
    }
    let took = left.elapsed();
    println!("new keys {took:?} after she hung up");
    // One second for the key, and what the word takes to get around.
    assert!(took < Duration::from_millis(1_500), "{took:?}");

    // The two go on.
    for (one, other) in [(&alice, his), (&bob, hers)] {
        let now = decoded(&one.engine.media().stats().await, other);
        measures(one, |s| decoded(s, other) > now + 15).await;
    }
    for mut one in [alice, bob, carol] {
        one.stop().await;
    }
    world.stop().await;
}
