//! How much of one frequency is in a piece of sound (Goertzel's algorithm): how
//! a test recognizes the tone that somebody sent.

use super::RATE;
use std::f64::consts::TAU;

/// Level of the sine of `hz` in the samples at 48 kHz, dBFS RMS: a lone sine
/// measures what [`super::level::rms_db`] says of it.
pub fn level_at(samples: &[f32], hz: f64) -> f64 {
    if samples.is_empty() {
        return f64::from(super::level::SILENCE_DB);
    }
    // A Hann window: neighbours a few bins away do not leak in.
    let count = samples.len() as f64;
    let turn = TAU * hz / f64::from(RATE);
    let (mut before, mut last) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * n as f64 / count).cos();
        let next = f64::from(*sample) * window + 2.0 * turn.cos() * last - before;
        before = last;
        last = next;
    }
    let power = last * last + before * before - 2.0 * turn.cos() * last * before;
    // The window halves the sum; a sine of amplitude a sums to a·n/4.
    let amplitude = power.max(0.0).sqrt() * 4.0 / count;
    (20.0 * (amplitude / std::f64::consts::SQRT_2).max(1e-5).log10()).max(-100.0)
}

/// The frequency between `low` and `high` that is strongest, to `step` Hz.
pub fn strongest(samples: &[f32], low: f64, high: f64, step: f64) -> f64 {
    let steps = ((high - low) / step).max(0.0) as usize;
    let mut best = (low, f64::MIN);
    for n in 0..=steps {
        let hz = low + n as f64 * step;
        let level = level_at(samples, hz);
        if level > best.1 {
            best = (hz, level);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_found_where_it_is_and_as_loud_as_it_is() {
        let sine: Vec<f32> = (0..48_000)
            .map(|n| 0.25 * (f64::from(n) * TAU * 441.0 / 48_000.0).sin() as f32)
            .collect();
        assert!((level_at(&sine, 441.0) + 15.05).abs() < 0.05);
        assert!(level_at(&sine, 880.0) < -70.0);
        assert!((strongest(&sine, 400.0, 480.0, 0.5) - 441.0).abs() < 0.6);
    }
}
