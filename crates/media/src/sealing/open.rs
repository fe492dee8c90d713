//! The receiving half: the keys of one sender, and what of theirs was opened
//! before.

use super::window::Window;
use super::{SUITE, Stream, associated};
use bytes::Bytes;
use sframe::frame::EncryptedFrameView;
use sframe::header::SframeHeader;
use sframe::key::DecryptionKey;
use sotto_client::call::media::MediaKey;
use std::collections::BTreeMap;
use std::fmt;

/// Keys of one sender that can be waiting or in use at a time; a rotation
/// needs two. More drop the oldest.
const KEYS: usize = 8;

/// Longest frame looked at, in bytes.
const LONGEST: usize = 4 << 20;

/// Opens the frames of one sender.
#[derive(Default)]
pub struct Opener {
    keys: BTreeMap<u64, Held>,
    /// Ids below were forgotten and do not come back.
    floor: u64,
    counts: OpenCounts,
}

struct Held {
    key: DecryptionKey,
    windows: [Window; Stream::COUNT],
}

/// A frame as its sender encoded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedFrame {
    pub data: Bytes,
    pub keyframe: bool,
    /// The key it was under.
    pub kid: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No key with this id: it may yet come.
    #[error("the key {0} is not here")]
    UnknownKey(u64),
    /// The tag does not fit: another sender, another stream, or changed.
    #[error("the frame is forged")]
    Forged,
    /// Opened before, or too old to tell.
    #[error("the frame was seen before")]
    Replayed,
    #[error("this is no sealed frame")]
    Malformed,
}

/// Frames of one sender by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenCounts {
    pub opened: u64,
    pub unknown_key: u64,
    pub forged: u64,
    pub replayed: u64,
    pub malformed: u64,
}

impl Opener {
    pub fn new() -> Self {
        Self::default()
    }

    /// Frames may be under `key` from now on. A known id keeps its first key,
    /// a forgotten one stays forgotten.
    pub fn add_key(&mut self, key: &MediaKey) {
        if key.kid < self.floor || self.keys.contains_key(&key.kid) {
            return;
        }
        let Ok(derived) = DecryptionKey::derive_from(SUITE, key.kid, key.secret()) else {
            return;
        };
        let windows = std::array::from_fn(|_| Window::new());
        self.keys.insert(
            key.kid,
            Held {
                key: derived,
                windows,
            },
        );
        while self.keys.len() > KEYS {
            if let Some((kid, _)) = self.keys.pop_first() {
                self.floor = kid + 1;
            }
        }
    }

    /// Keys with a lower id open nothing any more, ever.
    pub fn forget_below(&mut self, kid: u64) {
        self.floor = self.floor.max(kid);
        self.keys = self.keys.split_off(&kid);
    }

    pub fn has_key(&self, kid: u64) -> bool {
        self.keys.contains_key(&kid)
    }

    pub fn counts(&self) -> OpenCounts {
        self.counts
    }

    /// Opens one frame as it came from `stream`.
    pub fn open(&mut self, stream: Stream, wire: &[u8]) -> Result<OpenedFrame, OpenError> {
        let result = self.try_open(stream, wire);
        let count = match &result {
            Ok(_) => &mut self.counts.opened,
            Err(OpenError::UnknownKey(_)) => &mut self.counts.unknown_key,
            Err(OpenError::Forged) => &mut self.counts.forged,
            Err(OpenError::Replayed) => &mut self.counts.replayed,
            Err(OpenError::Malformed) => &mut self.counts.malformed,
        };
        *count += 1;
        result
    }

    fn try_open(&mut self, stream: Stream, wire: &[u8]) -> Result<OpenedFrame, OpenError> {
        let (keyframe, sealed) = split(stream, wire)?;
        let header = strict_header(sealed)?;
        let (kid, counter) = (header.key_id(), header.counter());
        let held = self.keys.get_mut(&kid).ok_or(OpenError::UnknownKey(kid))?;
        let window = &mut held.windows[stream.index()];
        if !window.allows(counter) {
            return Err(OpenError::Replayed);
        }
        let metadata = associated(stream, keyframe);
        let view = EncryptedFrameView::try_with_meta_data(sealed, &metadata[..])
            .map_err(|_| OpenError::Malformed)?;
        let plain = view.decrypt(&held.key).map_err(|_| OpenError::Forged)?;
        window.record(counter);
        Ok(OpenedFrame {
            data: Bytes::copy_from_slice(plain.payload()),
            keyframe,
            kid,
        })
    }
}

/// The P octet and the rest of a video frame.
fn split(stream: Stream, wire: &[u8]) -> Result<(bool, &[u8]), OpenError> {
    if wire.len() > LONGEST {
        return Err(OpenError::Malformed);
    }
    if stream == Stream::Audio {
        return Ok((false, wire));
    }
    match wire.split_first() {
        Some((0, rest)) => Ok((true, rest)),
        Some((1, rest)) => Ok((false, rest)),
        _ => Err(OpenError::Malformed),
    }
}

/// The header, only if it is written in the one shortest way.
fn strict_header(sealed: &[u8]) -> Result<SframeHeader, OpenError> {
    let header = SframeHeader::deserialize(sealed).map_err(|_| OpenError::Malformed)?;
    let shortest = SframeHeader::new(header.key_id(), header.counter());
    if header != shortest || sealed.len() < header.len() + SUITE.auth_tag_len() {
        return Err(OpenError::Malformed);
    }
    Ok(header)
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<opener of {} keys>", self.keys.len())
    }
}
