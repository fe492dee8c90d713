//! A desktop of its own: an X server, session buses, a keyring that is open,
//! and home folders. Nothing of the user's session is touched.

use crate::binaries::on_path;
use crate::{Brand, Failure, Process, Result, quick, until};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Large enough for two windows beside each other.
const SCREEN: &str = "2720x1720x24";

#[derive(Debug)]
pub struct Desktop {
    root: PathBuf,
    display: String,
    // Dropped in this order: the keyring before its bus, the screen last.
    _keyring: Process,
    with_keyring: Bus,
    without_keyring: Bus,
    _screen: Process,
}

/// Which session an app is started in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// A Secret Service answers, and it is unlocked.
    Keyring,
    /// A session bus without a Secret Service.
    NoKeyring,
}

#[derive(Debug)]
struct Bus {
    address: String,
    _process: Process,
}

impl Desktop {
    /// Starts all of it below `root`; logs go to `logs`.
    pub async fn start(root: &Path, logs: &Path, brand: &Brand) -> Result<Self> {
        for folder in ["home", "data", "config", "cache", "run"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o700))?;
        let (screen, display) = start_screen(root, logs, brand).await?;
        let with_keyring = start_bus("bus", root, logs, brand).await?;
        let without_keyring = start_bus("bus-bare", root, logs, brand).await?;
        let keyring = start_keyring(root, &with_keyring, logs, brand).await?;
        Ok(Self {
            root: root.to_owned(),
            display,
            _keyring: keyring,
            with_keyring,
            without_keyring,
            _screen: screen,
        })
    }

    /// The X display, such as `:7`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Makes a command run on this desktop.
    pub fn host(&self, command: &mut Command, session: Session) {
        let bus = match session {
            Session::Keyring => &self.with_keyring,
            Session::NoKeyring => &self.without_keyring,
        };
        homes(command, &self.root);
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("GDK_BACKEND", "x11")
            .env("GSETTINGS_BACKEND", "memory")
            .env("NO_AT_BRIDGE", "1")
            // An X server without a graphics card: paint in software. WebKit's
            // own switches stay as they are: without its DMA-BUF renderer,
            // pictures of windows never come.
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("RUST_BACKTRACE", "1");
    }
}

/// Own home folders and nothing of the caller's session.
fn homes(command: &mut Command, root: &Path) {
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

async fn start_screen(root: &Path, logs: &Path, brand: &Brand) -> Result<(Process, String)> {
    // The server picks a free number and writes it to its standard output.
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-screen", "0", SCREEN])
        .args(["-nolisten", "tcp", "-noreset", "-dpi", "96"]);
    homes(&mut command, root);
    let mut screen = Process::start("screen", &mut command, logs, brand)?;
    let display = until("the X server", quick(), async || {
        screen.check().map_err(|failure| failure.to_string())?;
        let log = screen.log();
        log.lines()
            .find_map(|line| line.trim().parse::<u32>().ok())
            .map(|number| format!(":{number}"))
            .ok_or_else(|| "it gave no display number".to_owned())
    })
    .await?;
    Ok((screen, display))
}

async fn start_bus(name: &str, root: &Path, logs: &Path, brand: &Brand) -> Result<Bus> {
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
    Ok(Bus {
        address: format!("unix:path={}", socket.display()),
        _process: process,
    })
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

async fn start_keyring(root: &Path, bus: &Bus, logs: &Path, brand: &Brand) -> Result<Process> {
    // The installed one may carry a file capability that a container forbids;
    // a copy carries none.
    let installed = on_path("gnome-keyring-daemon").ok_or_else(|| {
        Failure::new("gnome-keyring-daemon is missing: `cargo xtask setup` installs it")
    })?;
    let program = root.join("gnome-keyring-daemon");
    fs::copy(installed, &program)?;
    let mut command = Command::new(program);
    command.args(["--foreground", "--unlock", "--components=secrets"]);
    homes(&mut command, root);
    command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    let mut keyring = Process::start("keyring", &mut command, logs, brand)?;
    // The password of the new keyring; the daemon reads to the end of input.
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
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
        .args(["--session", "--print-reply=literal"])
        .args(["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .arg("org.freedesktop.DBus.NameHasOwner")
        .arg("string:org.freedesktop.secrets")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("true"))
}
