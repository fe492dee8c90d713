//! The relay's rules as one pure state machine: accounts, rooms, order,
//! queues, fan-out, presence, hosts, retention.
//!
//! No IO, no clock, no randomness, no async: `handle(now, event) -> actions`.
//! An event is first *planned* against the state, which does not move, and
//! then *applied*. A shell with a real disk commits the plan's changes in
//! between, so that a failed commit leaves nothing to undo:
//!
//! ```text
//! plan = hub.plan(now, event)     decide; the hub has not moved
//! store.commit(plan.changes)?     durable, or the sender gets `unavailable`
//! hub.apply(&plan)                the hub moves
//! perform(plan.actions)           only now does anything leave
//! ```
//!
//! The hub holds no bodies. It knows who, where, how long and in which order;
//! bodies pass through an event into a change and a frame, and are read back
//! from the store by whoever performs the actions.

mod accounts;
pub mod bucket;
mod calls;
mod change;
mod chat;
mod config;
mod direct;
mod event;
mod keys;
mod knocks;
pub mod memory;
mod plan;
mod presence;
mod retention;
mod rooms;
mod state;

pub use accounts::Standing;
pub use change::{Change, GoneRow, RoomRow, RowKey};
pub use config::HubConfig;
pub use event::{Action, CloseCode, ConnId, Deleter, Event, KeyRef, NewSession};
pub use plan::Plan;
pub use state::Stats;

use plan::Passing;
use sotto_wire::{
    ClientFrame, DeviceId, ErrorCode, Millis, RelayFrame, RequestId, RoomId, UserId, WireError,
    codec::Envelope,
};
use state::{Account, Conn, Room};
use std::collections::BTreeMap;

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hub {
    config: HubConfig,
    accounts: BTreeMap<UserId, Account>,
    rooms: BTreeMap<RoomId, Room>,
    sessions: BTreeMap<[u8; 32], state::Session>,
    conns: BTreeMap<ConnId, Conn>,
    /// Number of the next one-time key package.
    next_key: u64,
    /// Number of the next direct message.
    next_direct: u64,
}

/// Who asks for what, while a frame is planned.
pub(crate) struct Ask {
    pub now: Millis,
    pub conn: ConnId,
    pub user: UserId,
    pub device: DeviceId,
    pub request: Option<RequestId>,
}

pub(crate) type Decision = Result<(), WireError>;

pub(crate) fn refuse<T>(code: ErrorCode, message: &str) -> Result<T, WireError> {
    Err(WireError::new(code, message))
}

impl Hub {
    pub fn new(config: HubConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// The hub as it was when `rows` were stored; nobody is connected. Bodies
    /// in the rows are not needed.
    pub fn restore(config: HubConfig, rows: impl IntoIterator<Item = Change>) -> Self {
        let mut hub = Self::new(config);
        for row in rows {
            hub.change(&row);
        }
        hub
    }

    pub fn config(&self) -> &HubConfig {
        &self.config
    }

    /// Decides and moves in one step, for callers whose store cannot fail.
    /// `Persist` actions come first, in the order to store them.
    pub fn handle(&mut self, now: Millis, event: Event) -> Vec<Action> {
        let mut plan = self.plan(now, event);
        self.apply(&plan);
        let changes = std::mem::take(&mut plan.changes);
        changes
            .into_iter()
            .map(Action::Persist)
            .chain(plan.actions)
            .collect()
    }

    /// What `event` leads to. The hub stays as it is.
    pub fn plan(&self, now: Millis, event: Event) -> Plan {
        let mut plan = Plan::default();
        match event {
            Event::Connected { conn, user, device } => {
                self.connected(now, conn, user, device, &mut plan);
            }
            Event::Frame { conn, envelope } => self.frame(now, conn, envelope, &mut plan),
            Event::Disconnected { conn } => self.detach(&[conn], &mut plan),
            Event::Tick => self.tick(now, &mut plan),
            Event::SignedIn {
                user,
                device,
                session,
            } => {
                let outcome = self.signed_in(now, user, device, session, &mut plan);
                plan.conclude(outcome);
            }
            Event::Rotate {
                family,
                secret,
                next,
            } => {
                plan.outcome = self.rotate(now, family, secret, next, &mut plan);
            }
            Event::DeleteRoom { by, room } => {
                let outcome = self.delete_room(by, room, None, &mut plan);
                plan.conclude(outcome);
            }
            Event::Revoke { user, device } => {
                let outcome = self.revoke(user, device, &mut plan);
                plan.conclude(outcome);
            }
            Event::Disable { user, disabled } => {
                let outcome = self.disable(user, disabled, &mut plan);
                plan.conclude(outcome);
            }
            Event::Notice { user, kind, body } => {
                let outcome = self.notice(user, kind, body, &mut plan);
                plan.conclude(outcome);
            }
        }
        plan
    }

    /// Moves the hub to where `plan`, made from the state it has now, leads.
    pub fn apply(&mut self, plan: &Plan) {
        for change in &plan.changes {
            self.change(change);
        }
        for passing in &plan.passing {
            self.pass(passing);
        }
    }

    /// The answer to a frame that could not be made durable.
    pub fn unavailable(envelope: &Envelope<ClientFrame>) -> RelayFrame {
        let error = WireError::new(ErrorCode::Unavailable, "the relay could not store it");
        RelayFrame::Error(error.for_request(request_of(envelope)))
    }

    fn frame(&self, now: Millis, conn: ConnId, envelope: Envelope<ClientFrame>, plan: &mut Plan) {
        let request = request_of(&envelope);
        let outcome = match self.conns.get(&conn) {
            None => refuse(ErrorCode::NotAuthenticated, "Not authenticated"),
            Some(known) => {
                let (user, device) = (known.user, known.device);
                let ask = Ask {
                    now,
                    conn,
                    user,
                    device,
                    request: request.clone(),
                };
                self.act(&ask, envelope.frame, plan)
            }
        };
        if let Err(error) = outcome {
            // A refusal changes nothing, but it has cost what it costs.
            plan.passing
                .retain(|passing| matches!(passing, Passing::Spend { .. }));
            *plan = Plan {
                passing: std::mem::take(&mut plan.passing),
                ..Plan::default()
            };
            plan.send(conn, RelayFrame::Error(error.for_request(request)));
        }
    }

    fn act(&self, ask: &Ask, frame: ClientFrame, plan: &mut Plan) -> Decision {
        match frame {
            // The shell has checked the token; here a connection has its user.
            ClientFrame::Auth { .. } => {
                plan.answer(ask, self.auth_ok(ask.now, ask.user, ask.device));
                Ok(())
            }
            ClientFrame::Ping => {
                plan.answer(ask, RelayFrame::Pong);
                Ok(())
            }
            ClientFrame::RoomCreate { room, settings } => {
                self.create_room(ask, room, settings, plan)
            }
            ClientFrame::RoomOpen { room, since } => self.open_room(ask, room, since, plan),
            ClientFrame::RoomKnock { room, id, body } => self.knock(ask, room, id, body, plan),
            ClientFrame::RoomDeny { room, knock } => self.deny(ask, room, knock, plan),
            ClientFrame::RoomLeave { room } => self.leave_room(ask, room, plan),
            ClientFrame::RoomDelete { room } => {
                self.delete_room(Deleter::User(ask.user), room, Some(ask), plan)
            }
            ClientFrame::HostTransfer { room, to } => self.transfer_host(ask, room, to, plan),
            ClientFrame::ChatSend(send) => self.send_chat(ask, send, plan),
            ClientFrame::ChatSignal { room, body } => self.signal(ask, room, body, plan),
            ClientFrame::ChatReceived { room, up_to } => self.received(ask, room, up_to, plan),
            ClientFrame::DirectSend {
                to,
                id,
                body,
                expires,
            } => self.send_direct(ask, to, id, body, expires, plan),
            ClientFrame::DirectReceived { id } => {
                self.direct_received(ask, id, plan);
                Ok(())
            }
            ClientFrame::KeysPublish {
                packages,
                last_resort,
            } => self.publish_keys(ask, packages, last_resort, plan),
            ClientFrame::KeysTake { user } => self.take_key(ask, user, plan),
            ClientFrame::PresenceSet { state } => {
                self.set_presence(ask, state, plan);
                Ok(())
            }
            ClientFrame::CallInitiate {
                room,
                call,
                kind,
                body,
            } => self.initiate_call(ask, room, call, kind, body, plan),
            ClientFrame::CallJoin { room, call } => self.join_call(ask, room, call, plan),
            ClientFrame::CallLeave { room, call } => self.leave_call(ask, room, call, plan),
            ClientFrame::CallSignal {
                room,
                call,
                to,
                body,
            } => self.signal_call(ask, room, call, to, body, plan),
            ClientFrame::TurnTake => self.take_turn(ask, plan),
        }
    }

    fn pass(&mut self, passing: &Passing) {
        match passing {
            Passing::Attach { conn, user, device } => {
                self.conns.insert(*conn, Conn::new(*user, *device));
                self.accounts.entry(*user).or_default().conns.insert(*conn);
            }
            Passing::Detach { conn } => self.drop_conn(*conn),
            Passing::Open { conn, room } => {
                if let (Some(c), Some(r)) = (self.conns.get_mut(conn), self.rooms.get_mut(room)) {
                    c.open.insert(*room);
                    r.open.insert(*conn);
                }
            }
            Passing::Shut { conn, room } => {
                if let Some(c) = self.conns.get_mut(conn) {
                    c.open.remove(room);
                }
                if let Some(r) = self.rooms.get_mut(room) {
                    r.open.remove(conn);
                }
            }
            Passing::State { conn, state } => {
                if let Some(c) = self.conns.get_mut(conn) {
                    c.state = *state;
                }
            }
            Passing::Spend { user, what, bucket } => {
                if let Some(account) = self.accounts.get_mut(user) {
                    account.buckets.insert(*what, *bucket);
                }
            }
            Passing::Sit {
                room,
                call,
                end,
                seat,
            } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.sit(*call, *end, *seat);
                }
            }
            Passing::Rise { room, call, end } => {
                if let Some(room) = self.rooms.get_mut(room) {
                    room.rise(*call, end);
                }
            }
        }
    }

    fn drop_conn(&mut self, conn: ConnId) {
        let Some(gone) = self.conns.remove(&conn) else {
            return;
        };
        for room in &gone.open {
            if let Some(room) = self.rooms.get_mut(room) {
                room.open.remove(&conn);
                room.lose(conn);
            }
        }
        if let Some(account) = self.accounts.get_mut(&gone.user) {
            account.conns.remove(&conn);
        }
    }

    fn room(&self, room: &RoomId) -> Result<&Room, WireError> {
        match self.rooms.get(room) {
            Some(room) => Ok(room),
            None => refuse(ErrorCode::UnknownRoom, "there is no such room here"),
        }
    }

    /// The room, if `user` is a member of it.
    fn member_room(&self, room: &RoomId, user: &UserId) -> Result<&Room, WireError> {
        let room = self.room(room)?;
        match room.members.contains_key(user) {
            true => Ok(room),
            false => refuse(ErrorCode::NotAMember, "not a member of this room"),
        }
    }
}

/// How the answer or error to this frame names it.
pub fn request_of(envelope: &Envelope<ClientFrame>) -> Option<RequestId> {
    let own = match &envelope.frame {
        ClientFrame::ChatSend(send) => send.id,
        ClientFrame::DirectSend { id, .. }
        | ClientFrame::DirectReceived { id }
        | ClientFrame::RoomKnock { id, .. } => *id,
        _ => return envelope.id.clone(),
    };
    Some(own.into())
}

#[cfg(test)]
mod tests;
