//! What leaves: audio at once, video cut up and paced, numbered as it goes.
//! Nothing leaves before the other end's certificate was found to be right.

use super::pacing::{Pacer, Waiting};
use super::setup::Outlet;
use super::{AudioOut, PeerEvent, VideoOut, packets};
use crate::video::VideoKind;
use bytes::Bytes;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::media_stream::track_local::TrackLocal;

/// Key frames are not wished for faster than this.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(300);

/// Whether packets may leave, and under which payload types: audio, camera,
/// screen.
pub(super) type Gate = Option<[u8; 3]>;

/// What left on one stream.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub packets: AtomicU64,
    pub bytes: AtomicU64,
    pub frames: AtomicU64,
}

/// One numbered stream.
struct Line {
    outlet: Outlet,
    sequence: u16,
    sent: Arc<Sent>,
}

pub(super) struct Sending {
    pub gate: watch::Receiver<Gate>,
    pub rate: watch::Receiver<u32>,
    pub events: mpsc::Sender<PeerEvent>,
    /// All packets together, for the estimator.
    pub count: Arc<AtomicU64>,
}

pub(super) struct Inputs {
    pub voices: mpsc::Receiver<AudioOut>,
    pub frames: mpsc::Receiver<VideoOut>,
}

/// Runs until an input or the gate is dropped.
pub(super) async fn run(
    sending: Sending,
    mut inputs: Inputs,
    outlets: [Outlet; 3],
    sent: [Arc<Sent>; 3],
) {
    let mut out = Out::new(sending, outlets, sent);
    loop {
        let now = Instant::now();
        let wake = out.pacer.wake_at(now);
        tokio::select! {
            biased;
            voice = inputs.voices.recv() => match voice {
                Some(voice) => out.voice(voice).await,
                None => return,
            },
            () = until(wake), if wake.is_some() => out.release().await,
            frame = inputs.frames.recv() => match frame {
                Some(frame) => out.frame(frame),
                None => return,
            },
            changed = out.sending.rate.changed() => match changed {
                Ok(()) => {
                    let rate = *out.sending.rate.borrow_and_update();
                    out.pacer.set_rate(rate);
                }
                Err(_) => return,
            },
            changed = out.sending.gate.changed() => if changed.is_err() {
                return;
            },
        }
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}

struct Out {
    sending: Sending,
    lines: [Line; 3],
    pacer: Pacer,
    pictures: [u16; 2],
    /// A decoder at the other end has no beginning, by stream.
    needs_key: [bool; 2],
    /// Something of it has been sent, by stream.
    opened: [bool; 2],
    wished_at: [Option<Instant>; 2],
}

impl Out {
    fn new(sending: Sending, outlets: [Outlet; 3], sent: [Arc<Sent>; 3]) -> Self {
        let rate = *sending.rate.borrow();
        let mut sent = sent.into_iter();
        let lines = outlets.map(|outlet| Line {
            sequence: outlet.ssrc as u16,
            outlet,
            sent: sent.next().unwrap_or_default(),
        });
        Self {
            pacer: Pacer::new(rate),
            sending,
            lines,
            pictures: [0; 2],
            needs_key: [true; 2],
            opened: [false; 2],
            wished_at: [None; 2],
        }
    }

    async fn voice(&mut self, voice: AudioOut) {
        let Some([payload_type, ..]) = *self.sending.gate.borrow() else {
            return;
        };
        self.pacer.passed(voice.data.len(), Instant::now());
        let line = &mut self.lines[0];
        line.sent.frames.fetch_add(1, Ordering::Relaxed);
        line.write(payload_type, voice.data, voice.rtp_time, voice.first)
            .await;
        self.sending.count.fetch_add(1, Ordering::Relaxed);
    }

    fn frame(&mut self, frame: VideoOut) {
        let at = place(frame.kind);
        let fits = !frame.data.is_empty() && frame.data.len() <= packets::LONGEST_FRAME;
        if self.sending.gate.borrow().is_none() || !fits {
            self.needs_key[at] = true;
            return;
        }
        if self.pacer.is_hopeless() {
            self.pacer.clear(frame.kind);
            self.needs_key[at] = true;
        }
        if self.needs_key[at] && !frame.keyframe {
            self.wish(frame.kind);
            return;
        }
        self.needs_key[at] = false;
        self.open(frame.kind, frame.rtp_time);
        self.pictures[at] = self.pictures[at].wrapping_add(1);
        let pieces = packets::cut(&frame.data, self.pictures[at]);
        let last = pieces.len() - 1;
        for (index, payload) in pieces.into_iter().enumerate() {
            self.pacer.push(Waiting {
                kind: frame.kind,
                payload,
                rtp_time: frame.rtp_time,
                marker: index == last,
            });
        }
    }

    /// The library at the other end makes a stream of the first packet it sees
    /// of one, and loses it over that, and what comes right behind it. Let it
    /// be an empty one, with a pause after it: a key frame that lacks a packet
    /// is lost, and the next is a third of a second away.
    fn open(&mut self, kind: VideoKind, rtp_time: u32) {
        if !std::mem::replace(&mut self.opened[place(kind)], true) {
            self.pacer.push(Waiting {
                kind,
                payload: Bytes::new(),
                rtp_time,
                marker: false,
            });
        }
    }

    fn wish(&mut self, kind: VideoKind) {
        let now = Instant::now();
        let wished = &mut self.wished_at[place(kind)];
        if wished.is_some_and(|at| now.saturating_duration_since(at) < KEYFRAME_PAUSE) {
            return;
        }
        *wished = Some(now);
        let _ = self
            .sending
            .events
            .try_send(PeerEvent::KeyframeWanted(kind));
    }

    async fn release(&mut self) {
        while let Some(waiting) = self.pacer.pop(Instant::now()) {
            let at = 1 + place(waiting.kind);
            let Some(types) = *self.sending.gate.borrow() else {
                self.pacer.clear(waiting.kind);
                self.needs_key[place(waiting.kind)] = true;
                continue;
            };
            let line = &mut self.lines[at];
            if waiting.marker {
                line.sent.frames.fetch_add(1, Ordering::Relaxed);
            }
            line.write(types[at], waiting.payload, waiting.rtp_time, waiting.marker)
                .await;
            self.sending.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Line {
    async fn write(&mut self, payload_type: u8, payload: Bytes, timestamp: u32, marker: bool) {
        self.sent.packets.fetch_add(1, Ordering::Relaxed);
        self.sent
            .bytes
            .fetch_add(payload.len() as u64, Ordering::Relaxed);
        self.sequence = self.sequence.wrapping_add(1);
        let packet = Packet {
            header: Header {
                version: 2,
                marker,
                payload_type,
                sequence_number: self.sequence,
                timestamp,
                ssrc: self.outlet.ssrc,
                ..Default::default()
            },
            payload,
        };
        if self.outlet.track.write_rtp(packet).await.is_err() {
            tracing::trace!("a packet for a connection that is closing");
        }
    }
}

fn place(kind: VideoKind) -> usize {
    match kind {
        VideoKind::Camera => 0,
        VideoKind::Screen => 1,
    }
}
