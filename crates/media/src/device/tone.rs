//! A tone with a beat, instead of a microphone: tests and demos hear by its
//! pitch who sends it, and by the beat that it lives.

use super::sound::AudioSource;
use super::{Device, DeviceError, DeviceKind, DeviceName};
use crate::audio::{RATE, STEP, STEP_TIME, Step};
use std::f64::consts::TAU;
use std::time::{Duration, Instant};

/// The pitch of the listed one, Hz.
pub const PITCH: u32 = 440;
/// Beats a second.
pub const BEAT: f64 = 2.0;
/// Loudest and softest amplitude within a beat.
const LOUD: f64 = 0.5;
const SOFT: f64 = 0.1;
/// More than this behind, the missed time is left out.
const BEHIND: Duration = Duration::from_millis(200);

pub fn listed() -> Device {
    Device {
        name: name(PITCH),
        kind: DeviceKind::Microphone,
        label: "Test tone".into(),
        default: false,
        synthetic: true,
    }
}

/// The tone of `hz`, 100 to 4,000.
pub fn name(hz: u32) -> DeviceName {
    DeviceName(format!("tone:{hz}"))
}

/// Sample `n` of the tone of `hz`; the phase is that of time zero for ever.
pub fn sample(n: u64, hz: u32) -> f32 {
    let second = u64::from(RATE);
    // Whole seconds hold whole periods of both.
    let t = (n % second) as f64 / f64::from(RATE);
    let swell = 0.5 + 0.5 * (TAU * BEAT * t).cos();
    ((SOFT + (LOUD - SOFT) * swell) * (TAU * f64::from(hz) * t).sin()) as f32
}

#[derive(Debug)]
pub struct Tone {
    hz: u32,
    made: u64,
    due: Option<Instant>,
}

impl Tone {
    /// `None` if the name is not a tone's.
    pub fn open(name: &DeviceName) -> Option<Self> {
        let hz = name.0.strip_prefix("tone:")?.parse().ok()?;
        (100..=4_000).contains(&hz).then_some(Self {
            hz,
            made: 0,
            due: None,
        })
    }
}

impl AudioSource for Tone {
    fn read(&mut self, step: &mut Step, wait: Duration) -> Result<bool, DeviceError> {
        if !pace(&mut self.due, wait) {
            return Ok(false);
        }
        for (n, to) in step.iter_mut().enumerate() {
            *to = sample(self.made + n as u64, self.hz);
        }
        self.made += STEP as u64;
        Ok(true)
    }
}

/// The clock of what has none: one step each 10 ms. Waits for the next, at most
/// `wait`.
pub(super) fn pace(due: &mut Option<Instant>, wait: Duration) -> bool {
    let now = Instant::now();
    let mut at = due.unwrap_or(now);
    if now > at + BEHIND {
        at = now;
    }
    if at > now + wait {
        std::thread::sleep(wait);
        return false;
    }
    std::thread::sleep(at.saturating_duration_since(now));
    *due = Some(at + STEP_TIME);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level::rms_db;
    use crate::audio::pitch::{level_at, strongest};

    #[test]
    fn the_tone_has_its_pitch_and_beats_twice_a_second() {
        let second: Vec<f32> = (0..u64::from(RATE)).map(|n| sample(n, 440)).collect();
        assert!((strongest(&second, 400.0, 480.0, 0.5) - 440.0).abs() < 0.6);
        assert!(level_at(&second, 660.0) < -60.0);
        let level = |at: usize| rms_db(&second[at..at + 960]);
        assert!(level(0) > level(12_000) + 12.0);
        assert!(level(24_000) > level(36_000) + 12.0);
        assert_eq!(sample(0, 440), sample(u64::from(RATE) * 1_000_003, 440));
    }

    #[test]
    fn only_tones_are_tones() {
        assert!(Tone::open(&name(440)).is_some());
        for other in ["tone:", "tone:99", "tone:5000", "tone:x", "desk"] {
            assert!(Tone::open(&DeviceName(other.into())).is_none());
        }
    }

    #[test]
    fn it_keeps_the_time() {
        let begun = Instant::now();
        let mut tone = Tone::open(&name(440)).expect("a tone");
        let mut step = [0.0; STEP];
        for _ in 0..11 {
            assert!(tone.read(&mut step, Duration::from_secs(1)).expect("read"));
        }
        assert!(begun.elapsed() >= Duration::from_millis(100));
        assert!(!tone.read(&mut step, Duration::ZERO).expect("read"));
    }
}
