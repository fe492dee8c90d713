//! The errors a relay answers with.

use crate::{Epoch, Millis, RequestId};
use serde::{Deserialize, Serialize};

/// Why a request was refused. A code exists only where a client acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, not an object, a field missing or of the wrong shape.
    InvalidFormat,
    /// The `type` is none that this version knows.
    UnknownType,
    /// Signing in comes first.
    NotAuthenticated,
    /// A token, signature, challenge or ticket that does not hold.
    BadCredential,
    /// The relay's operator did not admit or has disabled this account.
    Forbidden,
    /// The first sign-in takes an invite code here, and none that holds was
    /// brought.
    NeedsCode,
    NotAMember,
    NotHost,
    /// The room moved on to another epoch: catch up, encrypt again.
    StaleEpoch,
    RateLimited,
    TooLarge,
    UnknownRoom,
    /// The room id is taken.
    RoomExists,
    RoomFull,
    RecipientOffline,
    /// No key package, user or message of that name.
    NotFound,
    VersionUnsupported,
    /// The relay could not store it (full disk, database down). Try later.
    Unavailable,
    /// A code of a newer relay.
    #[serde(other)]
    Unknown,
}

/// `error {code, message, id?}` with the extras that some codes carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code:?}: {message}")]
pub struct WireError {
    pub code: ErrorCode,
    /// For logs and developers, in English; clients translate the code.
    pub message: String,
    /// The request that failed, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// With `stale_epoch`: the room's epoch now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// With `rate_limited`: milliseconds to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Millis>,
}

impl WireError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            id: None,
            epoch: None,
            retry_after: None,
        }
    }

    pub fn for_request(mut self, id: Option<RequestId>) -> Self {
        self.id = id;
        self
    }

    pub fn stale_epoch(epoch: Epoch) -> Self {
        Self {
            epoch: Some(epoch),
            ..Self::new(ErrorCode::StaleEpoch, "the room has moved to another epoch")
        }
    }

    pub fn rate_limited(retry_after: Millis) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(ErrorCode::RateLimited, "too many requests")
        }
    }
}
