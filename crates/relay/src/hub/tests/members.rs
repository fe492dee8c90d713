//! Who is in a room: knocks, joining, leaving, presence, and the end of a room.

use super::*;

fn knock(world: &mut World, conn: ConnId, n: u64) {
    world.send(
        conn,
        ClientFrame::RoomKnock {
            room: room(),
            id: message(n),
            body: body(n as u8),
        },
    );
}

fn knocked(who: &str, n: u64) -> RelayFrame {
    RelayFrame::RoomKnocked {
        room: room(),
        knock: message(n),
        from: user(who),
        body: body(n as u8),
    }
}

#[test]
fn someone_knocks_is_added_and_reads_from_there_on() {
    let (mut world, alice) = World::with_room();
    world.chat(alice, chat(1, 0));
    let bob = world.connect("bob");
    world.clear();
    knock(&mut world, bob, 50);
    assert_eq!(world.hears(alice), [knocked("bob", 50)]);
    // Asked again at each opening, until answered.
    world.restart();
    let alice = world.connect_device("alice", device(alice));
    let bob = world.connect_device("bob", device(bob));
    world.open(alice, 1);
    assert_eq!(world.hears(alice).last(), Some(&knocked("bob", 50)));

    world.clear();
    world.chat(alice, commit(2, 0, &["bob"], &[]));
    let heard = world.hears(alice);
    assert_eq!(
        heard[1..],
        [
            presence("bob", PresenceAction::Joined, 2),
            presence("bob", PresenceAction::Online, 2)
        ]
    );
    world.open(alice, 2);
    assert_eq!(world.hears(alice).len(), 1, "the knock is answered");

    world.open(bob, 0);
    let (opened, messages) = world.opened(bob);
    assert_eq!(
        (opened.count, opened.host, opened.retained_from),
        (2, user("alice"), 2)
    );
    assert_eq!(seqs(&messages), [2], "nothing from before the joining");
}

#[test]
fn a_newer_knock_takes_the_place_of_the_older() {
    let (mut world, alice) = World::with_room();
    let bob = world.connect("bob");
    world.clear();
    knock(&mut world, bob, 50);
    knock(&mut world, bob, 50);
    knock(&mut world, bob, 51);
    assert_eq!(world.hears(alice), [knocked("bob", 50), knocked("bob", 51)]);
    world.open(alice, 0);
    assert_eq!(world.hears(alice)[1..], [knocked("bob", 51)]);
}

#[test]
fn a_denied_knock_is_told_to_both_sides_even_later() {
    let (mut world, alice, bob, _) = World::of_three();
    let dave = world.connect("dave");
    world.clear();
    knock(&mut world, dave, 50);
    world.clear();
    let denied = RelayFrame::RoomDenied {
        room: room(),
        knock: message(50),
    };
    let deny = ClientFrame::RoomDeny {
        room: room(),
        knock: message(50),
    };
    world.send(bob, deny.clone());
    for conn in [alice, bob, dave] {
        assert_eq!(world.hears(conn), std::slice::from_ref(&denied));
    }
    world.send(bob, deny.clone());
    assert_eq!(world.error(bob), ErrorCode::NotFound);

    knock(&mut world, dave, 50);
    world.disconnect(dave);
    world.send(alice, deny);
    let dave = world.connect("dave");
    assert!(world.hears(dave).contains(&denied));
    let dave = world.connect("dave");
    assert!(!world.hears(dave).contains(&denied), "told once");
}

#[test]
fn who_knocked_may_give_up_and_nobody_elses_knock() {
    let (mut world, alice) = World::with_room();
    let (dave, eve) = (world.connect("dave"), world.connect("eve"));
    knock(&mut world, dave, 50);
    world.clear();
    let give_up = ClientFrame::RoomDeny {
        room: room(),
        knock: message(50),
    };
    world.send(eve, give_up.clone());
    assert_eq!(world.error(eve), ErrorCode::NotAMember);
    world.send(dave, give_up.clone());
    let denied = RelayFrame::RoomDenied {
        room: room(),
        knock: message(50),
    };
    assert_eq!(world.hears(dave), std::slice::from_ref(&denied));
    assert_eq!(world.hears(alice), [denied]);
    world.open(alice, 0);
    assert_eq!(world.hears(alice).len(), 1, "nobody knocks any more");
    world.send(dave, give_up);
    assert_eq!(world.error(dave), ErrorCode::NotAMember);
}

#[test]
fn knocking_has_its_limits() {
    let config = HubConfig {
        knocks_per_room: 2,
        ..HubConfig::default()
    };
    let burst = config.knock_rate.burst;
    let mut world = World::with(config);
    let alice = world.connect("alice");
    world.create(alice);
    for (n, name) in ["bob", "carol"].into_iter().enumerate() {
        let conn = world.connect(name);
        world.clear();
        knock(&mut world, conn, n as u64);
        assert_eq!(world.hears(conn), []);
    }
    let dave = world.connect("dave");
    world.clear();
    knock(&mut world, dave, 9);
    assert_eq!(world.error(dave), ErrorCode::RateLimited);
    let nowhere = |n| ClientFrame::RoomKnock {
        room: RoomId([0; 16]),
        id: message(n),
        body: body(1),
    };
    world.send(dave, nowhere(1));
    assert_eq!(world.error(dave), ErrorCode::UnknownRoom);
    let bob = world.connect("bob");
    for n in 0..u64::from(burst) {
        knock(&mut world, bob, 100 + n);
    }
    world.clear();
    knock(&mut world, bob, 999);
    assert_eq!(world.error(bob), ErrorCode::RateLimited);
}

#[test]
fn a_removed_member_gets_the_removal_and_nothing_after_it() {
    let (mut world, alice, bob, carol) = World::of_three();
    world.chat(alice, commit(10, 2, &[], &["bob"]));
    match world.hears(bob).as_slice() {
        [RelayFrame::ChatReceive(got)] => assert_eq!(got.seq, 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        world.hears(carol)[1],
        presence("bob", PresenceAction::Left, 2)
    );
    world.clear();
    world.chat(alice, chat(11, 3));
    world.send(
        alice,
        ClientFrame::ChatSignal {
            room: room(),
            body: body(1),
        },
    );
    world.disconnect(carol);
    assert_eq!(world.hears(bob), []);
    world.chat(bob, chat(12, 3));
    assert_eq!(world.error(bob), ErrorCode::NotAMember);
    world.send(
        bob,
        ClientFrame::ChatSignal {
            room: room(),
            body: body(1),
        },
    );
    assert_eq!(world.error(bob), ErrorCode::NotAMember);
}

#[test]
fn a_removed_member_who_was_away_can_still_read_up_to_the_removal() {
    let (mut world, alice, bob, _) = World::of_three();
    world.disconnect(bob);
    world.chat(alice, chat(10, 2));
    world.chat(alice, commit(11, 2, &[], &["bob"]));
    world.chat(alice, chat(12, 3));
    let bob = world.connect_device("bob", device(bob));
    world.clear();
    world.open(bob, 2);
    let (opened, messages) = world.opened(bob);
    assert_eq!((opened.head, opened.epoch, opened.count), (4, 3, 0));
    assert_eq!(opened.members, []);
    assert_eq!(seqs(&messages), [3, 4]);
    world.received(bob, 4);
    world.open(bob, 4);
    assert_eq!(world.error(bob), ErrorCode::NotAMember);
}

#[test]
fn someone_added_again_reads_from_the_new_joining() {
    let (mut world, alice, bob, _) = World::of_three();
    world.chat(alice, commit(10, 2, &[], &["bob"]));
    world.chat(alice, chat(11, 3));
    world.chat(alice, commit(12, 3, &["bob"], &[]));
    world.clear();
    world.open(bob, 2);
    let (opened, messages) = world.opened(bob);
    assert_eq!((opened.count, seqs(&messages)), (3, vec![5]));
}

#[test]
fn readding_a_member_in_one_commit_leaves_the_roster_as_it_was() {
    let (mut world, alice, bob, _) = World::of_three();
    knock(&mut world, bob, 50);
    world.clear();
    world.chat(alice, commit(10, 2, &["bob"], &["bob"]));
    match world.hears(bob).as_slice() {
        [RelayFrame::ChatReceive(_)] => {}
        other => panic!("{other:?}"),
    }
    world.clear();
    world.open(alice, 3);
    assert_eq!(world.opened(alice).0.count, 3);
}

#[test]
fn a_room_can_be_full() {
    let mut world = World::with(HubConfig {
        members: 2,
        ..HubConfig::default()
    });
    let alice = world.connect("alice");
    world.create(alice);
    world.clear();
    world.chat(alice, commit(1, 0, &["bob", "carol"], &[]));
    assert_eq!(world.error(alice), ErrorCode::RoomFull);
    world.chat(alice, commit(1, 0, &["bob"], &[]));
    world.clear();
    world.chat(alice, commit(2, 1, &["carol"], &["bob"]));
    assert!(matches!(
        world.hears(alice)[0],
        RelayFrame::ChatAck { seq: 2, .. }
    ));
}

#[test]
fn when_the_host_leaves_the_longest_standing_member_is_host() {
    let (mut world, alice, bob, carol) = World::of_three();
    world.send(alice, ClientFrame::RoomLeave { room: room() });
    assert_eq!(world.hears(alice), [RelayFrame::RoomLeft { room: room() }]);
    let left = presence("alice", PresenceAction::Left, 2);
    let updated = RelayFrame::HostUpdated {
        room: room(),
        host: user("bob"),
    };
    assert_eq!(world.hears(bob), [left.clone(), updated.clone()]);
    assert_eq!(world.hears(carol), [left, updated]);
    world.chat(carol, commit(10, 2, &[], &["alice"]));
    assert!(
        matches!(world.hears(carol)[0], RelayFrame::ChatAck { .. }),
        "tidying up is fine"
    );
    world.open(alice, 0);
    assert_eq!(world.error(alice), ErrorCode::NotAMember);
}

#[test]
fn presence_follows_the_last_connection() {
    let (mut world, alice, bob, _) = World::of_three();
    let second = world.connect("bob");
    assert_eq!(world.hears(alice), []);
    world.send(
        second,
        ClientFrame::PresenceSet {
            state: Presence::Away,
        },
    );
    world.disconnect(bob);
    assert_eq!(
        world.hears(alice),
        [presence("bob", PresenceAction::Away, 3)]
    );
    world.disconnect(second);
    assert_eq!(
        world.hears(alice),
        [presence("bob", PresenceAction::Offline, 3)]
    );
    world.connect("bob");
    assert_eq!(
        world.hears(alice),
        [presence("bob", PresenceAction::Online, 3)]
    );
}

#[test]
fn a_deleted_room_detaches_everybody() {
    let (mut world, alice, bob, carol) = World::of_three();
    let unopened = world.connect("carol");
    world.clear();
    world.send(alice, ClientFrame::RoomDelete { room: room() });
    for conn in [alice, bob, carol, unopened] {
        assert_eq!(
            world.hears(conn),
            [RelayFrame::RoomDeleted { room: room() }]
        );
    }
    world.chat(bob, chat(10, 2));
    assert_eq!(world.error(bob), ErrorCode::UnknownRoom);
}

#[test]
fn the_operator_can_delete_a_room_and_a_guest_can_not() {
    let (mut world, _, bob, _) = World::of_three();
    let by = Deleter::User(user("bob"));
    let refused = world
        .relay
        .hub
        .plan(START, Event::DeleteRoom { by, room: room() });
    assert_eq!(refused.outcome.unwrap_err().code, ErrorCode::NotHost);
    assert!(refused.changes.is_empty());
    world.event(Event::DeleteRoom {
        by: Deleter::Operator,
        room: room(),
    });
    assert_eq!(world.hears(bob), [RelayFrame::RoomDeleted { room: room() }]);
}
