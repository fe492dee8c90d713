//! Turns counters into the statistics of a connection, once a second.

use super::feedback::Feedback;
use super::receiving::{AudioCounts, Received};
use super::sending::Sent;
use super::stats::{PathKind, PeerStats, Setup, StreamStats, millis};
use crate::audio::RATE;
use crate::video::CLOCK;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(super) struct Meter {
    stats: Arc<Mutex<PeerStats>>,
    sent: [Arc<Sent>; 3],
    received: [Arc<Received>; 3],
    strange: Arc<AtomicU64>,
    ssrcs: [u32; 3],
    /// What is being gathered; shown at each tick.
    next: PeerStats,
    ticked: Option<Instant>,
    /// Expected and received audio packets at the last tick.
    audio_before: AudioCounts,
}

impl Meter {
    pub(super) fn new(
        stats: Arc<Mutex<PeerStats>>,
        sent: [Arc<Sent>; 3],
        received: [Arc<Received>; 3],
        strange: Arc<AtomicU64>,
        ssrcs: [u32; 3],
        start_rate: u32,
    ) -> Self {
        Self {
            stats,
            sent,
            received,
            strange,
            ssrcs,
            next: PeerStats {
                estimate: start_rate,
                ..PeerStats::default()
            },
            ticked: None,
            audio_before: AudioCounts::default(),
        }
    }

    pub(super) fn setup(&mut self, note: impl FnOnce(&mut Setup)) {
        note(&mut self.next.setup);
        self.show();
    }

    pub(super) fn path(&mut self, path: PathKind) {
        self.next.path = path;
    }

    pub(super) fn estimated(&mut self, rate: u32) {
        self.next.estimate = rate;
    }

    /// Takes in a report of the peer; a round trip that was measured.
    pub(super) fn heard(&mut self, feedback: Feedback) -> Option<Duration> {
        match feedback {
            Feedback::Keyframe { ssrc } => {
                self.outgoing(ssrc)?.keyframe_requests += 1;
                None
            }
            Feedback::Resend { ssrc } => {
                self.outgoing(ssrc)?.resends += 1;
                None
            }
            Feedback::Received {
                ssrc,
                round_trip,
                loss,
                lost,
                jitter,
            } => {
                let clock = if ssrc == self.ssrcs[0] { RATE } else { CLOCK };
                let stream = self.outgoing(ssrc)?;
                stream.loss = loss;
                stream.lost = u64::from(lost);
                stream.jitter_ms = f64::from(jitter) * 1000.0 / f64::from(clock);
                let round_trip = round_trip?;
                self.next.round_trip_ms = Some(millis(round_trip));
                Some(round_trip)
            }
        }
    }

    fn outgoing(&mut self, ssrc: u32) -> Option<&mut StreamStats> {
        let at = self.ssrcs.iter().position(|&s| s == ssrc)?;
        Some(match at {
            0 => &mut self.next.audio_out,
            1 => &mut self.next.camera_out,
            _ => &mut self.next.screen_out,
        })
    }

    pub(super) fn tick(&mut self, now: Instant, began: Instant) {
        let since = self.ticked.replace(now).unwrap_or(began);
        let seconds = now.saturating_duration_since(since).as_secs_f64();
        if seconds < 0.2 {
            return;
        }
        let next = &mut self.next;
        let outs = [
            &mut next.audio_out,
            &mut next.camera_out,
            &mut next.screen_out,
        ];
        for (out, sent) in outs.into_iter().zip(&self.sent) {
            let bytes = sent.bytes.load(Ordering::Relaxed);
            out.bitrate = rate(bytes - out.bytes, seconds);
            out.bytes = bytes;
            out.packets = sent.packets.load(Ordering::Relaxed);
            out.frames = sent.frames.load(Ordering::Relaxed);
        }
        let audio = *lock(&self.received[0].audio);
        audio_in(&mut next.audio_in, &self.audio_before, &audio, seconds);
        self.audio_before = audio;
        let ins = [&mut next.camera_in, &mut next.screen_in];
        for (stream, received) in ins.into_iter().zip(&self.received[1..]) {
            let counts = *lock(&received.video);
            let lost = counts.lost + counts.resends_asked;
            let packets = counts.packets.saturating_sub(stream.packets);
            let missed = lost.saturating_sub(stream.lost + stream.resends);
            stream.loss = share(missed, packets);
            stream.bitrate = rate(counts.bytes - stream.bytes, seconds);
            stream.packets = counts.packets;
            stream.bytes = counts.bytes;
            stream.frames = counts.frames;
            stream.resends = counts.resends_asked;
            stream.keyframe_requests = counts.keyframes_asked;
            stream.breaks = counts.breaks;
            stream.lost = counts.lost;
        }
        next.strange_messages = self.strange.load(Ordering::Relaxed);
        next.overrun = self
            .received
            .iter()
            .map(|r| r.overrun.load(Ordering::Relaxed))
            .sum();
        let first = self
            .received
            .iter()
            .filter_map(|r| r.first_frame.get())
            .min();
        next.setup.first_frame_ms = first.map(|at| millis(at.saturating_duration_since(began)));
        self.show();
    }

    fn show(&self) {
        *lock(&self.stats) = self.next.clone();
    }
}

fn audio_in(stream: &mut StreamStats, before: &AudioCounts, now: &AudioCounts, seconds: f64) {
    let expected = now.expected.saturating_sub(before.expected);
    let came = now.packets.saturating_sub(before.packets);
    stream.loss = share(expected.saturating_sub(came), came);
    stream.lost = now.expected.saturating_sub(now.packets);
    stream.bitrate = rate(now.bytes - before.bytes, seconds);
    stream.packets = now.packets;
    stream.frames = now.packets;
    stream.bytes = now.bytes;
    stream.jitter_ms = now.jitter * 1000.0 / f64::from(RATE);
}

fn rate(bytes: u64, seconds: f64) -> u32 {
    (bytes as f64 * 8.0 / seconds) as u32
}

fn share(missing: u64, came: u64) -> f64 {
    match missing + came {
        0 => 0.0,
        all => missing as f64 / all as f64,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
