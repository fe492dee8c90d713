//! Adds voices up and keeps the sum from clipping.

use super::{STEP, Step};

/// The loudest sample that leaves, −0.45 dBFS.
const CEILING: f32 = 0.95;
/// The gain comes back by this factor of what is missing, each step: a third
/// of a second.
const RELEASE: f32 = 0.03;
/// A lower gain is reached within this many samples of its step: 2 ms.
const ATTACK: usize = 96;

/// Turns the whole down while it is too loud. It sees a step before the step
/// is heard, so nothing overshoots.
#[derive(Debug, Clone)]
pub struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Limiter {
    pub fn limit(&mut self, step: &mut Step) {
        for sample in step.iter_mut().filter(|s| !s.is_finite()) {
            *sample = 0.0;
        }
        let peak = step.iter().fold(0.0f32, |most, s| most.max(s.abs()));
        let allowed = if peak > CEILING { CEILING / peak } else { 1.0 };
        let from = self.gain;
        let to = if allowed < from {
            allowed
        } else {
            (from + (1.0 - from) * RELEASE).min(allowed)
        };
        // Close enough to one is one: an untouched voice stays untouched.
        self.gain = if to > 0.9995 { 1.0 } else { to };
        if from == 1.0 && self.gain == 1.0 {
            return;
        }
        let over = if self.gain < from { ATTACK } else { STEP };
        for (n, sample) in step.iter_mut().enumerate() {
            let part = (n as f32 / over as f32).min(1.0);
            let gain = from + (self.gain - from) * part;
            *sample = (*sample * gain).clamp(-CEILING, CEILING);
        }
    }
}

/// How loud somebody is heard: a factor that changes without a click.
#[derive(Debug, Clone)]
pub struct Volume {
    now: f32,
    wanted: f32,
}

impl Default for Volume {
    fn default() -> Self {
        Self {
            now: 1.0,
            wanted: 1.0,
        }
    }
}

impl Volume {
    /// 0 is silence, 1 as it came, 2 the most.
    pub fn set(&mut self, factor: f32) {
        if factor.is_finite() {
            self.wanted = factor.clamp(0.0, 2.0);
        }
    }

    /// Adds a voice to the mix.
    pub fn add(&mut self, mix: &mut Step, voice: &Step) {
        let (from, to) = (self.now, self.wanted);
        for (n, (sum, sample)) in mix.iter_mut().zip(voice).enumerate() {
            *sum += sample * (from + (to - from) * n as f32 / STEP as f32);
        }
        self.now = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(n: usize, hz: f32, amplitude: f32) -> Step {
        std::array::from_fn(|i| {
            let t = (n * STEP + i) as f32;
            amplitude * (t * std::f32::consts::TAU * hz / 48_000.0).sin()
        })
    }

    #[test]
    fn one_voice_passes_untouched() {
        let mut limiter = Limiter::default();
        for n in 0..10 {
            let voice = sine(n, 300.0, 0.9);
            let mut mix = [0.0; STEP];
            Volume::default().add(&mut mix, &voice);
            limiter.limit(&mut mix);
            assert_eq!(mix, voice);
        }
    }

    #[test]
    fn five_loud_voices_do_not_clip_and_the_gain_comes_back() {
        let mut limiter = Limiter::default();
        let mut last = 0.0f32;
        for n in 0..100 {
            let mut mix = [0.0; STEP];
            for k in 1..=5 {
                Volume::default().add(&mut mix, &sine(n, 110.0 * k as f32, 0.9));
            }
            limiter.limit(&mut mix);
            for sample in mix {
                assert!(sample.abs() <= CEILING);
                assert!((sample - last).abs() < 0.3, "a click");
                last = sample;
            }
        }
        let mut quiet = [0.0; STEP];
        for n in 0..300 {
            quiet = sine(n, 300.0, 0.1);
            limiter.limit(&mut quiet);
        }
        assert_eq!(quiet, sine(299, 300.0, 0.1));
    }

    #[test]
    fn a_volume_moves_without_a_click_and_nonsense_is_ignored() {
        let mut volume = Volume::default();
        volume.set(0.0);
        volume.set(f32::NAN);
        let mut mix = [0.0; STEP];
        volume.add(&mut mix, &[0.5; STEP]);
        assert!(mix.windows(2).all(|w| (w[1] - w[0]).abs() < 0.01));
        mix = [0.0; STEP];
        volume.add(&mut mix, &[0.5; STEP]);
        assert_eq!(mix, [0.0; STEP]);
        let mut broken = [f32::INFINITY; STEP];
        Limiter::default().limit(&mut broken);
        assert_eq!(broken, [0.0; STEP]);
    }
}
