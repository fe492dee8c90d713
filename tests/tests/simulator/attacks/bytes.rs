//! Attack 19: frames, bytes and numbers that no honest relay sends.

use super::tools::{next_place, picture};
use crate::simulator::rooms::{all_agree, of_two};
use proptest::{prelude::*, test_runner::TestRunner};
use sotto_client::{Input, Request, Why};
use sotto_tests::world::{Actor, Dice, World, home};
use sotto_wire::{
    MessageId, RelayFrame, RoomId, UserId,
    codec::{self, Envelope},
    frame::{ChatKind, ChatReceive},
    limits::Limits,
};
use std::cell::Cell;

#[test]
fn attack_19_what_is_no_frame_is_refused_as_that() {
    let (world, alice, _) = of_two();
    let before = picture(&world, &alice);
    let conn = *world
        .scene()
        .machine("alice")
        .wires
        .values()
        .next()
        .expect("she is connected");
    let texts = [
        String::new(),
        "{".into(),
        "null".into(),
        "[".repeat(200_000),
        format!("{{\"type\":\"pong\",\"x\":{}", "[".repeat(200_000)),
        r#"{"type":"nothing"}"#.into(),
        r#"{"type":"room.deleted"}"#.into(),
        r#"{"type":"room.deleted","room":"AAAA"}"#.into(),
        r#"{"type":"room.deleted","room":["AA"]}"#.into(),
        r#"{"type":"notice","kind":"x","body":"\ud800"}"#.into(),
        r#"{"type":"chat.ack","seq":-1}"#.into(),
        "\u{0}".repeat(1_000),
    ];
    for text in texts {
        alice.forgets_rejected();
        world.scene().arrive_at_client(conn, &text);
        let short: String = text.chars().take(60).collect();
        assert_eq!(alice.rejected(), [Why::NotAFrame], "{short:?}");
        assert_eq!(picture(&world, &alice), before, "{short:?}");
    }
}

/// A frame with random bytes in the place of every body, id and name.
fn any_frame(room: RoomId, users: Vec<UserId>) -> impl Strategy<Value = (u8, RelayFrame)> {
    let user = prop_oneof![
        prop::sample::select(users),
        any::<[u8; 32]>().prop_map(UserId),
    ];
    let body = prop::collection::vec(any::<u8>(), 0..600);
    (0..7_u8, user, body, any::<[u8; 16]>(), any::<u64>()).prop_map(
        move |(which, from, body, id, number)| {
            let (id, body) = (MessageId(id), body.into());
            let device = sotto_wire::DeviceId(id.0);
            let kinds = [ChatKind::Application, ChatKind::Commit, ChatKind::Proposal];
            let kind = kinds[number as usize % 3];
            let (seq, at) = (0, number);
            let frame = match which {
                0 => RelayFrame::RoomKnocked {
                    room,
                    knock: id,
                    from,
                    body,
                },
                1 => RelayFrame::ChatSignal { room, from, body },
                2 => RelayFrame::DirectReceive { id, from, body },
                3 => RelayFrame::KeysTaken {
                    user: from,
                    package: body,
                },
                4 => RelayFrame::ChatDelivered {
                    room,
                    user: from,
                    device,
                    up_to: number,
                },
                _ => RelayFrame::ChatReceive(ChatReceive {
                    room,
                    seq,
                    id,
                    from,
                    device,
                    kind,
                    body,
                    at,
                }),
            };
            (which, frame)
        },
    )
}

#[test]
fn attack_19_random_bytes_never_panic_and_never_change_who_is_in() {
    let (world, alice, bob) = of_two();
    let people = alice.member_names();
    let place = Cell::new(next_place(&world, &alice));
    let copy = alice.backup();
    let users = vec![alice.user(), bob.user(), world.carol().user()];
    let mut runner = TestRunner::deterministic();
    let ran = runner.run(&any_frame(alice.room(), users), |(_, frame)| {
        let text = codec::encode(&Envelope::from(frame.clone()));
        prop_assert!(codec::decode::<RelayFrame>(&text).is_ok());
        let frame = match frame {
            RelayFrame::ChatReceive(message) => {
                let seq = place.replace(place.get() + 1);
                RelayFrame::ChatReceive(ChatReceive { seq, ..message })
            }
            frame => frame,
        };
        world.relay_says(&alice, frame);
        prop_assert_eq!(alice.member_names(), people.clone());
        prop_assert!(alice.texts().is_empty());
        prop_assert!(alice.is_member());
        Ok(())
    });
    ran.expect("no bytes do harm");
    alice.restores(&copy);
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_19_hostile_frames_are_an_outcome() {
    let (world, alice, bob) = of_two();
    alice.says("still here");
    world.settle();
    let known: Vec<String> = world
        .heard_by(&bob)
        .into_iter()
        .map(|f| codec::encode(&f.into()))
        .collect();
    let mut dice = Dice::new(19);
    for round in 0..400 {
        let Some(text) = dice.pick(&known).cloned() else {
            continue;
        };
        let mut bytes = text.into_bytes();
        for _ in 0..=dice.number(0, 4) {
            let place = dice.number(0, bytes.len() as u64 - 1) as usize;
            match dice.number(0, 2) {
                0 => bytes[place] ^= 1 << dice.number(0, 7),
                1 => bytes.truncate(place.max(2)),
                _ => bytes.insert(place, dice.number(32, 126) as u8),
            }
        }
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let input = match codec::decode::<RelayFrame>(&text) {
            // The relay may end the room; here it shall not.
            Ok(envelope) if matches!(envelope.frame, RelayFrame::RoomDeleted { .. }) => continue,
            Ok(envelope) => Input::Relay {
                relay: home(),
                envelope,
            },
            Err(error) => Input::Garbled {
                relay: home(),
                error,
            },
        };
        world.scene().take("bob", input);
        if round % 50 == 0 {
            bob.restarts();
        }
    }
    bob.restarts();
    world.settle();
    bob.reads("still here");
    assert!(bob.is_member(), "{:?}", bob.standing());
}

#[test]
fn attack_19_hostile_bytes_in_every_body_are_an_outcome() {
    let (world, alice, bob) = of_two();
    let (room, from, device) = (alice.room(), alice.user(), alice.device());
    let mut dice = Dice::new(20);
    let lengths = [0, 1, 3, 4, 15, 16, 17, 31, 32, 33, 48, 64, 500, 60_000];
    for len in lengths {
        let mut body = vec![0; len];
        body.iter_mut()
            .for_each(|byte| *byte = dice.number(0, 255) as u8);
        let bytes = || body.clone().into();
        let id = MessageId(dice.id());
        world.relay_says(
            &bob,
            RelayFrame::ChatSignal {
                room,
                from,
                body: bytes(),
            },
        );
        world.relay_says(
            &bob,
            RelayFrame::RoomKnocked {
                room,
                knock: id,
                from,
                body: bytes(),
            },
        );
        world.relay_says(
            &bob,
            RelayFrame::DirectReceive {
                id,
                from,
                body: bytes(),
            },
        );
        let mut named = room.as_bytes().to_vec();
        named.extend(&body);
        world.relay_says(
            &bob,
            RelayFrame::DirectReceive {
                id,
                from,
                body: named.into(),
            },
        );
        for kind in [ChatKind::Application, ChatKind::Commit, ChatKind::Proposal] {
            let seq = world.head(room) + 1;
            let copy = bob.backup();
            let frame = ChatReceive {
                room,
                seq,
                id,
                from,
                device,
                kind,
                body: bytes(),
                at: u64::MAX,
            };
            let refused = world.relay_says(&bob, RelayFrame::ChatReceive(frame));
            assert!(!refused.is_empty(), "{kind:?} of {len} bytes");
            bob.restores(&copy);
        }
    }
    world.settle();
    alice.says("unharmed");
    world.settle();
    bob.reads("unharmed");
}

#[test]
fn attack_19_numbers_at_the_end_of_their_range_are_an_outcome() {
    let (world, alice, bob) = of_two();
    let (room, from, device) = (alice.room(), alice.user(), alice.device());
    let copy = bob.backup();
    for n in [
        0,
        1,
        1 << 42,
        1 << 53,
        u64::MAX / 1024,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ] {
        let (id, kind, body) = (MessageId([2; 16]), ChatKind::Application, vec![1].into());
        let message = ChatReceive {
            room,
            seq: n,
            id,
            from,
            device,
            kind,
            body,
            at: n,
        };
        world.relay_says(&bob, RelayFrame::ChatReceive(message));
        world.relay_says(
            &bob,
            RelayFrame::ChatAck {
                id,
                room,
                seq: n,
                at: n,
            },
        );
        world.relay_says(
            &bob,
            RelayFrame::ChatDelivered {
                room,
                user: from,
                device,
                up_to: n,
            },
        );
        opens(&world, &bob, n);
        bob.asks(Request::MarkRead { room, position: n })
            .expect("it is fine");
        let limits = Limits::default();
        world.relay_says(
            &bob,
            RelayFrame::AuthOk {
                user: from,
                device,
                server_time: n,
                limits,
            },
        );
        bob.restores(&copy);
        world.settle();
    }
    alice.says("unharmed");
    world.settle();
    bob.reads("unharmed");
}

/// The relay answers `room.open` with numbers of its choice.
fn opens(world: &World, who: &Actor, n: u64) {
    for (head, retained_from) in [(n, 0), (0, n), (n, n)] {
        let (name, host) = (who.name(), who.user());
        world.on_the_way_down(move |to, frame| match frame {
            RelayFrame::RoomOpened(mut opened) if to == name => {
                (opened.head, opened.retained_from) = (head, retained_from);
                (opened.epoch, opened.host) = (n, host);
                vec![RelayFrame::RoomOpened(opened)]
            }
            frame => vec![frame],
        });
        who.restarts();
        world.settle();
    }
    world.honest_again();
}
