//! What a page pulls: the newest picture of somebody, at the size in which it
//! is drawn. Work is done only when somebody pulls; a hidden tile costs
//! nothing.

use super::newest::{Newest, Waited};
use super::picture::{Scaler, fit};
use super::{Picture, Size};
use bytes::Bytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// Sizes for which a scaled picture is kept: a grid, a strip, a small window.
const SIZES: usize = 3;

/// A picture as a page draws it: I420 like [`Picture`].
#[derive(Debug, Clone)]
pub struct TileFrame {
    /// Rises with each new picture; give it as `after` the next time.
    pub id: u64,
    pub size: Size,
    /// Y, U and V planes without padding.
    pub data: Bytes,
    /// The size it came in.
    pub source: Size,
    /// RTP time of its frame, 90 kHz; of an own picture too.
    pub rtp_time: u32,
    /// When it was decoded; of an own picture, captured.
    pub at: Instant,
}

/// What the tile hears of.
#[derive(Clone)]
struct Entry {
    picture: Picture,
    rtp_time: u32,
}

/// A place for the newest picture of one participant's camera or screen.
#[derive(Default)]
pub struct Tile {
    newest: Newest<Entry>,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    scaler: Scaler,
    scaled: Vec<(Size, TileFrame)>,
    shown: Shown,
}

/// Which pictures were pulled, and how old they were then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Different pictures that were pulled.
    pub pictures: u64,
    /// RTP time of the last one.
    pub rtp_time: u32,
    /// When it was pulled first.
    pub at: Option<Instant>,
    /// How long it had been here by then.
    pub waited: Duration,
}

impl Tile {
    /// Show this one from now on. `rtp_time`: of its frame, 90 kHz.
    pub fn put(&self, picture: Picture, rtp_time: u32) {
        self.newest.put(Entry { picture, rtp_time });
    }

    /// Show nothing: the camera is off. Keeps no picture.
    pub fn clear(&self) {
        self.newest.clear();
        self.work().scaled.clear();
    }

    /// The newest picture within these bounds, in its own shape and never
    /// larger than it came, if it is newer than picture `after`.
    pub fn newest(&self, max_width: u32, max_height: u32, after: u64) -> Option<TileFrame> {
        let bounds = Size::new(max_width, max_height);
        if bounds.area() == 0 {
            return None;
        }
        let (id, entry) = self.newest.after(after)?;
        let source = entry.picture.size();
        let size = fit(source, bounds);
        let mut work = self.work();
        work.note(id, &entry);
        if let Some(frame) = work.kept(id, size) {
            return Some(frame);
        }
        let picture = work.scaler.scale(&entry.picture, size).ok()?;
        let frame = TileFrame {
            id,
            size,
            data: picture.data,
            source,
            rtp_time: entry.rtp_time,
            at: entry.picture.at,
        };
        work.keep(frame.clone());
        Some(frame)
    }

    /// The newest picture as it came.
    pub fn picture(&self) -> Option<(u64, Picture)> {
        let (id, entry) = self.newest.get()?;
        Some((id, entry.picture))
    }

    /// Wait for a picture newer than `after`, as it came. For programs without
    /// a page.
    pub fn wait(&self, after: u64, at_most: Duration) -> Option<(u64, Picture)> {
        match self.newest.wait(after, at_most) {
            Waited::Got(id, entry) => Some((id, entry.picture)),
            Waited::Timeout | Waited::Closed => None,
        }
    }

    /// Whether it shows anything.
    pub fn is_empty(&self) -> bool {
        self.newest.get().is_none()
    }

    /// What was pulled: with a sender's clock, the age of what is seen.
    pub fn shown(&self) -> Shown {
        self.work().shown
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn kept(&self, id: u64, size: Size) -> Option<TileFrame> {
        let same = |(kept, frame): &&(Size, TileFrame)| *kept == size && frame.id == id;
        self.scaled
            .iter()
            .find(same)
            .map(|(_, frame)| frame.clone())
    }

    fn keep(&mut self, frame: TileFrame) {
        let size = frame.size;
        self.scaled.retain(|(kept, _)| *kept != size);
        if self.scaled.len() == SIZES {
            self.scaled.remove(0);
        }
        self.scaled.push((size, frame));
    }

    fn note(&mut self, id: u64, entry: &Entry) {
        if self.shown.at.is_some() && self.shown.rtp_time == entry.rtp_time {
            return;
        }
        tracing::trace!(id, "picture pulled");
        let now = Instant::now();
        self.shown = Shown {
            pictures: self.shown.pictures + 1,
            rtp_time: entry.rtp_time,
            at: Some(now),
            waited: now.saturating_duration_since(entry.picture.at),
        };
    }
}
