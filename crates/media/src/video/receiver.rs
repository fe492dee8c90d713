//! From a peer's frames to its tile. One thread for each picture that comes
//! in; frames wait in a short queue, and when that is full, everything up to
//! the next keyframe is dropped: late pictures are worth nothing.
//!
//! Frames come in the order in which they were sent, and whole. Where one is
//! missing, the caller says so ([`VideoReceiver::lost`]) and goes on.

use super::tile::Tile;
use super::vp8::{Decoder, Vp8Error};
use super::{EncodedVideo, Size, VideoKind};
use flow::{Flow, Taken};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

mod flow;
mod watch;

#[cfg(test)]
mod tests;

pub use watch::{FREEZE, SCREEN_FREEZE, Watch};

/// How long to wait before a keyframe is asked for again: a round trip and
/// the time to make one, with room.
const ASK_AGAIN: Duration = Duration::from_millis(400);

/// What happens while receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiverEvent {
    /// Ask the sender for a keyframe (RFC 4585 §6.3.1, picture loss).
    NeedsKeyframe,
    /// The first picture is there, or the first after a pause.
    FirstPicture,
    /// Pictures have a new size.
    Resized(Size),
}

/// What was received. Counters begin with the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceiverStats {
    /// The size of the newest picture.
    pub size: Size,
    /// Pictures of the last second.
    pub fps: u32,
    pub pictures: u64,
    pub keyframes: u64,
    /// Frames that were dropped because decoding was late or one before them
    /// was missing.
    pub dropped: u64,
    /// Frames that were not VP8 or were damaged.
    pub broken: u64,
    /// Times that nothing came for more than [`FREEZE`] or
    /// [`SCREEN_FREEZE`].
    pub freezes: u64,
    /// How long all of them took together, the present one included.
    pub frozen: Duration,
    /// The picture stands still now.
    pub frozen_now: bool,
    /// Time that decoding took, altogether.
    pub decoding: Duration,
    /// Longest the queue has been.
    pub deepest: usize,
}

/// Decodes one picture of one peer. Ends when dropped.
pub struct VideoReceiver {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    tile: Arc<Tile>,
}

struct State {
    flow: Flow,
    watch: Watch,
    stats: ReceiverStats,
    /// The sender says that it sends nothing.
    off: bool,
    closed: bool,
}

impl VideoReceiver {
    /// Decode into `tile`. A screen may stand still longer than a camera before
    /// that counts as a freeze. `on_event` is called on a thread of the receiver
    /// or of whoever pushes, and must not block.
    pub fn start(
        kind: VideoKind,
        tile: Arc<Tile>,
        on_event: impl Fn(ReceiverEvent) + Send + 'static,
    ) -> Result<Self, Vp8Error> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                flow: Flow::default(),
                watch: Watch::new(match kind {
                    VideoKind::Camera => FREEZE,
                    VideoKind::Screen => SCREEN_FREEZE,
                }),
                stats: ReceiverStats::default(),
                off: false,
                closed: false,
            }),
            changed: Condvar::new(),
            tile,
        });
        let worker = Arc::clone(&shared);
        thread::Builder::new()
            .name("video-decoder".into())
            .spawn(move || worker.run(&on_event))
            .map_err(|_| Vp8Error::Library)?;
        Ok(Self { shared })
    }

    /// The next frame. Never blocks.
    pub fn push(&self, frame: EncodedVideo) {
        let mut state = self.shared.lock();
        if state.off {
            return;
        }
        let dropped = state.flow.push(frame);
        state.stats.dropped += dropped;
        let depth = state.flow.depth();
        state.stats.deepest = state.stats.deepest.max(depth);
        self.shared.changed.notify_all();
    }

    /// A frame before the next one will not come: wait for a keyframe.
    pub fn lost(&self) {
        let mut state = self.shared.lock();
        if state.off {
            return;
        }
        state.flow.lost();
        self.shared.changed.notify_all();
    }

    /// The sender stopped on purpose, or begins again. While it is off nothing
    /// is shown, frozen or asked for, and what comes is late or a mistake.
    pub fn set_off(&self, off: bool) {
        let mut state = self.shared.lock();
        if std::mem::replace(&mut state.off, off) == off {
            return;
        }
        state.watch.pause();
        state.flow.reset();
        // Under the lock, as pictures are put.
        self.shared.tile.clear();
    }

    /// Nobody looks at it, so that the sender may stop without a word.
    pub fn set_hidden(&self, hidden: bool) {
        self.shared.lock().watch.hide(hidden);
    }

    pub fn tile(&self) -> &Arc<Tile> {
        &self.shared.tile
    }

    pub fn stats(&self) -> ReceiverStats {
        let mut state = self.shared.lock();
        let now = Instant::now();
        let mut stats = state.stats;
        state.watch.read(now, &mut stats);
        stats
    }
}

impl Drop for VideoReceiver {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn run(&self, on_event: &dyn Fn(ReceiverEvent)) {
        let mut decoder = Decoder::new();
        while let Some(taken) = self.next() {
            match taken {
                Taken::Nothing => {}
                Taken::Ask => on_event(ReceiverEvent::NeedsKeyframe),
                Taken::Frame(frame, pauses) => {
                    self.decode(&mut decoder, &frame, pauses, on_event);
                }
            }
        }
    }

    /// Wait for something to do. `None`: it is over.
    fn next(&self) -> Option<Taken> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            match state.flow.take(now) {
                Taken::Nothing => {}
                taken => return Some(taken),
            }
            let wait = state.flow.wake(now);
            state = match wait {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(wait) => self
                    .changed
                    .wait_timeout(state, wait)
                    .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state),
            };
        }
    }

    fn decode(
        &self,
        decoder: &mut Decoder,
        frame: &EncodedVideo,
        pauses: u64,
        on_event: &dyn Fn(ReceiverEvent),
    ) {
        let started = Instant::now();
        let result = decoder.decode(&frame.data, started);
        let now = Instant::now();
        let mut state = self.lock();
        state.stats.decoding += now - started;
        let picture = match result {
            Ok(picture) => picture,
            Err(error) => {
                tracing::debug!(%error, "video frame not decoded");
                if error != Vp8Error::NeedsKeyframe {
                    state.stats.broken += 1;
                }
                state.flow.lost();
                return;
            }
        };
        state.stats.keyframes += u64::from(frame.keyframe);
        let Some(picture) = picture else { return };
        if !state.flow.current(pauses) {
            return;
        }
        let resized = state.stats.size != picture.size();
        let first = state.watch.picture(now);
        state.stats.pictures += 1;
        state.stats.size = picture.size();
        // Under the lock, so that a pause in between is not painted over.
        let size = picture.size();
        self.tile.put(picture, frame.rtp_time);
        drop(state);
        if first {
            on_event(ReceiverEvent::FirstPicture);
        }
        if resized {
            on_event(ReceiverEvent::Resized(size));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
