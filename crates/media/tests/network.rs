//! Two ends across a network that is not kind: loss, delay, a narrow place,
//! darkness, addresses that change. In numbers, which are printed.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

mod support;

use sotto_client::call::media::PeerFailure;
use sotto_media::video::VideoKind;
use sotto_outside::weather::{Shaper, Weather};
use std::time::{Duration, Instant};
use support::film::{Film, is_whole, longest_freeze};
use support::{Stage, Who};

const FAIR: Weather = Weather {
    loss: 0,
    delay: Duration::from_millis(10),
    jitter: Duration::ZERO,
    rate: None,
    dark: false,
};

async fn talk(weather: Weather) -> (Stage, Shaper) {
    let shaper = Shaper::new(weather, 0x5077_0005).await;
    let mut stage = Stage::over(Some(shaper.clone()));
    stage.both_speak();
    stage.connect().await;
    for who in [Who::Alice, Who::Bob] {
        let film = Film::new(VideoKind::Camera, 2_000_000);
        stage.end(who).films.push(film);
    }
    (stage, shaper)
}

/// Mean estimate since `from`, in kbit/s.
fn mean(stage: &Stage, from: Instant) -> f64 {
    let rates: Vec<_> = stage
        .alice
        .log
        .estimates
        .iter()
        .filter(|(at, _)| *at >= from)
        .map(|(_, rate)| f64::from(*rate) / 1000.0)
        .collect();
    match rates.len() {
        0 => f64::from(stage.alice.log.estimate()) / 1000.0,
        len => rates.iter().sum::<f64>() / len as f64,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_percent_loss_freezes_nothing_for_half_a_second() {
    let weather = Weather {
        loss: 50,
        delay: Duration::from_millis(50),
        jitter: Duration::from_millis(15),
        ..FAIR
    };
    let (mut stage, _) = talk(weather).await;
    stage
        .until("pictures come", |s| s.bob.log.seen.len() > 10)
        .await;
    stage.bob.log.seen.clear();
    stage.bob.log.heard.clear();
    let sent = stage.alice.films[0].sent;
    stage.play(Duration::from_secs(12)).await;
    let sent = stage.alice.films[0].sent - sent;
    let seen = &stage.bob.log.seen;
    let freeze = longest_freeze(seen);
    let heard = stage.bob.log.heard.len();
    let stats = stage.bob.peer.stats();
    println!(
        "5 % loss, 100 ms round trip: {} of {sent} frames, longest freeze {freeze:?}, \
         {heard} voice packets, {:?}",
        seen.len(),
        stats.camera_in,
    );
    assert!(seen.iter().all(is_whole));
    assert!(seen.len() * 100 > sent * 93);
    assert!(freeze < Duration::from_millis(500), "{freeze:?}");
    assert!((540..=600).contains(&heard), "{heard} of 600");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrow_place_lowers_the_estimate_and_its_end_raises_it() {
    let (mut stage, shaper) = talk(FAIR).await;
    stage.play(Duration::from_secs(5)).await;
    let wide = stage.alice.log.estimate() / 1000;
    shaper.set(Weather {
        rate: Some(300_000),
        ..FAIR
    });
    stage.play(Duration::from_secs(4)).await;
    let from = Instant::now();
    stage.bob.log.heard.clear();
    stage.play(Duration::from_secs(10)).await;
    let narrow = mean(&stage, from);
    let heard = stage.bob.log.heard.len();
    shaper.set(FAIR);
    let (from, seen) = (Instant::now(), stage.bob.log.seen.len());
    let target = 900_000;
    stage
        .until("the estimate is back", |s| s.alice.log.estimate() > target)
        .await;
    let back = from.elapsed();
    stage
        .until("pictures go on", |s| s.bob.log.seen.len() > seen + 30)
        .await;
    println!(
        "300 kbit/s: {wide} kbit/s before, {narrow:.0} within, {heard} of 500 voice packets, \
         {target} again after {back:?}, {:?}",
        shaper.counts(),
    );
    assert!(wide > 900, "{wide}");
    assert!((120.0..=330.0).contains(&narrow), "{narrow}");
    assert!(heard > 450, "{heard} of 500");
    assert!(stage.bob.log.seen[seen..].iter().all(is_whole));
    assert!(back < Duration::from_secs(15), "{back:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_seconds_of_darkness_end_by_themselves() {
    let (mut stage, shaper) = talk(FAIR).await;
    stage.play(Duration::from_secs(2)).await;
    shaper.set(Weather { dark: true, ..FAIR });
    stage
        .until("both notice", |s| {
            s.alice.log.interrupted > 0 && s.bob.log.interrupted > 0
        })
        .await;
    stage.play(Duration::from_secs(2)).await;
    shaper.set(FAIR);
    let from = Instant::now();
    let seen = stage.bob.log.seen.len();
    stage
        .until("both are connected again", |s| {
            s.alice.log.connected.len() > 1 && s.bob.log.connected.len() > 1
        })
        .await;
    stage
        .until("pictures go on", |s| s.bob.log.seen.len() > seen + 30)
        .await;
    println!(
        "after 5 s of darkness: a second of pictures after {:?}",
        from.elapsed()
    );
    assert_eq!(stage.alice.log.failed, None);
    assert!(
        from.elapsed() < Duration::from_secs(8),
        "{:?}",
        from.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_loses_half_is_no_path_that_is_gone() {
    let (mut stage, shaper) = talk(FAIR).await;
    stage.play(Duration::from_secs(1)).await;
    shaper.set(Weather { loss: 500, ..FAIR });
    stage.play(Duration::from_secs(8)).await;
    assert_eq!(stage.alice.log.interrupted, 0);
    assert_eq!(stage.bob.log.interrupted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_changes_under_way_is_followed() {
    let (mut stage, shaper) = talk(FAIR).await;
    stage.play(Duration::from_secs(1)).await;
    shaper.move_alice().await;
    let (seen, heard) = (stage.bob.log.seen.len(), stage.alice.log.heard.len());
    stage
        .until("media goes on both ways", |s| {
            s.bob.log.seen.len() > seen + 60 && s.alice.log.heard.len() > heard + 100
        })
        .await;
    assert_eq!(stage.alice.log.failed, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_the_way_through_after_darkness() {
    let (mut stage, shaper) = talk(FAIR).await;
    stage.play(Duration::from_secs(1)).await;
    shaper.set(Weather { dark: true, ..FAIR });
    stage
        .until("alice notices", |s| s.alice.log.interrupted > 0)
        .await;
    stage.alice.peer.restart();
    stage.play(Duration::from_millis(500)).await;
    shaper.set(FAIR);
    let seen = stage.bob.log.seen.len();
    stage
        .until("pictures go on", |s| s.bob.log.seen.len() > seen + 30)
        .await;
    assert_eq!(stage.alice.log.failed, None);
    assert_eq!(stage.bob.log.failed, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_frame_does_not_stand_in_the_way_of_voices() {
    let weather = Weather {
        rate: Some(600_000),
        ..FAIR
    };
    let (mut stage, _) = talk(weather).await;
    stage.play(Duration::from_secs(4)).await;
    stage.bob.log.heard.clear();
    for _ in 0..5 {
        stage.alice.films[0].key_next = true;
        stage.play(Duration::from_millis(900)).await;
    }
    let worst = stage
        .bob
        .log
        .heard
        .windows(2)
        .map(|w| w[1].arrived.saturating_duration_since(w[0].arrived))
        .max()
        .unwrap();
    println!("voice beside key frames at 600 kbit/s: longest gap {worst:?}");
    assert!(worst < Duration::from_millis(200), "{worst:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_never_ends_is_silence_and_no_wrong_certificate() {
    let slow = Weather {
        delay: Duration::from_millis(100),
        ..FAIR
    };
    let shaper = Shaper::new(slow, 0x5077_0009).await;
    let mut stage = Stage::over(Some(shaper.clone()));
    stage
        .until("a path", |s| s.alice.peer.stats().setup.ice_ms.is_some())
        .await;
    shaper.set(Weather { dark: true, ..slow });
    stage
        .until("both give up", |s| {
            s.alice.log.failed.is_some() && s.bob.log.failed.is_some()
        })
        .await;
    for end in [&stage.alice, &stage.bob] {
        assert_eq!(end.log.failed, Some(PeerFailure::Silent));
    }
}
