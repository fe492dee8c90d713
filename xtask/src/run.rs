//! For daily use: the app, the relay, the UI, its pictures.

use crate::browser;
use crate::cargo::{self, Profile};
use crate::command::run;
use crate::npm::Npm;
use crate::place;
use crate::steps::{Trouble, announce, step};
use crate::system::{self, BUILD};
use std::process::Command;

/// How a failed build is mended.
pub const BUILD_MEND: &str = "the compiler's lines above say what is wrong; \
    `cargo xtask setup` installs missing system packages";

pub fn app(args: &[String]) -> Result<(), Trouble> {
    system::provide(&[BUILD])?;
    Npm::find_or_get()?.build()?;
    step("build the app", BUILD_MEND, || {
        cargo::build(&["sotto"], Profile::Release)
    })?;
    announce("start Sotto");
    run(Command::new(Profile::Release.folder().join("sotto")).args(args))
}

pub fn relay(args: &[String]) -> Result<(), Trouble> {
    step("build the relay", BUILD_MEND, || {
        cargo::build(&["sotto-relay"], Profile::Release)
    })?;
    announce("start the relay; Ctrl-C stops it");
    run(Command::new(Profile::Release.folder().join("sotto-relay")).args(args))
}

pub fn ui() -> Result<(), Trouble> {
    Npm::find_or_get()?.build()
}

pub fn screens() -> Result<(), Trouble> {
    let chromium = browser::find_or_get()?;
    let npm = Npm::find_or_get()?;
    npm.packages()?;
    let folder = place::results("screens");
    step(
        "render the screens",
        "the lines above say which screen failed",
        || {
            let arguments = [folder.clone().into_os_string()];
            npm.script_with("screens", &arguments, (browser::VARIABLE, &chromium))
        },
    )?;
    println!("The pictures are in {}", folder.display());
    Ok(())
}
