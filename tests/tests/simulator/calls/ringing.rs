//! From the first ring to an answer, or to none.

use crate::simulator::rooms::{of_three, of_two};
use sotto_client::{
    RequestError,
    call::view::{CallEnd, CallPhase},
    model::CallOutcome,
};
use sotto_tests::world::{Actor, World};
use sotto_wire::RoomId;

const RING: u64 = 60_000;

#[test]
fn a_call_that_is_accepted_is_a_conversation() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    assert!(matches!(alice.sees_call().phase, CallPhase::Calling { .. }));
    world.run_for(500);
    assert!(bob.is_rung());
    assert_eq!(bob.captures(), 0, "a microphone opened by itself");
    bob.joins_call();
    world.run_for(1_000);
    world.talk_together(&[&alice, &bob]);
    assert_eq!(alice.sees_call().phase, CallPhase::Joined);
    bob.hangs_up();
    world.settle();
    for one in [&alice, &bob] {
        one.sees_no_call();
        assert!(one.is_quiet());
        assert_eq!(one.call_outcomes(), [CallOutcome::Ended]);
        assert_eq!(one.saw_end(), Some(CallEnd::Ended));
        one.rejected_nothing();
    }
}

#[test]
fn a_call_can_be_declined() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(500);
    bob.declines_call();
    assert!(!bob.is_rung(), "it rings on");
    world.settle();
    for one in [&alice, &bob] {
        one.sees_no_call();
        assert!(one.is_quiet());
        assert_eq!(one.call_outcomes(), [CallOutcome::Declined]);
    }
    assert_eq!(alice.saw_end(), Some(CallEnd::Declined));
    assert_eq!(bob.captures(), 0);
    assert_eq!(bob.view().unread, 0, "a call that was declined is no news");
}

#[test]
fn nobody_comes_and_it_stops_by_itself() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(RING - 1_000);
    assert!(bob.is_rung());
    world.settle();
    alice.sees_no_call();
    bob.sees_no_call();
    assert_eq!(alice.call_outcomes(), [CallOutcome::Unanswered]);
    assert_eq!(bob.call_outcomes(), [CallOutcome::Missed]);
    assert_eq!(alice.saw_end(), Some(CallEnd::Unanswered));
    assert_eq!(bob.saw_end(), Some(CallEnd::Missed));
    assert_eq!(bob.view().unread, 1);
    assert_eq!(bob.notifications(), 1);
    assert_eq!(alice.view().unread, 0);
    bob.catches_up();
    assert_eq!(bob.view().unread, 0);
}

#[test]
fn the_caller_thinks_better_of_it() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    world.run_for(5_000);
    alice.hangs_up();
    world.settle();
    assert_eq!(bob.call_outcomes(), [CallOutcome::Missed]);
    assert_eq!(alice.call_outcomes(), [CallOutcome::Unanswered]);
    bob.sees_no_call();
}

#[test]
fn a_call_is_missed_by_who_is_away() {
    let (world, alice, bob) = of_two();
    bob.goes_offline();
    alice.starts_call();
    world.settle();
    bob.comes_back();
    world.settle();
    assert!(!bob.changes().iter().any(|change| matches!(
        change,
        sotto_client::Change::Call(view) if matches!(view.phase, CallPhase::Ringing { .. })
    )));
    assert_eq!(bob.call_outcomes(), [CallOutcome::Missed]);
    assert_eq!(bob.view().unread, 1);
    assert_eq!(bob.notifications(), 1);
}

#[test]
fn who_comes_back_while_it_rings_is_rung() {
    let (world, alice, bob) = of_two();
    bob.goes_offline();
    alice.starts_call();
    world.run_for(20_000);
    bob.comes_back();
    world.run_for(1_000);
    assert!(bob.is_rung());
    let CallPhase::Ringing { until } = bob.sees_call().phase else {
        panic!("it does not ring");
    };
    let left = until - world.scene().wall();
    assert!((35_000..40_000).contains(&left), "{left} ms to go");
    bob.joins_call();
    world.run_for(1_000);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn it_stops_ringing_for_the_others_while_two_talk() {
    let (world, alice, bob, carol) = of_three();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    assert!(carol.is_rung(), "carol may still come");
    world.run_for(RING);
    assert_eq!(carol.sees_call().phase, CallPhase::Running);
    world.talk_together(&[&alice, &bob]);
    carol.joins_call();
    world.run_for(1_000);
    world.talk_together(&[&alice, &bob, &carol]);
}

#[test]
fn two_calls_at_once_become_one() {
    let (world, alice, bob) = of_two();
    alice.starts_call();
    bob.starts_call();
    world.run_for(2_000);
    assert_eq!(alice.sees_call().call, bob.sees_call().call);
    world.talk_together(&[&alice, &bob]);
    assert_eq!(alice.captures() + bob.captures(), 3, "one moved over");
    alice.hangs_up();
    world.settle();
    assert_eq!(alice.call_outcomes(), [CallOutcome::Ended]);
    assert_eq!(bob.call_outcomes(), [CallOutcome::Ended]);
}

/// Bob talks to Alice in the first room, and Carol calls him in the second.
fn bob_is_called_in_a_call(prepare: impl FnOnce(&Actor)) -> (World, [Actor; 3], (RoomId, RoomId)) {
    let (world, alice, bob, carol) = of_three();
    prepare(&bob);
    let first = bob.room();
    alice.starts_call();
    world.run_for(500);
    bob.joins_call();
    world.run_for(1_000);
    let second = carol.creates("Second");
    world.run_for(2_000);
    let link = carol.invites();
    bob.joins(&link);
    world.run_for(3_000);
    carol.starts_call();
    world.run_for(1_000);
    bob.looks_at(second);
    assert!(bob.is_rung(), "call waiting");
    (world, [alice, bob, carol], (first, second))
}

#[test]
fn a_call_in_one_room_rings_on_beside_a_call_in_another() {
    let (world, [_, bob, carol], (first, second)) = bob_is_called_in_a_call(|_| {});
    let call = bob.sees_call().call;
    assert_eq!(bob.tries_to_join(call), Err(RequestError::InCall));
    assert_eq!(bob.all_calls().len(), 2);
    bob.looks_at(first).hangs_up();
    bob.looks_at(second).joins_call();
    world.run_for(1_000);
    world.talk_together(&[&bob, &carol]);
    assert!(carol.sees_call().busy.is_empty(), "he came");
}

#[test]
fn whoever_calls_somebody_in_another_call_reads_so() {
    let (world, [alice, bob, carol], (first, second)) = bob_is_called_in_a_call(|_| {});
    assert_eq!(carol.sees_call().busy, [bob.user()]);
    assert!(matches!(carol.sees_call().phase, CallPhase::Calling { .. }));
    assert_eq!(bob.captures(), 1, "the microphone is Alice's");
    world.run_for(RING);
    assert_eq!(carol.saw_end(), Some(CallEnd::Busy));
    assert_eq!(carol.call_outcomes(), [CallOutcome::Unanswered]);
    assert_eq!(bob.looks_at(second).call_outcomes(), [CallOutcome::Missed]);
    bob.looks_at(first);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn somebody_in_another_call_can_decline() {
    let (world, [alice, bob, carol], (first, second)) = bob_is_called_in_a_call(|_| {});
    bob.looks_at(second).declines_call();
    world.run_for(1_000);
    assert_eq!(carol.saw_end(), Some(CallEnd::Declined));
    carol.sees_no_call();
    bob.looks_at(first);
    world.talk_together(&[&alice, &bob]);
}

#[test]
fn who_does_not_want_it_known_is_busy_to_nobody() {
    let silent = |bob: &Actor| bob.tells_when_busy(false);
    let (world, [_, bob, carol], _) = bob_is_called_in_a_call(silent);
    assert!(carol.sees_call().busy.is_empty());
    assert!(bob.is_rung());
    world.run_for(RING);
    assert_eq!(carol.saw_end(), Some(CallEnd::Unanswered));
}

#[test]
fn requests_that_make_no_sense_say_why() {
    let (world, alice, bob) = of_two();
    let call = alice.starts_call();
    world.run_for(500);
    assert_eq!(alice.tries_to_call(), Err(RequestError::CallRuns));
    assert_eq!(bob.tries_to_call(), Err(RequestError::CallRuns));
    assert_eq!(bob.reacts("👍"), Err(RequestError::NotInCall));
    assert_eq!(
        alice.reacts("words, not an emoji"),
        Err(RequestError::BadReaction)
    );
    alice.hangs_up();
    world.settle();
    assert_eq!(bob.tries_to_join(call), Err(RequestError::CallOver));
    bob.goes_offline();
    assert_eq!(bob.tries_to_call(), Err(RequestError::Offline));
    let alone = alice.creates("Alone");
    world.settle();
    assert_eq!(
        alice.looks_at(alone).tries_to_call(),
        Err(RequestError::NobodyThere)
    );
}
