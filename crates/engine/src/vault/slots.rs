//! `slots.json`: which slots a profile has. Nothing in it is secret.

use crate::{open::OpenError, profile, secret};
use serde::{Deserialize, Serialize};
use sotto_wire::Bytes;
use std::{fs, path::Path};

/// The version this program writes, and the newest it reads.
const VERSION: u32 = 1;
/// Longer files are none of ours.
const MAX_LEN: u64 = 64 * 1024;

/// Random, made once: names the profile's entry in the keyring.
pub type ProfileId = Bytes;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlotFile {
    pub version: u32,
    pub profile: ProfileId,
    pub slots: Vec<Slot>,
}

/// At most one of each kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Slot {
    Keyring(KeyringSlot),
    Passphrase(PassphraseSlot),
    Recovery(RecoverySlot),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyringSlot {
    #[serde(flatten)]
    pub wrapped: Wrapped,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PassphraseSlot {
    pub salt: Bytes,
    pub cost: Cost,
    #[serde(flatten)]
    pub wrapped: Wrapped,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecoverySlot {
    pub salt: Bytes,
    #[serde(flatten)]
    pub wrapped: Wrapped,
}

/// What a guess at the passphrase costs (Argon2id, RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// More memory would lock out small computers; more passes take longer
    /// than a person likes to wait.
    pub const NOW: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// Whether this could be ours: a file that somebody changed must neither
    /// make guessing cheap nor eat all memory.
    pub fn is_sane(&self) -> bool {
        (8 * 1024..=1024 * 1024).contains(&self.memory_kib)
            && (1..=16).contains(&self.passes)
            && (1..=4).contains(&self.lanes)
    }
}

/// The database's key under a slot's key: AES-256-GCM.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wrapped {
    /// 12 bytes.
    pub nonce: Bytes,
    /// 32 bytes and a tag of 16.
    pub key: Bytes,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

impl SlotFile {
    /// A new profile without slots.
    pub fn fresh() -> Self {
        Self {
            version: VERSION,
            profile: secret::random::<16>().to_vec().into(),
            slots: Vec::new(),
        }
    }

    /// The profile's account name in the keyring.
    pub fn account(&self) -> String {
        sotto_wire::bytes::encode(&self.profile)
    }

    /// Adds the slot, in place of one of the same kind.
    pub fn put(&mut self, slot: Slot) {
        self.slots
            .retain(|s| std::mem::discriminant(s) != std::mem::discriminant(&slot));
        self.slots.push(slot);
    }

    pub fn keyring(&self) -> Option<&KeyringSlot> {
        self.slots.iter().find_map(|s| {
            if let Slot::Keyring(s) = s {
                Some(s)
            } else {
                None
            }
        })
    }

    pub fn passphrase(&self) -> Option<&PassphraseSlot> {
        self.slots.iter().find_map(|s| {
            if let Slot::Passphrase(s) = s {
                Some(s)
            } else {
                None
            }
        })
    }

    pub fn recovery(&self) -> Option<&RecoverySlot> {
        self.slots.iter().find_map(|s| {
            if let Slot::Recovery(s) = s {
                Some(s)
            } else {
                None
            }
        })
    }

    /// Errors: `Damaged` if the file is gone or not ours, `NewerVersion`.
    pub fn read(path: &Path) -> Result<Self, OpenError> {
        let gone = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => OpenError::Damaged,
            _ => OpenError::from(e),
        };
        if fs::metadata(path).map_err(gone)?.len() > MAX_LEN {
            return Err(OpenError::Damaged);
        }
        let text = fs::read_to_string(path).map_err(|_| OpenError::Damaged)?;
        // The version first: a newer one may have another shape.
        let head: Head = serde_json::from_str(&text).map_err(|_| OpenError::Damaged)?;
        if head.version > VERSION {
            return Err(OpenError::NewerVersion);
        }
        let file: Self = serde_json::from_str(&text).map_err(|_| OpenError::Damaged)?;
        let sane = file.version == VERSION
            && !file.profile.is_empty()
            && file
                .passphrase()
                .is_none_or(|slot| slot.cost.is_sane() && slot.salt.len() >= 8);
        if sane {
            Ok(file)
        } else {
            Err(OpenError::Damaged)
        }
    }

    /// Replaces the file in one step.
    pub fn write(&self, path: &Path) -> Result<(), OpenError> {
        let text = serde_json::to_string_pretty(self).expect("slots are strings and numbers");
        profile::replace(path, text.as_bytes()).map_err(OpenError::from)
    }
}
