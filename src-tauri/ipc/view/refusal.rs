//! Why a relay refused something, as the protocol says. The page translates it.

use serde::Serialize;
use sotto_wire::ErrorCode;
use specta::Type;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    InvalidFormat,
    UnknownType,
    NotAuthenticated,
    BadCredential,
    Forbidden,
    NeedsCode,
    NotAMember,
    NotHost,
    StaleEpoch,
    RateLimited,
    TooLarge,
    UnknownRoom,
    RoomExists,
    RoomFull,
    RecipientOffline,
    NotFound,
    VersionUnsupported,
    Unavailable,
    /// A newer relay's.
    Unknown,
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        use ErrorCode as C;
        match code {
            C::InvalidFormat => Self::InvalidFormat,
            C::UnknownType => Self::UnknownType,
            C::NotAuthenticated => Self::NotAuthenticated,
            C::BadCredential => Self::BadCredential,
            C::Forbidden => Self::Forbidden,
            C::NeedsCode => Self::NeedsCode,
            C::NotAMember => Self::NotAMember,
            C::NotHost => Self::NotHost,
            C::StaleEpoch => Self::StaleEpoch,
            C::RateLimited => Self::RateLimited,
            C::TooLarge => Self::TooLarge,
            C::UnknownRoom => Self::UnknownRoom,
            C::RoomExists => Self::RoomExists,
            C::RoomFull => Self::RoomFull,
            C::RecipientOffline => Self::RecipientOffline,
            C::NotFound => Self::NotFound,
            C::VersionUnsupported => Self::VersionUnsupported,
            C::Unavailable => Self::Unavailable,
            C::Unknown => Self::Unknown,
        }
    }
}
