//! The demo's second half: from the room into a video call, with synthetic
//! cameras and microphones, so that what comes through can be measured.

use super::report::Report;
use sotto_harness::{Failure, Person, Source, Watched};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How long each picture is watched.
const LOOK: Duration = Duration::from_secs(4);

/// Pictures a second below which nothing can be said to move.
const MOVES: f64 = 5.0;

/// Alice calls, Bob accepts; both must see a picture that moves and hear a
/// tone. Then Bob shares a screen.
pub async fn meet(
    alice: &Person,
    bob: &Person,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    report.tell("Both choose a test picture for a camera and a test tone for a voice");
    alice.chooses_test_devices("pattern:cool").await?;
    bob.chooses_test_devices("pattern:warm").await?;

    report.tell("Alice calls, and it rings at Bob's");
    let called = report.clock();
    alice.calls(true).await?;
    bob.sees_it_ring(alice).await?;
    keep(bob, folder, "ringing").await?;
    report.tell("Bob accepts with his camera on");
    bob.accepts(true).await?;
    for who in [alice, bob] {
        who.is_in_a_call_of(2).await?;
    }
    report.tell("They are connected");
    for (who, other) in [(alice, bob), (bob, alice)] {
        let seen = who.watches(Source::Camera, LOOK).await?;
        let tone = who.hears_the_tone().await?;
        report.met(who.name(), other.name(), seen, tone);
        moves(&seen)?;
    }
    report.called(called);
    keep(alice, folder, "call-alice").await?;
    keep(bob, folder, "call-bob").await?;

    report.tell("Bob shares a screen");
    bob.shares("pattern:page").await?;
    alice
        .watches(Source::Screen, Duration::from_secs(1))
        .await?;
    keep(alice, folder, "screen").await
}

/// The call ends.
pub async fn part(alice: &Person, bob: &Person, report: &mut Report) -> Result<(), Failure> {
    report.tell("Bob hangs up, and the call is over");
    bob.hangs_up().await?;
    alice.sees_everybody_gone().await
}

fn moves(seen: &Watched) -> Result<(), Failure> {
    if seen.pace() >= MOVES && seen.rate() >= MOVES {
        return Ok(());
    }
    Err(Failure::new(format!("the picture does not move: {seen:?}")))
}

async fn keep(who: &Person, folder: &Path, name: &str) -> Result<(), Failure> {
    let picture = who.screenshot().await?;
    fs::write(folder.join(format!("{name}.png")), picture)?;
    Ok(())
}
