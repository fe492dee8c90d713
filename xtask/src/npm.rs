//! The UI's packages and scripts, with a Node that is new enough.

use crate::command::{output, run};
use crate::steps::{Trouble, announce, step};
use crate::{place, system};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

/// The oldest Node that the UI's build tools run on.
const OLDEST: (u32, u32) = (20, 19);

/// What is fetched from the npm registry where the system's Node is older.
const NEWER: &str = "^22.12.0";

/// npm with a Node that is new enough.
#[derive(Debug)]
pub struct Npm {
    path: OsString,
}

impl Npm {
    /// Finds Node, or gets it: from the distribution if that is new enough,
    /// otherwise for this project only, from the npm registry.
    pub fn find_or_get() -> Result<Self, Trouble> {
        let own = own_folder();
        let with_own = Self::with_first(&own);
        for npm in [Self::as_it_is(), with_own] {
            if npm.is_new_enough() {
                return Ok(npm);
            }
        }
        if !cfg!(target_os = "linux") || !system::is_debian() {
            return Err(too_old());
        }
        if !Self::as_it_is().has_npm() {
            system::provide(&[system::NODE])?;
        }
        if Self::as_it_is().is_new_enough() {
            return Ok(Self::as_it_is());
        }
        step("get Node for this project only", TOO_OLD, || get_own(&own))?;
        let npm = Self::with_first(&own);
        if npm.is_new_enough() {
            Ok(npm)
        } else {
            Err(too_old())
        }
    }

    /// Installs exactly what the lockfile says, if that changed since.
    pub fn packages(&self) -> Result<(), Trouble> {
        let ui = place::ui();
        // npm writes this file at the end of every install.
        let installed = changed(&ui.join("node_modules/.package-lock.json"));
        let wanted = changed(&ui.join("package-lock.json"));
        if installed.is_some() && installed >= wanted {
            return Ok(());
        }
        step(
            "install the UI's npm packages",
            "check the connection to the npm registry, then run this again",
            || run(self.npm().args(["ci", "--no-audit", "--no-fund"])),
        )
    }

    /// Builds the UI if its sources changed since the last build.
    pub fn build(&self) -> Result<(), Trouble> {
        self.packages()?;
        let ui = place::ui();
        let built = built(&ui);
        if built.is_some() && built >= newest_source(&ui) {
            announce("the UI is built already");
            return Ok(());
        }
        step(
            "build the UI",
            "the lines above say what Vite did not like",
            || self.script("build"),
        )
    }

    /// Runs a script of the UI's package.json.
    pub fn script(&self, name: &str) -> Result<(), Trouble> {
        run(self.npm().args(["run", "--silent", name]))
    }

    /// Runs a script with arguments and an environment of its own.
    pub fn script_with(
        &self,
        name: &str,
        args: &[OsString],
        variable: (&str, &Path),
    ) -> Result<(), Trouble> {
        let mut npm = self.npm();
        npm.args(["run", "--silent", name, "--"]).args(args);
        run(npm.env(variable.0, variable.1))
    }

    fn as_it_is() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        Self { path }
    }

    fn with_first(folder: &Path) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let bin = folder.join("node_modules/.bin");
        let joined = env::join_paths(std::iter::once(bin).chain(env::split_paths(&path)));
        Self {
            path: joined.unwrap_or(path),
        }
    }

    fn is_new_enough(&self) -> bool {
        self.version().is_some_and(|found| found >= OLDEST) && self.has_npm()
    }

    fn version(&self) -> Option<(u32, u32)> {
        let text = output(self.program("node").arg("--version"))?;
        parse_version(&text)
    }

    fn has_npm(&self) -> bool {
        output(self.program("npm").arg("--version")).is_some()
    }

    /// npm itself, in whatever folder.
    pub fn command(&self) -> Command {
        self.program("npm")
    }

    /// The PATH on which that Node comes first.
    pub fn path(&self) -> &OsStr {
        &self.path
    }

    fn npm(&self) -> Command {
        let mut command = self.command();
        command.current_dir(place::ui());
        command
    }

    /// A program of this PATH; `env` looks it up there, not on ours.
    fn program(&self, name: &str) -> Command {
        let mut command = if cfg!(windows) {
            Command::new(if name == "npm" { "npm.cmd" } else { name })
        } else {
            let mut env = Command::new("/usr/bin/env");
            env.arg(name);
            env
        };
        command.env("PATH", &self.path);
        command
    }
}

const TOO_OLD: &str =
    "install Node.js 20.19 or newer with npm (https://nodejs.org), then run this again";

fn too_old() -> Trouble {
    let found = output(Command::new("node").arg("--version"));
    let found = found.map_or_else(
        || "missing".to_owned(),
        |version| format!("too old: {version}"),
    );
    Trouble::new(format!("Node.js is {found}")).mend(TOO_OLD)
}

fn own_folder() -> PathBuf {
    place::tools().join("node")
}

/// Node's own build, as the npm registry carries it for each system.
fn get_own(folder: &Path) -> Result<(), Trouble> {
    let arch = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return Err(too_old()),
    };
    println!(
        "This system's Node.js is older than {}.{}.",
        OLDEST.0, OLDEST.1
    );
    println!("A newer one is installed into {} only.", folder.display());
    fs::create_dir_all(folder)?;
    run(Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund"])
        .arg("--prefix")
        .arg(folder)
        .arg(format!("node-linux-{arch}@{NEWER}"))
        .arg("npm@^10.9.0"))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When the UI was last built, if it was: a build of the app alone leaves a
/// page that says that the interface is missing, and no other.
fn built(ui: &Path) -> Option<SystemTime> {
    let pages = ["dist/index.html", "dist/ringing.html"].map(|page| changed(&ui.join(page)));
    pages
        .into_iter()
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .min()
}

/// When anything that the UI is built from changed last.
fn newest_source(ui: &Path) -> Option<SystemTime> {
    let mut newest = None;
    let mut open = vec![ui.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name == "node_modules" || name == "dist" {
                continue;
            }
            let path = entry.path();
            newest = newest.max(changed(&path));
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare_as_numbers() {
        let check = |text: &str, new_enough: bool| {
            let found = parse_version(text).is_some_and(|found| found >= OLDEST);
            assert_eq!(found, new_enough, "{text}");
        };
        check("v18.20.4", false);
        check("v20.9.0", false);
        check("v20.19.0", true);
        check("v22.1.0\n", true);
        check("", false);
    }

    #[test]
    fn the_page_that_stands_for_a_missing_interface_is_no_build() {
        let ui = env::temp_dir().join(format!("sotto-ui-{}", std::process::id()));
        fs::create_dir_all(ui.join("dist")).expect("a folder");
        assert_eq!(built(&ui), None, "nothing");
        fs::write(ui.join("dist/index.html"), "").expect("a page");
        assert_eq!(built(&ui), None, "that page alone");
        fs::write(ui.join("dist/ringing.html"), "").expect("another");
        assert!(built(&ui).is_some());
        fs::remove_dir_all(&ui).expect("it can go");
    }
}
