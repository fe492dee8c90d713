//! Measurements that need the engine or the client: programs of their own,
//! which print one JSON object per row.

use super::table::{Table, Target};
use crate::command::output;
use crate::steps::Trouble;
use serde_json::Value;
use sotto_harness::Binaries;
use std::process::Command;

/// Runs the program and takes over its rows `{what, value, target, met}`; the
/// last two are null where nothing is promised.
pub fn measure(binaries: &Binaries, name: &str, table: &mut Table) -> Result<(), Trouble> {
    let program = binaries.other(name)?;
    let printed = output(&mut Command::new(program))
        .ok_or_else(|| Trouble::new(format!("{name} ended with an error")))?;
    for line in printed.lines() {
        let row: Value = serde_json::from_str(line)
            .map_err(|error| Trouble::new(format!("{name} printed no row: {error}")))?;
        let cell = |name: &str| row[name].as_str().unwrap_or_default();
        let target = row["met"].as_bool().map(|met| Target {
            words: cell("target"),
            met,
        });
        table.add(cell("what"), cell("value"), target);
    }
    Ok(())
}
