//! A running engine, as a handle: one thread owns the client and its store,
//! everybody else sends it messages.
//!
//! [`core`] is that thread's loop. The handle only asks; it can be cloned, and
//! the engine ends when it is told to, or when the last handle is gone.

mod bell;
mod core;
mod links;
mod subscribers;

#[cfg(test)]
mod tests;

pub(crate) use self::core::found;

use self::core::{Ask, Calls, Core};
use crate::{
    api::{EngineStopped, Event, LinkStatus, Me, Snapshot, StopWhy},
    open::OpenError,
    profile::ProfileLock,
    secret::Secret,
    store::{Store, StoreTxn},
    vault::{SlotError, Slots, Vault, keyring::KeyringState},
};
use sotto_client::{
    Client, Outcome, Request, RequestError, StoreError, Txn, Why,
    model::{Invite, Knock, Page, Person, Privacy, Safety},
    store::Space,
};
use sotto_media::{self as media, Media};
use sotto_wire::{RelayAddress, RoomId, UserId};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

/// Questions that wait for the engine. More of them wait at the asker.
const ASKS: usize = 256;

/// A handle to a running engine.
#[derive(Clone)]
pub struct Engine {
    asks: mpsc::Sender<Ask>,
    me: watch::Receiver<Me>,
    relays: watch::Receiver<Vec<(RelayAddress, LinkStatus)>>,
    stopped: watch::Receiver<Option<StopWhy>>,
    media: Media,
    /// The slots have one owner at a time; the lock is held while a key is
    /// derived or a keyring asked, and for nothing else.
    vault: Arc<Mutex<Vault>>,
}

impl Engine {
    /// Starts the loop on a thread of its own; links run on the runtime this
    /// is called in.
    pub(crate) async fn start(
        store: Store,
        lock: ProfileLock,
        vault: Vault,
    ) -> Result<Self, OpenError> {
        let (asks, asked) = mpsc::channel(ASKS);
        let (started, starting) = oneshot::channel();
        let (stop, stopped) = watch::channel(None);
        let closed = vault.closed();
        let links = tokio::runtime::Handle::current();
        let (reports, reported) = mpsc::unbounded_channel();
        let media = Media::start(media::Setup::default(), reports);
        let calls = Calls::new(media.clone(), reported, links.clone());
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            let Ok(runtime) = runtime else { return };
            let (core, watches) = match Core::new(store, asked, links, calls) {
                Ok(core) => core,
                Err(error) => return drop(started.send(Err(OpenError::from(error)))),
            };
            if started.send(Ok(watches)).is_err() {
                return;
            }
            let (why, watchers) = runtime.block_on(core.run());
            // First the profile is free: whoever hears of the end may open it.
            closed.store(true, Ordering::Release);
            drop(lock);
            tracing::info!("engine stopped");
            stop.send_replace(Some(why));
            watchers.dismiss(&Event::Stopped(why));
        };
        let thread = std::thread::Builder::new().name("sotto-engine".into());
        thread.spawn(run).map_err(|_| OpenError::Io)?;
        let watches = starting.await.map_err(|_| OpenError::Io)??;
        tracing::info!("engine started");
        Ok(Self {
            asks,
            me: watches.me,
            relays: watches.relays,
            stopped,
            media,
            vault: Arc::new(Mutex::new(vault)),
        })
    }

    /// What a person wants. An engine that stopped answers
    /// [`RequestError::Internal`].
    pub async fn request(&self, request: Request) -> Result<Outcome, RequestError> {
        self.ask(|answer| Ask::Request { request, answer })
            .await
            .unwrap_or(Err(RequestError::Internal))
    }

    /// Everything as it is now, and every event after it. A receiver that is
    /// not read gets [`Event::Lagged`] and nothing more.
    pub async fn subscribe(&self) -> (Snapshot, mpsc::Receiver<Event>) {
        match self.ask(|answer| Ask::Subscribe { answer }).await {
            Ok(subscription) => subscription,
            Err(EngineStopped) => self.last_words().await,
        }
    }

    /// At most `limit` items before a position, or the newest; oldest first.
    pub async fn timeline(
        &self,
        room: RoomId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, EngineStopped> {
        self.read(move |client, txn| client.timeline(txn, &room, before, limit))
            .await
    }

    pub async fn people(&self, room: RoomId) -> Result<Vec<Person>, EngineStopped> {
        self.read(move |client, _| Ok(client.people(&room))).await
    }

    pub async fn knocks(&self, room: RoomId) -> Result<Vec<Knock>, EngineStopped> {
        self.read(move |client, txn| client.knocks(txn, &room))
            .await
    }

    pub async fn invites(&self, room: RoomId) -> Result<Vec<Invite>, EngineStopped> {
        self.read(move |client, _| Ok(client.invites(&room))).await
    }

    /// The safety number shared with this person; `None` for strangers.
    pub async fn safety(&self, user: UserId) -> Option<Safety> {
        self.read(move |client, _| Ok(client.safety(&user)))
            .await
            .ok()
            .flatten()
    }

    pub async fn privacy(&self) -> Result<Privacy, EngineStopped> {
        self.read(|client, _| Ok(client.privacy())).await
    }

    pub async fn me(&self) -> Me {
        self.me.borrow().clone()
    }

    pub async fn relays(&self) -> Vec<(RelayAddress, LinkStatus)> {
        self.relays.borrow().clone()
    }

    /// Devices, tiles, levels and statistics of calls. What is sent to whom is
    /// asked for by [`Engine::request`].
    pub fn media(&self) -> &Media {
        &self.media
    }

    /// Whether calls that come are heard; they are until this says otherwise,
    /// but for those of muted rooms. They are seen either way.
    pub async fn ring_aloud(&self, aloud: bool) {
        let _ = self.asks.send(Ask::Silence(!aloud)).await;
    }

    /// Connects what waits, and makes sure of what is connected.
    pub async fn reconnect_now(&self) {
        let _ = self.asks.send(Ask::ReconnectNow).await;
    }

    /// A setting of the app's own.
    pub async fn setting(&self, key: &str) -> Option<String> {
        let key = app_key(key);
        let value = self
            .read(move |_, txn| txn.get(Space::Setting, &key))
            .await
            .ok()??;
        String::from_utf8(value).ok()
    }

    /// Keeps a setting of the app's own. `Err` if it could not be stored.
    pub async fn set_setting(
        &self,
        key: &str,
        value: impl Into<String>,
    ) -> Result<(), EngineStopped> {
        let (key, value) = (app_key(key), value.into().into_bytes());
        self.ask(|answer| Ask::Keep { key, value, answer }).await
    }

    /// What opens this profile. Asks the keyring.
    pub async fn slots(&self) -> Slots {
        self.vault.lock().await.slots().await
    }

    /// Sets or removes the passphrase. The last slot that works stays.
    pub async fn set_passphrase(&self, passphrase: Option<Secret>) -> Result<(), SlotError> {
        self.vault.lock().await.set_passphrase(passphrase).await
    }

    /// Makes a recovery code, to be shown once; an older one opens nothing any
    /// more.
    pub async fn new_recovery_code(&self) -> Result<Secret, SlotError> {
        self.vault.lock().await.new_recovery_code()
    }

    /// Makes or rebuilds the keyring's slot, or gives it up.
    pub async fn set_keyring_slot(&self, on: bool) -> Result<(), SlotError> {
        self.vault.lock().await.set_keyring_slot(on).await?;
        let _ = self.asks.send(Ask::Keyring(KeyringState::Working)).await;
        Ok(())
    }

    /// How much was refused, by kind.
    pub async fn counters(&self) -> BTreeMap<Why, u64> {
        self.ask(|answer| Ask::Counters { answer })
            .await
            .unwrap_or_default()
    }

    /// Ends the engine: what is queued goes out, sockets and database are
    /// closed, the profile is free. Returns when all that is done.
    pub async fn stop(mut self) {
        let _ = self.asks.send(Ask::Stop).await;
        // An error means that the thread is gone, which is as good.
        let _ = self.stopped.wait_for(Option::is_some).await;
    }

    /// Has the keyring slot rebuilt, beside everything else: a keyring may
    /// take its time.
    pub(crate) fn mend_keyring(&self) {
        let (vault, asks) = (self.vault.clone(), self.asks.downgrade());
        tokio::spawn(async move {
            let state = vault.lock().await.mend_keyring_slot().await;
            if let (Some(state), Some(asks)) = (state, asks.upgrade()) {
                let _ = asks.send(Ask::Keyring(state)).await;
            }
        });
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Client, &mut StoreTxn<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, EngineStopped> {
        self.ask(|answer| {
            Ask::Read(Box::new(move |client, txn| {
                let _ = answer.send(read(client, txn)?);
                Ok(())
            }))
        })
        .await
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<T>) -> Ask,
    ) -> Result<T, EngineStopped> {
        let (answer, answered) = oneshot::channel();
        self.asks
            .send(ask(answer))
            .await
            .map_err(|_| EngineStopped)?;
        answered.await.map_err(|_| EngineStopped)
    }

    /// For whoever comes after the end.
    async fn last_words(&self) -> (Snapshot, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(1);
        // It no longer listens, so it is stopping if it has not stopped.
        let mut stopped = self.stopped.clone();
        let why = stopped
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|why| *why);
        let why = why.unwrap_or(StopWhy::Asked);
        let _ = events.try_send(Event::Stopped(why));
        let snapshot = Snapshot {
            me: self.me.borrow().clone(),
            rooms: Vec::new(),
            calls: Vec::new(),
            relays: self.relays.borrow().clone(),
            problems: Vec::new(),
        };
        (snapshot, receiver)
    }
}

fn app_key(key: &str) -> Vec<u8> {
    format!("app/{key}").into_bytes()
}
