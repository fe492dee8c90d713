//! The data channel: messages of [`Control`] both ways. Before it opens, the
//! newest message of each stream waits.

use super::control::{self, Control};
use super::{PeerEvent, VideoKind};
use bytes::BytesMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// Messages of the peer looked at in a second.
const MESSAGES: u32 = 50;

/// Runs until the channel closes; returns whether the other end closed it.
pub(super) async fn run(
    channel: Arc<dyn DataChannel>,
    mut says: mpsc::Receiver<Control>,
    events: mpsc::Sender<PeerEvent>,
    strange: Arc<AtomicU64>,
) -> bool {
    let mut open = false;
    let mut waiting: [Option<Control>; 2] = [None; 2];
    let mut budget = Budget::new(Instant::now());
    loop {
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnOpen) => {
                    open = true;
                    for control in waiting.iter_mut().filter_map(Option::take) {
                        send(&*channel, control).await;
                    }
                }
                Some(DataChannelEvent::OnMessage(message)) => {
                    let fits = !message.is_string
                        && message.data.len() <= control::LONGEST
                        && budget.spend(Instant::now());
                    match Control::decode(&message.data).filter(|_| fits) {
                        Some(control) => {
                            if events.try_send(PeerEvent::Says(control)).is_err() {
                                strange.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        None => {
                            strange.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                Some(DataChannelEvent::OnClose) => return true,
                Some(_) => {}
                None => return false,
            },
            control = says.recv() => match control {
                Some(control) if open => send(&*channel, control).await,
                Some(control) => waiting[place(control)] = Some(control),
                None => return false,
            },
        }
    }
}

async fn send(channel: &dyn DataChannel, control: Control) {
    let octets = BytesMut::from(&control.encode()[..]);
    if channel.send(octets).await.is_err() {
        tracing::debug!("a message for a data channel that is closing");
    }
}

fn place(control: Control) -> usize {
    match control {
        Control::Shows { kind, .. } => match kind {
            VideoKind::Camera => 0,
            VideoKind::Screen => 1,
        },
    }
}

/// So many messages in each second.
struct Budget {
    since: Instant,
    left: u32,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            left: MESSAGES,
        }
    }

    fn spend(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}
