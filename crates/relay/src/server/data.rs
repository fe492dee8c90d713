//! The data folder: a lock, the database, the token key, the certificate.
//! Secrets are readable by their owner alone.

use super::config::DataError;
use crate::store::{SqliteStore, Store};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Held as long as the relay runs: two writers would undo each other.
    _lock: File,
}

impl DataDir {
    pub fn open(path: &Path) -> Result<Self, DataError> {
        make_folder(path)?;
        let lock =
            private(OpenOptions::new().write(true).create(true)).open(path.join("relay.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(DataError::Locked),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub async fn store(&self) -> Result<Store, DataError> {
        Ok(Store::Sqlite(
            SqliteStore::open(&self.path.join("relay.db")).await?,
        ))
    }

    /// The key that access tokens are signed with, made at the first start.
    pub fn token_key(&self) -> Result<[u8; 32], DataError> {
        let made = self.kept("token.key", || Ok(random::<32>()?.to_vec()))?;
        made.try_into().map_err(|_| DataError::Corrupt)
    }

    /// The content of a private file, made by `make` where there is none.
    pub fn kept(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>, DataError>,
    ) -> Result<Vec<u8>, DataError> {
        let path = self.path.join(name);
        match File::open(&path) {
            Ok(mut file) => {
                let mut content = Vec::new();
                file.read_to_end(&mut content)?;
                return Ok(content);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let content = make()?;
        // Through a second name, so that a crash leaves no half-written key.
        let draft = self.path.join(format!("{name}.new"));
        let mut options = OpenOptions::new();
        let mut file = private(options.write(true).create(true).truncate(true)).open(&draft)?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        Ok(content)
    }
}

fn make_folder(path: &Path) -> Result<(), DataError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], DataError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| DataError::Other)?;
    Ok(bytes)
}
