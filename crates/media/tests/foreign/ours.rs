//! Our end, with real codecs: a moving picture and a tone go out, what comes
//! in is decoded.

use super::Foreign;
use bytes::Bytes;
use serde_json::{Value, json};
use sotto_client::call::media::{Candidate, Description, DescriptionKind, Paths};
use sotto_media::audio::{self, PACKET};
use sotto_media::peer::{Identity, Peer, PeerConfig, PeerEvent};
use sotto_media::video::vp8::{Decoder, Encoder, Settings};
use sotto_media::video::{Content, Picture, Size, VideoKind};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const SIZE: Size = Size {
    width: 320,
    height: 180,
};
const LIMIT: Duration = Duration::from_secs(60);
/// Decoded frames that prove a moving picture, and packets of sound.
const FRAMES: u64 = 60;
const LOUD: u32 = 40;

pub struct Ours {
    peer: Peer,
    events: mpsc::Receiver<PeerEvent>,
    foreign: Foreign,
    encoder: Encoder,
    voice: audio::encode::Encoder,
    decoder: Decoder,
    ear: audio::decode::Decoder,
    connected: bool,
    key_next: bool,
    frame: u32,
    packet: u32,
    began: Instant,
    /// Of theirs, decoded by us.
    pictures: u64,
    loud: u32,
    size: Option<Size>,
    report: Value,
}

impl Ours {
    /// Meets the other end and goes through with it.
    pub async fn meet(foreign: Foreign, offers: bool) {
        let paths = Paths {
            loopback: true,
            ..Paths::default()
        };
        let identity = Identity::generate().unwrap();
        let (report, events) = mpsc::channel(4096);
        let peer = Peer::connect(PeerConfig::new(offers, paths, identity), report);
        let settings = Settings {
            size: SIZE,
            fps: 30,
            bitrate: 300_000,
            content: Content::Camera,
        };
        let mut ours = Self {
            peer,
            events,
            foreign,
            encoder: Encoder::new(settings).unwrap(),
            voice: audio::encode::Encoder::new().unwrap(),
            decoder: Decoder::new(),
            ear: audio::decode::Decoder::new().unwrap(),
            connected: false,
            key_next: true,
            frame: 0,
            packet: 0,
            began: Instant::now(),
            pictures: 0,
            loud: 0,
            size: None,
            report: Value::Null,
        };
        ours.tell(json!({"offer": !offers})).await;
        ours.play().await;
    }

    async fn play(&mut self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        let end = Instant::now() + LIMIT;
        while !self.is_done() {
            assert!(Instant::now() < end, "in vain: {}", self.state());
            tokio::select! {
                event = self.events.recv() => {
                    let event = event.unwrap_or_else(|| panic!("over: {}", self.state()));
                    self.event(event).await;
                }
                message = self.foreign.from.recv() => {
                    let message = message.unwrap_or_else(|| panic!("gone: {}", self.state()));
                    self.message(&message);
                }
                _ = ticks.tick() => if self.connected {
                    self.send();
                },
            }
        }
        println!("{}", self.state());
    }

    fn is_done(&self) -> bool {
        self.pictures >= FRAMES
            && self.loud >= LOUD
            && self.report["frames"].as_u64() >= Some(FRAMES)
            && self.report["loud"] == true
            && self.report["width"].as_u64() == Some(SIZE.width.into())
    }

    fn state(&self) -> String {
        format!(
            "connected {}, {} pictures of {:?} and {} loud packets decoded by us; by them: {}; {:?}",
            self.connected,
            self.pictures,
            self.size,
            self.loud,
            self.report,
            self.peer.stats(),
        )
    }

    async fn tell(&self, message: Value) {
        self.foreign.to.send(message).await.unwrap();
    }

    async fn event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Described(description) => {
                let kind = match description.kind {
                    DescriptionKind::Offer => "offer",
                    DescriptionKind::Answer => "answer",
                };
                self.tell(json!({"description": {"type": kind, "sdp": description.sdp}}))
                    .await;
            }
            PeerEvent::Gathered(Some(candidate)) => {
                self.tell(json!({"candidate": {"line": candidate.line, "mid": candidate.mid}}))
                    .await;
            }
            PeerEvent::Connected { .. } => {
                self.connected = true;
                self.began = Instant::now();
            }
            PeerEvent::Failed(why) => panic!("failed: {why:?}"),
            PeerEvent::KeyframeWanted(_) => self.key_next = true,
            PeerEvent::Seen(seen) if seen.kind == VideoKind::Camera => {
                match self.decoder.decode(&seen.data, seen.arrived) {
                    Ok(Some(picture)) => {
                        self.size = Some(picture.size());
                        self.pictures += 1;
                    }
                    Ok(None) => {}
                    Err(_) => self.peer.ask_keyframe(seen.kind),
                }
            }
            PeerEvent::Heard(heard) => {
                if let Ok(samples) = self.ear.decode(&heard.data) {
                    let loudest = samples.iter().fold(0.0_f32, |most, s| most.max(s.abs()));
                    self.loud += u32::from(loudest > 0.02);
                }
            }
            _ => {}
        }
    }

    fn message(&mut self, message: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(description) = message.get("description") {
            let sdp = text(&description["sdp"]);
            let kind = match description["type"].as_str() {
                Some("offer") => DescriptionKind::Offer,
                _ => DescriptionKind::Answer,
            };
            let candidates: Vec<_> = sdp
                .lines()
                .filter_map(|line| line.strip_prefix("a="))
                .filter(|line| line.starts_with("candidate:"))
                .map(str::to_owned)
                .collect();
            // Several hashes of one certificate: ours sends and takes one.
            let other = |line: &&str| {
                line.starts_with("a=fingerprint:") && !line.starts_with("a=fingerprint:sha-256 ")
            };
            let lines = sdp.lines().filter(|line| !other(line));
            let sdp = lines.flat_map(|line| [line, "\r\n"]).collect();
            self.peer.describe(Description { kind, sdp });
            for line in candidates {
                self.add(line, "0".to_owned());
            }
        }
        if let Some(candidate) = message.get("candidate") {
            self.add(text(&candidate["line"]), text(&candidate["mid"]));
        }
        if let Some(report) = message.get("report") {
            self.report = report.clone();
        }
        if let Some(error) = message.get("error") {
            panic!("the other end: {error}");
        }
    }

    fn add(&self, line: String, mid: String) {
        self.peer.add_candidate(Candidate { line, mid });
    }

    fn send(&mut self) {
        let due = self.began.elapsed();
        while Duration::from_millis(20) * self.packet <= due {
            let start = self.packet * PACKET as u32;
            let tone = std::array::from_fn(|i| {
                let time = (start + i as u32) as f32 / 48_000.0;
                (time * 440.0 * std::f32::consts::TAU).sin() * 0.4
            });
            self.packet += 1;
            if let Some(packet) = self.voice.encode(&tone).unwrap() {
                self.peer
                    .send_audio(packet.data, packet.rtp_time, packet.first);
            }
        }
        while Duration::from_millis(33) * self.frame <= due {
            let time = self.frame * 3000;
            let picture = picture(self.frame);
            self.frame += 1;
            let key = std::mem::take(&mut self.key_next);
            let encoded = self.encoder.encode(&picture, time.into(), key).unwrap();
            if let Some(encoded) = encoded {
                let kind = VideoKind::Camera;
                self.peer
                    .send_video(kind, encoded.data, encoded.keyframe, time);
            }
        }
    }
}

/// A bar that wanders over grey.
fn picture(number: u32) -> Picture {
    let (width, height) = (SIZE.width as usize, SIZE.height as usize);
    let mut data = vec![128_u8; width * height * 3 / 2];
    let bar = number as usize * 4 % (width - 20);
    for row in data[..width * height].chunks_exact_mut(width) {
        row[bar..bar + 20].fill(235);
    }
    Picture {
        width: SIZE.width,
        height: SIZE.height,
        data: Bytes::from(data),
        at: Instant::now(),
    }
}
