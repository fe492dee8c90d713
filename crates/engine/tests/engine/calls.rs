//! Calls between engines, over a real relay and real sockets, with synthetic
//! devices.

use crate::harness::{Person, World};
use sotto_client::{
    Change, Request,
    call::{
        media::{ScreenMode, Sending},
        view::{CallEnd, CallPhase, CallView, Connection},
    },
};
use sotto_engine::Event;
use sotto_media::{
    Media, Shown,
    audio::Processing,
    console::{CallStats, Choices, EndStats, PictureIn, TileId},
    device::DeviceName,
};
use sotto_wire::{CallId, RoomId, UserId};
use std::time::Duration;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub const TALK: Sending = Sending {
    microphone: true,
    camera: false,
    screen: None,
};
pub const ALL: Sending = Sending {
    camera: true,
    ..TALK
};

/// Somebody with a tone for a voice and a test picture for a face.
pub async fn person(name: &str, hertz: u32) -> Person {
    let person = Person::new(name).await;
    let media = person.engine.media();
    media.choose(devices(hertz));
    media.process(Processing::NONE);
    person
}

/// A tone for a voice, a test picture for a face, and silence for a speaker.
pub fn devices(hertz: u32) -> Choices {
    let device = |name: &str| Some(DeviceName(name.into()));
    Choices {
        microphone: device(&format!("tone:{hertz}")),
        speaker: device("silence:"),
        ringer: device("silence:"),
        camera: device("pattern:cool"),
        screen: device("pattern:page"),
    }
}

/// Waits for a call that is as `wanted`; what it was instead is in the failure.
pub async fn call(person: &mut Person, wanted: impl Fn(&CallView) -> bool) -> CallView {
    let (now, mut events) = person.engine.subscribe().await;
    let mut seen = now.calls;
    let wait = async {
        loop {
            if let Some(view) = seen.iter().find(|view| wanted(view)) {
                return view.clone();
            }
            if let Event::Client(Change::Call(view)) = events.recv().await.expect("it runs") {
                seen = vec![*view];
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, wait).await;
    person.events = events;
    found.unwrap_or_else(|_| panic!("never: {seen:#?}"))
}

pub async fn rings(person: &mut Person) -> CallId {
    let ringing = |view: &CallView| matches!(view.phase, CallPhase::Ringing { .. });
    call(person, ringing).await.call
}

pub async fn start(person: &Person, room: RoomId, sending: Sending) {
    let request = Request::StartCall {
        room,
        video: sending.camera,
        sending,
    };
    person.engine.request(request).await.expect("it rings");
}

pub async fn join(person: &Person, room: RoomId, call: CallId, sending: Sending) {
    let request = Request::JoinCall {
        room,
        call,
        sending,
    };
    person.engine.request(request).await.expect("they join");
}

/// Everybody shows everybody else at this size.
pub async fn looks(person: &mut Person, width: u32, height: u32) {
    let view = call(person, |view| view.phase == CallPhase::Joined).await;
    let others = view.participants.iter().filter(|p| !p.me);
    let tiles = others.flat_map(|p| {
        let peer = sotto_client::call::media::Peer {
            user: p.user,
            device: p.device,
        };
        [TileId::Camera(peer), TileId::Screen(peer)]
    });
    let shown = tiles.map(|tile| Shown {
        tile,
        width,
        height,
    });
    person.engine.media().show(shown.collect());
}

pub async fn measures(person: &Person, wanted: impl Fn(&CallStats) -> bool) -> CallStats {
    measured(person.engine.media(), wanted).await
}

/// Waits for numbers. There is no event for them: they are looked at often.
pub async fn measured(media: &Media, wanted: impl Fn(&CallStats) -> bool) -> CallStats {
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

pub fn of(stats: &CallStats, user: UserId) -> Option<&EndStats> {
    stats.peers.iter().find(|end| end.user == user)
}

pub fn hears(stats: &CallStats, user: UserId) -> bool {
    of(stats, user).is_some_and(|end| end.sound.played_ms > 500)
}

pub fn sees(stats: &CallStats, user: UserId) -> bool {
    let camera = of(stats, user).and_then(|end| end.camera);
    camera.is_some_and(|picture| picture.decoded > 15)
}

pub async fn connected(person: &mut Person, with: usize) {
    call(person, |view| {
        let up = |p: &&sotto_client::call::view::Participant| {
            p.connection == Connection::Connected && p.confirmed
        };
        view.participants.iter().filter(up).count() == with
    })
    .await;
}

pub async fn in_call(sending: Sending) -> (World, Person, Person, RoomId, CallId) {
    in_call_by(World::new().await, sending).await
}

pub async fn in_call_by(world: World, sending: Sending) -> (World, Person, Person, RoomId, CallId) {
    let (mut alice, mut bob) = (person("Alice", 440).await, person("Bob", 660).await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    start(&alice, room, sending).await;
    let id = rings(&mut bob).await;
    join(&bob, room, id, sending).await;
    connected(&mut alice, 1).await;
    connected(&mut bob, 1).await;
    (world, alice, bob, room, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_see_and_hear_each_other() {
    let (world, mut alice, mut bob, room, id) = in_call(ALL).await;
    for person in [&mut alice, &mut bob] {
        looks(person, 640, 360).await;
    }
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let user = other.user();
        let both = |stats: &CallStats| hears(stats, user) && sees(stats, user);
        let stats = measures(one, both).await;
        let end = of(&stats, user).expect("they are there");
        assert_eq!((end.frames.forged, end.frames.replayed), (0, 0));
    }
    // What is drawn is the other's picture, and it moves.
    let view = call(&mut bob, |view| view.phase == CallPhase::Joined).await;
    let other = view.participants.iter().find(|p| !p.me).expect("Alice");
    let tile = TileId::Camera(sotto_client::call::media::Peer {
        user: other.user,
        device: other.device,
    });
    let media = bob.engine.media();
    let first = media.tile(&tile, 640, 360, 0).expect("a picture");
    let later = measures(&bob, |_| media.tile(&tile, 640, 360, first.id).is_some()).await;
    assert!(later.age_ms > 0);

    let leave = Request::LeaveCall { room, call: id };
    alice.engine.request(leave).await.expect("she may");
    let leave = Request::LeaveCall { room, call: id };
    bob.engine.request(leave).await.expect("he may");
    bob.until(|event| match event {
        Event::Client(Change::Call(view)) => {
            (view.phase == CallPhase::Over(CallEnd::Ended)).then_some(())
        }
        _ => None,
    })
    .await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_microphone_sends_nothing_and_a_screen_can_be_shared() {
    let (world, mut alice, mut bob, _, id) = in_call(TALK).await;
    let user = alice.user();
    measures(&bob, |stats| hears(stats, user)).await;
    let silent = Request::SetSending {
        call: id,
        sending: Sending {
            microphone: false,
            camera: false,
            screen: Some(ScreenMode::Text),
        },
    };
    alice.engine.request(silent).await.expect("she may");
    call(&mut bob, |view| {
        let muted = |p: &sotto_client::call::view::Participant| {
            !p.me && !p.media.microphone && p.media.screen.is_some()
        };
        view.participants.iter().any(muted)
    })
    .await;
    looks(&mut bob, 1280, 720).await;
    let shares = |stats: &CallStats| {
        let screen = of(stats, user).and_then(|end| end.screen);
        screen.is_some_and(|picture| picture.decoded > 2)
    };
    let stats = measures(&bob, shares).await;
    let heard = of(&stats, user).expect("there").connection.audio_in.packets;
    // A second of the call itself: fifty packets, were she not muted.
    let later = stats.age_ms + 1_000;
    let stats = measures(&bob, |stats| stats.age_ms >= later).await;
    let now = of(&stats, user).expect("there").connection.audio_in.packets;
    assert!(now - heard <= 2, "{} packets while muted", now - heard);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

/// What one end has of another's camera.
fn camera(stats: &CallStats, user: UserId) -> PictureIn {
    let camera = of(stats, user).and_then(|end| end.camera);
    camera.unwrap_or_default()
}

async fn sends(person: &Person, call: CallId, sending: Sending) {
    let request = Request::SetSending { call, sending };
    person.engine.request(request).await.expect("they may");
}

/// Until the call shows that the other end's camera is on or off.
async fn shows_camera(person: &mut Person, on: bool) -> TileId {
    let view = call(person, |view| {
        let other = view.participants.iter().find(|p| !p.me);
        other.is_some_and(|p| p.media.camera == on)
    })
    .await;
    let other = view.participants.iter().find(|p| !p.me).expect("the other");
    TileId::Camera(sotto_client::call::media::Peer {
        user: other.user,
        device: other.device,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_is_off_is_neither_frozen_nor_asked_for_and_comes_back() {
    let (world, mut alice, mut bob, _, id) = in_call(ALL).await;
    let user = alice.user();
    looks(&mut bob, 320, 180).await;
    measures(&bob, |stats| sees(stats, user)).await;
    // A busy machine may have frozen it before.
    let frozen = camera(&bob.engine.media().stats().await, user).freezes;

    sends(&alice, id, TALK).await;
    let tile = shows_camera(&mut bob, false).await;
    let media = bob.engine.media().clone();
    let gone = measures(&bob, |_| media.tile(&tile, 320, 180, 0).is_none()).await;
    let asked = of(&gone, user).expect("there").connection.camera_in;
    let concealed = of(&gone, user).expect("there").sound.concealed_ms;
    // Longer than a freeze, and than the pause between two requests.
    let later = gone.age_ms + 2_500;
    let stats = measures(&bob, |stats| stats.age_ms >= later).await;
    assert_eq!(camera(&stats, user).freezes, frozen, "{stats:#?}");
    let after = of(&stats, user).expect("there").connection.camera_in;
    assert_eq!(after.keyframe_requests, asked.keyframe_requests);
    assert!(media.tile(&tile, 320, 180, 0).is_none());

    let decoded = camera(&stats, user).decoded;
    sends(&alice, id, ALL).await;
    shows_camera(&mut bob, true).await;
    let stats = measures(&bob, |stats| camera(stats, user).decoded > decoded + 15).await;
    assert_eq!(camera(&stats, user).freezes, frozen);
    assert!(media.tile(&tile, 320, 180, 0).is_some());

    // Muted: silence that nobody makes up.
    sends(&alice, id, Sending::default()).await;
    call(&mut bob, |view| {
        let other = view.participants.iter().find(|p| !p.me);
        other.is_some_and(|p| !p.media.microphone)
    })
    .await;
    let muted = bob.engine.media().stats().await;
    let made_up = of(&muted, user).expect("there").sound.concealed_ms;
    let later = muted.age_ms + 1_000;
    let stats = measures(&bob, |stats| stats.age_ms >= later).await;
    let now = of(&stats, user).expect("there").sound.concealed_ms;
    // What was under way when the word came.
    assert!(
        now <= made_up + 120,
        "{now} after {made_up}, before {concealed}"
    );
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
