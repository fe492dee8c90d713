//! Relays and the connections to them.

use crate::ipc::{error::ErrorCode, number::Num};
use serde::{Deserialize, Serialize};
use sotto_engine as engine;
use sotto_wire::RelayAddress;
use specta::Type;

/// A relay in use.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Relay {
    /// `ws(s)://host:port[#pin]`
    pub address: String,
    /// `host:port`, for reading.
    pub label: String,
    /// Whether it is the one inside this app.
    pub built_in: bool,
    pub status: LinkStatus,
}

impl Relay {
    pub fn new(address: &RelayAddress, status: engine::LinkStatus, built_in: bool) -> Self {
        Self {
            address: address.to_string(),
            label: address.authority(),
            built_in,
            status: status.into(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum LinkStatus {
    Connecting,
    Connected,
    Waiting { retry_in_ms: Num, why: LinkProblem },
    Off,
}

impl From<engine::LinkStatus> for LinkStatus {
    fn from(status: engine::LinkStatus) -> Self {
        use engine::LinkStatus as S;
        match status {
            S::Connecting => Self::Connecting,
            S::Connected => Self::Connected,
            S::Waiting { retry_in_ms, why } => Self::Waiting {
                retry_in_ms: retry_in_ms.into(),
                why: why.into(),
            },
            S::Off => Self::Off,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum LinkProblem {
    Unreachable,
    Tls,
    CertificateDates,
    PinMismatch,
    NotARelay,
    Version,
    NotAdmitted,
    NeedsCode,
    WrongCode,
    Clock,
    Refused,
    ClosedByRelay,
    SlowReader,
}

impl From<engine::LinkProblem> for LinkProblem {
    fn from(problem: engine::LinkProblem) -> Self {
        use engine::LinkProblem as P;
        match problem {
            P::Unreachable => Self::Unreachable,
            P::Tls => Self::Tls,
            P::CertificateDates => Self::CertificateDates,
            P::Clock => Self::Clock,
            P::PinMismatch => Self::PinMismatch,
            P::NotARelay => Self::NotARelay,
            P::Version => Self::Version,
            P::NotAdmitted => Self::NotAdmitted,
            P::NeedsCode => Self::NeedsCode,
            P::WrongCode => Self::WrongCode,
            P::Refused => Self::Refused,
            P::ClosedByRelay => Self::ClosedByRelay,
            P::SlowReader => Self::SlowReader,
        }
    }
}

/// Who can reach the built-in relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    #[default]
    ThisComputer,
    LocalNetwork,
}

/// The relay inside this app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct BuiltInRelay {
    pub running: bool,
    pub reach: Reach,
    /// What this app dials, and its rooms live at; null where it never ran.
    pub address: Option<String>,
    /// What links carry while others can reach it.
    pub network: Option<String>,
    /// Links and people of before know it by this address, which is not this
    /// computer's any more.
    pub former: Option<String>,
    pub port: u16,
    /// Why it does not run, or is not reached from the network, although it
    /// should.
    pub error: Option<ErrorCode>,
}

/// Where an invite link leads, before it is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
pub struct CheckedLink {
    pub relay: String,
    pub expires: Num,
}
