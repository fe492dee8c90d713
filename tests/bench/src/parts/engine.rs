//! From send to shown: two engines, a relay with its database, loopback.

use crate::people::{Failure, Town};
use crate::{Samples, Target, row};
use std::time::Instant;

const MESSAGES: usize = 1000;

pub async fn run() -> Result<(), Failure> {
    let town = Town::founded().await?;
    let mut people = vec![town.welcomes("Alice").await?, town.welcomes("Bob").await?];
    let room = town.room_of(&mut people).await?;
    let [alice, bob] = &mut people[..] else {
        return Err("two people".into());
    };

    let mut samples = Samples::default();
    for number in 0..MESSAGES {
        let begun = Instant::now();
        let id = alice.says(room, &format!("message {number}")).await?;
        bob.sees(id).await?;
        samples.add(begun.elapsed());
    }
    row(
        &format!("send → shown at the other engine, median of {MESSAGES}"),
        &format!("{:.1} ms", samples.median()),
        None,
    );
    let slowest = samples.at(0.99);
    let target = Target {
        words: "≤ 20 ms",
        met: slowest <= 20.0,
    };
    row(
        "send → shown at the other engine, p99",
        &format!("{slowest:.1} ms"),
        Some(target),
    );
    for person in people {
        person.engine.stop().await;
    }
    town.ends().await;
    Ok(())
}
