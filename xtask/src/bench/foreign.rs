//! Calls, with other people's WebRTC installed for comparison: below the build
//! folder, and only if that can be had. Where it cannot, the table says so.

use super::programs::{self, PROGRAM};
use super::table::Table;
use crate::npm::Npm;
use crate::steps::Trouble;
use crate::{place, system};
use sotto_harness::Binaries;
use sotto_outside::foreign;
use std::process::Command;

pub fn measure(binaries: &Binaries, table: &mut Table) -> Result<(), Trouble> {
    let mut program = Command::new(binaries.other(PROGRAM)?);
    program.arg("calls");
    let mut absent = |name: &str, why: &Trouble| {
        let why = why.to_string();
        let first = why.lines().next().unwrap_or_default();
        table.add(
            format!("{name}, for comparison"),
            format!("not here: {first}"),
            None,
        );
    };
    if let Err(why) = libwebrtc(&mut program) {
        absent("libwebrtc", &why);
    }
    if let Err(why) = aiortc(&mut program) {
        absent("aiortc", &why);
    }
    programs::rows(&mut program, "calls", table)
}

fn libwebrtc(program: &mut Command) -> Result<(), Trouble> {
    let npm = Npm::find_or_get()?;
    let home = place::tools().join("libwebrtc");
    foreign::libwebrtc(&home, npm.command()).map_err(trouble)?;
    program.arg("--libwebrtc").arg(home).env("PATH", npm.path());
    Ok(())
}

fn aiortc(program: &mut Command) -> Result<(), Trouble> {
    system::provide(&[system::PYTHON])?;
    let home = place::tools().join("aiortc");
    foreign::aiortc(&home).map_err(trouble)?;
    program.arg("--aiortc").arg(home);
    Ok(())
}

fn trouble(why: foreign::Absent) -> Trouble {
    Trouble::new(why.to_string())
}
