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
}

/// To build the app.
pub const BUILD: Need = Need {
    packages: &[
        "libwebkit2gtk-4.1-dev",
        "libdbus-1-dev",
        "pkg-config",
        // For the OpenSSL inside SQLCipher.
        "perl",
        "make",
    ],
    in_words: "WebKitGTK 4.1 and D-Bus with their development files, pkg-config, perl and make",
};

/// To drive the app on a private desktop.
pub const DRIVE: Need = Need {
    packages: &[
        "webkit2gtk-driver",
        "xvfb",
        "dbus",
        "gnome-keyring",
        "fonts-noto-color-emoji",
    ],
    in_words: "WebKitWebDriver, Xvfb, dbus-daemon, gnome-keyring and a color emoji font",
};

/// To draw every screen in a plain browser.
pub const BROWSER: Need = Need {
    packages: &["chromium"],
    in_words: "Chromium",
};

/// To build the UI, where no newer Node is on the PATH.
pub const NODE: Need = Need {
    packages: &["nodejs", "npm"],
    in_words: "Node.js 20.19 or newer, with npm",
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

/// Not Debian: nothing is installed, and a build that lacks something says what.
fn name_needs(needs: &[Need]) -> Result<(), Trouble> {
    println!("This system's packages are yours to install. Sotto needs here:");
    for need in needs {
        println!("  - {}", need.in_words);
    }
    let tools = [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")];
    let driving = needs
        .iter()
        .any(|need| need.packages.contains(&"webkit2gtk-driver"));
    let mut missing = Vec::new();
    if needs
        .iter()
        .any(|need| need.packages.contains(&"pkg-config"))
    {
        let mut webkit = Command::new("pkg-config");
        webkit.args(["--exists", "webkit2gtk-4.1", "dbus-1"]);
        if cfg!(target_os = "linux") && !succeeds(&mut webkit) {
            missing.push("WebKitGTK 4.1 or D-Bus development files");
        }
    }
    if driving {
        missing.extend(
            tools
                .iter()
                .filter(|(program, _)| !on_path(program))
                .map(|(program, _)| *program),
        );
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Trouble::new(format!("not found: {}", missing.join(", ")))
        .mend("install them with this system's package manager, then run this again"))
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}
