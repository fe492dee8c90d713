//! How large the programs are.

use super::table::Table;
use crate::steps::Trouble;
use sotto_harness::Binaries;
use std::fs;

pub fn measure(binaries: &Binaries, table: &mut Table) -> Result<(), Trouble> {
    for (what, path) in [
        ("size of the app, UI inside", binaries.app()?),
        ("size of the relay", binaries.relay()?),
    ] {
        let bytes = fs::metadata(path)?.len();
        table.add(what, format!("{:.1} MB", bytes as f64 / 1e6), None);
    }
    Ok(())
}
