//! Why a command failed, and the exit code that says so.

use sotto_client::RequestError;
use sotto_engine::{EngineStopped, KeyringState, LinkProblem, LinkStatus, OpenError, SlotError};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Somebody or something said no.
    Refused(String),
    Usage(String),
    /// The profile needs a passphrase, another one, or the keyring.
    Locked(String),
    /// The relay did not answer in time, or no way led to the others of a
    /// call.
    Unreachable(String),
    /// The call was turned down.
    Declined,
    /// Nobody took the call, or nobody called.
    Nobody(String),
    /// Nobody reads the output any more: nothing is wrong, nothing is left to
    /// do.
    Unread,
}

impl Failure {
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }

    pub fn code(&self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Locked(_) => 3,
            Self::Unreachable(_) => 4,
            Self::Declined => 5,
            Self::Nobody(_) => 6,
        }
    }

    /// For scripts: one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Refused(_) => "refused",
            Self::Usage(_) => "usage",
            Self::Locked(_) => "locked",
            Self::Unreachable(_) => "unreachable",
            Self::Declined => "declined",
            Self::Nobody(_) => "nobody",
        }
    }

    /// A relay with this status did not answer in time.
    pub fn silent(status: Option<LinkStatus>) -> Self {
        let why = status.map_or(NO_ANSWER, why);
        Self::Unreachable(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread => Ok(()),
            Self::Declined => f.write_str("the call was declined"),
            Self::Refused(why)
            | Self::Usage(why)
            | Self::Locked(why)
            | Self::Unreachable(why)
            | Self::Nobody(why) => f.write_str(why),
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match &error {
            RequestError::BadLink(bad) => Self::Refused(bad.to_string()),
            error => Self::Refused(error.to_string()),
        }
    }
}

impl From<EngineStopped> for Failure {
    fn from(_: EngineStopped) -> Self {
        Self::refused("the profile's database cannot be read now")
    }
}

impl From<SlotError> for Failure {
    fn from(error: SlotError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::WrongPassphrase
            | OpenError::WrongRecoveryCode
            | OpenError::MistypedRecoveryCode { .. }
            | OpenError::NoSlotLeft => Self::Locked(error.to_string()),
            OpenError::Keyring(state) => Self::Locked(keyring(state).into()),
            error => Self::Refused(error.to_string()),
        }
    }
}

pub fn keyring(state: KeyringState) -> &'static str {
    match state {
        KeyringState::Working => "the keyring works, but was not asked",
        KeyringState::NoService => "there is no keyring here; give a passphrase",
        KeyringState::Denied => "the keyring is locked; unlock it or give a passphrase",
        KeyringState::EntryMissing => {
            "the keyring has no entry for this profile; give a passphrase"
        }
        KeyringState::EntryWrong => {
            "the keyring's entry does not open this profile; give a passphrase"
        }
    }
}

const NO_ANSWER: &str = "the relay did not answer in time";

/// Whether a relay does not admit this account, now and later.
pub fn shut_out(status: LinkStatus) -> bool {
    use LinkProblem as P;
    matches!(
        status,
        LinkStatus::Waiting {
            why: P::NotAdmitted | P::NeedsCode | P::WrongCode,
            ..
        }
    )
}

/// What is wrong with a relay of this status.
pub fn why(status: LinkStatus) -> &'static str {
    match status {
        LinkStatus::Waiting { why, .. } => problem(why),
        LinkStatus::Connected => "the relay is connected but gave no answer in time",
        LinkStatus::Connecting | LinkStatus::Off => NO_ANSWER,
    }
}

fn problem(why: LinkProblem) -> &'static str {
    match why {
        LinkProblem::Unreachable => "the relay cannot be reached",
        LinkProblem::Tls => "the relay's certificate does not hold",
        LinkProblem::CertificateDates => {
            "by this computer's clock the relay's certificate is over or not valid yet"
        }
        LinkProblem::Clock => "this computer's clock is too far from the relay's to sign in",
        LinkProblem::PinMismatch => "the relay shows another certificate than its address names",
        LinkProblem::NotARelay => "what answers there is no relay",
        LinkProblem::Version => "the relay speaks another version",
        LinkProblem::NotAdmitted => "the relay does not admit this account",
        LinkProblem::NeedsCode => {
            "the relay admits by invite code; give it with --code-file or SOTTO_RELAY_CODE"
        }
        LinkProblem::WrongCode => {
            "the relay does not take this invite code; ask its operator for another"
        }
        LinkProblem::Refused => "the relay turns this client away for now",
        LinkProblem::ClosedByRelay => "the relay closed the connection",
        LinkProblem::SlowReader => "the relay asked to come back later",
    }
}
