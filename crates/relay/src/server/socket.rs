//! One WebSocket: its upgrade, its sign-in, a reader that hands over one
//! frame at a time, and a writer that empties the outlet.

mod writer;

use super::{
    actor::Command,
    gate::{Counted, Slot},
    http::{Refused, Shared, credential},
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
    time::{Instant, MissedTickBehavior, sleep_until, timeout},
};
use writer::{FAREWELL, close, farewell, overtakes, write};

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
    let alive = shared
        .alive
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone();
    let alive = alive.ok_or_else(|| refused(ErrorCode::Unavailable, "the relay is stopping"))?;
    let most = limits::LARGE_FRAME + limits::FRAME;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(most)
        .max_frame_size(most);
    Ok(upgrade
        .on_upgrade(move |socket| async move {
            let conn = shared.next_conn();
            Session {
                shared,
                visitor,
                conn,
                flood: Flood::default(),
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
    flood: Flood,
}

/// Refused frames of late.
#[derive(Default)]
struct Flood {
    since: Option<Instant>,
    count: usize,
}

/// What to do with a message.
enum Heard {
    Frame(Envelope<ClientFrame>),
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
            let message = match tokio::time::timeout_at(deadline, socket.recv()).await {
                Ok(message) => message,
                Err(_) => {
                    break (
                        refused(ErrorCode::NotAuthenticated, "no auth in time"),
                        None,
                    );
                }
            };
            let answer = match self.hear(message) {
                Heard::Frame(Envelope {
                    id,
                    frame: ClientFrame::Auth { token },
                }) => match self.judge(&token).await {
                    Ok(claims) => return Some((claims, id)),
                    Err(error) => break (error, id),
                },
                Heard::Frame(envelope) => {
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
            let text = encode(&RelayFrame::Error(answer).into());
            socket.send(Message::text(text)).await.ok()?;
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
        loop {
            let idle = busy.is_none();
            tokio::select! {
                biased;
                _ = &mut writer => break,
                _ = sleep_until(end) => outlet.close(CloseCode::Unauthenticated),
                _ = done(&mut busy) => {
                    busy = None;
                    heard_at = Instant::now();
                    continue;
                }
                _ = beat.tick() => {
                    if idle && heard_at.elapsed() >= timings.silence {
                        tracing::debug!(conn = ?self.conn, "silent for too long");
                        break;
                    }
                    outlet.ping();
                    continue;
                }
                message = stream.next(), if idle => {
                    heard_at = Instant::now();
                    match self.hear(message) {
                        Heard::Frame(Envelope { id, frame: ClientFrame::Auth { token } }) => {
                            match self.renew(&claims, &token, id, &outlet).await {
                                Some(renewed) => {
                                    end = self.end(&renewed);
                                    claims = renewed;
                                    continue;
                                }
                                None => outlet.close(CloseCode::Unauthenticated),
                            }
                        }
                        Heard::Frame(envelope) => {
                            busy = self.hand_over(envelope, &claims, &outlet);
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

    /// Gives the frame to the actor, unless there are too many.
    fn hand_over(
        &mut self,
        envelope: Envelope<ClientFrame>,
        claims: &Claims,
        outlet: &Outlet,
    ) -> Option<oneshot::Receiver<()>> {
        let gate = &self.shared.gate;
        let poured = gate
            .pour(Counted::Account(claims.sub))
            .and_then(|()| gate.pour(Counted::Frames(self.visitor.counted())));
        if let Err(error) = poured {
            self.refuse(error.for_request(request_of(&envelope)), outlet);
            return None;
        }
        let (answer, wait) = oneshot::channel();
        self.shared.tell(Command::Frame {
            conn: self.conn,
            envelope,
            answer,
        });
        Some(wait)
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
        let error = match message {
            Message::Close(_) => return Heard::Gone,
            Message::Ping(_) | Message::Pong(_) => return Heard::Nothing,
            Message::Binary(_) => refused(ErrorCode::InvalidFormat, "Invalid message format"),
            Message::Text(text) => match decode(text.as_str()) {
                Ok(envelope) => return Heard::Frame(envelope),
                Err(error) => error,
            },
        };
        match self.flood.is_one(&self.shared.config.limits) {
            true => Heard::Close(CloseCode::Policy),
            false => Heard::Refused(error),
        }
    }
}

impl Flood {
    /// One malformed frame more; whether that makes a flood.
    fn is_one(&mut self, limits: &super::Limits) -> bool {
        let now = Instant::now();
        if self
            .since
            .is_none_or(|since| now - since > limits.flood_window)
        {
            self.since = Some(now);
            self.count = 0;
        }
        self.count += 1;
        self.count > limits.flood
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
