//! What is measured in a call, in whole numbers: rates in bit/s, times in ms,
//! losses in thousandths.

use crate::ipc::number::Num;
use serde::Serialize;
use sotto_media::{console, peer};
use specta::Type;

/// What is measured in a call. Rates in bit/s, times in ms.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallStats {
    pub age_ms: Num,
    pub audio_bitrate: u32,
    pub camera: Option<PictureOut>,
    pub screen: Option<PictureOut>,
    pub peers: Vec<PeerStats>,
}

/// A picture as it is encoded now.
#[derive(Debug, Clone, Copy, Serialize, Type)]
pub struct PictureOut {
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub bitrate: u32,
    /// Nobody shows it or there is no room for it: nothing is encoded.
    pub paused: bool,
}

/// One participant, as measured here.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PeerStats {
    pub user: String,
    pub device: String,
    pub path: Path,
    pub round_trip_ms: Option<u32>,
    /// What may be sent.
    pub estimate: u32,
    pub sound: SoundIn,
    pub camera: Option<PictureIn>,
    pub screen: Option<PictureIn>,
    /// What reaches them of ours.
    pub audio_out: StreamOut,
    pub camera_out: StreamOut,
    pub screen_out: StreamOut,
    pub frames: FrameCounts,
    pub setup: Setup,
}

/// How packets travel.
#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Path {
    Unknown,
    Direct,
    Relayed,
    RelayedTcp,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SoundIn {
    pub bitrate: u32,
    /// Thousandths of the packets, lately.
    pub loss: u32,
    pub jitter_ms: u32,
    /// From arrival to the speaker.
    pub delay_ms: u32,
    /// Sound that had to be made up, in all.
    pub concealed_ms: Num,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PictureIn {
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub bitrate: u32,
    /// Thousandths of the packets, lately.
    pub loss: u32,
    pub freezes: Num,
    pub frozen_ms: Num,
}

#[derive(Debug, Clone, Copy, Serialize, Type)]
pub struct StreamOut {
    pub bitrate: u32,
    /// Thousandths of the packets, lately.
    pub loss: u32,
}

/// What became of encrypted frames.
#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FrameCounts {
    pub opened: Num,
    pub forged: Num,
    pub replayed: Num,
    pub malformed: Num,
    pub without_key: Num,
}

/// When the steps of connecting were done, in ms.
#[derive(Debug, Clone, Copy, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    pub described_ms: Option<u32>,
    pub answered_ms: Option<u32>,
    pub ice_ms: Option<u32>,
    pub dtls_ms: Option<u32>,
    pub first_sound_ms: Option<u32>,
    pub first_picture_ms: Option<u32>,
}

impl From<console::CallStats> for CallStats {
    fn from(stats: console::CallStats) -> Self {
        Self {
            age_ms: stats.age_ms.into(),
            audio_bitrate: stats.own.audio_bitrate,
            camera: stats.own.camera.map(PictureOut::from),
            screen: stats.own.screen.map(PictureOut::from),
            peers: stats.peers.into_iter().map(PeerStats::from).collect(),
        }
    }
}

impl From<console::PictureOut> for PictureOut {
    fn from(picture: console::PictureOut) -> Self {
        Self {
            width: picture.width,
            height: picture.height,
            fps: picture.fps,
            bitrate: picture.bitrate,
            paused: picture.paused,
        }
    }
}

impl From<console::EndStats> for PeerStats {
    fn from(end: console::EndStats) -> Self {
        let connection = end.connection;
        let frames = end.frames;
        Self {
            user: end.user.to_string(),
            device: end.device.to_string(),
            path: match connection.path {
                peer::PathKind::Unknown => Path::Unknown,
                peer::PathKind::Direct => Path::Direct,
                peer::PathKind::Relayed => Path::Relayed,
                peer::PathKind::RelayedTcp => Path::RelayedTcp,
            },
            round_trip_ms: connection.round_trip_ms.map(whole),
            estimate: connection.estimate,
            sound: SoundIn {
                bitrate: connection.audio_in.bitrate,
                loss: thousandths(connection.audio_in.loss),
                jitter_ms: end.sound.jitter_ms,
                delay_ms: end.sound.delay_ms,
                concealed_ms: end.sound.concealed_ms.into(),
            },
            camera: end.camera.map(|it| picture(it, connection.camera_in)),
            screen: end.screen.map(|it| picture(it, connection.screen_in)),
            audio_out: connection.audio_out.into(),
            camera_out: connection.camera_out.into(),
            screen_out: connection.screen_out.into(),
            frames: FrameCounts {
                opened: frames.opened.into(),
                forged: frames.forged.into(),
                replayed: frames.replayed.into(),
                malformed: frames.malformed.into(),
                without_key: frames.without_key.into(),
            },
            setup: Setup {
                described_ms: connection.setup.described_ms.map(whole),
                answered_ms: connection.setup.answered_ms.map(whole),
                ice_ms: connection.setup.ice_ms.map(whole),
                dtls_ms: connection.setup.dtls_ms.map(whole),
                first_sound_ms: end.first_sound_ms.map(whole),
                first_picture_ms: end.first_picture_ms.map(whole),
            },
        }
    }
}

fn picture(picture: console::PictureIn, stream: peer::StreamStats) -> PictureIn {
    PictureIn {
        width: picture.width,
        height: picture.height,
        fps: picture.fps,
        bitrate: stream.bitrate,
        loss: thousandths(stream.loss),
        freezes: picture.freezes.into(),
        frozen_ms: picture.frozen_ms.into(),
    }
}

impl From<peer::StreamStats> for StreamOut {
    fn from(stream: peer::StreamStats) -> Self {
        Self {
            bitrate: stream.bitrate,
            loss: thousandths(stream.loss),
        }
    }
}

fn thousandths(share: f64) -> u32 {
    whole(share * 1_000.0).min(1_000)
}

/// To the nearest whole number that fits; no number is 0.
pub(super) fn whole(value: f64) -> u32 {
    // A cast from float saturates, and makes no number 0.
    value.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_told_in_whole_numbers() {
        assert_eq!(whole(22.6), 23);
        assert_eq!(whole(f64::NAN), 0);
        assert_eq!(whole(-1.0), 0);
        assert_eq!(whole(1e300), u32::MAX);
        assert_eq!(thousandths(0.0834), 83);
        assert_eq!(thousandths(7.0), 1_000);
    }
}
