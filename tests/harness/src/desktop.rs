//! A desktop of its own: an X server, session buses, a keyring that is open,
//! and home folders. Nothing of the user's session is touched.

use crate::keyring::{Bus, homes, make_homes, start_keyring};
use crate::{Brand, Failure, Process, Result, SoundServer, quick, until};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Large enough for three windows beside each other.
const SCREEN: &str = "4040x1720x24";

#[derive(Debug)]
pub struct Desktop {
    root: PathBuf,
    display: String,
    // Dropped in this order: keyrings before their buses, the screen last.
    _keyring: Process,
    late_keyring: Mutex<Option<Process>>,
    with_keyring: Bus,
    without_keyring: Bus,
    sound: OnceLock<SoundServer>,
    _screen: Process,
}

/// Which session an app is started in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// A Secret Service answers, and it is unlocked.
    Keyring,
    /// A session bus without a Secret Service, until one starts late.
    NoKeyring,
}

impl Desktop {
    /// Starts all of it below `root`; logs go to `logs`.
    pub async fn start(root: &Path, logs: &Path, brand: &Brand) -> Result<Self> {
        make_homes(root)?;
        let (screen, display) = start_screen(root, logs, brand).await?;
        let with_keyring = Bus::start("bus", root, logs, brand).await?;
        let without_keyring = Bus::start("bus-bare", root, logs, brand).await?;
        let keyring = start_keyring("keyring", root, &with_keyring, logs, brand).await?;
        Ok(Self {
            root: root.to_owned(),
            display,
            _keyring: keyring,
            late_keyring: Mutex::default(),
            with_keyring,
            without_keyring,
            sound: OnceLock::new(),
            _screen: screen,
        })
    }

    /// The X display, such as `:7`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The session without a keyring gets one, with all that the other one
    /// has on the disk.
    pub(crate) async fn keyring_starts_late(&self, logs: &Path, brand: &Brand) -> Result<()> {
        let bus = &self.without_keyring;
        let keyring = start_keyring("keyring-late", &self.root, bus, logs, brand).await?;
        let late = self.late_keyring.lock();
        *late.unwrap_or_else(PoisonError::into_inner) = Some(keyring);
        Ok(())
    }

    /// From now on, what is started here has speakers.
    pub(crate) async fn sound_starts(&self, logs: &Path, brand: &Brand) -> Result<()> {
        let server = SoundServer::start(&self.root, logs, brand).await?;
        self.sound
            .set(server)
            .map_err(|_| Failure::new("there is sound already"))
    }

    pub(crate) fn sound(&self) -> Result<&SoundServer> {
        let none = || Failure::new("there is no sound on this stage");
        self.sound.get().ok_or_else(none)
    }

    /// Makes a command run on this desktop.
    pub fn host(&self, command: &mut Command, session: Session) {
        let bus = match session {
            Session::Keyring => &self.with_keyring,
            Session::NoKeyring => &self.without_keyring,
        };
        homes(command, &self.root);
        match self.sound.get() {
            Some(sound) => sound.host(command),
            // Not the sound of the person's own session.
            None => {
                command.env("PULSE_SERVER", "unix:/nowhere");
            }
        }
        command
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
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
