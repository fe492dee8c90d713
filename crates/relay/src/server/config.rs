//! What an operator or an embedding app may choose, and why a start can fail.

use crate::{
    auth::refresh,
    hub::{HubConfig, bucket::Rate},
    store::StoreError,
    turn::TurnLimits,
};
use sotto_wire::{Millis, frame::Token, limits};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

#[derive(Debug, Clone)]
pub struct Config {
    /// Port 0 picks a free one.
    pub bind: SocketAddr,
    /// `host:port` names under which clients reach the relay. The address of
    /// the accepted connection always counts, so on loopback and in a local
    /// network none is needed.
    pub public: Vec<String>,
    /// Folder for the database and keys. `None`: everything is forgotten when
    /// the relay stops.
    pub data: Option<PathBuf>,
    pub tls: Tls,
    pub admission: Admission,
    /// Opens the administrative endpoints; `None` leaves them shut.
    pub admin_token: Option<Token>,
    /// Web origins that may connect besides the desktop app's own.
    pub origins: Vec<String>,
    /// Only from these is `X-Forwarded-For` believed.
    pub trusted_proxies: Vec<IpAddr>,
    pub limits: Limits,
    pub timings: Timings,
    pub hub: HubConfig,
    /// The STUN and TURN server for calls; `None` for none.
    pub turn: Option<TurnConfig>,
    pub clock: Clock,
}

/// How calls are relayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnConfig {
    /// UDP. Without one: where the relay itself is, at a free port.
    pub bind: Option<SocketAddr>,
    /// The address that relayed addresses have. They mean something only at
    /// this server, so it matters only to those who look at it; without one
    /// it is this computer's.
    pub public: Option<IpAddr>,
    pub limits: TurnLimits,
}

impl Default for Config {
    /// A relay for this computer alone: loopback, in memory, without TLS.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, limits::PORT)),
            public: Vec::new(),
            data: None,
            tls: Tls::None,
            admission: Admission::Open,
            admin_token: None,
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            timings: Timings::default(),
            hub: HubConfig::default(),
            turn: Some(TurnConfig::default()),
            clock: Clock::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Loopback, or behind a proxy that does it.
    None,
    /// Made at the first start and kept with the data; clients pin it.
    SelfSigned,
    /// PEM files.
    Files { cert: PathBuf, key: PathBuf },
}

/// Who may sign in for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    Open,
    /// Whoever brings one of these codes.
    InviteCode(Vec<Token>),
    /// These accounts only, at every sign-in.
    AllowList(Vec<sotto_wire::UserId>),
}

/// What one address or account may use, each with what raising it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// WebSockets of one address (IPv6: one /64). Raising it lets one address
    /// use more of the relay.
    pub connections_per_ip: usize,
    /// The same for loopback, from where all windows of one computer come.
    pub connections_per_loopback: usize,
    /// WebSockets of one address that carry datagrams of calls: as many as its
    /// people have allocations. From loopback as many as of the others.
    pub turn_sockets_per_ip: usize,
    /// Connections of one address that are no WebSockets (yet); trusted proxies
    /// and loopback are free of it.
    pub tcp_per_ip: usize,
    /// All connections that are no WebSockets, and all that are. Raising it
    /// costs some 10 KiB each, and file handles.
    pub tcp: usize,
    /// Bytes waiting for one reader. Raising it lets a slow reader hold more
    /// memory before it is asked to come back.
    pub queue_bytes: usize,
    /// Frames of one account, and of one address.
    pub account_rate: Rate,
    pub ip_rate: Rate,
    /// HTTP requests of one address: signing in costs two signature checks.
    pub http_rate: Rate,
    /// Malformed frames within `flood_window` before the socket is closed.
    pub flood: usize,
    /// Native pings and pongs in that time. A client sends one of each every
    /// half minute.
    pub control: usize,
    pub flood_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_ip: 5,
            connections_per_loopback: 250,
            turn_sockets_per_ip: 96,
            tcp_per_ip: 40,
            tcp: 20_000,
            queue_bytes: 4 * 1024 * 1024,
            account_rate: Rate {
                burst: 3_000,
                every: 10,
            },
            ip_rate: Rate {
                burst: 10_000,
                every: 2,
            },
            http_rate: Rate {
                burst: 120,
                every: 500,
            },
            flood: 50,
            control: 100,
            flood_window: Duration::from_secs(10),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timings {
    /// Native pings; a client silent for `silence` is dead.
    pub heartbeat: Duration,
    pub silence: Duration,
    /// For `auth` as the first frame.
    pub auth_wait: Duration,
    /// For a TLS handshake, for the head of a request, for its answer, and for
    /// an allocation by a WebSocket that carries datagrams of calls.
    pub handshake: Duration,
    /// Retention, expiry and late writes.
    pub tick: Duration,
    pub access_life: Duration,
    pub refresh_life: Duration,
    pub challenge_life: Duration,
    pub ticket_life: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(limits::HEARTBEAT),
            silence: Duration::from_millis(limits::SILENCE),
            auth_wait: Duration::from_millis(limits::AUTH_WAIT),
            handshake: Duration::from_secs(10),
            tick: Duration::from_secs(10),
            access_life: Duration::from_secs(60 * 60),
            refresh_life: Duration::from_millis(refresh::LIFE),
            challenge_life: Duration::from_secs(60),
            ticket_life: Duration::from_secs(30),
        }
    }
}

/// The wall clock, as a value, so that tests can move it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    pub fn new(read: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(0, millis)
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

pub(crate) fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Why a relay did not start, by what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error("the port is in use; another relay may be running: stop it or choose another port")]
    PortInUse,
    #[error("this computer has no such address, or may not listen there: choose another one")]
    AddressUnavailable,
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Turn(#[from] TurnError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    #[error("the UDP port for calls is in use; another relay may be running: choose another one")]
    PortInUse,
    #[error("this computer has no such address for calls, or may not listen there")]
    AddressUnavailable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    #[error("the data folder can not be written to: check that it exists and whose it is")]
    NotWritable,
    #[error("the disk is full: make room and start again")]
    DiskFull,
    #[error("another relay uses the data folder: stop it or choose another folder")]
    Locked,
    #[error("the data is damaged: restore the folder from a backup")]
    Corrupt,
    #[error("the data was written by a newer version: use that version")]
    NewerVersion,
    #[error("the database could not be opened")]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    #[error("the certificate or key file can not be read: check the paths")]
    Unreadable,
    #[error("the certificate or key file is not PEM, or they do not belong together")]
    Invalid,
}

impl From<StoreError> for DataError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotWritable => Self::NotWritable,
            StoreError::DiskFull => Self::DiskFull,
            StoreError::Locked => Self::Locked,
            StoreError::Corrupt => Self::Corrupt,
            StoreError::NewerVersion => Self::NewerVersion,
            StoreError::Other => Self::Other,
        }
    }
}

impl From<std::io::Error> for DataError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::DiskFull,
            _ => Self::NotWritable,
        }
    }
}

pub(crate) fn bind_error(error: std::io::Error) -> StartError {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse,
        _ => StartError::AddressUnavailable,
    }
}

pub(crate) fn turn_error(error: std::io::Error) -> StartError {
    StartError::Turn(match error.kind() {
        std::io::ErrorKind::AddrInUse => TurnError::PortInUse,
        _ => TurnError::AddressUnavailable,
    })
}
