//! Attacks 7 to 9 by somebody who is in the call.

use super::*;

#[test]
fn attack_07_an_answer_counts_for_the_offer_it_names_only() {
    let [mut alice, mut bob, _] = of_three();
    alice.described(&bob, DescriptionKind::Offer);
    let offer = alice.sdp(DescriptionKind::Offer);
    alice.out.clear();
    let answer = |of: &str| Payload::Answer {
        sdp: sdp(DescriptionKind::Answer, Fingerprint([2; 32])),
        offer: crate::call::sdp::sdp_hash(of).as_slice().into(),
    };
    for wrong in ["another offer", ""] {
        let body = bob.says(&alice, &answer(wrong));
        alice.hears(&bob, &body);
        assert_eq!(alice.rejects(), [Why::CallUnbound]);
    }
    let right = answer(&offer.sdp);
    let body = bob.says(&alice, &right);
    alice.hears(&bob, &body);
    assert_eq!(describes(&alice.orders()), 1);
    // The same again is a repeat; another one for the same offer is not.
    let body = bob.says(&alice, &right);
    alice.hears(&bob, &body);
    assert!(alice.done().is_empty());
    let body = bob.says(
        &alice,
        &Payload::Answer {
            sdp: sdp(DescriptionKind::Answer, Fingerprint([5; 32])),
            offer: crate::call::sdp::sdp_hash(&offer.sdp).as_slice().into(),
        },
    );
    alice.hears(&bob, &body);
    assert_eq!(alice.rejects(), [Why::CallUnbound]);
}

#[test]
fn attack_07_only_the_end_that_should_offers() {
    let [mut alice, mut bob, _] = of_three();
    let offer = Payload::Offer(bob.sdp(DescriptionKind::Offer));
    let body = bob.says(&alice, &offer);
    alice.hears(&bob, &body);
    assert_eq!(alice.rejects(), [Why::CallUnbound]);
    let restart = Payload::Restart { fresh: false };
    let body = alice.says(&bob, &restart);
    bob.hears(&alice, &body);
    assert_eq!(bob.rejects(), [Why::CallUnbound]);
    let answer = Payload::Answer {
        sdp: alice.sdp(DescriptionKind::Answer),
        offer: vec![0; 32].into(),
    };
    let body = alice.says(&bob, &answer);
    bob.hears(&alice, &body);
    assert_eq!(bob.rejects(), [Why::CallUnbound]);
}

#[test]
fn attack_08_a_description_says_what_was_signed_or_counts_for_nothing() {
    let good = sdp(DescriptionKind::Offer, Fingerprint([1; 32]));
    let weak = good.sdp.replace("sha-256", "sha-1");
    let second = format!(
        "{}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fingerprint:sha-256 {}\r\n",
        good.sdp,
        ["CC"; 32].join(":")
    );
    let tries = [
        Sdp {
            fingerprint: vec![7; 32].into(),
            ..good.clone()
        },
        Sdp {
            fingerprint: vec![1; 31].into(),
            ..good.clone()
        },
        Sdp {
            ufrag: "other".into(),
            ..good.clone()
        },
        Sdp {
            sdp: weak,
            ..good.clone()
        },
        Sdp {
            sdp: second,
            ..good.clone()
        },
        Sdp {
            sdp: good.sdp.replace("actpass", "passive"),
            ..good.clone()
        },
        Sdp {
            sdp: String::new(),
            ..good
        },
    ];
    for sdp in tries {
        let [mut alice, mut bob, _] = of_three();
        let body = alice.says(&bob, &Payload::Offer(sdp));
        bob.hears(&alice, &body);
        assert_eq!(bob.rejects(), [Why::CallDescription]);
        assert_eq!(bob.connection(&alice), Connection::Connecting);
    }
}

#[test]
fn attack_08_a_certificate_that_was_not_signed_for_ends_it_in_both_roles() {
    let (alices, bobs) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let evil = Fingerprint([6; 32]);
    let failed = Connection::Failed(PeerFailure::Certificate);
    for (local, remote) in [(alices, evil), (evil, bobs), (bobs, alices)] {
        let [mut alice, bob, _] = negotiated();
        alice.connected(&bob, local, remote);
        assert_eq!(alice.connection(&bob), failed);
        let disconnect = MediaOrder::Disconnect {
            call: CALL,
            peer: bob.session.me,
        };
        let done = alice.done();
        assert!(done.contains(&Deed::Order(disconnect)));
        assert!(done.contains(&Deed::Reject(bob.session.me.user, Why::CallCertificate)));
    }
    // And where Bob is the one who looks.
    let [alice, mut bob, _] = negotiated();
    bob.connected(&alice, bobs, evil);
    assert_eq!(bob.connection(&alice), failed);
}

#[test]
fn attack_08_both_ends_must_have_seen_the_same_two_certificates() {
    let (alices, bobs) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let evil = Fingerprint([6; 32]);
    for (seen, fine) in [
        ((bobs, alices), true),
        ((bobs, evil), false),
        ((evil, alices), false),
        ((alices, bobs), false),
    ] {
        for early in [false, true] {
            let [mut alice, mut bob, _] = negotiated();
            if !early {
                alice.connected(&bob, alices, bobs);
            }
            let body = bob.says(&alice, &Payload::confirm(seen, true));
            alice.hears(&bob, &body);
            if early {
                alice.connected(&bob, alices, bobs);
            }
            let link = alice.session.link(&bob.session.me).expect("a link");
            assert_eq!(link.is_confirmed(), fine, "{seen:?}");
            let rejects = alice.rejects();
            let expected: &[Why] = if fine { &[] } else { &[Why::CallCertificate] };
            assert_eq!(rejects, expected);
        }
    }
}

#[test]
fn attack_09_candidates_that_scan_or_leak_reach_nobody() {
    let [mut alice, mut bob, _] = negotiated();
    bob.out.clear();
    let of = crate::call::sdp::sdp_hash(&alice.sdp(DescriptionKind::Offer).sdp);
    let line = |address: &str| CandidateLine {
        line: format!("candidate:1 1 udp 1 {address} 5000 typ host"),
        mid: "0".into(),
    };
    let list = [
        "127.0.0.1",
        "intranet.local",
        "0.0.0.0",
        "224.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "192.168.1.9",
    ];
    let payload = Payload::Candidates {
        of: of.as_slice().into(),
        list: list.map(line).to_vec(),
    };
    let body = alice.says(&bob, &payload);
    bob.hears(&alice, &body);
    let done = bob.done();
    let added: Vec<&Candidate> = done
        .iter()
        .filter_map(|deed| match deed {
            Deed::Order(MediaOrder::AddCandidate { candidate, .. }) => Some(candidate),
            _ => None,
        })
        .collect();
    assert_eq!(added.len(), 1);
    assert!(added[0].line.contains("192.168.1.9"));
    assert!(done.contains(&Deed::Reject(alice.session.me.user, Why::CallCandidate)));
    // Not for another description, and not without end.
    let other = Payload::Candidates {
        of: vec![0; 32].into(),
        list: vec![line("192.168.1.10")],
    };
    let body = alice.says(&bob, &other);
    bob.hears(&alice, &body);
    assert!(bob.orders().is_empty());
    let many = (1..=250).map(|n| line(&format!("192.168.2.{n}"))).collect();
    let body = alice.says(
        &bob,
        &Payload::Candidates {
            of: of.as_slice().into(),
            list: many,
        },
    );
    bob.hears(&alice, &body);
    assert_eq!(bob.orders().len(), 63);
}

#[test]
fn attack_09_nothing_is_sent_of_our_network_that_others_would_refuse() {
    let [mut alice, bob, _] = of_three();
    alice.described(&bob, DescriptionKind::Offer);
    alice.out.clear();
    for address in ["127.0.0.1", "mybox.local", "fe80::1"] {
        let candidate = Some(Candidate {
            line: format!("candidate:1 1 udp 1 {address} 5000 typ host"),
            mid: "0".into(),
        });
        let report = MediaReport::Gathered {
            call: CALL,
            peer: bob.session.me,
            candidate,
        };
        alice.acts(|session, tick| session.report(tick, report));
    }
    assert!(alice.done().is_empty());
}
