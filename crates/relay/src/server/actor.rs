//! The one owner of hub and store. It takes one command at a time: plan,
//! commit, apply, perform. What it cannot store has not happened.

mod delivery;

use super::{config::Config, outlet::Outlet};
use crate::{
    auth::{jwt::Claims, refresh::Hashed},
    hub::{
        Action, Change, CloseCode, ConnId, Event, Hub, NewSession, Plan, RowKey, Standing, Stats,
    },
    store::{Store, StoreError},
    turn,
};
use delivery::Link;
use sotto_wire::{
    Bytes, ClientFrame, DeviceId, ErrorCode, RequestId, UserId, WireError, codec::Envelope,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};

type Answer<T> = oneshot::Sender<T>;

#[derive(Debug)]
pub enum Command {
    /// A socket with a good token.
    Attach {
        conn: ConnId,
        claims: Claims,
        outlet: Outlet,
        request: Option<RequestId>,
        answer: Answer<Result<(), WireError>>,
    },
    /// Answered when the next frame of this connection may come.
    Frame {
        conn: ConnId,
        envelope: Envelope<ClientFrame>,
        answer: Answer<()>,
    },
    Detached {
        conn: ConnId,
    },
    /// The connection's queue has space again.
    Drained {
        conn: ConnId,
    },
    /// Whether a token's holder may still act.
    Judge {
        claims: Claims,
        answer: Answer<Result<(), WireError>>,
    },
    /// Whether this account signed in before.
    Known {
        user: UserId,
        answer: Answer<bool>,
    },
    SignIn {
        user: UserId,
        device: DeviceId,
        session: NewSession,
        answer: Answer<Result<u32, WireError>>,
    },
    Rotate {
        shown: Hashed,
        next: NewSession,
        answer: Answer<Result<(UserId, DeviceId, u32), WireError>>,
    },
    /// Anything else that is allowed or refused as a whole.
    Run {
        event: Event,
        answer: Answer<Result<(), WireError>>,
    },
    Stats {
        answer: Answer<Stats>,
    },
    Stop {
        answer: Answer<()>,
    },
}

pub struct Actor {
    hub: Hub,
    store: Store,
    config: Arc<Config>,
    links: BTreeMap<ConnId, Link>,
    /// Changes that may be stored late, the last of each row.
    late: BTreeMap<RowKey, Change>,
    turn: Option<turn::udp::Handle>,
    /// Keeps nothing alive: without clients of the channel the actor ends.
    _commands: mpsc::WeakUnboundedSender<Command>,
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
        turn: Option<turn::udp::Handle>,
    ) -> Self {
        let (links, late) = (BTreeMap::new(), BTreeMap::new());
        Self {
            hub,
            store,
            config,
            links,
            late,
            turn,
            _commands: commands,
        }
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
            Command::Attach {
                conn,
                claims,
                outlet,
                request,
                answer,
            } => {
                let _ = answer.send(self.attach(conn, claims, outlet, request).await);
            }
            Command::Frame {
                conn,
                envelope,
                answer,
            } => self.frame(conn, envelope, answer).await,
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
            Command::SignIn {
                user,
                device,
                session,
                answer,
            } => {
                let outcome = self
                    .outcome(Event::SignedIn {
                        user,
                        device,
                        session,
                    })
                    .await;
                let _ = answer.send(outcome.and_then(|()| self.generation(&user, &device)));
            }
            Command::Rotate {
                shown,
                next,
                answer,
            } => {
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
            Standing::Barred => Err(WireError::new(
                ErrorCode::Forbidden,
                "this account or device is disabled here",
            )),
            Standing::Unknown => Err(WireError::new(
                ErrorCode::BadCredential,
                "the token does not hold",
            )),
        }
    }

    fn judge(&self, claims: &Claims) -> Result<(), WireError> {
        if self.generation(&claims.sub, &claims.dev)? == claims.generation {
            return Ok(());
        }
        Err(WireError::new(
            ErrorCode::BadCredential,
            "the token was revoked",
        ))
    }

    async fn attach(
        &mut self,
        conn: ConnId,
        claims: Claims,
        outlet: Outlet,
        greeting: Option<RequestId>,
    ) -> Result<(), WireError> {
        self.judge(&claims)?;
        let link = Link {
            outlet,
            greeting,
            fetches: VecDeque::new(),
            reader: None,
        };
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
        let event = Event::Rotate {
            family: shown.family,
            secret: shown.secret,
            next,
        };
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
            if let Action::SendKey {
                user, device, key, ..
            } = action
            {
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
            self.late = changes
                .into_iter()
                .filter_map(|c| Some((c.row()?, c)))
                .collect();
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
}

fn complain(error: &StoreError) {
    tracing::warn!(%error, "refused what could not be stored");
}
