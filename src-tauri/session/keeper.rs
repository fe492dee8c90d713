//! The task that owns a session. It takes one thing at a time, an order from a
//! command or an event from the engine, so that what the page is told is in
//! one order.
//!
//! | stage | becomes | when |
//! |---|---|---|
//! | closed (new, locked, failed) | open | a profile is made, unlocked, or opens by itself |
//! | open | closed (failed) | the engine stops by itself |
//! | any | ended | the app closes |

mod calls;
mod hearing;

use super::{
    Feed, Order, RingingFeed,
    notes::Rooms,
    opening::{self, Closed},
};
use crate::{
    builtin::BuiltIn,
    desktop::Desktop,
    ipc::{
        error::{ErrorCode, UiError},
        event::Event,
        view::{BuiltInRelay, Reach, Relay, Snapshot, Start},
    },
    kept::{self, Kept},
    settings::{self, Settings},
};
use calls::Ringing;
use sotto_client::{Request, model};
use sotto_engine::{self as engine, Engine, Keyring, ProfileDir, Protection, Unlock};
use sotto_media::{Preview, device::list::Listing};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

pub struct Keeper {
    dir: ProfileDir,
    keyring: Arc<dyn Keyring>,
    desktop: Arc<dyn Desktop>,
    /// What commands work with; follows `stage`.
    engine: watch::Sender<Option<Engine>>,
    relay: BuiltIn,
    stage: Stage,
    feed: Option<Feed>,
    /// The window of a call that rings.
    ringing_feed: Option<RingingFeed>,
    /// A link that was clicked while nobody could follow it.
    link: Option<String>,
}

enum Stage {
    Closed(Closed),
    Open(Box<Open>),
}

struct Open {
    engine: Engine,
    /// From the moment a page watches.
    events: Option<mpsc::Receiver<engine::Event>>,
    settings: Settings,
    rooms: Rooms,
    /// Devices for calls, and which of them are there.
    kept: Kept,
    listing: watch::Receiver<Listing>,
    ringing: Ringing,
}

enum Next {
    Order(Option<Order>),
    Engine(Option<engine::Event>),
    Devices,
    RelayStarted,
    RelayMoved,
}

impl Keeper {
    pub fn new(
        dir: ProfileDir,
        keyring: Arc<dyn Keyring>,
        desktop: Arc<dyn Desktop>,
        engine: watch::Sender<Option<Engine>>,
        relay: BuiltIn,
        link: Option<String>,
    ) -> Self {
        let stage = Stage::Closed(Closed::Failed(ErrorCode::Stopped));
        Self {
            dir,
            keyring,
            desktop,
            engine,
            relay,
            stage,
            feed: None,
            ringing_feed: None,
            link,
        }
    }

    /// Serves until it is told to stop or nobody can tell it anything.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        self.try_open().await;
        loop {
            match self.next(&mut orders).await {
                Next::Order(Some(Order::Stop { answer })) => {
                    self.stop().await;
                    // Whoever asked may have given up.
                    let _ = answer.send(());
                    return;
                }
                Next::Order(Some(order)) => self.serve(order).await,
                Next::Order(None) => return self.stop().await,
                Next::Engine(event) => self.engine_said(event).await,
                Next::Devices => self.devices_changed(),
                Next::RelayStarted => self.relay_started().await,
                Next::RelayMoved => self.relay_moved().await,
            }
        }
    }

    async fn next(&mut self, orders: &mut mpsc::Receiver<Order>) -> Next {
        let (events, listing) = match &mut self.stage {
            Stage::Open(open) => (open.events.as_mut(), Some(&mut open.listing)),
            Stage::Closed(_) => (None, None),
        };
        let event = async {
            match events {
                Some(events) => events.recv().await,
                None => std::future::pending().await,
            }
        };
        let devices = async {
            let changed = match listing {
                Some(listing) => listing.changed().await.is_ok(),
                None => false,
            };
            // Nobody looks for devices any more.
            if !changed {
                std::future::pending::<()>().await;
            }
        };
        let runs = self.relay.is_running();
        let relay = &mut self.relay;
        // Both look at one relay; only one of them ever has anything to say.
        let relay = async {
            match runs {
                true => relay.moved().await,
                false => relay.resumed().await,
            }
        };
        tokio::select! {
            order = orders.recv() => Next::Order(order),
            event = event => Next::Engine(event),
            () = devices => Next::Devices,
            () = relay => if runs { Next::RelayMoved } else { Next::RelayStarted },
        }
    }

    async fn serve(&mut self, order: Order) {
        // An answer that nobody waits for any more is no failure: the page
        // that asked was reloaded.
        match order {
            Order::Open { feed, answer } => {
                self.feed = Some(feed);
                let _ = answer.send(self.start().await);
            }
            Order::Create {
                profile,
                protection,
                answer,
            } => {
                let _ = answer.send(self.create(profile.into(), protection).await);
            }
            Order::Unlock { with, answer } => {
                let _ = answer.send(self.unlock(with).await);
            }
            Order::StartRelay {
                reach,
                port,
                answer,
            } => {
                let _ = answer.send(self.start_relay(reach, port).await);
            }
            Order::StopRelay { answer } => {
                let _ = answer.send(self.stop_relay().await);
            }
            Order::Relay { answer } => {
                let _ = answer.send(self.relay.view());
            }
            Order::Settings { settings, answer } => {
                let _ = answer.send(self.set_settings(settings).await);
            }
            Order::Devices { answer } => {
                let _ = answer.send(self.devices());
            }
            Order::ChooseDevice { what, name, answer } => {
                let _ = answer.send(self.choose_device(what, name).await);
            }
            Order::UseDeviceFile { what, path, answer } => {
                let _ = answer.send(self.use_device_file(what, &path).await);
            }
            Order::Processing { processing, answer } => {
                let _ = answer.send(self.set_processing(processing).await);
            }
            Order::WatchRinging { feed, answer } => {
                self.ringing_feed = Some(feed);
                self.tell_ringing().await;
                let _ = answer.send(());
            }
            Order::AnswerRinging { call, with, answer } => {
                let _ = answer.send(self.answer_ringing(call, with).await);
            }
            Order::LookedAway => self.looked_away().await,
            Order::Link(link) => self.clicked(link),
            Order::Stop { .. } => unreachable!("served by run"),
        }
    }

    // --- opening -------------------------------------------------------

    async fn try_open(&mut self) {
        match opening::open(&self.dir, &self.keyring).await {
            Ok(engine) => self.opened(engine).await,
            Err(closed) => self.stage = Stage::Closed(closed),
        }
    }

    async fn opened(&mut self, engine: Engine) {
        let settings = settings::load(&engine).await;
        let kept = kept::load(&engine).await;
        kept.apply(&engine);
        engine.media().keep_microphone_open(settings.push_to_talk);
        engine.ring_aloud(settings.sound).await;
        let listing = engine.media().devices();
        self.desktop.set_theme(settings.theme);
        self.relay.resume(&engine).await;
        // Two stores hold it, and one of them may not have been reached.
        let busy = Request::TellBusy(settings.tell_busy);
        if let Err(error) = engine.request(busy).await {
            tracing::warn!(%error, "callers may be told otherwise than was chosen");
        }
        self.engine.send_replace(Some(engine.clone()));
        self.stage = Stage::Open(Box::new(Open {
            engine,
            events: None,
            settings,
            rooms: Rooms::default(),
            kept,
            listing,
            ringing: Ringing::default(),
        }));
    }

    /// What the page finds. A profile that failed to open is tried again.
    async fn start(&mut self) -> Start {
        if matches!(self.stage, Stage::Closed(Closed::Failed(_))) {
            self.try_open().await;
        }
        match &mut self.stage {
            Stage::Closed(closed) => (*closed).into(),
            Stage::Open(open) => {
                let (snapshot, events) = open.engine.subscribe().await;
                open.events = Some(events);
                // Again: a profile can be open before there is a window.
                self.desktop.set_theme(open.settings.theme);
                open.rooms = Rooms::of(&snapshot.rooms);
                open.ringing.renew(&snapshot.calls);
                // A page before this one may have been looking at itself.
                open.engine.media().preview(Preview::default());
                open.engine.media().show(Vec::new());
                let snapshot = Box::new(Snapshot {
                    me: snapshot.me.into(),
                    rooms: snapshot.rooms.into_iter().map(Into::into).collect(),
                    calls: snapshot.calls.into_iter().map(Into::into).collect(),
                    relays: snapshot
                        .relays
                        .into_iter()
                        .map(|(address, status)| {
                            Relay::new(&address, status, self.relay.is(&address))
                        })
                        .collect(),
                    problems: snapshot.problems.into_iter().map(Into::into).collect(),
                    settings: open.settings.clone(),
                    link: self.link.take(),
                });
                Start::Open { snapshot }
            }
        }
    }

    async fn create(
        &mut self,
        profile: model::Profile,
        protection: Protection,
    ) -> Result<Start, UiError> {
        if !matches!(self.stage, Stage::Closed(_)) {
            return Ok(self.start().await);
        }
        if model::clean_name(&profile.name).is_none() {
            return Err(ErrorCode::BadName.into());
        }
        let engine = engine::create(&self.dir, self.keyring.clone(), protection, profile).await?;
        self.opened(engine).await;
        Ok(self.start().await)
    }

    async fn unlock(&mut self, with: Unlock) -> Result<Start, UiError> {
        if matches!(self.stage, Stage::Closed(_)) {
            match with {
                // Looks again at everything: the keyring may have come back.
                Unlock::Keyring => self.try_open().await,
                with => {
                    let engine = engine::open(&self.dir, self.keyring.clone(), with).await?;
                    self.opened(engine).await;
                }
            }
        }
        Ok(self.start().await)
    }

    async fn stop(&mut self) {
        self.engine.send_replace(None);
        self.feed = None;
        self.ringing_feed = None;
        self.desktop.show_ringing(false);
        let closed = Stage::Closed(Closed::Failed(ErrorCode::Stopped));
        if let Stage::Open(open) = std::mem::replace(&mut self.stage, closed) {
            drop(open.events);
            open.engine.stop().await;
        }
        self.relay.end().await;
        tracing::info!("closed");
    }

    fn tell(&mut self, event: Event) {
        if let Some(feed) = &self.feed
            && !feed(event)
        {
            self.feed = None;
        }
    }

    // --- relay, settings, links ----------------------------------------

    async fn start_relay(
        &mut self,
        reach: Reach,
        port: Option<u16>,
    ) -> Result<BuiltInRelay, UiError> {
        let Stage::Open(open) = &self.stage else {
            return Err(ErrorCode::Stopped.into());
        };
        let started = self.relay.start(&open.engine, reach, port).await;
        let relay = self.relay.view();
        // Also when it is only reached on this computer, and not as wished.
        self.tell(Event::BuiltIn {
            relay: relay.clone(),
        });
        started.map(|()| relay)
    }

    async fn stop_relay(&mut self) -> Result<(), UiError> {
        let Stage::Open(open) = &self.stage else {
            return Err(ErrorCode::Stopped.into());
        };
        self.relay.stop(&open.engine).await;
        self.tell(Event::BuiltIn {
            relay: self.relay.view(),
        });
        Ok(())
    }

    async fn relay_started(&mut self) {
        if let Stage::Open(open) = &self.stage
            && self.relay.is_running()
        {
            self.relay.settle(&open.engine).await;
            // The links were dialed before the relay could answer.
            open.engine.reconnect_now().await;
        }
        self.tell(Event::BuiltIn {
            relay: self.relay.view(),
        });
    }

    async fn relay_moved(&mut self) {
        let Stage::Open(open) = &self.stage else {
            return;
        };
        if self.relay.settle(&open.engine).await {
            self.tell(Event::BuiltIn {
                relay: self.relay.view(),
            });
        }
    }

    async fn set_settings(&mut self, settings: Settings) -> Result<(), UiError> {
        let Stage::Open(open) = &mut self.stage else {
            return Err(ErrorCode::Stopped.into());
        };
        if settings.tell_busy != open.settings.tell_busy {
            let request = Request::TellBusy(settings.tell_busy);
            open.engine.request(request).await?;
        }
        settings::save(&open.engine, &settings).await?;
        self.desktop.set_theme(settings.theme);
        let media = open.engine.media();
        media.keep_microphone_open(settings.push_to_talk);
        open.engine.ring_aloud(settings.sound).await;
        open.settings = settings;
        // What a call that rings may tell.
        self.tell_ringing().await;
        Ok(())
    }

    /// A watching page is told; otherwise the next snapshot carries it.
    fn clicked(&mut self, link: String) {
        if matches!(&self.stage, Stage::Open(open) if open.events.is_some()) && self.feed.is_some()
        {
            self.tell(Event::Link { link });
        } else {
            self.link = Some(link);
        }
    }
}
