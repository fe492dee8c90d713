//! The safety number of two people: what they compare to know that nobody
//! sits between them. It comes from the two account keys and nothing else;
//! who is verified is kept elsewhere.
//!
//! Each key is hashed to a fingerprint, 5200 rounds of SHA-256, which makes
//! searching for a key with a similar number that much dearer. The first 30
//! bytes give 30 digits: six groups of five bytes, each modulo 100000. The two halves stand
//! in the order of the keys, so that both people see the same 60 digits.

use crate::identity::PublicKey;
use sha2::{Digest, Sha256};
use sotto_wire::{Bytes, auth::Transcript};

/// Hashing rounds of a fingerprint. Raising it changes every number.
const ROUNDS: usize = 5200;
const FINGERPRINT: usize = 32;
const QR_VERSION: u8 = 1;

/// What a scanned code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QrMatch {
    /// Both keys are the ones in use here.
    Same,
    /// It is not the code of the expected person.
    OtherPerson,
    /// It is that person's code, but they hold another key for me.
    OtherMe,
    OtherVersion,
    NotACode,
}

/// 60 digits without blanks, the same for both.
pub fn safety_digits(a: &PublicKey, b: &PublicKey) -> String {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    half(first) + &half(second)
}

/// What my QR code carries: version, my fingerprint, theirs.
pub fn safety_qr(mine: &PublicKey, theirs: &PublicKey) -> Bytes {
    let mut code = vec![QR_VERSION];
    code.extend_from_slice(&fingerprint(mine));
    code.extend_from_slice(&fingerprint(theirs));
    code.into()
}

/// Judges a code that was scanned from the other person's screen.
pub fn check_qr(scanned: &[u8], mine: &PublicKey, theirs: &PublicKey) -> QrMatch {
    let Some((&version, prints)) = scanned.split_first() else {
        return QrMatch::NotACode;
    };
    if prints.len() != 2 * FINGERPRINT {
        return QrMatch::NotACode;
    }
    if version != QR_VERSION {
        return QrMatch::OtherVersion;
    }
    let (owner, other) = prints.split_at(FINGERPRINT);
    if owner != fingerprint(theirs) {
        QrMatch::OtherPerson
    } else if other != fingerprint(mine) {
        QrMatch::OtherMe
    } else {
        QrMatch::Same
    }
}

fn half(key: &PublicKey) -> String {
    fingerprint(key)
        .chunks_exact(5)
        .take(6)
        .map(|chunk| {
            let number = chunk
                .iter()
                .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
            format!("{:05}", number % 100_000)
        })
        .collect()
}

fn fingerprint(key: &PublicKey) -> [u8; FINGERPRINT] {
    let mut start = Transcript::new("sotto v1 safety number");
    start.field(key.as_bytes());
    let mut hash = Sha256::digest(start.finish());
    for _ in 0..ROUNDS {
        hash = Sha256::new()
            .chain_update(hash)
            .chain_update(key.as_bytes())
            .finalize();
    }
    hash.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::AccountKey;

    fn key(seed: u8) -> PublicKey {
        AccountKey::from_secret(&[seed; 32]).unwrap().public()
    }

    #[test]
    fn alice_and_bob_see_the_same_number() {
        let (alice, bob) = (key(1), key(2));
        let number = safety_digits(&alice, &bob);
        assert_eq!(number, safety_digits(&bob, &alice));
        assert_eq!(number.len(), 60);
        assert!(number.bytes().all(|b| b.is_ascii_digit()));
    }

    #[test]
    fn the_number_of_two_keys_never_changes() {
        assert_eq!(safety_digits(&key(1), &key(2)), NUMBER_OF_1_AND_2);
    }

    /// Computed by another implementation of the module's description.
    const NUMBER_OF_1_AND_2: &str = "317195804254429292636536307801280434903664652997410082902045";

    #[test]
    fn somebody_between_them_changes_the_number() {
        let (alice, bob, mallory) = (key(1), key(2), key(3));
        assert_ne!(safety_digits(&alice, &bob), safety_digits(&alice, &mallory));
        assert_ne!(safety_digits(&alice, &bob), safety_digits(&mallory, &bob));
    }

    #[test]
    fn a_scanned_code_says_whose_key_is_wrong() {
        let (alice, bob, mallory) = (key(1), key(2), key(3));
        let check = |code: &[u8], expect| assert_eq!(check_qr(code, &alice, &bob), expect);
        let code = safety_qr(&bob, &alice);
        assert_eq!(code.len(), 65);
        check(&code, QrMatch::Same);
        check(&safety_qr(&mallory, &alice), QrMatch::OtherPerson);
        check(&safety_qr(&bob, &mallory), QrMatch::OtherMe);
        check(&safety_qr(&alice, &bob), QrMatch::OtherPerson);
        check(&code[..64], QrMatch::NotACode);
        check(b"https://example.org", QrMatch::NotACode);
        check(&[], QrMatch::NotACode);
        let mut newer = code.to_vec();
        newer[0] = 2;
        check(&newer, QrMatch::OtherVersion);
    }
}
