//! Rooms, as lists and headers show them.

use crate::ipc::number::Num;
use serde::{Deserialize, Serialize};
use sotto_client::model;
use specta::Type;

/// Who decides when somebody knocks with a valid link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Admission {
    AtOnce,
    ByHost,
}

impl From<model::Admission> for Admission {
    fn from(admission: model::Admission) -> Self {
        match admission {
            model::Admission::AtOnce => Self::AtOnce,
            model::Admission::ByHost => Self::ByHost,
        }
    }
}

impl From<Admission> for model::Admission {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::AtOnce => Self::AtOnce,
            Admission::ByHost => Self::ByHost,
        }
    }
}

/// Where this person stands in a room.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Standing {
    Creating,
    Knocking,
    Denied,
    Member,
    Left,
    Removed { by: String },
    Deleted { by: Option<String> },
    Lost,
}

impl From<model::Standing> for Standing {
    fn from(standing: model::Standing) -> Self {
        use model::Standing as S;
        match standing {
            S::Creating => Self::Creating,
            S::Knocking => Self::Knocking,
            S::Denied => Self::Denied,
            S::Member => Self::Member,
            S::Left => Self::Left,
            S::Removed { by } => Self::Removed { by: by.to_string() },
            S::Deleted { by } => Self::Deleted {
                by: by.map(|user| user.to_string()),
            },
            S::Lost => Self::Lost,
        }
    }
}

#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    pub id: String,
    pub relay: String,
    pub name: String,
    pub topic: String,
    pub standing: Standing,
    pub admission: Admission,
    pub host: Option<String>,
    pub member_count: Num,
    /// Members who are not verified, without oneself.
    pub unverified: Num,
    pub unread: u32,
    pub read_position: Num,
    pub last: Option<LastLine>,
    pub active_at: Num,
    pub draft: String,
    pub muted: bool,
    pub pinned: bool,
    pub archived: bool,
    /// People waiting to be let in whom this person may answer.
    pub knocks: Num,
    pub epoch: Num,
    pub in_sync: bool,
    /// What is sent there waits until it can store again.
    pub relay_cannot_store: bool,
    /// The longest text of a message that the relay takes, in bytes.
    pub longest_text: Num,
}

/// The newest line of a room.
#[derive(Debug, Clone, Serialize, Type)]
pub struct LastLine {
    /// Null for a system line.
    pub from: Option<String>,
    pub name: String,
    pub text: String,
    pub at: Num,
}

impl From<model::RoomView> for Room {
    fn from(room: model::RoomView) -> Self {
        Self {
            id: room.id.to_string(),
            relay: room.relay.to_string(),
            name: room.name,
            topic: room.topic,
            standing: room.standing.into(),
            admission: room.admission.into(),
            host: room.host.map(|user| user.to_string()),
            member_count: room.member_count.into(),
            unverified: room.unverified.into(),
            unread: room.unread,
            read_position: room.read_position.into(),
            last: room.last.map(LastLine::from),
            active_at: room.active_at.into(),
            draft: room.draft,
            muted: room.prefs.muted,
            pinned: room.prefs.pinned,
            archived: room.prefs.archived,
            knocks: room.knocks.into(),
            epoch: room.epoch.into(),
            in_sync: room.in_sync,
            relay_cannot_store: room.relay_cannot_store,
            longest_text: room.longest_text.into(),
        }
    }
}

impl From<model::LastLine> for LastLine {
    fn from(line: model::LastLine) -> Self {
        Self {
            from: line.from.map(|user| user.to_string()),
            name: line.name,
            text: line.text,
            at: line.at.into(),
        }
    }
}
