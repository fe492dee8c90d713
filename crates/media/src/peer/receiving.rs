//! What arrives: each stream is drained by a task of its own, as the driver
//! drops what nobody takes. Audio goes on as it comes; video is put together.

use super::assembly::{Arrival, Assembler, Counts};
use super::{Heard, PeerEvent, Seen};
use crate::video::VideoKind;
use rtc::rtcp::Packet as Rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp::packet::Packet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

/// What arrived on one stream.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub audio: Mutex<AudioCounts>,
    pub video: Mutex<Counts>,
    /// When the first frame was whole.
    pub first_frame: OnceLock<Instant>,
    /// Events that had no room.
    pub overrun: AtomicU64,
    /// The decoder needs a key frame.
    pub keyframe: Notify,
    /// The sender says that it sends nothing here.
    off: AtomicBool,
    turned: Notify,
}

impl Received {
    pub fn set_off(&self, off: bool) {
        self.off.store(off, Ordering::Relaxed);
        self.turned.notify_one();
    }
}

/// Audio by RFC 3550 §6.4.1 and appendix A.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AudioCounts {
    pub packets: u64,
    pub bytes: u64,
    /// Ticks at 48 kHz.
    pub jitter: f64,
    pub expected: u64,
    first: Option<u64>,
    highest: u64,
    transit: Option<i64>,
}

impl AudioCounts {
    fn count(&mut self, place: u64, rtp_time: u32, bytes: usize, since: Duration) {
        self.packets += 1;
        self.bytes += bytes as u64;
        let first = *self.first.get_or_insert(place);
        self.highest = self.highest.max(place);
        self.expected = self.highest.saturating_sub(first) + 1;
        let arrival = (since.as_secs_f64() * 48_000.0) as i64;
        let transit = arrival.wrapping_sub(i64::from(rtp_time));
        if let Some(before) = self.transit.replace(transit) {
            // A talk spurt after silence, or a wrap, is no jitter.
            let step = transit.abs_diff(before) as f64;
            if step < 48_000.0 {
                self.jitter += (step - self.jitter) / 16.0;
            }
        }
    }
}

/// Drains one audio stream until it ends.
pub(super) async fn audio(
    track: Arc<dyn TrackRemote>,
    events: mpsc::Sender<PeerEvent>,
    received: Arc<Received>,
) {
    let began = Instant::now();
    let mut unwrapper = super::order::Unwrapper::default();
    while let Some(packet) = next(&*track).await {
        let arrived = Instant::now();
        let header = &packet.header;
        let place = unwrapper.place(header.sequence_number);
        received
            .audio
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count(
                place,
                header.timestamp,
                packet.payload.len(),
                arrived - began,
            );
        if packet.payload.is_empty() {
            continue;
        }
        let heard = PeerEvent::Heard(Heard {
            sequence: header.sequence_number,
            rtp_time: header.timestamp,
            first: header.marker,
            data: packet.payload,
            arrived,
        });
        if events.try_send(heard).is_err() {
            received.overrun.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Drains one video stream until it ends.
pub(super) async fn video(
    track: Arc<dyn TrackRemote>,
    kind: VideoKind,
    own_ssrc: u32,
    round_trip: watch::Receiver<Option<Duration>>,
    events: mpsc::Sender<PeerEvent>,
    received: Arc<Received>,
) {
    let mut assembler = Assembler::new();
    let mut ssrc = None;
    loop {
        let wake = assembler.wake_at(Instant::now());
        tokio::select! {
            packet = next(&*track) => match packet {
                Some(packet) => {
                    ssrc = Some(packet.header.ssrc);
                    assembler.push(arrival(packet));
                }
                None => return,
            },
            () = received.keyframe.notified() => assembler.ask_keyframe(),
            () = received.turned.notified() => {
                assembler.set_off(received.off.load(Ordering::Relaxed));
            }
            () = until(wake), if wake.is_some() => {}
        }
        if let Some(round_trip) = *round_trip.borrow() {
            assembler.set_round_trip(round_trip);
        }
        let wants = assembler.wants(Instant::now());
        while let Some(frame) = assembler.pop() {
            received.first_frame.get_or_init(Instant::now);
            let seen = PeerEvent::Seen(Seen {
                kind,
                data: frame.data,
                keyframe: frame.keyframe,
                rtp_time: frame.rtp_time,
                arrived: frame.arrived,
            });
            if events.try_send(seen).is_err() {
                received.overrun.fetch_add(1, Ordering::Relaxed);
                // What follows has lost its reference.
                assembler.ask_keyframe();
            }
        }
        *received
            .video
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = assembler.counts();
        let Some(media_ssrc) = ssrc else { continue };
        let mut requests: Vec<Box<dyn Rtcp>> = Vec::new();
        if !wants.resend.is_empty() {
            requests.push(Box::new(TransportLayerNack {
                sender_ssrc: own_ssrc,
                media_ssrc,
                nacks: nack_pairs_from_sequence_numbers(&wants.resend),
            }));
        }
        if wants.keyframe {
            requests.push(Box::new(PictureLossIndication {
                sender_ssrc: own_ssrc,
                media_ssrc,
            }));
        }
        if !requests.is_empty() && track.write_rtcp(requests).await.is_err() {
            return;
        }
    }
}

fn arrival(packet: Packet) -> Arrival {
    Arrival {
        sequence: packet.header.sequence_number,
        rtp_time: packet.header.timestamp,
        marker: packet.header.marker,
        payload: packet.payload,
        at: Instant::now(),
    }
}

async fn next(track: &dyn TrackRemote) -> Option<Packet> {
    loop {
        match track.poll().await? {
            TrackRemoteEvent::OnRtpPacket(packet) => return Some(packet),
            TrackRemoteEvent::OnEnded => return None,
            _ => {}
        }
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}
