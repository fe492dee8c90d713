//! The one owner of hub and store. It takes one command at a time: plan,
//! commit, apply, perform. What it cannot store has not happened.

use super::{
    config::Config,
    outlet::{Outlet, Pushed},
};
use crate::{
    auth::{jwt::Claims, refresh::Hashed},
    hub::{
        Action, Change, CloseCode, ConnId, Event, Hub, KeyRef, NewSession, Plan, RowKey, Standing,
        Stats,
    },
    store::{Store, StoreError},
};
use axum::extract::ws::Utf8Bytes;
use sotto_wire::{
    Bytes, ClientFrame, DeviceId, ErrorCode, MessageId, RelayFrame, RequestId, RoomId, Seq, UserId,
    WireError,
    codec::{Envelope, encode},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};

/// Bytes of backlog read from the store at once.
const PAGE: usize = 256 * 1024;

type Answer<T> = oneshot::Sender<T>;

#[derive(Debug)]
pub enum Command {
    /// A socket with a good token.
    Attach { conn: ConnId, claims: Claims, outlet: Outlet, request: Option<RequestId>, answer: Answer<Result<(), WireError>> },
    /// Answered when the next frame of this connection may come.
    Frame { conn: ConnId, envelope: Envelope<ClientFrame>, answer: Answer<()> },
    Detached { conn: ConnId },
    /// The connection's queue has space again.
    Drained { conn: ConnId },
    /// Whether a token's holder may still act.
    Judge { claims: Claims, answer: Answer<Result<(), WireError>> },
    /// Whether this account signed in before.
    Known { user: UserId, answer: Answer<bool> },
    SignIn { user: UserId, device: DeviceId, session: NewSession, answer: Answer<Result<u32, WireError>> },
    Rotate { shown: Hashed, next: NewSession, answer: Answer<Result<(UserId, DeviceId, u32), WireError>> },
    /// Anything else that is allowed or refused as a whole.
    Run { event: Event, answer: Answer<Result<(), WireError>> },
    Stats { answer: Answer<Stats> },
    Stop { answer: Answer<()> },
}

pub struct Actor {
    hub: Hub,
    store: Store,
    config: Arc<Config>,
    links: BTreeMap<ConnId, Link>,
    /// Changes that may be stored late, the last of each row.
    late: BTreeMap<RowKey, Change>,
    /// Keeps nothing alive: without clients of the channel the actor ends.
    _commands: mpsc::WeakUnboundedSender<Command>,
}

/// One socket, from the actor's side.
struct Link {
    outlet: Outlet,
    /// Names the `auth` frame that `auth.ok` answers.
    greeting: Option<RequestId>,
    /// Stored frames still to be sent, in order.
    fetches: VecDeque<Fetch>,
    /// The socket's reader, held back until they are sent.
    reader: Option<Answer<()>>,
}

enum Fetch {
    Backlog { room: RoomId, next: Seq, to: Seq },
    Knock { room: RoomId, knock: MessageId, from: UserId },
    Direct { to: UserId, from: UserId, id: MessageId },
}

fn unavailable() -> WireError {
    WireError::new(ErrorCode::Unavailable, "the relay could not store it")
}

impl Actor {
    pub fn new(
        hub: Hub,
        store: Store,
        config: Arc<Config>,
        commands: mpsc::WeakUnboundedSender<Command>,
    ) -> Self {
        let (links, late) = (BTreeMap::new(), BTreeMap::new());
        Self { hub, store, config, links, late, _commands: commands }
    }

    pub async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut tick = tokio::time::interval(self.config.timings.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopped = loop {
            let command = tokio::select! {
                command = inbox.recv() => command,
                _ = tick.tick() => {
                    self.tick().await;
                    continue;
                }
            };
            match command {
                None => break None,
                Some(Command::Stop { answer }) => break Some(answer),
                Some(command) => self.obey(command).await,
            }
        };
        for link in self.links.values() {
            link.outlet.close(CloseCode::GoingAway);
        }
        self.flush().await;
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the database could not be closed well");
        }
        if let Some(answer) = stopped {
            let _ = answer.send(());
        }
    }

    /// An answer nobody waits for any more is not missed.
    async fn obey(&mut self, command: Command) {
        match command {
            Command::Attach { conn, claims, outlet, request, answer } => {
                let _ = answer.send(self.attach(conn, claims, outlet, request).await);
            }
            Command::Frame { conn, envelope, answer } => self.frame(conn, envelope, answer).await,
            Command::Detached { conn } => {
                self.links.remove(&conn);
                self.detach(conn).await;
            }
            Command::Drained { conn } => self.pump(conn).await,
            Command::Judge { claims, answer } => {
                let _ = answer.send(self.judge(&claims));
            }
            Command::Known { user, answer } => {
                let _ = answer.send(self.hub.knows(&user));
            }
            Command::SignIn { user, device, session, answer } => {
                let outcome = self.outcome(Event::SignedIn { user, device, session }).await;
                let _ = answer.send(outcome.and_then(|()| self.generation(&user, &device)));
            }
            Command::Rotate { shown, next, answer } => {
                let _ = answer.send(self.rotate(shown, next).await);
            }
            Command::Run { event, answer } => {
                let _ = answer.send(self.outcome(event).await);
            }
            Command::Stats { answer } => {
                let _ = answer.send(self.hub.stats());
            }
            Command::Stop { .. } => {}
        }
    }

    async fn tick(&mut self) {
        if self.event(Event::Tick).await.is_ok() {
            self.flush().await;
        }
    }

    fn generation(&self, user: &UserId, device: &DeviceId) -> Result<u32, WireError> {
        match self.hub.standing(user, device) {
            Standing::Good { generation } => Ok(generation),
            Standing::Barred => {
                Err(WireError::new(ErrorCode::Forbidden, "this account or device is disabled here"))
            }
            Standing::Unknown => {
                Err(WireError::new(ErrorCode::BadCredential, "the token does not hold"))
            }
        }
    }

    fn judge(&self, claims: &Claims) -> Result<(), WireError> {
        if self.generation(&claims.sub, &claims.dev)? == claims.generation {
            return Ok(());
        }
        Err(WireError::new(ErrorCode::BadCredential, "the token was revoked"))
    }

    async fn attach(
        &mut self,
        conn: ConnId,
        claims: Claims,
        outlet: Outlet,
        greeting: Option<RequestId>,
    ) -> Result<(), WireError> {
        self.judge(&claims)?;
        let link = Link { outlet, greeting, fetches: VecDeque::new(), reader: None };
        self.links.insert(conn, link);
        let (user, device) = (claims.sub, claims.dev);
        match self.event(Event::Connected { conn, user, device }).await {
            Ok(_) => {
                tracing::debug!(?conn, ?user, ?device, "connected");
                Ok(())
            }
            Err(_) => {
                if let Some(link) = self.links.remove(&conn) {
                    link.outlet.close(CloseCode::TryAgainLater);
                }
                Err(unavailable())
            }
        }
    }

    async fn frame(&mut self, conn: ConnId, envelope: Envelope<ClientFrame>, answer: Answer<()>) {
        let refusal = Hub::unavailable(&envelope);
        if self.event(Event::Frame { conn, envelope }).await.is_err() {
            self.push(conn, &refusal.into());
        }
        match self.links.get_mut(&conn) {
            Some(link) if !link.fetches.is_empty() => link.reader = Some(answer),
            _ => {
                let _ = answer.send(());
            }
        }
    }

    async fn rotate(
        &mut self,
        shown: Hashed,
        next: NewSession,
    ) -> Result<(UserId, DeviceId, u32), WireError> {
        let whose = self.hub.session(&shown.family);
        let event = Event::Rotate { family: shown.family, secret: shown.secret, next };
        self.outcome(event).await?;
        let (user, device) = whose.ok_or_else(unavailable)?;
        Ok((user, device, self.generation(&user, &device)?))
    }

    async fn outcome(&mut self, event: Event) -> Result<(), WireError> {
        self.event(event).await.map_err(|_| unavailable())?
    }

    /// Plan, commit, apply, perform. `Err`: it could not be stored, and the
    /// hub is where it was.
    async fn event(&mut self, event: Event) -> Result<Result<(), WireError>, StoreError> {
        let mut plan = self.hub.plan(self.config.clock.now(), event);
        let keys = self.read_keys(&plan).await.inspect_err(complain)?;
        self.commit(&mut plan).await.inspect_err(complain)?;
        self.hub.apply(&plan);
        self.perform(plan.actions, keys).await;
        Ok(plan.outcome)
    }

    async fn read_keys(&mut self, plan: &Plan) -> Result<VecDeque<Option<Bytes>>, StoreError> {
        let mut keys = VecDeque::new();
        for action in &plan.actions {
            if let Action::SendKey { user, device, key, .. } = action {
                keys.push_back(self.store.key(*user, *device, *key).await?);
            }
        }
        Ok(keys)
    }

    /// Late changes go along with the first that cannot wait, before it.
    async fn commit(&mut self, plan: &mut Plan) -> Result<(), StoreError> {
        if plan.is_lazy() {
            for change in &plan.changes {
                if let Some(row) = change.row() {
                    self.late.insert(row, change.clone());
                }
            }
            return Ok(());
        }
        let mut changes: Vec<_> = std::mem::take(&mut self.late).into_values().collect();
        let late = changes.len();
        changes.append(&mut plan.changes);
        let outcome = self.store.commit(&changes).await;
        let rest = changes.split_off(late);
        if outcome.is_err() {
            self.late = changes.into_iter().filter_map(|c| Some((c.row()?, c))).collect();
        }
        plan.changes = rest;
        outcome
    }

    async fn flush(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let changes: Vec<_> = self.late.values().cloned().collect();
        match self.store.commit(&changes).await {
            Ok(()) => self.late.clear(),
            Err(error) => complain(&error),
        }
    }

    async fn perform(&mut self, actions: Vec<Action>, mut keys: VecDeque<Option<Bytes>>) {
        let mut slow = BTreeSet::new();
        let mut fetching = BTreeSet::new();
        for action in actions {
            match action {
                Action::Persist(_) => {}
                Action::Send { conn, mut envelope } => {
                    self.greet(conn, &mut envelope);
                    slow.extend(self.push(conn, &envelope));
                }
                Action::Fan { conns, frame } => slow.extend(self.fan(conns, frame)),
                Action::SendBacklog { conn, room, from, to } => {
                    fetching.extend(self.fetch(conn, Fetch::Backlog { room, next: from, to }));
                }
                Action::SendKnock { conn, room, knock, from } => {
                    fetching.extend(self.fetch(conn, Fetch::Knock { room, knock, from }));
                }
                Action::SendDirect { conn, to, from, id } => {
                    fetching.extend(self.fetch(conn, Fetch::Direct { to, from, id }));
                }
                Action::SendKey { conn, request, user, key, .. } => {
                    let body = keys.pop_front().flatten();
                    slow.extend(self.push(conn, &key_frame(request, user, key, body)));
                }
                Action::Close { conn, code } => {
                    if let Some(link) = self.links.remove(&conn) {
                        link.outlet.close(code);
                    }
                }
            }
        }
        for conn in fetching {
            self.pump(conn).await;
        }
        for conn in slow {
            self.give_up(conn).await;
        }
    }

    fn greet(&mut self, conn: ConnId, envelope: &mut Envelope<RelayFrame>) {
        if matches!(envelope.frame, RelayFrame::AuthOk { .. })
            && let Some(link) = self.links.get_mut(&conn)
            && let Some(request) = link.greeting.take()
        {
            envelope.id = Some(request);
        }
    }

    /// Queues a frame; the connection, if it is too slow for it.
    fn push(&mut self, conn: ConnId, envelope: &Envelope<RelayFrame>) -> Option<ConnId> {
        let link = self.links.get(&conn)?;
        let text = Utf8Bytes::from(encode(envelope));
        let pushed = link.outlet.push(text, is_passing(&envelope.frame));
        (pushed == Pushed::Overflow).then_some(conn)
    }

    /// Encodes once for all. A message of a room whose backlog is still on its
    /// way to someone goes with that backlog.
    fn fan(&mut self, conns: Vec<ConnId>, frame: RelayFrame) -> Vec<ConnId> {
        let place = match &frame {
            RelayFrame::ChatReceive(message) => Some((message.room, message.seq)),
            _ => None,
        };
        let passing = is_passing(&frame);
        let text = Utf8Bytes::from(encode(&frame.into()));
        let mut slow = Vec::new();
        for conn in conns {
            let Some(link) = self.links.get_mut(&conn) else { continue };
            if place.is_some_and(|(room, seq)| link.extend(room, seq)) {
                continue;
            }
            if link.outlet.push(text.clone(), passing) == Pushed::Overflow {
                slow.push(conn);
            }
        }
        slow
    }

    fn fetch(&mut self, conn: ConnId, fetch: Fetch) -> Option<ConnId> {
        self.links.get_mut(&conn)?.fetches.push_back(fetch);
        Some(conn)
    }

    /// Sends stored frames while the connection has space for them.
    async fn pump(&mut self, conn: ConnId) {
        loop {
            let Some(link) = self.links.get_mut(&conn) else { return };
            if link.fetches.is_empty() {
                if let Some(reader) = link.reader.take() {
                    let _ = reader.send(());
                }
                return;
            }
            if !link.outlet.has_space() {
                return;
            }
            let Some(fetch) = link.fetches.pop_front() else { return };
            match self.read(fetch).await {
                Ok((frames, rest)) => {
                    if let (Some(rest), Some(link)) = (rest, self.links.get_mut(&conn)) {
                        link.fetches.push_front(rest);
                    }
                    if let Some(link) = self.links.get(&conn) {
                        for frame in frames {
                            link.outlet.add(encode(&frame.into()).into());
                        }
                    }
                }
                Err(error) => {
                    complain(&error);
                    return self.give_up(conn).await;
                }
            }
        }
    }

    /// A page of stored frames, and what is left to fetch after it.
    async fn read(&mut self, fetch: Fetch) -> Result<(Vec<RelayFrame>, Option<Fetch>), StoreError> {
        Ok(match fetch {
            Fetch::Backlog { room, next, to } => {
                let bytes = PAGE.min(self.config.limits.queue_bytes / 4).max(1);
                let page = self.store.backlog(room, next, to, bytes).await?;
                let last = page.last().map_or(to, |message| message.seq);
                let rest = (last < to).then_some(Fetch::Backlog { room, next: last + 1, to });
                (page.into_iter().map(RelayFrame::ChatReceive).collect(), rest)
            }
            Fetch::Knock { room, knock, from } => {
                let body = self.store.knock(room, from, knock).await?;
                let frame = |body| RelayFrame::RoomKnocked { room, knock, from, body };
                (body.map(frame).into_iter().collect(), None)
            }
            Fetch::Direct { to, from, id } => {
                let body = self.store.direct(to, from, id).await?;
                let frame = |body| RelayFrame::DirectReceive { id, from, body };
                (body.map(frame).into_iter().collect(), None)
            }
        })
    }

    /// Asks a connection to come back and resume.
    async fn give_up(&mut self, conn: ConnId) {
        if let Some(link) = self.links.remove(&conn) {
            tracing::info!(?conn, "closed a connection that could not keep up");
            link.outlet.close(CloseCode::TryAgainLater);
        }
        self.detach(conn).await;
    }

    /// Disconnecting changes nothing durable, so it cannot fail; what it tells
    /// others may find more of them too slow.
    async fn detach(&mut self, conn: ConnId) {
        let plan = self.hub.plan(self.config.clock.now(), Event::Disconnected { conn });
        self.hub.apply(&plan);
        Box::pin(self.perform(plan.actions, VecDeque::new())).await;
    }
}

/// However a link is lost, its socket does not stay behind.
impl Drop for Link {
    fn drop(&mut self) {
        self.outlet.close(CloseCode::GoingAway);
    }
}

impl Link {
    /// Takes a message along with the backlog, if one is being sent.
    fn extend(&mut self, room: RoomId, seq: Seq) -> bool {
        for fetch in &mut self.fetches {
            if let Fetch::Backlog { room: of, to, .. } = fetch
                && *of == room
            {
                *to = seq.max(*to);
                return true;
            }
        }
        false
    }
}

fn is_passing(frame: &RelayFrame) -> bool {
    matches!(frame, RelayFrame::ChatSignal { .. })
}

fn key_frame(
    id: Option<RequestId>,
    user: UserId,
    key: KeyRef,
    body: Option<Bytes>,
) -> Envelope<RelayFrame> {
    let frame = match body {
        Some(package) => RelayFrame::KeysTaken { user, package },
        None => {
            tracing::error!(?key, "a key package the hub knows is not in the store");
            let error = WireError::new(ErrorCode::NotFound, "there is no key package of this person");
            RelayFrame::Error(error.for_request(id.clone()))
        }
    };
    Envelope { id, frame }
}

fn complain(error: &StoreError) {
    tracing::warn!(%error, "refused what could not be stored");
}
