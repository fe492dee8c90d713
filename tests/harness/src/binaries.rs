//! Where the built programs are.

use crate::{Failure, Result};
use std::env;
use std::path::{Path, PathBuf};

/// The folder of one build, such as `target/debug`.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
    driver: Option<PathBuf>,
}

impl Binaries {
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            driver: None,
        }
    }

    /// With a tauri-driver that is not on the PATH.
    pub fn driven_by(mut self, driver: impl Into<PathBuf>) -> Self {
        self.driver = Some(driver.into());
        self
    }

    /// The build that the running test belongs to; `SOTTO_TAURI_DRIVER` names
    /// a tauri-driver that is not on the PATH.
    pub fn beside_this_test() -> Result<Self> {
        let test = env::current_exe()?;
        let folder = test
            .parent()
            .and_then(Path::parent)
            .ok_or_else(|| Failure::new("this test is in no build folder"))?;
        let binaries = Self::in_folder(folder);
        Ok(match env::var_os("SOTTO_TAURI_DRIVER") {
            Some(driver) => binaries.driven_by(driver),
            None => binaries,
        })
    }

    pub fn app(&self) -> Result<PathBuf> {
        self.find("sotto")
    }

    pub fn relay(&self) -> Result<PathBuf> {
        self.find("sotto-relay")
    }

    pub fn cli(&self) -> Result<PathBuf> {
        self.find("sotto-cli")
    }

    /// Any other program of this build.
    pub fn other(&self, name: &str) -> Result<PathBuf> {
        self.find(name)
    }

    /// tauri-driver: the one that was named, or from the PATH, or where
    /// `cargo install` puts it.
    pub(crate) fn tauri_driver(&self) -> Result<PathBuf> {
        let by_cargo = env::home_dir().map(|home| home.join(".cargo/bin/tauri-driver"));
        self.driver
            .clone()
            .or_else(|| on_path("tauri-driver"))
            .or(by_cargo)
            .filter(|path| path.is_file())
            .ok_or_else(|| Failure::new("tauri-driver is missing: `cargo xtask setup` installs it"))
    }

    fn find(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(Failure::new(format!(
            "{name} is not built yet: `cargo xtask test` builds and tests all, \
             `cargo build -p sotto -p sotto-relay -p sotto-cli` only builds"
        )))
    }
}

/// The program of that name on the PATH, or in the places where Debian keeps
/// programs that are not for every user's PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}
