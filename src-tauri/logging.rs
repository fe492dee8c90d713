//! The log: one bounded file in the profile's folder. What may stand in it is
//! decided where it is written; this only keeps foreign crates to errors,
//! since they do not know which of their values are ours to keep quiet about.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{MakeWriter, writer::BoxMakeWriter},
};

/// Longest log file in bytes. One older file of the same length is kept.
const LONGEST: u64 = 2 * 1024 * 1024;

/// What is logged when `SOTTO_LOG` says nothing else. The WebRTC crates name
/// addresses even in their errors; what fails there is told by ours.
const USUAL: &str = "error,sotto=info,sotto_app=info,sotto_client=info,sotto_engine=info,\
                     sotto_media=info,sotto_relay=info,webrtc=off,rtc=off,sframe=off";

/// Starts the log of this process; without a file where none can be written.
pub fn start(path: &Path) {
    let filter = EnvFilter::try_from_env("SOTTO_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        // Nor does it complain on a terminal about a disk that is full.
        .log_internal_errors(false)
        .with_writer(writer(path))
        .init();
    hook_panics(cfg!(debug_assertions));
}

fn writer(path: &Path) -> BoxMakeWriter {
    match Bounded::open(path, LONGEST) {
        Ok(file) => BoxMakeWriter::new(file),
        Err(_) => BoxMakeWriter::new(io::sink),
    }
}

/// Where, not what: a panic's message may quote the value it met, and what is
/// said on a terminal usually ends in the system's journal. `aloud`: a
/// developer sits at the terminal.
fn hook_panics(aloud: bool) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panicked");
        match aloud {
            true => before(panic),
            false => complain(&place),
        }
    }));
}

#[allow(clippy::print_stderr)]
fn complain(place: &str) {
    eprintln!("sotto: panicked at {place}");
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

    #[test]
    fn a_log_that_cannot_be_written_is_done_without() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let log = writer(&file.join("log/sotto.log"));
        log.make_writer().write_all(b"a line\n").unwrap();
    }

    /// Runs in a process of its own: a panic hook is everybody's.
    const PANICKING: &str = "SOTTO_TEST_PANICS";

    #[test]
    fn a_panic_says_where_and_not_what() {
        if std::env::var_os(PANICKING).is_some() {
            hook_panics(false);
            let panicked = std::panic::catch_unwind(|| panic!("the secret"));
            assert!(panicked.is_err());
            return;
        }
        let me = std::env::current_exe().unwrap();
        let said = std::process::Command::new(me)
            .args(["--exact", "logging::tests::a_panic_says_where_and_not_what"])
            .arg("--nocapture")
            .env(PANICKING, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{text}");
        assert!(text.contains("logging.rs"), "{text}");
        assert!(!text.contains("the secret"), "{text}");
    }
}
