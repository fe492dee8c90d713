//! What people notice when a relay is besieged: the time from send to receipt
//! with and without attackers, and the relay's memory, in one run.
//!
//! The relay is a process of its own, this program over again. Honest people
//! and attackers come from different addresses of this computer; attackers are
//! slow (heads, frames and readers that never finish) or many (fragments,
//! pings, large messages), and come back whenever they are let go.

use crate::people::Failure;
use crate::siege::{
    attack::{self, Kind},
    honest, relay,
};
use crate::{Samples, Target, row};
use std::time::Duration;

/// Before and under each siege.
const CALM: Duration = Duration::from_secs(6);
const BESIEGED: Duration = Duration::from_secs(10);
/// For a siege to settle, or its traces to go.
const SETTLE: Duration = Duration::from_secs(3);
const MIB: f64 = 1024.0 * 1024.0;

/// With a folder, the relay's process.
pub async fn run(folder: Option<&str>) -> Result<(), Failure> {
    if let Some(folder) = folder {
        return relay::run(folder.as_ref()).await;
    }
    let mut relay = relay::start().await?;
    let mut people = honest::arrive(relay.address).await?;

    let mut before = None;
    let mut let_go = 0;
    let mut sieges: Vec<(&str, Vec<Kind>)> = Kind::ALL.map(|kind| (kind.name(), vec![kind])).into();
    sieges.push(("all at once", Kind::ALL.into()));
    for (name, kinds) in sieges {
        people.talk(SETTLE).await?;
        let calm = people.talk(CALM).await?;
        if before.is_none() {
            before = Some(relay.memory()?);
        }
        let siege = attack::lay(relay.address, &kinds).await?;
        people.talk(SETTLE).await?;
        let besieged = people.talk(BESIEGED).await?;
        let_go += siege.lift();
        report(name, &calm, &besieged);
    }
    let (before, during) = (before.unwrap_or_default(), relay.peak_memory()?);
    relay.stop().await?;

    let grown = during.saturating_sub(before) as f64 / MIB;
    row(
        "relay's memory, calm → most under siege",
        &format!(
            "{:.0} → {:.0} MiB",
            before as f64 / MIB,
            during as f64 / MIB
        ),
        Some(Target {
            words: "≤ 256 MiB more",
            met: grown <= 256.0,
        }),
    );
    row("attackers let go meanwhile", &let_go.to_string(), None);
    Ok(())
}

/// How one siege was noticed.
fn report(name: &str, calm: &Samples, besieged: &Samples) {
    let ratio = besieged.at(0.99) / calm.at(0.99);
    row(
        &format!("send → receipt under siege: {name}, p99 against calm"),
        &format!(
            "{:.1} → {:.1} ms, {ratio:.2}×",
            calm.at(0.99),
            besieged.at(0.99)
        ),
        Some(Target {
            words: "≤ 1.5×",
            met: ratio <= 1.5,
        }),
    );
}
