//! What a command answers when it refuses: a closed code that the page
//! translates, and the two details that some sentences need. Never text.

use serde::Serialize;
use sotto_client::{RequestError, invite::BadLink};
use sotto_engine::{EngineStopped, KeyringState, OpenError, SlotError, StoreFailure};
use sotto_wire::address::BadAddress;
use specta::Type;

use super::number::Num;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct UiError {
    pub code: ErrorCode,
    /// With `messageTooLong`: the longest that fits, in bytes.
    pub max: Option<Num>,
    /// With `badLink`: what is wrong with it.
    pub link: Option<LinkFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCode {
    BadName,
    EmptyMessage,
    MessageTooLong,
    BadLink,
    AlreadyMember,
    UnknownRoom,
    UnknownPerson,
    UnknownMessage,
    UnknownKnock,
    UnknownInvite,
    NotHost,
    RoomFull,
    RoomOver,
    Busy,
    RelayInUse,
    BadAddress,
    /// A bug, or a page that calls what it should not.
    Internal,

    ProfileInUse,
    WrongPassphrase,
    WrongRecoveryCode,
    /// A recovery code whose check digits do not hold.
    MistypedRecoveryCode,
    KeyringNoService,
    KeyringDenied,
    KeyringEntryMissing,
    KeyringEntryWrong,
    /// A profile must have at least one way in.
    NoSlotLeft,
    LastSlot,
    WeakPassphrase,
    NewerVersion,
    Damaged,
    DiskFull,
    NotWritable,
    StoreLocked,
    Io,
    /// The engine does not run (yet, or any more).
    Stopped,

    PortInUse,
    AddressUnavailable,
    RelayDataDamaged,
    /// Another program holds the relay's database.
    RelayDataLocked,

    /// The room's relay cannot be reached now.
    Offline,
    InCall,
    CallRuns,
    CallOver,
    NotInCall,
    CallFull,
    NobodyThere,
    /// The address is to be hidden, and the room's relay relays no calls.
    NoRelayedPath,
    BadReaction,
    /// None that was listed, or a file that nobody picked.
    UnknownDevice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum LinkFault {
    NotALink,
    OtherVersion,
    BadRelay,
    BadRoom,
    BadInvite,
    SecretMissing,
    SecretDamaged,
    BadExpiry,
    Expired,
}

impl From<ErrorCode> for UiError {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            max: None,
            link: None,
        }
    }
}

impl From<RequestError> for UiError {
    fn from(error: RequestError) -> Self {
        use ErrorCode as C;
        use RequestError as E;
        match error {
            E::MessageTooLong { max } => Self {
                max: Some(max.into()),
                ..C::MessageTooLong.into()
            },
            E::BadLink(bad) => bad.into(),
            E::BadName => C::BadName.into(),
            E::EmptyMessage => C::EmptyMessage.into(),
            E::AlreadyMember => C::AlreadyMember.into(),
            E::UnknownRoom => C::UnknownRoom.into(),
            E::UnknownPerson => C::UnknownPerson.into(),
            E::UnknownMessage => C::UnknownMessage.into(),
            E::UnknownKnock => C::UnknownKnock.into(),
            E::UnknownInvite => C::UnknownInvite.into(),
            E::NotHost => C::NotHost.into(),
            E::RoomFull => C::RoomFull.into(),
            E::RoomOver => C::RoomOver.into(),
            E::Busy => C::Busy.into(),
            E::RelayInUse => C::RelayInUse.into(),
            E::Offline => C::Offline.into(),
            E::InCall => C::InCall.into(),
            E::CallRuns => C::CallRuns.into(),
            E::CallOver => C::CallOver.into(),
            E::NotInCall => C::NotInCall.into(),
            E::CallFull { .. } => C::CallFull.into(),
            E::NobodyThere => C::NobodyThere.into(),
            E::NoRelayedPath => C::NoRelayedPath.into(),
            E::BadReaction => C::BadReaction.into(),
            E::Internal => C::Internal.into(),
        }
    }
}

impl From<BadLink> for UiError {
    fn from(bad: BadLink) -> Self {
        Self {
            link: Some(bad.into()),
            ..ErrorCode::BadLink.into()
        }
    }
}

impl From<BadAddress> for UiError {
    fn from(_: BadAddress) -> Self {
        ErrorCode::BadAddress.into()
    }
}

impl From<KeyringState> for ErrorCode {
    fn from(state: KeyringState) -> Self {
        match state {
            // Nothing that works is an error; whoever says so is wrong.
            KeyringState::Working => Self::Internal,
            KeyringState::NoService => Self::KeyringNoService,
            KeyringState::Denied => Self::KeyringDenied,
            KeyringState::EntryMissing => Self::KeyringEntryMissing,
            KeyringState::EntryWrong => Self::KeyringEntryWrong,
        }
    }
}

impl From<OpenError> for ErrorCode {
    fn from(error: OpenError) -> Self {
        use OpenError as E;
        match error {
            E::InUse => Self::ProfileInUse,
            E::WrongPassphrase => Self::WrongPassphrase,
            E::WrongRecoveryCode => Self::WrongRecoveryCode,
            E::MistypedRecoveryCode { .. } => Self::MistypedRecoveryCode,
            E::Keyring(state) => state.into(),
            E::NoSlotLeft => Self::NoSlotLeft,
            E::NewerVersion => Self::NewerVersion,
            E::Damaged => Self::Damaged,
            E::DiskFull => Self::DiskFull,
            E::NotWritable => Self::NotWritable,
            // Making a profile where one is: the page saw an older state.
            E::AlreadyExists => Self::Internal,
            E::Locked => Self::StoreLocked,
            E::Io => Self::Io,
        }
    }
}

impl From<OpenError> for UiError {
    fn from(error: OpenError) -> Self {
        ErrorCode::from(error).into()
    }
}

impl From<SlotError> for UiError {
    fn from(error: SlotError) -> Self {
        use SlotError as E;
        let code = match error {
            E::LastSlot => ErrorCode::LastSlot,
            E::EmptyPassphrase => ErrorCode::WeakPassphrase,
            E::Keyring(state) => state.into(),
            E::DiskFull => ErrorCode::DiskFull,
            E::NotWritable => ErrorCode::NotWritable,
            E::Io => ErrorCode::Io,
            E::Stopped => ErrorCode::Stopped,
        };
        code.into()
    }
}

impl From<BadLink> for LinkFault {
    fn from(bad: BadLink) -> Self {
        match bad {
            BadLink::NotALink => Self::NotALink,
            BadLink::OtherVersion => Self::OtherVersion,
            BadLink::Relay(_) => Self::BadRelay,
            BadLink::Room => Self::BadRoom,
            BadLink::Invite | BadLink::Inviter => Self::BadInvite,
            BadLink::SecretMissing => Self::SecretMissing,
            BadLink::SecretDamaged => Self::SecretDamaged,
            BadLink::Expiry => Self::BadExpiry,
            BadLink::Expired => Self::Expired,
        }
    }
}

impl From<EngineStopped> for UiError {
    fn from(_: EngineStopped) -> Self {
        ErrorCode::Stopped.into()
    }
}

impl From<StoreFailure> for ErrorCode {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::Full => Self::DiskFull,
            StoreFailure::Locked => Self::StoreLocked,
            StoreFailure::Damaged => Self::Damaged,
            StoreFailure::Io => Self::Io,
        }
    }
}
