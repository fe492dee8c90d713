//! The own pictures: which source is open, and how it is encoded. One of these
//! for the camera and one for the shared screen.

use super::outgoing::Outgoing;
use super::tiles::Tiles;
use crate::console::{PictureOut, TileId};
use crate::device::{DeviceError, DeviceName};
use crate::video::adaptation::{Adaptation, Seen, Wish};
use crate::video::sender::SenderEvent;
use crate::video::{Content, Size, VideoKind, VideoSender, source};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Where encoded frames go at the moment: to a call, or nowhere.
pub type WayOut = Arc<Mutex<Option<Arc<Outgoing>>>>;

pub struct OwnPicture {
    kind: VideoKind,
    tiles: Arc<Tiles>,
    way_out: WayOut,
    running: Option<Running>,
    /// Counts sources, to tell a late word of an old one.
    generation: u64,
}

struct Running {
    device: DeviceName,
    content: Content,
    sender: VideoSender,
    adaptation: Adaptation,
}

impl Running {
    fn show_as(&mut self, content: Content) {
        if self.content != content {
            self.content = content;
            self.sender.set_content(content);
            self.adaptation = Adaptation::new(content);
        }
    }
}

impl OwnPicture {
    pub fn new(kind: VideoKind, tiles: Arc<Tiles>, way_out: WayOut) -> Self {
        Self {
            kind,
            tiles,
            way_out,
            running: None,
            generation: 0,
        }
    }

    /// Opens this device, unless it is open, or closes what is open. Of what is
    /// open only the way it is encoded changes: to open a screen anew, the
    /// system may ask a person.
    pub fn set(
        &mut self,
        wanted: Option<(DeviceName, Content)>,
        tell: impl Fn(u64, SenderEvent) + Send + Sync + 'static,
    ) -> Result<(), DeviceError> {
        let Some((device, content)) = wanted else {
            self.close();
            return Ok(());
        };
        if let Some(running) = &mut self.running
            && running.device == device
        {
            running.show_as(content);
            return Ok(());
        }
        self.close();
        self.generation += 1;
        let generation = self.generation;
        let (kind, way_out) = (self.kind, self.way_out.clone());
        let sink = move |sent: crate::video::Sent| {
            let way = way_out.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(outgoing) = way.as_ref() {
                outgoing.video(kind, &sent.frame);
            }
        };
        let sender = VideoSender::start(
            source::opener(&device),
            content,
            None,
            first_rtp_time(),
            sink,
            move |event| tell(generation, event),
        )?;
        self.tiles.put(self.tile(), sender.preview());
        self.running = Some(Running {
            device,
            content,
            sender,
            adaptation: Adaptation::new(content),
        });
        Ok(())
    }

    /// The source said so itself; words of an older one do not count.
    pub fn is_current(&self, generation: u64) -> bool {
        self.running.is_some() && generation == self.generation
    }

    /// Which device was open, if one was.
    pub fn close(&mut self) -> Option<DeviceName> {
        let running = self.running.take()?;
        self.tiles.remove(&self.tile());
        Some(running.device)
    }

    pub fn is_open(&self) -> bool {
        self.running.is_some()
    }

    pub fn request_keyframe(&self) {
        if let Some(running) = &self.running {
            running.sender.request_keyframe();
        }
    }

    /// Decides anew how to encode. `shown`: the largest tile in which anybody
    /// shows it, if somebody does.
    pub fn adapt(&mut self, now: Instant, budget: u32, shown: Option<Size>) {
        let Some(running) = &mut self.running else {
            return;
        };
        let stats = running.sender.stats();
        if stats.source.area() == 0 {
            return;
        }
        let wish = running.adaptation.decide(
            now,
            Seen {
                budget,
                source: stats.source,
                shown,
                load: stats.load,
            },
        );
        running.sender.set_target(match wish {
            Wish::Encode(target) => Some(target),
            Wish::Pause(_) => None,
        });
    }

    pub fn stats(&self) -> Option<PictureOut> {
        let stats = self.running.as_ref()?.sender.stats();
        Some(PictureOut {
            width: stats.size.width,
            height: stats.size.height,
            fps: stats.fps,
            bitrate: stats.bitrate,
            load: stats.load,
            keyframes: stats.keyframes,
            paused: stats.paused,
        })
    }

    fn tile(&self) -> TileId {
        match self.kind {
            VideoKind::Camera => TileId::OwnCamera,
            VideoKind::Screen => TileId::OwnScreen,
        }
    }
}

/// Random, as RFC 3550 §5.1 wants it; only guessing packets depends on it, and
/// frames are authenticated.
fn first_rtp_time() -> u32 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_be_bytes(bytes),
        Err(_) => 0,
    }
}
