//! The engine's loop: it owns the client and the store, and keeps to the
//! client's law of use.
//!
//! A commit that fails is not the end. What the client did for it is dropped
//! with the client, which is loaded again as the disk has it; the links are
//! ended, since the relays will repeat what was not acknowledged; a call is
//! over; whoever waits is answered. Then the disk is tried until it works. Only a damaged
//! database stops the engine.

mod calls;
mod goodbye;
mod trouble;
mod whereabouts;

pub use self::calls::Calls;

use self::{trouble::Trouble, whereabouts::Whereabouts};
use super::{links::Links, subscribers::Subscribers};
use crate::{
    api::{CLOCK_OFF, Event, LinkStatus, Me, Problem, Snapshot, StopWhy},
    link::{self, FromLink, Said, Signed},
    secret,
    store::{Store, StoreTxn},
    vault::keyring::KeyringState,
};
use sotto_client::{
    self as client, Change, Client, Effect, Input, Now, Outcome, Rejected, Request, RequestError,
    StoreError, Txn, Why, model::Profile, store::Space,
};
use sotto_wire::{Millis, RelayAddress, RelayFrame, auth::Tokens};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, oneshot, watch};

/// A client that wants to be woken again and again does not get the whole
/// processor.
const WAKE_GAP: Duration = Duration::from_millis(5);

type Read = Box<dyn FnOnce(&Client, &mut StoreTxn<'_>) -> Result<(), StoreError> + Send>;

/// What a handle asks of the loop. An answer that is dropped says "no".
pub enum Ask {
    Request {
        request: Request,
        answer: oneshot::Sender<Result<Outcome, RequestError>>,
    },
    Read(Read),
    Keep {
        key: Vec<u8>,
        value: Vec<u8>,
        answer: oneshot::Sender<()>,
    },
    Subscribe {
        answer: oneshot::Sender<(Snapshot, mpsc::Receiver<Event>)>,
    },
    Counters {
        answer: oneshot::Sender<BTreeMap<Why, u64>>,
    },
    Keyring(KeyringState),
    Silence(bool),
    ReconnectNow,
    Stop,
    #[cfg(test)]
    FillDisk(bool),
    #[cfg(test)]
    Rings(oneshot::Sender<Option<sotto_media::audio::Ring>>),
}

/// What can be seen without asking.
pub struct Watches {
    pub me: watch::Receiver<Me>,
    pub relays: watch::Receiver<Vec<(RelayAddress, LinkStatus)>>,
}

pub struct Core {
    store: Store,
    /// `None` only while the store cannot be read.
    client: Option<Client>,
    loaded: Instant,
    asks: mpsc::Receiver<Ask>,
    from_links: mpsc::Receiver<FromLink>,
    links: Links,
    calls: Calls,
    whereabouts: Whereabouts,
    subscribers: Subscribers,
    waiting: BTreeMap<client::Ask, oneshot::Sender<Result<Outcome, RequestError>>>,
    requests: u64,
    counters: BTreeMap<Why, u64>,
    woken: Instant,
    trouble: Option<Trouble>,
    /// When the disk last came back, and how long was waited for it.
    healed: Option<(Instant, Duration)>,
    over: Option<StopWhy>,
    me: watch::Sender<Me>,
    relays: watch::Sender<Vec<(RelayAddress, LinkStatus)>>,
}

/// Makes the person whose store this is.
pub fn found(store: &mut Store, profile: Profile) -> Result<(), StoreError> {
    let now = Now {
        wall: wall(),
        mono: 0,
    };
    let mut txn = store.begin()?;
    Client::create(secret::random(), &mut txn, now, profile)?;
    txn.commit()
}

impl Core {
    /// Loads the client. `links` is where links run.
    pub fn new(
        mut store: Store,
        asks: mpsc::Receiver<Ask>,
        links: tokio::runtime::Handle,
        mut calls: Calls,
    ) -> Result<(Self, Watches), StoreError> {
        let loaded = Instant::now();
        let client = load(&mut store)?;
        let me = Me {
            user: client.user(),
            device: client.device(),
            profile: client.profile(),
        };
        client.rooms().iter().for_each(|room| calls.know(room));
        let (to_engine, from_links) = mpsc::channel(link::INBOX);
        let links = Links::new(me.user, to_engine, links, wall);
        let (me, my_watch) = watch::channel(me);
        let (relays, relay_watch) = watch::channel(Vec::new());
        let mut core = Self {
            store,
            client: Some(client),
            loaded,
            asks,
            from_links,
            links,
            calls,
            whereabouts: Whereabouts::default(),
            subscribers: Subscribers::default(),
            waiting: BTreeMap::new(),
            requests: 0,
            counters: BTreeMap::new(),
            woken: loaded,
            trouble: None,
            healed: None,
            over: None,
            me,
            relays,
        };
        core.connect_all();
        Ok((
            core,
            Watches {
                me: my_watch,
                relays: relay_watch,
            },
        ))
    }

    /// Until it is told to stop, nobody holds a handle, or the database is
    /// damaged. Everything is closed when it returns, and those who watched
    /// are still to be told.
    pub async fn run(mut self) -> (StopWhy, Subscribers) {
        let why = loop {
            let wake = self.wake_at();
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(Ask::Stop) | None => break StopWhy::Asked,
                    Some(ask) => self.answer(ask),
                },
                Some(from) = self.from_links.recv() => self.hear(from),
                Some(report) = self.calls.reports.recv() => self.take(Input::Media(report)),
                () = at(wake) => self.wake(),
                () = self.whereabouts.due() => self.look_around(),
            }
            if let Some(why) = self.over {
                break why;
            }
        };
        // A damaged database is not written to any more.
        if why == StopWhy::Asked {
            self.leave_call().await;
        }
        (why, self.close().await)
    }

    fn look_around(&mut self) {
        if self.whereabouts.changed(self.links.hosts()) {
            tracing::info!("this computer's addresses changed");
            self.links.moved();
            self.calls.moved();
            self.take(Input::NetworkChanged);
        }
    }

    async fn close(mut self) -> Subscribers {
        self.turn_away();
        self.abandon_calls();
        // Links that still wait to be heard must not wait for ever.
        self.from_links.close();
        self.links.stop().await;
        self.relays
            .send_modify(|all| all.iter_mut().for_each(|(_, s)| *s = LinkStatus::Off));
        self.client = None;
        if let Err(error) = self.store.close() {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
        self.subscribers
    }

    /// Nobody who waits will get another answer.
    fn turn_away(&mut self) {
        for (_, answer) in std::mem::take(&mut self.waiting) {
            let _ = answer.send(Err(RequestError::Internal));
        }
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Request { request, answer } => self.request(request, answer),
            Ask::Read(read) => self.read(read),
            Ask::Keep { key, value, answer } => {
                if self.write(|txn| txn.put(Space::Setting, &key, &value)) {
                    let _ = answer.send(());
                }
            }
            Ask::Subscribe { answer } => {
                let _ = answer.send(self.subscribe());
            }
            Ask::Counters { answer } => {
                let _ = answer.send(self.counters.clone());
            }
            Ask::Keyring(KeyringState::Working) => {
                self.subscribers
                    .clear(|p| matches!(p, Problem::KeyringGone(_)));
            }
            Ask::Keyring(state) => self.subscribers.raise(Problem::KeyringGone(state)),
            Ask::Silence(silent) => self.calls.silence(silent),
            Ask::ReconnectNow => {
                self.recover_if_troubled();
                self.links.reconnect_now();
            }
            #[cfg(test)]
            Ask::FillDisk(full) => self.store.fill_disk(full),
            #[cfg(test)]
            Ask::Rings(answer) => drop(answer.send(self.calls.rings())),
            Ask::Stop => self.over = Some(StopWhy::Asked),
        }
    }

    fn request(
        &mut self,
        request: Request,
        answer: oneshot::Sender<Result<Outcome, RequestError>>,
    ) {
        // Somebody wants something: a good moment to see whether the disk is
        // back.
        self.recover_if_troubled();
        if self.trouble.is_some() {
            let _ = answer.send(Err(RequestError::Internal));
            return;
        }
        self.requests += 1;
        let ask = client::Ask(self.requests);
        self.waiting.insert(ask, answer);
        self.take(Input::Ui { ask, request });
    }

    fn read(&mut self, read: Read) {
        let Some(client) = &self.client else { return };
        let done = self
            .store
            .begin()
            .and_then(|mut txn| read(client, &mut txn));
        if let Err(error) = done {
            self.fail(&error);
        }
    }

    /// Writes a record of the engine's own; says whether it is on disk.
    fn write(&mut self, write: impl FnOnce(&mut StoreTxn<'_>) -> Result<(), StoreError>) -> bool {
        self.recover_if_troubled();
        if self.trouble.is_some() {
            return false;
        }
        let written = self.store.begin().and_then(|mut txn| {
            write(&mut txn)?;
            txn.commit()
        });
        if let Err(error) = &written {
            self.fail(error);
        }
        written.is_ok()
    }

    fn subscribe(&mut self) -> (Snapshot, mpsc::Receiver<Event>) {
        let snapshot = Snapshot {
            me: self.me.borrow().clone(),
            rooms: self.client.as_ref().map(Client::rooms).unwrap_or_default(),
            calls: self.client.as_ref().map(Client::calls).unwrap_or_default(),
            relays: self.relays.borrow().clone(),
            problems: self.subscribers.problems().to_vec(),
        };
        (snapshot, self.subscribers.add())
    }

    /// Something from a link. A link that was ended is not heard any more.
    fn hear(&mut self, from: FromLink) {
        if !self.links.is_current(&from) {
            return;
        }
        let relay = from.relay;
        match from.said {
            Said::Status(status) => self.set_status(relay, status),
            Said::Up { connection } => {
                self.links.set_connection(&relay, Some(connection));
                self.take(Input::RelayUp { relay });
            }
            Said::Down => {
                if self.links.set_connection(&relay, None) {
                    self.take(Input::RelayDown { relay });
                }
            }
            Said::Frame(envelope) => {
                if let RelayFrame::AuthOk { server_time, .. } = envelope.frame {
                    self.see_clock(server_time);
                }
                self.take(Input::Relay { relay, envelope });
            }
            Said::Garbled(error) => self.take(Input::Garbled { relay, error }),
            Said::Clock(server_time) => {
                let signed = |time| i64::try_from(time).unwrap_or(i64::MAX);
                self.set_clock(signed(wall()).saturating_sub(signed(server_time)));
            }
            Said::Sign { challenge, signed } => self.sign(&relay, &challenge, signed),
            Said::Tokens(tokens) => self.keep_tokens(&relay, tokens.as_ref()),
        }
    }

    /// A link that gets no answer has been told that there is no engine.
    fn sign(&mut self, relay: &RelayAddress, challenge: &[u8], signed: oneshot::Sender<Signed>) {
        let now = self.now();
        let Some(client) = &mut self.client else {
            return;
        };
        let made = self.store.begin().and_then(|mut txn| {
            let made = client.sign_in(now, &mut txn, &relay.authority(), challenge)?;
            txn.commit()?;
            Ok(made)
        });
        match made {
            Ok((certificate, signature)) => {
                let admission = client.admission(relay);
                // The link may have been ended meanwhile.
                let _ = signed.send(Signed {
                    certificate,
                    signature,
                    admission,
                });
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The client's law of use: one input, one transaction, then the effects.
    fn take(&mut self, input: Input) {
        let now = self.now();
        let Some(client) = &mut self.client else {
            return;
        };
        let handled = self.store.begin().and_then(|mut txn| {
            let effects = client.handle(now, input, &mut txn)?;
            txn.commit()?;
            Ok(effects)
        });
        match handled {
            Ok(effects) => effects.into_iter().for_each(|effect| self.perform(effect)),
            Err(error) => self.fail(&error),
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send { relay, envelope } => self.links.send(&relay, &envelope),
            Effect::Connect { relay } => self.connect(relay),
            Effect::Disconnect { relay } => {
                if self.links.end(&relay) {
                    self.keep_tokens(&relay, None);
                    self.set_status(relay, LinkStatus::Off);
                }
            }
            Effect::Answer { ask, result } => {
                if let Some(answer) = self.waiting.remove(&ask) {
                    let _ = answer.send(result);
                }
            }
            Effect::Show(Change::ClockWrong { ahead_ms }) => self.set_clock(ahead_ms),
            Effect::Show(change) => {
                match &change {
                    Change::Profile(profile) => {
                        self.me.send_modify(|me| me.profile = profile.clone());
                    }
                    Change::Room(room) => self.calls.know(room),
                    Change::Call(call) => self.calls.see(call),
                    Change::CallGone { call, .. } => self.calls.forget(call),
                    _ => {}
                }
                self.subscribers.tell(Event::Client(change));
            }
            Effect::Notify { room, item } => self.subscribers.tell(Event::Notify { room, item }),
            Effect::Reject(rejected) => self.count(&rejected),
            Effect::Media(order) => self.calls.order(order),
        }
    }

    fn count(&mut self, rejected: &Rejected) {
        let Rejected {
            room,
            from,
            seq,
            why,
        } = rejected;
        let count = self.counters.entry(*why).or_default();
        *count += 1;
        // The first of its kind is worth a word; a flood is not.
        if *count == 1 {
            tracing::warn!(?why, ?room, ?from, ?seq, "refused");
        } else {
            tracing::debug!(?why, ?room, ?from, ?seq, "refused");
        }
    }

    fn connect_all(&mut self) {
        let relays = self.client.as_ref().map(Client::relays).unwrap_or_default();
        relays.into_iter().for_each(|relay| self.connect(relay));
    }

    fn connect(&mut self, relay: RelayAddress) {
        if self.links.has(&relay) {
            return self.links.try_now(&relay);
        }
        let paths = calls::paths(&relay);
        self.take(Input::Paths {
            relay: relay.clone(),
            paths,
        });
        let tokens = self.kept_tokens(&relay);
        self.links.start(relay.clone(), tokens);
        self.set_status(relay, LinkStatus::Connecting);
    }

    fn set_status(&mut self, relay: RelayAddress, status: LinkStatus) {
        self.links.set_status(&relay, status);
        self.relays.send_replace(self.links.statuses());
        self.subscribers.tell(Event::Link { relay, status });
    }

    /// Without them the link signs in anew; unreadable ones are as good as
    /// none.
    fn kept_tokens(&mut self, relay: &RelayAddress) -> Option<Tokens> {
        let txn = self.store.begin().ok()?;
        let kept = txn.get(Space::Setting, &token_key(relay)).ok()??;
        serde_json::from_slice(&kept).ok()
    }

    fn keep_tokens(&mut self, relay: &RelayAddress, tokens: Option<&Tokens>) {
        let key = token_key(relay);
        self.write(|txn| match tokens {
            Some(tokens) => {
                let text = serde_json::to_vec(tokens).expect("tokens are text and a number");
                txn.put(Space::Setting, &key, &text)
            }
            None => txn.delete(Space::Setting, &key),
        });
    }

    fn see_clock(&mut self, server_time: Millis) {
        if wall().abs_diff(server_time) < CLOCK_OFF {
            self.set_clock(0);
        }
    }

    fn set_clock(&mut self, ahead_ms: i64) {
        if ahead_ms.unsigned_abs() >= CLOCK_OFF {
            self.subscribers.raise(Problem::ClockWrong { ahead_ms });
        } else {
            self.subscribers
                .clear(|p| matches!(p, Problem::ClockWrong { .. }));
        }
    }

    fn now(&self) -> Now {
        Now {
            wall: wall(),
            mono: self.loaded.elapsed().as_millis() as Millis,
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        if let Some(trouble) = &self.trouble {
            return Some(trouble.retry_at);
        }
        let mono = self.client.as_ref()?.next_wake()?;
        // A time beyond what the clock can hold never comes.
        let wake = self.loaded.checked_add(Duration::from_millis(mono))?;
        Some(wake.max(self.woken + WAKE_GAP))
    }

    fn wake(&mut self) {
        self.woken = Instant::now();
        if self.trouble.is_some() {
            self.recover();
        } else {
            self.take(Input::Wake);
        }
    }
}

fn load(store: &mut Store) -> Result<Client, StoreError> {
    let now = Now {
        wall: wall(),
        mono: 0,
    };
    let mut txn = store.begin()?;
    // A database without its person was not made by this program.
    let client = Client::load(secret::random(), &mut txn, now)?.ok_or(StoreError::Damaged)?;
    txn.commit()?;
    Ok(client)
}

fn token_key(relay: &RelayAddress) -> Vec<u8> {
    format!("token/{relay}").into_bytes()
}

/// Unix time; 0 before 1970, where clocks without a battery begin.
fn wall() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_millis() as Millis
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
