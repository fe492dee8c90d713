//! What leaves: frames as their encoders make them, sealed once and handed to
//! every connection. Encoders call this on their own threads, and nothing here
//! waits.

use crate::audio::EncodedAudio;
use crate::peer::Peer as Connection;
use crate::sealing::{SealError, Sealer, Stream};
use crate::video::{EncodedVideo, VideoKind};
use bytes::Bytes;
use sotto_client::call::media::{MediaKey, Peer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// One call's way out.
#[derive(Default)]
pub struct Outgoing {
    sealer: Mutex<Sealer>,
    ends: RwLock<BTreeMap<Peer, Arc<Connection>>>,
}

impl Outgoing {
    pub fn add(&self, peer: Peer, connection: Arc<Connection>) {
        let mut ends = self.ends.write().unwrap_or_else(PoisonError::into_inner);
        ends.insert(peer, connection);
    }

    pub fn remove(&self, peer: &Peer) {
        let mut ends = self.ends.write().unwrap_or_else(PoisonError::into_inner);
        ends.remove(peer);
    }

    /// Seals under `key` from the next frame on.
    pub fn set_key(&self, key: &MediaKey) -> Result<(), SealError> {
        self.sealer().set_key(key)
    }

    pub fn audio(&self, packet: &EncodedAudio) {
        let Some(sealed) = self.seal(Stream::Audio, false, &packet.data) else {
            return;
        };
        self.each(|end| end.send_audio(sealed.clone(), packet.rtp_time, packet.first));
    }

    pub fn video(&self, kind: VideoKind, frame: &EncodedVideo) {
        let Some(sealed) = self.seal(kind.into(), frame.keyframe, &frame.data) else {
            return;
        };
        self.each(|end| end.send_video(kind, sealed.clone(), frame.keyframe, frame.rtp_time));
    }

    /// Without a key nothing leaves.
    fn seal(&self, stream: Stream, keyframe: bool, frame: &[u8]) -> Option<Bytes> {
        match self.sealer().seal(stream, keyframe, frame) {
            Ok(sealed) => Some(sealed),
            Err(SealError::NoKey) => None,
            Err(error) => {
                tracing::error!(%error, "a frame could not be sealed");
                None
            }
        }
    }

    fn each(&self, send: impl Fn(&Connection)) {
        let ends = self.ends.read().unwrap_or_else(PoisonError::into_inner);
        ends.values().for_each(|end| send(end));
    }

    fn sealer(&self) -> MutexGuard<'_, Sealer> {
        self.sealer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
