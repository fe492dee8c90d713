//! Running other programs, and saying in words when they fail.

use crate::steps::Trouble;
use std::process::{Command, Stdio};

/// Runs to the end with output passed through; nothing can ask a question.
pub fn run(command: &mut Command) -> Result<(), Trouble> {
    let line = line(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Trouble::new(format!("`{line}` could not start: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Trouble::new(format!("`{line}` failed ({status})")))
}

/// What the program prints, without surrounding space; `None` if it fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Whether the program starts and ends well.
pub fn succeeds(command: &mut Command) -> bool {
    output(command).is_some()
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    command.get_args().fold(program, |line, arg| {
        format!("{line} {}", arg.to_string_lossy())
    })
}
