//! Calls, as the page shows them.

use crate::ipc::number::Num;
use serde::{Deserialize, Serialize};
use sotto_client::call::{
    media::{self, PeerFailure, ScreenMode, Source},
    view,
};
use specta::Type;

/// A call of a room, running or just over.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub id: String,
    pub room: String,
    /// It was started with the camera.
    pub video: bool,
    pub by: String,
    pub by_verified: bool,
    pub started: Num,
    pub phase: Phase,
    /// Oneself first, then in the order of joining.
    pub participants: Vec<Participant>,
    pub own: Media,
    /// Wished sources that do not work.
    pub troubles: Vec<Trouble>,
    /// Who in it can learn this computer's network address.
    pub route: Route,
    /// Who says that they are in another call, and has not come.
    pub busy: Vec<String>,
    pub epoch: Num,
    pub key_generation: Num,
}

/// How packets of a call travel, as far as it was decided here.
#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Route {
    /// Everybody is verified: from computer to computer where that works.
    Direct,
    /// Through the relay only.
    Relayed,
    /// Somebody is not verified, and the relay relays no calls.
    Exposed,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(tag = "phase", rename_all = "camelCase")]
pub enum Phase {
    Ringing { until: Num },
    Calling { until: Num },
    Running,
    Joined,
    Over { why: CallEnd },
}

impl Phase {
    pub fn is_over(self) -> bool {
        matches!(self, Self::Over { .. })
    }
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum CallEnd {
    Ended,
    Unanswered,
    Declined,
    /// Whoever did not decline is in another call.
    Busy,
    Missed,
    Elsewhere,
    RoomOver,
    /// It had no seat left.
    Full,
}

#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    pub user: String,
    pub device: String,
    pub me: bool,
    pub verified: bool,
    pub connection: Connection,
    pub media: Media,
    /// A key of theirs is not here, so nothing of them can be decrypted.
    pub key_missing: bool,
    /// Both ends confirmed each other's DTLS certificates.
    pub confirmed: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum Connection {
    None,
    Connecting,
    Connected,
    Reconnecting { since: Num },
    Failed { why: Failure },
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    NoPath,
    Certificate,
    Description,
    OwnDescription,
    Version,
    Silent,
}

/// What somebody sends, and shows.
#[derive(Debug, Clone, Copy, Serialize, Type)]
pub struct Media {
    pub microphone: bool,
    pub camera: bool,
    pub screen: Option<Share>,
    /// A hand is up, since then.
    pub hand: Option<Num>,
    pub troubles: Troubles,
}

/// Which of it does not get out, and why.
#[derive(Debug, Clone, Copy, Serialize, Type)]
pub struct Troubles {
    pub microphone: Option<SourceTrouble>,
    pub camera: Option<SourceTrouble>,
    pub screen: Option<SourceTrouble>,
}

/// What goes out to the others.
#[derive(Debug, Clone, Copy, Deserialize, Type)]
pub struct Sending {
    pub microphone: bool,
    pub camera: bool,
    pub screen: Option<Share>,
}

impl From<Sending> for media::Sending {
    fn from(sending: Sending) -> Self {
        Self {
            microphone: sending.microphone,
            camera: sending.camera,
            screen: sending.screen.map(ScreenMode::from),
        }
    }
}

/// What matters in a shared screen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Share {
    Text,
    Motion,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
pub struct Trouble {
    pub source: CallSource,
    pub why: SourceTrouble,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum CallSource {
    Microphone,
    Camera,
    Screen,
    Speaker,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SourceTrouble {
    NoDevice,
    Busy,
    Refused,
    Vanished,
    Broken,
}

/// Of these sources, those that do not work.
pub fn troubles_of(sources: Vec<(Source, media::SourceState)>) -> Vec<Trouble> {
    let troubles = sources.into_iter().filter_map(|(source, state)| {
        let why = state.trouble()?.into();
        let source = source.into();
        Some(Trouble { source, why })
    });
    troubles.collect()
}

impl From<view::CallView> for Call {
    fn from(call: view::CallView) -> Self {
        Self {
            id: call.call.to_string(),
            room: call.room.to_string(),
            video: call.video,
            by: call.by.to_string(),
            by_verified: call.by_verified,
            started: call.started.into(),
            phase: call.phase.into(),
            troubles: troubles_of(call.sources),
            participants: call.participants.into_iter().map(Into::into).collect(),
            own: call.own.into(),
            route: call.route.into(),
            busy: call.busy.iter().map(ToString::to_string).collect(),
            epoch: call.epoch.into(),
            key_generation: call.key_generation.into(),
        }
    }
}

impl From<view::Route> for Route {
    fn from(route: view::Route) -> Self {
        match route {
            view::Route::Direct => Self::Direct,
            view::Route::Relayed => Self::Relayed,
            view::Route::Exposed => Self::Exposed,
        }
    }
}

impl From<view::CallPhase> for Phase {
    fn from(phase: view::CallPhase) -> Self {
        use view::CallPhase as P;
        match phase {
            P::Ringing { until } => Self::Ringing {
                until: until.into(),
            },
            P::Calling { until } => Self::Calling {
                until: until.into(),
            },
            P::Running => Self::Running,
            P::Joined => Self::Joined,
            P::Over(why) => Self::Over { why: why.into() },
        }
    }
}

impl From<view::CallEnd> for CallEnd {
    fn from(end: view::CallEnd) -> Self {
        use view::CallEnd as E;
        match end {
            E::Ended => Self::Ended,
            E::Unanswered => Self::Unanswered,
            E::Declined => Self::Declined,
            E::Busy => Self::Busy,
            E::Missed => Self::Missed,
            E::Elsewhere => Self::Elsewhere,
            E::RoomOver => Self::RoomOver,
            E::Full => Self::Full,
        }
    }
}

impl From<view::Participant> for Participant {
    fn from(participant: view::Participant) -> Self {
        Self {
            user: participant.user.to_string(),
            device: participant.device.to_string(),
            me: participant.me,
            verified: participant.verified,
            connection: participant.connection.into(),
            media: participant.media.into(),
            key_missing: participant.key_missing,
            confirmed: participant.confirmed,
        }
    }
}

impl From<view::Connection> for Connection {
    fn from(connection: view::Connection) -> Self {
        use view::Connection as C;
        match connection {
            C::None => Self::None,
            C::Connecting => Self::Connecting,
            C::Connected => Self::Connected,
            C::Reconnecting { since } => Self::Reconnecting {
                since: since.into(),
            },
            C::Failed(why) => Self::Failed { why: why.into() },
        }
    }
}

impl From<PeerFailure> for Failure {
    fn from(why: PeerFailure) -> Self {
        match why {
            PeerFailure::NoPath => Self::NoPath,
            PeerFailure::Certificate => Self::Certificate,
            PeerFailure::Description => Self::Description,
            PeerFailure::OwnDescription => Self::OwnDescription,
            PeerFailure::Version => Self::Version,
            PeerFailure::Silent => Self::Silent,
        }
    }
}

impl From<view::MediaState> for Media {
    fn from(media: view::MediaState) -> Self {
        Self {
            microphone: media.microphone,
            camera: media.camera,
            screen: media.screen.map(Share::from),
            hand: media.hand.map(Num::from),
            troubles: Troubles {
                microphone: media.troubles.microphone.map(Into::into),
                camera: media.troubles.camera.map(Into::into),
                screen: media.troubles.screen.map(Into::into),
            },
        }
    }
}

impl From<ScreenMode> for Share {
    fn from(mode: ScreenMode) -> Self {
        match mode {
            ScreenMode::Text => Self::Text,
            ScreenMode::Motion => Self::Motion,
        }
    }
}

impl From<Share> for ScreenMode {
    fn from(share: Share) -> Self {
        match share {
            Share::Text => Self::Text,
            Share::Motion => Self::Motion,
        }
    }
}

impl From<Source> for CallSource {
    fn from(source: Source) -> Self {
        match source {
            Source::Microphone => Self::Microphone,
            Source::Camera => Self::Camera,
            Source::Screen => Self::Screen,
            Source::Speaker => Self::Speaker,
        }
    }
}

impl From<media::Trouble> for SourceTrouble {
    fn from(trouble: media::Trouble) -> Self {
        use media::Trouble as T;
        match trouble {
            T::NoDevice => Self::NoDevice,
            T::Busy => Self::Busy,
            T::Refused => Self::Refused,
            T::Vanished => Self::Vanished,
            T::Broken => Self::Broken,
        }
    }
}
