//! A profile's folder: what lies where, who may read it, and that only one
//! process at a time works in it.

use crate::open::OpenError;
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The folder of one profile.
#[derive(Clone, PartialEq, Eq)]
pub struct ProfileDir {
    path: PathBuf,
}

impl ProfileDir {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("sotto.db")
    }

    /// Where a database is made. It takes its place when it is whole.
    pub(crate) fn new_database(&self) -> PathBuf {
        self.path.join("new.db")
    }

    pub(crate) fn slots(&self) -> PathBuf {
        self.path.join("slots.json")
    }

    /// Makes the folder, for its owner only.
    pub(crate) fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path)?;
        #[cfg(unix)]
        fs::set_permissions(
            &self.path,
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )?;
        Ok(())
    }

    /// Takes the profile for this process. The lock ends with the file, also
    /// when the process is killed.
    pub(crate) fn lock(&self) -> Result<ProfileLock, OpenError> {
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        private(&mut options);
        let file = options.open(self.path.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(ProfileLock(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Removes what an interrupted creation left.
    pub(crate) fn clear_new_database(&self) -> io::Result<()> {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.new_database().into_os_string();
            name.push(end);
            match fs::remove_file(&name) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// Gives a finished database its name. From here on the profile exists.
    pub(crate) fn keep_new_database(&self) -> io::Result<()> {
        fs::rename(self.new_database(), self.database())?;
        sync_folder(&self.path)
    }
}

/// Held as long as this process works in the profile.
pub(crate) struct ProfileLock(#[expect(dead_code, reason = "held, not read")] File);

/// Replaces a file in one step: after a crash it is the old or the new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(true);
    private(&mut options);
    let mut file = options.open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

fn private(options: &mut fs::OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes a rename durable. Windows has no such thing and needs none.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}
