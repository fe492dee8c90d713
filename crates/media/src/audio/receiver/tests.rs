//! A voice over a path that loses, delays and lies: what is heard of it.

#![allow(clippy::print_stdout)]

use super::*;
use crate::audio::encode::Encoder;
use crate::audio::level::rms_db;
use crate::audio::pitch::strongest;
use crate::audio::{EncodedAudio, RATE, STEP_TIME};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::Duration;

/// A voice of 140 Hz in syllables of a quarter of a second, which a codec takes
/// for speech.
fn voice(sample: usize) -> f32 {
    let t = sample as f32 / RATE as f32;
    let syllable = 0.55 - 0.45 * (t * std::f32::consts::TAU * 4.0).cos();
    let pitch = t * std::f32::consts::TAU * 140.0;
    (1..20)
        .map(|k| (pitch * k as f32).sin() / k as f32)
        .sum::<f32>()
        * syllable
        * 0.2
}

/// What the network does.
#[derive(Clone, Copy)]
struct Path {
    lost_percent: u32,
    jitter: Duration,
}

/// What a listener gets of `seconds` of speech.
fn listen(seconds: usize, path: Path, seed: u64) -> (Vec<f32>, ReceiverStats) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut encoder = Encoder::new().expect("opus");
    encoder.set_loss(path.lost_percent as u8).expect("opus");
    let mut receiver = Receiver::new().expect("opus");
    let start = Instant::now();
    let mut coming: BTreeMap<(Duration, usize), EncodedAudio> = BTreeMap::new();
    for n in 0..seconds * 50 {
        let samples = std::array::from_fn(|i| voice(n * PACKET + i));
        let packet = encoder.encode(&samples).expect("opus").expect("speech");
        let jitter = path.jitter.as_micros() as u32;
        let late = Duration::from_micros(u64::from(rng.next_u32() % jitter.max(1)));
        if rng.next_u32() % 100 >= path.lost_percent {
            coming.insert((STEP_TIME * 2 * n as u32 + late, n), packet);
        }
    }
    let mut heard = Vec::new();
    for step in 0..seconds as u32 * 100 {
        let passed = STEP_TIME * step;
        while let Some(entry) = coming.first_entry() {
            let (at, n) = *entry.key();
            if at > passed {
                break;
            }
            let packet = entry.remove();
            receiver.push(ReceivedAudio {
                data: packet.data,
                sequence: n as u16,
                rtp_time: packet.rtp_time,
                arrived: start + at,
            });
        }
        let mut out = [0.0; STEP];
        receiver.pull(start + passed, &mut out);
        heard.extend(out);
    }
    (heard, receiver.stats())
}

/// Continuity: the share of syllables whose loudest 60 ms are more than 6 dB
/// below those of the median syllable, percent. 0 is a speech without holes.
fn holes(heard: &[f32]) -> f64 {
    let loudest = |syllable: &[f32]| {
        let windows = syllable.chunks_exact(PACKET * 3);
        windows.map(rms_db).fold(SILENCE_DB, f32::max)
    };
    let levels: Vec<f32> = heard.chunks_exact(RATE as usize / 4).map(loudest).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    let median = sorted[sorted.len() / 2];
    let holes = levels.iter().filter(|l| **l < median - 6.0).count();
    holes as f64 / levels.len() as f64 * 100.0
}

/// The share of 20 ms windows that are almost silent, percent: in this voice
/// there is none that is 25 dB below its loudest.
fn silent(heard: &[f32]) -> f64 {
    let levels: Vec<f32> = heard.chunks_exact(PACKET).map(rms_db).collect();
    let loudest = levels.iter().copied().fold(SILENCE_DB, f32::max);
    let silent = levels.iter().filter(|l| **l < loudest - 25.0).count();
    silent as f64 / levels.len() as f64 * 100.0
}

#[test]
fn what_was_said_is_heard() {
    let path = Path {
        lost_percent: 0,
        jitter: Duration::ZERO,
    };
    let (heard, stats) = listen(5, path, 1);
    let heard = &heard[RATE as usize..];
    assert!((strongest(heard, 120.0, 160.0, 0.5) - 140.0).abs() < 1.0);
    let said: Vec<f32> = (0..RATE as usize).map(voice).collect();
    assert!((rms_db(heard) - rms_db(&said)).abs() < 1.0);
    assert_eq!((holes(heard), silent(heard)), (0.0, 0.0));
    assert_eq!(
        (stats.lost, stats.concealed_ms, stats.overflowed),
        (0, 0, 0)
    );
    assert!(stats.delay_ms <= 40, "{}", stats.delay_ms);
    assert!(stats.speaking);
}

#[test]
fn loss_is_hidden() {
    for (lost_percent, concealed_most, holes_most) in [(5, 2.5, 1.0), (20, 10.0, 5.0)] {
        let path = Path {
            lost_percent,
            jitter: Duration::from_millis(10),
        };
        let (heard, stats) = listen(60, path, u64::from(lost_percent));
        let heard = &heard[RATE as usize..];
        let concealed = stats.concealed_ms as f64 / 600.0;
        let recovered = stats.recovered_ms as f64 / 600.0;
        println!(
            "{lost_percent} % loss: {concealed:.1} % made up, {recovered:.1} % by FEC, {:.2} % holes, {:.2} % silent, delay {} ms, pitch {} Hz",
            holes(heard),
            silent(heard),
            stats.delay_ms,
            strongest(&heard[..RATE as usize], 120.0, 160.0, 0.5),
        );
        assert!(concealed < concealed_most, "{concealed}");
        assert!(recovered > f64::from(lost_percent) / 4.0, "{recovered}");
        assert!(silent(heard) < holes_most, "{}", silent(heard));
        assert!(holes(heard) < holes_most, "{}", holes(heard));
        assert!((strongest(&heard[..2 * RATE as usize], 120.0, 160.0, 1.0) - 140.0).abs() < 2.0);
    }
}

#[test]
fn jitter_of_100_ms_is_heard_as_delay_and_not_as_holes() {
    let path = Path {
        lost_percent: 0,
        jitter: Duration::from_millis(100),
    };
    let (heard, stats) = listen(60, path, 9);
    let heard = &heard[10 * RATE as usize..];
    println!(
        "100 ms of jitter: {} of 60000 ms made up, {:.2} % holes, delay {} ms",
        stats.concealed_ms,
        holes(heard),
        stats.delay_ms
    );
    assert!(stats.concealed_ms < 1_800, "{}", stats.concealed_ms);
    assert_eq!((holes(heard), silent(heard)), (0.0, 0.0));
    assert!(stats.delay_ms < 150, "{}", stats.delay_ms);
}

#[test]
fn whoever_stops_sending_falls_silent_without_a_click() {
    let mut encoder = Encoder::new().expect("opus");
    let mut receiver = Receiver::new().expect("opus");
    let start = Instant::now();
    let mut heard = Vec::new();
    for step in 0..300u32 {
        let now = start + STEP_TIME * step;
        if step % 2 == 0 && step < 100 {
            let n = step as usize / 2;
            let samples = std::array::from_fn(|i| voice(n * PACKET + i));
            let packet = encoder.encode(&samples).expect("opus").expect("speech");
            receiver.push(ReceivedAudio {
                data: packet.data,
                sequence: n as u16,
                rtp_time: packet.rtp_time,
                arrived: now,
            });
        }
        let mut out = [0.0; STEP];
        receiver.pull(now, &mut out);
        heard.extend(out);
    }
    let jump = heard
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max);
    assert!(jump < 0.1, "{jump}");
    assert_eq!(rms_db(&heard[200 * STEP..]), SILENCE_DB);
    let stats = receiver.stats();
    assert!(stats.concealed_ms <= 120, "{}", stats.concealed_ms);
    assert_eq!(stats.lost, 0);
    assert!(!stats.speaking);
}

#[test]
fn packets_of_noise_are_survived() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut receiver = Receiver::new().expect("opus");
    let start = Instant::now();
    for step in 0..3_000u32 {
        let now = start + STEP_TIME * step;
        let length = rng.next_u32() as usize % 200;
        receiver.push(ReceivedAudio {
            data: (0..length).map(|_| rng.next_u32() as u8).collect(),
            sequence: (step / 2) as u16,
            rtp_time: step / 2 * PACKET as u32,
            arrived: now,
        });
        let mut out = [0.0; STEP];
        receiver.pull(now, &mut out);
        assert!(out.iter().all(|s| s.is_finite()));
    }
}

/// A steady tone is all background to a codec: its comfort noise goes on as
/// loud as it was. Found at a speaker, where somebody muted was still heard.
#[test]
fn who_is_muted_is_silent_soon() {
    let mut encoder = Encoder::new().expect("opus");
    let mut receiver = Receiver::new().expect("opus");
    let tone = |n: usize| 0.4 * (n as f32 / RATE as f32 * std::f32::consts::TAU * 440.0).sin();
    let start = Instant::now();
    let mut heard = Vec::new();
    let mut out = [0.0; STEP];
    let mut sequence = 0;
    for n in 0..400_u32 {
        let packets = match n {
            0..250 => {
                let samples = std::array::from_fn(|i| tone(n as usize * PACKET + i));
                encoder
                    .encode(&samples)
                    .expect("opus")
                    .into_iter()
                    .collect()
            }
            250 => encoder.end(),
            _ => Vec::new(),
        };
        for packet in packets {
            receiver.push(ReceivedAudio {
                data: packet.data,
                sequence,
                rtp_time: packet.rtp_time,
                arrived: start + STEP_TIME * 2 * n,
            });
            sequence += 1;
        }
        for half in 0..2 {
            receiver.pull(start + STEP_TIME * (2 * n + half), &mut out);
            heard.extend(out);
        }
    }
    let last = &heard[heard.len() - RATE as usize / 2..];
    assert!(rms_db(last) < -80.0, "{} dBFS", rms_db(last));
}
