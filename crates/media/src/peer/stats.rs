//! The numbers of one connection. No address is among them.

use serde::Serialize;
use std::time::{Duration, Instant};

/// How packets travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    #[default]
    Unknown,
    /// From machine to machine.
    Direct,
    /// Through a TURN server, at one end or both.
    Relayed,
    /// Through a TURN server that this end reaches over TCP.
    RelayedTcp,
}

/// A connection by numbers. Rates in bit/s, times in ms.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PeerStats {
    pub path: PathKind,
    pub round_trip_ms: Option<f64>,
    /// What may be sent.
    pub estimate: u32,
    pub setup: Setup,
    pub audio_out: StreamStats,
    pub camera_out: StreamStats,
    pub screen_out: StreamStats,
    pub audio_in: StreamStats,
    pub camera_in: StreamStats,
    pub screen_in: StreamStats,
    /// Messages of the other end that were not understood.
    pub strange_messages: u64,
    /// Media that came faster than it was taken.
    pub overrun: u64,
}

/// One stream in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct StreamStats {
    pub packets: u64,
    /// Of payload.
    pub bytes: u64,
    /// Over the last second.
    pub bitrate: u32,
    /// Share of packets lost lately, before they were sent again.
    pub loss: f64,
    pub lost: u64,
    pub jitter_ms: f64,
    /// Whole frames; audio: packets.
    pub frames: u64,
    /// Requests for lost packets: made by the receiving, heard by the sending.
    pub resends: u64,
    /// Requests for key frames, likewise.
    pub keyframe_requests: u64,
    /// Times a picture could not go on without a key frame.
    pub breaks: u64,
}

/// When the steps of connecting were done, in ms from its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Setup {
    pub described_ms: Option<f64>,
    pub answered_ms: Option<f64>,
    pub ice_ms: Option<f64>,
    pub dtls_ms: Option<f64>,
    pub first_packet_ms: Option<f64>,
    pub first_frame_ms: Option<f64>,
}

/// Notes the first time something happened.
pub(super) fn note(step: &mut Option<f64>, began: Instant) {
    step.get_or_insert_with(|| millis(began.elapsed()));
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
