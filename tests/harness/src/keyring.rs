//! A session bus of its own with an open Secret Service on it, and the home
//! folders that both live in.

use crate::binaries::on_path;
use crate::{Brand, Failure, Process, Result, quick, until};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A keyring without a screen, for programs that need only that. It ends when
/// this is dropped, and nothing of it is left.
#[derive(Debug)]
pub struct KeyringSession {
    // Dropped in this order: the keyring before its bus, the folder last.
    _keyring: Process,
    bus: Bus,
    brand: Brand,
    _root: tempfile::TempDir,
}

impl KeyringSession {
    /// Starts it; logs go to `logs`, which is emptied first.
    pub async fn start(logs: &Path) -> Result<Self> {
        if logs.exists() {
            fs::remove_dir_all(logs)?;
        }
        fs::create_dir_all(logs)?;
        let brand = Brand::new()?;
        // Short, because the bus's socket lives in it.
        let root = tempfile::Builder::new().prefix("sotto-").tempdir()?;
        make_homes(root.path())?;
        let bus = Bus::start("bus", root.path(), logs, &brand).await?;
        let keyring = start_keyring("keyring", root.path(), &bus, logs, &brand).await?;
        Ok(Self {
            _keyring: keyring,
            bus,
            brand,
            _root: root,
        })
    }

    /// Makes a command, and what it starts, use this keyring.
    pub fn host(&self, command: &mut Command) {
        self.brand.mark(command);
        command.env("DBUS_SESSION_BUS_ADDRESS", self.bus.address());
    }
}

#[derive(Debug)]
pub(crate) struct Bus {
    address: String,
    _process: Process,
}

impl Bus {
    pub(crate) async fn start(name: &str, root: &Path, logs: &Path, brand: &Brand) -> Result<Self> {
        let socket = root.join("run").join(name);
        let config = root.join(format!("{name}.conf"));
        fs::write(&config, bus_config(&socket))?;
        let mut command = Command::new("dbus-daemon");
        command
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile"]);
        homes(&mut command, root);
        let mut process = Process::start(name, &mut command, logs, brand)?;
        until("the session bus", quick(), async || {
            process.check().map_err(|failure| failure.to_string())?;
            socket
                .exists()
                .then_some(())
                .ok_or_else(|| "its socket is not there".to_owned())
        })
        .await?;
        Ok(Self {
            address: format!("unix:path={}", socket.display()),
            _process: process,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

/// No service folders: nothing is started behind our back, above all no second
/// keyring in the session that shall have none.
fn bus_config(socket: &Path) -> String {
    format!(
        "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
         <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
        socket.display()
    )
}

/// Makes the folders that [`homes`] names.
pub(crate) fn make_homes(root: &Path) -> Result<()> {
    for folder in ["home", "data", "config", "cache", "run"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// Own home folders and nothing of the caller's session.
pub(crate) fn homes(command: &mut Command, root: &Path) {
    command
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("GNOME_KEYRING_CONTROL")
        .env_remove("XAUTHORITY")
        .env("HOME", root.join("home"))
        .env("XDG_DATA_HOME", root.join("data"))
        .env("XDG_CONFIG_HOME", root.join("config"))
        .env("XDG_CACHE_HOME", root.join("cache"))
        .env("XDG_RUNTIME_DIR", root.join("run"))
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC");
}

pub(crate) async fn start_keyring(
    name: &str,
    root: &Path,
    bus: &Bus,
    logs: &Path,
    brand: &Brand,
) -> Result<Process> {
    // The installed one may carry a file capability that a container forbids;
    // a copy carries none.
    let installed = on_path("gnome-keyring-daemon").ok_or_else(|| {
        Failure::new("gnome-keyring-daemon is missing: `cargo xtask setup` installs it")
    })?;
    let program = root.join(name);
    fs::copy(installed, &program)?;
    let mut command = Command::new(program);
    command.args(["--foreground", "--unlock", "--components=secrets"]);
    homes(&mut command, root);
    command.env("DBUS_SESSION_BUS_ADDRESS", bus.address());
    let mut keyring = Process::start(name, &mut command, logs, brand)?;
    // The password of the keyring; the daemon reads to the end of input.
    keyring
        .stdin()
        .ok_or_else(|| Failure::new("the keyring has no standard input"))?
        .write_all(b"open sesame")?;
    until("the Secret Service", quick(), async || {
        keyring.check().map_err(|failure| failure.to_string())?;
        if secrets_are_there(bus) {
            Ok(())
        } else {
            Err("nobody owns org.freedesktop.secrets".to_owned())
        }
    })
    .await?;
    Ok(keyring)
}

fn secrets_are_there(bus: &Bus) -> bool {
    Command::new("dbus-send")
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .args(["--session", "--print-reply=literal"])
        .args(["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .arg("org.freedesktop.DBus.NameHasOwner")
        .arg("string:org.freedesktop.secrets")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("true"))
}
