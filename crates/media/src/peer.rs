//! One peer connection: negotiation, ICE, DTLS-SRTP, packets, bandwidth
//! estimate. One for each remote end of a call.
//!
//! It obeys: who is called, whose candidates are used and when a new path is
//! sought is the client's to decide. It neither encrypts frames nor decodes
//! them, and buffers no audio: sealed frames go in and come out.
//!
//! ```text
//! send_audio ──────────────────> at once ─┐
//! send_video → cut (RFC 7741) → pacing ───┴→ RTP → DTLS-SRTP → ICE → network
//! network → ICE → DTLS-SRTP → RTP ─┬→ Heard
//!                                  └→ order, requests, whole frames → Seen
//! ```

mod assembly;
mod channel;
mod control;
mod description;
mod estimate;
mod feedback;
mod gathering;
mod guard;
mod identity;
mod keeper;
mod measuring;
mod names;
mod order;
mod pacing;
mod packets;
mod receiving;
mod sending;
mod setup;
#[cfg(test)]
mod siege;
mod signals;
mod stats;
mod wires;

pub use control::Control;
#[cfg(test)]
pub(crate) use estimate::{BELIEVED, SMALLEST_PICTURE};
pub use identity::{Identity, NoIdentity};
pub use stats::{PathKind, PeerStats, Setup, StreamStats};

use crate::video::VideoKind;
use bytes::Bytes;
use sotto_client::call::media::{Candidate, Description, Fingerprint, Paths, PeerFailure};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

/// Orders that may wait; the client's are few.
const ORDERS: usize = 256;
/// Audio packets that may wait to leave: more is a stall.
const VOICES: usize = 25;
/// Video frames that may wait to be cut up.
const FRAMES: usize = 16;

/// How to reach one remote end.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Whether we make the offers; the other end answers.
    pub offers: bool,
    pub paths: Paths,
    pub identity: Identity,
    /// Where the estimate begins and how far it goes, in bit/s.
    pub start_rate: u32,
    pub most_rate: u32,
}

impl PeerConfig {
    /// With the usual rates.
    pub fn new(offers: bool, paths: Paths, identity: Identity) -> Self {
        Self {
            offers,
            paths,
            identity,
            start_rate: 800_000,
            most_rate: 6_000_000,
        }
    }
}

/// What a peer connection reports.
#[derive(Debug, Clone)]
pub enum PeerEvent {
    /// Our description, to be sealed and sent.
    Described(Description),
    /// A candidate of ours; `None` ends the list of this generation.
    Gathered(Option<Candidate>),
    /// Packets go both ways. The certificates as the handshake showed them.
    /// Again after each interruption that ended.
    Connected {
        local: Fingerprint,
        remote: Fingerprint,
    },
    /// Nothing comes through at the moment; paths are still tried.
    Interrupted,
    /// It is over: nothing follows.
    Failed(PeerFailure),
    /// One sealed Opus packet.
    Heard(Heard),
    /// One whole sealed VP8 frame, in order.
    Seen(Seen),
    /// The other end cannot go on without a key frame of this stream.
    KeyframeWanted(VideoKind),
    /// What all streams together may send now, in bit/s.
    Estimate(u32),
    /// What the other end says about its display.
    Says(Control),
}

/// One audio packet as it came, in order of arrival.
#[derive(Debug, Clone)]
pub struct Heard {
    pub data: Bytes,
    /// RTP sequence number; wraps.
    pub sequence: u16,
    /// 48 kHz; wraps.
    pub rtp_time: u32,
    /// The first of a talk spurt.
    pub first: bool,
    pub arrived: Instant,
}

/// One video frame.
#[derive(Debug, Clone)]
pub struct Seen {
    pub kind: VideoKind,
    pub data: Bytes,
    pub keyframe: bool,
    /// 90 kHz; wraps.
    pub rtp_time: u32,
    /// When it was whole.
    pub arrived: Instant,
}

/// What the session asks of a connection.
enum Order {
    Describe(Description),
    AddCandidate(Candidate),
    Restart,
    Reroute(Paths),
    AskKeyframe(VideoKind),
    Off(VideoKind, bool),
    Say(Control),
    Close,
}

/// A frame on its way to the pacer.
struct VideoOut {
    kind: VideoKind,
    data: Bytes,
    keyframe: bool,
    rtp_time: u32,
}

struct AudioOut {
    data: Bytes,
    rtp_time: u32,
    first: bool,
}

/// The handle of one connection. Nothing here waits. Dropping it closes.
pub struct Peer {
    orders: mpsc::Sender<Order>,
    audio: mpsc::Sender<AudioOut>,
    video: mpsc::Sender<VideoOut>,
    stats: Arc<Mutex<PeerStats>>,
}

impl Peer {
    /// Begins to connect. Must be called within a Tokio runtime. Media that
    /// `events` has no room for is dropped and counted; everything else waits.
    pub fn connect(config: PeerConfig, events: mpsc::Sender<PeerEvent>) -> Self {
        let (orders, ordered) = mpsc::channel(ORDERS);
        let (audio, voices) = mpsc::channel(VOICES);
        let (video, frames) = mpsc::channel(FRAMES);
        let stats = Arc::new(Mutex::new(PeerStats::default()));
        let inputs = keeper::Inputs {
            orders: ordered,
            voices,
            frames,
        };
        tokio::spawn(keeper::run(config, inputs, events, Arc::clone(&stats)));
        Self {
            orders,
            audio,
            video,
            stats,
        }
    }

    /// The other end's description. To an offer an answer is reported; an
    /// unusable one ends the connection.
    pub fn describe(&self, description: Description) {
        self.order(Order::Describe(description));
    }

    /// A candidate of the other end; may come before its description.
    pub fn add_candidate(&self, candidate: Candidate) {
        self.order(Order::AddCandidate(candidate));
    }

    /// Seeks a new path with new sockets, and reports a fresh offer.
    pub fn restart(&self) {
        self.order(Order::Restart);
    }

    /// How packets may travel from the next restart on.
    pub fn reroute(&self, paths: Paths) {
        self.order(Order::Reroute(paths));
    }

    /// The decoder needs a key frame. Asking often does no harm.
    pub fn ask_keyframe(&self, kind: VideoKind) {
        self.order(Order::AskKeyframe(kind));
    }

    /// Whether the other end says that it sends nothing here: nothing is put
    /// together or asked for then. On again, it begins with a key frame.
    pub fn set_off(&self, kind: VideoKind, off: bool) {
        self.order(Order::Off(kind, off));
    }

    /// Tells the other end something over the data channel.
    pub fn say(&self, control: Control) {
        self.order(Order::Say(control));
    }

    /// Sends one sealed Opus packet. Dropped while not connected.
    pub fn send_audio(&self, data: Bytes, rtp_time: u32, first: bool) {
        let _ = self.audio.try_send(AudioOut {
            data,
            rtp_time,
            first,
        });
    }

    /// Sends one sealed VP8 frame. Delta frames are dropped while a key frame
    /// is needed first; then [`PeerEvent::KeyframeWanted`] tells.
    pub fn send_video(&self, kind: VideoKind, data: Bytes, keyframe: bool, rtp_time: u32) {
        let _ = self.video.try_send(VideoOut {
            kind,
            data,
            keyframe,
            rtp_time,
        });
    }

    /// The newest numbers, at most a second old.
    pub fn stats(&self) -> PeerStats {
        self.stats
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Ends the connection; nothing is reported after.
    pub fn close(&self) {
        self.order(Order::Close);
    }

    fn order(&self, order: Order) {
        if self.orders.try_send(order).is_err() {
            tracing::debug!("an order for a peer connection that is over or stuck");
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<peer>")
    }
}
