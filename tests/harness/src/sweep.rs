//! Ends everything that a stage started, whatever became of the stage.
//!
//! Every process of a stage carries a mark in its environment, which its own
//! children inherit. The sweep kills exactly those that carry it. A watchman
//! process does the same when ours dies without saying goodbye: its standard
//! input then reaches its end.

use crate::{Failure, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

const VARIABLE: &str = "SOTTO_STAGE";

/// The mark of one stage.
#[derive(Debug)]
pub struct Brand {
    value: String,
    watchman: Child,
}

impl Brand {
    pub fn new() -> Result<Self> {
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        let value = format!("{}-{nanos}", std::process::id());
        let watchman = watchman(&value)?;
        Ok(Self { value, watchman })
    }

    /// Marks a command before it is started.
    pub fn mark(&self, command: &mut Command) {
        command.env(VARIABLE, &self.value);
    }

    /// Kills every marked process, and looks again until none is left.
    pub fn sweep(&self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let marked = self.marked();
            if marked.is_empty() {
                return;
            }
            for pid in marked {
                // Gone in the meantime: what we want.
                let _ = kill_process(pid, Signal::KILL);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Living processes with this mark; zombies are not living.
    pub fn marked(&self) -> Vec<Pid> {
        let wanted = format!("{VARIABLE}={}", self.value);
        pids()
            .filter(|pid| {
                fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| {
                    environ
                        .split(|byte| *byte == 0)
                        .any(|entry| entry == wanted.as_bytes())
                })
            })
            .filter_map(Pid::from_raw)
            .collect()
    }
}

impl Drop for Brand {
    fn drop(&mut self) {
        self.sweep();
        let _ = self.watchman.kill();
        let _ = self.watchman.wait();
    }
}

/// All process ids of this machine.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn watchman(value: &str) -> Result<Child> {
    let script = format!(
        "cat >/dev/null; for p in /proc/[0-9]*; do \
         if grep -qzx '{VARIABLE}={value}' \"$p/environ\" 2>/dev/null; then kill -KILL \"${{p#/proc/}}\"; fi; done"
    );
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| Failure::from(error).during("starting the watchman"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_ends_marked_processes_and_no_others() {
        let brand = Brand::new().expect("a brand");
        let mut ours = Command::new("sleep");
        ours.arg("600");
        brand.mark(&mut ours);
        let mut ours = ours.spawn().expect("sleep starts");
        let mut other = Command::new("sleep").arg("600").spawn().expect("starts");

        brand.sweep();

        assert!(!ours.wait().expect("ended").success());
        assert!(other.try_wait().expect("asked").is_none());
        other.kill().expect("still ours to end");
        other.wait().expect("ended");
    }

    #[test]
    fn the_watchman_sweeps_when_we_are_gone() {
        let mut brand = Brand::new().expect("a brand");
        let mut child = Command::new("sleep");
        child.arg("600");
        brand.mark(&mut child);
        let mut child = child.spawn().expect("sleep starts");

        // What the system does for a process that died: it closes its pipes.
        drop(brand.watchman.stdin.take());

        assert!(!child.wait().expect("ended").success());
    }
}
