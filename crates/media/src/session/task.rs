//! The task that owns a session's calls, connections and devices. This file
//! holds it together; what it does is in the modules below.

mod devices;
mod ends;
mod orders;
#[cfg(test)]
mod tests;

use super::devices::Devices;
use super::incoming::{Incoming, Line, Notable};
use super::outgoing::Outgoing;
use super::own::{OwnPicture, WayOut};
use super::sound::Sound;
use super::tiles::Tiles;
use super::{Command, Preview, Setup};
use crate::audio::{CaptureEvent, PlayoutEvent};
use crate::console::{Choices, Levels, TileId};
use crate::device::list::Listing;
use crate::device::{DeviceError, DeviceName};
use crate::peer::Peer as Connection;
use crate::video::sender::SenderEvent;
use crate::video::{Size, VideoKind};
use sotto_client::call::media::{MediaReport, Paths, Peer, Sending, Source, SourceState};
use sotto_wire::CallId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How often levels are read while anybody may look at them.
const TICK: Duration = Duration::from_millis(100);
/// What is assumed of a path before it was measured, bit/s.
const UNKNOWN_PATH: u32 = 800_000;

/// What is read without asking the task.
#[derive(Default)]
pub struct View {
    pub tiles: Arc<Tiles>,
    levels: Mutex<Levels>,
}

impl View {
    pub fn levels(&self) -> Levels {
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        levels.clone()
    }

    fn set_levels(&self, levels: Levels) {
        *self.levels.lock().unwrap_or_else(PoisonError::into_inner) = levels;
    }
}

/// What the session's own devices tell it: few words, from threads that must
/// not wait.
enum Inner {
    Microphone(CaptureEvent),
    Speaker(PlayoutEvent),
    /// Whether the speaker that is tested plays.
    Test(Result<(), DeviceError>),
    Picture(VideoKind, u64, SenderEvent),
}

pub struct Task {
    view: Arc<View>,
    reports: mpsc::UnboundedSender<MediaReport>,
    devices: Arc<Devices>,
    /// From the first use of a device.
    listing: Option<watch::Receiver<Listing>>,
    inner: mpsc::UnboundedSender<Inner>,
    told: mpsc::UnboundedReceiver<Inner>,
    pub(super) sound: Sound,
    pub(super) camera: OwnPicture,
    pub(super) screen: OwnPicture,
    way_out: WayOut,
    choices: Choices,
    preview: Preview,
    /// The microphone of a call stays open while it is muted.
    keep_open: bool,
    /// Which tiles are on screen here.
    shown: BTreeMap<TileId, Size>,
    volumes: BTreeMap<Peer, f32>,
    sources: BTreeMap<Source, SourceState>,
    /// What came of the devices that are tried in a preview.
    tried: BTreeMap<Source, SourceState>,
    /// The screen that was wished and did not open, or broke off. It is not
    /// tried again for this wish: the system may ask a person each time.
    no_screen: Option<(DeviceName, SourceState)>,
    pub(super) call: Option<Call>,
    ticks: u64,
}

/// The one call that goes on.
pub(super) struct Call {
    id: CallId,
    paths: Paths,
    pub began: Instant,
    outgoing: Arc<Outgoing>,
    sending: Sending,
    pub ends: BTreeMap<Peer, End>,
    pub keys: u64,
    /// What the ends have to say. Bounded: they are strangers' words.
    notes: mpsc::Sender<(Line, Notable)>,
    noted: mpsc::Receiver<(Line, Notable)>,
    /// How many connections there were.
    lines: u64,
}

pub(super) struct End {
    line: Line,
    pub connection: Arc<Connection>,
    pub incoming: Arc<Incoming>,
    connected: bool,
    estimate: u32,
    /// How large they show our camera and our screen.
    shows: BTreeMap<VideoKind, Size>,
}

impl Task {
    pub fn new(
        setup: Setup,
        devices: Arc<Devices>,
        view: Arc<View>,
        reports: mpsc::UnboundedSender<MediaReport>,
    ) -> Self {
        let (inner, told) = mpsc::unbounded_channel();
        let way_out = WayOut::default();
        let own = |kind| OwnPicture::new(kind, view.tiles.clone(), way_out.clone());
        let (camera, screen) = (own(VideoKind::Camera), own(VideoKind::Screen));
        Self {
            sound: Sound::new(devices.clone(), setup.choices.clone(), setup.processing),
            camera,
            screen,
            view,
            reports,
            devices,
            listing: None,
            inner,
            told,
            way_out,
            choices: setup.choices,
            preview: Preview::default(),
            keep_open: false,
            shown: BTreeMap::new(),
            volumes: BTreeMap::new(),
            sources: BTreeMap::new(),
            tried: BTreeMap::new(),
            no_screen: None,
            call: None,
            ticks: 0,
        }
    }

    pub async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let busy = self.preview.any() || self.call.is_some();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Stop(answer)) => {
                        self.end_call();
                        drop(self);
                        let _ = answer.send(());
                        return;
                    }
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(inner) = self.told.recv() => self.hear(inner),
                (line, notable) = noted(&mut self.call) => self.notice(line, notable),
                () = changed(&mut self.listing) => self.tend_pictures(),
                _ = tick.tick(), if busy => self.tick(),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Order(order) => self.order(order),
            Command::Choose(choices) => {
                self.sound.choose(choices.clone());
                if choices.speaker != self.choices.speaker {
                    self.tried.remove(&Source::Speaker);
                }
                self.choices = choices;
                self.tend_pictures();
            }
            Command::Process(processing) => self.sound.process(processing),
            Command::Preview(wanted) => {
                self.preview = wanted;
                self.tried.retain(|source, _| wanted.tries(*source));
                self.tend();
                if !wanted.any() && self.call.is_none() {
                    self.view.set_levels(Levels::default());
                }
            }
            Command::KeepOpen(keep) => {
                self.keep_open = keep;
                self.tend_microphone();
            }
            Command::Show(tiles) => self.show(tiles),
            Command::Volume(peer, factor) => {
                self.volumes.insert(peer, factor);
                if let Some(end) = self.end(&peer) {
                    end.incoming.set_volume(factor);
                }
            }
            Command::Ring(ring) => self.sound.ring(ring),
            Command::TestSound => self.test_speaker(),
            Command::Stats(answer) => {
                let _ = answer.send(self.stats());
            }
            // Served by the loop.
            Command::Stop(_) => {}
        }
    }

    fn report(&self, report: MediaReport) {
        if self.reports.send(report).is_err() {
            tracing::debug!("nobody takes reports any more");
        }
    }

    fn sending(&self) -> Sending {
        self.call
            .as_ref()
            .map(|call| call.sending)
            .unwrap_or_default()
    }

    fn listing(&self) -> Listing {
        let listing = self.listing.as_ref();
        listing
            .map(|listing| listing.borrow().clone())
            .unwrap_or_default()
    }

    fn picture(&mut self, kind: VideoKind) -> &mut OwnPicture {
        match kind {
            VideoKind::Camera => &mut self.camera,
            VideoKind::Screen => &mut self.screen,
        }
    }

    fn ends(&self) -> impl Iterator<Item = (&Peer, &End)> {
        self.call.iter().flat_map(|call| &call.ends)
    }

    fn end(&self, peer: &Peer) -> Option<&End> {
        self.call.as_ref()?.ends.get(peer)
    }

    fn with(&mut self, peer: &Peer, act: impl FnOnce(&mut End)) {
        if let Some(end) = self.call.as_mut().and_then(|call| call.ends.get_mut(peer)) {
            act(end);
        }
    }
}

/// Never, without a call.
async fn noted(call: &mut Option<Call>) -> (Line, Notable) {
    if let Some(call) = call
        && let Some(noted) = call.noted.recv().await
    {
        return noted;
    }
    std::future::pending().await
}

/// Never, while no device is of interest or the list is over.
async fn changed(listing: &mut Option<watch::Receiver<Listing>>) {
    if let Some(listing) = listing
        && listing.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

fn lock(way_out: &WayOut) -> std::sync::MutexGuard<'_, Option<Arc<Outgoing>>> {
    way_out.lock().unwrap_or_else(PoisonError::into_inner)
}
