//! One open WebSocket: its greeting, its frames both ways, its heartbeat, its
//! fresh tokens, its end.
//!
//! Reading and writing go on side by side in one task: a relay that takes
//! nothing is still heard, and one that says nothing is still written to.

use super::{
    LAST_WORDS, Order, Out, Said,
    dial::{Dial, Refusal},
    session::Session,
};
use crate::api::{LinkProblem, LinkStatus};
use futures_util::{Sink, SinkExt, StreamExt};
use sotto_wire::{
    ClientFrame, ErrorCode, Millis, RelayFrame, WireError,
    auth::Tokens,
    codec::{self, Envelope},
    limits,
};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as WsError, Message,
        error::ProtocolError,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Time within which the relay greets.
const GREETING: Duration = Duration::from_secs(15);
/// Time within which the relay takes one frame.
const WRITE: Duration = Duration::from_secs(60);
const HEARTBEAT: Duration = Duration::from_millis(limits::HEARTBEAT);
const SILENCE: Duration = Duration::from_millis(limits::SILENCE);
/// "Try now" on an open connection: how long it may take to prove itself.
const PROOF: Duration = Duration::from_secs(5);
/// Between two tries for a fresh token.
const RENEW_AGAIN: Duration = Duration::from_secs(30);
/// The relay's word for "the credential does not hold any more".
const UNAUTHENTICATED: u16 = 4401;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The link is over.
    Stopped,
    /// Before the relay greeted us.
    NeverUp(LinkProblem),
    Lost(LinkProblem),
    /// The network is another.
    Moved,
}

/// Frames that wait to go out, and how many bytes they are.
pub struct Outgoing {
    queue: mpsc::UnboundedReceiver<Out>,
    held: Arc<AtomicUsize>,
}

impl Outgoing {
    pub fn new(queue: mpsc::UnboundedReceiver<Out>, held: Arc<AtomicUsize>) -> Self {
        Self { queue, held }
    }

    /// The next frame for this connection. Pends when there is none, also when
    /// there never will be one.
    async fn next(&mut self, connection: u64) -> String {
        while let Some(out) = self.queue.recv().await {
            self.held.fetch_sub(out.text.len(), Ordering::Relaxed);
            if out.connection == connection {
                return out.text;
            }
        }
        std::future::pending().await
    }

    fn try_next(&mut self, connection: u64) -> Option<String> {
        while let Ok(out) = self.queue.try_recv() {
            self.held.fetch_sub(out.text.len(), Ordering::Relaxed);
            if out.connection == connection {
                return Some(out.text);
            }
        }
        None
    }
}

/// Something that goes on beside everything else.
type Coming<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the reading half has the writing half send.
enum Own {
    Frame(ClientFrame),
    /// Everything that is queued, then goodbye.
    Finish,
}

/// Lives one connection to its end.
pub async fn live<D: Dial>(
    socket: WebSocketStream<D::Io>,
    connection: u64,
    session: &mut Session,
    dial: &Arc<D>,
    outgoing: &mut Outgoing,
    orders: &mut mpsc::Receiver<Order>,
) -> Ended {
    let (sink, mut stream) = socket.split();
    let greeting = tokio::select! {
        greeted = timeout(GREETING, greeting(&mut stream)) => match greeted {
            Ok(Ok(greeting)) => greeting,
            Ok(Err(why)) => {
                session.spent |= why == LinkProblem::Refused;
                return Ended::NeverUp(why);
            }
            Err(_) => return Ended::NeverUp(LinkProblem::NotARelay),
        },
        ended = over(orders) => return ended,
    };
    let renew_at = Instant::now() + renew_after(session, &greeting);
    let up = [
        Said::Status(LinkStatus::Connected),
        Said::Up { connection },
        Said::Frame(greeting),
    ];
    for said in up {
        if session.say(said).await.is_err() {
            return Ended::Stopped;
        }
    }
    tracing::info!("connected to a relay");
    let (own, owned) = mpsc::unbounded_channel();
    let writing = write(sink, connection, owned, outgoing);
    tokio::pin!(writing);
    let mut reading = Reading {
        session,
        dial,
        own,
        heard: Instant::now(),
        pinged: Instant::now(),
        dead_at: None,
        renew_at: Some(renew_at),
        renewal: None,
        renewed: false,
    };
    loop {
        let ended = tokio::select! {
            written = &mut writing => Some(Ended::Lost(match written {
                Ok(()) => LinkProblem::ClosedByRelay,
                Err(why) => why,
            })),
            ended = reading.step(&mut stream, orders) => ended,
        };
        match ended {
            Some(Ended::Stopped) => {
                let _ = reading.own.send(Own::Finish);
                let _ = timeout(LAST_WORDS, &mut writing).await;
                return Ended::Stopped;
            }
            Some(ended) => return ended,
            None => {}
        }
    }
}

struct Reading<'a, D> {
    session: &'a mut Session,
    dial: &'a Arc<D>,
    own: mpsc::UnboundedSender<Own>,
    heard: Instant,
    pinged: Instant,
    /// Something must be heard by then.
    dead_at: Option<Instant>,
    renew_at: Option<Instant>,
    renewal: Option<Coming<Result<Tokens, Refusal>>>,
    /// A fresh token was shown and not yet acknowledged.
    renewed: bool,
}

impl<D: Dial> Reading<'_, D> {
    /// One thing that happens; `Some` if it was the end.
    async fn step<S>(&mut self, stream: &mut S, orders: &mut mpsc::Receiver<Order>) -> Option<Ended>
    where
        S: StreamExt<Item = Result<Message, WsError>> + Unpin,
    {
        let silent_at = self.dead_at.unwrap_or(self.heard + SILENCE);
        let ping_at = self.heard.max(self.pinged) + HEARTBEAT;
        tokio::select! {
            message = stream.next() => {
                self.heard = Instant::now();
                self.dead_at = None;
                self.hear(message).await
            }
            () = sleep_until(silent_at) => {
                tracing::info!("a relay fell silent");
                Some(Ended::Lost(LinkProblem::Unreachable))
            }
            () = sleep_until(ping_at) => {
                self.ping();
                None
            }
            () = at(self.renew_at) => {
                self.renew();
                None
            }
            renewed = done(&mut self.renewal) => {
                self.renewal = None;
                self.show(renewed).await
            }
            order = orders.recv() => match order {
                Some(Order::ReconnectNow) => {
                    self.ping();
                    self.dead_at.get_or_insert(Instant::now() + PROOF);
                    None
                }
                Some(Order::Cut) => Some(Ended::Lost(LinkProblem::SlowReader)),
                Some(Order::Moved) => Some(Ended::Moved),
                None => Some(Ended::Stopped),
            },
        }
    }

    fn ping(&mut self) {
        self.pinged = Instant::now();
        let _ = self.own.send(Own::Frame(ClientFrame::Ping));
    }

    async fn hear(&mut self, message: Option<Result<Message, WsError>>) -> Option<Ended> {
        let said = match message {
            None => return Some(Ended::Lost(LinkProblem::ClosedByRelay)),
            Some(Err(error)) => return Some(Ended::Lost(broken(&error))),
            Some(Ok(Message::Close(frame))) => return Some(Ended::Lost(self.closed(frame))),
            // Tungstenite answers pings by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return None,
            Some(Ok(Message::Binary(_))) => {
                Said::Garbled(WireError::new(ErrorCode::InvalidFormat, "binary message"))
            }
            Some(Ok(Message::Text(text))) => match codec::decode::<RelayFrame>(&text) {
                Ok(Envelope {
                    frame: RelayFrame::Pong,
                    ..
                }) => return None,
                Ok(
                    greeting @ Envelope {
                        frame: RelayFrame::AuthOk { .. },
                        ..
                    },
                ) if self.renewed => {
                    self.renewed = false;
                    self.renew_at = Some(Instant::now() + renew_after(self.session, &greeting));
                    return None;
                }
                Ok(Envelope {
                    frame: RelayFrame::AuthError { .. },
                    ..
                }) => {
                    self.session.spent = true;
                    return Some(Ended::Lost(LinkProblem::Refused));
                }
                Ok(envelope) => Said::Frame(envelope),
                Err(error) => Said::Garbled(error),
            },
        };
        self.session.say(said).await.err().map(|_| Ended::Stopped)
    }

    fn closed(&mut self, frame: Option<CloseFrame>) -> LinkProblem {
        let code = frame.map_or(1005, |frame| u16::from(frame.code));
        tracing::debug!(code, "a relay closed");
        self.session.spent |= code == UNAUTHENTICATED;
        closed_by(code)
    }

    fn renew(&mut self) {
        self.renew_at = None;
        let Some(tokens) = &self.session.tokens else {
            return;
        };
        let (dial, refresh) = (self.dial.clone(), tokens.refresh.clone());
        self.renewal = Some(Box::pin(async move { dial.refresh(refresh).await }));
    }

    async fn show(&mut self, renewed: Result<Tokens, Refusal>) -> Option<Ended> {
        match renewed {
            Ok(tokens) => {
                let token = tokens.access.clone();
                if self.session.keep(Some(tokens)).await.is_err() {
                    return Some(Ended::Stopped);
                }
                self.renewed = true;
                let _ = self.own.send(Own::Frame(ClientFrame::Auth { token }));
                None
            }
            // The family is revoked; only a new sign-in helps.
            Err(Refusal::Credential) => {
                self.session.spent = true;
                Some(Ended::Lost(LinkProblem::Refused))
            }
            Err(Refusal::Problem { why, .. }) => {
                tracing::debug!(?why, "no fresh token yet");
                self.renew_at = Some(Instant::now() + RENEW_AGAIN);
                None
            }
        }
    }
}

/// The relay's first frame: `auth.ok`, or why not.
async fn greeting<S>(stream: &mut S) -> Result<Envelope<RelayFrame>, LinkProblem>
where
    S: StreamExt<Item = Result<Message, WsError>> + Unpin,
{
    loop {
        let text = match stream.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(frame))) => {
                return Err(closed_by(frame.map_or(1005, |f| u16::from(f.code))));
            }
            Some(Ok(_)) => return Err(LinkProblem::NotARelay),
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(LinkProblem::ClosedByRelay),
        };
        return match codec::decode::<RelayFrame>(&text) {
            Ok(envelope) => match &envelope.frame {
                RelayFrame::AuthOk { .. } => Ok(envelope),
                RelayFrame::AuthError {
                    code: ErrorCode::Forbidden,
                    ..
                } => Err(LinkProblem::NotAdmitted),
                RelayFrame::AuthError { .. } | RelayFrame::Error(_) => Err(LinkProblem::Refused),
                _ => Err(LinkProblem::NotARelay),
            },
            Err(_) => Err(LinkProblem::NotARelay),
        };
    }
}

async fn write<S>(
    mut sink: S,
    connection: u64,
    mut own: mpsc::UnboundedReceiver<Own>,
    outgoing: &mut Outgoing,
) -> Result<(), LinkProblem>
where
    S: Sink<Message, Error = WsError> + Unpin,
{
    loop {
        let text = tokio::select! {
            biased;
            own = own.recv() => match own {
                Some(Own::Frame(frame)) => codec::encode(&frame.into()),
                Some(Own::Finish) | None => break,
            },
            text = outgoing.next(connection) => text,
        };
        send(&mut sink, Message::text(text)).await?;
    }
    while let Some(text) = outgoing.try_next(connection) {
        send(&mut sink, Message::text(text)).await?;
    }
    let goodbye = CloseFrame {
        code: CloseCode::Away,
        reason: "".into(),
    };
    send(&mut sink, Message::Close(Some(goodbye))).await
}

async fn send<S>(sink: &mut S, message: Message) -> Result<(), LinkProblem>
where
    S: Sink<Message, Error = WsError> + Unpin,
{
    match timeout(WRITE, sink.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(LinkProblem::Unreachable),
    }
}

/// When the token should be renewed, by the relay's own clock.
fn renew_after(session: &Session, greeting: &Envelope<RelayFrame>) -> Duration {
    let expires = session.tokens.as_ref().map_or(0, |tokens| tokens.expires);
    let now = match greeting.frame {
        RelayFrame::AuthOk { server_time, .. } => server_time,
        _ => (session.wall)(),
    };
    part_of(expires.saturating_sub(now))
}

/// Four fifths of a token's life, within reason: clocks may be wrong.
fn part_of(life: Millis) -> Duration {
    Duration::from_millis((life / 5).saturating_mul(4))
        .clamp(RENEW_AGAIN, Duration::from_secs(12 * 3600))
}

fn broken(error: &WsError) -> LinkProblem {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => LinkProblem::ClosedByRelay,
        WsError::Io(_) | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            LinkProblem::Unreachable
        }
        WsError::Tls(_) => LinkProblem::Tls,
        _ => LinkProblem::NotARelay,
    }
}

fn closed_by(code: u16) -> LinkProblem {
    match code {
        UNAUTHENTICATED => LinkProblem::Refused,
        1013 => LinkProblem::SlowReader,
        _ => LinkProblem::ClosedByRelay,
    }
}

/// Until an order ends even what is not up yet.
async fn over(orders: &mut mpsc::Receiver<Order>) -> Ended {
    loop {
        match orders.recv().await {
            None => return Ended::Stopped,
            Some(Order::Moved) => return Ended::Moved,
            Some(Order::ReconnectNow | Order::Cut) => {}
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn done<T>(future: &mut Option<Coming<T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
