//! What arrives from one end: opened, and handed to the speaker and to the
//! tiles. Runs in a task of its own, so that a slow call does not hold up
//! another end.

use super::tiles::Tiles;
use crate::audio::{ReceivedAudio, Voice};
use crate::console::{FrameCounts, PictureIn, SoundIn, TileId};
use crate::peer::{Heard, Peer as Connection, PeerEvent, Seen};
use crate::sealing::{OpenError, Opener, Stream};
use crate::video::{EncodedVideo, ReceiverEvent, Tile, VideoKind, VideoReceiver};
use bytes::Bytes;
use sotto_client::call::media::{MediaKey, Peer, Sending};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long frames may be without their key before it counts as missing: keys
/// travel another way than frames, and may be a little later.
const KEY_PATIENCE: Duration = Duration::from_millis(700);
/// Events of one end that wait.
pub const EVENTS: usize = 4096;

/// One connection to one end; another may come after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub peer: Peer,
    /// In this call.
    pub number: u64,
}

/// What the session must know of an end, besides what the client must.
#[derive(Debug, Clone)]
pub enum Notable {
    Connection(PeerEvent),
    KeyMissing(u64),
    KeyFound,
}

/// One end's way in.
pub struct Incoming {
    line: Line,
    began: Instant,
    tiles: Arc<Tiles>,
    /// `None`: nothing can be heard of anybody.
    voice: Option<Voice>,
    state: Mutex<State>,
    /// When the first picture could be seen: decoded, and on screen here. Written
    /// where pictures are decoded.
    first_picture: Arc<OnceLock<Duration>>,
}

#[derive(Default)]
struct State {
    opener: Opener,
    pictures: BTreeMap<VideoKind, VideoReceiver>,
    /// What they say that they send; `None`: they said nothing yet.
    expected: Option<Sending>,
    /// What of it is on screen here.
    shown: BTreeSet<VideoKind>,
    /// Since when frames come under a key that is not here, and whether that
    /// was said.
    missing: Option<(Instant, bool)>,
    first_sound: Option<Duration>,
}

impl Incoming {
    pub fn new(line: Line, tiles: Arc<Tiles>, voice: Option<Voice>) -> Self {
        Self {
            line,
            began: Instant::now(),
            tiles,
            voice,
            state: Mutex::default(),
            first_picture: Arc::default(),
        }
    }

    pub fn add_key(&self, key: &MediaKey) {
        self.state().opener.add_key(key);
    }

    pub fn forget_below(&self, kid: u64) {
        self.state().opener.forget_below(kid);
    }

    /// What they say that they send.
    pub fn expect(&self, sending: Sending) {
        if let Some(voice) = &self.voice {
            voice.set_muted(!sending.microphone);
        }
        let mut state = self.state();
        state.expected = Some(sending);
        for (kind, receiver) in &state.pictures {
            receiver.set_off(state.is_off(*kind));
        }
    }

    /// Whether it is on screen here.
    pub fn show(&self, kind: VideoKind, shown: bool) {
        let mut state = self.state();
        match shown {
            true => state.shown.insert(kind),
            false => state.shown.remove(&kind),
        };
        if let Some(receiver) = state.pictures.get(&kind) {
            receiver.set_hidden(!shown);
        }
    }

    pub fn set_volume(&self, factor: f32) {
        if let Some(voice) = &self.voice {
            voice.set_volume(factor);
        }
    }

    /// Loudness in dBFS and whether they speak.
    pub fn level(&self) -> Option<(f32, bool)> {
        let stats = self.voice.as_ref()?.stats();
        Some((stats.level_db, stats.speaking))
    }

    /// Takes events until there are no more. Media stays here, the rest goes on.
    pub async fn run(
        self: Arc<Self>,
        connection: Arc<Connection>,
        mut events: mpsc::Receiver<PeerEvent>,
        notable: mpsc::Sender<(Line, Notable)>,
    ) {
        while let Some(event) = events.recv().await {
            let noted = match event {
                PeerEvent::Heard(heard) => self.hear(heard),
                PeerEvent::Seen(seen) => self.see(seen, &connection),
                other => Some(Notable::Connection(other)),
            };
            // Waits: an end that says too much fills its own queue only.
            if let Some(noted) = noted
                && notable.send((self.line, noted)).await.is_err()
            {
                return;
            }
        }
    }

    fn hear(&self, heard: Heard) -> Option<Notable> {
        let (opened, noted) = self.open(Stream::Audio, &heard.data);
        let Some((data, _)) = opened else {
            return noted;
        };
        self.state().first_sound.get_or_insert(self.began.elapsed());
        if let Some(voice) = &self.voice {
            voice.push(ReceivedAudio {
                data,
                sequence: heard.sequence,
                rtp_time: heard.rtp_time,
                arrived: heard.arrived,
            });
        }
        noted
    }

    fn see(&self, seen: Seen, connection: &Arc<Connection>) -> Option<Notable> {
        let (opened, noted) = self.open(seen.kind.into(), &seen.data);
        let mut state = self.state();
        if state.is_off(seen.kind) {
            return noted;
        }
        let hidden = !state.shown.contains(&seen.kind);
        let pictures = &mut state.pictures;
        let Some((data, keyframe)) = opened else {
            // What follows refers to it.
            if let Some(receiver) = pictures.get(&seen.kind) {
                receiver.lost();
            } else {
                connection.ask_keyframe(seen.kind);
            }
            return noted;
        };
        let frame = EncodedVideo {
            data,
            keyframe,
            rtp_time: seen.rtp_time,
        };
        match pictures.entry(seen.kind) {
            Entry::Occupied(receiver) => receiver.get().push(frame),
            Entry::Vacant(place) => {
                if let Some(receiver) = self.receiver(seen.kind, connection) {
                    receiver.set_hidden(hidden);
                    place.insert(receiver).push(frame);
                }
            }
        }
        noted
    }

    fn receiver(&self, kind: VideoKind, connection: &Arc<Connection>) -> Option<VideoReceiver> {
        let id = match kind {
            VideoKind::Camera => TileId::Camera(self.line.peer),
            VideoKind::Screen => TileId::Screen(self.line.peer),
        };
        let tile = Arc::new(Tile::default());
        let connection = Arc::downgrade(connection);
        let (began, first) = (self.began, self.first_picture.clone());
        let started = VideoReceiver::start(kind, tile.clone(), move |event| match event {
            ReceiverEvent::NeedsKeyframe => {
                if let Some(connection) = connection.upgrade() {
                    connection.ask_keyframe(kind);
                }
            }
            ReceiverEvent::FirstPicture => {
                first.get_or_init(|| began.elapsed());
            }
            ReceiverEvent::Resized(_) => {}
        });
        match started {
            Ok(receiver) => {
                self.tiles.put(id, tile);
                Some(receiver)
            }
            Err(error) => {
                tracing::error!(%error, "pictures cannot be decoded");
                None
            }
        }
    }

    /// The frame, if it opened, and what is worth a word about keys.
    fn open(&self, stream: Stream, wire: &[u8]) -> (Option<(Bytes, bool)>, Option<Notable>) {
        let mut state = self.state();
        match state.opener.open(stream, wire) {
            Ok(frame) => {
                let said = matches!(state.missing.take(), Some((_, true)));
                let found = said.then_some(Notable::KeyFound);
                (Some((frame.data, frame.keyframe)), found)
            }
            Err(OpenError::UnknownKey(kid)) => {
                let (since, said) = state.missing.get_or_insert((Instant::now(), false));
                let missing = !*said && since.elapsed() >= KEY_PATIENCE;
                *said |= missing;
                (None, missing.then_some(Notable::KeyMissing(kid)))
            }
            Err(error) => {
                tracing::debug!(%error, ?stream, "a frame was refused");
                (None, None)
            }
        }
    }

    pub fn sound(&self) -> SoundIn {
        let Some(stats) = self.voice.as_ref().map(Voice::stats) else {
            return SoundIn::default();
        };
        SoundIn {
            jitter_ms: stats.jitter_ms,
            delay_ms: stats.delay_ms,
            concealed_ms: stats.concealed_ms,
            played_ms: stats.played_ms,
        }
    }

    pub fn picture(&self, kind: VideoKind) -> Option<PictureIn> {
        let stats = self.state().pictures.get(&kind)?.stats();
        Some(PictureIn {
            width: stats.size.width,
            height: stats.size.height,
            fps: stats.fps,
            decoded: stats.pictures,
            dropped: stats.dropped,
            freezes: stats.freezes,
            frozen_ms: u64::try_from(stats.frozen.as_millis()).unwrap_or(u64::MAX),
        })
    }

    pub fn frames(&self) -> FrameCounts {
        let counts = self.state().opener.counts();
        FrameCounts {
            opened: counts.opened,
            forged: counts.forged,
            replayed: counts.replayed,
            malformed: counts.malformed,
            without_key: counts.unknown_key,
        }
    }

    /// From the beginning to the first sound and the first picture.
    pub fn firsts(&self) -> (Option<Duration>, Option<Duration>) {
        (self.state().first_sound, self.first_picture.get().copied())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_off(&self, kind: VideoKind) -> bool {
        self.expected.is_some_and(|sending| match kind {
            VideoKind::Camera => !sending.camera,
            VideoKind::Screen => sending.screen.is_none(),
        })
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.tiles.remove_peer(self.line.peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::pattern::{self, Style};
    use crate::peer::{Identity, PeerConfig};
    use crate::sealing::Sealer;
    use crate::video::vp8::{Encoder, Settings};
    use crate::video::{Content, Size};
    use sotto_client::call::media::Paths;
    use sotto_wire::{DeviceId, UserId};

    const SIZE: Size = Size::new(320, 180);
    /// Only ends a test that hangs.
    const PATIENCE: Duration = Duration::from_secs(30);
    const ALICE: Peer = Peer {
        user: UserId([1; 32]),
        device: DeviceId([1; 16]),
    };

    fn keyframe() -> Bytes {
        let mut encoder = Encoder::new(Settings {
            size: SIZE,
            fps: 30,
            bitrate: 800_000,
            content: Content::Camera,
        })
        .expect("an encoder");
        let picture = pattern::draw(Style::Warm, SIZE, 0, 0, Instant::now());
        let encoded = encoder.encode(&picture.expect("a picture"), 0, true);
        encoded.expect("encoded").expect("a frame").data
    }

    fn connection() -> Arc<Connection> {
        let identity = Identity::generate().expect("a certificate");
        let config = PeerConfig::new(false, Paths::default(), identity);
        Arc::new(Connection::connect(config, mpsc::channel(EVENTS).0))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_first_picture_is_the_first_that_could_be_seen() {
        let key = MediaKey::new(1, [7; 32]);
        let mut sealer = Sealer::new();
        sealer.set_key(&key).expect("a key");
        let (connection, tiles) = (connection(), Arc::<Tiles>::default());
        let line = Line {
            peer: ALICE,
            number: 1,
        };
        let bob = Incoming::new(line, tiles.clone(), None);
        bob.add_key(&key);
        bob.show(VideoKind::Camera, true);
        let mut comes = |frame: &[u8]| {
            let data = sealer.seal(Stream::Camera, true, frame).expect("sealed");
            let seen = Seen {
                kind: VideoKind::Camera,
                data,
                keyframe: true,
                rtp_time: 0,
                arrived: Instant::now(),
            };
            bob.see(seen, &connection);
        };
        // It opens, and is nothing to look at.
        comes(b"no picture");
        assert_eq!(bob.frames().opened, 1);
        assert_eq!(bob.firsts().1, None);

        comes(&keyframe());
        let tile = tiles.get(&TileId::Camera(ALICE)).expect("a tile");
        assert!(tile.wait(0, PATIENCE).is_some(), "a picture");
        let stamped = async {
            while bob.firsts().1.is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, stamped).await.expect("now");
    }
}
