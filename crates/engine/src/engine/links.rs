//! The links of one engine: which relays, which connection, which status.

use crate::{
    api::LinkStatus,
    link::{self, FromLink, LinkHandle, LinkSetup},
    secret,
};
use sotto_wire::{ClientFrame, Millis, RelayAddress, UserId, auth::Tokens, codec};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

pub struct Links {
    user: UserId,
    engine: mpsc::Sender<FromLink>,
    runtime: tokio::runtime::Handle,
    wall: fn() -> Millis,
    next: u64,
    all: BTreeMap<RelayAddress, Line>,
}

struct Line {
    handle: LinkHandle,
    /// The connection that frames are meant for, while there is one.
    connection: Option<u64>,
    status: LinkStatus,
}

impl Links {
    pub fn new(
        user: UserId,
        engine: mpsc::Sender<FromLink>,
        runtime: tokio::runtime::Handle,
        wall: fn() -> Millis,
    ) -> Self {
        Self {
            user,
            engine,
            runtime,
            wall,
            next: 0,
            all: BTreeMap::new(),
        }
    }

    pub fn has(&self, relay: &RelayAddress) -> bool {
        self.all.contains_key(relay)
    }

    pub fn start(&mut self, relay: RelayAddress, tokens: Option<Tokens>) {
        self.next += 1;
        let setup = LinkSetup {
            relay: relay.clone(),
            link: self.next,
            user: self.user,
            tokens,
            seed: secret::random(),
            wall: self.wall,
            engine: self.engine.clone(),
        };
        let handle = link::start(setup, &self.runtime);
        let line = Line {
            handle,
            connection: None,
            status: LinkStatus::Connecting,
        };
        self.all.insert(relay, line);
    }

    /// `true` if there was such a link. It says its last words by itself.
    pub fn end(&mut self, relay: &RelayAddress) -> bool {
        self.all.remove(relay).is_some()
    }

    /// Ends all links and says which there were.
    pub fn end_all(&mut self) -> Vec<RelayAddress> {
        std::mem::take(&mut self.all).into_keys().collect()
    }

    /// Ends all links and waits for their last words.
    pub async fn stop(&mut self) {
        let lines = std::mem::take(&mut self.all);
        let ends: Vec<_> = lines
            .into_values()
            .map(|line| self.runtime.spawn(line.handle.stop()))
            .collect();
        for end in ends {
            let _ = end.await;
        }
    }

    /// Whether this link is the one that is used for its relay.
    pub fn is_current(&self, from: &FromLink) -> bool {
        self.all
            .get(&from.relay)
            .is_some_and(|line| line.handle.link == from.link)
    }

    pub fn set_status(&mut self, relay: &RelayAddress, status: LinkStatus) {
        if let Some(line) = self.all.get_mut(relay) {
            line.status = status;
        }
    }

    /// Sets where frames go; says whether there was a connection before.
    pub fn set_connection(&mut self, relay: &RelayAddress, connection: Option<u64>) -> bool {
        let line = self.all.get_mut(relay);
        line.is_some_and(|line| std::mem::replace(&mut line.connection, connection).is_some())
    }

    pub fn statuses(&self) -> Vec<(RelayAddress, LinkStatus)> {
        self.all
            .iter()
            .map(|(relay, line)| (relay.clone(), line.status))
            .collect()
    }

    /// A frame for a relay that is not up is dropped: the outbox has what
    /// matters.
    pub fn send(&self, relay: &RelayAddress, envelope: &codec::Envelope<ClientFrame>) {
        let Some(line) = self.all.get(relay) else {
            return;
        };
        let Some(connection) = line.connection else {
            return;
        };
        line.handle.send(connection, codec::encode(envelope));
    }

    /// Tries one relay now.
    pub fn try_now(&self, relay: &RelayAddress) {
        if let Some(line) = self.all.get(relay) {
            line.handle.reconnect_now();
        }
    }

    /// Where the relays are, by name or address.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(|relay| relay.host.as_str())
    }

    /// The network is another. What is on this computer does not mind.
    pub fn moved(&self) {
        self.all
            .iter()
            .filter(|(relay, _)| !relay.is_loopback())
            .for_each(|(_, line)| line.handle.moved());
    }

    pub fn reconnect_now(&self) {
        self.all
            .values()
            .for_each(|line| line.handle.reconnect_now());
    }
}
