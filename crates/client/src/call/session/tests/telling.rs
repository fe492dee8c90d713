//! What one end lets another know of itself: its version, and what of it does
//! not work.

use super::*;
use crate::call::{
    media::{Source, SourceState, Trouble},
    view::{MediaState, Troubles},
};

/// A signal of another version from one to the other.
fn foreign(from: &mut Person, to: &Person, text: &str) -> Vec<u8> {
    let peer = to.session.me;
    from.acts(|session, tick| {
        let link = session.link(&peer).expect("a link");
        link.channel.seal_text(&CALL, tick.rng, text)
    })
}

/// Hands over whatever one said to the other.
fn deliver(from: &mut Person, to: &mut Person) -> usize {
    let mine = |deed| match deed {
        Deed::Signal { to: peer, body, .. } if peer == to.session.me => Some(body),
        _ => None,
    };
    let bodies: Vec<Vec<u8>> = from.done().into_iter().filter_map(mine).collect();
    for body in &bodies {
        to.hears(from, body);
    }
    bodies.len()
}

#[test]
fn another_version_is_named_and_the_rest_of_the_call_goes_on() {
    for text in [r#"{"v":2,"letter":"sealed anew"}"#, r#"{"v":0}"#] {
        let [mut alice, bob, mut carol] = negotiated();
        alice.connected(&bob, Fingerprint([1; 32]), Fingerprint([2; 32]));
        alice.out.clear();
        let body = foreign(&mut carol, &alice, text);
        alice.hears(&carol, &body);
        let other = Connection::Failed(PeerFailure::Version);
        assert_eq!(alice.connection(&carol), other);
        assert_eq!(alice.connection(&bob), Connection::Connected);
        let peer = carol.session.me;
        let done = alice.done();
        assert!(done.contains(&Deed::Reject(peer.user, Why::UnknownContent)));
        let disconnect = MediaOrder::Disconnect { call: CALL, peer };
        assert!(done.contains(&Deed::Order(disconnect)));
        // Neither time nor the relay makes it another one.
        let devices = [bob.session.me.device, peer.device];
        alice.acts(|session, tick| session.present(tick, &devices));
        alice.now += 120_000;
        alice.acts(Session::wake);
        alice.hears(&carol, &body);
        assert_eq!(alice.connection(&carol), other);
        assert_eq!(alice.connection(&bob), Connection::Connected);
        let connects = |o: &MediaOrder| matches!(o, MediaOrder::Connect { .. });
        assert!(!alice.orders().iter().any(connects));
    }
}

fn source(person: &mut Person, source: Source, state: SourceState) {
    let report = MediaReport::Source {
        call: CALL,
        source,
        state,
    };
    person.acts(|session, tick| session.report(tick, report));
}

#[test]
fn what_does_not_work_is_told_to_the_others_and_taken_back() {
    let [mut alice, mut bob, _] = of_three();
    let camera = Sending {
        microphone: true,
        camera: true,
        screen: None,
    };
    alice.acts(|session, tick| session.set_sending(tick, camera));
    source(&mut alice, Source::Camera, SourceState::Busy);
    source(&mut alice, Source::Microphone, SourceState::Vanished);
    deliver(&mut alice, &mut bob);
    let seen = |bob: &Person, alice: &Person| {
        let link = bob.session.link(&alice.session.me).expect("a link");
        link.media
    };
    let both = Troubles {
        microphone: Some(Trouble::Vanished),
        camera: Some(Trouble::Busy),
        screen: None,
    };
    assert_eq!(seen(&bob, &alice).troubles, both);
    assert!(seen(&bob, &alice).camera, "it is wished all the same");

    source(&mut alice, Source::Microphone, SourceState::Works);
    deliver(&mut alice, &mut bob);
    assert_eq!(seen(&bob, &alice).troubles.microphone, None);

    // Of what is turned off, nothing is missing.
    let off = Sending {
        camera: false,
        ..camera
    };
    alice.acts(|session, tick| session.set_sending(tick, off));
    deliver(&mut alice, &mut bob);
    assert_eq!(seen(&bob, &alice).troubles, Troubles::default());
    source(&mut alice, Source::Camera, SourceState::Broken);
    source(&mut alice, Source::Screen, SourceState::Refused);
    // That one does not hear them is one's own affair.
    source(&mut alice, Source::Speaker, SourceState::NoDevice);
    assert_eq!(deliver(&mut alice, &mut bob), 0);
}

#[test]
fn a_lost_word_of_trouble_is_said_again() {
    let [mut alice, mut bob, _] = of_three();
    let camera = Sending {
        camera: true,
        ..Sending::default()
    };
    alice.acts(|session, tick| session.set_sending(tick, camera));
    source(&mut alice, Source::Camera, SourceState::Refused);
    alice.out.clear();
    alice.now += 1_000;
    bob.now += 1_000;
    alice.acts(Session::wake);
    deliver(&mut alice, &mut bob);
    let link = bob.session.link(&alice.session.me).expect("a link");
    assert_eq!(link.media.troubles.camera, Some(Trouble::Refused));
}

#[test]
fn states_with_and_without_troubles_are_read() {
    let before =
        r#"{"purpose":"state","n":1,"microphone":true,"camera":false,"screen":null,"hand":null}"#;
    let state = MediaState {
        microphone: true,
        ..MediaState::default()
    };
    let payload = Payload::state(1, &state);
    assert!(Payload::decode(before) == Some(payload.clone()));
    assert_eq!(payload.encode().as_str(), before);
    let state = MediaState {
        troubles: Troubles {
            microphone: Some(Trouble::NoDevice),
            ..Troubles::default()
        },
        ..state
    };
    let payload = Payload::state(2, &state);
    let text = payload.encode();
    assert!(
        text.ends_with(r#""ails":{"microphone":"no_device"}}"#),
        "{}",
        *text
    );
    assert!(Payload::decode(&text) == Some(payload));
    // A trouble that has no word here yet is a trouble.
    let later = text.replace("no_device", "melted");
    let broken = MediaState {
        troubles: Troubles {
            microphone: Some(Trouble::Broken),
            ..Troubles::default()
        },
        ..state
    };
    assert!(Payload::decode(&later) == Some(Payload::state(2, &broken)));
    let nonsense = text.replace("\"no_device\"", "7");
    assert!(Payload::decode(&nonsense).is_none());
}

#[test]
fn whose_description_cannot_be_used_is_told_apart() {
    let [mut alice, bob, _] = of_three();
    let description = Description {
        kind: DescriptionKind::Offer,
        sdp: "v=0\r\n".into(),
    };
    let report = MediaReport::Described {
        call: CALL,
        peer: bob.session.me,
        description,
    };
    alice.acts(|session, tick| session.report(tick, report));
    let own = Connection::Failed(PeerFailure::OwnDescription);
    assert_eq!(alice.connection(&bob), own);
    assert!(alice.rejects().is_empty(), "it is nobody else's fault");
}
