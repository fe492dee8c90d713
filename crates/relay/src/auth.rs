//! Judging credentials: sign-in signatures, access tokens, challenges,
//! tickets and refresh tokens.
//!
//! Time and randomness are arguments. Whether an account may still act is the
//! hub's to say, not decided here.

pub mod jwt;
pub mod once;
pub mod refresh;

use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use sha2::{Digest as _, Sha256};
use sotto_wire::{
    DeviceId, ErrorCode, Millis, UserId, WireError,
    auth::{DeviceCertificate, TokenRequest, sign_in_transcript},
};

/// Clocks of client and relay may differ by this much (milliseconds).
const LEEWAY: Millis = 10 * 60 * 1000;

/// SHA-256, which is all the hashing a relay does.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn bad<T>(why: &str) -> Result<T, WireError> {
    Err(WireError::new(ErrorCode::BadCredential, why))
}

/// The user and device that a sign-in proves.
///
/// The caller has checked that the challenge was given to this user and is
/// unspent, and that the audience is this relay.
pub fn judge_sign_in(request: &TokenRequest, now: Millis) -> Result<(UserId, DeviceId), WireError> {
    let certificate = &request.certificate;
    let key = account_key(&certificate.account_key)?;
    let user = UserId(sha256(&certificate.account_key));
    judge_certificate(certificate, &key, now)?;
    let transcript = sign_in_transcript(
        &request.audience,
        &request.challenge,
        &user,
        &certificate.device,
    );
    verify(&key, &transcript, &request.signature)?;
    Ok((user, certificate.device))
}

/// The account that a certificate claims to be of, before anything is proven.
pub fn claimed_user(certificate: &DeviceCertificate) -> UserId {
    UserId(sha256(&certificate.account_key))
}

fn judge_certificate(
    certificate: &DeviceCertificate,
    key: &VerifyingKey,
    now: Millis,
) -> Result<(), WireError> {
    if certificate.leaf_key.len() != 32 {
        return bad("the device certificate is malformed");
    }
    verify(key, &certificate.transcript(), &certificate.signature)?;
    let begun = certificate.not_before <= now.saturating_add(LEEWAY);
    let ended = certificate.not_after.saturating_add(LEEWAY) <= now;
    if !begun || ended {
        return bad("the device certificate is not valid now; is the clock right?");
    }
    Ok(())
}

/// Exactly one encoding is accepted, since the user id is a hash of it.
fn account_key(bytes: &[u8]) -> Result<VerifyingKey, WireError> {
    if bytes.len() != 33 {
        return bad("the account key is malformed");
    }
    VerifyingKey::from_sec1_bytes(bytes).or_else(|_| bad("the account key is malformed"))
}

fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Result<(), WireError> {
    let wrong = "the signature does not hold";
    if signature.len() != 64 {
        return bad(wrong);
    }
    let Ok(signature) = Signature::from_slice(signature) else {
        return bad(wrong);
    };
    key.verify(message, &signature).or_else(|_| bad(wrong))
}

#[cfg(test)]
mod tests;
