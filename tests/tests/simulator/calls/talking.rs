//! In a call: people come and go, keys change, connections break and mend.

use crate::simulator::rooms::{of_three, of_two};
use sotto_client::{
    call::{
        media::{MediaOrder, PeerFailure, ScreenMode, Sending, Source, SourceState, Trouble},
        view::{CallEnd, CallPhase, Connection, Troubles},
    },
    model::CallOutcome,
};

#[test]
fn a_third_person_comes_and_goes_and_keys_change_each_time() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_500);
    let before = [alice.seals_with(), bob.seals_with()];
    carol.joins_call();
    world.run_for(1_500);
    world.talk_together(&[&alice, &bob, &carol]);
    let with_carol = [alice.seals_with(), bob.seals_with()];
    assert!(before.iter().all(|key| !with_carol.contains(key)));
    let old = carol.knows_keys();
    assert!(
        before.iter().all(|key| !old.contains(key)),
        "what was said before she came"
    );
    carol.hangs_up();
    world.run_for(1_500);
    world.talk_together(&[&alice, &bob]);
    let after = [alice.seals_with(), bob.seals_with()];
    assert!(carol.is_member(), "she left the call, not the room");
    let known = carol.knows_keys();
    assert!(
        after.iter().all(|key| !known.contains(key)),
        "what is said now"
    );
    assert!(carol.is_quiet());
}

#[test]
fn the_old_key_ends_within_a_second_whatever_the_others_do() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    carol.joins_call();
    world.run_for(2_000);
    let old = alice.seals_with();
    // Bob acknowledges nothing.
    bob.goes_offline();
    carol.hangs_up();
    world.run_for(900);
    assert_eq!(alice.seals_with(), old, "bob may still get it");
    world.run_for(200);
    assert_ne!(alice.seals_with(), old);
}

#[test]
fn who_is_removed_from_the_room_is_out_of_the_call_too() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    carol.joins_call();
    world.run_for(2_000);
    alice.removes(&carol);
    world.run_for(3_000);
    world.talk_together(&[&alice, &bob]);
    carol.sees_no_call();
    assert!(carol.is_quiet());
    assert_eq!(carol.saw_end(), Some(CallEnd::RoomOver));
    let known = carol.knows_keys();
    assert!(!known.contains(&alice.seals_with()) && !known.contains(&bob.seals_with()));
}

#[test]
fn leaving_or_ending_the_room_ends_the_call() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    bob.leaves();
    world.settle();
    assert!(alice.is_quiet() && bob.is_quiet());
    assert_eq!(bob.saw_end(), Some(CallEnd::RoomOver));
    assert_eq!(alice.call_outcomes(), [CallOutcome::Ended]);

    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    alice.deletes_room();
    world.settle();
    assert!(alice.is_quiet() && bob.is_quiet());
    assert_eq!(bob.saw_end(), Some(CallEnd::RoomOver));
}

#[test]
fn somebody_who_comes_into_the_room_can_join_its_call() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.run_for(5_000);
    assert_eq!(
        carol.sees_call().phase,
        CallPhase::Running,
        "it does not ring"
    );
    carol.joins_call();
    world.run_for(2_000);
    world.talk_together(&[&alice, &bob, &carol]);
}

#[test]
fn whoever_is_left_alone_hangs_up() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    bob.hangs_up();
    world.run_for(30_000);
    assert_eq!(alice.sees_call().participants.len(), 1, "carol may come");
    world.settle();
    alice.sees_no_call();
    assert_eq!(carol.call_outcomes(), [CallOutcome::Missed]);
}

#[test]
fn what_somebody_sends_is_shown_to_all() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    alice.sends_media(Sending {
        microphone: false,
        camera: true,
        screen: Some(ScreenMode::Text),
    });
    alice.raises_hand(true);
    alice.reacts("👍").expect("she is in the call");
    world.run_for(500);
    let seen = bob.sees_in_call(&alice).media;
    assert!(!seen.microphone && seen.camera && seen.hand.is_some());
    assert_eq!(seen.screen, Some(ScreenMode::Text));
    let reaction =
        |change| matches!(change, sotto_client::Change::Reaction { emoji, .. } if emoji == "👍");
    assert_eq!(
        bob.changes()
            .into_iter()
            .filter(|c| reaction(c.clone()))
            .count(),
        1
    );
    assert_eq!(
        alice
            .changes()
            .into_iter()
            .filter(|c| reaction(c.clone()))
            .count(),
        1
    );
    alice.raises_hand(false);
    world.run_for(500);
    assert_eq!(bob.sees_in_call(&alice).media.hand, None);
}

#[test]
fn a_call_survives_the_relay() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    world.relay_stops();
    world.run_for(90_000);
    world.talk_together(&[&alice, &bob]);
    world.relay_starts();
    world.run_for(5_000);
    world.talk_together(&[&alice, &bob]);
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.run_for(5_000);
    assert_eq!(carol.sees_call().phase, CallPhase::Running);
    bob.hangs_up();
    world.settle();
    alice.sees_no_call();
}

#[test]
fn a_broken_connection_is_mended_before_anybody_is_told() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    alice.loses_packets_to(&bob);
    world.run_for(10_000);
    assert_eq!(
        alice.sees_in_call(&bob).connection,
        Connection::Connected,
        "not yet"
    );
    world.run_for(5_000);
    let seen = alice.sees_in_call(&bob).connection;
    assert!(matches!(seen, Connection::Reconnecting { .. }), "{seen:?}");
    assert!(
        alice
            .orders()
            .iter()
            .any(|o| matches!(o, MediaOrder::Restart { .. }))
    );
    alice.finds_way_to(&bob);
    world.run_for(30_000);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn a_connection_that_stays_broken_is_given_up_after_a_minute() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    alice.loses_packets_to(&bob);
    world.run_for(70_000);
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let seen = one.sees_in_call(other).connection;
        assert_eq!(seen, Connection::Failed(PeerFailure::Silent));
    }
    // With a new network there is a new way.
    alice.finds_way_to(&bob);
    alice.goes_offline();
    alice.comes_back();
    world.run_for(5_000);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn a_crash_leaves_nobody_in_the_call() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    bob.is_killed();
    world.run_for(20_000);
    bob.starts();
    world.settle();
    for one in [&alice, &bob] {
        one.sees_no_call();
        assert!(one.is_quiet());
    }
    assert_eq!(bob.captures(), 1, "a microphone opened by itself");
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn who_never_comes_back_is_out_of_the_call_after_a_minute() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    carol.joins_call();
    world.run_for(2_000);
    let old = alice.seals_with();
    carol.is_killed();
    // The relay hears that her connection broke.
    world.run_for(1_000);
    world.tick();
    world.run_for(49_000);
    world.tick();
    assert_eq!(alice.sees_call().participants.len(), 3, "she may come back");
    world.run_for(30_000);
    world.tick();
    world.run_for(2_000);
    world.talk_together(&[&alice, &bob]);
    assert_ne!(alice.seals_with(), old);
    carol.starts();
    world.run_for(2_000);
    carol.joins_call();
    world.run_for(2_000);
    world.talk_together(&[&alice, &bob, &carol]);
}

#[test]
fn people_whose_clocks_differ_can_call() {
    let (world, alice, bob) = of_two();
    let late = 40 * 60 * 1000;
    bob.has_wrong_clock(-late);
    bob.restarts();
    world.settle();
    alice.starts_call();
    world.run_for(500);
    assert!(bob.is_rung());
    let CallPhase::Ringing { until } = bob.sees_call().phase else {
        panic!("it does not ring");
    };
    let left = until - (world.scene().wall() - late.unsigned_abs());
    assert!(
        (55_000..=60_000).contains(&left),
        "by his clock {left} ms are left"
    );
    bob.joins_call();
    world.run_for(1_000);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn a_crash_in_the_moment_of_calling_rings_nobody_later() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    // The relay goes before it has heard of it.
    world.relay_stops();
    alice.is_killed();
    world.run_for(10_000);
    alice.starts();
    world.relay_starts();
    world.settle();
    for one in [&alice, &bob] {
        one.sees_no_call();
        assert!(one.is_quiet());
        one.rejected_nothing();
    }
    assert!(bob.saw_end().is_none() || bob.call_outcomes().len() == 1);
}

#[test]
fn six_can_talk_and_a_seventh_is_told_that_it_is_full() {
    let world = sotto_tests::world::World::new();
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
    let people = names.map(|name| world.person(name));
    people[0].creates("Field notes");
    let link = people[0].invites();
    for person in &people[1..] {
        person.joins(&link);
    }
    world.settle();
    people[0].starts_call();
    world.run_for(500);
    people[1..6].iter().for_each(|person| person.joins_call());
    world.run_for(3_000);
    world.talk_together(&people[..6].iter().collect::<Vec<_>>());
    let call = people[6].sees_call().call;
    let full = sotto_client::RequestError::CallFull { max: 6 };
    assert_eq!(people[6].tries_to_join(call), Err(full));
    people[2].hangs_up();
    world.run_for(2_000);
    people[6].joins_call();
    world.run_for(3_000);
    let mut now: Vec<_> = people.iter().collect();
    now.remove(2);
    world.talk_together(&now);
}

#[test]
fn another_version_is_read_so_and_the_rest_of_the_call_goes_on() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    carol.joins_call();
    world.run_for(2_000);
    carol.speaks_another_version_to(&alice);
    world.run_for(1_000);
    let seen = alice.sees_in_call(&carol).connection;
    assert_eq!(seen, Connection::Failed(PeerFailure::Version));
    assert!(!alice.hears(&carol) && !carol.hears(&alice));
    world.run_for(90_000);
    let seen = alice.sees_in_call(&carol).connection;
    assert_eq!(seen, Connection::Failed(PeerFailure::Version), "for good");
    for (one, other) in [(&alice, &bob), (&bob, &carol)] {
        let state = one.sees_in_call(other);
        assert_eq!(state.connection, Connection::Connected);
        assert!(one.hears(other) && other.hears(one));
    }
    // With the version that all have, all is well.
    carol.hangs_up();
    world.run_for(1_000);
    carol.joins_call();
    world.run_for(2_000);
    world.talk_together(&[&alice, &bob, &carol]);
}

#[test]
fn why_somebodys_picture_is_missing_is_said_to_all() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    bob.sends_media(Sending {
        microphone: true,
        camera: true,
        screen: None,
    });
    bob.finds_device(Source::Camera, SourceState::Busy);
    bob.finds_device(Source::Speaker, SourceState::NoDevice);
    world.run_for(500);
    let media = alice.sees_in_call(&bob).media;
    assert_eq!(media.troubles.camera, Some(Trouble::Busy));
    assert_eq!(media.troubles.microphone, None);
    let own = bob.sees_call().sources;
    assert!(own.contains(&(Source::Speaker, SourceState::NoDevice)));
    bob.finds_device(Source::Camera, SourceState::Works);
    world.run_for(500);
    let media = alice.sees_in_call(&bob).media;
    assert_eq!(media.troubles, Troubles::default());
}

#[test]
fn a_repair_makes_a_new_key_and_a_new_path_without_a_break() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(3_000);
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let (before, orders) = (one.seals_with(), alice.orders().len());
        one.repairs_call_with(other);
        one.repairs_call_with(other);
        world.run_for(2_500);
        assert_ne!(one.seals_with(), before);
        world.talk_together(&[&alice, &bob]);
        // Alice offers, whoever asked.
        let fresh = &alice.orders()[orders..];
        let restart = |o: &&MediaOrder| matches!(o, MediaOrder::Restart { .. });
        assert_eq!(fresh.iter().filter(restart).count(), 1);
    }
}
