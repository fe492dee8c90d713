//! One WebSocket to the relay, for one socket of the library's: its datagrams
//! there and back, each as one binary message, until nothing is said any more.

use crate::link::{NetSocket, Sockets};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use sotto_wire::limits::DATAGRAM;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::UdpSocket, sync::mpsc, time::timeout};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
};

/// Where relays take datagrams.
const PATH: &str = "/v1/turn";
/// Datagrams that wait to go out. What comes while it is full is lost, so that
/// a slow line does not make everything late.
const QUEUE: usize = 128;
/// The library says something every second over a path that is used.
const SILENCE: Duration = Duration::from_secs(60);
/// Time within which the relay takes what is sent.
const WRITE: Duration = Duration::from_secs(20);
const GOODBYE: Duration = Duration::from_secs(1);
/// What is read at once.
const READ: usize = 16 * 1024;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The relay never said anything by it.
    Useless,
    Over,
}

/// What is to be sent by a line, and what is sent first.
pub fn queue(first: Vec<u8>) -> (mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>) {
    let (out, outgoing) = mpsc::channel(QUEUE);
    let _ = out.try_send(first);
    (out, outgoing)
}

/// Lives until the relay closes it, silence, or `outgoing` ends. What comes
/// from the relay goes `to` the library.
pub async fn live(
    sockets: Arc<Sockets>,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    library: Arc<UdpSocket>,
    to: SocketAddr,
) -> Ended {
    let Some(request) = sockets.request(PATH) else {
        return Ended::Useless;
    };
    let socket = match sockets.open(request, config()).await {
        Ok(socket) => socket,
        Err(refusal) => {
            tracing::debug!(?refusal, "no WebSocket for a call");
            return Ended::Useless;
        }
    };
    let (mut sink, mut stream) = socket.split();
    let mut ended = Ended::Useless;
    tokio::select! {
        () = write(&mut sink, &mut outgoing) => {}
        () = read(&mut stream, &library, to, &mut ended) => {}
    }
    let goodbye = CloseFrame {
        code: CloseCode::Away,
        reason: "".into(),
    };
    let _ = timeout(GOODBYE, sink.send(Message::Close(Some(goodbye)))).await;
    ended
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ)
        .max_message_size(Some(DATAGRAM))
        .max_frame_size(Some(DATAGRAM))
}

async fn write(sink: &mut SplitSink<NetSocket, Message>, outgoing: &mut mpsc::Receiver<Vec<u8>>) {
    while let Ok(Some(bytes)) = timeout(SILENCE, outgoing.recv()).await {
        let sending = async {
            sink.feed(Message::binary(bytes)).await?;
            // What waits goes in as few packets as it can.
            for _ in 0..outgoing.len() {
                let Ok(more) = outgoing.try_recv() else { break };
                sink.feed(Message::binary(more)).await?;
            }
            sink.flush().await?;
            Ok::<_, Error>(())
        };
        if !matches!(timeout(WRITE, sending).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn read(
    stream: &mut SplitStream<NetSocket>,
    library: &UdpSocket,
    to: SocketAddr,
    ended: &mut Ended,
) {
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Binary(bytes) => {
                *ended = Ended::Over;
                // A datagram that cannot be sent is lost.
                let _ = library.send_to(&bytes, to).await;
            }
            Message::Close(_) | Message::Text(_) => return,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}
