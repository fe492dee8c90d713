//! The numbers of a session, put together for whoever asks.

use super::task::{Call, End, Task};
use crate::console::{CallStats, EndStats, OwnStats};
use crate::video::VideoKind;
use sotto_client::call::media::Peer;
use std::time::Duration;

impl Task {
    pub(super) fn stats(&self) -> CallStats {
        let Some(call) = &self.call else {
            return CallStats::default();
        };
        CallStats {
            age_ms: u64::try_from(call.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            own: self.own(call),
            peers: call
                .ends
                .iter()
                .map(|(peer, end)| of_end(peer, end))
                .collect(),
        }
    }

    fn own(&self, call: &Call) -> OwnStats {
        let sound = self.sound.stats().unwrap_or_default();
        OwnStats {
            audio_bitrate: sound.bitrate,
            audio_dropped: sound.dropped,
            camera: self.camera.stats(),
            screen: self.screen.stats(),
            keys: call.keys,
        }
    }
}

fn of_end(peer: &Peer, end: &End) -> EndStats {
    let (sound, picture) = end.incoming.firsts();
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    EndStats {
        user: peer.user,
        device: peer.device,
        connection: end.connection.stats(),
        sound: end.incoming.sound(),
        camera: end.incoming.picture(VideoKind::Camera),
        screen: end.incoming.picture(VideoKind::Screen),
        frames: end.incoming.frames(),
        first_sound_ms: sound.map(millis),
        first_picture_ms: picture.map(millis),
    }
}
