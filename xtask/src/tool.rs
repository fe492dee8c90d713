//! Programs from the crate registry that the tests use: found, or installed for this
//! project only.

use crate::cargo::cargo;
use crate::command::run;
use crate::place;
use crate::steps::{Trouble, step};
use std::env;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy)]
pub struct Tool {
    name: &'static str,
    /// What Cargo calls the versions that serve.
    version: &'static str,
}

/// Lets tests use app windows as WebDriver sessions.
pub const DRIVER: Tool = Tool {
    name: "tauri-driver",
    version: "^2",
};

/// Looks at licenses and sources of dependencies.
pub const DENY: Tool = Tool {
    name: "cargo-deny",
    version: "^0.20",
};

impl Tool {
    pub fn find_or_get(self) -> Result<PathBuf, Trouble> {
        let own = place::tools();
        if let Some(found) = self.find(&own) {
            return Ok(found);
        }
        let Self { name, version } = self;
        let mend = format!(
            "check the connection to the crate registry, or `cargo install {name} --version {version} --locked`"
        );
        step(&format!("install {name}"), &mend, || {
            let mut command = cargo();
            command
                .args(["install", name, "--version", version, "--locked"])
                .arg("--root")
                .arg(&own)
                // It is started a few times; its build is waited for.
                .args(["--profile", "dev"]);
            run(&mut command)
        })?;
        self.find(&own)
            .ok_or_else(|| Trouble::new(format!("{name} is not where it was installed")))
    }

    fn find(self, own: &Path) -> Option<PathBuf> {
        let path = env::var_os("PATH").unwrap_or_default();
        let by_cargo = env::home_dir().map(|home| home.join(".cargo/bin"));
        env::split_paths(&path)
            .chain(by_cargo)
            .chain([own.join("bin")])
            .map(|folder| folder.join(self.name))
            .find(|candidate| candidate.is_file())
    }
}
