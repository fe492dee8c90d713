//! Writing to a socket until it is closed, and closing it so that the other
//! side learns why.

use crate::{
    hub::{CloseCode, ConnId},
    server::{
        actor::Command,
        http::Shared,
        outlet::{Item, Outflow},
    },
};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// For the other side to take note of a close.
pub const FAREWELL: Duration = Duration::from_secs(2);

/// Empties the outlet into the socket until it is told to close or cannot.
pub async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut flow: Outflow,
    shared: Arc<Shared>,
    conn: ConnId,
) {
    let stuck = shared.config.timings.silence;
    let code = loop {
        let mut closing = flow.closing.clone();
        let closed = async move {
            closing
                .wait_for(Option::is_some)
                .await
                .ok()
                .and_then(|c| *c)
        };
        let item = tokio::select! {
            biased;
            item = flow.items.recv() => item,
            code = closed => break code,
        };
        let (message, size) = match item {
            Some(Item::Text(text)) => {
                let size = text.as_str().len();
                (Message::Text(text), size)
            }
            Some(Item::Ping) => (Message::Ping(Default::default()), 0),
            None => break None,
        };
        let mut closing = flow.closing.clone();
        let overdue = async move {
            match closing.wait_for(|code| code.is_some_and(overtakes)).await {
                Ok(code) => *code,
                Err(_) => None,
            }
        };
        tokio::select! {
            biased;
            sent = timeout(stuck, sink.send(message)) => match sent {
                Ok(Ok(())) => {}
                // Broken, or nobody reads.
                _ => return,
            },
            code = overdue => break code,
        }
        if flow.wrote(size) {
            shared.tell(Command::Drained { conn });
        }
    };
    let Some(code) = code else { return };
    // What is still queued is not to be held while the other side stalls.
    drop(flow);
    let patience = if overtakes(code) { stuck } else { FAREWELL };
    let frame = CloseFrame {
        code: code.number(),
        reason: reason(code).into(),
    };
    let _ = timeout(patience, sink.send(Message::Close(Some(frame)))).await;
}

/// A reader too slow to take what is queued must not hold up its close.
pub fn overtakes(code: CloseCode) -> bool {
    code == CloseCode::TryAgainLater
}

fn reason(code: CloseCode) -> &'static str {
    match code {
        CloseCode::GoingAway => "the relay is stopping",
        CloseCode::Policy => "too many malformed frames",
        CloseCode::TooBig => "the frame is too large",
        CloseCode::TryAgainLater => "come back and resume",
        CloseCode::Unauthenticated => "sign in again",
    }
}

pub async fn close(socket: &mut WebSocket, code: CloseCode) {
    let frame = CloseFrame {
        code: code.number(),
        reason: reason(code).into(),
    };
    let _ = timeout(FAREWELL, async {
        socket.send(Message::Close(Some(frame))).await?;
        // A socket dropped with unread input resets, and the close is lost.
        while let Some(Ok(_)) = socket.recv().await {}
        Ok::<_, axum::Error>(())
    })
    .await;
}

/// Lets the writer say goodbye and the other side hear it.
pub async fn farewell(
    mut stream: SplitStream<WebSocket>,
    mut writer: JoinHandle<()>,
    patience: Duration,
) {
    let _ = timeout(patience, async {
        if !writer.is_finished() {
            let _ = (&mut writer).await;
        }
        while let Some(Ok(_)) = stream.next().await {}
    })
    .await;
    // It would hold its queue for as long as nobody reads.
    writer.abort();
}
