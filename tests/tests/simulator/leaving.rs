//! Leaving, being removed, and the end of rooms.

use super::rooms::{all_agree, of_three, of_two};
use sotto_client::{
    Request, RequestError,
    model::{Delivery, Standing, SystemLine},
};
use sotto_relay::hub::{Deleter, Event};
use sotto_tests::world::home;

#[test]
fn a_member_leaves_and_the_others_see_it() {
    let (world, alice, bob, carol) = of_three();
    carol.says("bye");
    carol.leaves();
    assert_eq!(carol.standing(), Standing::Left);
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
    let left = |line: &SystemLine| matches!(line, SystemLine::Left { who } if who.name == "Carol");
    assert_eq!(bob.lines().iter().filter(|line| left(line)).count(), 1);
    let removed = |line: &SystemLine| matches!(line, SystemLine::Removed { .. });
    assert!(!bob.lines().iter().any(removed), "nobody was removed");
    alice.says("she is gone");
    world.settle();
    carol.never_reads("she is gone");
    assert_eq!(relay_members(&world, &alice), 2);
    let asked = carol.asks(Request::Typing {
        room: carol.room(),
        on: true,
    });
    assert!(asked.is_ok(), "a late key press is no error");
}

#[test]
fn who_leaves_offline_is_gone_once_they_come_back() {
    let (world, alice, bob) = of_two();
    bob.goes_offline();
    world.settle();
    bob.leaves();
    assert_eq!(bob.standing(), Standing::Left);
    alice.renames_room("While you were away");
    world.settle();
    bob.restarts();
    bob.comes_back();
    world.settle();
    assert_eq!(alice.member_names(), ["Alice"]);
    assert_eq!(bob.standing(), Standing::Left);
    assert_eq!(relay_members(&world, &alice), 1);
}

#[test]
fn when_the_host_leaves_the_lowest_leaf_is_host_for_all() {
    let (world, alice, bob, carol) = of_three();
    alice.leaves();
    world.settle();
    all_agree(&[&bob, &carol]);
    bob.sees_host(&bob);
    carol.sees_host(&bob);
    bob.renames_room("Bob's");
    world.settle();
    assert_eq!(carol.view().name, "Bob's");
    let refused = carol.asks(Request::Remove {
        room: carol.room(),
        user: bob.user(),
    });
    assert_eq!(refused, Err(RequestError::NotHost));
    bob.removes(&carol);
    world.settle();
    assert_eq!(carol.standing(), Standing::Removed { by: bob.user() });
}

#[test]
fn a_host_whose_leaf_was_filled_again_is_still_the_relays_host() {
    let (world, alice, bob, carol) = of_three();
    bob.leaves();
    world.settle();
    // Dave gets bob's leaf, below carol's, who is here longer.
    let dave = world.person("dave");
    dave.joins(&alice.invites());
    world.settle();
    alice.leaves();
    world.settle();
    all_agree(&[&carol, &dave]);
    carol.sees_host(&dave);
    dave.removes(&carol);
    world.settle();
    assert_eq!(carol.standing(), Standing::Removed { by: dave.user() });
    dave.deletes_room();
    world.settle();
    assert_eq!(relay_rooms(&world), 0);
}

#[test]
fn the_host_hands_over() {
    let (world, alice, bob, carol) = of_three();
    alice.makes_host(&bob);
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    for person in [&alice, &bob, &carol] {
        person.sees_host(&bob);
    }
    let refused = alice.asks(Request::Remove {
        room: alice.room(),
        user: bob.user(),
    });
    assert_eq!(refused, Err(RequestError::NotHost));
    // The relay obeys the new host as well.
    bob.removes(&alice);
    world.settle();
    assert_eq!(alice.standing(), Standing::Removed { by: bob.user() });
    bob.deletes_room();
    world.settle();
    assert_eq!(
        carol.standing(),
        Standing::Deleted {
            by: Some(bob.user())
        }
    );
    assert_eq!(relay_rooms(&world), 0);
}

#[test]
fn who_was_removed_reads_nothing_after() {
    let (world, alice, bob, carol) = of_three();
    alice.removes(&carol);
    bob.says("at the same moment");
    let late = carol.says("too late");
    alice.says("after");
    world.settle();
    alice.says("in peace");
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(carol.standing(), Standing::Removed { by: alice.user() });
    carol.never_reads("after");
    carol.never_reads("in peace");
    assert_eq!(carol.delivery(late), Some(Delivery::Failed));
    alice.never_reads("too late");
    bob.never_reads("too late");
    let line = |line: &SystemLine| {
        matches!(line, SystemLine::Removed { who, by }
            if who.name == "Carol" && by.name == "Alice")
    };
    assert!(bob.lines().iter().any(line));
    assert!(carol.lines().iter().any(line));
}

#[test]
fn who_was_removed_while_away_learns_it_later() {
    let (world, alice, bob, carol) = of_three();
    carol.goes_offline();
    world.settle();
    alice.says("before");
    world.settle();
    alice.removes(&carol);
    world.settle();
    bob.says("after");
    world.settle();
    world.sleep(10 * 60 * 1000);
    world.tick();
    carol.comes_back();
    world.settle();
    assert_eq!(carol.standing(), Standing::Removed { by: alice.user() });
    carol.reads_only(&["before"]);
}

#[test]
fn after_a_removal_old_links_are_closed_and_coming_back_needs_the_hosts_yes() {
    let (world, alice, bob, carol) = of_three();
    let old = alice.invites();
    world.settle();
    alice.removes(&carol);
    world.settle();
    assert_eq!(alice.invitations(), []);
    carol.joins(&old);
    world.settle();
    assert!(!carol.is_member());
    carol.joins(&bob.invites());
    world.settle();
    assert_eq!(
        carol.standing(),
        Standing::Knocking,
        "at once is not for her"
    );
    let knock = bob.knocks()[0].id;
    let refused = bob.asks(Request::AnswerKnock {
        room: bob.room(),
        knock,
        admit: true,
    });
    assert_eq!(refused, Err(RequestError::NotHost));
    alice.lets_in(&carol);
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    alice.says("welcome back");
    world.settle();
    carol.reads("welcome back");
}

#[test]
fn the_host_deletes_the_room_for_all() {
    let (world, alice, bob, carol) = of_three();
    carol.goes_offline();
    world.settle();
    bob.says("last words");
    world.settle();
    alice.deletes_room();
    world.settle();
    let by_alice = Standing::Deleted {
        by: Some(alice.user()),
    };
    assert_eq!(alice.standing(), by_alice);
    assert_eq!(bob.standing(), by_alice);
    bob.reads("last words");
    assert_eq!(relay_rooms(&world), 0);
    carol.comes_back();
    world.settle();
    assert!(matches!(
        carol.standing(),
        Standing::Deleted { .. } | Standing::Lost
    ));
    let refused = bob.asks(Request::Delete(bob.room()));
    assert_eq!(refused, Err(RequestError::RoomOver));
}

#[test]
fn a_guest_cannot_delete_the_room() {
    let (world, alice, bob) = of_two();
    assert_eq!(
        bob.asks(Request::Delete(bob.room())),
        Err(RequestError::NotHost)
    );
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn a_room_that_the_relay_deletes_was_not_deleted_by_anybody() {
    let (world, alice, bob) = of_two();
    alice.says("history");
    world.settle();
    let room = alice.room();
    world.scene().tell_hub(
        &home(),
        Event::DeleteRoom {
            by: Deleter::Operator,
            room,
        },
    );
    world.settle();
    for person in [&alice, &bob] {
        assert_eq!(person.standing(), Standing::Deleted { by: None });
        person.reads("history");
        let said = person.lines();
        assert!(said.contains(&SystemLine::Deleted { by: None }), "{said:?}");
    }
}

#[test]
fn a_forgotten_room_leaves_nothing_behind() {
    let (world, alice, bob) = of_two();
    let room = bob.room();
    alice.says("secret");
    world.settle();
    assert_eq!(bob.asks(Request::Forget(room)), Err(RequestError::Busy));
    bob.leaves();
    world.settle();
    bob.forgets_room();
    assert!(!bob.has_room());
    bob.restarts();
    world.settle();
    assert!(!bob.has_room());
    assert_eq!(bob.records_of(room), 0, "on disk");
}

#[test]
fn the_last_one_leaves_and_the_room_is_gone_a_day_later() {
    let (world, alice, bob) = of_two();
    bob.leaves();
    world.settle();
    alice.leaves();
    world.settle();
    assert_eq!(relay_members(&world, &alice), 0);
    world.sleep(25 * 60 * 60 * 1000);
    world.tick();
    assert_eq!(relay_rooms(&world), 0);
}

#[test]
fn all_leave_at_once() {
    let (world, alice, bob, carol) = of_three();
    for person in [&alice, &bob, &carol] {
        person.leaves();
    }
    world.settle();
    for person in [&alice, &bob, &carol] {
        assert_eq!(person.standing(), Standing::Left);
    }
    assert_eq!(relay_members(&world, &alice), 0);
}

#[test]
fn a_message_on_its_way_when_its_author_leaves_is_known_to_have_arrived() {
    let (world, alice, bob) = of_two();
    let id = alice.says("my last");
    alice.leaves();
    world.settle();
    bob.reads("my last");
    assert_eq!(alice.delivery(id), Some(Delivery::Accepted));
    let id = bob.says("alone");
    bob.leaves();
    world.settle();
    assert_eq!(bob.delivery(id), Some(Delivery::Accepted));
}

#[test]
fn a_goodbye_that_the_relay_did_not_hear_is_said_again() {
    let (world, alice, bob) = of_two();
    // The answer to room.leave never comes.
    world.on_the_way_down(|who, frame| {
        let lost = who == "bob" && matches!(frame, sotto_wire::RelayFrame::RoomLeft { .. });
        if lost { Vec::new() } else { vec![frame] }
    });
    bob.leaves();
    world.settle();
    world.honest_again();
    for _ in 0..2 {
        bob.restarts();
        world.settle();
    }
    let leaves = world
        .sent_by(&bob)
        .into_iter()
        .filter(|frame| matches!(frame, sotto_wire::ClientFrame::RoomLeave { .. }));
    assert_eq!(leaves.count(), 2, "once, and once again");
    assert_eq!(alice.member_names(), ["Alice"]);
}

fn relay_members(world: &sotto_tests::world::World, of: &sotto_tests::world::Actor) -> usize {
    let room = of.room();
    let scene = world.scene();
    let stats = scene.relays[&home()].relay.hub.stats();
    stats
        .rooms
        .into_iter()
        .find(|(id, _)| *id == room)
        .map_or(0, |(_, count)| count)
}

fn relay_rooms(world: &sotto_tests::world::World) -> usize {
    world.scene().relays[&home()].relay.hub.stats().rooms.len()
}

#[test]
fn who_leaves_and_comes_back_at_once_is_here_to_stay() {
    let (world, alice, bob, carol) = of_three();
    let link = alice.invites();
    world.settle();
    for pause in [0, 10, 30, 50, 90, 130, 1_600] {
        bob.leaves();
        world.run_for(pause);
        bob.joins(&link);
        world.settle();
        all_agree(&[&alice, &bob, &carol]);
        assert_eq!(alice.view().member_count, 3, "after {pause} ms");
        bob.says(&format!("back after {pause}"));
        bob.calls_themselves(&format!("Bob {pause}"));
        world.settle();
        alice.reads(&format!("back after {pause}"));
        all_agree(&[&alice, &bob, &carol]);
    }
}

#[test]
fn whoever_leaves_takes_their_links_along() {
    let (world, alice, bob) = of_two();
    let (carol, dave) = (world.carol(), world.person("dave"));
    let (alices, bobs) = (alice.invites(), bob.invites());
    world.settle();
    let open = |who: &sotto_tests::world::Actor| who.invitations().len();
    assert_eq!(open(&alice), 3);
    bob.leaves();
    world.settle();
    assert_eq!(open(&alice), 2, "hers");
    carol.joins(&bobs);
    dave.joins(&alices);
    world.settle();
    assert_eq!(carol.standing(), Standing::Denied, "his is closed");
    super::rooms::all_agree(&[&alice, &dave]);
}

#[test]
fn the_link_of_somebody_who_said_goodbye_is_closed_before_they_are_out() {
    let (world, alice, bob) = of_two();
    let link = bob.invites();
    world.settle();
    let carol = world.carol();
    // Nothing that alice would do about it gets through.
    world.on_the_way_up(|who, frame| match frame {
        sotto_wire::ClientFrame::ChatSend(_) if who == "alice" => Vec::new(),
        frame => vec![frame],
    });
    bob.leaves();
    carol.joins(&link);
    world.settle();
    assert_eq!(carol.standing(), Standing::Denied);
    world.honest_again();
    alice.restarts();
    world.settle();
    assert_eq!(alice.member_names(), ["Alice"]);
    assert_eq!(alice.invitations().len(), 1, "the one that bob came by");
}
