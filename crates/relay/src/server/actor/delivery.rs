//! Performing what the hub ordered: frames into outlets, stored frames read
//! page by page, slow readers asked to come back.

use super::{Actor, Answer, complain};
use crate::{
    hub::{Action, CloseCode, ConnId, Event, KeyRef},
    server::outlet::{Outlet, Pushed},
    store::StoreError,
    turn::Credential,
};
use axum::extract::ws::Utf8Bytes;
use sotto_wire::{
    Bytes, DeviceId, ErrorCode, MessageId, RelayFrame, RequestId, RoomId, Seq, UserId, WireError,
    codec::{Envelope, encode},
};
use std::collections::{BTreeSet, VecDeque};

/// Bytes of backlog read from the store at once.
const PAGE: usize = 256 * 1024;

/// One socket, from the actor's side.
pub(super) struct Link {
    pub outlet: Outlet,
    /// Names the `auth` frame that `auth.ok` answers.
    pub greeting: Option<RequestId>,
    /// Stored frames still to be sent, in order.
    pub fetches: VecDeque<Fetch>,
    /// The socket's reader, held back until they are sent.
    pub reader: Option<Answer<()>>,
}

pub(super) enum Fetch {
    Backlog {
        room: RoomId,
        next: Seq,
        to: Seq,
    },
    Knock {
        room: RoomId,
        knock: MessageId,
        from: UserId,
    },
    Direct {
        to: UserId,
        from: UserId,
        id: MessageId,
    },
}
impl Actor {
    pub(super) async fn perform(
        &mut self,
        actions: Vec<Action>,
        mut keys: VecDeque<Option<Bytes>>,
    ) {
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
                Action::SendBacklog {
                    conn,
                    room,
                    from,
                    to,
                } => {
                    fetching.extend(self.fetch(
                        conn,
                        Fetch::Backlog {
                            room,
                            next: from,
                            to,
                        },
                    ));
                }
                Action::SendKnock {
                    conn,
                    room,
                    knock,
                    from,
                } => {
                    fetching.extend(self.fetch(conn, Fetch::Knock { room, knock, from }));
                }
                Action::SendDirect { conn, to, from, id } => {
                    fetching.extend(self.fetch(conn, Fetch::Direct { to, from, id }));
                }
                Action::SendKey {
                    conn,
                    request,
                    user,
                    key,
                    ..
                } => {
                    let body = keys.pop_front().flatten();
                    slow.extend(self.push(conn, &key_frame(request, user, key, body)));
                }
                Action::GiveTurn {
                    conn,
                    request,
                    user,
                    device,
                } => {
                    let envelope = self.turn_frame(request, &user, &device);
                    slow.extend(self.push(conn, &envelope));
                }
                Action::EndTurn { user, device } => {
                    if let Some(turn) = &self.turn {
                        turn.bar(&user, device.as_ref()).await;
                    }
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

    fn turn_frame(
        &self,
        request: Option<RequestId>,
        user: &UserId,
        device: &DeviceId,
    ) -> Envelope<RelayFrame> {
        let given = self.turn.as_ref().and_then(|turn| {
            let Credential {
                username,
                password,
                expires,
            } = turn.issue(user, device)?;
            Some(RelayFrame::TurnTaken {
                port: turn.port(),
                username,
                password,
                expires,
            })
        });
        match given {
            Some(frame) => Envelope { id: request, frame },
            None => {
                let error = WireError::new(ErrorCode::NotFound, "this relay relays no calls");
                RelayFrame::Error(error.for_request(request)).into()
            }
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
    pub(super) fn push(&mut self, conn: ConnId, envelope: &Envelope<RelayFrame>) -> Option<ConnId> {
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
            let Some(link) = self.links.get_mut(&conn) else {
                continue;
            };
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
    pub(super) async fn pump(&mut self, conn: ConnId) {
        loop {
            let Some(link) = self.links.get_mut(&conn) else {
                return;
            };
            if link.fetches.is_empty() {
                if let Some(reader) = link.reader.take() {
                    let _ = reader.send(());
                }
                return;
            }
            if !link.outlet.has_space() {
                return;
            }
            let Some(fetch) = link.fetches.pop_front() else {
                return;
            };
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
                let rest = (last < to).then_some(Fetch::Backlog {
                    room,
                    next: last + 1,
                    to,
                });
                (
                    page.into_iter().map(RelayFrame::ChatReceive).collect(),
                    rest,
                )
            }
            Fetch::Knock { room, knock, from } => {
                let body = self.store.knock(room, from, knock).await?;
                let frame = |body| RelayFrame::RoomKnocked {
                    room,
                    knock,
                    from,
                    body,
                };
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
    pub(super) async fn detach(&mut self, conn: ConnId) {
        let plan = self
            .hub
            .plan(self.config.clock.now(), Event::Disconnected { conn });
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
            let error = WireError::new(
                ErrorCode::NotFound,
                "there is no key package of this person",
            );
            RelayFrame::Error(error.for_request(id.clone()))
        }
    };
    Envelope { id, frame }
}
