//! What the others say that they send, and what media is told of it.

use super::*;
use crate::call::{
    media::ScreenMode,
    view::{MediaState, Troubles},
};

fn expectations(orders: Vec<MediaOrder>) -> Vec<Sending> {
    let expected = |order| match order {
        MediaOrder::Expect { sending, .. } => Some(sending),
        _ => None,
    };
    orders.into_iter().filter_map(expected).collect()
}

const SHOWS: MediaState = MediaState {
    microphone: true,
    camera: true,
    screen: None,
    hand: None,
    troubles: Troubles {
        microphone: None,
        camera: None,
        screen: None,
    },
};

#[test]
fn media_is_told_once_of_each_change_of_what_somebody_sends() {
    let [mut alice, mut bob, _] = of_three();
    let mut hear = |n, state: MediaState| {
        let body = bob.says(&alice, &Payload::state(n, &state));
        alice.hears(&bob, &body);
        expectations(alice.orders())
    };
    assert_eq!(hear(1, SHOWS), [SHOWS.sending()]);
    assert_eq!(hear(1, SHOWS), [], "said again");
    let raised = MediaState {
        hand: Some(NOW),
        ..SHOWS
    };
    assert_eq!(hear(2, raised), [], "a hand is no media");
    let screen = MediaState {
        camera: false,
        screen: Some(ScreenMode::Text),
        ..SHOWS
    };
    assert_eq!(hear(3, screen), [screen.sending()]);
    assert_eq!(hear(2, SHOWS), [], "older than what is known");
}

#[test]
fn somebody_who_sends_nothing_from_the_start_is_not_waited_for() {
    let [mut alice, mut bob, _] = of_three();
    let body = bob.says(&alice, &Payload::state(1, &MediaState::default()));
    alice.hears(&bob, &body);
    assert_eq!(expectations(alice.orders()), [Sending::default()]);
}

#[test]
fn a_connection_that_is_made_anew_is_told_again() {
    let [mut alice, mut bob, _] = negotiated();
    let body = bob.says(&alice, &Payload::state(1, &SHOWS));
    alice.hears(&bob, &body);
    alice.out.clear();
    let peer = bob.session.me;
    alice.acts(|session, tick| {
        let (mut air, links) = session.air(tick);
        links
            .get_mut(&peer)
            .expect("a link")
            .connect(&mut air, true);
    });
    let orders = alice.orders();
    let connects = |o: &MediaOrder| matches!(o, MediaOrder::Connect { .. });
    let connect = orders.iter().position(connects).expect("it connects");
    let after = orders[connect..].to_vec();
    assert_eq!(expectations(after), [SHOWS.sending()]);
}
