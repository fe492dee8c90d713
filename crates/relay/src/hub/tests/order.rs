//! The order of a room: places, epochs, repeated messages, backlog and cursors.

use super::*;

fn ack(n: u64, seq: Seq) -> RelayFrame {
    RelayFrame::ChatAck {
        id: message(n),
        room: room(),
        seq,
        at: START,
    }
}

#[test]
fn a_message_gets_the_next_place_and_goes_to_everybody_else() {
    let (mut world, alice, bob, carol) = World::of_three();
    let second = world.connect("alice");
    world.open(second, 2);
    world.clear();
    world.chat(alice, chat(10, 2));
    assert_eq!(world.hears(alice), [ack(10, 3)]);
    for conn in [bob, carol, second] {
        match world.hears(conn).as_slice() {
            [RelayFrame::ChatReceive(got)] => {
                assert_eq!(
                    (got.seq, got.from, &got.body),
                    (3, user("alice"), &body(10))
                );
                assert_eq!(got.device, device(alice));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_repeated_message_is_acked_again_and_goes_to_nobody() {
    let (mut world, alice, bob, _) = World::of_three();
    world.chat(alice, chat(10, 2));
    world.clear();
    // Even after the room has moved on.
    world.chat(bob, commit(11, 2, &[], &[]));
    world.clear();
    world.chat(alice, chat(10, 2));
    assert_eq!(world.hears(alice), [ack(10, 3)]);
    assert_eq!(world.hears(bob), []);
    // The same id from another device is another message.
    world.chat(bob, chat(10, 3));
    assert_eq!(world.hears(bob), [ack(10, 5)]);
}

#[test]
fn only_the_current_epoch_is_accepted_and_one_commit_wins_it() {
    let (mut world, alice, bob, _) = World::of_three();
    world.chat(alice, commit(10, 2, &[], &[]));
    assert_eq!(world.hears(alice), [ack(10, 3)]);
    world.clear();
    for send in [
        commit(11, 2, &[], &[]),
        chat(12, 2),
        chat(13, 4),
        chat(14, u64::MAX),
    ] {
        let id = send.id;
        world.chat(bob, send);
        let stale = WireError::stale_epoch(3).for_request(Some(id.into()));
        assert_eq!(world.hears(bob), [RelayFrame::Error(stale)]);
    }
    world.chat(bob, chat(12, 3));
    assert_eq!(world.hears(bob), [ack(12, 4)]);
}

#[test]
fn the_backlog_comes_in_order_with_the_own_messages_in_it() {
    let (mut world, alice, bob, _) = World::of_three();
    for n in 10..15 {
        world.chat(if n % 2 == 0 { alice } else { bob }, chat(n, 2));
    }
    world.disconnect(alice);
    world.restart();
    let alice = world.connect_device("alice", device(alice));
    world.clear();
    world.open(alice, 4);
    let (opened, messages) = world.opened(alice);
    assert_eq!((opened.head, opened.epoch, opened.retained_from), (7, 2, 1));
    assert_eq!(seqs(&messages), [5, 6, 7]);
    assert_eq!(messages[0].body, body(12));
    assert_eq!(messages[0].from, user("alice"));
}

#[test]
fn opening_beyond_the_head_gives_nothing() {
    let (mut world, alice) = World::with_room();
    for since in [1, 50, u64::MAX] {
        world.open(alice, since);
        let (opened, messages) = world.opened(alice);
        assert_eq!((opened.head, messages.len()), (0, 0));
    }
}

#[test]
fn a_room_that_was_not_opened_is_silent() {
    let (mut world, alice, _, _) = World::of_three();
    let second = world.connect("bob");
    world.clear();
    world.chat(alice, chat(10, 2));
    world.send(
        alice,
        ClientFrame::ChatSignal {
            room: room(),
            body: body(1),
        },
    );
    assert_eq!(world.hears(second), []);
}

#[test]
fn a_signal_goes_to_the_others_and_is_not_kept() {
    let (mut world, alice, bob, _) = World::of_three();
    world.send(
        alice,
        ClientFrame::ChatSignal {
            room: room(),
            body: body(1),
        },
    );
    assert_eq!(world.hears(alice), []);
    let signal = RelayFrame::ChatSignal {
        room: room(),
        from: user("alice"),
        body: body(1),
    };
    assert_eq!(world.hears(bob), [signal]);
    let late = world.connect("bob");
    world.clear();
    world.open(late, 2);
    assert_eq!(world.opened(late).1.len(), 0);
}

#[test]
fn a_cursor_only_moves_forward_and_never_past_the_head() {
    let (mut world, alice, bob, _) = World::of_three();
    let delivered = |up_to| {
        [RelayFrame::ChatDelivered {
            room: room(),
            user: user("bob"),
            device: device(bob),
            up_to,
        }]
    };
    world.received(bob, 1);
    assert_eq!(world.hears(alice), delivered(1));
    world.received(bob, 1);
    world.received(bob, 0);
    assert_eq!(world.hears(alice), []);
    world.received(bob, u64::MAX);
    assert_eq!(world.hears(alice), delivered(2));
    assert_eq!(world.hears(bob), []);
    world.open(alice, 2);
    let (opened, _) = world.opened(alice);
    let of_bob = opened
        .members
        .iter()
        .find(|member| member.user == user("bob"))
        .unwrap();
    assert_eq!(of_bob.up_to, 2);
}

#[test]
fn a_member_is_as_far_as_the_slowest_device() {
    let (mut world, alice, bob, _) = World::of_three();
    let second = world.connect("bob");
    world.open(second, 1);
    world.received(bob, 2);
    world.received(alice, 2);
    world.clear();
    world.open(alice, 2);
    let (opened, _) = world.opened(alice);
    let up_to = |name| {
        opened
            .members
            .iter()
            .find(|m| m.user == user(name))
            .unwrap()
            .up_to
    };
    assert_eq!((up_to("bob"), up_to("alice")), (1, 2));
}

#[test]
fn too_large_a_message_is_refused_and_a_commit_of_that_size_is_not() {
    let (mut world, alice) = World::with_room();
    let big = Bytes(vec![0; 100_000]);
    world.chat(
        alice,
        ChatSend {
            body: big.clone(),
            ..chat(1, 0)
        },
    );
    assert_eq!(world.error(alice), ErrorCode::TooLarge);
    world.chat(
        alice,
        ChatSend {
            body: big,
            ..commit(1, 0, &[], &[])
        },
    );
    assert_eq!(world.hears(alice), [ack(1, 1)]);
}

#[test]
fn a_full_backlog_loses_its_oldest() {
    let mut world = World::with(HubConfig {
        room_bytes: 3 * 138,
        ..HubConfig::default()
    });
    let alice = world.connect("alice");
    world.create(alice);
    for n in 0..5 {
        world.chat(alice, chat(n, 0));
    }
    world.clear();
    world.open(alice, 0);
    let (opened, messages) = world.opened(alice);
    assert_eq!(opened.retained_from, 3);
    assert_eq!(seqs(&messages), [3, 4, 5]);
}
