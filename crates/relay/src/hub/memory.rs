//! A store in memory, and a whole relay made of it and a hub: for simulators,
//! tests, and relays that are to forget everything.

use super::{Action, Change, CloseCode, ConnId, Event, Hub, HubConfig, KeyRef, Plan, RowKey};
use crate::{
    store::StoreError,
    turn::{Credentials, TurnLimits},
};
use sotto_wire::{
    Bytes, DeviceId, ErrorCode, MessageId, Millis, RelayFrame, RequestId, RoomId, Seq, UserId,
    WireError, codec::Envelope, frame::ChatReceive, limits,
};
use std::collections::BTreeMap;

/// Rows by key. The contract is that of every [`crate::store::Store`].
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: BTreeMap<RowKey, Change>,
    broken: Option<StoreError>,
}

impl MemoryStore {
    /// Every commit fails with `error`, until this is called with `None`.
    pub fn set_broken(&mut self, error: Option<StoreError>) {
        self.broken = error;
    }

    /// All of `changes`, or none.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        for change in changes {
            self.perform(change);
        }
        Ok(())
    }

    fn perform(&mut self, change: &Change) {
        match change {
            Change::RoomDrop { room } => self.rows.retain(|key, _| room_of(key) != Some(*room)),
            Change::MemberDrop { room, user } => {
                self.rows.remove(&RowKey::Member(*room, *user));
                self.rows.retain(
                    |key, _| !matches!(key, RowKey::Cursor(r, u, _) if r == room && u == user),
                );
            }
            Change::MessagesDrop { room, below } => {
                let old = RowKey::Message(*room, 0)..RowKey::Message(*room, *below);
                let old: Vec<_> = self.rows.range(old).map(|(key, _)| *key).collect();
                old.iter().for_each(|key| {
                    self.rows.remove(key);
                });
            }
            Change::SessionDrop { .. }
            | Change::GoneDrop { .. }
            | Change::KnockDrop { .. }
            | Change::DenialDrop { .. }
            | Change::DirectDrop { .. }
            | Change::KeyDrop { .. }
            | Change::LastResortDrop { .. } => {
                if let Some(key) = change.row() {
                    self.rows.remove(&key);
                }
            }
            put => {
                if let Some(key) = put.row() {
                    self.rows.insert(key, put.clone());
                }
            }
        }
    }

    /// Every row without its body, in the order of [`RowKey`].
    pub fn load(&self) -> Vec<Change> {
        self.rows
            .values()
            .cloned()
            .map(Change::without_body)
            .collect()
    }

    /// Stored messages from `from` on, up to `to`; stops early after about
    /// `bytes` of bodies, but gives at least one where there is one.
    pub fn backlog(&self, room: RoomId, from: Seq, to: Seq, bytes: usize) -> Vec<ChatReceive> {
        let mut taken = 0;
        let mut out = Vec::new();
        if from > to {
            return out;
        }
        for (_, row) in self
            .rows
            .range(RowKey::Message(room, from)..=RowKey::Message(room, to))
        {
            let Change::MessagePut { message, .. } = row else {
                continue;
            };
            if taken >= bytes {
                break;
            }
            taken += message.body.len();
            out.push(message.clone());
        }
        out
    }

    pub fn knock(&self, room: RoomId, from: UserId, knock: MessageId) -> Option<Bytes> {
        match self.rows.get(&RowKey::Knock(room, from))? {
            Change::KnockPut { id, body, .. } if *id == knock => Some(body.clone()),
            _ => None,
        }
    }

    pub fn direct(&self, to: UserId, from: UserId, id: MessageId) -> Option<Bytes> {
        match self.rows.get(&RowKey::Direct(to, from, id))? {
            Change::DirectPut { body, .. } => Some(body.clone()),
            _ => None,
        }
    }

    pub fn key(&self, user: UserId, device: DeviceId, key: KeyRef) -> Option<Bytes> {
        let row = match key {
            KeyRef::OneTime(number) => RowKey::Key(user, device, number),
            KeyRef::LastResort => RowKey::LastResort(user, device),
        };
        match self.rows.get(&row)? {
            Change::KeyPut { body, .. } | Change::LastResortPut { body, .. } => Some(body.clone()),
            _ => None,
        }
    }
}

fn room_of(key: &RowKey) -> Option<RoomId> {
    match *key {
        RowKey::Room(room)
        | RowKey::Member(room, _)
        | RowKey::Gone(room, _)
        | RowKey::Cursor(room, _, _)
        | RowKey::Message(room, _)
        | RowKey::Knock(room, _) => Some(room),
        _ => None,
    }
}

/// What leaves a [`MemoryRelay`].
#[derive(Debug, Clone, PartialEq)]
pub enum Out {
    Send {
        conn: ConnId,
        envelope: Envelope<RelayFrame>,
    },
    Close {
        conn: ConnId,
        code: CloseCode,
    },
}

/// A relay without sockets: events in, frames out, at once and in order.
#[derive(Debug, Clone, Default)]
pub struct MemoryRelay {
    pub hub: Hub,
    pub store: MemoryStore,
    /// It says that it can relay calls. It cannot: nothing here carries packets.
    pub turn: bool,
}

impl MemoryRelay {
    pub fn new(config: HubConfig) -> Self {
        Self {
            hub: Hub::new(config),
            store: MemoryStore::default(),
            turn: false,
        }
    }

    /// What a real relay's shell does: plan, commit, apply, perform.
    pub fn handle(&mut self, now: Millis, event: Event) -> Vec<Out> {
        let fallback = fallback(&event);
        let plan = self.hub.plan(now, event);
        let keys = self.keys(&plan);
        if self.store.commit(&plan.changes).is_err() {
            return fallback.into_iter().collect();
        }
        self.hub.apply(&plan);
        let mut out = Vec::new();
        for action in plan.actions {
            self.perform(now, action, &keys, &mut out);
        }
        out
    }

    /// The process died and starts again: sockets are gone, rows are not.
    pub fn restart(&mut self) {
        self.hub = Hub::restore(self.hub.config().clone(), self.store.load());
    }

    fn keys(&self, plan: &Plan) -> Vec<Option<Bytes>> {
        let read = |action: &Action| match action {
            Action::SendKey {
                user, device, key, ..
            } => Some(self.store.key(*user, *device, *key)),
            _ => None,
        };
        plan.actions.iter().filter_map(read).collect()
    }

    fn perform(&self, now: Millis, action: Action, keys: &[Option<Bytes>], out: &mut Vec<Out>) {
        let mut send = |conn, frame: RelayFrame| {
            out.push(Out::Send {
                conn,
                envelope: frame.into(),
            })
        };
        match action {
            Action::Persist(_) => {}
            Action::Send { conn, envelope } => out.push(Out::Send { conn, envelope }),
            Action::Fan { conns, frame } => {
                conns.into_iter().for_each(|conn| send(conn, frame.clone()));
            }
            Action::SendBacklog {
                conn,
                room,
                from,
                to,
            } => {
                let all = self.store.backlog(room, from, to, usize::MAX);
                all.into_iter()
                    .for_each(|m| send(conn, RelayFrame::ChatReceive(m)));
            }
            Action::SendKnock {
                conn,
                room,
                knock,
                from,
            } => {
                if let Some(body) = self.store.knock(room, from, knock) {
                    send(
                        conn,
                        RelayFrame::RoomKnocked {
                            room,
                            knock,
                            from,
                            body,
                        },
                    );
                }
            }
            Action::SendDirect { conn, to, from, id } => {
                if let Some(body) = self.store.direct(to, from, id) {
                    send(conn, RelayFrame::DirectReceive { id, from, body });
                }
            }
            Action::SendKey {
                conn,
                request,
                user,
                ..
            } => {
                if let Some(Some(package)) = keys.first() {
                    let frame = RelayFrame::KeysTaken {
                        user,
                        package: package.clone(),
                    };
                    out.push(Out::Send {
                        conn,
                        envelope: Envelope { id: request, frame },
                    });
                }
            }
            Action::GiveTurn {
                conn,
                request,
                user,
                device,
            } => {
                let envelope = self.turn_frame(now, request, &user, &device);
                out.push(Out::Send { conn, envelope });
            }
            Action::EndTurn { .. } => {}
            Action::Close { conn, code } => out.push(Out::Close { conn, code }),
        }
    }

    fn turn_frame(
        &self,
        now: Millis,
        request: Option<RequestId>,
        user: &UserId,
        device: &DeviceId,
    ) -> Envelope<RelayFrame> {
        if !self.turn {
            let error = WireError::new(ErrorCode::NotFound, "this relay relays no calls");
            return RelayFrame::Error(error.for_request(request)).into();
        }
        let credentials = Credentials::new(&[0; 32]);
        let holder = credentials.holder(user, device);
        let life = TurnLimits::default().credential_life;
        let made = credentials.issue(&holder, [0; 9], now, life);
        let frame = RelayFrame::TurnTaken {
            port: limits::TURN_PORT,
            username: made.username,
            password: made.password,
            expires: made.expires,
        };
        Envelope { id: request, frame }
    }
}

/// What the sender gets when the event could not be stored.
fn fallback(event: &Event) -> Option<Out> {
    match event {
        Event::Frame { conn, envelope } => Some(Out::Send {
            conn: *conn,
            envelope: Hub::unavailable(envelope).into(),
        }),
        Event::Connected { conn, .. } => Some(Out::Close {
            conn: *conn,
            code: CloseCode::TryAgainLater,
        }),
        _ => None,
    }
}
