//! Signing in over HTTP: shapes, and the bytes that are signed.
//!
//! 1. `POST /v1/auth/challenge` [`ChallengeRequest`] → [`Challenge`]
//! 2. `POST /v1/auth/token` [`TokenRequest`] → [`Tokens`]
//! 3. `POST /v1/auth/refresh` [`RefreshRequest`] → [`Tokens`]; the old refresh
//!    token is spent, and using it again revokes the whole family
//! 4. `POST /v1/auth/ticket` (bearer) → [`Ticket`], for `GET /v1/ws?ticket=`

use crate::{Bytes, DeviceId, Millis, UserId, frame::Token};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeRequest {
    pub account: UserId,
}

/// 32 random bytes, good once and for a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    pub challenge: Bytes,
    pub expires: Millis,
    /// The relay's time, by which it will judge the certificate. Relays of
    /// before do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRequest {
    pub certificate: DeviceCertificate,
    pub challenge: Bytes,
    /// The relay's `host:port` as the client dialed it.
    pub audience: String,
    /// ECDSA P-256 over [`sign_in_transcript`], 64 bytes, `r ‖ s`.
    pub signature: Bytes,
    /// For relays that admit by invite code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    pub refresh: Token,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// JWT, one hour.
    pub access: Token,
    /// Rotating, thirty days.
    pub refresh: Token,
    /// When `access` ends.
    pub expires: Millis,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Single use, thirty seconds.
    pub ticket: Token,
    pub expires: Millis,
}

/// An account vouches for one of its devices. Also the MLS credential of that
/// device's leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCertificate {
    /// Compressed SEC1 P-256 public key, 33 bytes.
    pub account_key: Bytes,
    pub device: DeviceId,
    /// The device's MLS signature key: Ed25519, 32 bytes.
    pub leaf_key: Bytes,
    pub not_before: Millis,
    pub not_after: Millis,
    /// ECDSA P-256 by the account key over [`DeviceCertificate::transcript`],
    /// 64 bytes, `r ‖ s`.
    pub signature: Bytes,
}

impl DeviceCertificate {
    /// What the account key signs.
    pub fn transcript(&self) -> Vec<u8> {
        let mut out = Transcript::new("sotto v1 device certificate");
        out.field(&self.account_key);
        out.field(self.device.as_bytes());
        out.field(&self.leaf_key);
        out.field(&self.not_before.to_be_bytes());
        out.field(&self.not_after.to_be_bytes());
        out.finish()
    }
}

/// What a sign-in signs. It names the relay, so a signature that one relay
/// coaxes out of a client is useless at another.
pub fn sign_in_transcript(
    audience: &str,
    challenge: &[u8],
    user: &UserId,
    device: &DeviceId,
) -> Vec<u8> {
    let mut out = Transcript::new("sotto v1 sign-in");
    out.field(audience.as_bytes());
    out.field(challenge);
    out.field(user.as_bytes());
    out.field(device.as_bytes());
    out.finish()
}

/// Bytes to be signed or hashed: a purpose, then fields with their lengths, so
/// that no two lists of fields read alike.
pub struct Transcript(Vec<u8>);

impl Transcript {
    pub fn new(purpose: &str) -> Self {
        let mut out = Self(Vec::new());
        out.field(purpose.as_bytes());
        out
    }

    pub fn field(&mut self, bytes: &[u8]) {
        let len = u32::try_from(bytes.len()).expect("fields are far below 4 GiB");
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_tells_the_time_and_may_leave_it_out() {
        let text = r#"{"challenge":"BQUF","expires":1700000060000,"server_time":1700000000000}"#;
        let challenge = Challenge {
            challenge: vec![5; 3].into(),
            expires: 1_700_000_060_000,
            server_time: Some(1_700_000_000_000),
        };
        assert_eq!(serde_json::to_string(&challenge).unwrap(), text);
        let before = r#"{"challenge":"BQUF","expires":1700000060000}"#;
        let silent = Challenge {
            server_time: None,
            ..challenge
        };
        assert_eq!(serde_json::to_string(&silent).unwrap(), before);
        assert_eq!(serde_json::from_str::<Challenge>(before).unwrap(), silent);
    }
}
