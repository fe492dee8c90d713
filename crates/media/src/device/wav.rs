//! A wav file instead of a microphone, over and over, and instead of a speaker.

use super::sound::{AudioSink, AudioSource};
use super::{Device, DeviceError, DeviceKind, DeviceName, tone};
use crate::audio::resample::ToSteps;
use crate::audio::{RATE, Step};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PREFIX: &str = "wav:";
/// The header of the file is brought up to date this often, in steps: a second.
const FLUSH: u32 = 100;

/// The file as a device: to be read as a microphone, to be written as a
/// speaker.
pub fn name(path: &Path) -> DeviceName {
    DeviceName(format!("{PREFIX}{}", path.display()))
}

/// The list's entry for a file that somebody chose.
pub fn listed(path: &Path, kind: DeviceKind) -> Device {
    let label = path.file_name().unwrap_or(path.as_os_str());
    Device {
        name: name(path),
        kind,
        label: label.to_string_lossy().into_owned(),
        default: false,
        synthetic: true,
    }
}

pub(super) fn path_of(name: &DeviceName) -> Option<PathBuf> {
    name.0.strip_prefix(PREFIX).map(PathBuf::from)
}

fn file_error(error: &std::io::Error) -> DeviceError {
    match error.kind() {
        ErrorKind::NotFound => DeviceError::NoDevice,
        ErrorKind::PermissionDenied => DeviceError::Refused,
        _ => DeviceError::Broken,
    }
}

fn wav_error(error: hound::Error) -> DeviceError {
    match error {
        hound::Error::IoError(error) => file_error(&error),
        _ => DeviceError::Broken,
    }
}

/// Reads a file of any rate, width and number of channels, as mono.
pub struct WavSource {
    reader: WavReader<BufReader<File>>,
    spec: WavSpec,
    steps: ToSteps,
    frame: Vec<f32>,
    due: Option<Instant>,
}

impl WavSource {
    pub fn open(path: PathBuf) -> Result<Self, DeviceError> {
        let reader = WavReader::open(path).map_err(wav_error)?;
        let spec = reader.spec();
        if reader.duration() == 0 || spec.channels == 0 {
            return Err(DeviceError::Broken);
        }
        Ok(Self {
            reader,
            spec,
            steps: ToSteps::new(spec.sample_rate).ok_or(DeviceError::Broken)?,
            frame: Vec::new(),
            due: None,
        })
    }

    /// Reads frames for the next step; at the end it begins again.
    fn fill(&mut self) -> Result<(), DeviceError> {
        let channels = usize::from(self.spec.channels);
        let mut frames = self.steps.needs();
        let mut rewound = false;
        while frames > 0 {
            self.frame.clear();
            read_samples(&mut self.reader, self.spec, channels, &mut self.frame)?;
            if self.frame.len() < channels {
                if rewound {
                    return Err(DeviceError::Broken);
                }
                rewound = true;
                self.reader.seek(0).map_err(|e| file_error(&e))?;
                continue;
            }
            rewound = false;
            let mono = self.frame.iter().sum::<f32>() / channels as f32;
            self.steps.push(&[mono]);
            frames -= 1;
        }
        Ok(())
    }
}

fn read_samples(
    reader: &mut WavReader<BufReader<File>>,
    spec: WavSpec,
    count: usize,
    into: &mut Vec<f32>,
) -> Result<(), DeviceError> {
    match spec.sample_format {
        SampleFormat::Float => {
            for sample in reader.samples::<f32>().take(count) {
                into.push(sample.map_err(wav_error)?.clamp(-1.0, 1.0));
            }
        }
        SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
            for sample in reader.samples::<i32>().take(count) {
                into.push(sample.map_err(wav_error)? as f32 * scale);
            }
        }
    }
    Ok(())
}

impl AudioSource for WavSource {
    fn read(&mut self, step: &mut Step, wait: Duration) -> Result<bool, DeviceError> {
        if !tone::pace(&mut self.due, wait) {
            return Ok(false);
        }
        self.fill()?;
        Ok(self.steps.pull(step))
    }
}

/// Writes what would be heard, 48 kHz mono, 16 bit.
pub struct WavSink {
    writer: WavWriter<BufWriter<File>>,
    due: Option<Instant>,
    steps: u32,
}

impl WavSink {
    pub fn create(path: PathBuf) -> Result<Self, DeviceError> {
        let spec = WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        Ok(Self {
            writer: WavWriter::create(path, spec).map_err(wav_error)?,
            due: None,
            steps: 0,
        })
    }
}

impl AudioSink for WavSink {
    fn wants(&mut self, wait: Duration) -> Result<bool, DeviceError> {
        Ok(tone::pace(&mut self.due, wait))
    }

    fn write(&mut self, step: &Step) -> Result<(), DeviceError> {
        for sample in step {
            let sample = (sample * f32::from(i16::MAX)) as i16;
            self.writer.write_sample(sample).map_err(wav_error)?;
        }
        self.steps += 1;
        if self.steps.is_multiple_of(FLUSH) {
            self.writer.flush().map_err(wav_error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::STEP;
    use crate::audio::level::rms_db;
    use crate::audio::pitch::strongest;

    fn write(path: &Path, spec: WavSpec, frames: u32) {
        let mut writer = WavWriter::create(path, spec).expect("a file");
        for n in 0..frames {
            let t = f64::from(n) / f64::from(spec.sample_rate);
            let sample = 0.25 * (std::f64::consts::TAU * 500.0 * t).sin();
            for _ in 0..spec.channels {
                let written = match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(sample as f32),
                    SampleFormat::Int => {
                        let full = f64::from((1u32 << (spec.bits_per_sample - 1)) - 1);
                        writer.write_sample((sample * full) as i32)
                    }
                };
                written.expect("a sample");
            }
        }
        writer.finalize().expect("a file");
    }

    #[test]
    fn files_of_many_kinds_are_heard_over_and_over() {
        let folder = tempfile::tempdir().expect("a folder");
        for (rate, channels, bits, sample_format) in [
            (48_000, 1, 16, SampleFormat::Int),
            (44_100, 2, 24, SampleFormat::Int),
            (16_000, 1, 8, SampleFormat::Int),
            (96_000, 6, 32, SampleFormat::Float),
        ] {
            let path = folder.path().join("voice.wav");
            let spec = WavSpec {
                channels,
                sample_rate: rate,
                bits_per_sample: bits,
                sample_format,
            };
            // A tenth of a second: whole periods, so the loop has no seam.
            write(&path, spec, rate / 10);
            let mut source = WavSource::open(path).expect("a wav file");
            let mut heard = Vec::new();
            for _ in 0..30 {
                source.fill().expect("samples");
                let mut step = [0.0; STEP];
                assert!(source.steps.pull(&mut step));
                heard.extend(step);
            }
            let heard = &heard[960..];
            assert!((strongest(heard, 450.0, 550.0, 1.0) - 500.0).abs() < 3.0);
            assert!((rms_db(heard) + 15.05).abs() < 0.4, "{}", rms_db(heard));
        }
    }

    #[test]
    fn what_is_not_a_wav_file_is_a_broken_device() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.wav");
        let error = |path: &Path| WavSource::open(path.into()).map(|_| ()).unwrap_err();
        assert_eq!(error(&path), DeviceError::NoDevice);
        std::fs::write(&path, b"RIFF....WAVEfmt garbage").expect("a file");
        assert_eq!(error(&path), DeviceError::Broken);
        let spec = WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        write(&path, spec, 0);
        assert_eq!(error(&path), DeviceError::Broken);
    }

    #[test]
    fn what_was_written_can_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.wav");
        let mut sink = WavSink::create(path.clone()).expect("a file");
        sink.write(&[0.5; STEP]).expect("written");
        drop(sink);
        let mut source = WavSource::open(path).expect("a wav file");
        let mut step = [0.0; STEP];
        assert!(source.read(&mut step, Duration::ZERO).expect("read"));
        assert!(step.iter().all(|s| (s - 0.5).abs() < 1e-4));
    }
}
