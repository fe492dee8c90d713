//! Attack 5: what was said once is said again: later, elsewhere, by others.

use super::{
    sight::Sight,
    tools::{
        becomes_a_gap, changes_nothing, last_heard, message, next_place, picture, some_id, whys,
    },
};
use crate::simulator::rooms::{all_agree, of_three, of_two, with_mallory};
use sotto_client::{Why, model::Delivery};
use sotto_wire::{
    RelayFrame,
    frame::{ChatKind, ChatReceive},
};

#[test]
fn attack_05_everything_that_came_comes_again() {
    let (world, alice, bob, carol) = of_three();
    alice.says("one");
    carol.says("two");
    alice.renames_room("Garden");
    bob.says("three");
    world.settle();
    for _ in 0..2 {
        let heard = world.heard_by(&bob).into_iter();
        for frame in heard.filter(|frame| matches!(frame, RelayFrame::ChatReceive(_))) {
            changes_nothing(&world, &bob, frame, Some(Why::Replay));
        }
        bob.restarts();
        world.settle();
    }
    all_agree(&[&alice, &bob, &carol]);
    bob.reads_only(&["one", "two", "three"]);
}

#[test]
fn attack_05_an_old_body_at_a_new_place_is_shown_as_missing() {
    let (world, alice, bob) = of_two();
    let id = alice.says("pay him");
    world.settle();
    let old = last_heard(&world, &bob, message).expect("bob heard it");
    let copy = bob.backup();
    for id in [id, some_id(&world)] {
        let seq = next_place(&world, &bob);
        becomes_a_gap(
            &world,
            &bob,
            ChatReceive {
                seq,
                id,
                ..old.clone()
            },
            Why::Forged,
        );
        bob.reads("pay him");
        bob.restores(&copy);
        world.settle();
    }
    // Nor when its epoch has passed.
    alice.renames_room("Garden");
    world.settle();
    let seq = next_place(&world, &bob);
    becomes_a_gap(
        &world,
        &bob,
        ChatReceive {
            seq,
            id: some_id(&world),
            ..old
        },
        Why::Forged,
    );
}

#[test]
fn attack_05_a_message_in_somebody_elses_name_is_shown_as_missing() {
    let (world, alice, bob, carol) = of_three();
    let (user, device) = (carol.user(), carol.device());
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(message) if who == "bob" => {
            vec![RelayFrame::ChatReceive(ChatReceive {
                from: user,
                device,
                ..message
            })]
        }
        frame => vec![frame],
    });
    alice.says("it was me");
    world.settle();
    bob.never_reads("it was me");
    assert_eq!(bob.rejected(), [Why::WrongSender]);
    assert_eq!(bob.gaps(), 1);
    carol.reads("it was me");
}

#[test]
fn attack_05_a_message_under_another_id_is_shown_as_missing() {
    let (world, alice, bob) = of_two();
    let other = some_id(&world);
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(message) if who == "bob" => {
            vec![RelayFrame::ChatReceive(ChatReceive {
                id: other,
                ..message
            })]
        }
        frame => vec![frame],
    });
    alice.says("mind the id");
    world.settle();
    bob.never_reads("mind the id");
    assert_eq!(bob.rejected(), [Why::Forged]);
    assert_eq!(bob.gaps(), 1);
}

#[test]
fn attack_05_a_member_cannot_take_the_place_of_what_was_said() {
    let (world, alice, bob) = of_two();
    let id = alice.says("the truth");
    world.settle();
    let mallory = world.mallory();
    mallory.joins(&alice.invites());
    world.settle();
    let lie = format!(r#"{{"id":"{id}","type":"text","text":"a lie"}}"#);
    let body = mallory.forges_message(&lie);
    mallory.sends_message(id, body);
    world.settle();
    for person in [&alice, &bob] {
        person.reads("the truth");
        person.never_reads("a lie");
        assert_eq!(person.rejected(), [Why::Replay]);
    }
}

#[test]
fn attack_05_an_own_message_comes_back_as_somebody_elses() {
    let (world, alice, bob) = of_two();
    let id = alice.says("hello");
    world.settle();
    let sent = super::tools::sends(&world, &alice)
        .pop()
        .expect("it was sent");
    let seq = next_place(&world, &alice);
    let reflected = bob.as_received(seq, id, ChatKind::Application, sent.body);
    becomes_a_gap(&world, &alice, reflected, Why::Forged);
    alice.reads("hello");
}

#[test]
fn attack_05_an_own_message_comes_back_at_a_second_place() {
    let (world, alice, _) = of_two();
    let id = alice.says("hello");
    world.settle();
    let sent = super::tools::sends(&world, &alice)
        .pop()
        .expect("it was sent");
    let seq = next_place(&world, &alice);
    let again = alice.as_received(seq, id, ChatKind::Application, sent.body);
    becomes_a_gap(&world, &alice, again, Why::Unasked);
    alice.reads("hello");
}

#[test]
fn attack_05_a_message_of_one_room_is_not_one_of_another() {
    let (world, alice, bob) = of_two();
    let first = alice.room();
    let second = alice.creates("Garden");
    bob.joins(&alice.invites());
    world.settle();
    alice.says("only here");
    world.settle();
    let said = last_heard(&world, &bob, message).expect("bob heard it");
    assert_eq!(said.room, second);
    bob.looks_at(first);
    let moved = ChatReceive {
        room: first,
        seq: world.head(first) + 1,
        ..said
    };
    becomes_a_gap(&world, &bob, moved, Why::Forged);
    bob.never_reads("only here");
}

#[test]
fn attack_05_an_answer_to_what_was_never_sent_is_refused() {
    let (world, alice, _) = of_two();
    let (room, at) = (alice.room(), world.scene().wall());
    let seq = next_place(&world, &alice);
    let id = some_id(&world);
    let frame = RelayFrame::ChatAck { id, room, seq, at };
    changes_nothing(&world, &alice, frame, Some(Why::Unasked));
}

#[test]
fn attack_05_a_second_answer_changes_nothing() {
    let (world, alice, bob) = of_two();
    let id = alice.says("hello");
    world.settle();
    let answer = last_heard(&world, &alice, |frame| {
        matches!(&frame, RelayFrame::ChatAck { id: of, .. } if *of == id).then_some(frame)
    });
    let answer = answer.expect("it was accepted");
    changes_nothing(&world, &alice, answer.clone(), None);
    let RelayFrame::ChatAck { room, at, seq, .. } = answer else {
        unreachable!()
    };
    let next = RelayFrame::ChatAck {
        id,
        room,
        seq: seq + 1,
        at,
    };
    changes_nothing(&world, &alice, next, Some(Why::Unasked));
    for seq in [0, seq - 1] {
        changes_nothing(
            &world,
            &alice,
            RelayFrame::ChatAck { id, room, seq, at },
            None,
        );
    }
    alice.says("again");
    world.settle();
    bob.reads_only(&["hello", "again"]);
}

#[test]
fn attack_05_an_answer_with_a_place_far_ahead_is_not_believed() {
    let (world, alice, bob) = of_two();
    world.on_the_way_down(|who, frame| match frame {
        RelayFrame::ChatAck { id, room, seq, at } if who == "alice" => {
            vec![RelayFrame::ChatAck {
                id,
                room,
                seq: seq + 1_000,
                at,
            }]
        }
        frame => vec![frame],
    });
    let id = alice.says("where am I?");
    world.settle();
    assert_eq!(
        alice.delivery(id),
        Some(Delivery::Accepted),
        "the backlog has it"
    );
    world.honest_again();
    alice.says("here");
    world.settle();
    alice.reads_only(&["where am I?", "here"]);
    bob.reads_only(&["where am I?", "here"]);
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_05_a_commit_of_ones_own_is_not_taken_from_another_room() {
    let (world, alice, bob) = of_two();
    let first = alice.room();
    alice.creates("Garden");
    bob.joins(&alice.invites());
    world.settle();
    alice.renames_room("Orchard");
    world.settle();
    let said = last_heard(&world, &bob, super::tools::commit).expect("bob heard it");
    bob.looks_at(first);
    let before = picture(&world, &alice);
    let moved = ChatReceive {
        room: first,
        seq: world.head(first) + 1,
        ..said
    };
    let rejected = world.relay_says(&bob, RelayFrame::ChatReceive(moved));
    assert_eq!(whys(&rejected), [Why::Forged]);
    assert_eq!(bob.view().name, "Field notes");
    assert_eq!(picture(&world, &alice), before);
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
