//! One WebSocket: its upgrade, its sign-in, a reader that hands over one
//! frame at a time, and a writer that empties the outlet.

mod writer;

use super::{
    actor::Command,
    gate::{Counted, Slot},
    http::{Refused, Shared, credential},
    listener::Entrance,
    meter::Meter,
    outlet::{Outlet, outlet},
    visitor::Visitor,
};
use crate::{
    auth::jwt::Claims,
    hub::{CloseCode, ConnId, request_of},
};
use axum::{
    Extension,
    extract::{
        Query, State, WebSocketUpgrade,
        rejection::QueryRejection,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream::SplitStream};
use sotto_wire::{
    ClientFrame, ErrorCode, RelayFrame, RequestId, SUBPROTOCOL, WireError,
    codec::{Envelope, decode, encode},
    frame::Token,
    limits,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, sleep_until, timeout, timeout_at},
};
pub(super) use writer::close;
use writer::{FAREWELL, farewell, overtakes, write};

/// Longest message, in bytes.
const MOST: usize = limits::LARGE_FRAME + limits::FRAME;
/// Most bytes that may come in for one message. Fragments add to it: a head of
/// up to 14 bytes each, and nothing but that if they are empty.
const WIRE_MOST: usize = MOST + MOST / 2;
/// A frame counts once for each so many bytes it begins: large ones cost the
/// relay's disk and everybody's line.
const SHARE: usize = 16 * 1024;
/// Longest time for which nothing more is read from whoever sends too much.
const HOLD: Duration = Duration::from_secs(1);
/// How much more is read from whoever is let go for sending too much.
const LEFTOVERS: usize = 64 * 1024;
/// The head of a ping or pong with its mask, in bytes.
pub(super) const CONTROL_HEAD: usize = 6;

#[derive(serde::Deserialize)]
pub struct TicketQuery {
    ticket: Option<Token>,
}

fn refused(code: ErrorCode, message: &str) -> WireError {
    WireError::new(code, message)
}

/// `GET /v1/ws`. Everything that can be refused is refused before the upgrade.
pub async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    Extension(entrance): Extension<Entrance>,
    Extension(meter): Extension<Meter>,
    query: Result<Query<TicketQuery>, QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let upgrade = upgrade.map_err(|_| {
        refused(
            ErrorCode::InvalidFormat,
            "this is for WebSockets (RFC 6455)",
        )
    })?;
    if headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL)
        && !upgrade
            .requested_protocols()
            .any(|protocol| protocol.as_bytes() == SUBPROTOCOL.as_bytes())
    {
        let message = "this relay speaks sotto.v1";
        return Err(refused(ErrorCode::VersionUnsupported, message).into());
    }
    let Query(TicketQuery { ticket }) =
        query.map_err(|_| refused(ErrorCode::InvalidFormat, "Invalid message format"))?;
    let claims = match (credential(&headers), ticket) {
        (Some(token), _) => Some(shared.gate.judge(token)?),
        (None, Some(ticket)) => Some(shared.gate.spend_ticket(&ticket.0)?),
        (None, None) => None,
    };
    if let Some(claims) = &claims {
        // Disabled or revoked is a bad credential here, whatever the reason.
        let judged = shared.judge(claims).await;
        judged.map_err(|error| WireError {
            code: match error.code {
                ErrorCode::Unavailable => ErrorCode::Unavailable,
                _ => ErrorCode::BadCredential,
            },
            ..error
        })?;
    }
    let slot = shared.gate.slot(visitor.counted())?;
    let alive = shared.alive()?;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MOST)
        .max_frame_size(MOST);
    Ok(upgrade
        .on_upgrade(move |socket| async move {
            let conn = shared.next_conn();
            meter.limit(WIRE_MOST);
            Session {
                shared,
                visitor,
                conn,
                entrance,
                meter,
                malformed: Flood::default(),
                control: Flood::default(),
            }
            .run(socket, claims, slot)
            .await;
            drop(alive);
        })
        .into_response())
}

/// What one connection has been through.
struct Session {
    shared: Arc<Shared>,
    visitor: Visitor,
    conn: ConnId,
    entrance: Entrance,
    /// What has come in since the last whole message.
    meter: Meter,
    /// Refused frames of late.
    malformed: Flood,
    /// Native pings and pongs of late.
    control: Flood,
}

/// So much of one kind of late.
#[derive(Debug, Default)]
pub(super) struct Flood {
    since: Option<Instant>,
    count: usize,
}

/// What to do with a message.
enum Heard {
    /// With what it counts as.
    Frame(Envelope<ClientFrame>, u32),
    /// Not for the hub: an error to answer with.
    Refused(WireError),
    Nothing,
    Close(CloseCode),
    Gone,
}

impl Session {
    async fn run(mut self, mut socket: WebSocket, claims: Option<Claims>, _slot: Slot) {
        let (claims, request) = match claims {
            Some(claims) => (claims, None),
            None => match self.sign_in(&mut socket).await {
                Some(signed_in) => signed_in,
                None => return,
            },
        };
        let (outlet, flow) = outlet(self.shared.config.limits.queue_bytes);
        let (sink, stream) = socket.split();
        let writer = tokio::spawn(write(sink, flow, self.shared.clone(), self.conn));
        let (conn, attached, pipe) = (self.conn, claims.clone(), outlet.clone());
        let attach = |answer| Command::Attach {
            conn,
            claims: attached,
            outlet: pipe,
            request: request.clone(),
            answer,
        };
        let attached = self.shared.ask(attach).await.and_then(|outcome| outcome);
        match attached {
            Ok(()) => self.read(stream, writer, outlet, claims).await,
            Err(error) => {
                let code = match error.code {
                    ErrorCode::Unavailable => CloseCode::TryAgainLater,
                    _ => CloseCode::Unauthenticated,
                };
                let frame = RelayFrame::AuthError {
                    code: error.code,
                    message: error.message,
                };
                outlet.push(encode(&Envelope { id: request, frame }).into(), false);
                outlet.close(code);
                farewell(stream, writer, FAREWELL).await;
            }
        }
    }

    /// Waits for `auth`. Anything else is answered and changes nothing.
    async fn sign_in(&mut self, socket: &mut WebSocket) -> Option<(Claims, Option<RequestId>)> {
        let deadline = Instant::now() + self.shared.config.timings.auth_wait;
        let (error, request) = loop {
            let message = match timeout_at(deadline, socket.recv()).await {
                Ok(message) => message,
                Err(_) => {
                    break (
                        refused(ErrorCode::NotAuthenticated, "no auth in time"),
                        None,
                    );
                }
            };
            let answer = match self.hear(message) {
                Heard::Frame(
                    Envelope {
                        id,
                        frame: ClientFrame::Auth { token },
                    },
                    _,
                ) => match self.judge(&token).await {
                    Ok(claims) => return Some((claims, id)),
                    Err(error) => break (error, id),
                },
                Heard::Frame(envelope, _) => {
                    let id = request_of(&envelope);
                    refused(ErrorCode::NotAuthenticated, "Not authenticated").for_request(id)
                }
                Heard::Refused(error) => error,
                Heard::Nothing => continue,
                Heard::Close(code) => {
                    close(socket, code).await;
                    return None;
                }
                Heard::Gone => return None,
            };
            // Whoever asks and does not read waits no longer than others.
            let text = encode(&RelayFrame::Error(answer).into());
            let sent = timeout_at(deadline, socket.send(Message::text(text))).await;
            sent.ok()?.ok()?;
        };
        let frame = RelayFrame::AuthError {
            code: error.code,
            message: error.message,
        };
        let text = encode(&Envelope { id: request, frame });
        let _ = timeout(FAREWELL, socket.send(Message::text(text))).await;
        close(socket, CloseCode::Unauthenticated).await;
        None
    }

    async fn judge(&self, token: &Token) -> Result<Claims, WireError> {
        let claims = self.shared.gate.judge(&token.0)?;
        self.shared.judge(&claims).await?;
        Ok(claims)
    }

    async fn read(
        mut self,
        mut stream: SplitStream<WebSocket>,
        mut writer: JoinHandle<()>,
        outlet: Outlet,
        mut claims: Claims,
    ) {
        let timings = self.shared.config.timings.clone();
        let mut beat = tokio::time::interval(timings.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        let mut end = self.end(&claims);
        // The frame the actor has. None other is read meanwhile.
        let mut busy: Option<oneshot::Receiver<()>> = None;
        // Refusing costs too: whoever sends too much is read from more slowly.
        let mut held: Option<Instant> = None;
        loop {
            let idle = busy.is_none() && held.is_none();
            tokio::select! {
                biased;
                _ = &mut writer => break,
                _ = sleep_until(end) => outlet.close(CloseCode::Unauthenticated),
                _ = self.entrance.closed() => outlet.close(CloseCode::GoingAway),
                _ = done(&mut busy) => {
                    busy = None;
                    heard_at = Instant::now();
                    continue;
                }
                _ = until(held) => {
                    held = None;
                    continue;
                }
                _ = beat.tick() => {
                    if idle && heard_at.elapsed() >= timings.silence {
                        tracing::debug!(conn = ?self.conn, "silent for too long");
                        break;
                    }
                    if idle && self.meter.pending_for(Instant::now()) >= timings.silence {
                        tracing::debug!(conn = ?self.conn, "a message took too long");
                        break;
                    }
                    outlet.ping();
                    continue;
                }
                message = stream.next(), if idle => {
                    heard_at = Instant::now();
                    match self.hear(message) {
                        Heard::Frame(Envelope { id, frame: ClientFrame::Auth { token } }, _) => {
                            match self.renew(&claims, &token, id, &outlet).await {
                                Some(renewed) => {
                                    end = self.end(&renewed);
                                    claims = renewed;
                                    continue;
                                }
                                None => outlet.close(CloseCode::Unauthenticated),
                            }
                        }
                        Heard::Frame(envelope, many) => {
                            match self.hand_over(envelope, many, &claims, &outlet) {
                                Ok(wait) => busy = Some(wait),
                                Err(pause) => held = Some(Instant::now() + pause),
                            }
                            continue;
                        }
                        Heard::Refused(error) => {
                            self.refuse(error, &outlet);
                            continue;
                        }
                        Heard::Nothing => continue,
                        Heard::Close(code) => outlet.close(code),
                        Heard::Gone => break,
                    }
                }
            }
            // Something above has asked for the close.
            break;
        }
        self.shared.tell(Command::Detached { conn: self.conn });
        outlet.close(CloseCode::GoingAway);
        // What is on its way is still read, or the close would be lost; of a
        // flood, not much.
        self.meter.limit(match outlet.closed() {
            Some(CloseCode::Policy | CloseCode::TooBig) => LEFTOVERS,
            _ => WIRE_MOST,
        });
        let patience = match outlet.closed() {
            Some(code) if overtakes(code) => timings.silence,
            _ => FAREWELL,
        };
        farewell(stream, writer, patience).await;
        tracing::debug!(conn = ?self.conn, "disconnected");
    }

    /// A fresh token for the same user and device lets the socket live on.
    async fn renew(
        &self,
        claims: &Claims,
        token: &Token,
        id: Option<RequestId>,
        outlet: &Outlet,
    ) -> Option<Claims> {
        let judged = self.judge(token).await.and_then(|new| {
            if (new.sub, new.dev) == (claims.sub, claims.dev) {
                return Ok(new);
            }
            Err(refused(
                ErrorCode::BadCredential,
                "the token is of another user or device",
            ))
        });
        match judged {
            Ok(new) => {
                let frame = ClientFrame::Auth {
                    token: Token(String::new()),
                };
                let envelope = Envelope { id, frame };
                let conn = self.conn;
                let _ = self
                    .shared
                    .ask(|answer| Command::Frame {
                        conn,
                        envelope,
                        answer,
                    })
                    .await;
                Some(new)
            }
            Err(error) => {
                let frame = RelayFrame::AuthError {
                    code: error.code,
                    message: error.message,
                };
                outlet.push(encode(&Envelope { id, frame }).into(), false);
                None
            }
        }
    }

    /// Gives the frame to the actor, unless there are too many. Then the error
    /// is for how long to read no other.
    fn hand_over(
        &mut self,
        envelope: Envelope<ClientFrame>,
        many: u32,
        claims: &Claims,
        outlet: &Outlet,
    ) -> Result<oneshot::Receiver<()>, Duration> {
        let gate = &self.shared.gate;
        let poured = gate
            .pour_many(Counted::Account(claims.sub), many)
            .and_then(|()| gate.pour_many(Counted::Frames(self.visitor.counted()), many));
        if let Err(error) = poured {
            let pause = Duration::from_millis(error.retry_after.unwrap_or_default());
            self.refuse(error.for_request(request_of(&envelope)), outlet);
            return Err(pause.min(HOLD));
        }
        let (answer, wait) = oneshot::channel();
        self.shared.tell(Command::Frame {
            conn: self.conn,
            envelope,
            answer,
        });
        Ok(wait)
    }

    fn refuse(&mut self, error: WireError, outlet: &Outlet) {
        outlet.push(encode(&RelayFrame::Error(error).into()).into(), false);
    }

    /// When the socket's token ends.
    fn end(&self, claims: &Claims) -> Instant {
        let left = claims.end().saturating_sub(self.shared.config.clock.now());
        Instant::now() + Duration::from_millis(left)
    }

    fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Heard {
        let message = match message {
            None | Some(Ok(Message::Close(_))) => return Heard::Gone,
            // Beyond the hard limit, or not WebSocket at all.
            Some(Err(_)) => return Heard::Close(CloseCode::TooBig),
            Some(Ok(message)) => message,
        };
        let limits = &self.shared.config.limits;
        let error = match message {
            Message::Close(_) => return Heard::Gone,
            Message::Ping(bytes) | Message::Pong(bytes) => {
                // They may come between the fragments of a message.
                self.meter.forgive(CONTROL_HEAD + bytes.len());
                return match self.control.is_one(limits.control, limits.flood_window) {
                    true => Heard::Close(CloseCode::Policy),
                    false => Heard::Nothing,
                };
            }
            Message::Binary(_) => refused(ErrorCode::InvalidFormat, "Invalid message format"),
            Message::Text(text) => match decode(text.as_str()) {
                Ok(envelope) => {
                    self.meter.reset();
                    let shares = text.as_str().len() / SHARE + 1;
                    return Heard::Frame(envelope, u32::try_from(shares).unwrap_or(u32::MAX));
                }
                Err(error) => error,
            },
        };
        self.meter.reset();
        match self.malformed.is_one(limits.flood, limits.flood_window) {
            true => Heard::Close(CloseCode::Policy),
            false => Heard::Refused(error),
        }
    }
}

impl Flood {
    /// One more; whether that makes more than `most` within the time.
    pub(super) fn is_one(&mut self, most: usize, within: Duration) -> bool {
        let now = Instant::now();
        if self.since.is_none_or(|since| now - since > within) {
            self.since = Some(now);
            self.count = 0;
        }
        self.count += 1;
        self.count > most
    }
}

/// Ends when the actor has done with the frame; never, if it has none.
async fn done(busy: &mut Option<oneshot::Receiver<()>>) {
    match busy {
        // An actor that dropped the answer closes the socket as well.
        Some(wait) => drop(wait.await),
        None => std::future::pending().await,
    }
}

/// Resolves at this time; never, if there is none.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
