//! Calling Cargo.

use crate::command::run;
use crate::place;
use crate::steps::Trouble;
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// How to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    /// Where Cargo puts programs of this profile.
    pub fn folder(self) -> PathBuf {
        place::target().join(match self {
            Self::Dev => "debug",
            Self::Release => "release",
        })
    }
}

/// The Cargo that runs us, at the top of the checkout.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(place::root());
    // Cargo describes the package that is running; that is not what is built now.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Builds all there is, in the way in which all of it is tested: built on its
/// own, a package has other features of what it depends on, and most of that
/// would be built twice.
pub fn build_all() -> Result<(), Trouble> {
    run(cargo()
        .args(["build", "--locked", "--workspace", "--all-targets"])
        // It runs: some systems do not let go of a program that does.
        .args(["--exclude", "xtask"]))
}

/// Builds the programs of these packages.
pub fn build(packages: &[&str], profile: Profile) -> Result<(), Trouble> {
    let mut command = cargo();
    command.args(["build", "--locked"]);
    for package in packages {
        command.args(["--package", package]);
    }
    if profile == Profile::Release {
        command.arg("--release");
    }
    run(&mut command)
}
