//! Measures what Sotto promises to be: one run, one table, on this machine.
//!
//! Everything is a release build. Windows are measured on a private desktop
//! without a graphics card, so a real one does not do worse.

mod foreign;
mod programs;
mod sizes;
mod table;
mod window;

use crate::cargo::{self, Profile};
use crate::npm::Npm;
use crate::run::BUILD_MEND;
use crate::steps::{Trouble, step};
use crate::system::{self, BUILD, DRIVE, KEYRING};
use crate::{place, tool};
use clap::ValueEnum;
use sotto_harness::Binaries;
use std::path::PathBuf;
use table::Table;

/// What can be measured by itself, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Group encryption, beside bare OpenMLS
    Mls,
    /// Messages from send to shown
    Engine,
    /// Start and memory of the app, beside an empty window
    Window,
    /// What others notice of a relay under attack
    Siege,
    /// Calls, beside libwebrtc and aiortc
    Calls,
    /// Programs on disk
    Sizes,
}

impl Part {
    /// Packages whose programs it measures or measures with.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Mls | Self::Engine | Self::Siege | Self::Calls => &["sotto-bench"],
            Self::Window => &["sotto", "sotto-relay", "sotto-bench", "sotto-empty-window"],
            Self::Sizes => &["sotto", "sotto-relay"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Mls => "encryption, against bare OpenMLS",
            Self::Engine => "from send to shown",
            Self::Window => "start and memory",
            Self::Siege => "a relay under siege",
            Self::Calls => "calls, beside other people's WebRTC",
            Self::Sizes => "sizes of programs",
        }
    }

    fn measure(self, binaries: &Binaries, table: &mut Table) -> Result<(), Trouble> {
        match self {
            Self::Mls => programs::measure(binaries, "mls", table),
            Self::Engine => programs::measure(binaries, "engine", table),
            Self::Window => window::measure(binaries, &place::results("bench"), table),
            Self::Siege => programs::measure(binaries, "siege", table),
            Self::Calls => foreign::measure(binaries, table),
            Self::Sizes => sizes::measure(binaries, table),
        }
    }
}

/// Measures these parts; all of them, if none is named.
pub fn bench(wanted: &[Part]) -> Result<(), Trouble> {
    let wanted = |part: &Part| wanted.is_empty() || wanted.contains(part);
    let parts: Vec<Part> = Part::value_variants()
        .iter()
        .filter(|part| wanted(part))
        .copied()
        .collect();
    let binaries = provide(&parts)?;
    let runs_again = "run it again on a quiet machine; the lines above say what stopped it";
    let mut table = Table::default();
    // One that fails takes nothing from what the others measured.
    let mut failed = None;
    for part in parts {
        let measured = step(part.name(), runs_again, || {
            part.measure(&binaries, &mut table)
        });
        if let Err(trouble) = measured {
            println!("\n{trouble}\n");
            failed.get_or_insert(trouble);
        }
    }
    println!("\n{table}");
    failed.map_or(Ok(()), Err)
}

/// Installs and builds what these parts need.
fn provide(parts: &[Part]) -> Result<Binaries, Trouble> {
    system::provide(&[BUILD])?;
    let mut packages: Vec<&str> = parts
        .iter()
        .flat_map(|part| part.packages())
        .copied()
        .collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.contains(&"sotto") {
        Npm::find_or_get()?.build()?;
    }
    let driver: Option<PathBuf> = if parts.contains(&Part::Window) {
        system::provide(&[DRIVE, KEYRING])?;
        Some(tool::DRIVER.find_or_get()?)
    } else {
        None
    };
    step(
        "build for release (many minutes the first time)",
        BUILD_MEND,
        || cargo::build(&packages, Profile::Release),
    )?;
    let binaries = Binaries::in_folder(Profile::Release.folder());
    Ok(match driver {
        Some(driver) => binaries.driven_by(driver),
        None => binaries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn every_part_can_be_named_and_a_wrong_name_is_answered_with_the_right_ones() {
        let check = |name: &str, expect: Option<Part>| {
            let found = Part::from_str(name, false);
            assert_eq!(found.ok(), expect, "{name}");
        };
        check("mls", Some(Part::Mls));
        check("calls", Some(Part::Calls));
        check("call", None);

        let wrong = crate::Cli::try_parse_from(["xtask", "bench", "call"]);
        let words = wrong.err().expect("no such part").to_string();
        assert!(
            words.contains("calls") && words.contains("sizes"),
            "{words}"
        );
    }
}
