//! Who somebody is: account keys, the certificates they issue to devices, and
//! the signature that signs in at a relay.
//!
//! An account is an ECDSA P-256 key; its name, the [`UserId`], is the SHA-256
//! of the public key. Signatures are over SHA-256, 64 bytes `r ‖ s`, and never
//! DER. Nothing here keeps a key or looks at a clock.

use p256::{
    ecdsa::{Signature, SigningKey, VerifyingKey, signature::Signer},
    elliptic_curve::Generate,
};
use rand_core::CryptoRng;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};
use sotto_wire::{
    Bytes, UserId,
    auth::{DeviceCertificate, sign_in_transcript},
};
use std::fmt;
use zeroize::Zeroizing;

mod certificate;

pub use certificate::{
    CERTIFICATE_SIZE, CertificateError, Vouched, check_certificate, decode_certificate,
    encode_certificate, issue_certificate,
};

/// Bytes that are no P-256 key of the expected form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 key")]
pub struct BadKey;

/// A signature that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct BadSignature;

/// The secret half of an account. Wiped when dropped.
pub struct AccountKey(SigningKey);

impl AccountKey {
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(SigningKey::generate_from_rng(rng))
    }

    /// The inverse of [`Self::secret`]. Zero and numbers beyond the group's
    /// order are no keys.
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, BadKey> {
        SigningKey::from_slice(secret).map(Self).map_err(|_| BadKey)
    }

    /// The scalar, big-endian.
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        let mut secret = Zeroizing::new([0; 32]);
        let mut scalar = self.0.to_bytes();
        secret.copy_from_slice(&scalar);
        zeroize::Zeroize::zeroize(scalar.as_mut_slice());
        secret
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::of(self.0.verifying_key())
    }

    pub fn user(&self) -> UserId {
        self.public().user()
    }

    /// ECDSA over SHA-256 with the nonce of RFC 6979 and the lower of the two
    /// values that `s` can have: one message, one signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = self.0.sign(message);
        signature.normalize_s().to_bytes().into()
    }
}

impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<account key>")
    }
}

/// The public half of an account: a compressed SEC1 point that is known to be
/// on the curve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; Self::SIZE]);

impl PublicKey {
    /// Length in bytes.
    pub const SIZE: usize = 33;

    /// Reads a compressed point; every other form of a key is refused, so
    /// that one account has one name.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadKey> {
        let bytes: [u8; Self::SIZE] = bytes.try_into().map_err(|_| BadKey)?;
        if !matches!(bytes[0], 2 | 3) {
            return Err(BadKey);
        }
        VerifyingKey::from_sec1_bytes(&bytes).map_err(|_| BadKey)?;
        Ok(Self(bytes))
    }

    fn of(key: &VerifyingKey) -> Self {
        let point = key.to_sec1_point(true);
        Self(
            point
                .as_bytes()
                .try_into()
                .expect("a compressed P-256 point has 33 bytes"),
        )
    }

    pub fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    pub fn user(&self) -> UserId {
        UserId(Sha256::digest(self.0).into())
    }

    /// Checks 64 bytes `r ‖ s`, both from 1 to the group's order. Either of
    /// the two values of `s` is taken.
    ///
    /// By ring, which takes a fifth of the time: whoever enters a room checks
    /// a signature of every member. It holds no secret here.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let key = VerifyingKey::from_sec1_bytes(&self.0).map_err(|_| BadSignature)?;
        let point = key.to_sec1_point(false);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes())
            .verify(message, signature)
            .map_err(|_| BadSignature)
    }
}

/// Prints as the account it belongs to.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key of {:?}", self.user())
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes::from(self.0.as_slice()).serialize(s)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&Bytes::deserialize(d)?).map_err(D::Error::custom)
    }
}

/// Signs in at the relay that is dialed as `audience` (`host:port`), with the
/// challenge that it gave.
pub fn sign_in(
    account: &AccountKey,
    certificate: &DeviceCertificate,
    audience: &str,
    challenge: &[u8],
) -> Bytes {
    let transcript = sign_in_transcript(audience, challenge, &account.user(), &certificate.device);
    account.sign(&transcript).as_slice().into()
}

#[cfg(test)]
mod tests;
