//! People: profiles, members, join requests, invites, safety numbers.

use crate::ipc::{number::Num, qr};
use serde::{Deserialize, Serialize};
use sotto_client::model;
use specta::Type;

/// How a person presents themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct Profile {
    pub name: String,
    /// One emoji, or empty for initials.
    pub emoji: String,
    /// One of the avatar colors.
    pub color: u8,
}

impl From<model::Profile> for Profile {
    fn from(profile: model::Profile) -> Self {
        Self {
            name: profile.name,
            emoji: profile.emoji,
            color: profile.color,
        }
    }
}

impl From<Profile> for model::Profile {
    fn from(profile: Profile) -> Self {
        Self {
            name: profile.name,
            emoji: profile.emoji,
            color: profile.color,
        }
    }
}

/// A member of a room.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub user: String,
    pub profile: Profile,
    pub me: bool,
    pub host: bool,
    pub verified_at: Option<Num>,
    pub added_by: Option<String>,
    pub online: bool,
    /// Everything up to this seq is on all their devices.
    pub delivered: Num,
    /// They read everything up to this seq.
    pub read: Num,
}

impl From<model::Person> for Person {
    fn from(person: model::Person) -> Self {
        Self {
            user: person.user.to_string(),
            profile: person.profile.into(),
            me: person.me,
            host: person.host,
            verified_at: person.verified_at.map(Num::from),
            added_by: person.added_by.map(|user| user.to_string()),
            online: person.online,
            delivered: person.delivered.into(),
            read: person.read.into(),
        }
    }
}

/// Somebody asks to be let in.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Knock {
    pub id: String,
    pub user: String,
    pub profile: Profile,
    pub invite: String,
    pub invite_created: Num,
    pub at: Num,
    pub verified: bool,
}

impl From<model::Knock> for Knock {
    fn from(knock: model::Knock) -> Self {
        Self {
            id: knock.id.to_string(),
            user: knock.user.to_string(),
            profile: knock.profile.into(),
            invite: knock.invite.to_string(),
            invite_created: knock.invite_created.into(),
            at: knock.at.into(),
            verified: knock.verified,
        }
    }
}

/// A link into a room.
#[derive(Debug, Clone, Serialize, Type)]
pub struct Invite {
    pub id: String,
    pub link: String,
    pub created: Num,
    pub expires: Num,
    pub by: String,
}

impl From<model::Invite> for Invite {
    fn from(invite: model::Invite) -> Self {
        Self {
            id: invite.id.to_string(),
            link: invite.link,
            created: invite.created.into(),
            expires: invite.expires.into(),
            by: invite.by.to_string(),
        }
    }
}

/// What two people compare.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Safety {
    pub user: String,
    /// 60 digits.
    pub digits: String,
    /// The digits in their groups, for any phone to show: SVG path data of a QR
    /// code's dark modules, one unit each.
    pub qr: String,
    /// Modules a side.
    pub qr_size: u32,
    pub verified_at: Option<Num>,
}

impl From<model::Safety> for Safety {
    fn from(safety: model::Safety) -> Self {
        let (qr, qr_size) = qr::path(&in_groups(&safety.digits)).unwrap_or_default();
        Self {
            user: safety.user.to_string(),
            digits: safety.digits,
            qr,
            qr_size,
            verified_at: safety.verified_at.map(Num::from),
        }
    }
}

/// As they stand on the screen: fives with spaces between.
fn in_groups(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    let groups: Vec<String> = digits.chunks(5).map(String::from_iter).collect();
    groups.join(" ")
}
