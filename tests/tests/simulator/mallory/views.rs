//! A relay that shows people different rooms: noticed within one message after
//! the views meet.

use super::with_mallory;
use sotto_client::Why;
use sotto_wire::{RelayFrame, frame::ChatKind};

#[test]
fn attack_06_a_message_that_was_withheld_is_noticed_with_the_next() {
    let (world, alice, bob, _mallory) = with_mallory();
    let room = alice.room();
    let head = world.head(room);
    // Bob gets everything but alice's next message, with the places moved up.
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(message) if who == "bob" && message.seq == head + 1 => Vec::new(),
        RelayFrame::ChatReceive(mut message) if who == "bob" && message.seq > head + 1 => {
            message.seq -= 1;
            vec![RelayFrame::ChatReceive(message)]
        }
        frame => vec![frame],
    });
    alice.says("withheld");
    world.settle();
    bob.never_reads("withheld");
    bob.rejected_nothing();
    alice.says("harmless");
    world.settle();
    bob.reads("harmless");
    assert_eq!(bob.rejected(), [Why::SplitView]);
    assert_eq!(bob.gaps(), 1, "and bob sees that something is missing");
}

#[test]
fn attack_06_two_orders_are_noticed_with_the_next_message() {
    let (world, alice, bob, mallory) = with_mallory();
    let room = alice.room();
    let head = world.head(room);
    // Mallory's and alice's messages change places on their way to bob.
    let mut held = Vec::new();
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(mut message)
            if who == "bob" && (head + 1..=head + 2).contains(&message.seq) =>
        {
            message.seq = 2 * head + 3 - message.seq;
            held.insert(0, RelayFrame::ChatReceive(message));
            if held.len() == 2 {
                std::mem::take(&mut held)
            } else {
                Vec::new()
            }
        }
        frame => vec![frame],
    });
    alice.says("yes or no?");
    world.run_for(200);
    mallory.says("no");
    world.settle();
    world.honest_again();
    assert_ne!(alice.texts(), bob.texts());
    // "yes or no?" was said by somebody who had not seen "no".
    alice.says("as I see it");
    world.settle();
    assert!(bob.rejected().contains(&Why::SplitView));
    assert!(bob.gaps() >= 1);
}

#[test]
fn attack_06_a_withheld_commit_is_noticed_with_the_next_message() {
    let (world, alice, bob, _mallory) = with_mallory();
    let head = world.head(alice.room());
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(m) if who == "bob" && m.seq == head + 1 => Vec::new(),
        RelayFrame::ChatReceive(mut m) if who == "bob" && m.seq > head + 1 => {
            m.seq -= 1;
            vec![RelayFrame::ChatReceive(m)]
        }
        frame => vec![frame],
    });
    alice.renames_room("Garden");
    world.settle();
    assert_eq!(bob.view().name, "Field notes");
    alice.says("in the garden");
    world.settle();
    assert_eq!(bob.gaps(), 1);
    assert_eq!(bob.rejected(), [Why::Forged]);
}

#[test]
fn attack_06_an_acknowledgement_that_nobody_else_sees_is_noticed() {
    let (world, alice, bob, _mallory) = with_mallory();
    let room = bob.room();
    // The relay says that it took bob's message, and drops it.
    world.on_the_way_up(move |who, frame| match frame {
        sotto_wire::ClientFrame::ChatSend(send)
            if who == "bob" && send.kind == ChatKind::Application =>
        {
            Vec::new()
        }
        frame => vec![frame],
    });
    let id = bob.says("dropped");
    world.run_for(100);
    let seq = world.head(room) + 1;
    let at = world.scene().wall();
    world.relay_says(&bob, RelayFrame::ChatAck { id, room, seq, at });
    world.honest_again();
    bob.reads("dropped");
    alice.never_reads("dropped");
    bob.says("do you read me?");
    world.settle();
    assert!(
        alice.rejected().contains(&Why::SplitView),
        "{:?}",
        alice.rejected()
    );
    assert!(alice.gaps() >= 1);
}

#[test]
fn attack_06_people_who_come_go_and_miss_things_agree_on_what_they_saw() {
    let (world, alice, bob, mallory) = with_mallory();
    for round in 0..3 {
        bob.goes_offline();
        alice.says(&format!("a{round}"));
        mallory.says(&format!("m{round}"));
        world.settle();
        bob.says(&format!("b{round}"));
        bob.restarts();
        bob.comes_back();
        alice.says(&format!("again {round}"));
        world.settle();
    }
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.settle();
    carol.says("hello");
    bob.says("hello carol");
    world.settle();
    for person in [&alice, &bob, &mallory, &carol] {
        person.rejected_nothing();
        assert_eq!(person.gaps(), 0);
    }
}
