//! Measures what Sotto promises to be: one run, one table, on this machine.
//!
//! Everything is a release build. Windows are measured on a private desktop
//! without a graphics card, so a real one does not do worse.

mod programs;
mod sizes;
mod table;
mod window;

use crate::cargo::{self, Profile};
use crate::npm::Npm;
use crate::run::BUILD_MEND;
use crate::steps::{Trouble, step};
use crate::system::{self, BUILD, DRIVE, KEYRING};
use crate::{driver, place};
use sotto_harness::Binaries;
use table::Table;

const PROGRAMS: [&str; 4] = ["sotto", "sotto-relay", "sotto-bench", "sotto-empty-window"];

pub fn bench() -> Result<(), Trouble> {
    system::provide(&[BUILD, DRIVE, KEYRING])?;
    Npm::find_or_get()?.build()?;
    let driver = driver::find_or_get()?;
    step(
        "build everything for release (many minutes the first time)",
        BUILD_MEND,
        || cargo::build(&PROGRAMS, Profile::Release),
    )?;
    let folder = Profile::Release.folder();
    let binaries = Binaries::in_folder(&folder).driven_by(driver);
    let mut table = Table::default();
    let runs_again = "run it again on a quiet machine; the lines above say what stopped it";
    step("encryption, against bare OpenMLS", runs_again, || {
        programs::measure(&binaries, "bench-mls", &mut table)
    })?;
    step("from send to shown", runs_again, || {
        programs::measure(&binaries, "bench-engine", &mut table)
    })?;
    step("start and memory", runs_again, || {
        window::measure(&binaries, &place::results("bench"), &mut table)
    })?;
    sizes::measure(&binaries, &mut table)?;
    println!("\n{table}");
    Ok(())
}
