//! What the page finds when it starts, and the state of the profile as a whole.

use super::{Call, Profile, Relay, Room};
use crate::{
    ipc::{error::ErrorCode, number::Num},
    settings::Settings,
};
use serde::Serialize;
use sotto_engine as engine;
use specta::Type;

#[derive(Debug, Clone, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Start {
    /// No profile here yet.
    New {
        keyring: Keyring,
    },
    /// The keyring does not open it.
    Locked {
        keyring: Keyring,
        passphrase: bool,
        recovery: bool,
        app_lock: bool,
    },
    /// It cannot be opened; `open` tries again.
    Failed {
        code: ErrorCode,
    },
    Open {
        snapshot: Box<Snapshot>,
    },
}

/// Everything the page shows before the first event.
#[derive(Debug, Clone, Serialize, Type)]
pub struct Snapshot {
    pub me: Me,
    pub rooms: Vec<Room>,
    /// Calls that ring or run.
    pub calls: Vec<Call>,
    pub relays: Vec<Relay>,
    pub problems: Vec<Problem>,
    pub settings: Settings,
    /// An invite link that was clicked before and not followed yet.
    pub link: Option<String>,
}

#[derive(Debug, Clone, Serialize, Type)]
pub struct Me {
    pub user: String,
    pub device: String,
    pub profile: Profile,
}

impl From<engine::Me> for Me {
    fn from(me: engine::Me) -> Self {
        Self {
            user: me.user.to_string(),
            device: me.device.to_string(),
            profile: me.profile.into(),
        }
    }
}

/// How the system's keyring stands towards this profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Keyring {
    Working,
    NoService,
    Denied,
    EntryMissing,
    EntryWrong,
}

impl From<engine::KeyringState> for Keyring {
    fn from(state: engine::KeyringState) -> Self {
        use engine::KeyringState as S;
        match state {
            S::Working => Self::Working,
            S::NoService => Self::NoService,
            S::Denied => Self::Denied,
            S::EntryMissing => Self::EntryMissing,
            S::EntryWrong => Self::EntryWrong,
        }
    }
}

/// Something about this computer that a person should know.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Problem {
    DiskFull,
    StoreLocked,
    DiskFailing,
    ClockWrong { ahead_ms: Num },
    KeyringGone { keyring: Keyring },
}

impl From<engine::Problem> for Problem {
    fn from(problem: engine::Problem) -> Self {
        use engine::Problem as P;
        match problem {
            P::DiskFull => Self::DiskFull,
            P::StoreLocked => Self::StoreLocked,
            P::DiskFailing => Self::DiskFailing,
            P::ClockWrong { ahead_ms } => Self::ClockWrong {
                ahead_ms: ahead_ms.into(),
            },
            P::KeyringGone(state) => Self::KeyringGone {
                keyring: state.into(),
            },
        }
    }
}

/// The ways into this profile.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Slots {
    pub keyring: Keyring,
    pub keyring_slot: bool,
    pub passphrase: bool,
    pub recovery: bool,
    pub app_lock: bool,
}

impl From<engine::Slots> for Slots {
    fn from(slots: engine::Slots) -> Self {
        Self {
            keyring: slots.keyring.into(),
            keyring_slot: slots.keyring_slot,
            passphrase: slots.passphrase,
            recovery: slots.recovery,
            app_lock: slots.app_lock,
        }
    }
}

/// Version and places, for the about page.
#[derive(Debug, Clone, Serialize, Type)]
pub struct About {
    pub version: String,
    /// The log file.
    pub logs: String,
    /// The profile's folder.
    pub data: String,
}
