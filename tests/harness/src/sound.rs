//! A sound server of the stage's own, with a speaker for each person, and ears
//! at each of them: what a person would hear is recorded there and measured.

use crate::binaries::on_path;
use crate::keyring::homes;
use crate::{Brand, Failure, Process, Result, quick, until};
use std::f64::consts::TAU;
use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Of recordings: enough for voices.
const RATE: u32 = 16_000;

/// One speaker for each place on the desktop.
const SINKS: usize = 3;

/// A private PulseAudio whose speakers play into nothing.
#[derive(Debug)]
pub struct SoundServer {
    socket: PathBuf,
    cookie: PathBuf,
    root: PathBuf,
    _process: Process,
}

/// The speaker of the person at this place.
pub(crate) fn sink(place: usize) -> String {
    format!("person-{place}")
}

impl SoundServer {
    pub(crate) async fn start(root: &Path, logs: &Path, brand: &Brand) -> Result<Self> {
        let (socket, cookie) = (root.join("run/sound"), root.join("run/sound-cookie"));
        // The server wants any 256 bytes, and clients send what they find.
        fs::write(&cookie, [7; 256])?;
        let program = on_path("pulseaudio").ok_or_else(|| {
            Failure::new("pulseaudio is missing: `cargo xtask setup` installs it")
        })?;
        let mut command = Command::new(program);
        command
            .args(["-n", "--daemonize=no", "--use-pid-file=no"])
            .args(["--disable-shm=yes", "--exit-idle-time=-1"])
            .args(["--log-level=warning", "-L"])
            .arg(format!(
                "module-native-protocol-unix socket={} auth-anonymous=1",
                socket.display()
            ));
        // The default, where it rings: nobody's ears.
        let names = ["nobody".to_owned()]
            .into_iter()
            .chain((0..SINKS).map(sink));
        for name in names {
            command.arg("-L").arg(format!(
                "module-null-sink sink_name={name} rate=48000 channels=2 format=s16le \
                 sink_properties=device.description={name}"
            ));
        }
        homes(&mut command, root);
        command.env("DBUS_SESSION_BUS_ADDRESS", "");
        let mut process = Process::start("sound", &mut command, logs, brand)?;
        until("the sound server", quick(), async || {
            process.check().map_err(|failure| failure.to_string())?;
            match UnixStream::connect(&socket) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await?;
        Ok(Self {
            socket,
            cookie,
            root: root.to_owned(),
            _process: process,
        })
    }

    /// Makes a command's sound come here.
    pub(crate) fn host(&self, command: &mut Command) {
        command
            .env("PULSE_SERVER", format!("unix:{}", self.socket.display()))
            .env("PULSE_COOKIE", &self.cookie);
    }

    /// Records what this speaker plays, from now on, for so long.
    pub(crate) async fn hears(&self, place: usize, length: Duration) -> Result<Recording> {
        let program = on_path("parec")
            .ok_or_else(|| Failure::new("parec is missing: `cargo xtask setup` installs it"))?;
        let mut command = Command::new(program);
        homes(&mut command, &self.root);
        self.host(&mut command);
        command
            .arg(format!("--device={}.monitor", sink(place)))
            .args(["--raw", "--format=s16le", "--channels=1"])
            .arg(format!("--rate={RATE}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let bytes = (length.as_secs_f64() * f64::from(RATE)) as usize * 2;
        let reading = tokio::task::spawn_blocking(move || read(&mut command, bytes));
        let read = tokio::time::timeout(length + quick(), reading).await;
        let read = read.map_err(|_| Failure::new("the sound server gives no sound"))?;
        let bytes = read.map_err(|error| Failure::new(error.to_string()))??;
        Ok(Recording::of(&bytes))
    }
}

/// Ends with its owner.
struct Ear(Child);

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(command: &mut Command, bytes: usize) -> Result<Vec<u8>> {
    let mut ear = Ear(command.spawn()?);
    let mut heard = vec![0; bytes];
    let mut out = ear
        .0
        .stdout
        .take()
        .ok_or_else(|| Failure::new("parec has no output"))?;
    out.read_exact(&mut heard)?;
    Ok(heard)
}

/// What was heard at a speaker.
#[derive(Debug, Clone)]
pub struct Recording {
    samples: Vec<f32>,
}

impl Recording {
    fn of(bytes: &[u8]) -> Self {
        let sample = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0;
        Self {
            samples: bytes.chunks_exact(2).map(sample).collect(),
        }
    }

    /// All of it together, dBFS.
    pub fn loudness(&self) -> f64 {
        let square = |s: &f32| f64::from(*s) * f64::from(*s);
        let mean = self.samples.iter().map(square).sum::<f64>() / self.samples.len().max(1) as f64;
        decibels(mean.sqrt())
    }

    /// How loud one pitch is in it, dBFS of its amplitude: the median of half
    /// seconds, because a machine under load stumbles now and then. (The
    /// algorithm is Goertzel's.)
    pub fn level_at(&self, hertz: f64) -> f64 {
        let mut levels: Vec<f64> = self
            .samples
            .chunks_exact(RATE as usize / 2)
            .map(|half| goertzel(half, hertz))
            .collect();
        levels.sort_by(f64::total_cmp);
        levels.get(levels.len() / 2).copied().unwrap_or(SILENCE)
    }
}

const SILENCE: f64 = -120.0;

fn decibels(amplitude: f64) -> f64 {
    (20.0 * amplitude.log10()).max(SILENCE)
}

fn goertzel(samples: &[f32], hertz: f64) -> f64 {
    let turn = 2.0 * (TAU * hertz / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (f64::from(*sample) + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    decibels(2.0 * power.max(0.0).sqrt() / samples.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pitch_is_found_where_it_is_and_nowhere_else() {
        let sample = |n: u32| {
            let t = f64::from(n) / f64::from(RATE);
            ((TAU * 440.0 * t).sin() * 16_384.0) as i16
        };
        let bytes: Vec<u8> = (0..RATE * 2)
            .flat_map(|n| sample(n).to_le_bytes())
            .collect();
        let heard = Recording::of(&bytes);
        assert!((heard.level_at(440.0) + 6.0).abs() < 0.1);
        assert!(heard.level_at(660.0) < -60.0);
        assert!((heard.loudness() + 9.0).abs() < 0.1);
        assert!(Recording::of(&[0; 32_000]).loudness() <= SILENCE);
    }
}
