//! Refresh tokens: a family and a secret, 16 + 32 random bytes. The relay
//! keeps hashes of both. The family stays over all rotations, the secret is
//! new each time: a living family shown with another secret is a spent token.

use super::sha256;
use sotto_wire::{Millis, bytes, frame::Token};

/// The two halves of a token, hashed as they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    pub family: [u8; 32],
    pub secret: [u8; 32],
}

/// A new token, in the family of `old` if there is one.
pub fn issue(family: [u8; 16], secret: [u8; 32]) -> (Token, Hashed) {
    let token = [&family[..], &secret[..]].concat();
    (
        Token(bytes::encode(&token)),
        Hashed {
            family: sha256(&family),
            secret: sha256(&secret),
        },
    )
}

/// Takes a token apart: the family as issued, and both hashes.
pub fn read(token: &Token) -> Option<([u8; 16], Hashed)> {
    let raw: [u8; 48] = bytes::decode_array(&token.0)?;
    let (family, secret) = raw.split_at(16);
    let family: [u8; 16] = family.try_into().ok()?;
    Some((
        family,
        Hashed {
            family: sha256(&family),
            secret: sha256(secret),
        },
    ))
}

/// Thirty days.
pub const LIFE: Millis = 30 * 24 * 60 * 60 * 1000;
