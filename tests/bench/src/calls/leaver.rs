//! How long somebody who leaves a call could go on decrypting it: until all
//! who stay seal under a key that was made without them.

use super::page::{Grid, Page};
use super::talk::{self, decoded, measures};
use crate::people::{Failure, Town};
use crate::{Samples, Target, row};
use std::time::Instant;

const ROUNDS: u32 = 3;
const SMALL: Grid = Grid {
    width: 320,
    height: 180,
};

pub async fn measure() -> Result<(), Failure> {
    let town = Town::founded().await?;
    let mut people = Vec::new();
    for (name, hertz) in [("Alice", 440), ("Bob", 550), ("Carol", 660)] {
        people.push(talk::arrives(&town, name, hertz).await?);
    }
    let room = town.room_of(&mut people).await?;
    let call = talk::meet(&mut people, room).await?;
    let mut samples = Samples::default();
    for round in 0..ROUNDS {
        if round > 0 {
            talk::joins(&people[2], room, call).await?;
        }
        for person in &mut people {
            talk::connected(person, 2).await?;
        }
        let peers = talk::connected(&mut people[2], 2).await?;
        let _page = Page::opens(people[2].engine.media(), &peers, SMALL);
        let sees_both = |stats: &sotto_media::console::CallStats| {
            stats.peers.len() == 2 && stats.peers.iter().all(|end| decoded(end) > 5)
        };
        measures(people[2].engine.media(), sees_both).await?;

        let others = [0, 1].map(|n| people[n].engine.media().clone());
        let mut before = Vec::new();
        for media in &others {
            before.push(media.stats().await.own.keys);
        }
        let left = Instant::now();
        talk::leaves(&people[2], room, call).await?;
        for (media, keys) in others.iter().zip(before) {
            measures(media, |stats| stats.own.keys > keys).await?;
        }
        samples.add(left.elapsed());
    }
    for person in people {
        person.engine.stop().await;
    }
    town.ends().await;
    let slowest = samples.at(1.0);
    row(
        &format!("hanging up → nothing more to decrypt, three in a call, slowest of {ROUNDS}"),
        &format!("{slowest:.0} ms"),
        Some(Target {
            words: "≤ 1 s",
            met: slowest <= 1_000.0,
        }),
    );
    Ok(())
}
