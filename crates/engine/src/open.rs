//! From a folder to a running engine: looking at a profile, making one,
//! opening one, and every way in which that fails.

use crate::{
    engine::{self, Engine},
    profile::ProfileDir,
    store::{Store, StoreOpenError},
    vault::{
        self, Protection, Unlock, Vault,
        keyring::{Keyring, KeyringState},
        slots::SlotFile,
    },
};
use sotto_client::{StoreError, model::Profile};
use std::{io, sync::Arc};

/// What [`inspect`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// No profile here yet.
    New,
    /// The keyring opens it.
    Ready,
    /// Something must be typed.
    Locked {
        /// Why the keyring does not open it. Without a keyring slot:
        /// [`KeyringState::EntryMissing`], and nothing was asked.
        keyring: KeyringState,
        passphrase: bool,
        recovery: bool,
        /// The passphrase is asked for by choice; nothing is wrong.
        app_lock: bool,
    },
}

/// Why a profile does not open. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("this profile is open in another window or program")]
    InUse,
    #[error("that is not the passphrase")]
    WrongPassphrase,
    #[error("that is not this profile's recovery code")]
    WrongRecoveryCode,
    /// Not a code at all: a typing mistake in this group, counted from 1.
    #[error("the recovery code has a typing mistake in group {group}")]
    MistypedRecoveryCode { group: u8 },
    #[error("the keyring does not open this profile: {0:?}")]
    Keyring(KeyringState),
    /// The profile has no slot of the kind that was tried, or would have none
    /// at all.
    #[error("nothing of that kind opens this profile")]
    NoSlotLeft,
    #[error("a newer version of the program wrote this profile")]
    NewerVersion,
    #[error("the profile is damaged")]
    Damaged,
    #[error("the disk is full")]
    DiskFull,
    #[error("the profile's folder cannot be written")]
    NotWritable,
    #[error("there is a profile already")]
    AlreadyExists,
    #[error("another program holds the database")]
    Locked,
    #[error("the disk failed")]
    Io,
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory => Self::NotWritable,
            _ => Self::Io,
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::DiskFull,
            StoreError::Locked => Self::Locked,
            StoreError::Damaged => Self::Damaged,
            StoreError::Io => Self::Io,
        }
    }
}

impl From<StoreOpenError> for OpenError {
    fn from(error: StoreOpenError) -> Self {
        match error {
            StoreOpenError::NewerVersion => Self::NewerVersion,
            StoreOpenError::NotWritable => Self::NotWritable,
            StoreOpenError::Store(error) => error.into(),
        }
    }
}

/// Looks at a profile without opening or changing it. Asks the keyring, which
/// may prompt.
pub async fn inspect(dir: &ProfileDir, keyring: Arc<dyn Keyring>) -> Result<Lock, OpenError> {
    if !dir.database().try_exists()? {
        return Ok(Lock::New);
    }
    let file = SlotFile::read(&dir.slots())?;
    let slots = vault::survey(&file, &keyring).await;
    if slots.keyring == KeyringState::Working {
        return Ok(Lock::Ready);
    }
    let vault::Slots {
        keyring,
        passphrase,
        recovery,
        app_lock,
        ..
    } = slots;
    Ok(Lock::Locked {
        keyring,
        passphrase,
        recovery,
        app_lock,
    })
}

/// Makes a profile and starts its engine. On an error there is no profile.
pub async fn create(
    dir: &ProfileDir,
    keyring: Arc<dyn Keyring>,
    protection: Protection,
    profile: Profile,
) -> Result<Engine, OpenError> {
    dir.make()?;
    let lock = dir.lock()?;
    if dir.database().try_exists()? {
        return Err(OpenError::AlreadyExists);
    }
    let vault = Vault::create(dir.slots(), keyring, protection).await?;
    let (folder, key) = (dir.clone(), vault.key().clone());
    let store = blocking(move || {
        folder.clear_new_database()?;
        let mut store = Store::open(&folder.new_database(), &key)?;
        engine::found(&mut store, profile)?;
        store.close()?;
        folder.keep_new_database()?;
        Ok(Store::open(&folder.database(), &key)?)
    })
    .await?;
    tracing::info!("profile made");
    Engine::start(store, lock, vault).await
}

/// Opens a profile and starts its engine.
pub async fn open(
    dir: &ProfileDir,
    keyring: Arc<dyn Keyring>,
    unlock: Unlock,
) -> Result<Engine, OpenError> {
    if !dir.database().try_exists()? {
        return Err(OpenError::Damaged);
    }
    let lock = dir.lock()?;
    let by_keyring = matches!(unlock, Unlock::Keyring);
    let vault = Vault::open(dir.slots(), keyring, unlock).await?;
    let (database, key) = (dir.database(), vault.key().clone());
    let store = blocking(move || Ok(Store::open(&database, &key)?)).await?;
    let engine = Engine::start(store, lock, vault).await?;
    if !by_keyring {
        engine.mend_keyring();
    }
    Ok(engine)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(OpenError::Io))
}
