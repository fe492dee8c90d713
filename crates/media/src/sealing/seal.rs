//! The sending half: one key at a time, and a counter that never returns to a
//! value under the same key (RFC 9605 §9.1).

use super::{SUITE, Stream, associated};
use bytes::Bytes;
use sframe::frame::{MediaFrameView, MonotonicCounter};
use sframe::key::EncryptionKey;
use sotto_client::call::media::MediaKey;
use std::fmt;

/// Far more frames than a call can have; long before AES-GCM's bounds.
const FRAMES_PER_KEY: u64 = 1 << 40;

/// Encrypts the frames of one participant, once for all receivers.
#[derive(Default)]
pub struct Sealer {
    current: Option<Current>,
}

struct Current {
    kid: u64,
    key: EncryptionKey,
    counter: MonotonicCounter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("there is no key yet")]
    NoKey,
    /// Its id was used before, or is lower: counters would begin again.
    #[error("the key is not newer than the present one")]
    StaleKey,
    #[error("the key has sealed all the frames it may")]
    Exhausted,
    #[error("the key cannot be used")]
    BadKey,
}

impl Sealer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals under `key` from the next frame on. Its id must be higher than
    /// any before.
    pub fn set_key(&mut self, key: &MediaKey) -> Result<(), SealError> {
        if self.current.as_ref().is_some_and(|c| key.kid <= c.kid) {
            return Err(SealError::StaleKey);
        }
        let derived = EncryptionKey::derive_from(SUITE, key.kid, key.secret())
            .map_err(|_| SealError::BadKey)?;
        self.current = Some(Current {
            kid: key.kid,
            key: derived,
            counter: MonotonicCounter::new(FRAMES_PER_KEY),
        });
        Ok(())
    }

    /// Id of the key in use.
    pub fn kid(&self) -> Option<u64> {
        self.current.as_ref().map(|c| c.kid)
    }

    /// One whole encoded frame, sealed. `keyframe` is of no matter for audio.
    pub fn seal(
        &mut self,
        stream: Stream,
        keyframe: bool,
        frame: &[u8],
    ) -> Result<Bytes, SealError> {
        let current = self.current.as_mut().ok_or(SealError::NoKey)?;
        let keyframe = keyframe && stream != Stream::Audio;
        let metadata = associated(stream, keyframe);
        let plain = MediaFrameView::try_with_meta_data(&mut current.counter, frame, &metadata[..])
            .map_err(|_| SealError::Exhausted)?;
        let sealed = plain.encrypt(&current.key).map_err(|_| SealError::BadKey)?;
        let cipher = sealed.sframe_cipher_text();
        if stream == Stream::Audio {
            return Ok(Bytes::copy_from_slice(cipher));
        }
        let mut wire = Vec::with_capacity(1 + cipher.len());
        wire.push(u8::from(!keyframe));
        wire.extend_from_slice(cipher);
        Ok(wire.into())
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<sealer {:?}>", self.kid())
    }
}
