//! The room's order of call messages, folded by everybody alike.

use super::*;
use proptest::prelude::*;

const X: CallId = CallId([1; 16]);
const Y: CallId = CallId([2; 16]);

fn peer(n: u8) -> Peer {
    Peer {
        user: UserId([n; 32]),
        device: DeviceId([n; 16]),
    }
}

fn key(n: u8) -> CallKey {
    CallKey([n; 32])
}

fn started(call: CallId, n: u8, replaces: Option<CallId>) -> CallSaying {
    let says = CallSays::Started {
        video: false,
        key: key(n),
        replaces,
    };
    CallSaying { call, says }
}

fn joined(call: CallId, n: u8) -> CallSaying {
    let says = CallSays::Joined { key: key(n) };
    CallSaying { call, says }
}

fn say(call: CallId, says: CallSays) -> CallSaying {
    CallSaying { call, says }
}

fn users(ledger: &Ledger) -> Vec<u8> {
    let seats = ledger.running.iter().flat_map(|r| &r.seats);
    seats.map(|seat| seat.user.0[0]).collect()
}

#[test]
fn of_two_calls_at_once_the_earlier_holds_both() {
    let mut ledger = Ledger::default();
    assert_eq!(
        ledger.hear(peer(1), &started(X, 1, None), 10),
        [Heard::Began]
    );
    assert_eq!(
        ledger.hear(peer(2), &started(Y, 2, None), 11),
        [Heard::Changed]
    );
    let running = ledger.running.as_ref().expect("one runs");
    assert_eq!((running.call, running.by), (X, peer(1).user));
    assert_eq!(users(&ledger), [1, 2]);
    assert_eq!(running.answered, Some(11));
}

#[test]
fn the_last_one_out_ends_it_and_nobody_joins_after() {
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    ledger.hear(peer(2), &joined(X, 2), 20);
    ledger.hear(peer(1), &say(X, CallSays::Left), 30);
    let heard = ledger.hear(peer(2), &say(X, CallSays::Left), 50);
    let [Heard::Ended { running, at: 50 }] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(running.lasted(50), 30);
    for (n, late) in [
        (3, joined(X, 3)),
        (1, say(X, CallSays::Left)),
        (3, say(X, CallSays::Declined)),
        (3, started(X, 3, None)),
    ] {
        assert_eq!(
            ledger.hear(peer(n), &late, 60),
            [Heard::Nothing],
            "{late:?}"
        );
    }
    assert_eq!(ledger.running, None);
}

#[test]
fn a_call_that_nobody_is_in_any_more_gives_way() {
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    let heard = ledger.hear(peer(2), &started(Y, 2, Some(X)), 20);
    assert!(matches!(heard[..], [Heard::Ended { .. }, Heard::Began]));
    assert_eq!(users(&ledger), [2]);
    // Who named another was mistaken: they join.
    ledger.hear(peer(3), &started(CallId([3; 16]), 3, Some(X)), 30);
    assert_eq!(users(&ledger), [2, 3]);
}

#[test]
fn a_call_is_full_for_everybody_at_the_same_place() {
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    for n in 2..=6 {
        assert_eq!(ledger.hear(peer(n), &joined(X, n), 20), [Heard::Changed]);
    }
    assert_eq!(ledger.hear(peer(7), &joined(X, 7), 20), [Heard::Nothing]);
    assert_eq!(users(&ledger), [1, 2, 3, 4, 5, 6]);
    // Who had a seat may come again, with another key, behind all others.
    assert_eq!(ledger.hear(peer(1), &joined(X, 9), 30), [Heard::Changed]);
    assert_eq!(users(&ledger), [2, 3, 4, 5, 6, 1]);
}

#[test]
fn newcomers_learn_of_a_call_and_others_hear_nothing_new() {
    let here = |n: u8| {
        let says = CallSays::Here {
            key: key(n),
            video: true,
            by: peer(1).user,
            started: 10,
        };
        CallSaying { call: X, says }
    };
    let mut old = Ledger::default();
    old.hear(peer(1), &started(X, 1, None), 10);
    old.hear(peer(2), &joined(X, 2), 20);
    let mut new = Ledger::default();
    for n in [2, 1] {
        assert_eq!(old.hear(peer(n), &here(n), 40), [Heard::Nothing]);
    }
    for n in [2, 1] {
        assert_eq!(new.hear(peer(n), &here(n), 40), [Heard::Changed]);
    }
    let running = new.running.as_ref().expect("it runs");
    assert!(running.silent && !running.witnessed);
    assert_eq!((running.started, running.by), (10, peer(1).user));
    // One who started in ignorance of it is in it for all.
    let mut new = Ledger::default();
    new.hear(peer(3), &started(Y, 3, None), 30);
    new.hear(peer(1), &here(1), 40);
    assert_eq!(new.running.as_ref().map(|r| r.call), Some(X));
    assert_eq!(users(&new), [3, 1]);
}

#[test]
fn what_it_was_depends_on_who_looks() {
    use CallOutcome as O;
    let outcomes = |ledger: &Ledger| {
        let running = ledger.running.as_ref().expect("one runs");
        [1, 2, 3].map(|n| running.outcome(peer(n).user))
    };
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    assert_eq!(outcomes(&ledger), [O::Unanswered, O::Missed, O::Missed]);
    ledger.hear(peer(2), &say(X, CallSays::Declined), 10);
    assert_eq!(outcomes(&ledger), [O::Declined, O::Declined, O::Missed]);
    ledger.hear(peer(3), &joined(X, 3), 10);
    assert_eq!(outcomes(&ledger), [O::Ended, O::Declined, O::Ended]);
}

#[test]
fn whoever_is_no_member_any_more_has_no_seat() {
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    ledger.hear(peer(2), &joined(X, 2), 10);
    assert_eq!(ledger.keep_members(|p| *p == peer(1), 20), [Heard::Changed]);
    assert_eq!(users(&ledger), [1]);
    assert!(matches!(
        ledger.keep_members(|_| false, 20)[..],
        [Heard::Ended { .. }]
    ));
}

#[test]
fn what_is_said_reads_the_same_when_it_comes_back() {
    for saying in [
        started(X, 1, Some(Y)),
        started(X, 1, None),
        joined(X, 1),
        say(X, CallSays::Left),
        say(X, CallSays::Declined),
    ] {
        let text = serde_json::to_string(&saying).expect("plain data");
        assert_eq!(serde_json::from_str::<CallSaying>(&text).ok(), Some(saying));
    }
}

fn sayings() -> impl Strategy<Value = (u8, CallSaying)> {
    let call = prop_oneof![Just(X), Just(Y)];
    (1u8..9, call, 0u8..6, any::<u8>()).prop_map(|(n, call, kind, k)| {
        let says = match kind {
            0 => CallSays::Started {
                video: k & 1 == 0,
                key: key(k),
                replaces: (k & 2 == 0).then_some(Y),
            },
            1 => CallSays::Joined { key: key(k) },
            2 => CallSays::Here {
                key: key(k),
                video: false,
                by: peer(k).user,
                started: u64::from(k),
            },
            3 => CallSays::Left,
            _ => CallSays::Declined,
        };
        (n, CallSaying { call, says })
    })
}

proptest! {
    #[test]
    fn whatever_is_said_there_is_one_call_with_one_seat_each(
        all in proptest::collection::vec(sayings(), 0..40)
    ) {
        let mut ledger = Ledger::default();
        for (at, (n, saying)) in all.iter().enumerate() {
            ledger.hear(peer(*n), saying, at as u64);
            if let Some(running) = &ledger.running {
                let users: BTreeSet<_> = running.seats.iter().map(|s| s.user).collect();
                prop_assert_eq!(users.len(), running.seats.len());
                prop_assert!(!users.is_empty() && users.len() <= SEATS_MAX);
                prop_assert!(users.iter().all(|user| running.came.contains(user)));
            }
            prop_assert!(ledger.over.len() <= OVER_MAX);
        }
    }
}

#[test]
fn who_is_busy_is_known_until_they_come_or_decline() {
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    let busy = say(X, CallSays::Busy);
    for (n, heard) in [
        (2, Heard::Changed),
        (2, Heard::Nothing),
        (3, Heard::Changed),
        // Whoever sits in it is not elsewhere.
        (1, Heard::Nothing),
    ] {
        assert_eq!(ledger.hear(peer(n), &busy, 20), [heard], "{n}");
    }
    let who = |ledger: &Ledger| {
        let running = ledger.running.as_ref().expect("it runs");
        running.busy.iter().map(|u| u.0[0]).collect::<Vec<u8>>()
    };
    assert_eq!(who(&ledger), [2, 3]);
    ledger.hear(peer(2), &joined(X, 2), 30);
    ledger.hear(peer(3), &say(X, CallSays::Declined), 30);
    assert!(who(&ledger).is_empty());
    assert_eq!(ledger.hear(peer(3), &busy, 40), [Heard::Nothing]);
    let other = say(Y, CallSays::Busy);
    assert_eq!(ledger.hear(peer(4), &other, 40), [Heard::Nothing]);
}

#[test]
fn a_ledger_from_before_anybody_could_be_busy_is_read() {
    let mut ledger = Ledger::default();
    ledger.hear(peer(1), &started(X, 1, None), 10);
    let mut stored = serde_json::to_value(&ledger).expect("plain data");
    let running = stored["running"].as_object_mut().expect("one runs");
    assert!(running.remove("busy").is_some());
    let read: Ledger = serde_json::from_value(stored).expect("it is read");
    assert_eq!(read, ledger);
}
