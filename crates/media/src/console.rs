//! What whoever shows a call does with media directly, past the client:
//! devices, levels, volumes, tiles and statistics. None of it decides what is
//! sent or to whom.

use crate::device::DeviceName;
use crate::peer::PeerStats;
use serde::Serialize;
use sotto_client::call::media::{Peer, Source, SourceState};
use sotto_wire::{DeviceId, UserId};

/// Which devices to use; `None` follows the system's default. Kept by whoever
/// runs the engine, between starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    pub microphone: Option<DeviceName>,
    pub speaker: Option<DeviceName>,
    /// Where it rings; `None`: as `speaker`.
    pub ringer: Option<DeviceName>,
    pub camera: Option<DeviceName>,
    /// What to share next; has no default.
    pub screen: Option<DeviceName>,
}

/// One picture that can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileId {
    /// The own camera, as it is sent or previewed.
    OwnCamera,
    OwnScreen,
    Camera(Peer),
    Screen(Peer),
}

/// How loud it is, 0 to 1 on a scale made for meters, and who speaks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Levels {
    pub microphone: Level,
    pub peers: Vec<(Peer, Level)>,
    /// What does not open of what is only tried; a call has reports for it.
    pub troubles: Vec<(Source, SourceState)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    pub loudness: f32,
    pub speaking: bool,
}

/// Everything that is measured in a call. Exported as JSON; holds no address
/// and no name. Rates in bit/s, times in ms.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CallStats {
    /// Since the call began here.
    pub age_ms: u64,
    pub own: OwnStats,
    pub peers: Vec<EndStats>,
}

/// What goes out, before it is sent to anybody.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OwnStats {
    pub audio_bitrate: u32,
    /// Packets that everything was too slow for.
    pub audio_dropped: u64,
    pub camera: Option<PictureOut>,
    pub screen: Option<PictureOut>,
    /// Media keys that this end has sealed under.
    pub keys: u64,
}

/// A picture as it is encoded now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PictureOut {
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub bitrate: u32,
    /// Part of the time between two frames that encoding takes.
    pub load: f32,
    pub keyframes: u64,
    /// Nobody shows it or there is no room for it: nothing is encoded.
    pub paused: bool,
}

/// One participant, as measured here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndStats {
    #[serde(serialize_with = "as_text")]
    pub user: UserId,
    #[serde(serialize_with = "as_text")]
    pub device: DeviceId,
    pub connection: PeerStats,
    pub sound: SoundIn,
    pub camera: Option<PictureIn>,
    pub screen: Option<PictureIn>,
    pub frames: FrameCounts,
    /// From the order to connect to the first sound and picture that could be
    /// heard and seen.
    pub first_sound_ms: Option<f64>,
    pub first_picture_ms: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct SoundIn {
    pub jitter_ms: u32,
    /// From arrival to the speaker.
    pub delay_ms: u32,
    /// Sound that had to be made up, in all.
    pub concealed_ms: u64,
    pub played_ms: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PictureIn {
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub decoded: u64,
    pub dropped: u64,
    /// Times that nothing came for long while pictures were due.
    pub freezes: u64,
    pub frozen_ms: u64,
}

/// What became of a participant's encrypted frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FrameCounts {
    pub opened: u64,
    pub forged: u64,
    pub replayed: u64,
    pub malformed: u64,
    pub without_key: u64,
}

fn as_text<T: std::fmt::Display, S: serde::Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}
