//! The log: one bounded file in the profile's folder. What may stand in it is
//! decided where it is written; this only keeps foreign crates to errors,
//! since they do not know which of their values are ours to keep quiet about.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Longest log file in bytes. One older file of the same length is kept.
const LONGEST: u64 = 2 * 1024 * 1024;

/// What is logged when `SOTTO_LOG` says nothing else. The WebRTC crates name
/// addresses even in their errors; what fails there is told by ours.
const USUAL: &str = "error,sotto=info,sotto_app=info,sotto_client=info,sotto_engine=info,\
                     sotto_media=info,sotto_relay=info,webrtc=off,rtc=off,sframe=off";

/// Starts the log of this process.
pub fn start(path: &Path) -> io::Result<()> {
    let file = Bounded::open(path, LONGEST)?;
    let filter = EnvFilter::try_from_env("SOTTO_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(file)
        .init();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Where, not what: a panic's message may quote the value it met.
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panicked");
        before(panic);
    }));
    Ok(())
}

/// A log file that moves itself aside when it has grown too long.
#[derive(Clone)]
struct Bounded(Arc<Mutex<State>>);

struct State {
    path: PathBuf,
    file: File,
    length: u64,
    longest: u64,
}

impl Bounded {
    fn open(path: &Path, longest: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (file, length) = append(path)?;
        Ok(Self(Arc::new(Mutex::new(State {
            path: path.into(),
            file,
            length,
            longest,
        }))))
    }
}

impl State {
    fn turn(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("old.log"))?;
        (self.file, self.length) = append(&self.path)?;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

impl Write for Bounded {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let Ok(mut state) = self.0.lock() else {
            return Ok(line.len());
        };
        if state.length >= state.longest {
            state.turn()?;
        }
        state.file.write_all(line)?;
        state.length += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Bounded {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_newest_lines_and_stays_bounded() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log/sotto.log");
        let mut log = Bounded::open(&path, 100).unwrap();
        for line in 0..50 {
            writeln!(log, "line {line}").unwrap();
        }
        let newest = fs::read_to_string(&path).unwrap();
        let older = fs::read_to_string(path.with_extension("old.log")).unwrap();
        assert!(newest.ends_with("line 49\n"));
        assert!(newest.len() <= 110 && older.len() <= 110);
    }
}
