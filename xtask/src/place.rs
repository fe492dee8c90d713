//! Where things are in this checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The UI's folder.
pub fn ui() -> PathBuf {
    root().join("ui")
}

/// Cargo's build folder.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Programs that were installed for this project only.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// What commands leave for people to look at: always below `target/` of the
/// checkout, wherever Cargo builds.
pub fn results(name: &str) -> PathBuf {
    root().join("target").join(name)
}
