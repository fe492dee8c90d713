//! Calls between engines that learn no address of each other, through the
//! TURN server of a real relay.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

use crate::calls::{
    ALL, call, connected, hears, in_call, in_call_by, join, looks, measures, of, person, rings,
    sees, start,
};
use crate::harness::{Person, World, eventually};
use sotto_client::{
    Request, RequestError,
    call::view::{CallPhase, Route},
    model::Privacy,
};
use sotto_media::peer::PathKind;

async fn hides(person: &Person, hide_address: bool) {
    let request = Request::SetPrivacy(Privacy { hide_address });
    person.engine.request(request).await.expect("it is kept");
}

/// They have not verified each other, so it is relayed without being asked for.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_are_not_verified_see_and_hear_each_other_through_the_relay() {
    let (world, alice, bob, ..) = in_call(ALL).await;
    they_see_and_hear_each_other(world, alice, bob, PathKind::Relayed).await;
}

/// No datagram reaches the relay; its ordinary address does.
#[tokio::test(flavor = "multi_thread")]
async fn where_udp_is_blocked_they_see_and_hear_each_other_over_tcp() {
    let world = World::without_udp().await;
    let (world, alice, bob, ..) = in_call_by(world, ALL).await;
    they_see_and_hear_each_other(world, alice, bob, PathKind::RelayedTcp).await;
}

async fn they_see_and_hear_each_other(
    world: World,
    mut alice: Person,
    mut bob: Person,
    path: PathKind,
) {
    for person in [&mut alice, &mut bob] {
        looks(person, 640, 360).await;
        let view = call(person, |view| view.phase == CallPhase::Joined).await;
        assert_eq!(view.route, Route::Relayed);
    }
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let user = other.user();
        let stats = measures(one, |stats| {
            let so = of(stats, user).is_some_and(|end| end.connection.path == path);
            so && hears(stats, user) && sees(stats, user)
        })
        .await;
        let end = of(&stats, user).expect("they are there");
        assert_eq!((end.frames.forged, end.frames.replayed), (0, 0));
        println!("{:?}", end.connection.setup);
    }
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_are_verified_talk_directly_unless_one_hides() {
    let world = World::new().await;
    let (mut alice, mut bob) = (person("Alice", 440).await, person("Bob", 660).await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let request = Request::SetVerified {
            user: other.user(),
            verified: true,
        };
        one.engine.request(request).await.expect("they met");
    }
    for hidden in [false, true] {
        hides(&alice, hidden).await;
        // The call before may still be ending.
        eventually(async || {
            let request = Request::StartCall {
                room,
                video: true,
                sending: ALL,
            };
            alice.engine.request(request).await.is_ok()
        })
        .await;
        let id = rings(&mut bob).await;
        join(&bob, room, id, ALL).await;
        connected(&mut alice, 1).await;
        let path = match hidden {
            true => PathKind::Relayed,
            false => PathKind::Direct,
        };
        let user = alice.user();
        let found = |stats: &sotto_media::console::CallStats| {
            of(stats, user).is_some_and(|end| end.connection.path == path) && hears(stats, user)
        };
        measures(&bob, found).await;
        for person in [&alice, &bob] {
            let leave = Request::LeaveCall { room, call: id };
            person.engine.request(leave).await.expect("they may");
        }
    }
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hides_does_not_call_where_nothing_is_relayed() {
    let world = World::without_turn().await;
    let (mut alice, mut bob) = (person("Alice", 440).await, person("Bob", 660).await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    hides(&alice, true).await;
    let request = Request::StartCall {
        room,
        video: false,
        sending: ALL,
    };
    let refused = alice.engine.request(request).await;
    assert_eq!(refused, Err(RequestError::NoRelayedPath));
    hides(&alice, false).await;
    start(&alice, room, ALL).await;
    let id = rings(&mut bob).await;
    join(&bob, room, id, ALL).await;
    connected(&mut alice, 1).await;
    let view = call(&mut alice, |view| view.phase == CallPhase::Joined).await;
    assert_eq!(view.route, Route::Exposed);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
