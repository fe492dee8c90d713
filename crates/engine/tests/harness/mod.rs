//! People with engines, and the relay between them.

use sotto_client::{
    Change, Outcome, Request,
    model::{Admission, Delivery, ItemKind, MessageBody, Profile, Standing},
};
use sotto_engine::{
    Engine, Event, Keyring, KeyringState, LinkProblem, LinkStatus, Lock, OpenError, ProfileDir,
    Protection, Secret, SecretBytes, Unlock, new_message_id,
};
use sotto_relay::{
    Config, Relay,
    server::{Tls, TurnConfig},
};
use sotto_wire::{RelayAddress, RoomId, UserId};
use std::{
    collections::BTreeMap,
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use tokio::sync::mpsc;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct World {
    relay: Option<Relay>,
    data: tempfile::TempDir,
    bind: SocketAddr,
    tls: Tls,
    admission: sotto_relay::server::Admission,
    pin: Option<[u8; 32]>,
    turn: Option<TurnConfig>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Tls::None, sotto_relay::server::Admission::Open).await
    }

    pub async fn with_tls(tls: Tls) -> Self {
        Self::with(tls, sotto_relay::server::Admission::Open).await
    }

    pub async fn with(tls: Tls, admission: sotto_relay::server::Admission) -> Self {
        let bind = "127.0.0.1:0".parse().unwrap();
        let data = tempfile::tempdir().unwrap();
        let mut world = Self {
            relay: None,
            data,
            bind,
            tls,
            admission,
            pin: None,
            turn: Some(TurnConfig::default()),
        };
        world.relay_starts().await;
        world
    }

    /// The relay relays no calls.
    pub async fn without_turn() -> Self {
        Self::with_turn(None).await
    }

    /// The relay's TURN server is at an address that nobody is told of: as if
    /// a network let no UDP through.
    pub async fn without_udp() -> Self {
        let elsewhere = "127.0.0.2:0".parse().unwrap();
        Self::with_turn(Some(TurnConfig {
            bind: Some(elsewhere),
            ..TurnConfig::default()
        }))
        .await
    }

    async fn with_turn(turn: Option<TurnConfig>) -> Self {
        let mut world = Self::new().await;
        world.relay_stops().await;
        world.turn = turn;
        world.relay_starts().await;
        world
    }

    pub async fn relay_starts(&mut self) {
        let config = Config {
            bind: self.bind,
            data: Some(self.data.path().join("relay")),
            tls: self.tls.clone(),
            admission: self.admission.clone(),
            turn: self.turn.clone(),
            ..Config::default()
        };
        let relay = sotto_relay::start(config).await.expect("the relay starts");
        self.bind = relay.address();
        self.pin = relay.fingerprint();
        self.relay = Some(relay);
    }

    pub async fn relay_stops(&mut self) {
        self.relay.take().expect("it runs").stop().await;
    }

    pub async fn stop(mut self) {
        self.relay_stops().await;
    }

    pub fn address(&self) -> RelayAddress {
        let secure = self.tls != Tls::None;
        let host = self.bind.ip().to_string();
        RelayAddress {
            secure,
            host,
            port: self.bind.port(),
            pin: self.pin,
        }
    }

    /// A room of `host` with all the others in it.
    pub async fn room_of(&self, host: &mut Person, others: &mut [&mut Person]) -> RoomId {
        let request = Request::CreateRoom {
            relay: self.address(),
            name: "Backstage".into(),
            topic: String::new(),
            admission: Admission::AtOnce,
        };
        let Ok(Outcome::Room(room)) = host.engine.request(request).await else {
            panic!("no room")
        };
        host.is_member(room).await;
        let request = Request::CreateInvite {
            room,
            valid_for: 3_600_000,
        };
        let Ok(Outcome::Invite(invite)) = host.engine.request(request).await else {
            panic!("no invite")
        };
        for other in others {
            let link = invite.link.clone();
            other
                .engine
                .request(Request::Join { link })
                .await
                .expect("the link is good");
            other.is_member(room).await;
        }
        room
    }
}

pub struct Person {
    pub dir: tempfile::TempDir,
    pub keyring: Arc<FakeKeyring>,
    pub engine: Engine,
    pub events: mpsc::Receiver<Event>,
    user: UserId,
}

impl Person {
    pub async fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keyring = FakeKeyring::new();
        let engine = create(&dir, &keyring, name)
            .await
            .expect("the profile is made");
        let user = engine.me().await.user;
        let (_, events) = engine.subscribe().await;
        Self {
            dir,
            keyring,
            engine,
            events,
            user,
        }
    }

    pub fn user(&self) -> UserId {
        self.user
    }

    pub async fn watch(&mut self) {
        self.events = self.engine.subscribe().await.1;
    }

    pub async fn stop(&mut self) {
        self.engine.clone().stop().await;
    }

    pub async fn create_again(&self) -> Result<Engine, OpenError> {
        create(&self.dir, &self.keyring, "Again").await
    }

    pub async fn open_again(&self) -> Result<Engine, OpenError> {
        self.open_with(Unlock::Passphrase(Secret::new("sotto voce".into())))
            .await
    }

    pub async fn open_with(&self, unlock: Unlock) -> Result<Engine, OpenError> {
        let dir = ProfileDir::new(self.dir.path());
        sotto_engine::open(&dir, self.keyring.clone(), unlock).await
    }

    pub async fn inspect(&self) -> Result<Lock, OpenError> {
        sotto_engine::inspect(&ProfileDir::new(self.dir.path()), self.keyring.clone()).await
    }

    /// The same person from what is on the disk now, as after a kill.
    pub async fn killed(self) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for (name, bytes) in self.files() {
            std::fs::write(copy.path().join(name), bytes).unwrap();
        }
        let Self {
            engine,
            keyring,
            user,
            dir,
            ..
        } = self;
        engine.stop().await;
        drop(dir);
        let place = ProfileDir::new(copy.path());
        let engine = sotto_engine::open(&place, keyring.clone(), Unlock::Keyring)
            .await
            .expect("it opens");
        let (_, events) = engine.subscribe().await;
        Self {
            dir: copy,
            keyring,
            engine,
            events,
            user,
        }
    }

    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|file| file.unwrap());
        files
            .map(|file| {
                let name = file.file_name().into_string().unwrap();
                (name, std::fs::read(file.path()).unwrap())
            })
            .collect()
    }

    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the engine runs");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("it happens in time")
    }

    pub async fn is_member(&mut self, room: RoomId) {
        self.until(|event| match event {
            Event::Client(Change::Room(view)) if view.id == room => {
                (view.standing == Standing::Member).then_some(())
            }
            _ => None,
        })
        .await;
    }

    pub async fn send(&self, room: RoomId, text: &str) {
        let body = MessageBody {
            text: text.into(),
            reply_to: None,
        };
        let send = Request::Send {
            room,
            id: new_message_id(),
            body,
        };
        self.engine
            .request(send)
            .await
            .expect("the message is taken");
    }

    /// Waits until this message is accepted and here.
    pub async fn sees(&mut self, room: RoomId, wanted: &str) {
        if self
            .accepted_texts(room)
            .await
            .iter()
            .any(|text| text == wanted)
        {
            return;
        }
        self.until(|event| match event {
            Event::Client(Change::Item { room: at, item }) if *at == room => match &item.kind {
                ItemKind::Message {
                    body,
                    delivery: Delivery::Accepted,
                    ..
                } => (body.text == wanted).then_some(()),
                _ => None,
            },
            _ => None,
        })
        .await;
    }

    /// All messages, once there are this many accepted ones.
    pub async fn accepted(&mut self, room: RoomId, count: usize) -> Vec<String> {
        loop {
            let texts = self.accepted_texts(room).await;
            if texts.len() >= count {
                return texts;
            }
            self.until(|event| matches!(event, Event::Client(Change::Item { .. })).then_some(()))
                .await;
        }
    }

    async fn accepted_texts(&self, room: RoomId) -> Vec<String> {
        let page = self
            .engine
            .timeline(room, None, 1000)
            .await
            .expect("the engine runs");
        page.items
            .into_iter()
            .filter_map(|item| match item.kind {
                ItemKind::Message {
                    body,
                    delivery: Delivery::Accepted,
                    ..
                } => Some(body.text),
                _ => None,
            })
            .collect()
    }

    pub async fn uses(&self, relay: &RelayAddress) {
        self.engine
            .request(Request::AddRelay(relay.clone()))
            .await
            .expect("a relay more");
    }

    /// The next status that is not on its way to another.
    pub async fn link_settles(&mut self, relay: &RelayAddress) -> LinkStatus {
        let now = self.engine.relays().await;
        if now.contains(&(relay.clone(), LinkStatus::Connected)) {
            return LinkStatus::Connected;
        }
        self.until(|event| match event {
            Event::Link {
                relay: of,
                status: LinkStatus::Connected | LinkStatus::Off,
            } if of == relay => {
                let Event::Link { status, .. } = event else {
                    return None;
                };
                Some(*status)
            }
            _ => None,
        })
        .await
    }

    pub async fn why_waiting(&mut self, relay: &RelayAddress) -> LinkProblem {
        self.until(|event| match event {
            Event::Link {
                relay: of,
                status: LinkStatus::Waiting { why, .. },
            } if of == relay => Some(*why),
            _ => None,
        })
        .await
    }

    pub async fn is_waiting(&mut self) {
        self.until(|event| match event {
            Event::Link {
                status: LinkStatus::Waiting { .. },
                ..
            } => Some(()),
            _ => None,
        })
        .await;
    }
}

async fn create(
    dir: &tempfile::TempDir,
    keyring: &Arc<FakeKeyring>,
    name: &str,
) -> Result<Engine, OpenError> {
    let passphrase = Some(Secret::new("sotto voce".into()));
    let protection = Protection {
        keyring: true,
        passphrase,
    };
    let profile = Profile {
        name: name.into(),
        ..Profile::default()
    };
    sotto_engine::create(
        &ProfileDir::new(dir.path()),
        keyring.clone(),
        protection,
        profile,
    )
    .await
}

/// For what no event tells: asks until it is so.
pub async fn eventually(mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("it comes to be so");
}

/// A keyring that does as it is told.
#[derive(Default)]
pub struct FakeKeyring {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    broken: Mutex<Option<KeyringState>>,
}

impl FakeKeyring {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn break_with(&self, state: Option<KeyringState>) {
        *self.broken.lock().unwrap() = state;
    }

    pub fn forget(&self) {
        self.entries.lock().unwrap().clear();
    }

    pub fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    fn works(&self) -> Result<(), KeyringState> {
        self.broken.lock().unwrap().map_or(Ok(()), Err)
    }
}

impl Keyring for FakeKeyring {
    fn get(&self, entry: &str) -> Result<Option<SecretBytes>, KeyringState> {
        self.works()?;
        Ok(self
            .entries
            .lock()
            .unwrap()
            .get(entry)
            .cloned()
            .map(SecretBytes::new))
    }

    fn set(&self, entry: &str, secret: &SecretBytes) -> Result<(), KeyringState> {
        self.works()?;
        self.entries
            .lock()
            .unwrap()
            .insert(entry.into(), secret.expose().to_vec());
        Ok(())
    }

    fn delete(&self, entry: &str) -> Result<(), KeyringState> {
        self.works()?;
        self.entries.lock().unwrap().remove(entry);
        Ok(())
    }
}

/// Everything that is logged in this process, from the first call on.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let start = || {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_env_filter("sotto_engine=trace,sotto_client=trace,sotto_wire=trace")
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        log
    };
    LOG.get_or_init(start).clone()
}
