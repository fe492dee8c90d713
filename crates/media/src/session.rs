//! One running media engine: a task that owns calls, connections and devices,
//! and a handle to it.
//!
//! It does what it is ordered and nothing else: no device opens before a
//! [`MediaOrder::Send`] or a preview says so. Encoded frames do not pass
//! through the task: they are sealed where they are made and opened where they
//! arrive, see [`outgoing`] and [`incoming`].

mod devices;
mod incoming;
mod outgoing;
mod own;
mod report;
mod shares;
mod sound;
mod task;
mod tiles;

use crate::audio::{Processing, Ring};
use crate::console::{CallStats, Choices, Levels, TileId};
use crate::device::list::Listing;
use crate::video::TileFrame;
use devices::Devices;
use sotto_client::call::media::{MediaOrder, MediaReport, Peer, Source};
use std::sync::Arc;
use task::{Task, View};
use tokio::sync::{mpsc, oneshot, watch};

/// How a media engine begins.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    pub choices: Choices,
    pub processing: Processing,
}

/// What the handle asks of the task.
enum Command {
    Order(MediaOrder),
    Choose(Choices),
    Process(Processing),
    Preview(Preview),
    KeepOpen(bool),
    Show(Vec<Shown>),
    Volume(Peer, f32),
    Ring(Option<Ring>),
    TestSound,
    Stats(oneshot::Sender<CallStats>),
    Stop(oneshot::Sender<()>),
}

/// What somebody wants to try of their own: the level of the microphone, the
/// picture of the camera. Nothing by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preview {
    pub microphone: bool,
    pub camera: bool,
}

impl Preview {
    fn any(self) -> bool {
        self.microphone || self.camera
    }

    fn tries(self, source: Source) -> bool {
        match source {
            Source::Microphone => self.microphone,
            Source::Camera => self.camera,
            // Whoever looks at devices may test it.
            Source::Speaker => self.any(),
            Source::Screen => false,
        }
    }
}

/// A tile on somebody's screen, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub tile: TileId,
    pub width: u32,
    pub height: u32,
}

/// A handle to a media engine. Everything but [`Media::stats`] and
/// [`Media::stop`] returns at once. The engine ends with its last handle.
#[derive(Clone)]
pub struct Media {
    commands: mpsc::UnboundedSender<Command>,
    view: Arc<View>,
    devices: Arc<Devices>,
}

impl Media {
    /// Starts the engine on the Tokio runtime this is called in. Reports are
    /// few (the client's orders beget them), so their queue has no bound.
    pub fn start(setup: Setup, reports: mpsc::UnboundedSender<MediaReport>) -> Self {
        let devices = Arc::new(Devices::default());
        let (commands, asked) = mpsc::unbounded_channel();
        let view = Arc::new(View::default());
        let task = Task::new(setup, devices.clone(), view.clone(), reports);
        tokio::spawn(task.run(asked));
        Self {
            commands,
            view,
            devices,
        }
    }

    pub fn order(&self, order: MediaOrder) {
        self.ask(Command::Order(order));
    }

    /// The devices as they come and go.
    pub fn devices(&self) -> watch::Receiver<Listing> {
        self.devices.watch()
    }

    /// Which devices to use. Acts at once, in a call too.
    pub fn choose(&self, choices: Choices) {
        self.ask(Command::Choose(choices));
    }

    pub fn process(&self, processing: Processing) {
        self.ask(Command::Process(processing));
    }

    /// Opens what is wanted, and nothing else, for somebody who looks at a lobby
    /// or at the settings. Nothing is sent.
    pub fn preview(&self, wanted: Preview) {
        self.ask(Command::Preview(wanted));
    }

    /// Whether the microphone of a call stays open while it is muted, for
    /// somebody who speaks by holding a key: opening it would cost the first
    /// syllable. What it hears meanwhile is thrown away where it is heard. Not
    /// by default, and never without a call.
    pub fn keep_microphone_open(&self, keep: bool) {
        self.ask(Command::KeepOpen(keep));
    }

    /// The tiles that are on screen now; all others are not. What nobody shows
    /// is not encoded at the other end.
    pub fn show(&self, tiles: Vec<Shown>) {
        self.ask(Command::Show(tiles));
    }

    /// How loud somebody is heard: 0 is silence, 1 as it comes, 2 the most.
    pub fn set_volume(&self, peer: Peer, factor: f32) {
        self.ask(Command::Volume(peer, factor));
    }

    /// Rings until it is told otherwise.
    pub fn ring(&self, ring: Option<Ring>) {
        self.ask(Command::Ring(ring));
    }

    /// Plays a short sound on the speaker. If it does not play, a preview has
    /// that among its troubles.
    pub fn test_sound(&self) {
        self.ask(Command::TestSound);
    }

    /// The newest picture of a tile, not larger than asked for, if it is newer
    /// than `after`. Scales on the caller's thread.
    pub fn tile(&self, tile: &TileId, width: u32, height: u32, after: u64) -> Option<TileFrame> {
        self.view.tiles.get(tile)?.newest(width, height, after)
    }

    pub fn levels(&self) -> Levels {
        self.view.levels()
    }

    pub async fn stats(&self) -> CallStats {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Stats(answer));
        answered.await.unwrap_or_default()
    }

    /// Ends everything. Returns when connections are closed and devices are
    /// being let go of.
    pub async fn stop(&self) {
        let (answer, answered) = oneshot::channel();
        self.ask(Command::Stop(answer));
        // An error means that the task is gone, which is as good.
        let _ = answered.await;
    }

    fn ask(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("media is over");
        }
    }
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<media>")
    }
}
