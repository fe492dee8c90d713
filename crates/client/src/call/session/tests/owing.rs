//! Keys, what waits, and what is owed.

use super::*;

#[test]
fn a_key_is_taken_once_and_in_order() {
    let [mut alice, mut bob, _] = of_three();
    let key = |kid, seed: u8, epoch| Payload::Key {
        kid,
        epoch,
        seed: Seed::new(&[seed; 32]),
    };
    let opens = |orders: &[MediaOrder]| {
        let of_it = |o: &&MediaOrder| matches!(o, MediaOrder::OpenWith { .. });
        orders.iter().filter(of_it).count()
    };
    let mut try_it = |payload: &Payload| {
        let body = alice.says(&bob, payload);
        bob.hears(&alice, &body);
        let done = bob.done();
        let why = done.iter().find_map(|deed| match deed {
            Deed::Reject(_, why) => Some(*why),
            _ => None,
        });
        let orders: Vec<MediaOrder> = done
            .into_iter()
            .filter_map(|deed| match deed {
                Deed::Order(order) => Some(order),
                _ => None,
            })
            .collect();
        (opens(&orders), why)
    };
    assert_eq!(try_it(&key(3, 1, 1)), (1, None));
    assert_eq!(try_it(&key(3, 1, 1)), (0, None), "a repeat");
    assert_eq!(try_it(&key(3, 2, 1)), (0, Some(Why::CallOutOfPlace)));
    assert_eq!(try_it(&key(2, 2, 1)), (0, Some(Why::CallOutOfPlace)));
    assert_eq!(try_it(&key(4, 2, 9)), (0, Some(Why::CallExpired)));
    assert_eq!(try_it(&key(5, 2, 1)), (1, None));
}

#[test]
fn a_former_key_is_forgotten_after_a_while() {
    let [mut alice, mut bob, _] = of_three();
    for kid in [1, 2] {
        let payload = Payload::Key {
            kid,
            epoch: 1,
            seed: Seed::new(&[kid as u8; 32]),
        };
        let body = alice.says(&bob, &payload);
        bob.hears(&alice, &body);
    }
    bob.out.clear();
    let forget = MediaOrder::Forget {
        call: CALL,
        peer: alice.session.me,
        kid: 2,
    };
    bob.now += crate::call::keys::LATE - 1;
    bob.acts(Session::wake);
    assert!(!bob.orders().contains(&forget));
    bob.now += 1;
    bob.acts(Session::wake);
    assert!(bob.orders().contains(&forget));
}

#[test]
fn signals_of_an_epoch_that_is_yet_to_come_wait_for_it() {
    let [mut alice, mut bob, _] = of_three();
    alice.acts(|session, tick| session.enter_epoch(tick, epoch(2)));
    let body = alice.says(&bob, &Payload::Offer(alice_offer()));
    bob.hears(&alice, &body);
    assert!(bob.done().is_empty());
    bob.acts(|session, tick| session.enter_epoch(tick, epoch(2)));
    assert_eq!(describes(&bob.orders()), 1);
}

fn alice_offer() -> Sdp {
    sdp(DescriptionKind::Offer, Fingerprint([1; 32]))
}

#[test]
fn what_waits_is_bounded_and_does_not_wait_for_ever() {
    let [mut alice, mut bob, carol] = of_three();
    alice.acts(|session, tick| session.enter_epoch(tick, epoch(2)));
    for _ in 0..200 {
        let body = alice.says(&bob, &Payload::Restart { fresh: false });
        bob.hears(&alice, &body);
        bob.hears(&carol, &[0; 70_000]);
    }
    assert!(bob.session.early.len() <= 16);
    assert!(bob.rejects().contains(&Why::CallUnknown));
    bob.now += crate::call::signal::VALID;
    bob.acts(Session::wake);
    assert!(bob.session.early.is_empty());
}

#[test]
fn a_stranger_to_the_call_is_not_heard() {
    let [mut alice, _, _] = of_three();
    let mallory = Person::new(7);
    alice.hears(&mallory, &[1; 200]);
    alice.acts(|session, tick| session.enter_epoch(tick, epoch(2)));
    assert!(alice.done().is_empty(), "it waits, and that is all");
}

#[test]
fn what_is_owed_is_said_again_and_not_for_ever() {
    let [mut alice, bob, _] = of_three();
    alice.described(&bob, DescriptionKind::Offer);
    alice.out.clear();
    let mut said = 0;
    for _ in 0..600 {
        alice.now += 1_000;
        alice.acts(Session::wake);
        said += alice
            .done()
            .iter()
            .filter(|deed| matches!(deed, Deed::Signal { .. }))
            .count();
    }
    assert!((8..60).contains(&said), "{said} signals in ten minutes");
    assert!(alice.session.next_wake(None, 3).is_some());
}
