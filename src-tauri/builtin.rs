//! The relay inside the app: started when somebody says so, remembered, and
//! started again with the app under the same address, so that rooms and links
//! stay good.
//!
//! It always serves this computer (loopback, no TLS): that is where this app
//! dials it, and so the address of its rooms. When asked to, it serves the
//! local network as well, at this computer's address there and with a
//! certificate of its own; links carry that address and pin the certificate.
//! It only hosts [`sotto_relay`]; the rules are there, and it can read as
//! little as any.

mod network;
mod record;

pub use network::Network;

use crate::ipc::{
    error::{ErrorCode, UiError},
    view::{BuiltInRelay, Reach},
};
use record::Record;
use sotto_client::{Request, RequestError};
use sotto_engine::Engine;
use sotto_relay::{
    Config, Relay, StartError,
    server::{DataError, Tls, TurnError},
};
use sotto_wire::{RelayAddress, limits};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use tauri::async_runtime::JoinHandle;
use tokio::time::Interval;

/// How long stopping may take before connections are dropped as they are.
const PATIENCE: Duration = Duration::from_secs(3);

pub struct BuiltIn {
    data: PathBuf,
    network: Network,
    /// Runs from the first look on.
    clock: Option<Interval>,
    record: Record,
    state: State,
}

enum State {
    Off,
    /// Starting with the app, while the page loads.
    Resuming(JoinHandle<Result<Relay, ErrorCode>>),
    On {
        relay: Box<Relay>,
        door: Door,
    },
    Failed(ErrorCode),
}

/// The door to the local network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Closed,
    Open(SocketAddr),
    Stuck(ErrorCode),
}

impl BuiltIn {
    /// Off, with its data in this folder.
    pub fn new(data: PathBuf, network: Network) -> Self {
        Self {
            data,
            network,
            clock: None,
            record: Record::default(),
            state: State::Off,
        }
    }

    /// Whether this address is, or was last, this relay's.
    pub fn is(&self, address: &RelayAddress) -> bool {
        self.record.own().as_ref() == Some(address)
    }

    pub fn is_running(&self) -> bool {
        matches!(self.state, State::On { .. })
    }

    pub fn view(&self) -> BuiltInRelay {
        let (running, error) = match &self.state {
            State::Off | State::Resuming(_) => (false, None),
            State::On { door, .. } => match door {
                Door::Stuck(code) => (true, Some(*code)),
                Door::Closed | Door::Open(_) => (true, None),
            },
            State::Failed(code) => (false, Some(*code)),
        };
        let text = |address: Option<RelayAddress>| address.map(|address| address.to_string());
        BuiltInRelay {
            running,
            reach: self.record.reach,
            address: text(self.record.own()),
            network: text(self.record.public()),
            former: text(self.record.former.clone().filter(|_| running)),
            port: self.record.port.unwrap_or(limits::PORT),
            error,
        }
    }

    /// Begins to start what ran before, if anything did.
    pub async fn resume(&mut self, engine: &Engine) {
        self.record = Record::load(engine).await;
        let Record {
            on: true,
            port: Some(port),
            ..
        } = self.record
        else {
            return;
        };
        let config = config(port, self.data.clone());
        self.state = State::Resuming(tauri::async_runtime::spawn(async move {
            host_relay(config).await.map_err(|error| code(&error))
        }));
    }

    /// Resolves when what [`Self::resume`] began has ended; never otherwise.
    /// [`Self::settle`] comes next.
    pub async fn resumed(&mut self) {
        let State::Resuming(starting) = &mut self.state else {
            return std::future::pending().await;
        };
        let ended = starting.await;
        self.state = match ended {
            Ok(Ok(relay)) => {
                tracing::info!("the built-in relay runs again");
                let (relay, door) = (Box::new(relay), Door::Closed);
                State::On { relay, door }
            }
            Ok(Err(code)) => {
                tracing::warn!(?code, "the built-in relay did not start");
                State::Failed(code)
            }
            Err(_) => State::Failed(ErrorCode::Internal),
        };
    }

    /// Resolves when this computer is called otherwise on the network than the
    /// open door says. [`Self::settle`] comes next.
    pub async fn moved(&mut self) {
        let wanted = self.record.reach == Reach::LocalNetwork;
        let State::On { door, .. } = &self.state else {
            return std::future::pending().await;
        };
        if !wanted {
            return std::future::pending().await;
        }
        let known = match door {
            Door::Open(address) => Some(address.ip()),
            Door::Closed | Door::Stuck(_) => None,
        };
        let network = &self.network;
        let clock = self.clock.get_or_insert_with(|| network.clock());
        loop {
            clock.tick().await;
            if network.address() != known {
                return;
            }
        }
    }

    /// Opens or closes the door to the network as it should be now, and has
    /// links carry what is true. Says whether anything changed that is shown.
    pub async fn settle(&mut self, engine: &Engine) -> bool {
        let before = self.view();
        self.open_or_close().await;
        if let Some(relay) = self.record.own() {
            let public = self.record.public();
            let request = Request::SetPublicAddress { relay, public };
            if let Err(error) = engine.request(request).await {
                tracing::warn!(%error, "links do not carry the relay's address");
            }
        }
        let changed = self.view() != before;
        if changed {
            self.record.save(engine).await;
        }
        changed
    }

    /// Starts it and uses it. Without a port: the one of the last time, else
    /// the usual one, else any that is free. Where it runs already, only its
    /// reach changes, and nobody on this computer notices.
    pub async fn start(
        &mut self,
        engine: &Engine,
        reach: Reach,
        port: Option<u16>,
    ) -> Result<(), UiError> {
        if matches!(self.state, State::Resuming(_)) {
            self.resumed().await;
        }
        if reach == Reach::LocalNetwork && self.network.address().is_none() {
            return Err(ErrorCode::AddressUnavailable.into());
        }
        self.leave_old_port(engine, port).await?;
        if !self.is_running() {
            match self.launch(port).await {
                Ok(relay) => {
                    self.record.port = Some(relay.address().port());
                    let (relay, door) = (Box::new(relay), Door::Closed);
                    self.state = State::On { relay, door };
                }
                Err(code) => {
                    self.state = State::Failed(code);
                    return Err(code.into());
                }
            }
        }
        // Whoever says what is wanted has seen what was.
        self.record.former = None;
        self.record.on = true;
        self.record.reach = reach;
        if let Some(own) = self.record.own() {
            engine.request(Request::AddRelay(own)).await?;
        }
        self.settle(engine).await;
        self.record.save(engine).await;
        engine.reconnect_now().await;
        tracing::info!(?reach, "the built-in relay runs");
        match &self.state {
            State::On {
                door: Door::Stuck(code),
                ..
            } => Err((*code).into()),
            _ => Ok(()),
        }
    }

    /// Stops it, also for the next start of the app. Its rooms stay where they
    /// are and go on when it runs again.
    pub async fn stop(&mut self, engine: &Engine) {
        self.end().await;
        self.record.on = false;
        self.record.save(engine).await;
        tracing::info!("the built-in relay is off");
    }

    /// Ends it with the app.
    pub async fn end(&mut self) {
        let relay = match std::mem::replace(&mut self.state, State::Off) {
            State::On { relay, .. } => Some(*relay),
            State::Resuming(starting) => starting.await.ok().and_then(Result::ok),
            State::Off | State::Failed(_) => None,
        };
        if let Some(relay) = relay
            && tokio::time::timeout(PATIENCE, relay.stop()).await.is_err()
        {
            tracing::warn!("the built-in relay did not stop in time");
        }
    }

    async fn open_or_close(&mut self) {
        let State::On { relay, door } = &mut self.state else {
            return;
        };
        let wanted = match self.record.reach {
            Reach::ThisComputer => Ok(None),
            Reach::LocalNetwork => match self.network.address() {
                Some(ip) => Ok(Some(SocketAddr::new(ip, relay.address().port()))),
                None => Err(ErrorCode::AddressUnavailable),
            },
        };
        if let (Door::Open(here), Ok(Some(wanted))) = (&*door, &wanted)
            && here == wanted
        {
            return;
        }
        if let Door::Open(here) = *door {
            relay.close(here);
        }
        *door = match wanted {
            Ok(None) => Door::Closed,
            Err(code) => Door::Stuck(code),
            Ok(Some(bind)) => match relay.open(bind, Tls::SelfSigned).await {
                Ok(opened) => {
                    self.record.moves_to(RelayAddress {
                        secure: true,
                        host: opened.address.ip().to_string(),
                        port: opened.address.port(),
                        pin: opened.fingerprint,
                    });
                    Door::Open(opened.address)
                }
                Err(error) => Door::Stuck(code(&error)),
            },
        };
    }

    /// The port is a part of its rooms' address: with another one they would
    /// be cut off. `relayInUse` then, and nothing has changed.
    async fn leave_old_port(&mut self, engine: &Engine, port: Option<u16>) -> Result<(), UiError> {
        let Some(old) = self.record.own() else {
            return Ok(());
        };
        if port.is_none_or(|port| port == old.port) {
            return Ok(());
        }
        match engine.request(Request::RemoveRelay(old)).await {
            Err(RequestError::RelayInUse) => Err(ErrorCode::RelayInUse.into()),
            // Not in use, or not known any more: nobody is cut off.
            _ => {
                self.end().await;
                self.record.port = None;
                self.record.network = None;
                Ok(())
            }
        }
    }

    async fn launch(&self, port: Option<u16>) -> Result<Relay, ErrorCode> {
        let wanted = port.or(self.record.port);
        let first = config(wanted.unwrap_or(limits::PORT), self.data.clone());
        match host_relay(first).await {
            // Nobody chose this port, and no link names it yet.
            Err(StartError::PortInUse) if wanted.is_none() => {
                let any = config(0, self.data.clone());
                host_relay(any).await.map_err(|error| code(&error))
            }
            started => started.map_err(|error| code(&error)),
        }
    }
}

fn config(port: u16, data: PathBuf) -> Config {
    Config {
        bind: SocketAddr::from((IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        data: Some(data),
        tls: Tls::None,
        ..Config::default()
    }
}

/// Starts a relay. On a thread of its own: opening its database is a future
/// that the compiler does not see can move between threads.
async fn host_relay(config: Config) -> Result<Relay, StartError> {
    let runtime = tokio::runtime::Handle::current();
    let started = tokio::task::spawn_blocking(move || runtime.block_on(sotto_relay::start(config)));
    // A start that panicked left nothing that could be used.
    started
        .await
        .unwrap_or(Err(StartError::Data(DataError::Other)))
}

fn code(error: &StartError) -> ErrorCode {
    match error {
        StartError::PortInUse | StartError::Turn(TurnError::PortInUse) => ErrorCode::PortInUse,
        StartError::AddressUnavailable | StartError::Turn(TurnError::AddressUnavailable) => {
            ErrorCode::AddressUnavailable
        }
        StartError::Data(DataError::DiskFull) => ErrorCode::DiskFull,
        StartError::Data(DataError::NotWritable) => ErrorCode::NotWritable,
        StartError::Data(DataError::Locked) => ErrorCode::RelayDataLocked,
        StartError::Data(DataError::NewerVersion) => ErrorCode::NewerVersion,
        StartError::Data(DataError::Corrupt | DataError::Other) | StartError::Tls(_) => {
            ErrorCode::RelayDataDamaged
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_somebody_else_holds_is_not_a_second_sotto() {
        let locked = StartError::Data(DataError::Locked);
        assert_eq!(code(&locked), ErrorCode::RelayDataLocked);
    }
}
