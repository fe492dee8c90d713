//! The binary's settings: command line over environment over a TOML file over
//! the defaults. docs/HOSTING.md explains each.

use clap::Parser;
use serde::Deserialize;
use sotto_relay::{
    Config,
    hub::{HubConfig, bucket::Rate},
    server::{Admission, Limits, Timings, Tls, TurnConfig},
    turn::TurnLimits,
};
use sotto_wire::{RelayAddress, UserId, frame::Token, limits};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug, thiserror::Error)]
pub enum BadSetting {
    #[error("the configuration file can not be read: {0}")]
    Unreadable(PathBuf),
    #[error("the configuration file is wrong: {0}")]
    File(String),
    #[error("`{0}` is no public address; write host:port, as in relay.example:443")]
    Public(String),
    #[error("--tls-cert and --tls-key go together")]
    HalfTls,
    #[error("either --tls-self-signed or --tls-cert, not both")]
    TwoTls,
    #[error("either --invite-code or --allow, not both")]
    TwoAdmissions,
}

/// A setting left out everywhere has the default that docs/HOSTING.md states.
#[derive(Debug, Clone, Default, Parser, Deserialize)]
#[command(
    name = "sotto-relay",
    version,
    about = "Sotto's relay: routes what it cannot read."
)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Settings {
    /// TOML file with the settings named as here, without the dashes in front
    #[arg(long, env = "SOTTO_RELAY_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:3030]
    #[arg(long, env = "SOTTO_RELAY_BIND")]
    bind: Option<SocketAddr>,
    /// Folder for the database and keys [default: sotto-relay-data]
    #[arg(long, env = "SOTTO_RELAY_DATA")]
    data: Option<PathBuf>,
    /// Keep nothing: everything is forgotten when the relay stops
    #[arg(long, env = "SOTTO_RELAY_MEMORY", num_args = 0..=1, default_missing_value = "true")]
    memory: Option<bool>,
    /// host:port under which clients reach the relay; may be repeated
    #[arg(long, env = "SOTTO_RELAY_PUBLIC", value_delimiter = ',')]
    public: Vec<String>,
    /// Make a certificate and print its fingerprint in the address
    #[arg(long, env = "SOTTO_RELAY_TLS_SELF_SIGNED", num_args = 0..=1, default_missing_value = "true")]
    tls_self_signed: Option<bool>,
    /// Certificate chain, PEM
    #[arg(long, env = "SOTTO_RELAY_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, env = "SOTTO_RELAY_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Admit new accounts only with one of these codes
    #[arg(
        long = "invite-code",
        env = "SOTTO_RELAY_INVITE_CODES",
        value_delimiter = ',',
        hide_env_values = true
    )]
    invite_codes: Vec<String>,
    /// Admit only these accounts (user ids)
    #[arg(long, env = "SOTTO_RELAY_ALLOW", value_delimiter = ',')]
    allow: Vec<UserId>,
    /// Token of the administrative endpoints; without it they are shut
    #[arg(long, env = "SOTTO_RELAY_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
    /// Web origins that may connect besides the desktop app
    #[arg(long, env = "SOTTO_RELAY_ORIGINS", value_delimiter = ',')]
    origins: Vec<String>,
    /// Proxies whose X-Forwarded-For is believed
    #[arg(long, env = "SOTTO_RELAY_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxies: Vec<IpAddr>,
    /// Address and UDP port of the STUN and TURN server for calls [default: port 3478 where --bind is]
    #[arg(long, env = "SOTTO_RELAY_TURN_BIND")]
    turn_bind: Option<SocketAddr>,
    /// Relay no calls: people are connected to each other, or not at all
    #[arg(long, env = "SOTTO_RELAY_NO_TURN", num_args = 0..=1, default_missing_value = "true")]
    no_turn: Option<bool>,
    /// Address that relayed addresses are said to have [default: this computer's]
    #[arg(long, env = "SOTTO_RELAY_TURN_PUBLIC")]
    turn_public: Option<IpAddr>,
    /// What to log, as in `info` or `sotto_relay=debug` [default: info]
    #[arg(long, env = "SOTTO_RELAY_LOG")]
    log: Option<String>,

    /// WebSockets of one address [default: 5]
    #[arg(long, env = "SOTTO_RELAY_CONNECTIONS_PER_IP")]
    connections_per_ip: Option<usize>,
    /// WebSockets from this computer [default: 250]
    #[arg(long, env = "SOTTO_RELAY_CONNECTIONS_PER_LOOPBACK")]
    connections_per_loopback: Option<usize>,
    /// WebSockets of one address that carry relayed calls [default: 96]
    #[arg(long, env = "SOTTO_RELAY_TURN_SOCKETS_PER_IP")]
    turn_sockets_per_ip: Option<usize>,
    /// Connections of one address that are no WebSockets [default: 40]
    #[arg(long, env = "SOTTO_RELAY_TCP_PER_IP")]
    tcp_per_ip: Option<usize>,
    /// WebSockets in all, and other connections in all [default: 20000]
    #[arg(long, env = "SOTTO_RELAY_CONNECTIONS")]
    connections: Option<usize>,
    /// Bytes that may wait for one reader [default: 4194304]
    #[arg(long, env = "SOTTO_RELAY_QUEUE_BYTES")]
    queue_bytes: Option<usize>,
    /// Frames a second of one account, after a burst of 30 seconds' worth [default: 100]
    #[arg(long, env = "SOTTO_RELAY_FRAMES_PER_SECOND")]
    frames_per_second: Option<u32>,
    /// Frames a second of one address, after a burst of 20 seconds' worth [default: 500]
    #[arg(long, env = "SOTTO_RELAY_FRAMES_PER_SECOND_PER_IP")]
    frames_per_second_per_ip: Option<u32>,
    /// HTTP requests a minute of one address [default: 120]
    #[arg(long, env = "SOTTO_RELAY_REQUESTS_PER_MINUTE")]
    requests_per_minute: Option<u32>,
    /// Members of a room, 250 at most [default: 250]
    #[arg(long, env = "SOTTO_RELAY_MEMBERS")]
    members: Option<usize>,
    /// Rooms of one account [default: 1000]
    #[arg(long, env = "SOTTO_RELAY_ROOMS_PER_USER")]
    rooms_per_user: Option<usize>,
    /// Days a backlog is kept at most [default: 30]
    #[arg(long, env = "SOTTO_RELAY_RETENTION_DAYS")]
    retention_days: Option<u32>,
    /// Mebibytes a room's backlog may have [default: 256]
    #[arg(long, env = "SOTTO_RELAY_ROOM_MIB")]
    room_mib: Option<u64>,
    /// Hours until a room without members is deleted [default: 24]
    #[arg(long, env = "SOTTO_RELAY_EMPTY_ROOM_HOURS")]
    empty_room_hours: Option<u32>,
    /// Unread direct messages of one account [default: 1000]
    #[arg(long, env = "SOTTO_RELAY_DIRECT_MESSAGES")]
    direct_messages: Option<usize>,
    /// Mebibytes of them [default: 16]
    #[arg(long, env = "SOTTO_RELAY_DIRECT_MIB")]
    direct_mib: Option<u64>,
    /// TURN allocations of one account [default: 48]
    #[arg(long, env = "SOTTO_RELAY_TURN_PER_ACCOUNT")]
    turn_per_account: Option<usize>,
    /// TURN allocations in all [default: 4096]
    #[arg(long, env = "SOTTO_RELAY_TURN_ALLOCATIONS")]
    turn_allocations: Option<usize>,
    /// Kilobits a second of one TURN allocation, each way [default: 8000]
    #[arg(long, env = "SOTTO_RELAY_TURN_KILOBITS")]
    turn_kilobits: Option<u64>,
    /// Kilobits a second of all TURN allocations of one account, each way [default: 40000]
    #[arg(long, env = "SOTTO_RELAY_TURN_ACCOUNT_KILOBITS")]
    turn_account_kilobits: Option<u64>,
    /// Seconds a TURN allocation lives without being refreshed [default: 600]
    #[arg(long, env = "SOTTO_RELAY_TURN_LIFETIME_SECONDS")]
    turn_lifetime_seconds: Option<u32>,
    /// Minutes a TURN credential holds [default: 120]
    #[arg(long, env = "SOTTO_RELAY_TURN_CREDENTIAL_MINUTES")]
    turn_credential_minutes: Option<u32>,
    /// Seconds between heartbeats [default: 30]
    #[arg(long, env = "SOTTO_RELAY_HEARTBEAT_SECONDS")]
    heartbeat_seconds: Option<u32>,
    /// Seconds of silence after which a client is dead [default: 90]
    #[arg(long, env = "SOTTO_RELAY_SILENCE_SECONDS")]
    silence_seconds: Option<u32>,
}

const HOUR: u64 = 60 * 60 * 1000;
const MIB: u64 = 1024 * 1024;

impl Settings {
    /// Fills what command line and environment left out from the file.
    pub fn with_file(self) -> Result<Self, BadSetting> {
        let Some(path) = self.config.clone() else {
            return Ok(self);
        };
        let text = std::fs::read_to_string(&path).map_err(|_| BadSetting::Unreadable(path))?;
        let file: Self = toml::from_str(&text).map_err(|e| BadSetting::File(e.message().into()))?;
        Ok(self.over(file))
    }

    fn over(self, file: Self) -> Self {
        fn list<T>(own: Vec<T>, file: Vec<T>) -> Vec<T> {
            if own.is_empty() { file } else { own }
        }
        macro_rules! merge {
            (options: $($option:ident)*; lists: $($list:ident)*) => {
                Self {
                    $($option: self.$option.or(file.$option),)*
                    $($list: list(self.$list, file.$list),)*
                }
            };
        }
        merge! {
            options: config bind data memory tls_self_signed tls_cert tls_key admin_token log
                turn_bind no_turn turn_public turn_per_account turn_allocations turn_kilobits
                turn_account_kilobits turn_lifetime_seconds turn_credential_minutes
                turn_sockets_per_ip
                connections_per_ip connections_per_loopback tcp_per_ip connections queue_bytes
                frames_per_second frames_per_second_per_ip requests_per_minute members
                rooms_per_user retention_days room_mib empty_room_hours direct_messages direct_mib
                heartbeat_seconds silence_seconds;
            lists: public invite_codes allow origins trusted_proxies
        }
    }

    pub fn log(&self) -> &str {
        self.log.as_deref().unwrap_or("info")
    }

    pub fn data(&self) -> PathBuf {
        self.data
            .clone()
            .unwrap_or_else(|| Path::new("sotto-relay-data").to_owned())
    }

    pub fn config(&self) -> Result<Config, BadSetting> {
        let default = Config::default();
        Ok(Config {
            bind: self.bind.unwrap_or(default.bind),
            public: self
                .public
                .iter()
                .map(|name| authority(name))
                .collect::<Result<_, _>>()?,
            data: (self.memory != Some(true)).then(|| self.data()),
            tls: self.tls()?,
            admission: self.admission()?,
            admin_token: self
                .admin_token
                .clone()
                .filter(|t| !t.is_empty())
                .map(Token),
            origins: self.origins.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            limits: self.limits(default.limits),
            timings: self.timings(default.timings),
            hub: self.hub(default.hub),
            turn: (self.no_turn != Some(true)).then(|| self.turn()),
            clock: default.clock,
        })
    }

    fn tls(&self) -> Result<Tls, BadSetting> {
        let own = self.tls_self_signed == Some(true);
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), Some(_)) if own => Err(BadSetting::TwoTls),
            (Some(cert), Some(key)) => Ok(Tls::Files {
                cert: cert.clone(),
                key: key.clone(),
            }),
            (None, None) => Ok(if own { Tls::SelfSigned } else { Tls::None }),
            _ => Err(BadSetting::HalfTls),
        }
    }

    fn admission(&self) -> Result<Admission, BadSetting> {
        match (self.invite_codes.is_empty(), self.allow.is_empty()) {
            (true, true) => Ok(Admission::Open),
            (false, true) => Ok(Admission::InviteCode(
                self.invite_codes.iter().cloned().map(Token).collect(),
            )),
            (true, false) => Ok(Admission::AllowList(self.allow.clone())),
            (false, false) => Err(BadSetting::TwoAdmissions),
        }
    }

    fn limits(&self, default: Limits) -> Limits {
        let rate = |per: u64, n: u32, burst: u32| Rate {
            burst: n.max(1).saturating_mul(burst),
            every: (per / u64::from(n.max(1))).max(1),
        };
        let account = self.frames_per_second.map(|n| rate(1000, n, 30));
        let ip = self.frames_per_second_per_ip.map(|n| rate(1000, n, 20));
        let http = self.requests_per_minute.map(|n| rate(60_000, n, 1));
        Limits {
            connections_per_ip: self
                .connections_per_ip
                .unwrap_or(default.connections_per_ip),
            connections_per_loopback: self
                .connections_per_loopback
                .unwrap_or(default.connections_per_loopback),
            turn_sockets_per_ip: self
                .turn_sockets_per_ip
                .unwrap_or(default.turn_sockets_per_ip),
            tcp_per_ip: self.tcp_per_ip.unwrap_or(default.tcp_per_ip),
            tcp: self.connections.unwrap_or(default.tcp),
            queue_bytes: self.queue_bytes.unwrap_or(default.queue_bytes),
            account_rate: account.unwrap_or(default.account_rate),
            ip_rate: ip.unwrap_or(default.ip_rate),
            http_rate: http.unwrap_or(default.http_rate),
            ..default
        }
    }

    /// Whoever leaves the relay's port to the system leaves this one, too.
    fn turn(&self) -> TurnConfig {
        let default = TurnLimits::default();
        let relay = self.bind.unwrap_or(Config::default().bind);
        let port = if relay.port() == 0 {
            0
        } else {
            limits::TURN_PORT
        };
        let seconds = |n: u32| u64::from(n.max(1)) * 1_000;
        let bytes = |kilobits: u64| kilobits.saturating_mul(125);
        TurnConfig {
            bind: Some(self.turn_bind.unwrap_or((relay.ip(), port).into())),
            public: self.turn_public,
            limits: TurnLimits {
                per_account: self.turn_per_account.unwrap_or(default.per_account),
                total: self.turn_allocations.unwrap_or(default.total),
                bytes_per_second: self.turn_kilobits.map_or(default.bytes_per_second, bytes),
                account_bytes_per_second: self
                    .turn_account_kilobits
                    .map_or(default.account_bytes_per_second, bytes),
                lifetime: self.turn_lifetime_seconds.map_or(default.lifetime, seconds),
                credential_life: self
                    .turn_credential_minutes
                    .map_or(default.credential_life, |n| 60 * seconds(n)),
            },
        }
    }

    /// Calls are relayed over UDP on this computer only, though clients are to
    /// come by a name that leads here from elsewhere. They are not refused:
    /// they go by WebSocket, if whatever is in front lets them.
    pub fn hides_calls(&self) -> bool {
        let elsewhere = |name: &String| {
            let address = name.parse::<RelayAddress>();
            address.is_ok_and(|address| !address.is_loopback())
        };
        let here = self.turn().bind.is_some_and(|at| at.ip().is_loopback());
        self.no_turn != Some(true) && here && self.public.iter().any(elsewhere)
    }

    fn timings(&self, default: Timings) -> Timings {
        let seconds = |n: u32| Duration::from_secs(u64::from(n.max(1)));
        Timings {
            heartbeat: self.heartbeat_seconds.map_or(default.heartbeat, seconds),
            silence: self.silence_seconds.map_or(default.silence, seconds),
            ..default
        }
    }

    fn hub(&self, default: HubConfig) -> HubConfig {
        let hours = |n: u32| u64::from(n) * HOUR;
        HubConfig {
            members: self.members.unwrap_or(default.members).min(default.members),
            rooms_per_user: self.rooms_per_user.unwrap_or(default.rooms_per_user),
            retention: self
                .retention_days
                .map_or(default.retention, |n| 24 * hours(n)),
            room_bytes: self
                .room_mib
                .map_or(default.room_bytes, |n| n.saturating_mul(MIB)),
            empty_room: self.empty_room_hours.map_or(default.empty_room, hours),
            direct_count: self.direct_messages.unwrap_or(default.direct_count),
            direct_bytes: self
                .direct_mib
                .map_or(default.direct_bytes, |n| n.saturating_mul(MIB)),
            ..default
        }
    }
}

/// `host:port` as clients name it when they sign in.
fn authority(name: &str) -> Result<String, BadSetting> {
    let address = name.parse::<RelayAddress>();
    address
        .map(|a| a.authority())
        .map_err(|_| BadSetting::Public(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Settings {
        Settings::parse_from([&["sotto-relay"], arguments].concat())
    }

    #[test]
    fn without_settings_it_listens_on_this_computer() {
        let config = parse(&[]).config().unwrap();
        assert_eq!(config.bind, "127.0.0.1:3030".parse().unwrap());
        assert_eq!(config.data, Some("sotto-relay-data".into()));
        assert_eq!((config.tls, config.admission), (Tls::None, Admission::Open));
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.hub, HubConfig::default());
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay.toml");
        std::fs::write(
            &path,
            "bind = \"10.0.0.1:1\"\nmembers = 7\npublic = [\"a.example:1\"]\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let settings = parse(&["--config", path, "--bind", "10.0.0.2:2"])
            .with_file()
            .unwrap();
        let config = settings.config().unwrap();
        assert_eq!(config.bind, "10.0.0.2:2".parse().unwrap());
        assert_eq!(config.hub.members, 7);
        assert_eq!(config.public, ["a.example:1"]);
    }

    #[test]
    fn a_wrong_setting_says_what_is_wrong() {
        let check = |arguments: &[&str], expect: &str| {
            let error = parse(arguments)
                .with_file()
                .and_then(|s| s.config())
                .unwrap_err();
            assert!(error.to_string().contains(expect), "{error}");
        };
        check(&["--public", "https://x/y"], "host:port");
        check(&["--tls-cert", "a.pem"], "go together");
        check(
            &["--tls-self-signed", "--tls-cert", "a", "--tls-key", "b"],
            "not both",
        );
        let user = UserId([1; 32]).to_string();
        check(&["--invite-code", "x", "--allow", &user], "not both");
        check(&["--config", "/nowhere/relay.toml"], "/nowhere/relay.toml");
    }

    #[test]
    fn the_defaults_that_are_written_here_are_the_relay_s_own() {
        let written = parse(&[
            "--frames-per-second=100",
            "--frames-per-second-per-ip=500",
            "--requests-per-minute=120",
            "--turn-per-account=48",
            "--turn-allocations=4096",
            "--turn-kilobits=8000",
            "--turn-account-kilobits=40000",
            "--turn-sockets-per-ip=96",
            "--turn-lifetime-seconds=600",
            "--turn-credential-minutes=120",
        ]);
        let config = written.config().unwrap();
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.turn.unwrap().limits, TurnLimits::default());
    }

    #[test]
    fn calls_have_their_own_port_beside_the_relay_s_unless_they_are_switched_off() {
        let check = |arguments: &[&str], expect: Option<&str>| {
            let turn = parse(arguments).config().unwrap().turn;
            let bind = turn.and_then(|turn| turn.bind);
            assert_eq!(bind, expect.map(|at| at.parse().unwrap()), "{arguments:?}");
        };
        check(&[], Some("127.0.0.1:3478"));
        check(&["--bind", "0.0.0.0:443"], Some("0.0.0.0:3478"));
        check(&["--bind", "[::]:0"], Some("[::]:0"));
        check(&["--turn-bind", "10.0.0.1:5000"], Some("10.0.0.1:5000"));
        check(&["--no-turn"], None);
        check(&["--no-turn=false"], Some("127.0.0.1:3478"));
    }

    #[test]
    fn who_names_a_public_host_is_told_that_calls_cannot_be_reached_there() {
        let check = |arguments: &[&str], expect| {
            assert_eq!(parse(arguments).hides_calls(), expect, "{arguments:?}");
        };
        let proxied = [
            "--public",
            "relay.example:443",
            "--trusted-proxies",
            "127.0.0.1",
        ];
        let and = |more: &[&'static str]| [&proxied, more].concat();
        check(&proxied, true);
        check(&and(&["--turn-bind", "0.0.0.0:3478"]), false);
        check(&and(&["--bind", "0.0.0.0:3030"]), false);
        check(&and(&["--no-turn"]), false);
        check(&["--public", "localhost:3030"], false);
        check(&[], false);
    }

    #[test]
    fn an_address_may_be_given_more_than_an_account() {
        let limits = parse(&["--frames-per-second-per-ip", "1000"]).limits(Limits::default());
        let (burst, every) = (20_000, 1);
        assert_eq!(limits.ip_rate, Rate { burst, every });
        assert_eq!(limits.account_rate, Limits::default().account_rate);
    }

    #[test]
    fn an_unknown_name_in_the_file_is_not_ignored() {
        assert!(toml::from_str::<Settings>("memebrs = 7").is_err());
    }
}
