//! A desktop of its own: an X server, session buses, a keyring that is open,
//! and home folders. Nothing of the user's session is touched, but for its
//! screen, and only when that is asked for.

use crate::keyring::{Bus, homes, make_homes, start_keyring};
use crate::{Brand, Failure, Process, Result, SoundServer, quick, until};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Large enough for three windows beside each other.
const SCREEN: &str = "4040x1720x24";

/// Where windows appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// On an X server that nobody looks at.
    Private,
    /// On the display of whoever started this program.
    Shared,
}

/// Where a window stands, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub left: u32,
    pub width: u32,
    pub height: u32,
}

/// The private screen is three windows wide.
const COLUMNS: usize = 3;
const COLUMN: u32 = 1320;

/// As on a common laptop, but taller: long talks are read without scrolling.
const TALL: (u32, u32) = (1280, 1600);
/// Two of these fit beside each other on a common display.
const HALF: (u32, u32) = (940, 720);

#[derive(Debug)]
pub struct Desktop {
    root: PathBuf,
    /// The X display of our own, such as `:7`; none on the person's.
    display: Option<String>,
    // Dropped in this order: keyrings before their buses, the screen last.
    _keyring: Process,
    late_keyring: Mutex<Option<Process>>,
    with_keyring: Bus,
    without_keyring: Bus,
    sound: OnceLock<SoundServer>,
    _screen: Option<Process>,
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
    pub async fn start(root: &Path, screen: Screen, logs: &Path, brand: &Brand) -> Result<Self> {
        make_homes(root)?;
        let (screen, display) = match screen {
            Screen::Private => {
                let (screen, display) = start_screen(root, logs, brand).await?;
                (Some(screen), Some(display))
            }
            Screen::Shared => (None, None),
        };
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

    /// Windows stand beside each other: a covered one is not painted.
    pub(crate) fn frame(&self, place: usize) -> Frame {
        let (width, height) = match self.display {
            Some(_) => TALL,
            None => HALF,
        };
        self.frame_of(place, width, height)
    }

    /// The same in another size.
    pub(crate) fn frame_of(&self, place: usize, width: u32, height: u32) -> Frame {
        let column = match self.display {
            Some(_) => COLUMN,
            None => width,
        };
        Frame {
            left: (place % COLUMNS) as u32 * column,
            width,
            height,
        }
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
            .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
            .env("GSETTINGS_BACKEND", "memory")
            .env("NO_AT_BRIDGE", "1")
            .env("RUST_BACKTRACE", "1");
        match &self.display {
            Some(display) => command
                .env("DISPLAY", display)
                .env("GDK_BACKEND", "x11")
                // An X server without a graphics card: paint in software.
                // WebKit's own switches stay as they are: without its DMA-BUF
                // renderer, pictures of windows never come.
                .env("LIBGL_ALWAYS_SOFTWARE", "1"),
            None => show_here(command),
        };
    }
}

/// Gives the person's screen to a command whose home is another.
fn show_here(command: &mut Command) -> &mut Command {
    let path = |name: &str| env::var_os(name).map(PathBuf::from);
    // A name is looked for in the session's own folder.
    if let (Some(wayland), Some(run)) = (path("WAYLAND_DISPLAY"), path("XDG_RUNTIME_DIR")) {
        command.env("WAYLAND_DISPLAY", run.join(wayland));
    }
    let usual = || path("HOME").map(|home| home.join(".Xauthority"));
    if let Some(authority) = path("XAUTHORITY").or_else(usual) {
        command.env("XAUTHORITY", authority);
    }
    command
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
