//! Echo, noise and gain on sounds that are made here.

#![allow(clippy::print_stdout)]

use super::*;
use crate::audio::STEP;
use crate::audio::level::rms_db;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn noise(rng: &mut ChaCha8Rng, amplitude: f32) -> Step {
    std::array::from_fn(|_| (rng.next_u32() as f32 / u32::MAX as f32 * 2.0 - 1.0) * amplitude)
}

/// Noise in words of a third of a second, as speech comes and goes.
fn babble(rng: &mut ChaCha8Rng, n: usize) -> Step {
    let loud = if (n / 33).is_multiple_of(2) {
        0.3
    } else {
        0.01
    };
    noise(rng, loud)
}

/// Plays babble into a room whose echo comes back 60 ms later at a third.
/// The answer is what is left in the last two seconds, dBFS.
fn echo_left(wanted: Processing) -> f32 {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut processor = Processor::new(wanted);
    let mut room: Vec<Step> = Vec::new();
    let mut left = Vec::new();
    for n in 0..1000 {
        let played = babble(&mut rng, n);
        room.push(played);
        processor.played(&played);
        let mut heard = [0.0; STEP];
        if n >= 6 {
            heard = room[n - 6].map(|s| s * 0.33);
        }
        processor.clean(&mut heard, Duration::from_millis(60));
        if n >= 800 {
            left.extend(heard);
        }
    }
    rms_db(&left)
}

#[test]
fn the_echo_of_the_speaker_is_taken_out() {
    let only_echo = Processing {
        echo: true,
        ..Processing::NONE
    };
    let (with, without) = (echo_left(only_echo), echo_left(Processing::NONE));
    println!("echo left: {with:.1} dBFS of {without:.1}");
    assert!(with < without - 25.0, "{with} of {without}");
}

#[test]
fn steady_noise_is_taken_out_and_the_toggle_acts_at_once() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut processor = Processor::new(Processing {
        noise: true,
        ..Processing::NONE
    });
    let level = |processor: &mut Processor, rng: &mut ChaCha8Rng, steps: usize| {
        let mut all = Vec::new();
        for _ in 0..steps {
            let mut step = noise(rng, 0.05);
            processor.clean(&mut step, Duration::ZERO);
            all.extend(step);
        }
        rms_db(&all)
    };
    level(&mut processor, &mut rng, 300);
    let cleaned = level(&mut processor, &mut rng, 100);
    processor.apply(Processing::NONE);
    let raw = level(&mut processor, &mut rng, 10);
    println!("noise: {cleaned:.1} dBFS of {raw:.1}");
    assert!(cleaned < raw - 10.0, "{cleaned} of {raw}");
    assert!((raw - rms_db(&noise(&mut rng, 0.05))).abs() < 0.5);
}

#[test]
fn a_quiet_voice_becomes_louder_and_nothing_clips() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut processor = Processor::new(Processing {
        gain: true,
        ..Processing::NONE
    });
    let voice = |n: usize, rng: &mut ChaCha8Rng| -> Step {
        let syllable = 0.02 * (1.0 + (n as f32 * 0.25).sin());
        let pitch = std::f32::consts::TAU * 140.0 / RATE as f32;
        let hiss = noise(rng, 0.0005);
        std::array::from_fn(|i| {
            let t = (n * STEP + i) as f32 * pitch;
            hiss[i]
                + syllable
                    * (1..12)
                        .map(|k| (t * k as f32).sin() / k as f32)
                        .sum::<f32>()
                    * 0.5
        })
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for n in 0..1500 {
        let mut step = voice(n, &mut rng);
        let raw = step;
        processor.clean(&mut step, Duration::ZERO);
        assert!(step.iter().all(|s| s.abs() <= 1.0));
        if n >= 1200 {
            before.extend(raw);
            after.extend(step);
        }
    }
    let (before, after) = (rms_db(&before), rms_db(&after));
    println!("voice: {before:.1} dBFS became {after:.1}");
    assert!(after > before + 5.0, "{before} became {after}");
}
