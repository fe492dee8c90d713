//! The demo on this display: a relay on this computer, two profiles that
//! `sotto-cli` puts into one room, and then their two windows. All of it ends
//! with Ctrl-C or when both windows are closed.

use super::headless::interrupted;
use crate::steps::{Trouble, announce, step};
use serde_json::Value;
use sotto_harness::{Binaries, Brand, Process, Relay, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROOM: &str = "Field notes";

/// Nobody keeps the demo open for longer.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub fn show(binaries: &Binaries, folder: &Path) -> Result<(), Trouble> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let logs = folder.join("logs");
    fs::create_dir_all(&logs)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let brand = Brand::new()?;
        tokio::select! {
            shown = both(binaries, folder, &logs, &brand) => shown,
            () = interrupted() => {
                println!("\nThe demo is over.");
                Ok(())
            }
        }
    })
}

async fn both(
    binaries: &Binaries,
    folder: &Path,
    logs: &Path,
    brand: &Brand,
) -> Result<(), Trouble> {
    announce("start a relay on this computer");
    let relay = Relay::start(binaries.relay()?, folder.join("relay"), &[], logs, brand).await?;
    let alice = Profile::of("Alice", folder, binaries.cli()?);
    let bob = Profile::of("Bob", folder, binaries.cli()?);
    step(
        "bring Alice and Bob into one room",
        "the lines above say why; `cargo xtask demo --headless` needs neither display nor keyring",
        || meet(&alice, &bob, relay.address(), brand),
    )?;

    announce("open two windows");
    let app = binaries.app()?;
    let mut windows = Vec::new();
    for who in [&alice, &bob] {
        let mut command = Command::new(&app);
        command.arg("--profile-dir").arg(&who.folder);
        windows.push(Process::start(&who.log(), &mut command, logs, brand)?);
    }
    println!("Alice and Bob are in the room “{ROOM}”. Write in one window, read in the other.");
    println!("Ctrl-C, or closing both windows, ends the demo.");
    until("both windows to be closed", DAY, async || {
        let open = windows.iter_mut().filter_map(|window| window.check().ok());
        match open.count() {
            0 => Ok(()),
            count => Err(format!("{count} are open")),
        }
    })
    .await?;
    Ok(())
}

/// Makes both profiles, a room of Alice's, and lets Bob in.
fn meet(alice: &Profile, bob: &Profile, relay: &str, brand: &Brand) -> Result<(), Trouble> {
    alice.does(brand, &["init", "--name", "Alice", "--relay", relay])?;
    bob.does(brand, &["init", "--name", "Bob", "--relay", relay])?;
    let room = alice.does(brand, &["create", ROOM, "--ask-host", "--relay", relay])?;
    let room = text(&room, "room")?;
    let link = text(&alice.does(brand, &["invite", &room])?, "link")?;
    let joining = bob.begins(brand, &["join", &link])?;
    let knock = text(&alice.does(brand, &["knocks", &room, "--wait"])?, "knock")?;
    alice.does(brand, &["admit", &room, &knock])?;
    ended(joining)?;
    alice.does(brand, &["send", &room, "Hello Bob, can you read this?"])?;
    Ok(())
}

/// One of the two, seen from the command line.
struct Profile {
    name: &'static str,
    folder: PathBuf,
    cli: PathBuf,
}

impl Profile {
    fn of(name: &'static str, demo: &Path, cli: PathBuf) -> Self {
        let folder = demo.join("profiles").join(name.to_lowercase());
        Self { name, folder, cli }
    }

    fn log(&self) -> String {
        self.name.to_lowercase()
    }

    /// Runs one command and returns the last object that it printed.
    fn does(&self, brand: &Brand, args: &[&str]) -> Result<Value, Trouble> {
        ended(self.begins(brand, args)?)
    }

    fn begins(&self, brand: &Brand, args: &[&str]) -> Result<Child, Trouble> {
        let mut command = Command::new(&self.cli);
        command
            .arg("--json")
            .arg("--profile-dir")
            .arg(&self.folder)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        brand.mark(&mut command);
        Ok(command.spawn()?)
    }
}

fn ended(command: Child) -> Result<Value, Trouble> {
    let output = command.wait_with_output()?;
    if !output.status.success() {
        return Err(Trouble::new(format!(
            "sotto-cli ended with {}",
            output.status
        )));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let last = printed.lines().last().unwrap_or("null");
    serde_json::from_str(last).map_err(|error| Trouble::new(format!("sotto-cli: {error}")))
}

fn text(object: &Value, field: &str) -> Result<String, Trouble> {
    let found = object[field].as_str().map(str::to_owned);
    found.ok_or_else(|| Trouble::new(format!("sotto-cli did not say the {field}")))
}
