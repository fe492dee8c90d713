//! Attack 6: the relay shows people different orders, or holds back what it
//! says it has handed out. Each is noticed with the first message after the
//! views meet.

use crate::simulator::rooms::{all_agree, of_three, of_two, with_mallory};
use sotto_client::{
    Why,
    model::{Delivery, Standing},
};
use sotto_tests::world::World;
use sotto_wire::{
    RelayFrame,
    frame::{ChatKind, ChatReceive, RoomOpened},
};

/// Bob never gets what stands at this place; what follows moves up.
fn withholds(world: &World, place: u64, is_commit: bool) {
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(m) if who == "bob" && m.seq == place => Vec::new(),
        RelayFrame::ChatReceive(m) if who == "bob" && m.seq > place => {
            vec![RelayFrame::ChatReceive(ChatReceive {
                seq: m.seq - 1,
                ..m
            })]
        }
        RelayFrame::RoomOpened(opened) if who == "bob" && opened.head >= place => {
            let (head, epoch) = (opened.head - 1, opened.epoch - u64::from(is_commit));
            vec![RelayFrame::RoomOpened(RoomOpened {
                head,
                epoch,
                ..opened
            })]
        }
        frame => vec![frame],
    });
}

#[test]
fn attack_06_a_message_that_is_held_back_is_noticed_with_the_next() {
    let (world, alice, bob) = of_two();
    withholds(&world, world.head(alice.room()) + 1, false);
    alice.says("not for bob");
    world.settle();
    assert_eq!(bob.splits(), 0, "nobody can know yet");
    alice.says("but this is");
    world.settle();
    bob.reads("but this is");
    assert_eq!(bob.rejected(), [Why::SplitView]);
    assert_eq!(bob.splits(), 1, "something is missing, and bob sees why");
    assert_eq!(bob.gaps(), 0, "nobody can say how much");
    alice.says("said once");
    world.settle();
    assert_eq!(bob.splits(), 1);
}

#[test]
fn attack_06_messages_in_another_order_are_noticed_with_the_next() {
    let (world, alice, bob, carol) = of_three();
    let first = world.head(alice.room()) + 1;
    let mut held: Option<ChatReceive> = None;
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(m) if who == "bob" && m.seq == first => {
            held = Some(m);
            Vec::new()
        }
        RelayFrame::ChatReceive(m) if who == "bob" && m.seq == first + 1 => {
            let late = held.take().expect("the first came first");
            let swapped = [
                ChatReceive { seq: first, ..m },
                ChatReceive {
                    seq: first + 1,
                    ..late
                },
            ];
            swapped.map(RelayFrame::ChatReceive).to_vec()
        }
        frame => vec![frame],
    });
    alice.says("shall we?");
    carol.says("yes");
    world.settle();
    assert_eq!(bob.texts(), ["yes", "shall we?"]);
    alice.says("done");
    world.settle();
    assert!(
        bob.rejected().contains(&Why::SplitView),
        "{:?}",
        bob.rejected()
    );
    assert!(bob.splits() > 0);
    carol.rejected_nothing();
    carol.reads_only(&["shall we?", "yes", "done"]);
}

#[test]
fn attack_06_an_answer_for_what_was_thrown_away_is_noticed_with_the_next() {
    let (world, alice, bob) = of_two();
    let room = alice.room();
    let seq = world.head(room) + 1;
    let at = world.scene().wall();
    // Alice is told that hers was accepted; nobody gets it, and the place goes
    // to what bob says next.
    let mut lost = None;
    world.on_the_way_up(move |who, frame| match frame {
        sotto_wire::ClientFrame::ChatSend(send) if who == "alice" && lost.is_none() => {
            lost = Some(send.id);
            Vec::new()
        }
        frame => vec![frame],
    });
    let id = alice.says("lost");
    world.run_for(100);
    world.relay_says(&alice, RelayFrame::ChatAck { id, room, seq, at });
    world.honest_again();
    assert_eq!(alice.delivery(id), Some(Delivery::Accepted));
    world.settle();
    bob.says("anybody there?");
    world.settle();
    // For alice bob's has a place that is taken; for bob hers never was. Who
    // speaks next is heard by somebody with another order.
    alice.says("yes");
    world.settle();
    let noticed = bob.rejected().contains(&Why::SplitView) || alice.standing() == Standing::Lost;
    assert!(
        noticed,
        "bob: {:?}, alice: {:?}",
        bob.rejected(),
        alice.standing()
    );
}

#[test]
fn attack_06_a_commit_that_is_held_back_is_noticed_with_the_next_message() {
    let (world, alice, bob) = of_two();
    withholds(&world, world.head(alice.room()) + 1, true);
    alice.renames_room("Garden");
    world.settle();
    assert_eq!(bob.view().name, "Field notes", "nobody can know yet");
    alice.says("in the garden");
    world.settle();
    bob.never_reads("in the garden");
    assert_eq!(bob.gaps(), 1, "bob sees that something is missing");
    assert_eq!(bob.rejected(), [Why::Forged]);
}

#[test]
fn attack_06_whoever_misses_a_commit_is_out_of_step_and_sends_nothing() {
    let (world, alice, bob) = of_two();
    withholds(&world, world.head(alice.room()) + 1, true);
    alice.renames_room("Garden");
    alice.says("in the garden");
    world.settle();
    world.honest_again();
    bob.restarts();
    world.settle();
    assert_eq!(
        bob.standing(),
        Standing::Lost,
        "the counts of commits differ"
    );
    let sent = super::tools::sends(&world, &bob).len();
    let id = bob.says("anybody?");
    world.settle();
    assert_eq!(bob.delivery(id), Some(Delivery::Pending));
    assert_eq!(
        super::tools::sends(&world, &bob).len(),
        sent,
        "nothing goes into such a room"
    );
    bob.joins(&alice.invites());
    world.settle();
    all_agree(&[&alice, &bob]);
    alice.reads("anybody?");
}

#[test]
fn attack_06_a_commit_shown_as_a_message_moves_nobody() {
    let (world, alice, bob) = of_two();
    world.on_the_way_down(|who, frame| match frame {
        RelayFrame::ChatReceive(m) if who == "bob" => {
            vec![RelayFrame::ChatReceive(ChatReceive {
                kind: ChatKind::Application,
                ..m
            })]
        }
        frame => vec![frame],
    });
    alice.renames_room("Garden");
    world.settle();
    assert_eq!(bob.view().name, "Field notes");
    assert_eq!(bob.rejected(), [Why::Forged]);
    world.honest_again();
    bob.restarts();
    world.settle();
    assert_eq!(bob.standing(), Standing::Lost);
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
        assert_eq!((person.gaps(), person.splits()), (0, 0));
    }
}
