//! Calls between real windows: pictures that move on the page, sound at the
//! speaker, and every way in which a call ends.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

use crate::{CAROL, ROOM, play, two_in_a_room};
use sotto_harness::{Failure, Person, Result, Source, Stage, Watched};
use std::time::Duration;

/// As small as people make them; both are painted and encoded on one machine.
const WIDTH: u32 = 560;
const HEIGHT: u32 = 520;

/// How long pictures are watched.
const LOOK: Duration = Duration::from_secs(5);

/// What counts as moving, a second.
#[derive(Clone, Copy)]
struct Enough {
    /// How far the counter of the pictures goes.
    counted: f64,
    /// How many of them are painted.
    painted: f64,
}

/// 15 of the camera's, as two looks at a clock tell it. A machine that paints
/// without a graphics card paints 14 to 18 of them in a window of this size.
const FLUENT: Enough = Enough {
    counted: 14.5,
    painted: 10.0,
};
/// Text is sharp, not smooth.
const READABLE: Enough = Enough {
    counted: 1.0,
    painted: 0.0,
};

/// How often a machine that is busy with something else may be looked at again.
const TRIES: u32 = 5;

async fn two_with_devices(stage: &Stage) -> Result<(Person, Person)> {
    stage.sound_starts().await?;
    let (alice, bob) = two_in_a_room(stage).await?;
    gets_ready(&alice, "pattern:cool").await?;
    gets_ready(&bob, "pattern:warm").await?;
    Ok((alice, bob))
}

async fn gets_ready(who: &Person, camera: &str) -> Result<()> {
    who.chooses_test_devices(camera).await?;
    who.puts_off_the_recovery_code().await?;
    who.stops_looking_at_people().await?;
    who.makes_the_window(WIDTH, HEIGHT).await
}

async fn sees_it_move(who: &Person, source: Source, enough: Enough) -> Result<Watched> {
    for _ in 1..TRIES {
        if let Ok(seen) = sees_it_move_now(who, source, enough).await {
            return Ok(seen);
        }
    }
    sees_it_move_now(who, source, enough).await
}

async fn sees_it_move_now(who: &Person, source: Source, enough: Enough) -> Result<Watched> {
    let seen = who.watches(source, LOOK).await?;
    let (width, height) = seen.size;
    println!(
        "{} sees {source:?} at {width}x{height}: the counter goes {:.1} /s, {:.1} pictures /s are painted, {} unread",
        who.name(),
        seen.pace(),
        seen.rate(),
        seen.unread
    );
    if seen.pace() < enough.counted || seen.rate() < enough.painted {
        return Err(Failure::new(format!("it hardly moves: {seen:?}")));
    }
    Ok(seen)
}

#[test]
fn two_people_call_see_and_hear_each_other() {
    play("call", async |stage| {
        let (alice, bob) = two_with_devices(stage).await?;
        alice.calls(true).await?;
        bob.sees_it_ring(&alice).await?;
        bob.accepts(true).await?;
        for who in [&alice, &bob] {
            who.is_in_a_call_of(2).await?;
        }
        for who in [&alice, &bob] {
            sees_it_move(who, Source::Camera, FLUENT).await?;
            let level = who.hears_the_tone().await?;
            println!("{} hears the tone at {level:.1} dBFS", who.name());
        }

        bob.switches_the_camera().await?;
        alice
            .sees_of_the_other(Source::Camera, "missing", "cameraOff")
            .await?;
        bob.switches_the_camera().await?;
        sees_it_move(&alice, Source::Camera, FLUENT).await?;

        bob.shares("pattern:page").await?;
        sees_it_move(&alice, Source::Screen, READABLE).await?;
        bob.stops_sharing().await?;
        alice.sees_no_screen().await?;

        alice.switches_the_microphone().await?;
        bob.sees_of_the_other(Source::Camera, "muted", "true")
            .await?;
        bob.hears_nothing().await?;
        alice.hears_the_tone().await?;
        alice.switches_the_microphone().await?;
        bob.hears_the_tone().await?;

        bob.hangs_up().await?;
        alice.sees_everybody_gone().await?;
        alice.hears_nothing().await?;
        for who in [&alice, &bob] {
            who.is_in(ROOM).await?;
            who.reads_of_a_call("ended").await?;
        }
        Ok(())
    });
}

#[test]
fn a_call_is_answered_in_the_window_that_rings() {
    play("call-ringing", async |stage| {
        let (alice, bob) = two_with_devices(stage).await?;
        alice.calls(false).await?;
        bob.answers_in_the_ringing_window(&alice, ROOM, "decline")
            .await?;
        alice.sees_the_call_end("declined").await?;

        alice.calls(true).await?;
        bob.answers_in_the_ringing_window(&alice, ROOM, "voice")
            .await?;
        for who in [&alice, &bob] {
            who.is_in_a_call_of(2).await?;
            who.hears_the_tone().await?;
        }
        alice
            .sees_of_the_other(Source::Camera, "missing", "cameraOff")
            .await?;
        bob.hangs_up().await
    });
}

/// Three windows paint and encode on one machine: that they move is seen, how
/// fast is seen with two.
#[test]
fn a_third_person_joins_a_call_and_leaves_it() {
    play("call-of-three", async |stage| {
        stage.sound_starts().await?;
        let (alice, bob) = two_in_a_room(stage).await?;
        let carol = stage.person(CAROL);
        carol.opens_the_app().await?;
        carol.settles_at(&stage.relay_address()?).await?;
        let link = alice.copies_an_invite_link().await?;
        carol.joins_by_pasting(&link).await?;
        alice.lets_in(&carol).await?;
        carol.is_in(ROOM).await?;
        let cameras = ["pattern:cool", "pattern:warm", "pattern:cool"];
        for (who, camera) in [&alice, &bob, &carol].into_iter().zip(cameras) {
            gets_ready(who, camera).await?;
        }

        alice.calls(true).await?;
        bob.sees_it_ring(&alice).await?;
        bob.accepts(true).await?;
        alice.is_in_a_call_of(2).await?;
        carol.sees_it_ring(&alice).await?;
        carol.accepts(true).await?;
        for who in [&alice, &bob, &carol] {
            who.is_in_a_call_of(3).await?;
        }
        for who in [&alice, &bob, &carol] {
            who.sees_others_move(2, 20).await?;
            who.hears_the_tone().await?;
        }

        carol.hangs_up().await?;
        carol.hears_nothing().await?;
        for who in [&alice, &bob] {
            who.is_in_a_call_of(2).await?;
            who.sees_others_move(1, 20).await?;
            who.hears_the_tone().await?;
        }

        // A call that goes on can be joined again.
        carol.joins_the_call().await?;
        for who in [&alice, &bob, &carol] {
            who.is_in_a_call_of(3).await?;
            who.sees_others_move(2, 20).await?;
        }
        for who in [&carol, &bob, &alice] {
            who.hangs_up().await?;
        }
        Ok(())
    });
}

#[test]
fn a_call_is_declined_and_another_one_missed() {
    play("call-unanswered", async |stage| {
        let (alice, bob) = two_with_devices(stage).await?;
        alice.calls(false).await?;
        bob.sees_it_ring(&alice).await?;
        bob.declines().await?;
        alice.sees_the_call_end("declined").await?;
        for who in [&alice, &bob] {
            who.reads_of_a_call("declined").await?;
        }

        alice.calls(true).await?;
        bob.sees_it_ring(&alice).await?;
        alice.hangs_up().await?;
        bob.sees_it_stop_ringing().await?;
        bob.reads_of_a_call("missed").await?;
        alice.reads_of_a_call("unanswered").await
    });
}
