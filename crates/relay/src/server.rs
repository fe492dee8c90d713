//! The relay for real: sockets, HTTP, TLS, disk and limits around the hub.
//!
//! ```text
//! listener ── connection ─┬─ HTTP: sign-in, tickets, admin, stats
//!                         └─ WebSocket: reader ─┐        ┌─ writer ← outlet
//!                                               ▼        │
//!                                    actor: owns hub and store
//! ```
//!
//! Calls have a door of their own, over UDP: [`crate::turn`]. Where UDP does
//! not get through, WebSockets lead there, too: [`tunnel`].
//!
//! One actor task owns the hub and the store; everything else sends it
//! commands. A connection has at most one frame with the actor at a time, so
//! a busy relay slows its senders down instead of queueing for them.
//!
//! The library installs no signal handler, no logger and no other
//! process-wide state: several relays can run in one process.

mod actor;
mod config;
mod data;
mod gate;
mod http;
mod listener;
mod meter;
mod outlet;
mod socket;
mod tls;
mod tunnel;
mod visitor;

pub use config::{
    Admission, Clock, Config, DataError, Limits, StartError, Timings, Tls, TlsError, TurnConfig,
    TurnError,
};
pub(crate) use data::random;
pub(crate) use visitor::counted;

use crate::{hub::Hub, store::Store, turn::udp::Turn};
use listener::Listening;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// Sockets get this long to say goodbye.
const FAREWELL: Duration = Duration::from_secs(3);

/// A running relay. Dropping it ends it at once; [`Relay::stop`] ends it well.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    fingerprint: Option<[u8; 32]>,
    shared: Arc<http::Shared>,
    /// Where connections come in; the first is [`Relay::address`].
    listening: Vec<Listening>,
    slots: gate::Slots,
    actor: JoinHandle<()>,
    /// Ends when the last socket task has.
    sockets: mpsc::Receiver<()>,
    data: Option<data::DataDir>,
    turn: Option<Turn>,
}

/// Another address of a running relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// With the real port where 0 was asked for.
    pub address: SocketAddr,
    /// SHA-256 of the self-signed certificate (DER), for clients to pin.
    pub fingerprint: Option<[u8; 32]>,
}

/// Starts a relay and returns once it accepts connections.
pub async fn start(config: Config) -> Result<Relay, StartError> {
    // First the port: a relay that is started twice must not touch its data.
    let listener = TcpListener::bind(config.bind)
        .await
        .map_err(config::bind_error)?;
    let address = listener.local_addr().map_err(config::bind_error)?;
    let data = config
        .data
        .as_deref()
        .map(data::DataDir::open)
        .transpose()?;
    let key = match &data {
        Some(data) => data.token_key()?,
        None => data::random()?,
    };
    let tls = tls::prepare(&config.tls, &config, data.as_ref())?;
    let fingerprint = tls.as_ref().and_then(|tls| tls.fingerprint);
    let mut store = match &data {
        Some(data) => data.store().await?,
        None => Store::Memory(Default::default()),
    };
    let rows = store.load().await.map_err(DataError::from)?;
    let hub = Hub::restore(config.hub.clone(), rows);

    let turn = start_turn(&config, address, &key).await?;

    let config = Arc::new(config);
    let (commands, inbox) = mpsc::unbounded_channel();
    let (alive, sockets) = mpsc::channel(1);
    let handle = turn.as_ref().map(|turn| turn.handle().clone());
    let weak = commands.downgrade();
    let actor = actor::Actor::new(hub, store, config.clone(), weak, handle.clone());
    let actor = tokio::spawn(actor.run(inbox));
    let shared = http::Shared::new(config.clone(), &key, commands, alive, handle);
    let shared = Arc::new(shared);
    let router = http::router(shared.clone());
    let acceptor = tls.map(|tls| tls.acceptor);
    let slots = gate::Slots::default();
    let first = listener::listen(listener, address, acceptor, router, config, slots.clone());
    tracing::info!(
        port = address.port(),
        tls = fingerprint.is_some(),
        turn = turn.as_ref().map(|turn| turn.address().port()),
        "relay started"
    );
    Ok(Relay {
        address,
        fingerprint,
        shared,
        listening: vec![first],
        slots,
        actor,
        sockets,
        data,
        turn,
    })
}

/// The STUN and TURN server, unless it is switched off.
async fn start_turn(
    config: &Config,
    address: SocketAddr,
    key: &[u8; 32],
) -> Result<Option<Turn>, StartError> {
    let Some(TurnConfig {
        bind,
        public,
        limits,
    }) = config.turn.clone()
    else {
        return Ok(None);
    };
    let bind = bind.unwrap_or(SocketAddr::new(address.ip(), 0));
    let turn = Turn::start(bind, public, limits, key, config.clock.clone()).await;
    turn.map(Some).map_err(config::turn_error)
}

impl Relay {
    /// Where it listens, with the real port where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SHA-256 of the self-signed certificate (DER), for clients to pin.
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        self.fingerprint
    }

    /// Where its STUN and TURN server is, unless it has none.
    pub fn turn_address(&self) -> Option<SocketAddr> {
        self.turn.as_ref().map(Turn::address)
    }

    /// Listens at one more address, with TLS of its own: the same rooms by
    /// another door. Sign-ins there name that address.
    pub async fn open(&mut self, bind: SocketAddr, tls: Tls) -> Result<Opened, StartError> {
        let listener = TcpListener::bind(bind).await.map_err(config::bind_error)?;
        let address = listener.local_addr().map_err(config::bind_error)?;
        let config = self.shared.config.clone();
        let tls = tls::prepare(&tls, &config, self.data.as_ref())?;
        let fingerprint = tls.as_ref().and_then(|tls| tls.fingerprint);
        let router = http::router(self.shared.clone());
        let acceptor = tls.map(|tls| tls.acceptor);
        let slots = self.slots.clone();
        let more = listener::listen(listener, address, acceptor, router, config, slots);
        self.listening.push(more);
        self.open_turn(address.ip()).await;
        tracing::info!(port = address.port(), "the relay listens elsewhere too");
        Ok(Opened {
            address,
            fingerprint,
        })
    }

    /// Calls can be relayed by that door, too, and relayed addresses are from
    /// now on what both sides can believe.
    async fn open_turn(&self, ip: IpAddr) {
        let Some(turn) = &self.turn else {
            return;
        };
        let here = turn.address().ip();
        let covered = here == ip || here.is_unspecified();
        if !covered && turn.handle().open(ip).await.is_err() {
            tracing::warn!("calls by the new address cannot be relayed: its UDP port is in use");
        }
        let configured = self.shared.config.turn.as_ref();
        if configured.is_some_and(|turn| turn.public.is_none()) {
            turn.handle().tell(ip).await;
        }
    }

    /// Listens no more at an address that [`Relay::open`] gave; who came in by
    /// it is asked to leave.
    pub fn close(&mut self, address: SocketAddr) {
        if let Some(turn) = &self.turn
            && address.ip() != turn.address().ip()
        {
            turn.handle().close(address.ip());
        }
        let mut first = true;
        self.listening
            .retain(|listening| std::mem::take(&mut first) || listening.address != address);
    }

    /// No new connections; every socket is closed with 1001; what is pending
    /// is written, and the database is left as one file.
    pub async fn stop(mut self) {
        self.listening.clear();
        self.shared.stop().await;
        let _ = tokio::time::timeout(FAREWELL, self.sockets.recv()).await;
        let _ = (&mut self.actor).await;
        tracing::info!("relay stopped");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listening.clear();
        self.actor.abort();
    }
}
