//! Two peer connections by way of a relay's TURN server, and by no other way.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

mod support;

use sotto_client::call::media::{IceServer, Paths, PeerFailure};
use sotto_media::peer::PathKind;
use sotto_media::video::VideoKind;
use sotto_relay::server::Clock;
use sotto_relay::turn::{TurnLimits, udp::Turn};
use sotto_wire::{DeviceId, UserId};
use std::net::SocketAddr;
use support::film::{Film, is_whole};
use support::{Log, Stage, Who, loopback};

async fn turn() -> Turn {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let limits = TurnLimits::default();
    Turn::start(free, None, limits, &[1; 32], Clock::default())
        .await
        .unwrap()
}

/// Somebody's way through the server; `only`: and no other.
fn through(turn: &Turn, who: u8, only: bool) -> Paths {
    let handle = turn.handle();
    let made = handle.issue(&UserId([who; 32]), &DeviceId([who; 16]));
    let made = made.unwrap();
    let at = turn.address();
    Paths {
        relayed_only: only,
        servers: vec![IceServer {
            urls: vec![format!("stun:{at}"), format!("turn:{at}?transport=udp")],
            username: made.username,
            credential: made.password.0.clone(),
            tunnel: None,
        }],
        ..loopback()
    }
}

async fn relayed(turn: &Turn) -> Stage {
    let mut stage = Stage::by(through(turn, 1, true), through(turn, 2, true), None);
    stage.connect().await;
    stage
}

fn only_relayed(log: &Log) -> bool {
    let mut lines = log.candidates.iter().map(|candidate| &candidate.line);
    !log.candidates.is_empty() && lines.all(|line| line.contains(" typ relay "))
}

async fn is_relayed(stage: &mut Stage) {
    stage
        .until("both know that they are relayed", |s| {
            [&s.alice, &s.bob]
                .iter()
                .all(|end| end.peer.stats().path == PathKind::Relayed)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voices_and_pictures_go_through_the_server_and_nothing_tells_where_ends_are() {
    let turn = turn().await;
    let mut stage = relayed(&turn).await;
    is_relayed(&mut stage).await;
    stage.both_speak();
    for who in [Who::Alice, Who::Bob] {
        stage
            .end(who)
            .films
            .push(Film::new(VideoKind::Camera, 300_000));
    }
    let enough = |log: &Log| log.heard.len() >= 100 && log.frames(VideoKind::Camera) >= 60;
    stage
        .until("both hear and see enough", |s| {
            enough(&s.alice.log) && enough(&s.bob.log)
        })
        .await;
    for who in [Who::Alice, Who::Bob] {
        let end = stage.end(who);
        assert!(only_relayed(&end.log), "{:?}", who);
        assert!(end.log.seen.iter().all(is_whole));
        println!("{who:?} {:?}", end.peer.stats().setup);
    }
    assert!(turn.handle().count().await >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_stays_relayed() {
    let turn = turn().await;
    let mut stage = relayed(&turn).await;
    stage.both_speak();
    let before = stage.bob.log.candidates.len();
    // Other credentials, as after an hour of talking.
    stage.alice.peer.reroute(through(&turn, 1, true));
    stage.bob.peer.reroute(through(&turn, 2, true));
    stage.alice.peer.restart();
    stage
        .until("both have other candidates", |s| {
            s.bob.log.candidates.len() > before
        })
        .await;
    let heard = stage.bob.log.heard.len();
    stage
        .until("it goes on", |s| s.bob.log.heard.len() > heard + 100)
        .await;
    is_relayed(&mut stage).await;
    assert!(only_relayed(&stage.alice.log) && only_relayed(&stage.bob.log));
    assert_eq!(stage.alice.log.failed, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_end_that_hides_is_enough() {
    let turn = turn().await;
    let mut stage = Stage::by(through(&turn, 1, true), through(&turn, 2, false), None);
    stage.connect().await;
    is_relayed(&mut stage).await;
    assert!(only_relayed(&stage.alice.log));
    stage.both_speak();
    stage
        .until("both hear", |s| {
            s.alice.log.heard.len() > 50 && s.bob.log.heard.len() > 50
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_there_is_no_way_and_nothing_is_told() {
    let hidden = || Paths {
        relayed_only: true,
        ..loopback()
    };
    let mut stage = Stage::by(hidden(), hidden(), None);
    stage
        .until("both have given up", |s| {
            [&s.alice, &s.bob]
                .iter()
                .all(|end| end.log.failed == Some(PeerFailure::NoPath))
        })
        .await;
    for end in [&stage.alice, &stage.bob] {
        assert!(end.log.candidates.is_empty() && end.log.connected.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_closes_leaves_nothing_at_the_server() {
    let turn = turn().await;
    let mut stage = relayed(&turn).await;
    assert!(turn.handle().count().await >= 2);
    stage.alice.peer.close();
    stage.bob.peer.close();
    stage
        .until("both are over", |s| s.alice.log.over && s.bob.log.over)
        .await;
    let gone = async {
        while turn.handle().count().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(support::LIMIT, gone)
        .await
        .expect("they are given back");
}
