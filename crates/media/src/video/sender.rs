//! From a source to encoded frames. Two threads: one waits for the device, one
//! encodes; between them lies only the newest picture. Frames are encoded once,
//! for whoever gets them.
//!
//! The device is open as long as the sender lives, and let go of soon after it
//! is dropped ([`SenderEvent::Closed`]).

use super::adaptation::Target;
use super::newest::{Newest, Waited};
use super::source::{Open, PATIENCE, Pace};
use super::tile::Tile;
use super::{CLOCK, Content, EncodedVideo, Picture, Size};
use crate::device::DeviceError;
use rate::Rate;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use work::Work;

mod rate;
mod still;
mod wishes;
mod work;

#[cfg(test)]
mod tests;

/// An encoded frame, and when its picture was captured.
#[derive(Debug, Clone)]
pub struct Sent {
    pub frame: EncodedVideo,
    pub size: Size,
    pub captured: Instant,
    pub encoded: Instant,
}

/// What happens to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderEvent {
    /// The first picture came.
    Works(Size),
    /// It cannot be opened, or it stopped. Nothing more is captured.
    Failed(DeviceError),
    /// The device is let go of. Always the last.
    Closed,
}

/// What is captured and encoded. Rates are those of the last second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SenderStats {
    /// The size of captured pictures.
    pub source: Size,
    pub source_fps: u32,
    /// The size of encoded pictures.
    pub size: Size,
    pub fps: u32,
    /// Bits a second.
    pub bitrate: u32,
    /// VP8's, 0 (best) to 127.
    pub quantizer: u8,
    pub frames: u64,
    pub keyframes: u64,
    /// Pictures that the encoder left out to keep to its bitrate.
    pub skipped: u64,
    /// The part of the time between two frames that encoding takes.
    pub load: f32,
    /// Time that scaling and encoding took, altogether.
    pub working: Duration,
    pub paused: bool,
}

/// Captures and encodes one source. Ends when dropped.
pub struct VideoSender {
    shared: Arc<Shared>,
}

struct Shared {
    control: Mutex<Control>,
    captured: Newest<Picture>,
    preview: Arc<Tile>,
}

struct Control {
    content: Content,
    /// `None`: nothing is encoded.
    target: Option<Target>,
    keyframe: bool,
    stats: SenderStats,
    source_rate: Rate,
    sent_rate: Rate,
    closed: bool,
}

type OnEvent = Arc<dyn Fn(SenderEvent) + Send + Sync>;

impl VideoSender {
    /// Open the source and begin. Without a `target` only the preview moves.
    /// `sink` gets every frame, on the encoder's thread: it must not block.
    /// `rtp_start`: random, the RTP time of the first moment (RFC 3550 §5.1).
    pub fn start(
        open: Open,
        content: Content,
        target: Option<Target>,
        rtp_start: u32,
        sink: impl FnMut(Sent) + Send + 'static,
        on_event: impl Fn(SenderEvent) + Send + Sync + 'static,
    ) -> Result<Self, DeviceError> {
        let shared = Arc::new(Shared {
            control: Mutex::new(Control {
                content,
                target,
                keyframe: true,
                stats: SenderStats::default(),
                source_rate: Rate::default(),
                sent_rate: Rate::default(),
                closed: false,
            }),
            captured: Newest::default(),
            preview: Arc::default(),
        });
        let on_event: OnEvent = Arc::new(on_event);
        let sender = Self {
            shared: Arc::clone(&shared),
        };
        let clock = Clock {
            start: rtp_start,
            begun: Instant::now(),
        };
        let (sink, failed) = (Box::new(sink), Arc::clone(&on_event));
        let encoding = Arc::clone(&shared);
        spawn("video-encoder", move || {
            encoding.encode(Work::new(clock, sink, failed));
        })?;
        spawn("video-capture", move || {
            shared.capture(open, clock, &*on_event);
            shared.captured.close();
            shared.preview.clear();
            on_event(SenderEvent::Closed);
        })?;
        Ok(sender)
    }

    /// Encode so from the next picture on; `None`: nothing.
    pub fn set_target(&self, target: Option<Target>) {
        let mut control = self.shared.control();
        let begins = control.target.is_none() && target.is_some();
        if control.target.is_none() {
            // Whoever comes back has thrown away what was before.
            control.keyframe = true;
        }
        control.target = target;
        drop(control);
        if begins {
            // What was captured last is better than waiting for the next.
            self.shared.captured.again();
        }
    }

    /// What it is a picture of, from the next on.
    pub fn set_content(&self, content: Content) {
        self.shared.control().content = content;
    }

    /// The next frame is one that can be decoded by itself; not sooner after
    /// the last of them than a third of a second, however many ask.
    pub fn request_keyframe(&self) {
        self.shared.control().keyframe = true;
    }

    /// The captured picture, for oneself.
    pub fn preview(&self) -> Arc<Tile> {
        Arc::clone(&self.shared.preview)
    }

    pub fn stats(&self) -> SenderStats {
        let mut control = self.shared.control();
        let now = Instant::now();
        let (source_fps, _) = control.source_rate.read(now);
        let (fps, bytes) = control.sent_rate.read(now);
        SenderStats {
            source_fps,
            fps,
            bitrate: u32::try_from(bytes * 8).unwrap_or(u32::MAX),
            paused: control.target.is_none(),
            ..control.stats
        }
    }
}

impl Drop for VideoSender {
    fn drop(&mut self) {
        self.shared.control().closed = true;
        self.shared.captured.close();
    }
}

impl Shared {
    /// The capture thread.
    fn capture(&self, open: Open, clock: Clock, on_event: &dyn Fn(SenderEvent)) {
        if self.control().closed {
            return;
        }
        let mut source = match open() {
            Ok(source) => source,
            Err(error) => return on_event(SenderEvent::Failed(error)),
        };
        let mut works = false;
        while let Some(pace) = self.pace() {
            let picture = match source.next(pace) {
                Ok(Some(picture)) => picture.even(),
                Ok(None) => continue,
                Err(error) => return on_event(SenderEvent::Failed(error)),
            };
            let size = picture.size();
            let mut control = self.control();
            if control.closed {
                return;
            }
            control.stats.source = size;
            control.source_rate.count(picture.at, 0);
            drop(control);
            self.preview.put(picture.clone(), clock.rtp(picture.at));
            self.captured.put(picture);
            if !works {
                works = true;
                on_event(SenderEvent::Works(size));
            }
        }
    }

    /// What is wanted of the source; `None` when it is over. The preview moves
    /// smoothly even when nobody else looks.
    fn pace(&self) -> Option<Pace> {
        let control = self.control();
        if control.closed {
            return None;
        }
        let fps = control.target.map_or(15, |target| target.fps.max(1));
        Some(Pace { fps })
    }

    /// The encoder's thread.
    fn encode(&self, mut work: Work) {
        let mut number = 0;
        loop {
            let picture = match self.captured.wait(number, PATIENCE) {
                Waited::Closed => return,
                Waited::Timeout => continue,
                Waited::Got(newer, picture) => {
                    number = newer;
                    picture
                }
            };
            let (target, keyframe, content) = {
                let control = self.control();
                if control.closed {
                    return;
                }
                (control.target, control.keyframe, control.content)
            };
            let Some(target) = target else {
                work.pause();
                continue;
            };
            work.is_of(content);
            let Some(done) = work.picture(&picture, target, keyframe) else {
                continue;
            };
            self.note(&done);
            if let Some(sent) = done.sent {
                work.send(sent);
            }
        }
    }

    fn note(&self, done: &work::Done) {
        let mut control = self.control();
        control.stats.working += done.took;
        control.stats.load = done.load;
        let Some(sent) = &done.sent else {
            control.stats.skipped += 1;
            return;
        };
        control.stats.size = sent.size;
        control.stats.quantizer = done.quantizer;
        control.stats.frames += 1;
        if sent.frame.keyframe {
            control.stats.keyframes += 1;
            control.keyframe = false;
        }
        control.sent_rate.count(sent.encoded, sent.frame.data.len());
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The RTP clock of one sender.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// RTP time of the first moment.
    start: u32,
    begun: Instant,
}

impl Clock {
    /// Ticks since the first moment.
    fn ticks(self, at: Instant) -> i64 {
        let since = at.saturating_duration_since(self.begun);
        (since.as_micros() * u128::from(CLOCK) / 1_000_000) as i64
    }

    fn rtp(self, at: Instant) -> u32 {
        self.start.wrapping_add(self.ticks(at) as u32)
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), DeviceError> {
    let thread = thread::Builder::new().name(name.into());
    thread.spawn(run).map_err(|_| DeviceError::Broken)?;
    Ok(())
}
