//! One run of the app over one profile: opening it, its engine, the built-in
//! relay, the page that watches. One task, the [`keeper`], owns all of it;
//! [`Session`] is the handle that commands use.

mod keeper;
mod notes;
mod opening;

#[cfg(test)]
mod tests;

pub use notes::Note;

use crate::{
    builtin::{BuiltIn, Network},
    desktop::Desktop,
    ipc::{
        error::{ErrorCode, UiError},
        event::Event,
        view::{
            About, BuiltInRelay, DeviceUse, Devices, Processing, Profile as UiProfile, Reach,
            RingingAnswer, RingingCall, Start,
        },
    },
    kept::FileUse,
    profile::Profile,
    settings::Settings,
};
use keeper::Keeper;
use sotto_engine::{Engine, Keyring, ProfileDir, Protection, SystemKeyring, Unlock};
use sotto_wire::CallId;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};

/// Where events go: to the page that opened last. `false`: that page is gone.
pub type Feed = Box<dyn Fn(Event) -> bool + Send + Sync>;

/// Where the call that rings goes: to the window that shows it.
pub type RingingFeed = Box<dyn Fn(Option<RingingCall>) -> bool + Send + Sync>;

/// How long closing may take before the process ends all the same. What was
/// not flushed by then is in the database or not accepted by anybody.
const PATIENCE: Duration = Duration::from_secs(5);

/// Orders that may wait. Only a person gives them.
const ORDERS: usize = 64;

/// What the keeper is asked for.
enum Order {
    Open {
        feed: Feed,
        answer: oneshot::Sender<Start>,
    },
    Create {
        profile: UiProfile,
        protection: Protection,
        answer: Answer<Start>,
    },
    Unlock {
        with: Unlock,
        answer: Answer<Start>,
    },
    StartRelay {
        reach: Reach,
        port: Option<u16>,
        answer: Answer<BuiltInRelay>,
    },
    StopRelay {
        answer: Answer<()>,
    },
    Relay {
        answer: oneshot::Sender<BuiltInRelay>,
    },
    Settings {
        settings: Settings,
        answer: Answer<()>,
    },
    Devices {
        answer: Answer<Devices>,
    },
    ChooseDevice {
        what: DeviceUse,
        name: Option<String>,
        answer: Answer<()>,
    },
    UseDeviceFile {
        what: FileUse,
        path: PathBuf,
        answer: Answer<()>,
    },
    Processing {
        processing: Processing,
        answer: Answer<()>,
    },
    WatchRinging {
        feed: RingingFeed,
        answer: oneshot::Sender<()>,
    },
    AnswerRinging {
        call: CallId,
        with: RingingAnswer,
        answer: Answer<()>,
    },
    LookedAway,
    Link(String),
    Stop {
        answer: oneshot::Sender<()>,
    },
}

type Answer<T> = oneshot::Sender<Result<T, UiError>>;

/// A handle to the keeper.
#[derive(Clone)]
pub struct Session {
    orders: mpsc::Sender<Order>,
    engine: watch::Receiver<Option<Engine>>,
    desktop: Arc<dyn Desktop>,
    log: PathBuf,
    data: PathBuf,
}

impl Session {
    /// Starts a keeper, which begins at once to open the profile: the page
    /// takes longer to load than most profiles to open.
    pub fn start(profile: &Profile, desktop: Arc<dyn Desktop>, link: Option<String>) -> Self {
        Self::with_keyring(profile, desktop, link, Arc::new(SystemKeyring::default()))
    }

    pub(crate) fn with_keyring(
        profile: &Profile,
        desktop: Arc<dyn Desktop>,
        link: Option<String>,
        keyring: Arc<dyn Keyring>,
    ) -> Self {
        Self::with_network(profile, desktop, link, keyring, Network::default())
    }

    pub(crate) fn with_network(
        profile: &Profile,
        desktop: Arc<dyn Desktop>,
        link: Option<String>,
        keyring: Arc<dyn Keyring>,
        network: Network,
    ) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (engine, watched) = watch::channel(None);
        let dir = ProfileDir::new(profile.dir());
        let relay = BuiltIn::new(profile.relay_dir(), network);
        let keeper = Keeper::new(dir, keyring, desktop.clone(), engine, relay, link);
        tauri::async_runtime::spawn(keeper.run(inbox));
        Self {
            orders,
            engine: watched,
            desktop,
            log: profile.log_file(),
            data: profile.dir().into(),
        }
    }

    /// The running engine.
    pub fn engine(&self) -> Result<Engine, UiError> {
        self.engine
            .borrow()
            .clone()
            .ok_or_else(|| ErrorCode::Stopped.into())
    }

    pub fn desktop(&self) -> &dyn Desktop {
        &*self.desktop
    }

    pub fn about(&self) -> About {
        About {
            version: env!("CARGO_PKG_VERSION").into(),
            logs: self.log.display().to_string(),
            data: self.data.display().to_string(),
        }
    }

    /// Hands over the state of things and subscribes, in one step: events from
    /// here on go to this page, and no longer to the one before.
    pub async fn open(&self, feed: Feed) -> Result<Start, UiError> {
        self.ask(|answer| Order::Open { feed, answer }).await
    }

    pub async fn create(
        &self,
        profile: UiProfile,
        protection: Protection,
    ) -> Result<Start, UiError> {
        self.ask(|answer| Order::Create {
            profile,
            protection,
            answer,
        })
        .await?
    }

    pub async fn unlock(&self, with: Unlock) -> Result<Start, UiError> {
        self.ask(|answer| Order::Unlock { with, answer }).await?
    }

    pub async fn start_relay(
        &self,
        reach: Reach,
        port: Option<u16>,
    ) -> Result<BuiltInRelay, UiError> {
        self.ask(|answer| Order::StartRelay {
            reach,
            port,
            answer,
        })
        .await?
    }

    pub async fn stop_relay(&self) -> Result<(), UiError> {
        self.ask(|answer| Order::StopRelay { answer }).await?
    }

    pub async fn relay(&self) -> Result<BuiltInRelay, UiError> {
        self.ask(|answer| Order::Relay { answer }).await
    }

    pub async fn set_settings(&self, settings: Settings) -> Result<(), UiError> {
        self.ask(|answer| Order::Settings { settings, answer })
            .await?
    }

    pub async fn devices(&self) -> Result<Devices, UiError> {
        self.ask(|answer| Order::Devices { answer }).await?
    }

    pub async fn choose_device(
        &self,
        what: DeviceUse,
        name: Option<String>,
    ) -> Result<(), UiError> {
        self.ask(|answer| Order::ChooseDevice { what, name, answer })
            .await?
    }

    /// Has the person pick a file to be used instead of a device. `false`:
    /// they did not.
    pub async fn choose_device_file(&self, what: DeviceUse) -> Result<bool, UiError> {
        let what = FileUse::of(what).ok_or(ErrorCode::UnknownDevice)?;
        // Before there is a profile, nobody could use it.
        self.engine()?;
        let picked = self.desktop.choose_file(what)?;
        let Ok(path) = picked.await else {
            return Ok(false);
        };
        self.ask(|answer| Order::UseDeviceFile { what, path, answer })
            .await??;
        Ok(true)
    }

    pub async fn set_processing(&self, processing: Processing) -> Result<(), UiError> {
        self.ask(|answer| Order::Processing { processing, answer })
            .await?
    }

    /// Hands over the call that rings now, and every change of it.
    pub async fn watch_ringing(&self, feed: RingingFeed) -> Result<(), UiError> {
        self.ask(|answer| Order::WatchRinging { feed, answer })
            .await
    }

    pub async fn answer_ringing(&self, call: CallId, with: RingingAnswer) -> Result<(), UiError> {
        self.ask(|answer| Order::AnswerRinging { call, with, answer })
            .await?
    }

    /// The person does not look at the main window any more.
    pub fn looked_away(&self) {
        // While so much else waits, what rings may be seen a little later.
        let _ = self.orders.try_send(Order::LookedAway);
    }

    /// An invite link was clicked somewhere.
    pub fn link(&self, link: String) {
        if self.orders.try_send(Order::Link(link)).is_err() {
            tracing::warn!("a link came faster than it could be followed");
        }
    }

    /// Ends the engine and the relay, in bounded time.
    pub async fn stop(&self) {
        let stopped = tokio::time::timeout(PATIENCE, self.ask(|answer| Order::Stop { answer }));
        if stopped.await.is_err() {
            tracing::warn!("closing took too long");
        }
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, UiError> {
        let (answer, answered) = oneshot::channel();
        let stopped = |_| UiError::from(ErrorCode::Stopped);
        self.orders
            .send(order(answer))
            .await
            .map_err(|_| ErrorCode::Stopped)?;
        answered.await.map_err(stopped)
    }
}
