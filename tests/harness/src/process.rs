//! One process with its own process group and its own log file, ended with all
//! its children when it is dropped.

use crate::{Brand, Failure, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// How to end a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM, and SIGKILL when it takes more than ten seconds.
    Asked,
    /// SIGKILL at once, as by a crash.
    Killed,
}

impl Process {
    /// Starts `command`; both its outputs are appended to `<logs>/<name>.log`.
    pub fn start(name: &str, command: &mut Command, logs: &Path, brand: &Brand) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let out = OpenOptions::new().create(true).append(true).open(&log)?;
        let err = out.try_clone()?;
        brand.mark(command);
        let child = command
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .map_err(|error| {
                let program = command.get_program().to_string_lossy().into_owned();
                Failure::from(error).during(format!("starting {program}"))
            })?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it still runs; otherwise, how it ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::new(format!(
                "{} ended too early ({status}): {}",
                self.name,
                last_lines(&self.log(), 5)
            ))),
        }
    }

    /// Ends it and its group; returns when it is gone.
    pub fn end(&mut self, how: Ending) {
        let group = Pid::from_child(&self.child);
        if how == Ending::Asked && matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(group, Signal::TERM);
            let deadline = Instant::now() + Duration::from_secs(10);
            while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(20));
            }
        }
        // Also when the leader is gone: its children may not be.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(Ending::Killed);
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}
