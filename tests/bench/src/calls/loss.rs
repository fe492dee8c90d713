//! Two ends across a network that loses packets. Descriptions and candidates
//! are carried by hand here, so that the network can be put between: it is
//! media alone, without client and relay. Frames are sealed as ever.
//!
//! Of some losses a DTLS handshake does not recover. A client makes another
//! connection then; here they begin anew.

use super::page::{Grid, Page};
use super::talk::{ALL, decoded, devices, measures};
use crate::people::Failure;
use crate::{Target, row};
use sotto_client::call::media::{MediaKey, MediaOrder, MediaReport, Paths, Peer};
use sotto_media::audio::Processing;
use sotto_media::console::{CallStats, SoundIn};
use sotto_media::{Media, Setup};
use sotto_outside::weather::{Shaper, Weather, Who};
use sotto_wire::{CallId, DeviceId, UserId};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const CALL: CallId = CallId([5; 16]);
const LOSSY: Weather = Weather {
    loss: 50,
    delay: Duration::from_millis(25),
    jitter: Duration::from_millis(10),
    rate: None,
    dark: false,
};
const SEED: u64 = 0x5077_0105;
/// Of 60 handshakes in this weather, one or two lead nowhere.
const TRIES: u64 = 3;
const TILE: Grid = Grid {
    width: 640,
    height: 360,
};
/// For the estimate and the buffers to find out where they are.
const SETTLE: Duration = Duration::from_secs(5);
const WHILE: Duration = Duration::from_secs(40);

struct End {
    who: Who,
    media: Media,
    reports: UnboundedReceiver<MediaReport>,
}

impl End {
    fn begins(who: Who) -> Self {
        let (tell, reports) = unbounded_channel();
        let setup = Setup {
            choices: devices(440),
            processing: Processing::NONE,
        };
        let media = Media::start(setup, tell);
        let paths = Paths {
            loopback: true,
            ..Paths::default()
        };
        media.order(MediaOrder::Begin { call: CALL, paths });
        let (call, sending) = (CALL, ALL);
        media.order(MediaOrder::Send { call, sending });
        let key = key_of(who);
        media.order(MediaOrder::SealWith { call, key });
        Self {
            who,
            media,
            reports,
        }
    }

    fn connects(&self, to: Who) {
        let (call, peer) = (CALL, peer_of(to));
        let offers = self.who == Who::Alice;
        self.media.order(MediaOrder::Connect { call, peer, offers });
        let key = key_of(to);
        self.media.order(MediaOrder::OpenWith { call, peer, key });
    }
}

fn peer_of(who: Who) -> Peer {
    let number = who as u8;
    Peer {
        user: UserId([number; 32]),
        device: DeviceId([number; 16]),
    }
}

fn key_of(who: Who) -> MediaKey {
    MediaKey::new(1, [who as u8; 32])
}

/// Carries what one end reports to the other, candidates by way of the
/// weather.
async fn carry(from: Who, mut reports: UnboundedReceiver<MediaReport>, to: Media, shaper: Shaper) {
    let (call, peer) = (CALL, peer_of(from));
    while let Some(report) = reports.recv().await {
        match report {
            MediaReport::Described { description, .. } => to.order(MediaOrder::Describe {
                call,
                peer,
                description,
            }),
            MediaReport::Gathered {
                candidate: Some(mut candidate),
                ..
            } => {
                if let Some(line) = shaper.instead_of(from, &candidate.line).await {
                    candidate.line = line;
                    to.order(MediaOrder::AddCandidate {
                        call,
                        peer,
                        candidate,
                    });
                }
            }
            _ => {}
        }
    }
}

/// Two who see each other.
struct Met {
    shaper: Shaper,
    media: [Media; 2],
    pages: [Page; 2],
}

/// `None`: the handshake led nowhere.
async fn meet(seed: u64) -> Result<Option<Met>, Failure> {
    let shaper = Shaper::new(LOSSY, seed).await;
    let (alice, bob) = (End::begins(Who::Alice), End::begins(Who::Bob));
    let media = [alice.media.clone(), bob.media.clone()];
    alice.connects(Who::Bob);
    bob.connects(Who::Alice);
    let pages = [
        Page::opens(&alice.media, &[peer_of(Who::Bob)], TILE),
        Page::opens(&bob.media, &[peer_of(Who::Alice)], TILE),
    ];
    tokio::spawn(carry(Who::Alice, alice.reports, bob.media, shaper.clone()));
    tokio::spawn(carry(Who::Bob, bob.reports, alice.media, shaper.clone()));
    let sees = |stats: &CallStats| stats.peers.iter().any(|end| decoded(end) > 15);
    let gone = |stats: &CallStats| stats.peers.is_empty();
    for end in &media {
        let stats = measures(end, |stats| sees(stats) || gone(stats)).await?;
        if gone(&stats) {
            for end in &media {
                end.stop().await;
            }
            return Ok(None);
        }
    }
    Ok(Some(Met {
        shaper,
        media,
        pages,
    }))
}

pub async fn measure() -> Result<(), Failure> {
    let mut met = None;
    for seed in SEED..SEED + TRIES {
        met = meet(seed).await?;
        if met.is_some() {
            break;
        }
    }
    let Met {
        shaper,
        media,
        pages,
    } = met.ok_or("no handshake came to an end")?;
    tokio::time::sleep(SETTLE).await;

    let (begun, before) = (Instant::now(), sounds(&media).await);
    tokio::time::sleep(WHILE).await;
    let (ended, after) = (Instant::now(), sounds(&media).await);
    let (passed, dropped) = shaper.counts();

    let seen: Vec<_> = pages.iter().flat_map(Page::seen).collect();
    let gaps = seen.iter().map(|looks| looks.longest_gap(begun, ended));
    let longest = gaps.max().unwrap_or(WHILE);
    let pictures: usize = seen
        .iter()
        .map(|looks| looks.between(begun, ended).count())
        .sum();
    let made_up = made_up(&before, &after);
    let lost = dropped as f64 / (passed + dropped).max(1) as f64;
    row(
        &format!(
            "{:.1} % of packets lost, 50 ms round trip: longest freeze in {} s each way",
            lost * 100.0,
            WHILE.as_secs()
        ),
        &format!(
            "{} ms, {:.1} pictures/s",
            longest.as_millis(),
            pictures as f64 / 2.0 / WHILE.as_secs_f64()
        ),
        Some(Target {
            words: "≤ 500 ms",
            met: longest <= Duration::from_millis(500),
        }),
    );
    row(
        "the same: sound that had to be made up",
        &format!("{:.2} %", made_up * 100.0),
        Some(Target {
            words: "≤ 3 %",
            met: made_up <= 0.03,
        }),
    );
    for media in &media {
        media.stop().await;
    }
    Ok(())
}

async fn sounds(media: &[Media]) -> Vec<SoundIn> {
    let mut sounds = Vec::new();
    for media in media {
        let stats = media.stats().await;
        sounds.extend(stats.peers.iter().map(|end| end.sound));
    }
    sounds
}

/// The part of all sound between two looks that was made up.
pub fn made_up(before: &[SoundIn], after: &[SoundIn]) -> f64 {
    let sum = |of: fn(&SoundIn) -> u64| {
        let total = |sounds: &[SoundIn]| sounds.iter().map(of).sum::<u64>();
        total(after).saturating_sub(total(before)) as f64
    };
    sum(|sound| sound.concealed_ms) / sum(|sound| sound.played_ms).max(1.0)
}
