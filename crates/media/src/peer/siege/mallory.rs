//! A member of the call who speaks our keys and nothing of our manners: a real
//! connection, with nothing between its hands and what goes into SRTP.

use crate::peer::description::{self, without_candidates};
use crate::peer::setup::{self, Bare};
use crate::peer::signals::{Signal, Signals};
use crate::peer::{Identity, Peer, PeerConfig, PeerEvent};
use bytes::{Bytes, BytesMut};
use rtc::rtcp;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use rtc::shared::error::Error;
use rtc::shared::marshal::{Marshal, MarshalSize, Unmarshal};
use rtc::statistics::StatsSelector;
use sotto_client::call::media::{Candidate, Description, DescriptionKind, Paths};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::peer_connection::{
    RTCIceCandidateInit, RTCPeerConnectionState, RTCSessionDescription, Registry,
};

/// Only ends a test that hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Mallory {
    bare: Bare,
    /// The number of the last packet of each stream.
    numbers: [AtomicU16; 3],
}

/// Whom she meets, and what that one reports.
pub(super) struct Victim {
    pub peer: Peer,
    pub events: mpsc::Receiver<PeerEvent>,
    /// The names of its streams: audio, camera, screen.
    pub ssrcs: [u32; 3],
}

/// Meets somebody, as anybody does.
pub(super) async fn meet() -> (Mallory, Victim) {
    let paths = Paths {
        loopback: true,
        ..Paths::default()
    };
    let identity = || Identity::generate().expect("a certificate");
    let (report, events) = mpsc::channel(4096);
    let peer = Peer::connect(PeerConfig::new(true, paths.clone(), identity()), report);
    let mut victim = Victim {
        peer,
        events,
        ssrcs: [0; 3],
    };
    let (told, mut signals) = mpsc::unbounded_channel();
    let handler = Arc::new(Signals(told));
    let bare = setup::bare(&paths, &identity(), Registry::new(), handler)
        .await
        .expect("a connection");
    let mallory = Mallory {
        bare,
        numbers: Default::default(),
    };
    let meeting = async {
        let (mut here, mut there) = (false, false);
        while !(here && there) {
            tokio::select! {
                event = victim.events.recv() => match event.expect("it lives") {
                    PeerEvent::Described(offer) => {
                        let checked = description::check(&offer.sdp).expect("our own");
                        mallory.bare.signs.names().describe(checked.streams);
                        victim.ssrcs = firsts(&offer.sdp);
                        let answer = mallory.answer(offer).await;
                        victim.peer.describe(answer);
                    }
                    PeerEvent::Gathered(Some(candidate)) => mallory.add(candidate).await,
                    PeerEvent::Connected { .. } => there = true,
                    PeerEvent::Failed(why) => panic!("{why:?}"),
                    _ => {}
                },
                Some(signal) = signals.recv() => match signal {
                    Signal::Candidate { line, .. } => {
                        let mid = "0".to_owned();
                        victim.peer.add_candidate(Candidate { line, mid });
                    }
                    Signal::State(RTCPeerConnectionState::Connected) => here = true,
                    _ => {}
                },
            }
        }
    };
    tokio::time::timeout(PATIENCE, meeting)
        .await
        .expect("they meet");
    (mallory, victim)
}

/// The first stream of each of the first three sections.
fn firsts(sdp: &str) -> [u32; 3] {
    let mut sections = sdp.split("\r\nm=").skip(1).map(|section| {
        let name = section.split("\r\na=ssrc:").nth(1);
        let digits = name.and_then(|name| name.split(' ').next());
        digits
            .and_then(|digits| digits.parse().ok())
            .expect("a name")
    });
    [(); 3].map(|()| sections.next().expect("three sections"))
}

impl Mallory {
    async fn answer(&self, offer: Description) -> Description {
        let connection = &self.bare.connection;
        let answered = async {
            let offer = RTCSessionDescription::offer(offer.sdp)?;
            connection.set_remote_description(offer).await?;
            let answer = connection.create_answer(None).await?;
            let sdp = without_candidates(&answer.sdp);
            connection.set_local_description(answer).await?;
            Ok::<_, webrtc::error::Error>(sdp)
        };
        Description {
            kind: DescriptionKind::Answer,
            sdp: answered.await.expect("an answer"),
        }
    }

    async fn add(&self, candidate: Candidate) {
        let init = RTCIceCandidateInit {
            candidate: candidate.line,
            sdp_mid: Some(candidate.mid),
            ..Default::default()
        };
        let _ = self.bare.connection.add_ice_candidate(init).await;
    }

    /// The name of one of her streams: audio, camera, screen.
    pub fn ssrc(&self, stream: usize) -> u32 {
        self.bare.outlets[stream].ssrc
    }

    /// A packet of one of her streams, so many after the last, ready to be
    /// spoiled.
    pub fn packet(&self, stream: usize, step: u16, payload: Bytes) -> Packet {
        let before = self.numbers[stream].fetch_add(step, Ordering::Relaxed);
        let sequence_number = before.wrapping_add(step);
        Packet {
            header: Header {
                version: 2,
                payload_type: if stream == 0 { 111 } else { 96 },
                sequence_number,
                timestamp: u32::from(sequence_number).wrapping_mul(960),
                ssrc: self.ssrc(stream),
                ..Default::default()
            },
            payload,
        }
    }

    pub async fn send(&self, stream: usize, packet: Packet) {
        let _ = self.bare.outlets[stream].track.write_rtp(packet).await;
    }

    /// These very octets, inside SRTCP.
    pub async fn say(&self, octets: impl Into<Bytes>) {
        let raw: Box<dyn rtcp::Packet> = Box::new(Raw(octets.into()));
        let _ = self.bare.outlets[0].track.write_rtcp(vec![raw]).await;
    }

    /// Octets that came to her from the victim.
    pub async fn received(&self) -> u64 {
        let connection = &self.bare.connection;
        let report = connection.get_stats(Instant::now(), StatsSelector::None);
        let report = report.await;
        report
            .transport()
            .map_or(0, |transport| transport.bytes_received)
    }

    pub async fn message(&self, octets: &[u8]) {
        let _ = self.bare.channel.send(BytesMut::from(octets)).await;
    }
}

/// RTCP that is whatever it is.
#[derive(Debug, Clone)]
struct Raw(Bytes);

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

impl MarshalSize for Raw {
    fn marshal_size(&self) -> usize {
        self.0.len()
    }
}

impl Marshal for Raw {
    fn marshal_to(&self, out: &mut [u8]) -> Result<usize, Error> {
        out[..self.0.len()].copy_from_slice(&self.0);
        Ok(self.0.len())
    }
}

impl Unmarshal for Raw {
    fn unmarshal<B: bytes::Buf>(octets: &mut B) -> Result<Self, Error> {
        Ok(Self(octets.copy_to_bytes(octets.remaining())))
    }
}

impl rtcp::Packet for Raw {
    fn header(&self) -> rtcp::header::Header {
        rtcp::header::Header::default()
    }

    fn destination_ssrc(&self) -> Vec<u32> {
        Vec::new()
    }

    fn raw_size(&self) -> usize {
        self.0.len()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn equal(&self, _: &dyn rtcp::Packet) -> bool {
        false
    }

    fn cloned(&self) -> Box<dyn rtcp::Packet> {
        Box::new(self.clone())
    }
}
