//! The demo for one's own hands: a relay on this computer, two profiles that
//! `sotto-cli` puts into one room, and then their two windows, with the
//! person's own devices. All of it ends with Ctrl-C or when both windows are
//! closed.
//!
//! On Linux the profiles' keys are in a keyring of the demo's own: it works
//! without one of the person's, and leaves nothing in it.

use super::DAY;
use super::play::interrupted;
use crate::steps::{Trouble, announce, step};
use serde_json::{Value, json};
use sotto_harness::{Binaries, Brand, KeyringSession, Process, Relay, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const ROOM: &str = "Field notes";

/// Two windows beside each other on a common screen.
const WIDTH: u32 = 920;
const HEIGHT: u32 = 720;
const GAP: u32 = 24;

pub fn show(binaries: &Binaries, folder: &Path) -> Result<(), Trouble> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let logs = folder.join("logs");
    fs::create_dir_all(&logs)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let home = Home::make(&logs).await?;
        tokio::select! {
            shown = both(binaries, folder, &logs, &home) => shown,
            () = interrupted() => {
                println!("\nThe demo is over.");
                Ok(())
            }
        }
    })
}

/// What everything of the demo is started with.
struct Home {
    brand: Brand,
    keyring: Option<KeyringSession>,
}

impl Home {
    async fn make(logs: &Path) -> Result<Self, Trouble> {
        let keyring = if cfg!(target_os = "linux") {
            Some(KeyringSession::start(&logs.join("keyring")).await?)
        } else {
            None
        };
        let brand = Brand::new()?;
        Ok(Self { brand, keyring })
    }

    fn host(&self, command: &mut Command) {
        if let Some(keyring) = &self.keyring {
            keyring.host(command);
        }
        self.brand.mark(command);
    }
}

async fn both(binaries: &Binaries, folder: &Path, logs: &Path, home: &Home) -> Result<(), Trouble> {
    let brand = &home.brand;
    announce("start a relay on this computer");
    let relay = Relay::start(binaries.relay()?, folder.join("relay"), &[], logs, brand).await?;
    let alice = Profile::of("Alice", folder, binaries.cli()?);
    let bob = Profile::of("Bob", folder, binaries.cli()?);
    step(
        "bring Alice and Bob into one room",
        "the lines above say why; the logs are in target/demo/logs",
        || meet(&alice, &bob, relay.address(), home),
    )?;

    announce("open two windows");
    let app = binaries.app()?;
    let mut windows = Vec::new();
    for (place, who) in [&alice, &bob].into_iter().enumerate() {
        who.puts_the_window(place)?;
        let mut command = Command::new(&app);
        command.arg("--profile-dir").arg(&who.folder);
        home.host(&mut command);
        windows.push(Process::start(&who.log(), &mut command, logs, brand)?);
    }
    println!("Alice and Bob are in the room “{ROOM}”. Write in one window, read in the other.");
    println!(
        "To call, press the camera above the room; without one, choose the test picture and tone."
    );
    println!("Ctrl-C, or closing both windows, ends the demo.");
    until("both windows to be closed", DAY, async || {
        let open = windows.iter_mut().filter_map(|window| window.check().ok());
        match open.count() {
            0 => Ok(()),
            count => Err(format!("{count} are open")),
        }
    })
    .await?;
    println!("Both windows are closed. The demo is over.");
    Ok(())
}

/// Makes both profiles, a room of Alice's, and lets Bob in.
fn meet(alice: &Profile, bob: &Profile, relay: &str, home: &Home) -> Result<(), Trouble> {
    alice.does(home, &["init", "--name", "Alice", "--relay", relay])?;
    bob.does(home, &["init", "--name", "Bob", "--relay", relay])?;
    let room = alice.does(home, &["create", ROOM, "--ask-host", "--relay", relay])?;
    let room = text(&room, "room")?;
    let link = text(&alice.does(home, &["invite", &room])?, "link")?;
    let joining = bob.begins(home, &["join", &link])?;
    let knock = text(&alice.does(home, &["knocks", &room, "--wait"])?, "knock")?;
    alice.does(home, &["admit", &room, &knock])?;
    ended(joining)?;
    alice.does(home, &["send", &room, "Hello Bob, can you read this?"])?;
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

    /// The app opens its window where it remembers it: for the first time, too.
    fn puts_the_window(&self, place: usize) -> Result<(), Trouble> {
        let left = GAP + place as u32 * (WIDTH + GAP);
        let window = json!({
            "width": WIDTH, "height": HEIGHT,
            "x": left, "y": 2 * GAP, "prev_x": left, "prev_y": 2 * GAP,
            "maximized": false, "visible": true, "decorated": true, "fullscreen": false,
        });
        let file = self.folder.join("window.json");
        Ok(fs::write(file, json!({ "main": window }).to_string())?)
    }

    fn log(&self) -> String {
        self.name.to_lowercase()
    }

    /// Runs one command and returns the last object that it printed.
    fn does(&self, home: &Home, args: &[&str]) -> Result<Value, Trouble> {
        ended(self.begins(home, args)?)
    }

    fn begins(&self, home: &Home, args: &[&str]) -> Result<Child, Trouble> {
        let mut command = Command::new(&self.cli);
        command
            .arg("--json")
            .arg("--profile-dir")
            .arg(&self.folder)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        home.host(&mut command);
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
