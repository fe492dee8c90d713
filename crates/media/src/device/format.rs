//! In which format a device of the system is opened: ours where it has it,
//! else its own, or one that a test asks for.

use super::system::{self, Direction};
use super::{DeviceError, DeviceName};
use crate::audio::{RATE, resample};
use cpal::traits::DeviceTrait;
use cpal::{
    BufferSize, HostId, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfig,
    SupportedStreamConfigRange,
};

/// Sound handed over at once by the system, milliseconds.
const PERIOD: u32 = 10;
/// The same by a sound server, which throws away what waits longer than this:
/// it must outlast a hiccup.
const SERVER_PERIOD: u32 = 20;

/// A device of the system, and how to open it.
pub(super) struct Found {
    pub device: cpal::Device,
    pub config: StreamConfig,
    pub format: SampleFormat,
}

/// In the best of its formats. Blocks.
pub(super) fn best(name: &DeviceName, direction: Direction) -> Result<Found, DeviceError> {
    let (device, host) = system::find(name, direction)?;
    let error = |e: cpal::Error| system::open_error(&e);
    let chosen = match direction {
        Direction::In => choose(
            host,
            device.supported_input_configs().map_err(error)?,
            device.default_input_config().map_err(error)?,
        ),
        Direction::Out => choose(
            host,
            device.supported_output_configs().map_err(error)?,
            device.default_output_config().map_err(error)?,
        ),
    };
    let (config, format) = chosen.ok_or(DeviceError::Broken)?;
    Ok(Found {
        device,
        config,
        format,
    })
}

/// At that rate, width and number of channels, whatever it would rather have.
pub(super) fn exactly(
    name: &DeviceName,
    direction: Direction,
    rate: u32,
    channels: u16,
    format: SampleFormat,
) -> Result<Found, DeviceError> {
    let (device, host) = system::find(name, direction)?;
    let config = StreamConfig {
        channels,
        sample_rate: rate,
        buffer_size: BufferSize::Fixed(period(host, rate)),
    };
    Ok(Found {
        device,
        config,
        format,
    })
}

/// A format that the device takes: ours if it has it, else its own.
fn choose(
    host: HostId,
    ranges: impl Iterator<Item = SupportedStreamConfigRange>,
    default: SupportedStreamConfig,
) -> Option<(StreamConfig, SampleFormat)> {
    let ours = ranges
        .filter(|range| range.contains_rate(RATE))
        .filter_map(|range| Some((rank(&range, default.channels())?, range)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, range)| range.with_sample_rate(RATE));
    let taken = ours.unwrap_or(default);
    let rates = resample::RATES;
    if !rates.contains(&taken.sample_rate()) || format_rank(taken.sample_format()).is_none() {
        return None;
    }
    let frames = period(host, taken.sample_rate());
    let mut config = taken.config();
    if let SupportedBufferSize::Range { min, max } = taken.buffer_size()
        && *max >= frames
    {
        config.buffer_size = BufferSize::Fixed(frames.max(*min));
    }
    (config.channels > 0).then_some((config, taken.sample_format()))
}

/// Frames handed over at once.
fn period(host: HostId, rate: u32) -> u32 {
    let millis = if system::is_server(host) {
        SERVER_PERIOD
    } else {
        PERIOD
    };
    rate * millis / 1000
}

/// Fewer is better: mono, then the device's own channels, then few.
fn rank(range: &SupportedStreamConfigRange, default: u16) -> Option<(u16, u8)> {
    let channels = match range.channels() {
        1 => 0,
        n if n == default => 1,
        n => 1 + n,
    };
    Some((channels, format_rank(range.sample_format())?))
}

fn format_rank(format: SampleFormat) -> Option<u8> {
    use SampleFormat as F;
    Some(match format {
        F::F32 => 0,
        F::I16 => 1,
        F::I32 => 2,
        F::I24 | F::U24 | F::U16 | F::U32 | F::F64 | F::I64 | F::U64 => 3,
        F::I8 | F::U8 => 4,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(
        channels: u16,
        low: u32,
        high: u32,
        format: SampleFormat,
    ) -> SupportedStreamConfigRange {
        let buffer = SupportedBufferSize::Range { min: 64, max: 8192 };
        SupportedStreamConfigRange::new(channels, low, high, buffer, format)
    }

    fn default(channels: u16, rate: u32, format: SampleFormat) -> SupportedStreamConfig {
        SupportedStreamConfig::new(channels, rate, SupportedBufferSize::Unknown, format)
    }

    #[test]
    fn our_own_format_is_taken_where_there_is_one() {
        let (config, format) = choose(
            cpal::ALL_HOSTS[cpal::ALL_HOSTS.len() - 1],
            [
                range(2, 8_000, 96_000, SampleFormat::F32),
                range(1, 8_000, 96_000, SampleFormat::I16),
                range(1, 8_000, 96_000, SampleFormat::F32),
            ]
            .into_iter(),
            default(2, 44_100, SampleFormat::I16),
        )
        .expect("a format");
        assert_eq!((config.channels, config.sample_rate), (1, RATE));
        assert_eq!(format, SampleFormat::F32);
        assert_eq!(config.buffer_size, BufferSize::Fixed(480));
    }

    #[test]
    fn a_device_with_another_rate_keeps_its_own() {
        let (config, format) = choose(
            cpal::ALL_HOSTS[0],
            [range(2, 44_100, 44_100, SampleFormat::I16)].into_iter(),
            default(2, 44_100, SampleFormat::I16),
        )
        .expect("a format");
        assert_eq!((config.channels, config.sample_rate), (2, 44_100));
        assert_eq!(format, SampleFormat::I16);
        let none = std::iter::empty();
        assert!(
            choose(
                cpal::ALL_HOSTS[0],
                none,
                default(2, 44_100, SampleFormat::DsdU8)
            )
            .is_none()
        );
    }
}
