//! Where a profile lives, and what it is called to the desktop. Two profiles
//! share nothing: neither folder nor running instance.

use crate::args::Args;
use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The app's identifier, as in `tauri.conf.json`.
pub const IDENTIFIER: &str = "chat.sotto.desktop";

const DEFAULT: &str = "default";
/// Longest name of a profile; it becomes a folder.
const NAME_MAX: usize = 32;

#[derive(Debug, Clone)]
pub struct Profile {
    name: String,
    dir: PathBuf,
    /// Whether it is the profile that is opened when nothing is said.
    usual: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum NoProfile {
    #[error("a profile name has 1 to {NAME_MAX} letters, digits, - or _")]
    Name,
    #[error("this system names no folder for application data: use --profile-dir")]
    NoDataFolder,
    #[error("the profile folder {0} has no absolute path")]
    Folder(PathBuf),
}

impl Profile {
    /// Finds the profile's folder and makes it, readable by its owner only. One
    /// that cannot be made is no error yet: whoever opens the profile finds it
    /// missing, when there is a window to say so.
    pub fn resolve(args: &Args) -> Result<Self, NoProfile> {
        let name = args.profile.clone().unwrap_or_else(|| DEFAULT.into());
        if !is_name(&name) {
            return Err(NoProfile::Name);
        }
        let dir = match &args.profile_dir {
            Some(dir) => dir.clone(),
            None => data_folder()
                .ok_or(NoProfile::NoDataFolder)?
                .join("sotto")
                .join(&name),
        };
        let made = make_private(&dir).and_then(|()| dir.canonicalize());
        let dir = match made {
            Ok(dir) => dir,
            Err(_) => std::path::absolute(&dir).map_err(|_| NoProfile::Folder(dir))?,
        };
        let usual = args.profile_dir.is_none() && name == DEFAULT;
        Ok(Self { name, dir, usual })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn log_file(&self) -> PathBuf {
        self.dir.join("log").join("sotto.log")
    }

    /// The built-in relay's data.
    pub fn relay_dir(&self) -> PathBuf {
        self.dir.join("relay")
    }

    /// Where the window was. Holds nothing else.
    pub fn window_file(&self) -> PathBuf {
        self.dir.join("window.json")
    }

    /// The same for every start of one profile, different for any two.
    pub fn identifier(&self) -> String {
        if self.usual {
            return IDENTIFIER.into();
        }
        let digest = Sha256::digest(self.dir.as_os_str().as_encoded_bytes());
        let tail: String = digest[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // A part of a D-Bus name must not start with a digit.
        format!("{IDENTIFIER}.p{tail}")
    }

    pub fn title(&self) -> String {
        if self.name == DEFAULT {
            "Sotto".into()
        } else {
            format!("Sotto · {}", self.name)
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The folder for application data, as each system names it.
fn data_folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    }
}

/// Makes a folder for its owner only, where there is none.
pub fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(profile: Option<&str>, dir: Option<&Path>) -> Args {
        Args {
            profile: profile.map(Into::into),
            profile_dir: dir.map(Into::into),
            link: None,
        }
    }

    #[test]
    fn a_profile_name_cannot_leave_its_folder() {
        for name in ["", ".", "..", "a/b", "a\\b", "ä", "a b", &"x".repeat(33)] {
            assert!(
                matches!(
                    Profile::resolve(&args(Some(name), None)),
                    Err(NoProfile::Name)
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn two_profiles_are_two_apps_and_one_profile_is_always_the_same() {
        let home = tempfile::tempdir().unwrap();
        let (a, b) = (home.path().join("a"), home.path().join("b"));
        let a1 = Profile::resolve(&args(None, Some(&a))).unwrap();
        fs::create_dir(&b).unwrap();
        let a2 = Profile::resolve(&args(None, Some(&b.join("../a")))).unwrap();
        let b = Profile::resolve(&args(None, Some(&b))).unwrap();
        assert_eq!(a1.identifier(), a2.identifier());
        assert_ne!(a1.identifier(), b.identifier());
        assert!(a1.identifier().starts_with(IDENTIFIER));
    }

    #[cfg(unix)]
    #[test]
    fn a_new_profile_folder_is_closed_to_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::resolve(&args(None, Some(&home.path().join("new")))).unwrap();
        let mode = fs::metadata(profile.dir()).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
