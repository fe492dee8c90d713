//! Two people in a long call at 720p: how old what they see is, and what it
//! costs.

use super::codec;
use super::page::{Grid, Page, ages};
use super::talk;
use crate::people::{Failure, Person, Town};
use crate::{Target, Work, row};
use sotto_media::console::{CallStats, PictureOut};
use sotto_wire::RoomId;
use std::time::{Duration, Instant};

/// What is looked at.
pub const HD: Grid = Grid {
    width: 1280,
    height: 720,
};
const FPS: u32 = 30;
const WHILE: Duration = Duration::from_secs(20);

/// Two people with a room.
pub struct Pair {
    town: Town,
    pub alice: Person,
    pub bob: Person,
    pub room: RoomId,
}

impl Pair {
    pub async fn arrives() -> Result<Self, Failure> {
        let town = Town::founded().await?;
        let mut people = vec![
            talk::arrives(&town, "Alice", 440).await?,
            talk::arrives(&town, "Bob", 660).await?,
        ];
        let room = town.room_of(&mut people).await?;
        let (Some(bob), Some(alice)) = (people.pop(), people.pop()) else {
            return Err("two people".into());
        };
        Ok(Self {
            town,
            alice,
            bob,
            room,
        })
    }

    pub async fn leaves(self) {
        self.alice.engine.stop().await;
        self.bob.engine.stop().await;
        self.town.ends().await;
    }
}

/// What was measured while they talked.
struct Talk {
    /// What one of them sends.
    sent: PictureOut,
    /// Processor time of one of them, as a part of a core.
    load: f64,
}

pub async fn measure(mut pair: Pair) -> Result<(), Failure> {
    let talk = talks(&mut pair).await?;
    pair.leaves().await;
    let alone = codec::alone(talk.sent, 2)?;
    let percent = |part: f64| format!("{:.1} %", part * 100.0);
    let whole = talk.load - alone.drawing;
    row(
        "720p30 sent and received, with sound, without the test picture's drawing",
        &format!("{} of a core", percent(whole)),
        Some(Target {
            words: "≤ 45 %",
            met: whole <= 0.45,
        }),
    );
    row(
        &format!(
            "codecs alone for the same, {} kbit/s",
            talk.sent.bitrate / 1000
        ),
        &format!(
            "VP8 {}, Opus {}",
            percent(alone.video),
            percent(alone.sound)
        ),
        None,
    );
    let rest = whole - alone.video - alone.sound;
    row(
        "everything but the codecs",
        &format!("{} of a core", percent(rest)),
        Some(Target {
            words: "≤ 6 %",
            met: rest <= 0.06,
        }),
    );
    Ok(())
}

async fn talks(pair: &mut Pair) -> Result<Talk, Failure> {
    let Pair {
        alice, bob, room, ..
    } = pair;
    talk::starts(alice, *room).await?;
    let call = talk::rings(bob).await?;
    talk::joins(bob, *room, call).await?;
    let mut pages = Vec::new();
    for person in [&mut *alice, &mut *bob] {
        let peers = talk::connected(person, 1).await?;
        pages.push(Page::opens(person.engine.media(), &peers, HD));
    }
    let full = |stats: &CallStats| {
        let sent = stats.own.camera;
        sent.is_some_and(|out| out.height == HD.height && out.fps + 2 >= FPS)
    };
    for person in [&*alice, &*bob] {
        talk::measures(person.engine.media(), full).await?;
    }

    let (begun, work) = (Instant::now(), Work::begin());
    tokio::time::sleep(WHILE).await;
    let load = work.took().as_secs_f64() / begun.elapsed().as_secs_f64() / 2.0;
    let ended = Instant::now();

    let seen: Vec<_> = pages.iter().flat_map(Page::seen).collect();
    let ages = ages(&seen, begun, ended);
    let (median, slow) = (ages.median(), ages.at(0.95));
    for (what, took, words, most) in [
        ("median", median, "≤ 70 ms", 70.0),
        ("p95", slow, "≤ 110 ms", 110.0),
    ] {
        row(
            &format!("capture → shown, 720p30, {what}"),
            &format!("{took:.0} ms"),
            Some(Target {
                words,
                met: took <= most,
            }),
        );
    }
    let stats = alice.engine.media().stats().await;
    let sent = stats.own.camera.ok_or("no camera")?;
    for person in [&*bob, &*alice] {
        talk::leaves(person, *room, call).await?;
    }
    Ok(Talk { sent, load })
}
