//! Who learns whose network address by a call.

use crate::simulator::rooms::of_two;
use sotto_client::{
    RequestError,
    call::{media::MediaOrder, view::Route},
};
use sotto_tests::world::{Actor, World};

const MINUTE: u64 = 60_000;

fn with_relayed_calls() -> (World, Actor, Actor) {
    let (world, alice, bob) = of_two();
    world.relays_relay_calls(true);
    for person in [&alice, &bob] {
        person.goes_offline();
        person.comes_back();
    }
    // From now on it never comes to rest: credentials are renewed for ever.
    world.run_for(3_000);
    (world, alice, bob)
}

fn they_talk(world: &World, alice: &Actor, bob: &Actor) {
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(2_000);
    world.talk_together(&[alice, bob]);
}

fn only_relayed(lines: &[String]) -> bool {
    !lines.is_empty() && lines.iter().all(|line| line.contains(" typ relay "))
}

#[test]
fn people_who_are_not_verified_are_told_of_relayed_ways_only() {
    let (world, alice, bob) = with_relayed_calls();
    they_talk(&world, &alice, &bob);
    for person in [&alice, &bob] {
        let paths = person.travels();
        assert!(paths.relayed_only);
        let urls = &paths.servers[0].urls;
        assert!(urls.contains(&"turn:relay.example:3478?transport=udp".into()));
        assert_eq!(person.sees_call().route, Route::Relayed);
        assert!(only_relayed(&person.was_told()), "{:?}", person.was_told());
    }
}

#[test]
fn whoever_is_verified_may_be_reached_directly() {
    let (world, alice, bob) = with_relayed_calls();
    alice.verifies(&bob);
    bob.verifies(&alice);
    they_talk(&world, &alice, &bob);
    for person in [&alice, &bob] {
        assert!(!person.travels().relayed_only);
        assert!(
            !person.travels().servers.is_empty(),
            "where nothing else works"
        );
        assert_eq!(person.sees_call().route, Route::Direct);
    }
}

#[test]
fn each_end_hides_its_own_address_whatever_the_other_does() {
    let (world, alice, bob) = with_relayed_calls();
    bob.verifies(&alice);
    they_talk(&world, &alice, &bob);
    assert_eq!(alice.sees_call().route, Route::Relayed);
    assert_eq!(bob.sees_call().route, Route::Direct);
    assert!(only_relayed(&bob.was_told()), "{:?}", bob.was_told());
    // She does not send to where he is, either: that would show her.
    assert!(only_relayed(&alice.was_told()), "{:?}", alice.was_told());
}

#[test]
fn whoever_always_hides_is_relayed_among_friends_too() {
    let (world, alice, bob) = with_relayed_calls();
    alice.verifies(&bob);
    bob.verifies(&alice);
    bob.hides_address(true);
    they_talk(&world, &alice, &bob);
    assert_eq!(bob.sees_call().route, Route::Relayed);
    assert!(only_relayed(&alice.was_told()), "{:?}", alice.was_told());
}

#[test]
fn where_the_relay_relays_nothing_it_is_said_and_nobody_who_hides_calls() {
    let (world, alice, bob) = of_two();
    alice.hides_address(true);
    assert_eq!(alice.tries_to_call(), Err(RequestError::NoRelayedPath));
    let call = bob.starts_call();
    world.run_for(500);
    assert_eq!(alice.tries_to_join(call), Err(RequestError::NoRelayedPath));
    assert!(alice.was_told().is_empty());
    alice.hides_address(false);
    alice.joins_call();
    world.run_for(2_000);
    for person in [&alice, &bob] {
        assert_eq!(person.sees_call().route, Route::Exposed);
        assert!(!person.travels().relayed_only);
    }
}

#[test]
fn a_stranger_who_comes_into_the_room_meets_a_relayed_end() {
    let (world, alice, bob) = with_relayed_calls();
    alice.verifies(&bob);
    bob.verifies(&alice);
    they_talk(&world, &alice, &bob);
    assert!(!alice.travels().relayed_only);
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.run_for(3_000);
    assert!(alice.travels().relayed_only && bob.travels().relayed_only);
    carol.joins_call();
    world.run_for(3_000);
    world.talk_together(&[&alice, &bob, &carol]);
    assert!(only_relayed(&carol.was_told()), "{:?}", carol.was_told());
    // Who was known before stays connected as they were.
    let restarts = |person: &Actor| {
        let mut scene = world.scene();
        let orders = scene.machine(person.name()).media.orders.iter();
        orders
            .filter(|order| matches!(order, MediaOrder::Restart { .. }))
            .count()
    };
    assert_eq!(restarts(&alice) + restarts(&bob), 0);
}

#[test]
fn a_relayed_call_stays_relayed_when_the_relay_takes_it_back() {
    let (world, alice, bob) = with_relayed_calls();
    they_talk(&world, &alice, &bob);
    world.relays_relay_calls(false);
    for person in [&alice, &bob] {
        person.goes_offline();
        person.comes_back();
    }
    world.run_for(180 * MINUTE);
    for person in [&alice, &bob] {
        assert!(person.travels().relayed_only);
        assert!(!person.travels().servers.is_empty());
        assert_eq!(person.sees_call().route, Route::Relayed);
    }
}

#[test]
fn credentials_are_renewed_in_time_in_a_call_as_well() {
    let (world, alice, bob) = with_relayed_calls();
    they_talk(&world, &alice, &bob);
    let name = |person: &Actor| person.travels().servers[0].username.clone();
    let before = name(&alice);
    world.run_for(61 * MINUTE);
    let after = name(&alice);
    assert_ne!(before, after, "half of the two hours is over");
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn the_wish_to_hide_outlives_the_process() {
    let (world, alice, _) = with_relayed_calls();
    alice.hides_address(true);
    alice.restarts();
    let hides = |person: &Actor| {
        let mut scene = world.scene();
        let client = scene.machine(person.name()).client.as_ref();
        client.expect("it runs").privacy().hide_address
    };
    assert!(hides(&alice));
}
