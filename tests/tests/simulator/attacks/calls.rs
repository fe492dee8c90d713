//! Attacks 7 to 10 on calls, by a relay that lies and a network that answers
//! handshakes itself. What two ends do with forged signals is tested where
//! signals are made, in the client.

use super::tools::whys;
use crate::simulator::rooms::{of_three, of_two};
use sotto_client::{
    Why,
    call::{
        media::{MediaOrder, PeerFailure},
        view::Connection,
    },
};
use sotto_tests::world::{Actor, World};
use sotto_wire::{
    Bytes, CallId, DeviceId, RelayFrame, RoomId,
    frame::{CallKind, CallParticipant},
};

/// Alice and Bob talk; Carol sits by.
fn talking() -> (World, Actor, Actor, Actor) {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_500);
    world.talk_together(&[&alice, &bob]);
    (world, alice, bob, carol)
}

/// All signals that somebody heard.
fn signals(world: &World, to: &Actor) -> Vec<RelayFrame> {
    let signal = |frame: &RelayFrame| matches!(frame, RelayFrame::CallSignal { .. });
    world.heard_by(to).into_iter().filter(signal).collect()
}

fn other_than(frame: &RelayFrame, change: impl FnOnce(&mut Signal)) -> RelayFrame {
    let RelayFrame::CallSignal {
        room,
        call,
        from,
        device,
        body,
    } = frame.clone()
    else {
        panic!("{frame:?}");
    };
    let mut signal = Signal {
        room,
        call,
        from: CallParticipant { user: from, device },
        body,
    };
    change(&mut signal);
    RelayFrame::CallSignal {
        room: signal.room,
        call: signal.call,
        from: signal.from.user,
        device: signal.from.device,
        body: signal.body,
    }
}

struct Signal {
    room: RoomId,
    call: CallId,
    from: CallParticipant,
    body: Bytes,
}

#[test]
fn attack_07_no_signal_counts_twice() {
    let (world, alice, bob, _) = talking();
    for to in [&alice, &bob] {
        let before = to.orders().len();
        let heard = signals(&world, to);
        assert!(heard.len() > 5, "{} signals", heard.len());
        for frame in heard {
            let why = whys(&world.relay_says(to, frame));
            assert_eq!(why, [Why::CallReplay]);
        }
        assert_eq!(to.orders().len(), before, "media was told something");
    }
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn attack_07_no_signal_counts_for_another_person_room_call_or_sender() {
    let (world, alice, bob, carol) = talking();
    carol.joins_call();
    world.run_for(2_000);
    let second = alice.creates("Second");
    world.run_for(1_000);
    let ends = [&alice, &bob, &carol].map(|p| CallParticipant {
        user: p.user(),
        device: p.device(),
    });
    let before = [&alice, &bob, &carol].map(|p| p.orders().len());
    for frame in signals(&world, &bob) {
        let RelayFrame::CallSignal { from: author, .. } = &frame else {
            continue;
        };
        // To Carol, as it is.
        let why = whys(&world.relay_says(&carol, frame.clone()));
        let expected = match *author == carol.user() {
            true => Why::CallUnknown, // she does not call herself
            false => Why::CallForged,
        };
        assert_eq!(why, [expected]);
        // To Bob, in somebody else's name.
        for end in ends {
            if end.user == *author || end.user == bob.user() {
                continue;
            }
            let lie = other_than(&frame, |signal| signal.from = end);
            assert_eq!(whys(&world.relay_says(&bob, lie)), [Why::CallForged]);
        }
        // Another device of the same person.
        let lie = other_than(&frame, |signal| signal.from.device = DeviceId([9; 16]));
        assert_eq!(whys(&world.relay_says(&bob, lie)), [Why::CallUnknown]);
        // Another call, another room.
        let lie = other_than(&frame, |signal| signal.call = CallId([9; 16]));
        assert_eq!(whys(&world.relay_says(&bob, lie)), [Why::CallUnknown]);
        let lie = other_than(&frame, |signal| signal.room = second);
        assert_eq!(whys(&world.relay_says(&bob, lie)), [Why::UnknownRoom]);
        // Damaged.
        let lie = other_than(&frame, |signal| signal.body.0[20] ^= 1);
        assert_eq!(whys(&world.relay_says(&bob, lie)), [Why::CallForged]);
    }
    let after = [&alice, &bob, &carol].map(|p| p.orders().len());
    assert_eq!(before, after, "media was told something");
}

#[test]
fn attack_07_signals_of_a_former_call_are_nothing_in_the_next() {
    let (world, alice, bob, _) = talking();
    let old = signals(&world, &bob);
    let former = alice.sees_call().call;
    bob.hangs_up();
    alice.hangs_up();
    world.run_for(1_000);
    for frame in &old {
        assert_eq!(
            whys(&world.relay_says(&bob, frame.clone())),
            [Why::CallUnknown]
        );
    }
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_500);
    let call = alice.sees_call().call;
    assert_ne!(call, former);
    let before = bob.orders().len();
    for frame in &old {
        let lie = other_than(frame, |signal| signal.call = call);
        assert_eq!(whys(&world.relay_says(&bob, lie)), [Why::CallForged]);
    }
    assert_eq!(bob.orders().len(), before);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn attack_07_who_joins_again_hears_nothing_of_their_former_part() {
    let (world, alice, bob, _) = talking();
    let old = signals(&world, &bob);
    bob.hangs_up();
    bob.joins_call_of(&alice);
    world.run_for(2_000);
    world.talk_together(&[&alice, &bob]);
    for frame in old {
        let why = whys(&world.relay_says(&bob, frame));
        assert_eq!(why, [Why::CallForged]);
    }
}

#[test]
fn attack_08_a_man_in_the_middle_is_noticed_by_whoever_he_fools() {
    for fools_caller in [true, false] {
        let (world, alice, bob) = of_two();
        let fooled = if fools_caller { &alice } else { &bob };
        fooled.is_intercepted();
        alice.starts_call();
        world.run_for(500);
        bob.joins_call();
        world.run_for(2_000);
        let other = if fools_caller { &bob } else { &alice };
        let seen = fooled.sees_in_call(other);
        assert_eq!(
            seen.connection,
            Connection::Failed(PeerFailure::Certificate)
        );
        assert!(!seen.confirmed);
        assert!(!other.sees_in_call(fooled).confirmed);
        assert!(fooled.rejected().contains(&Why::CallCertificate));
        assert!(!alice.hears(&bob) && !bob.hears(&alice));
    }
}

#[test]
fn attack_10_a_relay_can_neither_ring_nor_open_a_microphone() {
    let (world, alice, bob) = of_two();
    let (room, call) = (bob.room(), CallId([7; 16]));
    let end = |p: &Actor| CallParticipant {
        user: p.user(),
        device: p.device(),
    };
    let initiate = |body: Bytes| RelayFrame::CallInitiate {
        room,
        call,
        kind: CallKind::Video,
        from: alice.user(),
        device: alice.device(),
        body,
    };
    for body in [Bytes::default(), vec![7; 200].into()] {
        let why = whys(&world.relay_says(&bob, initiate(body)));
        assert_eq!(why, [Why::BadSignal]);
    }
    let participants = vec![end(&alice), end(&bob)];
    let frame = RelayFrame::CallUpdated {
        room,
        call,
        participants,
    };
    world.relay_says(&bob, frame);
    let frame = RelayFrame::CallSignal {
        room,
        call,
        from: alice.user(),
        device: alice.device(),
        body: vec![7; 300].into(),
    };
    assert_eq!(whys(&world.relay_says(&bob, frame)), [Why::CallUnknown]);
    world.run_for(1_000);
    bob.sees_no_call();
    assert!(!bob.is_rung());
    assert_eq!(bob.captures(), 0);
    assert!(bob.orders().is_empty());
}

#[test]
fn attack_10_a_true_ring_opens_nothing_either_and_cannot_be_moved() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    assert!(bob.is_rung());
    let rung = world
        .heard_by(&bob)
        .into_iter()
        .find_map(|frame| match frame {
            RelayFrame::CallInitiate { body, call, .. } => Some((body, call)),
            _ => None,
        });
    let (body, call) = rung.expect("the relay handed it on");
    for (from, call) in [(&alice, CallId([8; 16])), (&carol, call)] {
        let frame = RelayFrame::CallInitiate {
            room: bob.room(),
            call,
            kind: CallKind::Audio,
            from: from.user(),
            device: from.device(),
            body: body.clone(),
        };
        assert_eq!(whys(&world.relay_says(&bob, frame)), [Why::BadSignal]);
    }
    world.settle();
    assert_eq!(bob.captures(), 0);
    assert!(bob.orders().is_empty());
}

#[test]
fn a_relay_can_make_people_look_gone_and_no_more() {
    let (world, alice, bob, _) = talking();
    let (room, call) = (alice.room(), alice.sees_call().call);
    let frame = RelayFrame::CallUpdated {
        room,
        call,
        participants: vec![],
    };
    for one in [&alice, &bob] {
        world.relay_says(one, frame.clone());
    }
    world.run_for(300_000);
    world.talk_together(&[&alice, &bob]);
    let disconnects = |o: &MediaOrder| matches!(o, MediaOrder::Disconnect { .. });
    assert!(!alice.orders().iter().any(disconnects));
}
