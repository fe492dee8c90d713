//! What a person sees of a call, as plain values.

use super::media::{PeerFailure, ScreenMode, Sending, Source, SourceState, Trouble};
use sotto_wire::{CallId, DeviceId, Millis, RoomId, UserId};

/// A call of a room, running or just over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    pub room: RoomId,
    pub call: CallId,
    /// It was started with the camera.
    pub video: bool,
    pub by: UserId,
    /// The caller is verified.
    pub by_verified: bool,
    /// When it was started, Unix milliseconds.
    pub started: Millis,
    pub phase: CallPhase,
    /// Oneself first, then in the order of joining. Empty when it is over.
    pub participants: Vec<Participant>,
    /// What of oneself the others get; as wished, see `sources`.
    pub own: MediaState,
    /// Sources that are wished and do not work.
    pub sources: Vec<(Source, SourceState)>,
    /// Who in it can learn the network address of this computer.
    pub route: Route,
    /// Who says that they are in another call, and has neither come nor
    /// declined.
    pub busy: Vec<UserId>,
    /// The MLS epoch that the media keys in use come from.
    pub epoch: u64,
    /// Counts changes of the own media key.
    pub key_generation: u64,
}

/// How packets of a call travel, as far as it was decided here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// From computer to computer where that works: everybody is verified.
    Direct,
    /// Through the relay only: nobody in the call learns our address.
    Relayed,
    /// They should be relayed, because somebody is not verified, and the relay
    /// offers no such way: people in the call can learn our address.
    Exposed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPhase {
    /// It rings here, until then (Unix milliseconds).
    Ringing {
        until: Millis,
    },
    /// We called; nobody has come yet, and it rings there until then.
    Calling {
        until: Millis,
    },
    /// Others are in it; we are not.
    Running,
    /// We are in it.
    Joined,
    Over(CallEnd),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// Everybody left.
    Ended,
    /// Nobody came within the time it rings.
    Unanswered,
    /// The one who was called declined.
    Declined,
    /// Nobody came, and whoever did not decline is in another call.
    Busy,
    /// It rang here and we did not come.
    Missed,
    /// Another device of ours has it.
    Elsewhere,
    /// We are no longer in its room.
    RoomOver,
    /// Others were faster: it had no seat left.
    Full,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    pub user: UserId,
    pub device: DeviceId,
    pub me: bool,
    pub verified: bool,
    pub connection: Connection,
    pub media: MediaState,
    /// Why their media cannot be decrypted: a key of theirs is not here.
    pub key_missing: bool,
    /// Both ends have confirmed each other's DTLS certificates.
    pub confirmed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Oneself, or not begun.
    None,
    Connecting,
    Connected,
    /// Lost since then (Unix milliseconds); being mended.
    Reconnecting {
        since: Millis,
    },
    Failed(PeerFailure),
}

/// What a participant sends, and shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaState {
    pub microphone: bool,
    pub camera: bool,
    pub screen: Option<ScreenMode>,
    /// A hand is up, since then (Unix milliseconds).
    pub hand: Option<Millis>,
    pub troubles: Troubles,
}

/// What of it is wished, and does not get out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Troubles {
    pub microphone: Option<Trouble>,
    pub camera: Option<Trouble>,
    pub screen: Option<Trouble>,
}

impl MediaState {
    pub(super) fn sending(&self) -> Sending {
        Sending {
            microphone: self.microphone,
            camera: self.camera,
            screen: self.screen,
        }
    }
}
