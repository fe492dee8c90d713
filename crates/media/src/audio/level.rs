//! How loud it is, and whether somebody speaks.

use super::STEP_TIME;
use std::time::Duration;

/// What the meter shows for silence, dBFS.
pub const SILENCE_DB: f32 = -100.0;

/// RMS of the samples relative to full scale, in dBFS; a full-scale sine is
/// −3. Never below [`SILENCE_DB`].
pub fn rms_db(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return SILENCE_DB;
    }
    let power = samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    if !power.is_finite() || power <= 1e-10 {
        return SILENCE_DB;
    }
    10.0 * power.log10()
}

/// dB as a factor of amplitude.
pub fn gain_of(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// A needle for people: rises at once, falls 20 dB in a second.
#[derive(Debug, Clone)]
pub struct Meter {
    shown: f32,
}

impl Default for Meter {
    fn default() -> Self {
        Self { shown: SILENCE_DB }
    }
}

impl Meter {
    /// Takes 10 ms of sound.
    pub fn hear(&mut self, step: &[f32]) -> f32 {
        let falls = 20.0 * STEP_TIME.as_secs_f32();
        self.shown = rms_db(step).max(self.shown - falls).max(SILENCE_DB);
        self.shown
    }

    /// dBFS.
    pub fn db(&self) -> f32 {
        self.shown
    }
}

/// Louder than the background by that much begins speech, dB.
const BEGIN_OVER: f32 = 10.0;
/// Speech goes on while it is louder by that much, dB.
const STAY_OVER: f32 = 5.0;
/// Below this nothing is speech, dBFS.
const QUIETEST: f32 = -55.0;
/// At or above this it is speech whatever the background does, dBFS.
const LOUD: f32 = -30.0;
/// So many loud steps begin speech: a click is shorter.
const BEGIN_STEPS: u32 = 4;
/// A pause shorter than this does not end it.
const HANG: Duration = Duration::from_millis(400);
/// The background follows a rise by so many dB a second.
const BACKGROUND_RISES: f32 = 3.0;

/// Decides whether somebody speaks, from the level over the background, with
/// hysteresis in level and time.
#[derive(Debug, Clone)]
pub struct Speaking {
    background: f32,
    loud_steps: u32,
    quiet: Duration,
    speaks: bool,
}

impl Default for Speaking {
    fn default() -> Self {
        Self {
            background: -60.0,
            loud_steps: 0,
            quiet: Duration::ZERO,
            speaks: false,
        }
    }
}

impl Speaking {
    /// Takes the level of 10 ms, dBFS. The answer is whether somebody speaks.
    pub fn hear(&mut self, db: f32) -> bool {
        let rise = BACKGROUND_RISES * STEP_TIME.as_secs_f32();
        self.background = db.min(self.background + rise).max(SILENCE_DB);
        let over = if self.speaks { STAY_OVER } else { BEGIN_OVER };
        let loud = db >= QUIETEST && (db >= LOUD || db >= self.background + over);
        if loud {
            self.loud_steps += 1;
            self.quiet = Duration::ZERO;
            self.speaks |= self.loud_steps >= BEGIN_STEPS;
        } else {
            self.loud_steps = 0;
            self.quiet += STEP_TIME;
            self.speaks &= self.quiet < HANG;
        }
        self.speaks
    }

    pub fn speaks(&self) -> bool {
        self.speaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_measures_three_below_full_scale() {
        let sine: Vec<f32> = (0..4800)
            .map(|n| (n as f32 * std::f32::consts::TAU / 48.0).sin())
            .collect();
        assert!((rms_db(&sine) + 3.01).abs() < 0.05);
        assert_eq!(rms_db(&[0.0; 480]), SILENCE_DB);
        assert_eq!(rms_db(&[]), SILENCE_DB);
        assert_eq!(rms_db(&[f32::NAN; 4]), SILENCE_DB);
    }

    #[test]
    fn the_needle_rises_at_once_and_falls_slowly() {
        let mut meter = Meter::default();
        assert!(meter.hear(&[0.5; 480]) > -7.0);
        for _ in 0..50 {
            meter.hear(&[0.0; 480]);
        }
        assert!((meter.db() + 16.0).abs() < 0.5, "{}", meter.db());
    }

    #[test]
    fn a_click_is_not_speech_and_a_short_pause_does_not_end_it() {
        let mut speaking = Speaking::default();
        for _ in 0..100 {
            speaking.hear(-70.0);
        }
        assert!(!(0..3).any(|_| speaking.hear(-25.0)), "a click");
        speaking.hear(-70.0);
        assert!((0..4).any(|_| speaking.hear(-35.0)), "a word");
        assert!((0..30).all(|_| speaking.hear(-70.0)), "a breath");
        assert!((0..20).any(|_| !speaking.hear(-70.0)), "the end");
    }

    #[test]
    fn a_steady_hum_becomes_background() {
        let mut speaking = Speaking::default();
        for _ in 0..2000 {
            speaking.hear(-42.0);
        }
        assert!(!speaking.speaks());
        for _ in 0..4 {
            speaking.hear(-31.0);
        }
        assert!(speaking.speaks());
    }
}
