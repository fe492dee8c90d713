//! What all members of a room agree on, as a GroupContext extension: part of
//! the transcript, hidden from the relay, known to a newcomer from the
//! Welcome.

use crate::{
    invite::{
        InviteSecret,
        proof::{InviteKey, Terms},
    },
    model::{Admission, TOPIC_MAX, clean_name, clean_text},
};
use serde::{Deserialize, Serialize};
use sotto_wire::{Bytes, MessageId, Millis, RoomId, UserId};

/// Invites that can be open at a time.
pub(crate) const INVITES_MAX: usize = 16;
/// People who were removed and need the host's yes to come back. The oldest
/// are forgotten first.
pub(crate) const BARRED_MAX: usize = 64;
/// Bytes of the extension, at the most.
const ENCODED_MAX: usize = 16 * 1024;
const VERSION: u8 = 2;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoomState {
    pub(super) v: u8,
    pub name: String,
    pub topic: String,
    /// The host, as long as they are a member; see
    /// [`super::authorize::host`].
    pub host: UserId,
    pub admission: Admission,
    pub invites: Vec<InviteEntry>,
    pub barred: Vec<UserId>,
}

/// An open invite. Every member has the secret and the key: any of them can
/// open knocks, answer them, and copy the link again. It is open as long as
/// its maker is a member; removing somebody closes all invites.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct InviteEntry {
    pub id: MessageId,
    /// Serialized here on purpose: this is the one place that shares it.
    #[serde(with = "shared")]
    pub secret: InviteSecret,
    /// Serialized here on purpose, like the secret.
    #[serde(with = "shared_key")]
    pub key: InviteKey,
    pub created: Millis,
    pub expires: Millis,
    pub by: UserId,
    /// The maker's account vouches for the key, see [`Terms::sign`].
    pub vouching: Bytes,
}

impl InviteEntry {
    pub fn terms(&self, room: RoomId) -> Terms<'_> {
        Terms {
            room,
            invite: self.id,
            secret: &self.secret,
            expires: self.expires,
        }
    }
}

pub(crate) mod shared {
    use crate::invite::InviteSecret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
    use sotto_wire::Bytes;

    pub fn serialize<S: Serializer>(secret: &InviteSecret, s: S) -> Result<S::Ok, S::Error> {
        Bytes(secret.expose().to_vec()).serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<InviteSecret, D::Error> {
        let bytes = Bytes::deserialize(d)?;
        let secret = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| D::Error::custom("length"))?;
        Ok(InviteSecret::from_bytes(secret))
    }
}

mod shared_key {
    use crate::invite::proof::InviteKey;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
    use sotto_wire::Bytes;

    pub fn serialize<S: Serializer>(key: &InviteKey, s: S) -> Result<S::Ok, S::Error> {
        Bytes(key.expose().to_vec()).serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<InviteKey, D::Error> {
        let bytes = Bytes::deserialize(d)?;
        let secret = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| D::Error::custom("length"))?;
        InviteKey::from_bytes(secret).ok_or_else(|| D::Error::custom("no key"))
    }
}

impl RoomState {
    pub fn new(name: String, topic: String, host: UserId, admission: Admission) -> Self {
        let (invites, barred) = (Vec::new(), Vec::new());
        Self {
            v: VERSION,
            name,
            topic,
            host,
            admission,
            invites,
            barred,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("room state is plain data")
    }

    /// `None` for what no member's client would make.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > ENCODED_MAX {
            return None;
        }
        let state: Self = serde_json::from_slice(bytes).ok()?;
        state.is_sound().then_some(state)
    }

    pub fn invite(&self, id: &MessageId) -> Option<&InviteEntry> {
        self.invites.iter().find(|invite| invite.id == *id)
    }

    fn is_sound(&self) -> bool {
        self.v == VERSION
            && clean_name(&self.name).as_ref() == Some(&self.name)
            && clean_topic(&self.topic).as_ref() == Some(&self.topic)
            && self.invites.len() <= INVITES_MAX
            && self.barred.len() <= BARRED_MAX
    }
}

/// Like [`clean_name`], for topics; they may be empty.
pub(crate) fn clean_topic(text: &str) -> Option<String> {
    let clean = clean_text(text, false).trim().to_owned();
    (clean.chars().count() <= TOPIC_MAX).then_some(clean)
}
