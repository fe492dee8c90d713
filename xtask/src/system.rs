//! System packages: which are missing, and getting them on Debian and Ubuntu.
//! On other systems it names what is needed and stops.

use crate::command::{output, run, succeeds};
use crate::steps::{Trouble, step};
use std::fs;
use std::io::{self, IsTerminal};
use std::process::Command;

/// Packages for one purpose.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    packages: &'static [&'static str],
    /// The same for people on other systems.
    in_words: &'static str,
    /// What pkg-config must know, where packages have other names.
    modules: &'static [&'static str],
    /// What must be on the PATH there.
    programs: &'static [&'static str],
}

/// To build the app.
pub const BUILD: Need = Need {
    packages: &[
        "libwebkit2gtk-4.1-dev",
        "libdbus-1-dev",
        // Sound, video and the screen, for calls.
        "libasound2-dev",
        "libvpx-dev",
        "libpipewire-0.3-dev",
        "pkg-config",
        // Reads the headers of the libraries above.
        "libclang-dev",
        // For codecs that are built along.
        "cmake",
        "nasm",
        // For the OpenSSL inside SQLCipher.
        "perl",
        "make",
    ],
    in_words: "WebKitGTK 4.1, D-Bus, ALSA, libvpx and PipeWire 0.3 with their development files, \
        libclang, pkg-config, CMake, NASM, perl and make",
    modules: &["webkit2gtk-4.1", "dbus-1", "alsa", "vpx", "libpipewire-0.3"],
    programs: &["pkg-config", "cmake", "nasm", "perl", "make"],
};

/// To drive the app on a private desktop.
pub const DRIVE: Need = Need {
    packages: &[
        "webkit2gtk-driver",
        "xvfb",
        "pulseaudio",
        "pulseaudio-utils",
        "fonts-noto-color-emoji",
    ],
    in_words: "WebKitWebDriver, Xvfb, PulseAudio and a color emoji font",
    modules: &[],
    programs: &["WebKitWebDriver", "Xvfb", "pulseaudio", "parec"],
};

/// For a keyring of our own, which is none of the person's.
pub const KEYRING: Need = Need {
    packages: &["dbus", "gnome-keyring"],
    in_words: "dbus-daemon, dbus-send and gnome-keyring",
    modules: &[],
    programs: &["dbus-daemon", "dbus-send", "gnome-keyring-daemon"],
};

/// For a network of our own, with bad weather in it.
pub const NETWORK: Need = Need {
    packages: &["iproute2", "python3"],
    in_words: "ip (iproute2) and Python 3",
    modules: &[],
    programs: &["ip", "python3"],
};

/// To draw every screen in a plain browser, and to meet its WebRTC.
pub const CHROMIUM: Need = Need {
    packages: &["chromium"],
    in_words: "Chromium",
    modules: &[],
    programs: &[],
};

/// To build the UI, where no newer Node is on the PATH.
pub const NODE: Need = Need {
    packages: &["nodejs", "npm"],
    in_words: "Node.js 20.19 or newer, with npm",
    modules: &[],
    programs: &[],
};

/// For other people's programs in Python, which come from PyPI.
pub const PYTHON: Need = Need {
    packages: &["python3-venv"],
    in_words: "Python 3 with venv",
    modules: &[],
    programs: &["python3"],
};

/// Installs what is missing, after saying what that is.
pub fn provide(needs: &[Need]) -> Result<(), Trouble> {
    if !cfg!(target_os = "linux") || !is_debian() {
        return name_needs(needs);
    }
    let missing: Vec<&str> = needs
        .iter()
        .flat_map(|need| need.packages)
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    println!("These system packages are missing and will be installed: {list}");
    let mend = format!("install them yourself (`apt install {list}`), then run this again");
    step("install system packages", &mend, || {
        run(apt()?.arg("update"))?;
        run(apt()?
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&missing))
    })
}

/// Whether packages can be installed here at all.
pub fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let family = release
        .lines()
        .filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="))
        .any(|line| line.contains("debian") || line.contains("ubuntu"));
    family && succeeds(Command::new("apt-get").arg("--version"))
}

/// Whether there are such packages, as far as is known here.
pub fn can_install(need: &Need) -> bool {
    let has_candidate = |package: &&str| {
        let mut query = Command::new("apt-cache");
        query.args(["policy", package]).env("LC_ALL", "C");
        let policy = output(&mut query).unwrap_or_default();
        let candidate = policy
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate:"));
        candidate.is_some_and(|version| version.trim() != "(none)")
    };
    is_debian() && need.packages.iter().all(has_candidate)
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]);
    output(&mut query).is_some_and(|status| status == "installed")
}

/// apt-get as root, or through sudo; without a terminal, sudo must not ask.
fn apt() -> Result<Command, Trouble> {
    let is_root = output(Command::new("id").arg("-u")).as_deref() == Some("0");
    let mut command = if is_root {
        Command::new("env")
    } else if succeeds(Command::new("sudo").arg("--version")) {
        let mut sudo = Command::new("sudo");
        if !io::stdin().is_terminal() {
            sudo.arg("--non-interactive");
        }
        sudo.arg("env");
        sudo
    } else {
        return Err(Trouble::new(
            "only root can install packages, and there is no sudo",
        ));
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Ok(command)
}

/// Not Debian: nothing is installed; what is not found is named.
fn name_needs(needs: &[Need]) -> Result<(), Trouble> {
    println!("This system's packages are yours to install. Sotto needs here:");
    for need in needs {
        println!("  - {}", need.in_words);
    }
    // Elsewhere the system itself brings some of it, and a build that lacks
    // something says what.
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let known = |module: &&str| succeeds(Command::new("pkg-config").args(["--exists", module]));
    let programs = needs.iter().flat_map(|need| need.programs).copied();
    let modules = needs.iter().flat_map(|need| need.modules).copied();
    let mut missing: Vec<String> = programs
        .filter(|program| !on_path(program))
        .map(str::to_owned)
        .collect();
    missing.extend(
        modules
            .filter(|module| !known(module))
            .map(|module| format!("{module} (development files)")),
    );
    if missing.is_empty() {
        return Ok(());
    }
    Err(Trouble::new(format!("not found: {}", missing.join(", ")))
        .mend("install them with this system's package manager, then run this again"))
}

/// Distributions keep some programs out of every user's PATH.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}
