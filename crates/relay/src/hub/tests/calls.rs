//! Calls: who hears of them, who may signal whom, and how they end.

use super::*;
use sotto_wire::{
    CallId,
    frame::{CallKind, CallParticipant},
};

const CALL: CallId = CallId([6; 16]);

fn initiate() -> ClientFrame {
    ClientFrame::CallInitiate {
        room: room(),
        call: CALL,
        kind: CallKind::Video,
        body: body(1),
    }
}

fn join() -> ClientFrame {
    ClientFrame::CallJoin {
        room: room(),
        call: CALL,
    }
}

fn leave() -> ClientFrame {
    ClientFrame::CallLeave {
        room: room(),
        call: CALL,
    }
}

fn end(name: &str, conn: ConnId) -> CallParticipant {
    CallParticipant {
        user: user(name),
        device: device(conn),
    }
}

fn signal(to: CallParticipant) -> ClientFrame {
    ClientFrame::CallSignal {
        room: room(),
        call: CALL,
        to,
        body: body(2),
    }
}

fn updated(participants: &[CallParticipant]) -> RelayFrame {
    let mut participants = participants.to_vec();
    participants.sort();
    RelayFrame::CallUpdated {
        room: room(),
        call: CALL,
        participants,
    }
}

#[test]
fn a_call_rings_at_the_members_and_one_joins() {
    let (mut world, alice, bob, carol) = World::of_three();
    world.send(alice, initiate());
    let alone = updated(&[end("alice", alice)]);
    assert_eq!(world.hears(alice), std::slice::from_ref(&alone));
    let rings = RelayFrame::CallInitiate {
        room: room(),
        call: CALL,
        kind: CallKind::Video,
        from: user("alice"),
        device: device(alice),
        body: body(1),
    };
    assert_eq!(world.hears(bob), [alone, rings]);
    world.clear();
    world.send(bob, join());
    let both = updated(&[end("alice", alice), end("bob", bob)]);
    for conn in [alice, bob, carol] {
        assert_eq!(world.hears(conn), std::slice::from_ref(&both));
    }
}

#[test]
fn signals_go_only_between_participants() {
    let (mut world, alice, bob, carol) = World::of_three();
    world.send(alice, initiate());
    world.send(bob, join());
    world.clear();
    world.send(alice, signal(end("bob", bob)));
    let handed = RelayFrame::CallSignal {
        room: room(),
        call: CALL,
        from: user("alice"),
        device: device(alice),
        body: body(2),
    };
    assert_eq!(world.hears(bob), [handed]);
    assert_eq!((world.hears(alice), world.hears(carol)), (vec![], vec![]));

    world.send(alice, signal(end("carol", carol)));
    assert_eq!(world.error(alice), ErrorCode::RecipientOffline);
    world.send(carol, signal(end("bob", bob)));
    assert_eq!(world.error(carol), ErrorCode::NotFound);
    // A member who borrows another's device id gets nothing of theirs.
    let thief = world.connect_device("carol", device(bob));
    world.open(thief, 0);
    world.send(thief, join());
    world.clear();
    world.send(alice, signal(end("bob", bob)));
    assert_eq!((world.hears(bob).len(), world.hears(thief).len()), (1, 0));
}

#[test]
fn strangers_neither_ring_nor_join() {
    let (mut world, alice, ..) = World::of_three();
    world.send(alice, initiate());
    let mallory = world.connect("mallory");
    for frame in [initiate(), join(), leave(), signal(end("alice", alice))] {
        world.clear();
        world.send(mallory, frame);
        assert_eq!(world.error(mallory), ErrorCode::NotAMember);
        assert_eq!(world.hears(alice), []);
    }
}

#[test]
fn the_last_one_who_leaves_ends_it() {
    let (mut world, alice, bob, _) = World::of_three();
    world.send(alice, initiate());
    world.send(bob, join());
    world.send(alice, leave());
    world.clear();
    world.send(bob, leave());
    assert_eq!(world.hears(alice), [updated(&[])]);
    world.clear();
    world.open(alice, 0);
    let calls = |frame: &RelayFrame| matches!(frame, RelayFrame::CallUpdated { .. });
    assert!(!world.hears(alice).iter().any(calls));
}

#[test]
fn a_broken_connection_is_waited_for_and_then_gone() {
    let (mut world, alice, bob, carol) = World::of_three();
    world.send(alice, initiate());
    world.send(bob, join());
    world.disconnect(bob);
    world.clear();
    world.send(alice, signal(end("bob", bob)));
    assert_eq!(world.error(alice), ErrorCode::RecipientOffline);
    world.pass(1_000);
    world.pass(MINUTE / 2);
    assert_eq!(world.hears(carol), []);

    let back = world.connect_device("bob", device(bob));
    world.open(back, 0);
    world.send(back, join());
    world.clear();
    world.pass(2 * MINUTE);
    world.send(alice, signal(end("bob", bob)));
    assert_eq!(world.hears(back).len(), 1);

    world.disconnect(back);
    world.clear();
    world.pass(1_000);
    world.pass(MINUTE);
    assert_eq!(world.hears(carol), [updated(&[end("alice", alice)])]);
}

#[test]
fn whoever_opens_the_room_hears_of_the_call_and_a_restart_forgets_it() {
    let (mut world, alice, _, _) = World::of_three();
    world.send(alice, initiate());
    world.clear();
    let again = world.connect("carol");
    world.clear();
    world.open(again, 2);
    let alone = updated(&[end("alice", alice)]);
    assert_eq!(world.hears(again).last(), Some(&alone));

    world.restart();
    let alice = world.connect_device("alice", device(alice));
    world.open(alice, 2);
    world.clear();
    world.send(alice, join());
    assert_eq!(world.hears(alice), [alone], "joining begins it anew");
}

#[test]
fn who_is_removed_from_the_room_is_out_of_its_calls() {
    let (mut world, alice, bob, _) = World::of_three();
    world.send(alice, initiate());
    world.send(bob, join());
    world.clear();
    world.chat(alice, commit(9, 2, &[], &["bob"]));
    let alone = updated(&[end("alice", alice)]);
    assert!(world.hears(alice).contains(&alone));
    world.clear();
    world.send(alice, signal(end("bob", bob)));
    assert_eq!(world.error(alice), ErrorCode::RecipientOffline);
}

#[test]
fn ringing_without_end_is_slowed_down() {
    let (mut world, alice, bob, _) = World::of_three();
    let mut refused = 0;
    for n in 0..30 {
        let call = CallId([n; 16]);
        let kind = CallKind::Audio;
        let body = body(1);
        let room = room();
        world.send(
            alice,
            ClientFrame::CallInitiate {
                room,
                call,
                kind,
                body,
            },
        );
        world.send(alice, ClientFrame::CallLeave { room, call });
        let limited = |frame: &RelayFrame| match frame {
            RelayFrame::Error(error) => error.code == ErrorCode::RateLimited,
            _ => false,
        };
        refused += world.hears(alice).iter().filter(|f| limited(f)).count();
    }
    assert!(refused >= 15, "{refused} of 30 refused");
    let rings = |frame: &RelayFrame| matches!(frame, RelayFrame::CallInitiate { .. });
    assert!(world.hears(bob).iter().filter(|f| rings(f)).count() <= 15);
}
