//! The link to one relay: a task that signs in, keeps a WebSocket open, and
//! tries again when it breaks.
//!
//! | state | ends by | then |
//! |---|---|---|
//! | connecting | signed in | connected |
//! | connecting | any failure | waiting |
//! | connected | close, error, 90 s of silence | waiting |
//! | waiting | time, or "try now" | connecting |
//! | any | its handle is dropped | over |
//!
//! The link decides nothing about content: it hands frames to the engine's
//! loop and sends what that says. Signatures are the client's; the link asks
//! for them. Neither tokens nor addresses are logged.

mod backoff;
mod dial;
mod net;
mod session;
mod socket;
mod task;
mod tls;

#[cfg(test)]
mod tests;

pub use net::{NetSocket, Sockets};

use crate::api::LinkStatus;
use backoff::Backoff;
use net::NetDial;
use sotto_wire::{
    Bytes, Millis, RelayAddress, RelayFrame, UserId, WireError,
    auth::{DeviceCertificate, Tokens},
    codec::Envelope,
    frame::Token,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Frames from all relays that wait for the engine. Each may be a megabyte, so
/// raising it costs memory; lowering it stalls a relay while others are busy.
pub const INBOX: usize = 32;
/// Bytes that wait to go out to one relay. Beyond it the relay takes nothing
/// any more, and the connection is cut; the outbox sends it all again.
const OUTBOX_BYTES: usize = 64 * 1024 * 1024;
/// How long a link that is stopped may take to send what it still holds.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What a link says to the engine's loop.
#[derive(Debug)]
pub struct FromLink {
    pub relay: RelayAddress,
    /// Which link to this relay; one that was stopped may still be heard.
    pub link: u64,
    pub said: Said,
}

#[derive(Debug)]
pub enum Said {
    Status(LinkStatus),
    /// Signed in. Frames for this connection can be sent.
    Up {
        connection: u64,
    },
    Down,
    Frame(Envelope<RelayFrame>),
    /// Not a frame.
    Garbled(WireError),
    /// The relay's time, before anything is signed.
    Clock(Millis),
    /// A sign-in wants the client's signature.
    Sign {
        challenge: Bytes,
        signed: oneshot::Sender<Signed>,
    },
    /// To be kept for the next start; `None`: forget what is kept.
    Tokens(Option<Tokens>),
}

/// What a sign-in shows.
#[derive(Debug)]
pub struct Signed {
    pub certificate: DeviceCertificate,
    pub signature: Bytes,
    /// The invite code, where one is kept for this relay.
    pub admission: Option<Token>,
}

/// What a link needs to start.
pub struct LinkSetup {
    pub relay: RelayAddress,
    pub link: u64,
    pub user: UserId,
    pub tokens: Option<Tokens>,
    pub seed: [u8; 32],
    pub wall: fn() -> Millis,
    pub engine: mpsc::Sender<FromLink>,
}

/// A running link. Dropped, it ends.
pub struct LinkHandle {
    pub link: u64,
    out: mpsc::UnboundedSender<Out>,
    held: Arc<AtomicUsize>,
    orders: mpsc::Sender<Order>,
    task: tokio::task::JoinHandle<()>,
}

/// A frame on its way out, for one connection only: what was meant for an
/// earlier one is derived again from the outbox.
struct Out {
    connection: u64,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Try now, or see whether the connection is still alive.
    ReconnectNow,
    /// Give this connection up.
    Cut,
    /// The network is another: this connection leads nowhere. Try anew.
    Moved,
}

/// Starts a link on `runtime`.
pub fn start(setup: LinkSetup, runtime: &tokio::runtime::Handle) -> LinkHandle {
    let dial = NetDial::new(setup.relay.clone());
    start_with(setup, dial, runtime)
}

fn start_with<D: dial::Dial>(
    setup: LinkSetup,
    dial: D,
    runtime: &tokio::runtime::Handle,
) -> LinkHandle {
    let (out, outgoing) = mpsc::unbounded_channel();
    let (orders, ordered) = mpsc::channel(4);
    let held = Arc::new(AtomicUsize::new(0));
    let link = setup.link;
    let backoff = Backoff::new(setup.seed);
    let outgoing = socket::Outgoing::new(outgoing, held.clone());
    let task = runtime.spawn(task::Task::new(setup, dial, outgoing, ordered, backoff).run());
    LinkHandle {
        link,
        out,
        held,
        orders,
        task,
    }
}

impl LinkHandle {
    /// Queues a frame for one connection.
    pub fn send(&self, connection: u64, text: String) {
        if self.held.load(Ordering::Relaxed) > OUTBOX_BYTES {
            tracing::warn!("a relay takes nothing; its connection is cut");
            return self.order(Order::Cut);
        }
        self.held.fetch_add(text.len(), Ordering::Relaxed);
        let _ = self.out.send(Out { connection, text });
    }

    pub fn reconnect_now(&self) {
        self.order(Order::ReconnectNow);
    }

    pub fn moved(&self) {
        self.order(Order::Moved);
    }

    /// Ends the link when what it holds is sent, or cannot be in time.
    pub async fn stop(self) {
        let Self {
            orders, mut task, ..
        } = self;
        drop(orders);
        if tokio::time::timeout(LAST_WORDS + LAST_WORDS, &mut task)
            .await
            .is_err()
        {
            task.abort();
        }
    }

    /// A full queue already holds an order that does as well.
    fn order(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }
}
