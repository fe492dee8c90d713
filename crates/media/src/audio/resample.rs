//! Between a device's rate and ours.

use super::{RATE, STEP, Step};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};
use std::collections::VecDeque;

/// Rates that a device or file may have, samples a second.
pub const RATES: std::ops::RangeInclusive<u32> = 4_000..=768_000;

fn filter() -> SincInterpolationParameters {
    SincInterpolationParameters {
        interpolation: SincInterpolationType::Linear,
        oversampling_factor: 128,
        ..SincInterpolationParameters::new(64, WindowFunction::Hann2)
    }
}

fn make(from: u32, to: u32, fixed: FixedAsync) -> Option<Async<f32>> {
    if !RATES.contains(&from) || !RATES.contains(&to) {
        return None;
    }
    let ratio = f64::from(to) / f64::from(from);
    Async::new_sinc(ratio, 1.01, &filter(), STEP, 1, fixed).ok()
}

/// From any rate to steps at 48 kHz.
pub struct ToSteps {
    /// None: the rate is ours already.
    resampler: Option<Async<f32>>,
    waiting: VecDeque<f32>,
    chunk: Vec<f32>,
}

impl ToSteps {
    /// `None` if nothing has such a rate.
    pub fn new(rate: u32) -> Option<Self> {
        let resampler = if rate == RATE {
            None
        } else {
            Some(make(rate, RATE, FixedAsync::Output)?)
        };
        Some(Self {
            resampler,
            waiting: VecDeque::with_capacity(8 * STEP),
            chunk: Vec::with_capacity(8 * STEP),
        })
    }

    /// How many more samples the next step needs.
    pub fn needs(&self) -> usize {
        let whole = match &self.resampler {
            None => STEP,
            Some(resampler) => resampler.input_frames_next(),
        };
        whole.saturating_sub(self.waiting.len())
    }

    pub fn push(&mut self, samples: &[f32]) {
        self.waiting.extend(samples);
    }

    /// The next step, if enough samples are here.
    pub fn pull(&mut self, step: &mut Step) -> bool {
        if self.needs() > 0 {
            return false;
        }
        let Some(resampler) = &mut self.resampler else {
            for (to, from) in step.iter_mut().zip(self.waiting.drain(..STEP)) {
                *to = from;
            }
            return true;
        };
        self.chunk.clear();
        self.chunk
            .extend(self.waiting.drain(..resampler.input_frames_next()));
        let frames = self.chunk.len();
        let from = InterleavedSlice::new(&self.chunk, 1, frames);
        let to = InterleavedSlice::new_mut(&mut step[..], 1, STEP);
        if let (Ok(from), Ok(mut to)) = (from, to)
            && resampler.process_into_buffer(&from, &mut to, None).is_ok()
        {
            return true;
        }
        step.fill(0.0);
        true
    }
}

/// From steps at 48 kHz to any rate.
pub struct FromSteps {
    resampler: Option<Async<f32>>,
    made: Vec<f32>,
}

impl FromSteps {
    pub fn new(rate: u32) -> Option<Self> {
        let resampler = if rate == RATE {
            None
        } else {
            Some(make(RATE, rate, FixedAsync::Input)?)
        };
        let room = resampler.as_ref().map_or(STEP, Async::output_frames_max);
        Some(Self {
            resampler,
            made: vec![0.0; room],
        })
    }

    pub fn convert(&mut self, step: &Step) -> &[f32] {
        let Some(resampler) = &mut self.resampler else {
            self.made.copy_from_slice(step);
            return &self.made;
        };
        let room = self.made.len();
        let from = InterleavedSlice::new(&step[..], 1, STEP);
        let to = InterleavedSlice::new_mut(&mut self.made, 1, room);
        let made = match (from, to) {
            (Ok(from), Ok(mut to)) => resampler.process_into_buffer(&from, &mut to, None),
            _ => return &[],
        };
        &self.made[..made.map_or(0, |(_, made)| made)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level::rms_db;
    use crate::audio::pitch::{level_at, strongest};

    fn sine(rate: u32, hz: f32, count: usize) -> Vec<f32> {
        (0..count)
            .map(|n| 0.25 * (n as f32 * std::f32::consts::TAU * hz / rate as f32).sin())
            .collect()
    }

    #[test]
    fn a_tone_of_any_rate_arrives_with_its_pitch_and_level() {
        for rate in [8_000, 11_025, 16_000, 44_100, 48_000, 96_000, 192_000] {
            let mut to = ToSteps::new(rate).expect("rate");
            let mut heard = Vec::new();
            let mut step = [0.0; STEP];
            for piece in sine(rate, 440.0, rate as usize).chunks(333) {
                to.push(piece);
                while to.pull(&mut step) {
                    heard.extend(step);
                }
            }
            assert!(heard.len() > 46_000 && heard.len() <= 48_000, "{rate}");
            let heard = &heard[4800..43_200];
            assert!(
                (strongest(heard, 420.0, 460.0, 1.0) - 440.0).abs() < 1.5,
                "{rate}"
            );
            assert!(
                (rms_db(heard) + 15.05).abs() < 0.3,
                "{rate}: {}",
                rms_db(heard)
            );
        }
    }

    #[test]
    fn a_tone_goes_to_any_rate_and_comes_back() {
        for rate in [8_000, 22_050, 44_100, 96_000] {
            let mut from = FromSteps::new(rate).expect("rate");
            let mut to = ToSteps::new(rate).expect("rate");
            let (mut heard, mut step) = (Vec::new(), [0.0; STEP]);
            for chunk in sine(48_000, 440.0, 48_000).chunks_exact(STEP) {
                let chunk: &Step = chunk.try_into().expect("a step");
                to.push(from.convert(chunk));
                while to.pull(&mut step) {
                    heard.extend(step);
                }
            }
            let heard = &heard[4800..43_200];
            assert!((level_at(heard, 440.0) + 15.05).abs() < 0.3, "{rate}");
        }
    }

    #[test]
    fn no_device_has_such_a_rate() {
        assert!(ToSteps::new(0).is_none());
        assert!(FromSteps::new(u32::MAX).is_none());
    }
}
