//! Crashes, lost answers, old copies, and relays that come and go.

use super::rooms::{all_agree, of_two};
use sotto_client::{
    Change, Input,
    model::{Delivery, Standing},
};
use sotto_tests::world::{Actor, Fate, Weather, World, home};
use sotto_wire::{ClientFrame, RelayFrame, frame::ChatSend};

const MINUTE: u64 = 60 * 1000;
const DAY: u64 = 24 * 60 * MINUTE;

#[test]
fn a_commit_whose_answer_was_lost_is_found_in_the_backlog() {
    let (world, alice, bob) = of_two();
    world.on_the_way_down(|who, frame| {
        let lost = who == "alice" && matches!(frame, RelayFrame::ChatAck { .. });
        if lost { Vec::new() } else { vec![frame] }
    });
    alice.renames_room("Garden");
    world.run_for(200);
    assert_eq!(bob.view().name, "Garden");
    assert_eq!(alice.view().name, "Field notes");
    world.honest_again();
    alice.restarts();
    world.settle();
    all_agree(&[&alice, &bob]);
    alice.says("here");
    world.settle();
    bob.reads("here");
    alice.rejected_nothing();
}

#[test]
fn a_message_whose_answer_was_lost_is_not_doubled() {
    let (world, alice, bob) = of_two();
    world.on_the_way_down(|who, frame| {
        let lost = who == "alice" && matches!(frame, RelayFrame::ChatAck { .. });
        if lost { Vec::new() } else { vec![frame] }
    });
    let id = alice.says("once");
    world.run_for(200);
    bob.reads_only(&["once"]);
    assert_eq!(alice.delivery(id), Some(Delivery::Pending));
    world.honest_again();
    alice.restarts();
    world.settle();
    assert_eq!(alice.delivery(id), Some(Delivery::Accepted));
    alice.reads_only(&["once"]);
    bob.reads_only(&["once"]);
}

#[test]
fn what_was_not_committed_never_happened() {
    let (world, alice, bob) = of_two();
    let wake = || Input::Wake;
    bob.says("hello");
    for _ in 0..6 {
        world
            .scene()
            .take_with("alice", wake(), Fate::DiesBeforeCommit);
        world.run_for(30);
    }
    world.settle();
    alice.reads_only(&["hello"]);
}

#[test]
fn a_disk_that_fails_costs_nothing() {
    let (world, alice, bob) = of_two();
    for after in 0..40 {
        let text = format!("message {after}");
        world.scene().weather.crash = 0;
        bob.says(&text);
        world
            .scene()
            .take_with("alice", Input::Wake, Fate::DiskFails(after));
        world.settle();
        alice.reads(&text);
    }
    all_agree(&[&alice, &bob]);
}

#[test]
fn the_relay_restarts_and_nothing_is_lost() {
    let (world, alice, bob) = of_two();
    alice.says("before");
    world.settle();
    world.relay_stops();
    alice.says("meanwhile");
    bob.says("meanwhile too");
    world.settle();
    assert_eq!(alice.texts().len(), 2);
    world.relay_starts();
    world.settle();
    assert_eq!(alice.texts().len(), 3);
    assert_eq!(alice.texts(), bob.texts());
    all_agree(&[&alice, &bob]);
}

#[test]
fn what_the_relay_no_longer_keeps_is_shown_as_missing() {
    let (world, alice, bob) = of_two();
    bob.goes_offline();
    world.settle();
    for n in 0..5 {
        alice.says(&format!("missed {n}"));
    }
    world.settle();
    world.sleep(31 * DAY);
    world.tick();
    alice.says("recent");
    world.settle();
    bob.comes_back();
    world.settle();
    bob.reads_only(&["recent"]);
    assert_eq!(bob.gaps(), 5);
    assert_eq!(alice.gaps(), 0);
    all_agree(&[&alice, &bob]);
}

#[test]
fn a_room_that_the_relay_cannot_take_now_is_offered_again() {
    let (world, alice, _) = of_two();
    let break_store = |broken| {
        let mut scene = world.scene();
        let relay = scene.relays.get_mut(&home()).expect("it exists");
        relay.relay.store.set_broken(broken);
    };
    break_store(Some(sotto_relay::store::StoreError::DiskFull));
    alice.creates("Second try");
    world.run_for(1_000);
    assert_eq!(alice.standing(), Standing::Creating);
    assert!(alice.view().relay_cannot_store, "and it says why");
    break_store(None);
    world.run_for(20_000);
    assert_eq!(alice.standing(), Standing::Member);
    assert!(!alice.view().relay_cannot_store);
}

#[test]
fn a_relay_that_is_full_is_asked_again() {
    let (world, alice, bob) = of_two();
    let full = Some(sotto_relay::store::StoreError::DiskFull);
    world
        .scene()
        .relays
        .get_mut(&home())
        .expect("it exists")
        .relay
        .store
        .set_broken(full);
    let id = alice.says("patience");
    world.run_for(20_000);
    assert_eq!(alice.delivery(id), Some(Delivery::Pending));
    assert!(alice.view().relay_cannot_store, "and it says why");
    assert!(!bob.view().relay_cannot_store, "bob sends nothing");
    world
        .scene()
        .relays
        .get_mut(&home())
        .expect("it exists")
        .relay
        .store
        .set_broken(None);
    world.settle();
    bob.reads("patience");
    alice.reads("patience");
    assert!(!alice.view().relay_cannot_store);
}

#[test]
fn frames_that_a_relay_loses_are_made_up_for_at_the_next_connection() {
    let (world, alice, bob) = of_two();
    world.weather(Weather {
        drop: 400,
        ..Weather::CALM
    });
    for n in 0..10 {
        alice.says(&format!("alice {n}"));
        bob.says(&format!("bob {n}"));
        world.run_for(500);
    }
    alice.renames_room("Garden");
    world.run_for(5_000);
    world.weather(Weather::CALM);
    for _ in 0..2 {
        for person in [&alice, &bob] {
            person.goes_offline();
            person.comes_back();
        }
        world.settle();
    }
    all_agree(&[&alice, &bob]);
    assert_eq!(alice.texts().len(), 20);
    assert_eq!(alice.texts(), bob.texts());
    assert_eq!(alice.gaps() + bob.gaps(), 0);
}

#[test]
fn a_welcome_that_the_relay_refuses_says_who_does_not_get_it() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    world.on_the_way_down(|who, frame| match frame {
        RelayFrame::DirectAck { id } if who == "alice" => {
            let error = sotto_wire::WireError::new(sotto_wire::ErrorCode::NotFound, "no");
            vec![RelayFrame::Error(error.for_request(Some(id.into())))]
        }
        frame => vec![frame],
    });
    carol.joins(&alice.invites());
    world.settle();
    let said = std::mem::take(&mut world.scene().machine("alice").changes);
    let refused = said.iter().any(|change| {
        matches!(change, Change::LetterRefused { room, who, code }
            if *room == alice.room()
                && (who.user, who.name.as_str()) == (carol.user(), "Carol")
                && *code == sotto_wire::ErrorCode::NotFound)
    });
    assert!(refused, "{said:?}");
}

#[test]
fn a_relay_that_forgot_is_not_written_to_until_it_is_in_step() {
    let (world, alice, bob) = of_two();
    let old = world.scene().relays[&home()].relay.clone();
    alice.says("one");
    world.settle();
    world.relay_stops();
    world
        .scene()
        .relays
        .get_mut(&home())
        .expect("it exists")
        .relay = old;
    world
        .scene()
        .relays
        .get_mut(&home())
        .expect("it exists")
        .relay
        .restart();
    world.relay_starts();
    world.settle();
    assert_eq!(alice.standing(), Standing::Lost);
    assert_eq!(bob.standing(), Standing::Lost);
    alice.reads("one");
    bob.reads("one");
}

#[test]
fn a_lie_about_membership_is_forgiven_at_the_next_connection() {
    let (world, alice, bob) = of_two();
    world.on_the_way_down(|who, frame| match frame {
        RelayFrame::RoomOpened(opened) if who == "bob" => {
            let error = sotto_wire::WireError::new(sotto_wire::ErrorCode::NotAMember, "no");
            let id = sotto_wire::MessageId(opened.room.0).into();
            vec![RelayFrame::Error(error.for_request(Some(id)))]
        }
        RelayFrame::ChatReceive(_) if who == "bob" => Vec::new(),
        frame => vec![frame],
    });
    bob.restarts();
    world.settle();
    assert_eq!(bob.standing(), Standing::Lost);
    alice.says("do you hear me?");
    alice.renames_room("Garden");
    world.settle();
    world.honest_again();
    bob.restarts();
    world.settle();
    all_agree(&[&alice, &bob]);
    bob.reads("do you hear me?");
    assert_eq!(bob.gaps(), 0);
}

#[test]
fn frames_of_an_old_connection_may_arrive_late() {
    let (world, alice, bob) = of_two();
    for text in ["one", "two", "three"] {
        alice.says(text);
    }
    let conn = *world
        .scene()
        .machine("alice")
        .wires
        .get(&home())
        .expect("alice is connected");
    // A new connection, while the relay still reads from the old one: what is
    // encrypted again overtakes what was encrypted first.
    world.scene().hold_back(conn, 545);
    world.scene().cut(conn);
    world.settle();
    assert_eq!(alice.texts().len(), 3);
    assert_eq!(alice.texts(), bob.texts());
    assert_eq!(bob.gaps(), 0);
    bob.rejected_nothing();
}

#[test]
fn a_relay_that_skips_a_place_is_asked_again_but_not_without_pause() {
    let (world, alice, bob) = of_two();
    let hole = world.head(alice.room()) + 1;
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(m) if who == "bob" && m.seq == hole => Vec::new(),
        frame => vec![frame],
    });
    let before = openings(&world, &bob);
    alice.says("skipped");
    alice.says("after it");
    world.run_for(MINUTE);
    let in_the_first = openings(&world, &bob) - before;
    assert!((3..=10).contains(&in_the_first), "{in_the_first} openings");
    world.run_for(10 * MINUTE);
    let later = openings(&world, &bob) - before - in_the_first;
    assert!(later <= 60, "{later} openings");
    bob.never_reads("after it");
    assert!(!bob.view().in_sync, "and it shows");
    world.honest_again();
    world.settle();
    bob.reads_only(&["skipped", "after it"]);
    assert!(bob.view().in_sync);
}

#[test]
fn a_relay_that_is_always_in_another_epoch_is_asked_again_but_not_without_pause() {
    let (world, alice, bob) = of_two();
    world.on_the_way_up(move |who, frame| match frame {
        ClientFrame::ChatSend(send) if who == "bob" => {
            vec![ClientFrame::ChatSend(ChatSend {
                epoch: send.epoch + 7,
                ..send
            })]
        }
        frame => vec![frame],
    });
    world.on_the_way_down(|_, frame| match frame {
        RelayFrame::Error(mut error) if error.epoch.is_some() => {
            error.epoch = Some(99);
            vec![RelayFrame::Error(error)]
        }
        frame => vec![frame],
    });
    let before = openings(&world, &bob);
    bob.says("held up");
    world.run_for(MINUTE);
    let opened = openings(&world, &bob) - before;
    assert!((3..=10).contains(&opened), "{opened} openings");
    world.honest_again();
    world.settle();
    alice.reads("held up");
}

fn openings(world: &World, who: &Actor) -> usize {
    let opens = |frame: &ClientFrame| matches!(frame, ClientFrame::RoomOpen { .. });
    world
        .sent_by(who)
        .iter()
        .filter(|frame| opens(frame))
        .count()
}
