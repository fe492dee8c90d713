//! A call that rings, as its own small window shows it.

use super::Profile;
use crate::settings::Language;
use serde::{Deserialize, Serialize};
use specta::Type;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RingingCall {
    pub id: String,
    /// It was started with the camera.
    pub video: bool,
    /// Who calls, and where; none where notifications hide names.
    pub caller: Option<Profile>,
    pub room: Option<String>,
    pub by_verified: bool,
    /// Accepting it leaves the call that this person is in.
    pub ends_other: bool,
    pub language: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RingingAnswer {
    Voice,
    Video,
    Decline,
}
