//! Other people's WebRTC, in the versions that are named in `foreign/`:
//! aiortc from PyPI, libwebrtc from npm. Installed below a folder that the
//! caller names, and nowhere else; nothing of the system changes.

use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

const REQUIREMENTS: &str = include_str!("../foreign/requirements.txt");
const PACKAGE: &str = include_str!("../foreign/package.json");
const LOCK: &str = include_str!("../foreign/package-lock.json");
/// Programs for aiortc, and the module that they share.
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/foreign");
/// Makes calls between two ends of its kind. Node finds its modules beside it.
const LIBWEBRTC_CALLS: &str = include_str!("../foreign/libwebrtc.mjs");

/// What was installed there last, as its list of versions.
const INSTALLED: &str = "installed";

/// One installs, the others wait.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Why somebody is not here.
#[derive(Debug, thiserror::Error)]
pub enum Absent {
    #[error("`{program}` cannot be started: {why}")]
    NoProgram { program: String, why: io::Error },
    #[error("`{program}` failed: {last}")]
    Failed { program: String, last: String },
    #[error("it said what was not understood")]
    Strange,
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// A Python with aiortc, from an environment in `home`; it finds what programs
/// for it share.
pub fn aiortc(home: &Path) -> Result<Command, Absent> {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if !has(home, REQUIREMENTS) {
        fs::create_dir_all(home)?;
        let list = home.join("requirements.txt");
        fs::write(&list, REQUIREMENTS)?;
        printed(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(home.join("env")),
        )?;
        printed(
            python(home)
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(&list),
        )?;
        fs::write(home.join(INSTALLED), REQUIREMENTS)?;
    }
    Ok(python(home))
}

fn python(home: &Path) -> Command {
    let mut python = Command::new(home.join("env/bin/python"));
    // Nothing is left beside the sources.
    python
        .env("PYTHONPATH", PROGRAMS)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// libwebrtc as a module for Node in `home`. `npm` starts npm.
pub fn libwebrtc(home: &Path, mut npm: Command) -> Result<(), Absent> {
    let _one = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if has(home, LOCK) {
        return Ok(());
    }
    fs::create_dir_all(home)?;
    fs::write(home.join("package.json"), PACKAGE)?;
    fs::write(home.join("package-lock.json"), LOCK)?;
    npm.current_dir(home)
        .args(["ci", "--no-audit", "--no-fund"]);
    printed(&mut npm)?;
    fs::write(home.join(INSTALLED), LOCK)?;
    Ok(())
}

/// Milliseconds from an accepted offer to the first decoded picture, in calls
/// between two ends in one process.
pub fn first_pictures_of_aiortc(home: &Path, calls: u32) -> Result<Vec<f64>, Absent> {
    let script = Path::new(PROGRAMS).join("first_frame.py");
    first_pictures(python(home).arg(script), calls)
}

/// The same with libwebrtc; Node must be on the PATH.
pub fn first_pictures_of_libwebrtc(home: &Path, calls: u32) -> Result<Vec<f64>, Absent> {
    let script = home.join("libwebrtc.mjs");
    fs::write(&script, LIBWEBRTC_CALLS)?;
    first_pictures(Command::new("node").arg(script), calls)
}

fn first_pictures(program: &mut Command, calls: u32) -> Result<Vec<f64>, Absent> {
    let text = printed(program.arg(calls.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|_| Absent::Strange)?;
    let samples = value["first_frame_ms"].as_array().ok_or(Absent::Strange)?;
    Ok(samples.iter().filter_map(Value::as_f64).collect())
}

fn has(home: &Path, list: &str) -> bool {
    fs::read_to_string(home.join(INSTALLED)).is_ok_and(|installed| installed == list)
}

/// What the program prints.
fn printed(command: &mut Command) -> Result<String, Absent> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(why) => return Err(Absent::NoProgram { program, why }),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = complaint.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or("without a word").to_owned();
    Err(Absent::Failed { program, last })
}
