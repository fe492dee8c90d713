//! Two people in one encrypted room, writing and calling, to look at: in two windows on this
//! display, or, without one, played by the real UI on a private screen.

mod call;
mod headless;
mod report;
mod windows;

pub use headless::interrupted;

use crate::cargo::{self, Profile};
use crate::npm::Npm;
use crate::run::BUILD_MEND;
use crate::steps::{Trouble, announce, step};
use crate::system::{self, BUILD, DRIVE, KEYRING};
use crate::{place, tool};
use sotto_harness::Binaries;
use std::env;

pub fn demo(headless: bool) -> Result<(), Trouble> {
    let display = !headless && has_display();
    let needs: &[_] = match (display, cfg!(target_os = "linux")) {
        (true, false) => &[BUILD],
        (true, true) => &[BUILD, KEYRING],
        (false, _) => &[BUILD, DRIVE, KEYRING],
    };
    println!("Sotto's demo: Alice and Bob in one encrypted room, each in their own window.");
    system::provide(needs)?;
    Npm::find_or_get()?.build()?;
    step(
        "build app, relay and command line (minutes the first time)",
        BUILD_MEND,
        || cargo::build(&["sotto", "sotto-relay", "sotto-cli"], Profile::Dev),
    )?;
    let binaries = Binaries::in_folder(Profile::Dev.folder());
    let folder = place::results("demo");
    if display {
        return windows::show(&binaries, &folder);
    }
    announce("no display: the demo is played on a private screen");
    headless::play(binaries, &folder, &tool::DRIVER.find_or_get()?)
}

fn has_display() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
