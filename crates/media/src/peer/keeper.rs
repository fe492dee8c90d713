//! The task that owns one connection: it performs orders one after the other
//! and reports what the library says.
//!
//! | state | leaves when |
//! |---|---|
//! | describing | both descriptions are in place |
//! | connecting | DTLS is done and its certificate is the described one → connected |
//! | connected | no packets for 3 s → interrupted |
//! | interrupted | packets again → connected |
//! | over | (a failure was reported, or it was closed) |

mod connecting;
mod describing;

use super::channel;
use super::feedback::Feedback;
use super::gathering;
use super::measuring::Meter;
use super::receiving::Received;
use super::sending::{self, Gate, Sent};
use super::setup::{self, Made, Rates};
use super::signals::{Signal, Signals};
use super::stats::{PeerStats, note};
use super::wires::Signs;
use super::{AudioOut, Control, Order, PeerConfig, PeerEvent, VideoOut};
use crate::video::VideoKind;
use sotto_client::call::media::{Candidate, Fingerprint, PeerFailure};
use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{PeerConnection, RTCPeerConnectionState};

/// From both descriptions to a working path.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// From a working path to a finished handshake. The library says a lost flight
/// again each second, but of some losses its two ends do not recover: a new
/// connection is quicker than to wait until it gives up, after eight.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);

/// The library's part in closing may take so long.
const CLOSING: Duration = Duration::from_secs(5);

/// Wishes of the peer for a key frame heard this often.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(250);

/// Messages to the peer that may wait.
const SAYINGS: usize = 32;

pub(super) struct Inputs {
    pub orders: mpsc::Receiver<Order>,
    pub voices: mpsc::Receiver<AudioOut>,
    pub frames: mpsc::Receiver<VideoOut>,
}

/// Runs one connection until it is over.
pub(super) async fn run(
    config: PeerConfig,
    mut inputs: Inputs,
    events: mpsc::Sender<PeerEvent>,
    stats: Arc<Mutex<PeerStats>>,
) {
    let began = Instant::now();
    let (told, mut signals) = mpsc::unbounded_channel();
    let rates = Rates {
        start: config.start_rate,
        most: config.most_rate,
    };
    let handler = Arc::new(Signals(told));
    let made = match setup::make(&config.paths, &config.identity, &rates, handler).await {
        Ok(made) => made,
        Err(_) => {
            // No socket could be bound, or the system is out of something.
            tracing::warn!("a peer connection cannot be made");
            let _ = events.send(PeerEvent::Failed(PeerFailure::NoPath)).await;
            return;
        }
    };
    let signs = made.bare.signs.clone();
    let (mut keeper, mut feedback, mut estimate) =
        Keeper::new(config, made, events, stats, began, &mut inputs);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut step = keeper.begin().await;
    while step.is_continue() {
        step = tokio::select! {
            biased;
            order = inputs.orders.recv() => match order {
                Some(order) => keeper.order(order).await,
                None => ControlFlow::Break(()),
            },
            Some(signal) = signals.recv() => keeper.signal(signal).await,
            () = signs.refused.notified() => keeper.fail(PeerFailure::Certificate).await,
            // By an error, or by a panic over something that the peer sent.
            () = signs.ended.notified() => keeper.fail(PeerFailure::Silent).await,
            Some(ended) = keeper.tasks.join_next() => match ended {
                Ok(Ended::Channel) => keeper.fail(PeerFailure::Silent).await,
                Ok(Ended::Other) => ControlFlow::Continue(()),
                Err(_) => keeper.fail(PeerFailure::Silent).await,
            },
            Some(heard) = feedback.recv() => keeper.feedback(heard).await,
            Ok(()) = estimate.changed() => {
                let rate = estimate.borrow_and_update().rate;
                keeper.estimated(rate)
            }
            _ = ticks.tick() => keeper.tick().await,
        };
    }
    keeper.tasks.abort_all();
    let closing = tokio::time::timeout(CLOSING, keeper.connection.close());
    if !matches!(closing.await, Ok(Ok(()))) {
        tracing::debug!("a peer connection did not close cleanly");
    }
}

/// What a task of the connection was.
enum Ended {
    /// The data channel, closed by the other end or with the whole driver.
    Channel,
    Other,
}

struct Keeper {
    config: PeerConfig,
    connection: Arc<dyn PeerConnection>,
    senders: [Arc<dyn webrtc::rtp_transceiver::RtpSender>; 3],
    ssrcs: [u32; 3],
    events: mpsc::Sender<PeerEvent>,
    began: Instant,
    tasks: JoinSet<Ended>,
    says: mpsc::Sender<Control>,
    gate: watch::Sender<Gate>,
    rate: watch::Sender<u32>,
    round_trip: watch::Sender<Option<Duration>>,
    received: [Arc<Received>; 3],
    meter: Meter,
    signs: Signs,

    /// The certificate that the peer's first description promised.
    expected: Option<Fingerprint>,
    mids: Option<[String; 4]>,
    /// An offer of ours is out.
    offered: bool,
    early: VecDeque<Candidate>,
    candidates: usize,
    /// Relayed addresses of ours that are reached over TCP.
    tunnelled: BTreeSet<(String, u16)>,
    described_at: Option<Instant>,
    ice_at: Option<Instant>,
    connected: bool,
    was_connected: bool,
    /// Streams that came before the certificate was looked at.
    held: Vec<Arc<dyn TrackRemote>>,
    wished: [Option<Instant>; 2],
}

type Step = ControlFlow<()>;
const ON: Step = ControlFlow::Continue(());

impl Keeper {
    fn new(
        config: PeerConfig,
        made: Made,
        events: mpsc::Sender<PeerEvent>,
        stats: Arc<Mutex<PeerStats>>,
        began: Instant,
        inputs: &mut Inputs,
    ) -> (
        Self,
        mpsc::Receiver<Feedback>,
        watch::Receiver<super::estimate::Estimate>,
    ) {
        let Made {
            bare,
            estimate,
            feedback,
            sent: count,
        } = made;
        let mut tasks = JoinSet::new();
        let (says, said) = mpsc::channel(SAYINGS);
        let strange = Arc::new(AtomicU64::new(0));
        let talk = channel::run(bare.channel, said, events.clone(), Arc::clone(&strange));
        tasks.spawn(async move {
            talk.await;
            Ended::Channel
        });
        let (gate, gate_read) = watch::channel(None);
        let (rate, rate_read) = watch::channel(config.start_rate);
        let (round_trip, _) = watch::channel(None);
        let senders = bare.outlets.each_ref().map(|o| Arc::clone(&o.sender));
        let ssrcs = bare.outlets.each_ref().map(|o| o.ssrc);
        let sent: [Arc<Sent>; 3] = Default::default();
        let received: [Arc<Received>; 3] = Default::default();
        let sending = sending::Sending {
            gate: gate_read,
            rate: rate_read,
            events: events.clone(),
            count,
        };
        let leaving = sending::Inputs {
            voices: take(&mut inputs.voices),
            frames: take(&mut inputs.frames),
        };
        let leave = sending::run(sending, leaving, bare.outlets, sent.clone());
        tasks.spawn(async move {
            leave.await;
            Ended::Other
        });
        let meter = Meter::new(
            stats,
            sent,
            received.clone(),
            strange,
            ssrcs,
            config.start_rate,
        );
        let keeper = Self {
            connection: bare.connection,
            senders,
            ssrcs,
            events,
            began,
            tasks,
            says,
            gate,
            rate,
            round_trip,
            received,
            meter,
            signs: bare.signs,
            expected: None,
            mids: None,
            offered: false,
            early: VecDeque::new(),
            candidates: 0,
            tunnelled: BTreeSet::new(),
            described_at: None,
            ice_at: None,
            connected: false,
            was_connected: false,
            held: Vec::new(),
            wished: [None; 2],
            config,
        };
        (keeper, feedback, estimate)
    }

    async fn begin(&mut self) -> Step {
        if self.config.offers {
            return self.offer().await;
        }
        ON
    }

    async fn order(&mut self, order: Order) -> Step {
        match order {
            Order::Describe(description) => self.describe(description).await,
            Order::AddCandidate(candidate) => self.candidate(candidate).await,
            Order::Restart => self.restart().await,
            Order::Reroute(paths) => self.reroute(paths).await,
            Order::AskKeyframe(kind) => {
                self.received[1 + place(kind)].keyframe.notify_one();
                ON
            }
            Order::Off(kind, off) => {
                self.received[1 + place(kind)].set_off(off);
                ON
            }
            Order::Say(control) => {
                if self.says.try_send(control).is_err() {
                    tracing::debug!("too many messages wait for a peer");
                }
                ON
            }
            Order::Close => ControlFlow::Break(()),
        }
    }

    async fn signal(&mut self, signal: Signal) -> Step {
        match signal {
            Signal::Candidate { line, at, url } => {
                if self.is_tunnel(&url) {
                    self.tunnelled.insert(at);
                }
                if let Some(line) = gathering::telling(&line, &self.config.paths) {
                    let mid = self.mids.as_ref().map_or("0", |mids| &mids[0]).to_owned();
                    let candidate = Candidate { line, mid };
                    self.report(PeerEvent::Gathered(Some(candidate))).await;
                }
            }
            Signal::GatheringDone => self.report(PeerEvent::Gathered(None)).await,
            Signal::IceConnected => {
                self.ice_at.get_or_insert_with(Instant::now);
                self.meter
                    .setup(|setup| note(&mut setup.ice_ms, self.began));
            }
            Signal::State(state) => return self.state(state).await,
            Signal::Track(track) => {
                self.held.push(track);
                if self.connected {
                    self.take_tracks().await;
                }
            }
        }
        ON
    }

    async fn state(&mut self, state: RTCPeerConnectionState) -> Step {
        match state {
            RTCPeerConnectionState::Connected => self.now_connected().await,
            RTCPeerConnectionState::Failed if self.was_connected => {
                self.fail(PeerFailure::Silent).await
            }
            RTCPeerConnectionState::Failed => self.fail(PeerFailure::NoPath).await,
            RTCPeerConnectionState::Closed => ControlFlow::Break(()),
            _ => {
                if self.connected {
                    self.connected = false;
                    self.report(PeerEvent::Interrupted).await;
                }
                ON
            }
        }
    }

    async fn feedback(&mut self, feedback: Feedback) -> Step {
        if let Feedback::Keyframe { ssrc } = feedback {
            let kind = match self.ssrcs.iter().position(|&s| s == ssrc) {
                Some(1) => VideoKind::Camera,
                Some(2) => VideoKind::Screen,
                _ => return ON,
            };
            let now = Instant::now();
            let wished = &mut self.wished[place(kind)];
            if wished.is_none_or(|at| now.saturating_duration_since(at) >= KEYFRAME_PAUSE) {
                *wished = Some(now);
                let _ = self.events.try_send(PeerEvent::KeyframeWanted(kind));
            }
        }
        if let Some(round_trip) = self.meter.heard(feedback) {
            self.round_trip.send_replace(Some(round_trip));
        }
        ON
    }

    fn estimated(&mut self, rate: u32) -> Step {
        self.meter.estimated(rate);
        let before = *self.rate.borrow();
        if rate.abs_diff(before) * 50 >= before {
            self.rate.send_replace(rate);
            let _ = self.events.try_send(PeerEvent::Estimate(rate));
        }
        ON
    }

    async fn tick(&mut self) -> Step {
        let now = Instant::now();
        let late = |since: Option<Instant>, within| {
            since.is_some_and(|at| now.saturating_duration_since(at) >= within)
        };
        if !self.was_connected {
            if late(self.ice_at, HANDSHAKE_WITHIN) {
                return self.fail(PeerFailure::Silent).await;
            }
            if self.ice_at.is_none() && late(self.described_at, CONNECT_WITHIN) {
                return self.fail(PeerFailure::NoPath).await;
            }
        }
        if self.connected {
            self.look_at_path().await;
        }
        self.meter.tick(now, self.began);
        ON
    }

    async fn fail(&mut self, why: PeerFailure) -> Step {
        self.gate.send_replace(None);
        tracing::info!(?why, "a peer connection failed");
        self.report(PeerEvent::Failed(why)).await;
        ControlFlow::Break(())
    }

    async fn report(&self, event: PeerEvent) {
        let _ = self.events.send(event).await;
    }
}

/// The receiver itself, with a closed one left in its place.
fn take<T>(receiver: &mut mpsc::Receiver<T>) -> mpsc::Receiver<T> {
    std::mem::replace(receiver, mpsc::channel(1).1)
}

fn place(kind: VideoKind) -> usize {
    match kind {
        VideoKind::Camera => 0,
        VideoKind::Screen => 1,
    }
}
