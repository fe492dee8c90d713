//! Two people in one encrypted room, writing and calling, each in their own
//! window: played by the real UI on this display or, without one, on a private
//! screen; or left to whoever sits before it.

mod by_hand;
mod call;
mod play;
mod report;

pub use play::interrupted;

use crate::cargo::{self, Profile};
use crate::npm::Npm;
use crate::run::BUILD_MEND;
use crate::steps::{Trouble, announce, step};
use crate::system::{self, BUILD, DRIVE, KEYRING};
use crate::{place, tool};
use sotto_harness::{Binaries, Screen};
use std::env;
use std::time::Duration;

/// Nobody keeps the demo open for longer.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It plays by itself.
    Played(Screen),
    /// Both windows open in one room, and that is all.
    ByHand,
}

impl How {
    pub fn wanted(headless: bool, by_hand: bool) -> Self {
        // Windows are driven on Linux only.
        match () {
            () if by_hand || !cfg!(target_os = "linux") => Self::ByHand,
            () if headless || !has_display() => Self::Played(Screen::Private),
            () => Self::Played(Screen::Shared),
        }
    }
}

pub fn demo(how: How) -> Result<(), Trouble> {
    let needs: &[_] = match (how, cfg!(target_os = "linux")) {
        (How::ByHand, false) => &[BUILD],
        (How::ByHand, true) => &[BUILD, KEYRING],
        (How::Played(_), _) => &[BUILD, DRIVE, KEYRING],
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
    let screen = match how {
        How::ByHand => return by_hand::show(&binaries, &folder),
        How::Played(screen) => screen,
    };
    announce(match screen {
        Screen::Private => "the demo is played on a private screen",
        Screen::Shared => "the demo plays by itself: watch, and touch nothing until it says so",
    });
    play::play(screen, binaries, &folder, &tool::DRIVER.find_or_get()?)
}

fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
