//! `GET /v1/turn`: a WebSocket that carries the datagrams of one client to the
//! TURN server and back, for networks that let no UDP through. A binary
//! message is a datagram; there is nothing else to say.
//!
//! Nobody signs in here: what a datagram may do is proven by the credentials
//! inside it. Hence the bounds: so many of one address, and none for longer
//! than a moment without an allocation that lives. That is also how it ends
//! for an account that is barred.

use super::{
    gate::Slot,
    http::{Refused, Shared},
    listener::Entrance,
    meter::Meter,
    socket::{CONTROL_HEAD, Flood, close},
    visitor::{Ends, Visitor},
};
use crate::{
    hub::CloseCode,
    turn::{
        DATAGRAM,
        stream::{Inlet, Outgoing},
        udp::Handle,
    },
};
use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse, Response},
};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use sotto_wire::{ErrorCode, WireError};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// What is read at once.
const READ: usize = 16 * 1024;
/// Most bytes that may come in for one message: some reads full of others,
/// and heads of fragments without end.
const WIRE_MOST: usize = 4 * READ;

/// Everything that can be refused is refused before the upgrade.
pub async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    Extension(ends): Extension<Ends>,
    Extension(entrance): Extension<Entrance>,
    Extension(meter): Extension<Meter>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let turn = shared
        .turn
        .clone()
        .ok_or_else(|| WireError::new(ErrorCode::NotFound, "this relay relays no calls"))?;
    let upgrade = upgrade.map_err(|_| {
        let message = "this is for WebSockets (RFC 6455)";
        WireError::new(ErrorCode::InvalidFormat, message)
    })?;
    let slot = shared.gate.tunnel(visitor.counted())?;
    let alive = shared.alive()?;
    // Behind a proxy the port is the proxy's: nobody is sent anything by it.
    let client = SocketAddr::new(visitor.ip, ends.peer.port());
    let upgrade = upgrade
        .read_buffer_size(READ)
        .max_message_size(DATAGRAM)
        .max_frame_size(DATAGRAM);
    Ok(upgrade
        .on_upgrade(move |socket| async move {
            meter.limit(WIRE_MOST);
            let tunnel = Tunnel {
                shared,
                entrance,
                meter,
                pings: Flood::default(),
            };
            tunnel.run(socket, &turn, client, slot).await;
            drop(alive);
        })
        .into_response())
}

struct Tunnel {
    shared: Arc<Shared>,
    entrance: Entrance,
    /// What has come in since the last whole message.
    meter: Meter,
    /// Native pings and pongs of late.
    pings: Flood,
}

impl Tunnel {
    async fn run(mut self, socket: WebSocket, turn: &Handle, client: SocketAddr, _slot: Slot) {
        let Some((inlet, outgoing)) = turn.enter(client).await else {
            return;
        };
        let (mut sink, mut stream) = socket.split();
        let mut entrance = self.entrance.clone();
        let stuck = self.shared.config.timings.silence;
        let code = tokio::select! {
            code = write(&mut sink, outgoing, stuck) => code,
            code = self.read(&mut stream, &inlet) => code,
            () = entrance.closed() => Some(CloseCode::GoingAway),
        };
        // What was allocated ends before the goodbye is over.
        drop(inlet);
        if let Some(code) = code
            && let Ok(mut socket) = sink.reunite(stream)
        {
            close(&mut socket, code).await;
        }
    }

    /// Until it ends; with a code, if the other side is to be told why.
    async fn read(
        &mut self,
        stream: &mut SplitStream<WebSocket>,
        inlet: &Inlet,
    ) -> Option<CloseCode> {
        let timings = self.shared.config.timings.clone();
        // Twice in a row makes the whole time.
        let every = timings.handshake / 2;
        let mut look = interval_at(Instant::now() + every, every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard_at, mut astray) = (Instant::now(), 0);
        loop {
            tokio::select! {
                message = stream.next() => match self.hear(message) {
                    Heard::Datagram(bytes) => {
                        heard_at = Instant::now();
                        if !inlet.bring(bytes).await {
                            return Some(CloseCode::GoingAway);
                        }
                    }
                    Heard::Nothing => {}
                    Heard::End(code) => return code,
                },
                _ = look.tick() => {
                    if heard_at.elapsed() >= timings.silence {
                        return None;
                    }
                    astray = if inlet.is_home().await { 0 } else { astray + 1 };
                    if astray >= 2 {
                        return Some(CloseCode::Unauthenticated);
                    }
                }
            }
        }
    }

    fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Heard {
        let limits = &self.shared.config.limits;
        match message {
            None | Some(Ok(Message::Close(_))) => Heard::End(None),
            // Beyond the limit, or not WebSocket at all.
            Some(Err(_)) => Heard::End(Some(CloseCode::TooBig)),
            Some(Ok(Message::Text(_))) => Heard::End(Some(CloseCode::Policy)),
            Some(Ok(Message::Binary(bytes))) => {
                self.meter.reset();
                Heard::Datagram(bytes.into())
            }
            Some(Ok(Message::Ping(bytes) | Message::Pong(bytes))) => {
                // They may come between the fragments of a message.
                self.meter.forgive(CONTROL_HEAD + bytes.len());
                match self.pings.is_one(limits.control, limits.flood_window) {
                    true => Heard::End(Some(CloseCode::Policy)),
                    false => Heard::Nothing,
                }
            }
        }
    }
}

enum Heard {
    Datagram(Vec<u8>),
    Nothing,
    End(Option<CloseCode>),
}

/// Sends what the server has for this client, until one of them is gone.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    mut outgoing: Outgoing,
    stuck: Duration,
) -> Option<CloseCode> {
    while let Some(bytes) = outgoing.recv().await {
        let sending = async {
            sink.feed(Message::Binary(bytes.into())).await?;
            // What waits goes in as few packets as it can.
            for _ in 0..outgoing.len() {
                let Ok(more) = outgoing.try_recv() else { break };
                sink.feed(Message::Binary(more.into())).await?;
            }
            sink.flush().await
        };
        if !matches!(timeout(stuck, sending).await, Ok(Ok(()))) {
            return None;
        }
    }
    Some(CloseCode::GoingAway)
}
