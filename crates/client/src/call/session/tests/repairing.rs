//! What a person has mended.

use super::*;
use crate::call::link::REPAIR_PAUSE;

fn connected() -> [Person; 3] {
    let [mut alice, mut bob, carol] = negotiated();
    let certs = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    alice.connected(&bob, certs.0, certs.1);
    bob.connected(&alice, certs.1, certs.0);
    (alice.out, bob.out) = (Vec::new(), Vec::new());
    [alice, bob, carol]
}

fn repairs(person: &mut Person, other: &Person) -> bool {
    let peer = other.session.me;
    person.acts(|session, tick| session.repair(tick, peer))
}

fn restarts(deeds: &[Deed], other: &Person) -> usize {
    let restart = MediaOrder::Restart {
        call: CALL,
        peer: other.session.me,
    };
    let it = |deed: &&Deed| **deed == Deed::Order(restart.clone());
    deeds.iter().filter(it).count()
}

#[test]
fn a_repair_is_a_fresh_key_for_all_and_a_new_path_to_one() {
    let [mut alice, bob, carol] = connected();
    let before = alice.session.own.newest_kid();
    assert!(repairs(&mut alice, &bob));
    let done = alice.done();
    assert_eq!(alice.session.own.newest_kid(), before + 1);
    assert_eq!(restarts(&done, &bob), 1);
    assert_eq!(restarts(&done, &carol), 0);
    for other in [&bob, &carol] {
        let told = |deed: &Deed| matches!(deed, Deed::Signal { to, .. } if *to == other.session.me);
        assert!(done.iter().any(told));
    }
    assert_eq!(alice.connection(&bob), Connection::Connected);
}

#[test]
fn a_repair_gives_the_other_end_the_key_and_asks_for_theirs() {
    let [mut alice, mut bob, _] = connected();
    assert!(repairs(&mut bob, &alice));
    for deed in bob.done() {
        if let Deed::Signal { to, body, .. } = deed
            && to == alice.session.me
        {
            alice.hears(&bob, &body);
        }
    }
    let done = alice.done();
    let key = |deed: &Deed| matches!(deed, Deed::Order(MediaOrder::OpenWith { .. }));
    assert!(done.iter().any(key), "a key came");
    // Alice offers: Bob asked her for the new path.
    assert_eq!(restarts(&done, &bob), 0, "too soon after the last one");
    alice.now += 3_000;
    bob.now += REPAIR_PAUSE;
    assert!(repairs(&mut bob, &alice));
    for deed in bob.done() {
        if let Deed::Signal { to, body, .. } = deed
            && to == alice.session.me
        {
            alice.hears(&bob, &body);
        }
    }
    assert_eq!(restarts(&alice.done(), &bob), 1);
}

#[test]
fn repairs_cannot_be_had_as_fast_as_one_can_click() {
    let [mut alice, bob, _] = connected();
    assert!(repairs(&mut alice, &bob));
    alice.out.clear();
    let kid = alice.session.own.newest_kid();
    for _ in 0..50 {
        assert!(repairs(&mut alice, &bob), "it is fine");
    }
    assert!(alice.done().is_empty(), "and does nothing");
    assert_eq!(alice.session.own.newest_kid(), kid);
    alice.now += REPAIR_PAUSE;
    assert!(repairs(&mut alice, &bob));
    assert_eq!(restarts(&alice.done(), &bob), 1);
}

#[test]
fn what_was_given_up_is_tried_again_and_what_was_refused_is_not() {
    let [mut alice, bob, _] = connected();
    let report = MediaReport::Interrupted {
        call: CALL,
        peer: bob.session.me,
    };
    alice.acts(|session, tick| session.report(tick, report));
    alice.now += crate::call::link::GIVE_UP;
    alice.acts(Session::wake);
    let silent = Connection::Failed(PeerFailure::Silent);
    assert_eq!(alice.connection(&bob), silent);
    alice.out.clear();
    assert!(repairs(&mut alice, &bob));
    assert_eq!(alice.connection(&bob), Connection::Connecting);
    let connects = |o: &MediaOrder| matches!(o, MediaOrder::Connect { .. });
    assert!(alice.orders().iter().any(connects));

    let [mut alice, bob, _] = negotiated();
    alice.connected(&bob, Fingerprint([1; 32]), Fingerprint([6; 32]));
    alice.out.clear();
    assert!(repairs(&mut alice, &bob));
    let refused = Connection::Failed(PeerFailure::Certificate);
    assert_eq!(alice.connection(&bob), refused);
    assert!(!alice.orders().iter().any(connects));
    assert!(!repairs(&mut alice, &Person::new(7)), "a stranger");
}
