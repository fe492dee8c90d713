//! The proof that who answers a knock is of the inviter's own room.
//!
//! Every invite has a key pair. Its secret half is in the room state and
//! nowhere else, so that any member can answer; a link does not hold it. The
//! inviter's account signs the public half, and a link names that account. A
//! Welcome comes with both: what the inviter signed, and a signature of this
//! very letter. Having the link, and the relay as well, is not enough to make
//! one.
//!
//! It says nothing about time: who was a member while the invite was open has
//! its key for ever. A joiner takes no Welcome for a link that has expired
//! before they knocked; whether it was closed since, only members know.

use super::InviteSecret;
use crate::{
    identity::{AccountKey, PublicKey},
    seal::{Purpose, mac},
};
use p256::NonZeroScalar;
use rand_core::CryptoRng;
use sotto_wire::{MessageId, Millis, RoomId, UserId, auth::Transcript};
use std::{fmt, sync::OnceLock};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

const SIGNATURE: usize = 64;

/// The half of an invite that stays in the room: an ECDSA P-256 scalar. Wiped
/// when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InviteKey {
    secret: [u8; 32],
    /// Worked out when it is first asked for: the state of a room is read far
    /// more often.
    #[zeroize(skip)]
    public: OnceLock<PublicKey>,
}

impl InviteKey {
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::of(*AccountKey::generate(rng).secret())
    }

    /// `None` for bytes that are no key.
    pub fn from_bytes(secret: [u8; 32]) -> Option<Self> {
        let is_one = NonZeroScalar::try_from(secret.as_slice()).is_ok();
        is_one.then(|| Self::of(secret))
    }

    fn of(secret: [u8; 32]) -> Self {
        Self {
            secret,
            public: OnceLock::new(),
        }
    }

    /// The scalar, big-endian, for the room state.
    pub fn expose(&self) -> &[u8; 32] {
        &self.secret
    }

    pub fn public(&self) -> PublicKey {
        *self.public.get_or_init(|| self.signer().public())
    }

    fn signer(&self) -> AccountKey {
        AccountKey::from_secret(&self.secret).expect("it was looked at when it was read")
    }
}

impl fmt::Debug for InviteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<invite key>")
    }
}

impl PartialEq for InviteKey {
    fn eq(&self, other: &Self) -> bool {
        self.secret.ct_eq(&other.secret).into()
    }
}

impl Eq for InviteKey {}

/// A proof that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this does not come from where the link leads")]
pub struct BadProof;

/// What an inviter promises by a link; they sign it, and who joins knows it
/// from the link.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub room: RoomId,
    pub invite: MessageId,
    pub secret: &'a InviteSecret,
    pub expires: Millis,
}

impl Terms<'_> {
    /// By the inviter's account. 64 bytes, `r ‖ s`.
    pub fn sign(&self, account: &AccountKey, key: &PublicKey) -> [u8; SIGNATURE] {
        account.sign(&self.transcript(key))
    }

    pub fn check(
        &self,
        account: &PublicKey,
        key: &PublicKey,
        signature: &[u8],
    ) -> Result<(), BadProof> {
        account
            .verify(&self.transcript(key), signature)
            .map_err(|_| BadProof)
    }

    /// What [`Self::sign`] signs.
    pub fn transcript(&self, key: &PublicKey) -> Vec<u8> {
        let mut out = Transcript::new("sotto v1 invite");
        out.field(self.room.as_bytes());
        out.field(self.invite.as_bytes());
        out.field(&mac(
            self.secret.expose(),
            Purpose::InviteCommitment,
            self.invite.as_bytes(),
        ));
        out.field(&self.expires.to_be_bytes());
        out.field(key.as_bytes());
        out.finish()
    }
}

/// The answer to one knock.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub terms: Terms<'a>,
    pub knock: MessageId,
    /// Who knocked.
    pub to: UserId,
    /// What the letter holds.
    pub letter: &'a [u8],
}

impl Answer<'_> {
    fn transcript(&self) -> Vec<u8> {
        let mut out = Transcript::new("sotto v1 answer");
        out.field(self.terms.room.as_bytes());
        out.field(self.terms.invite.as_bytes());
        out.field(self.knock.as_bytes());
        out.field(self.to.as_bytes());
        out.field(self.letter);
        out.finish()
    }
}

/// What stands in front of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The inviter's account.
    pub account: PublicKey,
    /// The public half of the invite's key.
    pub key: PublicKey,
    /// The account's signature, see [`Terms::sign`].
    pub vouching: [u8; SIGNATURE],
    /// The invite key's signature of the letter.
    pub signature: [u8; SIGNATURE],
}

impl Proof {
    /// Length in bytes.
    pub const SIZE: usize = 2 * PublicKey::SIZE + 2 * SIGNATURE;

    pub fn make(
        account: PublicKey,
        vouching: [u8; SIGNATURE],
        key: &InviteKey,
        answer: &Answer<'_>,
    ) -> Self {
        Self {
            account,
            key: key.public(),
            vouching,
            signature: key.signer().sign(&answer.transcript()),
        }
    }

    /// Whether it answers this knock, and by the word of `inviter`.
    pub fn check(&self, inviter: &UserId, answer: &Answer<'_>) -> Result<(), BadProof> {
        if self.account.user() != *inviter {
            return Err(BadProof);
        }
        answer
            .terms
            .check(&self.account, &self.key, &self.vouching)?;
        self.key
            .verify(&answer.transcript(), &self.signature)
            .map_err(|_| BadProof)
    }

    /// Account and key (33 bytes each), then both signatures (64 each).
    pub fn encode(&self) -> Vec<u8> {
        [
            self.account.as_bytes().as_slice(),
            self.key.as_bytes(),
            &self.vouching,
            &self.signature,
        ]
        .concat()
    }

    /// Takes it off the front of a letter; the rest is what was signed.
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), BadProof> {
        let (account, rest) = take::<{ PublicKey::SIZE }>(bytes)?;
        let (key, rest) = take::<{ PublicKey::SIZE }>(rest)?;
        let (vouching, rest) = take(rest)?;
        let (signature, letter) = take(rest)?;
        let proof = Self {
            account: PublicKey::parse(account).map_err(|_| BadProof)?,
            key: PublicKey::parse(key).map_err(|_| BadProof)?,
            vouching: *vouching,
            signature: *signature,
        };
        Ok((proof, letter))
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), BadProof> {
    bytes.split_first_chunk().ok_or(BadProof)
}

#[cfg(test)]
mod tests;
