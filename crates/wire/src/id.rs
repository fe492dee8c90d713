//! The names of things: fixed-size ids that print short.
//!
//! `Display` and JSON give the whole id as base64url. `Debug`, which is what
//! logs use, gives the first three bytes: enough to follow one id through a
//! log, too little to name a person.

use crate::bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct BadId(pub &'static str);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $size:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $size]);

        impl $name {
            /// Length in bytes.
            pub const SIZE: usize = $size;

            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&bytes::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{:02x}{:02x}{:02x}", $kind, self.0[0], self.0[1], self.0[2])
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                bytes::decode_array(text).map(Self).ok_or(BadId($kind))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(d)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

id!(
    /// A person: SHA-256 of the compressed P-256 account public key, so that
    /// nobody can put another key behind the same id.
    UserId, 32, "user"
);
id!(
    /// One installation of a person. Random.
    DeviceId, 16, "device"
);
id!(
    /// A room; also its MLS group id. Random, made by the creator.
    RoomId, 16, "room"
);
id!(
    /// A message, knock or direct message. Random, made by its sender.
    MessageId, 16, "message"
);
id!(
    /// A call. Random, made by the caller.
    CallId, 16, "call"
);

/// What a request calls itself, so that its answer or error can say which it
/// answers: 1 to 64 characters, chosen by the client.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct RequestId(String);

impl RequestId {
    pub const MAX: usize = 64;

    pub fn new(text: impl Into<String>) -> Result<Self, BadId> {
        let text = text.into();
        let sound = !text.is_empty()
            && text.len() <= Self::MAX
            && text.bytes().all(|b| b.is_ascii_graphic());
        if sound {
            Ok(Self(text))
        } else {
            Err(BadId("request id"))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<MessageId> for RequestId {
    fn from(id: MessageId) -> Self {
        Self(id.to_string())
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(d)?).map_err(D::Error::custom)
    }
}
