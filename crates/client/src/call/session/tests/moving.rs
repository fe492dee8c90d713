//! Own addresses that change in a call: a new path is looked for at once, by
//! whoever offers, and nobody is told of an interruption.

use super::*;

fn restarts(orders: &[MediaOrder]) -> usize {
    let of_it = |o: &&MediaOrder| matches!(o, MediaOrder::Restart { .. });
    orders.iter().filter(of_it).count()
}

fn in_touch() -> [Person; 3] {
    let [mut alice, mut bob, carol] = negotiated();
    let (a, b) = (alice.cert, bob.cert);
    alice.connected(&bob, a, b);
    bob.connected(&alice, b, a);
    alice.out.clear();
    bob.out.clear();
    [alice, bob, carol]
}

/// What somebody has to say to somebody else, now or when it is owed.
fn words(from: &mut Person, to: &Person) -> Vec<Vec<u8>> {
    let said = |deed| match deed {
        Deed::Signal { to: whom, body, .. } if whom == to.session.me => Some(body),
        _ => None,
    };
    from.done().into_iter().filter_map(said).collect()
}

#[test]
fn whoever_offers_looks_for_a_new_path_and_stays_connected() {
    let [mut alice, bob, _] = in_touch();
    alice.acts(Session::network_changed);
    let orders = alice.orders();
    assert_eq!(restarts(&orders), 1);
    assert_eq!(alice.connection(&bob), Connection::Connected);
}

#[test]
fn whoever_answers_asks_for_it_again_until_an_offer_comes() {
    let [mut alice, mut bob, _] = in_touch();
    bob.acts(Session::network_changed);
    // Lost: the relay was reached from the old address.
    assert_eq!(words(&mut bob, &alice).len(), 1);
    bob.now += 1_000;
    bob.acts(Session::wake);
    alice.now += 3_000;
    for body in words(&mut bob, &alice) {
        alice.hears(&bob, &body);
    }
    assert_eq!(restarts(&alice.orders()), 1);

    alice.described(&bob, DescriptionKind::Offer);
    // The same text would be the same offer.
    let mut fresh = alice.sdp(DescriptionKind::Offer);
    fresh.sdp = fresh.sdp.replace("abcd", "efgh");
    fresh.ufrag = "efgh".into();
    let body = alice.says(&bob, &Payload::Offer(fresh));
    bob.hears(&alice, &body);
    assert_eq!(describes(&bob.orders()), 1);
    bob.now += 60_000;
    bob.acts(Session::wake);
    alice.now += 60_000;
    for body in words(&mut bob, &alice) {
        alice.hears(&bob, &body);
    }
    assert_eq!(restarts(&alice.orders()), 0, "it came");
}

/// The media engine says so of any path that is looked for anew.
fn is_interrupted(person: &mut Person, other: &Person) {
    let report = MediaReport::Interrupted {
        call: CALL,
        peer: other.session.me,
    };
    person.acts(|session, tick| session.report(tick, report));
}

#[test]
fn one_change_has_one_restart_at_the_end_that_offers() {
    let [mut alice, bob, _] = in_touch();
    alice.acts(Session::network_changed);
    assert_eq!(restarts(&alice.orders()), 1);
    is_interrupted(&mut alice, &bob);
    alice.now += 4_999;
    alice.acts(Session::wake);
    assert_eq!(restarts(&alice.orders()), 0, "the first is on its way");
    alice.now += 1;
    alice.acts(Session::wake);
    assert_eq!(restarts(&alice.orders()), 1, "it led nowhere");
}

#[test]
fn one_change_has_one_restart_at_the_end_that_answers() {
    let [mut alice, mut bob, _] = in_touch();
    alice.now += 10_000;
    bob.now += 10_000;
    let mut fresh = alice.sdp(DescriptionKind::Offer);
    fresh.sdp = fresh.sdp.replace("abcd", "efgh");
    let report = MediaReport::Described {
        call: CALL,
        peer: bob.session.me,
        description: Description {
            kind: DescriptionKind::Offer,
            sdp: fresh.sdp,
        },
    };
    alice.acts(|session, tick| session.report(tick, report));
    for body in words(&mut alice, &bob) {
        bob.hears(&alice, &body);
    }
    assert_eq!(describes(&bob.orders()), 1);
    bob.described(&alice, DescriptionKind::Answer);
    for body in words(&mut bob, &alice) {
        alice.hears(&bob, &body);
    }
    assert_eq!(describes(&alice.orders()), 1);
    is_interrupted(&mut bob, &alice);
    alice.now += 4_999;
    bob.now += 4_999;
    bob.acts(Session::wake);
    for body in words(&mut bob, &alice) {
        alice.hears(&bob, &body);
    }
    assert_eq!(restarts(&alice.orders()), 0, "it is on its way");
}

#[test]
fn a_path_that_is_found_again_ends_the_wish_for_one() {
    let [mut alice, mut bob, _] = in_touch();
    bob.now += 10_000;
    is_interrupted(&mut bob, &alice);
    // Lost, and the path came back by itself.
    assert_eq!(words(&mut bob, &alice).len(), 1);
    let (a, b) = (alice.cert, bob.cert);
    bob.connected(&alice, b, a);
    alice.now += 60_000;
    bob.now += 60_000;
    bob.acts(Session::wake);
    for body in words(&mut bob, &alice) {
        alice.hears(&bob, &body);
    }
    assert_eq!(restarts(&alice.orders()), 0);
}

#[test]
fn restarts_that_both_ends_want_are_not_on_top_of_each_other() {
    let [mut alice, mut bob, _] = in_touch();
    alice.now += 10_000;
    bob.now += 10_000;
    is_interrupted(&mut alice, &bob);
    assert_eq!(restarts(&alice.orders()), 1);
    alice.now += 4_000;
    bob.now += 4_000;
    is_interrupted(&mut bob, &alice);
    for body in words(&mut bob, &alice) {
        alice.hears(&bob, &body);
    }
    assert_eq!(restarts(&alice.orders()), 1, "Bob asked");
    alice.now += 1_000;
    alice.acts(Session::wake);
    assert_eq!(restarts(&alice.orders()), 0, "that one is on its way");
    alice.now += 4_000;
    alice.acts(Session::wake);
    assert_eq!(restarts(&alice.orders()), 1);
}

#[test]
fn a_connection_that_is_being_made_begins_anew() {
    let [mut alice, _, _] = of_three();
    alice.acts(Session::network_changed);
    let orders = alice.orders();
    let connects = |o: &&MediaOrder| matches!(o, MediaOrder::Connect { .. });
    assert_eq!(orders.iter().filter(connects).count(), 2, "{orders:?}");
    assert_eq!(restarts(&orders), 0);
}
