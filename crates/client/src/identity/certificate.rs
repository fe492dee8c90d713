//! Device certificates: issued, checked, and as the bytes of an MLS
//! credential. Whether one is valid *now* is asked of the [`Vouched`] that a
//! check hands out; whether the device was revoked is not known here.

use super::{AccountKey, PublicKey};
use sotto_wire::{Bytes, DeviceId, Millis, UserId, auth::DeviceCertificate};

/// Why a certificate vouches for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("not a certificate")]
    Shape,
    #[error("a certificate of another version")]
    OtherVersion,
    #[error("the account key is no key")]
    AccountKey,
    #[error("the account did not sign it")]
    Signature,
}

/// What an account says of one of its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    pub user: UserId,
    pub account: PublicKey,
    pub device: DeviceId,
    /// The Ed25519 key that the device's MLS leaf must have.
    pub leaf_key: [u8; LEAF_KEY],
    pub not_before: Millis,
    pub not_after: Millis,
}

impl Vouched {
    /// Both ends belong to the time in which it holds.
    pub fn holds_at(&self, now: Millis) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

const LEAF_KEY: usize = 32;
const SIGNATURE: usize = 64;
const VERSION: u8 = 1;

/// Length of an encoded certificate in bytes.
pub const CERTIFICATE_SIZE: usize =
    1 + PublicKey::SIZE + DeviceId::SIZE + LEAF_KEY + 8 + 8 + SIGNATURE;

/// Vouches for a device from `not_before` to `not_after`.
pub fn issue_certificate(
    account: &AccountKey,
    device: DeviceId,
    leaf_key: &[u8; LEAF_KEY],
    not_before: Millis,
    not_after: Millis,
) -> DeviceCertificate {
    let mut certificate = DeviceCertificate {
        account_key: account.public().as_bytes().as_slice().into(),
        device,
        leaf_key: leaf_key.as_slice().into(),
        not_before,
        not_after,
        signature: Bytes::default(),
    };
    certificate.signature = account.sign(&certificate.transcript()).as_slice().into();
    certificate
}

/// Checks sizes, account key and signature, but not the dates: whoever asks
/// knows which time counts.
pub fn check_certificate(certificate: &DeviceCertificate) -> Result<Vouched, CertificateError> {
    let leaf_key = certificate.leaf_key[..]
        .try_into()
        .map_err(|_| CertificateError::Shape)?;
    let account =
        PublicKey::parse(&certificate.account_key).map_err(|_| CertificateError::AccountKey)?;
    account
        .verify(&certificate.transcript(), &certificate.signature)
        .map_err(|_| CertificateError::Signature)?;
    Ok(Vouched {
        user: account.user(),
        account,
        device: certificate.device,
        leaf_key,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
    })
}

/// A version byte, then account key (33), device id (16), leaf key (32),
/// `not_before` and `not_after` (8 each, big-endian) and signature (64).
///
/// A certificate with fields of other sizes encodes to something that does
/// not decode, or whose signature does not hold.
pub fn encode_certificate(certificate: &DeviceCertificate) -> Vec<u8> {
    let mut out = Vec::with_capacity(CERTIFICATE_SIZE);
    out.push(VERSION);
    out.extend_from_slice(&certificate.account_key);
    out.extend_from_slice(certificate.device.as_bytes());
    out.extend_from_slice(&certificate.leaf_key);
    out.extend_from_slice(&certificate.not_before.to_be_bytes());
    out.extend_from_slice(&certificate.not_after.to_be_bytes());
    out.extend_from_slice(&certificate.signature);
    out
}

/// The inverse of [`encode_certificate`]. Sizes are right afterwards; the rest
/// is for [`check_certificate`].
pub fn decode_certificate(bytes: &[u8]) -> Result<DeviceCertificate, CertificateError> {
    let (&version, mut rest) = bytes.split_first().ok_or(CertificateError::Shape)?;
    if version != VERSION {
        return Err(CertificateError::OtherVersion);
    }
    let certificate = DeviceCertificate {
        account_key: take::<{ PublicKey::SIZE }>(&mut rest)?.as_slice().into(),
        device: DeviceId(take(&mut rest)?),
        leaf_key: take::<LEAF_KEY>(&mut rest)?.as_slice().into(),
        not_before: Millis::from_be_bytes(take(&mut rest)?),
        not_after: Millis::from_be_bytes(take(&mut rest)?),
        signature: take::<SIGNATURE>(&mut rest)?.as_slice().into(),
    };
    if rest.is_empty() {
        Ok(certificate)
    } else {
        Err(CertificateError::Shape)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CertificateError> {
    let (head, tail) = rest.split_first_chunk().ok_or(CertificateError::Shape)?;
    *rest = tail;
    Ok(*head)
}
