//! Messages replayed, reflected, reordered and carried to other rooms, epochs
//! and connections.

use super::{Sight, with_mallory};
use crate::simulator::rooms::of_two;
use sotto_client::{Why, model::Admission};
use sotto_tests::world::home;
use sotto_wire::{RelayFrame, frame::ChatKind};

#[test]
fn attack_05_every_frame_that_ever_came_changes_nothing_when_it_comes_again() {
    let (world, alice, bob, _mallory) = with_mallory();
    alice.says("one");
    bob.says("two");
    alice.renames_room("Garden");
    world.settle();
    alice.says("three");
    world.settle();
    for restart in [false, true] {
        if restart {
            bob.restarts();
            world.settle();
        }
        let sight = Sight::of(&bob, &[&alice]);
        for frame in world.heard_by(&bob) {
            if matches!(frame, RelayFrame::AuthOk { .. }) {
                continue;
            }
            world.relay_says(&bob, frame);
        }
        world.settle();
        assert_eq!(Sight::of(&bob, &[&alice]), sight, "restarted: {restart}");
        assert_eq!(bob.gaps(), 0);
        alice.says("and on");
        world.settle();
        assert_eq!(bob.texts(), alice.texts());
    }
}

#[test]
fn attack_05_an_old_message_at_a_new_place_is_refused() {
    let (world, alice, bob, _mallory) = with_mallory();
    alice.says("once only");
    world.settle();
    let room = alice.room();
    let mut old = world.log(room).pop().expect("it was said");
    old.seq += 1;
    let refused = world.relay_says(&bob, RelayFrame::ChatReceive(old.clone()));
    assert_eq!(refused[0].why, Why::Forged);
    bob.reads("once only");
    assert_eq!(bob.gaps(), 1, "and it shows");
    // In the next epoch it is worth no more.
    bob.calls_themselves("Bobby");
    world.settle();
}

#[test]
fn attack_05_a_message_of_one_room_says_nothing_in_another() {
    let (world, alice, bob) = of_two();
    let first = alice.room();
    let second = alice.creates_at(home(), "Other", Admission::AtOnce);
    bob.joins(&alice.invites());
    world.settle();
    alice.says("only here");
    world.settle();
    let mut carried = world.log(second).pop().expect("it was said");
    carried.room = first;
    carried.seq = world.head(first) + 1;
    let refused = world.relay_says(&bob, RelayFrame::ChatReceive(carried));
    assert_eq!(refused[0].why, Why::Forged);
    bob.looks_at(first);
    bob.never_reads("only here");
}

#[test]
fn attack_05_an_own_message_that_comes_back_as_anothers_is_refused() {
    let (world, alice, bob, mallory) = with_mallory();
    bob.says("my words");
    world.settle();
    let mut back = world.log(bob.room()).pop().expect("it was said");
    back.seq += 1;
    (back.from, back.device) = (alice.user(), alice.device());
    let refused = world.relay_says(&bob, RelayFrame::ChatReceive(back.clone()));
    assert_eq!(refused[0].why, Why::Forged);
    // To somebody else, as if it were mallory's.
    let mut forged = world.log(bob.room()).pop().expect("it was said");
    forged.seq = world.head(bob.room()) + 1;
    (forged.from, forged.device) = (mallory.user(), mallory.device());
    let refused = world.relay_says(&alice, RelayFrame::ChatReceive(forged));
    assert!(matches!(refused[0].why, Why::Forged | Why::WrongSender));
    bob.reads("my words");
    alice.reads("my words");
}

#[test]
fn attack_05_a_message_of_an_epoch_that_is_over_is_refused() {
    let (world, alice, bob, _mallory) = with_mallory();
    alice.says("then");
    world.settle();
    let mut old = world.log(alice.room()).pop().expect("it was said");
    bob.restarts();
    alice.renames_room("Now");
    world.settle();
    old.seq = world.head(alice.room()) + 1;
    old.id = sotto_wire::MessageId([8; 16]);
    let refused = world.relay_says(&bob, RelayFrame::ChatReceive(old));
    assert_eq!(refused[0].why, Why::Forged);
}

#[test]
fn attack_05_one_bit_is_enough() {
    let (world, alice, bob, _mallory) = with_mallory();
    let id = sotto_wire::MessageId([8; 16]);
    let json = format!(r#"{{"id":"{id}","type":"text","text":"intact"}}"#);
    let body = alice.forges_message(&json);
    let seq = world.head(alice.room()) + 1;
    let sight = Sight::of(&bob, &[]);
    let copy = bob.backup();
    for place in (0..body.len()).step_by(7) {
        let mut bent = body.clone();
        bent.0[place] ^= 1;
        let frame = alice.as_received(seq, id, ChatKind::Application, bent);
        let refused = world.relay_says(&bob, RelayFrame::ChatReceive(frame));
        assert_eq!(refused[0].why, Why::Forged, "byte {place}");
        assert_eq!(Sight::of(&bob, &[]), sight, "byte {place}");
        bob.restores(&copy);
    }
    let frame = alice.as_received(seq, id, ChatKind::Application, body);
    world.relay_says(&bob, RelayFrame::ChatReceive(frame));
    bob.reads("intact");
}

#[test]
fn attack_05_a_signal_counts_once() {
    let (world, alice, bob, _mallory) = with_mallory();
    alice.types();
    world.run_for(100);
    let signal = world
        .heard_by(&bob)
        .into_iter()
        .rfind(|frame| matches!(frame, RelayFrame::ChatSignal { .. }));
    let signal = signal.expect("alice typed");
    world.settle();
    assert!(!bob.sees_typing(&alice));
    let refused = world.relay_says(&bob, signal.clone());
    assert_eq!(refused[0].why, Why::BadSignal);
    assert!(!bob.sees_typing(&alice));
    alice.renames_room("Garden");
    world.settle();
    let refused = world.relay_says(&bob, signal);
    assert_eq!(refused[0].why, Why::BadSignal, "nor in another epoch");
    assert!(!bob.sees_typing(&alice));
}

#[test]
fn attack_05_a_signal_is_its_senders() {
    let (world, alice, bob, mallory) = with_mallory();
    alice.types();
    world.run_for(100);
    let signal = world
        .heard_by(&bob)
        .into_iter()
        .rfind(|frame| matches!(frame, RelayFrame::ChatSignal { .. }));
    let Some(RelayFrame::ChatSignal { room, mut body, .. }) = signal else {
        panic!("alice typed");
    };
    bob.forgets_rejected();
    world.settle();
    let from = mallory.user();
    world.relay_says(
        &bob,
        RelayFrame::ChatSignal {
            room,
            from,
            body: body.clone(),
        },
    );
    assert!(!bob.sees_typing(&mallory));
    // Nor with mallory's leaf written in front of it.
    body.0[..4].copy_from_slice(&2u32.to_be_bytes());
    let refused = world.relay_says(&bob, RelayFrame::ChatSignal { room, from, body });
    assert_eq!(refused[0].why, Why::BadSignal);
    assert!(!bob.sees_typing(&mallory));
}
