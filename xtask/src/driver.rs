//! tauri-driver, which lets tests use app windows as WebDriver sessions.

use crate::cargo::cargo;
use crate::command::run;
use crate::place;
use crate::steps::{Trouble, step};
use std::env;
use std::path::{Path, PathBuf};

/// Finds tauri-driver, or installs it for this project only.
pub fn find_or_get() -> Result<PathBuf, Trouble> {
    let own = place::tools();
    if let Some(found) = find(&own) {
        return Ok(found);
    }
    step(
        "install tauri-driver",
        "check the connection to crates.io, or `cargo install tauri-driver --version ^2 --locked`",
        || {
            let mut command = cargo();
            command
                .args(["install", "tauri-driver", "--version", "^2", "--locked"])
                .arg("--root")
                .arg(&own);
            run(&mut command)
        },
    )?;
    find(&own).ok_or_else(|| Trouble::new("tauri-driver is not where it was installed"))
}

fn find(own: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let by_cargo = env::home_dir().map(|home| home.join(".cargo/bin"));
    env::split_paths(&path)
        .chain(by_cargo)
        .chain([own.join("bin")])
        .map(|folder| folder.join("tauri-driver"))
        .find(|candidate| candidate.is_file())
}
