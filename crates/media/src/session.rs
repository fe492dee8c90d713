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
mod sound;
mod task;
mod tiles;

use crate::audio::{Processing, Ring};
use crate::console::{CallStats, Choices, Levels, TileId};
use crate::device::list::Listing;
use crate::video::TileFrame;
use devices::Devices;
use sotto_client::call::media::{MediaOrder, MediaReport, Peer};
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
    Preview(bool),
    Show(Vec<Shown>),
    Volume(Peer, f32),
    Ring(Option<Ring>),
    TestSound,
    Stats(oneshot::Sender<CallStats>),
    Stop(oneshot::Sender<()>),
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

    /// Looks for devices now.
    pub fn refresh_devices(&self) {
        if let Some(list) = self.devices.list() {
            list.refresh();
        }
    }

    /// Which devices to use. Acts at once, in a call too.
    pub fn choose(&self, choices: Choices) {
        self.ask(Command::Choose(choices));
    }

    pub fn process(&self, processing: Processing) {
        self.ask(Command::Process(processing));
    }

    /// Opens the microphone for its level and the camera for its picture, for
    /// somebody who looks at a lobby or at the settings. Nothing is sent.
    pub fn preview(&self, on: bool) {
        self.ask(Command::Preview(on));
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

    /// Plays a short sound on the speaker.
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
