//! The relay inside the app: started when somebody says so, remembered, and
//! started again with the app under the same address, so that links stay good.
//!
//! It serves this computer alone (loopback, no TLS), or the local network (all
//! interfaces, with a certificate of its own that links pin). It only hosts
//! [`sotto_relay`]; the rules are there, and it can read as little as any.

use crate::ipc::{
    error::{ErrorCode, UiError},
    view::{BuiltInRelay, Reach},
};
use serde::{Deserialize, Serialize};
use sotto_client::{Request, RequestError};
use sotto_engine::Engine;
use sotto_relay::{
    Config, Relay, StartError,
    server::{DataError, Tls},
};
use sotto_wire::{RelayAddress, limits};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    path::PathBuf,
    time::Duration,
};
use tauri::async_runtime::JoinHandle;

/// The record in the profile's settings.
const KEY: &str = "built-in-relay";
/// How long stopping may take before connections are dropped as they are.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is kept between starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Remembered {
    /// Whether it runs whenever the app does.
    on: bool,
    reach: Reach,
    /// What links carry. Includes the port that a start must use again.
    address: Option<RelayAddress>,
}

pub struct BuiltIn {
    data: PathBuf,
    remembered: Remembered,
    state: State,
}

enum State {
    Off,
    /// Starting with the app, while the page loads.
    Resuming(JoinHandle<Result<Relay, ErrorCode>>),
    On {
        relay: Relay,
        /// The links' address is not this computer's any more.
        moved: bool,
    },
    Failed(ErrorCode),
}

impl BuiltIn {
    /// Off, with its data in this folder.
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            remembered: Remembered::default(),
            state: State::Off,
        }
    }

    /// Whether this address is, or was last, this relay's.
    pub fn is(&self, address: &RelayAddress) -> bool {
        self.remembered.address.as_ref() == Some(address)
    }

    pub fn is_running(&self) -> bool {
        matches!(self.state, State::On { .. })
    }

    pub fn view(&self) -> BuiltInRelay {
        let (running, error) = match &self.state {
            State::Off | State::Resuming(_) => (false, None),
            State::On { moved, .. } => (true, moved.then_some(ErrorCode::AddressUnavailable)),
            State::Failed(code) => (false, Some(*code)),
        };
        let address = self.remembered.address.as_ref();
        BuiltInRelay {
            running,
            reach: self.remembered.reach,
            address: address.map(ToString::to_string),
            port: address.map_or(limits::PORT, |address| address.port),
            error,
        }
    }

    /// Begins to start what ran before, if anything did.
    pub async fn resume(&mut self, engine: &Engine) {
        self.remembered = recall(engine).await;
        let Remembered {
            on: true,
            reach,
            address: Some(address),
        } = &self.remembered
        else {
            return;
        };
        let config = config(*reach, address.port, self.data.clone());
        self.state = State::Resuming(tauri::async_runtime::spawn(async move {
            host_relay(config).await.map_err(|error| code(&error))
        }));
    }

    /// Resolves when what [`Self::resume`] began has ended; never otherwise.
    pub async fn resumed(&mut self) {
        let State::Resuming(starting) = &mut self.state else {
            return std::future::pending().await;
        };
        let ended = starting.await;
        self.state = match ended {
            Ok(Ok(relay)) => {
                tracing::info!("the built-in relay runs again");
                State::On {
                    relay,
                    moved: self.has_moved(),
                }
            }
            Ok(Err(code)) => {
                tracing::warn!(?code, "the built-in relay did not start");
                State::Failed(code)
            }
            Err(_) => State::Failed(ErrorCode::Internal),
        };
    }

    /// Starts it and uses it. Without a port: the one of the last time, else
    /// the usual one, else any that is free.
    pub async fn start(
        &mut self,
        engine: &Engine,
        reach: Reach,
        port: Option<u16>,
    ) -> Result<(), UiError> {
        if matches!(self.state, State::Resuming(_)) {
            self.resumed().await;
        }
        if self.is_running() {
            let same = self.remembered.reach == reach
                && port.is_none_or(|port| Some(port) == self.port())
                && !matches!(self.state, State::On { moved: true, .. });
            if same {
                return Ok(());
            }
        }
        let host = host(reach).ok_or(ErrorCode::AddressUnavailable)?;
        self.leave_old_address(engine, reach, host, port).await?;
        self.end().await;
        let relay = match self.launch(reach, port).await {
            Ok(relay) => relay,
            Err(code) => {
                self.state = State::Failed(code);
                return Err(code.into());
            }
        };
        let address = RelayAddress {
            secure: reach == Reach::LocalNetwork,
            host: host.to_string(),
            port: relay.address().port(),
            pin: relay.fingerprint(),
        };
        self.state = State::On {
            relay,
            moved: false,
        };
        self.remembered = Remembered {
            on: true,
            reach,
            address: Some(address.clone()),
        };
        remember(engine, &self.remembered).await;
        engine.request(Request::AddRelay(address)).await?;
        engine.reconnect_now().await;
        tracing::info!(?reach, "the built-in relay runs");
        Ok(())
    }

    /// Stops it, also for the next start of the app. Its rooms stay where they
    /// are and go on when it runs again.
    pub async fn stop(&mut self, engine: &Engine) {
        self.end().await;
        self.remembered.on = false;
        remember(engine, &self.remembered).await;
        tracing::info!("the built-in relay is off");
    }

    /// Ends it with the app.
    pub async fn end(&mut self) {
        let relay = match std::mem::replace(&mut self.state, State::Off) {
            State::On { relay, .. } => Some(relay),
            State::Resuming(starting) => starting.await.ok().and_then(Result::ok),
            State::Off | State::Failed(_) => None,
        };
        if let Some(relay) = relay
            && tokio::time::timeout(PATIENCE, relay.stop()).await.is_err()
        {
            tracing::warn!("the built-in relay did not stop in time");
        }
    }

    /// A relay is its address: rooms that live at the old one would be cut
    /// off by a new one. `relayInUse` then, and nothing has changed.
    async fn leave_old_address(
        &mut self,
        engine: &Engine,
        reach: Reach,
        host: IpAddr,
        port: Option<u16>,
    ) -> Result<(), UiError> {
        let Some(old) = &self.remembered.address else {
            return Ok(());
        };
        let stays = self.remembered.reach == reach
            && old.host == host.to_string()
            && port.is_none_or(|port| port == old.port);
        if stays {
            return Ok(());
        }
        match engine.request(Request::RemoveRelay(old.clone())).await {
            Err(RequestError::RelayInUse) => Err(ErrorCode::RelayInUse.into()),
            // Not in use, or not known any more: nobody is cut off.
            _ => {
                self.remembered.address = None;
                Ok(())
            }
        }
    }

    async fn launch(&self, reach: Reach, port: Option<u16>) -> Result<Relay, ErrorCode> {
        let wanted = port.or(self.port());
        let first = config(reach, wanted.unwrap_or(limits::PORT), self.data.clone());
        match host_relay(first).await {
            // Nobody chose this port, and no link names it yet.
            Err(StartError::PortInUse) if wanted.is_none() => {
                let any = config(reach, 0, self.data.clone());
                host_relay(any).await.map_err(|error| code(&error))
            }
            started => started.map_err(|error| code(&error)),
        }
    }

    fn port(&self) -> Option<u16> {
        self.remembered.address.as_ref().map(|address| address.port)
    }

    fn has_moved(&self) -> bool {
        let now = host(self.remembered.reach).map(|host| host.to_string());
        self.remembered
            .address
            .as_ref()
            .map(|address| &address.host)
            != now.as_ref()
    }
}

fn config(reach: Reach, port: u16, data: PathBuf) -> Config {
    let (ip, tls) = match reach {
        Reach::ThisComputer => (Ipv4Addr::LOCALHOST, Tls::None),
        Reach::LocalNetwork => (Ipv4Addr::UNSPECIFIED, Tls::SelfSigned),
    };
    Config {
        bind: SocketAddr::from((ip, port)),
        data: Some(data),
        tls,
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
        StartError::PortInUse => ErrorCode::PortInUse,
        StartError::AddressUnavailable => ErrorCode::AddressUnavailable,
        StartError::Data(DataError::DiskFull) => ErrorCode::DiskFull,
        StartError::Data(DataError::NotWritable) => ErrorCode::NotWritable,
        StartError::Data(DataError::Locked) => ErrorCode::ProfileInUse,
        StartError::Data(DataError::NewerVersion) => ErrorCode::NewerVersion,
        StartError::Data(DataError::Corrupt | DataError::Other) | StartError::Tls(_) => {
            ErrorCode::RelayDataDamaged
        }
    }
}

/// The address under which others reach this computer.
fn host(reach: Reach) -> Option<IpAddr> {
    match reach {
        Reach::ThisComputer => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Reach::LocalNetwork => local_network_address(),
    }
}

/// The address that a packet to the outside would carry. Choosing a peer sends
/// nothing; this one is reserved for documentation (RFC 5737).
fn local_network_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

async fn recall(engine: &Engine) -> Remembered {
    let Some(text) = engine.setting(KEY).await else {
        return Remembered::default();
    };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, "the built-in relay's record is of another version");
        Remembered::default()
    })
}

async fn remember(engine: &Engine, remembered: &Remembered) {
    let kept = match serde_json::to_string(remembered) {
        Ok(text) => engine.set_setting(KEY, text).await.is_ok(),
        Err(_) => false,
    };
    if !kept {
        tracing::warn!("the built-in relay will not start again by itself");
    }
}
