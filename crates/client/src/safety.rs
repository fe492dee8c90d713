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
use sotto_wire::auth::Transcript;

/// Hashing rounds of a fingerprint. Raising it changes every number.
const ROUNDS: usize = 5200;
const FINGERPRINT: usize = 32;

/// 60 digits without blanks, the same for both.
pub fn safety_digits(a: &PublicKey, b: &PublicKey) -> String {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    half(first) + &half(second)
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
}
