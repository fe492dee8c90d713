//! People talk: messages, typing, marks, names, drafts.

use super::rooms::{all_agree, of_three, of_two};
use sotto_client::{
    Change, Request, RequestError,
    model::{Delivery, MessageBody, RoomPrefs, SystemLine},
};
use sotto_tests::world::World;
use sotto_wire::{ClientFrame, MessageId, frame::ChatKind};

#[test]
fn a_room_is_made_joined_and_talked_in() {
    let (world, alice, bob) = of_two();
    alice.says("hello");
    world.settle();
    bob.says("hello yourself");
    world.settle();
    alice.reads_only(&["hello", "hello yourself"]);
    bob.reads_only(&["hello", "hello yourself"]);
    bob.sees_host(&alice);
    alice.rejected_nothing();
    bob.rejected_nothing();
}

#[test]
fn ten_messages_each_way_at_once_have_one_order() {
    let (world, alice, bob, carol) = of_three();
    for n in 1..=10 {
        alice.says(&format!("a{n}"));
        bob.says(&format!("b{n}"));
    }
    world.settle();
    assert_eq!(alice.texts().len(), 20);
    assert_eq!(alice.texts(), bob.texts());
    assert_eq!(alice.texts(), carol.texts());
    let of = |mark: char| {
        alice
            .texts()
            .into_iter()
            .filter(move |t| t.starts_with(mark))
    };
    assert!(
        of('a').eq((1..=10).map(|n| format!("a{n}"))),
        "in the order of writing"
    );
    assert!(
        of('b').eq((1..=10).map(|n| format!("b{n}"))),
        "in the order of writing"
    );
    alice.rejected_nothing();
    bob.rejected_nothing();
    carol.rejected_nothing();
}

#[test]
fn typing_is_seen_and_ends_by_itself() {
    let (world, alice, bob) = of_two();
    alice.types();
    world.run_for(100);
    assert!(bob.sees_typing(&alice));
    assert!(!alice.sees_typing(&alice));
    alice.stops_typing();
    world.run_for(100);
    assert!(!bob.sees_typing(&alice));
    alice.types();
    world.run_for(5_000);
    assert!(bob.sees_typing(&alice));
    world.run_for(2_000);
    assert!(!bob.sees_typing(&alice), "silence ends it");
    alice.types();
    world.run_for(100);
    alice.says("there");
    world.run_for(100);
    assert!(!bob.sees_typing(&alice), "a message ends it");
}

#[test]
fn messages_are_delivered_and_then_read() {
    let (world, alice, bob) = of_two();
    bob.goes_offline();
    world.settle();
    assert!(!alice.person(&bob).online);
    alice.says("hello");
    world.settle();
    let seq = alice.view().id;
    let sent = alice
        .timeline()
        .last()
        .map(|item| item.position / 1024)
        .expect("it was said");
    assert!(
        alice.person(&bob).delivered < sent,
        "not yet there ({seq:?})"
    );
    bob.comes_back();
    world.settle();
    assert!(alice.person(&bob).online);
    assert_eq!(alice.person(&bob).delivered, sent);
    assert!(alice.person(&bob).read < sent);
    bob.catches_up();
    world.settle();
    assert_eq!(alice.person(&bob).read, sent);
}

#[test]
fn a_read_mark_reaches_somebody_who_was_away() {
    let (world, alice, bob) = of_two();
    alice.says("hello");
    world.settle();
    alice.goes_offline();
    bob.catches_up();
    world.settle();
    alice.comes_back();
    world.settle();
    let sent = alice
        .timeline()
        .last()
        .map(|item| item.position / 1024)
        .expect("it was said");
    assert_eq!(alice.person(&bob).read, sent);
}

#[test]
fn what_is_written_offline_is_sent_later() {
    let (world, alice, bob) = of_two();
    alice.goes_offline();
    world.settle();
    let id = alice.says("from the tunnel");
    alice.says("still there");
    world.settle();
    assert_eq!(alice.delivery(id), Some(Delivery::Pending));
    bob.says("meanwhile");
    world.settle();
    alice.reads_only(&["from the tunnel (pending)", "still there (pending)"]);
    alice.restarts();
    alice.comes_back();
    world.settle();
    let all = ["meanwhile", "from the tunnel", "still there"];
    alice.reads_only(&all);
    bob.reads_only(&all);
}

#[test]
fn a_message_caught_by_a_new_epoch_is_encrypted_again_and_arrives_once() {
    let (world, alice, bob) = of_two();
    bob.calls_themselves("Bobby"); // a commit
    let id = alice.says("in between"); // in the old epoch
    world.settle();
    let sends = world
        .sent_by(&alice)
        .into_iter()
        .filter(|frame| matches!(frame, ClientFrame::ChatSend(send) if send.id == id));
    let epochs: Vec<_> = sends
        .map(|frame| match frame {
            ClientFrame::ChatSend(send) => (send.epoch, send.body),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(epochs.len(), 2, "it was sent twice");
    assert!(epochs[0].0 < epochs[1].0 && epochs[0].1 != epochs[1].1);
    alice.reads_only(&["in between"]);
    bob.reads_only(&["in between"]);
    all_agree(&[&alice, &bob]);
    alice.rejected_nothing();
    bob.rejected_nothing();
}

#[test]
fn many_messages_and_commits_at_once_all_arrive() {
    let (world, alice, bob, carol) = of_three();
    for n in 0..5 {
        alice.says(&format!("a{n}"));
        bob.calls_themselves(&format!("Bob {n}"));
        carol.says(&format!("c{n}"));
        alice.renames_room(&format!("Room {n}"));
        bob.says(&format!("b{n}"));
        world.run_for(15);
    }
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    assert_eq!(alice.texts().len(), 15);
    assert_eq!(alice.texts(), bob.texts());
    assert_eq!(alice.texts(), carol.texts());
    assert_eq!(carol.view().name, "Room 4");
    assert_eq!(carol.person(&bob).profile.name, "Bob 4");
}

#[test]
fn unread_messages_are_counted_until_they_are_read() {
    let (world, alice, bob) = of_two();
    alice.says("one");
    alice.says("two");
    bob.says("mine does not count");
    world.settle();
    assert_eq!(bob.view().unread, 2);
    assert_eq!(alice.view().unread, 1);
    assert_eq!(bob.notifications(), 2);
    bob.catches_up();
    assert_eq!(bob.view().unread, 0);
    alice.says("three");
    world.settle();
    assert_eq!(bob.view().unread, 1);
    bob.restarts();
    world.settle();
    assert_eq!(bob.view().unread, 1);
}

#[test]
fn reading_up_to_an_own_message_that_waits_does_not_hide_what_comes() {
    let (world, alice, bob) = of_two();
    alice.goes_offline();
    alice.says("waiting");
    alice.catches_up();
    bob.says("news");
    alice.comes_back();
    world.settle();
    assert_eq!(alice.view().unread, 1);
    alice.catches_up();
    assert_eq!(alice.view().unread, 0);
}

#[test]
fn a_new_name_is_seen_by_all() {
    let (world, alice, bob, carol) = of_three();
    bob.says("as Bob");
    world.settle();
    bob.calls_themselves("Robert");
    world.settle();
    for person in [&alice, &carol] {
        assert_eq!(person.member_names(), ["Alice", "Carol", "Robert"]);
        let seen = person.lines().into_iter().any(
            |line| matches!(line, SystemLine::ProfileChanged { before, .. } if before == "Bob"),
        );
        assert!(seen, "{} sees no change", person.name());
    }
    all_agree(&[&alice, &bob, &carol]);
}

#[test]
fn a_muted_room_is_silent_and_still_counts() {
    let (world, alice, bob) = of_two();
    bob.prefers(RoomPrefs {
        muted: true,
        ..RoomPrefs::default()
    });
    alice.says("psst");
    world.settle();
    assert_eq!(bob.notifications(), 0);
    assert_eq!(bob.view().unread, 1);
}

#[test]
fn drafts_and_preferences_survive_a_restart() {
    let (world, alice, _) = of_two();
    let prefs = RoomPrefs {
        pinned: true,
        ..RoomPrefs::default()
    };
    alice.drafts("half a thou");
    alice.prefers(prefs.clone());
    alice.restarts();
    world.settle();
    assert_eq!(alice.view().draft, "half a thou");
    assert_eq!(alice.view().prefs, prefs);
}

#[test]
fn a_message_can_be_given_up_before_it_is_sent_but_not_after() {
    let (world, alice, bob) = of_two();
    let room = alice.room();
    alice.goes_offline();
    let id = alice.says("better not");
    assert!(alice.asks(Request::Discard { room, id }).is_ok());
    alice.comes_back();
    world.settle();
    bob.never_reads("better not");
    let id = alice.says("too late");
    assert_eq!(
        alice.asks(Request::Discard { room, id }),
        Err(RequestError::Busy)
    );
    world.settle();
    bob.reads("too late");
    let gone = alice.asks(Request::Discard { room, id });
    assert_eq!(gone, Err(RequestError::UnknownMessage));
}

#[test]
fn the_same_message_is_written_once() {
    let (world, alice, bob) = of_two();
    let room = alice.room();
    let id = MessageId([7; 16]);
    let body = MessageBody {
        text: "once".to_owned(),
        reply_to: None,
    };
    for _ in 0..3 {
        assert!(
            alice
                .asks(Request::Send {
                    room,
                    id,
                    body: body.clone()
                })
                .is_ok()
        );
    }
    world.settle();
    assert!(alice.asks(Request::Send { room, id, body }).is_ok());
    world.settle();
    bob.reads_only(&["once"]);
    alice.reads_only(&["once"]);
}

#[test]
fn empty_and_endless_messages_are_refused() {
    let (_world, alice, _) = of_two();
    let room = alice.room();
    let send = |text: String| {
        let body = MessageBody {
            text,
            reply_to: None,
        };
        alice.asks(Request::Send {
            room,
            id: MessageId([9; 16]),
            body,
        })
    };
    assert_eq!(send(" \n ".to_owned()), Err(RequestError::EmptyMessage));
    assert_eq!(
        send("\u{202e}\u{200b}".to_owned()),
        Err(RequestError::EmptyMessage)
    );
    let max = sotto_client::model::TEXT_MAX;
    assert_eq!(
        send("x".repeat(max + 1)),
        Err(RequestError::MessageTooLong { max })
    );
    assert!(send("x".repeat(max)).is_ok());
}

#[test]
fn the_longest_message_arrives() {
    let (world, alice, bob) = of_two();
    let text = "ä".repeat(sotto_client::model::TEXT_MAX / 2);
    alice.says(&text);
    world.settle();
    bob.reads(&text);
}

#[test]
fn a_clock_that_is_wrong_is_noticed() {
    let world = World::new();
    let alice = world.alice();
    world.scene().machine("alice").skew = 10 * 60 * 1000;
    alice.creates("Field notes");
    world.settle();
    let ahead = alice.changes().into_iter().find_map(|change| match change {
        Change::ClockWrong { ahead_ms } => Some(ahead_ms),
        _ => None,
    });
    let ahead = ahead.expect("it is ten minutes ahead");
    assert!((599_000..=601_000).contains(&ahead), "{ahead}");
}

#[test]
fn a_clock_that_is_nearly_right_is_nobodys_concern() {
    let world = World::new();
    let alice = world.alice();
    world.scene().machine("alice").skew = -2 * 60 * 1000;
    alice.creates("Field notes");
    world.settle();
    assert!(
        !alice
            .changes()
            .iter()
            .any(|c| matches!(c, Change::ClockWrong { .. }))
    );
}

#[test]
fn every_day_the_own_leaf_is_renewed() {
    let (world, alice, bob) = of_two();
    let before = alice.view().epoch;
    world.sleep(25 * 60 * 60 * 1000);
    alice.says("good morning");
    world.settle();
    assert!(alice.view().epoch > before);
    bob.reads("good morning");
    all_agree(&[&alice, &bob]);
    let commits = world
        .sent_by(&alice)
        .into_iter()
        .filter(|frame| matches!(frame, ClientFrame::ChatSend(s) if s.kind == ChatKind::Commit));
    assert!(commits.count() >= 2);
}
