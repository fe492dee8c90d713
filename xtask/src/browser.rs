//! A Chromium, for screens drawn in a plain browser and for calls with its
//! WebRTC: found, or installed where it is a package.

use crate::steps::Trouble;
use crate::system::{self, CHROMIUM};
use std::env;
use std::path::PathBuf;

/// Names another one.
pub const VARIABLE: &str = "SOTTO_CHROMIUM";

/// As it is called on the PATH, and where macOS puts it.
const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

pub fn find_or_get() -> Result<PathBuf, Trouble> {
    if let Some(named) = env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        return match named.is_file() {
            true => Ok(named),
            false => Err(Trouble::new(format!(
                "{VARIABLE} names {}, which is no program",
                named.display()
            ))),
        };
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    // On Ubuntu it is no package.
    if system::can_install(&CHROMIUM) {
        system::provide(&[CHROMIUM])?;
    }
    find().ok_or_else(|| {
        Trouble::new("there is no Chromium").mend(format!(
            "install Chromium or Chrome, or name one by {VARIABLE}; then run this again"
        ))
    })
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = NAMES
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}
