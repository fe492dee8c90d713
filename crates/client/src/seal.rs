//! Sealing outside of MLS: one AEAD and one MAC, each for a closed set of
//! purposes. Whatever is sealed for one purpose does not open for another,
//! even under the same secret.
//!
//! AES-256-GCM with random 96-bit nonces (NIST SP 800-38D: at most 2^32
//! messages a key), HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869).

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use sotto_wire::auth::Transcript;
use std::fmt;
use zeroize::Zeroizing;

/// What something is sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Asking to be let in, under the invite secret.
    Knock,
    /// Letting somebody in, under a secret of their knock.
    Welcome,
    /// Typing and the like, under a key of the room's epoch.
    Signal,
    /// What a room holds of an invite, so that its secret can be recognized.
    InviteCommitment,
    /// That somebody calls, under a key of the room's epoch.
    CallRing,
    /// Between two ends of a call, under their keys for it.
    CallSignal,
    /// The base key of one sender's frames.
    CallMedia,
}

impl Purpose {
    pub const ALL: [Self; 7] = [
        Self::Knock,
        Self::Welcome,
        Self::Signal,
        Self::InviteCommitment,
        Self::CallRing,
        Self::CallSignal,
        Self::CallMedia,
    ];

    /// Part of every key: never change or reuse one.
    fn label(self) -> &'static str {
        match self {
            Self::Knock => "sotto v1 knock",
            Self::Welcome => "sotto v1 welcome",
            Self::Signal => "sotto v1 signal",
            Self::InviteCommitment => "sotto v1 invite commitment",
            Self::CallRing => "sotto v1 call ring",
            Self::CallSignal => "sotto v1 call signal",
            Self::CallMedia => "sotto v1 call media",
        }
    }
}

/// What was sealed or authenticated by nobody who has the key, or for
/// something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("forged, damaged, or meant for something else")]
pub struct Forged;

/// A key for one purpose and context. Wiped when dropped.
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// `context` tells keys of one secret and purpose apart: a room, a sender.
    pub fn derive(secret: &[u8], purpose: Purpose, context: &[u8]) -> Self {
        Self(derive(secret, Use::Seal, purpose, context))
    }

    /// Nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes).
    pub fn seal<R: CryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        aad: &[u8],
        plaintext: &[u8],
    ) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let mut out = nonce.to_vec();
        out.extend(encrypt(&self.0, &nonce, aad, plaintext));
        out
    }

    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Forged> {
        let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(Forged)?;
        decrypt(&self.0, nonce, aad, ciphertext)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<seal key>")
    }
}

/// Proves knowledge of `secret` over a message, for one purpose.
pub fn mac(secret: &[u8], purpose: Purpose, message: &[u8]) -> [u8; 32] {
    mac_state(secret, purpose, message)
        .finalize()
        .into_bytes()
        .into()
}

/// Compares in constant time; a shortened tag does not hold.
pub fn check_mac(
    secret: &[u8],
    purpose: Purpose,
    message: &[u8],
    tag: &[u8],
) -> Result<(), Forged> {
    mac_state(secret, purpose, message)
        .verify_slice(tag)
        .map_err(|_| Forged)
}

fn mac_state(secret: &[u8], purpose: Purpose, message: &[u8]) -> Hmac<Sha256> {
    let key = derive(secret, Use::Mac, purpose, &[]);
    let mut state =
        Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes a key of any length");
    state.update(message);
    state
}

/// A key that is used elsewhere, from two secrets: who has only one of them
/// has nothing.
pub(crate) fn derive_from_two(
    salt: &[u8],
    secret: &[u8],
    purpose: Purpose,
    context: &[u8],
) -> Zeroizing<[u8; 32]> {
    derive_salted(Some(salt), secret, Use::Elsewhere, purpose, context)
}

const NONCE: usize = 12;

/// What a derived key is used in: one key never serves two algorithms.
#[derive(Clone, Copy)]
enum Use {
    Seal,
    Mac,
    /// By whoever asks for the key itself.
    Elsewhere,
}

fn derive(secret: &[u8], algorithm: Use, purpose: Purpose, context: &[u8]) -> Zeroizing<[u8; 32]> {
    derive_salted(None, secret, algorithm, purpose, context)
}

fn derive_salted(
    salt: Option<&[u8]>,
    secret: &[u8],
    algorithm: Use,
    purpose: Purpose,
    context: &[u8],
) -> Zeroizing<[u8; 32]> {
    let mut info = Transcript::new(purpose.label());
    info.field(match algorithm {
        Use::Seal => b"AES-256-GCM",
        Use::Mac => b"HMAC-SHA-256",
        Use::Elsewhere => b"key",
    });
    info.field(context);
    let mut key = Zeroizing::new([0; 32]);
    let filled = expand(salt, secret, &info.finish(), key.as_mut_slice());
    debug_assert!(filled);
    key
}

/// HKDF-SHA-256; false if `out` is longer than it can fill.
fn expand(salt: Option<&[u8]>, secret: &[u8], info: &[u8], out: &mut [u8]) -> bool {
    Hkdf::<Sha256>::new(salt, secret).expand(info, out).is_ok()
}

fn encrypt(key: &[u8; 32], nonce: &[u8; NONCE], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    Aes256Gcm::new(key.into())
        .encrypt(
            nonce.into(),
            Payload {
                msg: plaintext,
                aad,
            },
        )
        .expect("AES-GCM takes up to 64 GiB")
}

fn decrypt(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Forged> {
    Aes256Gcm::new(key.into())
        .decrypt(
            nonce.into(),
            Payload {
                msg: ciphertext,
                aad,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| Forged)
}

#[cfg(test)]
mod tests;
