//! Echo cancellation, noise suppression and gain, on 10 ms steps.

use super::{RATE, Step};
use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, MaxProcessingRate,
    NoiseSuppression, NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};
use std::time::Duration;

/// What is done to the microphone's sound. Changes act on the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Processing {
    /// Take out what the speaker plays.
    pub echo: bool,
    /// Take out fans and hiss.
    pub noise: bool,
    /// Bring quiet and loud voices to one level.
    pub gain: bool,
}

impl Processing {
    pub const ALL: Self = Self {
        echo: true,
        noise: true,
        gain: true,
    };
    pub const NONE: Self = Self {
        echo: false,
        noise: false,
        gain: false,
    };
}

impl Default for Processing {
    fn default() -> Self {
        Self::ALL
    }
}

fn config_of(wanted: Processing) -> Config {
    Config {
        pipeline: Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        high_pass_filter: (wanted != Processing::NONE).then(HighPassFilter::default),
        echo_canceller: wanted.echo.then(EchoCanceller::default),
        noise_suppression: wanted.noise.then(|| NoiseSuppression {
            level: NoiseSuppressionLevel::High,
            ..NoiseSuppression::default()
        }),
        gain_controller2: wanted.gain.then(|| GainController2 {
            adaptive_digital: Some(AdaptiveDigital {
                // 15 dB from the start would make the first word a shout.
                initial_gain_db: 6.0,
                max_gain_db: 30.0,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        }),
        ..Config::default()
    }
}

/// Runs the chain. Owned by the capture thread.
pub struct Processor {
    chain: AudioProcessing,
    wanted: Processing,
}

impl Processor {
    pub fn new(wanted: Processing) -> Self {
        let mono = StreamConfig::new(RATE, 1);
        let chain = AudioProcessing::builder()
            .config(config_of(wanted))
            .capture_config(mono)
            .render_config(mono)
            .build();
        Self { chain, wanted }
    }

    pub fn apply(&mut self, wanted: Processing) {
        if wanted != self.wanted {
            self.wanted = wanted;
            self.chain.apply_config(config_of(wanted));
        }
    }

    pub fn wanted(&self) -> Processing {
        self.wanted
    }

    /// What the speaker will play: the reference for echoes.
    pub fn played(&mut self, step: &Step) {
        if !self.wanted.echo {
            return;
        }
        let mut unused = [0.0; super::STEP];
        // The chain refuses formats only, and ours is fixed.
        let _ = self
            .chain
            .process_render_f32(&[step], &mut [&mut unused[..]]);
    }

    /// Cleans a captured step. `delay`: from giving a step to the speaker to
    /// hearing it in a captured one.
    pub fn clean(&mut self, step: &mut Step, delay: Duration) {
        if self.wanted == Processing::NONE {
            return;
        }
        let millis = i32::try_from(delay.as_millis()).unwrap_or(500).min(500);
        let _ = self.chain.set_stream_delay_ms(millis);
        let raw = *step;
        if self
            .chain
            .process_capture_f32(&[&raw], &mut [&mut step[..]])
            .is_err()
        {
            *step = raw;
        }
    }
}

#[cfg(test)]
mod tests;
