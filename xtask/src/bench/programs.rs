//! Measurements that need the engine or the client: parts of a program of their
//! own, which prints one JSON object per row.

use super::table::{Table, Target};
use crate::steps::Trouble;
use serde_json::Value;
use sotto_harness::Binaries;
use std::process::{Command, Stdio};

/// What measures: the part comes first, then what it is told.
pub const PROGRAM: &str = "sotto-bench";

/// Measures this part and takes over its rows.
pub fn measure(binaries: &Binaries, part: &str, table: &mut Table) -> Result<(), Trouble> {
    let mut program = Command::new(binaries.other(PROGRAM)?);
    rows(program.arg(part), part, table)
}

/// Takes over rows `{what, value, target, met}`; the last two are null where
/// nothing is promised. What the program complains of is passed through; what
/// it measured before it failed counts.
pub fn rows(program: &mut Command, part: &str, table: &mut Table) -> Result<(), Trouble> {
    let output = program
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let row: Value = serde_json::from_str(line)
            .map_err(|error| Trouble::new(format!("{part} printed no row: {error}")))?;
        let cell = |name: &str| row[name].as_str().unwrap_or_default();
        let target = row["met"].as_bool().map(|met| Target {
            words: cell("target"),
            met,
        });
        table.add(cell("what"), cell("value"), target);
    }
    if !output.status.success() {
        return Err(Trouble::new(format!(
            "measuring {part} failed ({})",
            output.status
        )));
    }
    Ok(())
}
