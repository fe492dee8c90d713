//! Where things are in this checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout. Cargo says which when it runs us: where several checkouts share
/// one build folder, the program may have been built in another one.
pub fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_owned)
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
