//! From a yes to the first picture, over and over; and the same between other
//! people's ends, in the same run.

use super::page;
use super::pair::{HD, Pair};
use super::talk::{self, peer_of};
use crate::people::Failure;
use crate::{Samples, Target, row};
use sotto_client::call::view::CallView;
use sotto_media::Shown;
use sotto_media::console::TileId;
use sotto_media::device::pattern;
use std::path::Path;
use std::time::{Duration, Instant};

const CALLS: u32 = 11;
const TARGET_MS: f64 = 150.0;
/// How often it is looked whether the picture is there.
const LOOK: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(20);

/// Folders in which foreign ends are installed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Foreign<'a> {
    pub libwebrtc: Option<&'a Path>,
    pub aiortc: Option<&'a Path>,
}

pub async fn measure(pair: &mut Pair, foreign: Foreign<'_>) -> Result<(), Failure> {
    let mut ours = Samples::default();
    for _ in 0..CALLS {
        ours.add(first_picture(pair).await?);
    }
    let libwebrtc = foreign.libwebrtc.map(|home| {
        let calls = sotto_outside::foreign::first_pictures_of_libwebrtc(home, CALLS);
        (calls.map(|ms| Samples::of_millis(&ms)), "libwebrtc")
    });
    let aiortc = foreign.aiortc.map(|home| {
        let calls = sotto_outside::foreign::first_pictures_of_aiortc(home, CALLS);
        (calls.map(|ms| Samples::of_millis(&ms)), "aiortc")
    });
    let beside = match &libwebrtc {
        Some((Ok(theirs), _)) => Some(theirs.median()),
        _ => None,
    };
    let took = ours.median();
    let within = took <= TARGET_MS && beside.is_none_or(|theirs| took <= theirs);
    row(
        &format!("accept → first decoded picture, median of {CALLS} calls"),
        &match beside {
            Some(theirs) => format!("{took:.0} ms: {:.2}× of libwebrtc", took / theirs),
            None => format!("{took:.0} ms"),
        },
        Some(Target {
            words: "≤ 150 ms and ≤ libwebrtc",
            met: within,
        }),
    );
    row(
        "accept → first decoded picture, slowest of them",
        &format!("{:.0} ms", ours.at(1.0)),
        None,
    );
    for (calls, name) in libwebrtc.into_iter().chain(aiortc) {
        let value = match calls {
            Ok(theirs) => format!("{:.0} ms", theirs.median()),
            Err(why) => format!("not measured: {why}"),
        };
        let what = format!("{name}, offer taken → first decoded picture, in one process");
        row(&what, &value, None);
    }
    Ok(())
}

/// Alice calls, Bob says yes and looks at her.
async fn first_picture(pair: &mut Pair) -> Result<Duration, Failure> {
    let Pair {
        alice, bob, room, ..
    } = pair;
    let hers = TileId::Camera(peer_of(alice).await);
    talk::starts(alice, *room).await?;
    let call = talk::rings(bob).await?;
    let (_, events) = bob.engine.subscribe().await;
    bob.events = events;
    let media = bob.engine.media().clone();

    let accepted = Instant::now();
    talk::joins(bob, *room, call).await?;
    // The page shows whoever is in it as soon as it hears of them.
    let is_there = |view: &CallView| view.call == call && view.participants.len() == 2;
    talk::call(bob, is_there).await?;
    media.show(vec![Shown {
        tile: hers,
        width: HD.width,
        height: HD.height,
    }]);
    let seen = loop {
        let frame = media.tile(&hers, HD.width, HD.height, 0);
        if let Some(frame) = frame {
            let readable = pattern::read_luma(&frame.data, frame.size);
            break readable.map(|(_, captured)| page::age(captured));
        }
        if accepted.elapsed() > PATIENCE {
            let stats = media.stats().await;
            return Err(format!("no picture came: {stats:#?}").into());
        }
        tokio::time::sleep(LOOK).await;
    };
    let took = accepted.elapsed();
    seen.ok_or("the first picture is not the test picture")?;

    for person in [&*bob, &*alice] {
        talk::leaves(person, *room, call).await?;
    }
    for person in [&mut *bob, &mut *alice] {
        talk::hears_the_end(person).await?;
    }
    media.show(Vec::new());
    Ok(took)
}
