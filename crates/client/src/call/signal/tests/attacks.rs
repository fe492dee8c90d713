//! Attack 7: signals somewhere else than where they belong.

use super::*;

#[test]
fn attack_07_a_signal_is_for_one_person_room_and_call() {
    let mut scene = Scene::new();
    let carol = Person::new(3);
    let account = scene.alice.account.public();
    for payload in payloads() {
        let body = scene.seal(&payload);
        // To somebody else, who has a key from Alice too.
        let mut other = carol.to(&scene.alice, ROOM);
        let got = other.open(&CALL, &scene.epochs, &account, NOW, &body);
        assert_eq!(opened(got), Err(Why::CallForged));
        // Under somebody else's name.
        let mut other = scene.bob.to(&carol, ROOM);
        let got = other.open(&CALL, &scene.epochs, &carol.account.public(), NOW, &body);
        assert_eq!(opened(got), Err(Why::CallForged));
        // In another room with the same people and keys.
        let mut other = scene.bob.to(&scene.alice, RoomId([9; 16]));
        let got = other.open(&CALL, &scene.epochs, &account, NOW, &body);
        assert_eq!(opened(got), Err(Why::CallForged));
        // In another call.
        let mut other = scene.bob.to(&scene.alice, ROOM);
        let got = other.open(&CallId([9; 16]), &scene.epochs, &account, NOW, &body);
        assert_eq!(opened(got), Err(Why::CallForged));
        // Back to who made it.
        let mut back = scene.alice.to(&scene.bob, ROOM);
        let got = back.open(&CALL, &scene.epochs, &account, NOW, &body);
        assert_eq!(opened(got), Err(Why::CallForged));
    }
}

#[test]
fn attack_07_a_signal_is_for_one_participation() {
    let mut scene = Scene::new();
    let body = scene.seal(&payloads()[0]);
    let again = Person {
        account: AccountKey::from_secret(&scene.bob.account.secret()).expect("a key"),
        secret: Secret::generate(&mut scene.rng),
        device: scene.bob.device,
    };
    let mut inn = again.to(&scene.alice, ROOM);
    let account = scene.alice.account.public();
    let got = inn.open(&CALL, &scene.epochs, &account, NOW, &body);
    assert_eq!(opened(got), Err(Why::CallForged));
}

#[test]
fn attack_07_a_signal_is_for_one_time() {
    for (later, fine) in [
        (0, true),
        (VALID, true),
        (VALID + SLACK, true),
        (VALID + SLACK + 1, false),
        (24 * 60 * 60 * 1000, false),
    ] {
        let mut scene = Scene::new();
        let body = scene.seal(&payloads()[0]);
        let got = scene.open_at(NOW + later, &body);
        assert_eq!(got.is_ok(), fine, "{later} ms later");
        if !fine {
            assert_eq!(got, Err(Why::CallExpired));
        }
    }
    // Nobody can make one that lasts longer.
    let mut scene = Scene::new();
    let body = scene.seal_at(NOW + SLACK + 1, &payloads()[0]);
    assert_eq!(scene.open(&body), Err(Why::CallExpired));
}

#[test]
fn attack_07_a_signal_is_for_one_epoch() {
    let mut scene = Scene::new();
    let body = scene.seal(&payloads()[0]);
    let account = scene.alice.account.public();
    // The same number in another group, or another branch of this one.
    let mut other = epoch(5);
    other.authenticator = vec![8; 48];
    let got = (scene.inn).open(&CALL, &Epochs::new(other), &account, NOW, &body);
    assert_eq!(opened(got), Err(Why::CallForged));
    // An epoch that is yet to come here waits; nothing was heard.
    let got = (scene.inn).open(&CALL, &Epochs::new(epoch(4)), &account, NOW, &body);
    assert!(matches!(got, Opened::Early));
    // One that was left is kept for a while.
    let mut epochs = Epochs::new(epoch(5));
    for n in 6..9 {
        epochs.enter(epoch(n));
    }
    let got = (scene.inn).open(&CALL, &epochs, &account, NOW, &body);
    assert!(matches!(got, Opened::Payload(_)));
    epochs.enter(epoch(9));
    let body = scene.seal(&payloads()[1]);
    let got = (scene.inn).open(&CALL, &epochs, &account, NOW, &body);
    assert_eq!(opened(got), Err(Why::CallExpired));
}

#[test]
fn attack_07_no_order_of_replays_is_heard_twice() {
    let mut scene = Scene::new();
    let bodies: Vec<_> = payloads().iter().map(|p| scene.seal(p)).collect();
    assert!(scene.open(&bodies[3]).is_ok());
    for old in &bodies[..=3] {
        assert_eq!(scene.open(old), Err(Why::CallReplay));
    }
    assert!(scene.open(&bodies[8]).is_ok());
    for old in &bodies {
        assert_eq!(scene.open(old), Err(Why::CallReplay));
    }
}

/// Seals a letter again after something in it was changed: what only somebody
/// with the participation key could do.
fn reseal(scene: &mut Scene, body: &[u8], change: impl FnOnce(&mut Letter)) -> Vec<u8> {
    let padded = scene.inn.inn.open(CALL.as_bytes(), body).expect("honest");
    let plain = pad::unpad(&padded).expect("honest");
    let mut letter: Letter = serde_json::from_slice(plain).expect("honest");
    change(&mut letter);
    let plain = pad::pad(&serde_json::to_vec(&letter).expect("plain data"));
    scene.out.out.seal(&mut scene.rng, CALL.as_bytes(), &plain)
}

#[test]
fn attack_07_every_field_is_signed() {
    type Change = fn(&mut Letter);
    let changes: [(&str, Change, Why); 8] = [
        ("epoch", |l| l.epoch = 4, Why::CallExpired),
        ("sequence", |l| l.seq += 1, Why::CallForged),
        ("nonce", |l| l.nonce = vec![0; 16].into(), Why::CallForged),
        (
            "nonce's length",
            |l| l.nonce = vec![0; 15].into(),
            Why::CallForged,
        ),
        ("not after", |l| l.not_after += 1, Why::CallForged),
        ("payload", |l| l.payload.push(' '), Why::CallForged),
        ("signature", |l| l.signature.0[5] ^= 1, Why::CallForged),
        ("no signature", |l| l.signature.0.clear(), Why::CallForged),
    ];
    for (what, change, why) in changes {
        let mut scene = Scene::new();
        let body = scene.seal(&payloads()[1]);
        let other = reseal(&mut scene, &body, change);
        assert_eq!(scene.open(&other), Err(why), "{what}");
        assert!(scene.open(&body).is_ok(), "{what} left a trace");
    }
}

#[test]
fn another_version_is_told_from_a_forgery() {
    let mut scene = Scene::new();
    let account = scene.alice.account.public();
    let mut versions = |text: &str| {
        let body = scene.out.seal_text(&CALL, &mut scene.rng, text);
        (scene.inn).open(&CALL, &scene.epochs, &account, NOW, &body)
    };
    // Nothing else in it need be what it is in this version.
    for text in [
        r#"{"v":2}"#,
        r#"{"v":0,"epoch":"none"}"#,
        r#"{"letter":{"seq":[]},"v":70000}"#,
    ] {
        assert!(matches!(versions(text), Opened::OtherVersion), "{text}");
    }
    for text in [
        r#"{"v":"2"}"#,
        r#"{"v":-1}"#,
        r#"{"w":2}"#,
        "2",
        r#"{"v":1}"#,
    ] {
        let forged = matches!(versions(text), Opened::Refused(Why::CallForged));
        assert!(forged, "{text}");
    }
    // Whoever lacks the key cannot make it look as if.
    let body = scene.seal(&payloads()[0]);
    for at in 0..body.len() {
        let mut damaged = body.clone();
        damaged[at] ^= 1;
        assert_eq!(scene.open(&damaged), Err(Why::CallForged));
    }
}

#[test]
fn attack_07_an_answer_cannot_be_moved_to_another_offer() {
    let mut scene = Scene::new();
    let body = scene.seal(&payloads()[1]);
    let other = Payload::Answer {
        sdp: sdp("v=0"),
        offer: vec![9; 32].into(),
    };
    let moved = reseal(&mut scene, &body, |letter| {
        letter.payload = other.encode().to_string();
    });
    assert_eq!(scene.open(&moved), Err(Why::CallForged));
    let as_offer = reseal(&mut scene, &body, |letter| {
        letter.payload = payloads()[0].encode().to_string();
    });
    assert_eq!(scene.open(&as_offer), Err(Why::CallForged));
}
