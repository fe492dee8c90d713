//! The vault: how the database's random key is kept, in slots of which any
//! one opens it.
//!
//! | slot | opened by | wrapping key |
//! |---|---|---|
//! | keyring | an entry in the system's keyring | that entry, 256 random bits |
//! | passphrase | what the person types | Argon2id |
//! | recovery | a code shown once | HKDF-SHA-256 over 160 random bits |
//!
//! The slots lie in `slots.json` beside the database, which holds nothing
//! secret. Every change replaces that file in one step, so that a crash leaves
//! the old slots or the new ones. The order of each change is chosen so that
//! in between something still opens: a keyring entry is written and read back
//! before the slot that needs it, and the last slot that works is never
//! removed.
//!
//! The vault does not open the database, and never logs or keeps what a person
//! typed.

pub mod keyring;
pub mod passphrase;
pub mod recovery;
pub mod slots;

mod wrap;

#[cfg(test)]
mod tests;

use crate::{
    open::OpenError,
    secret::{Key, Secret, SecretBytes},
};
use keyring::{Keyring, KeyringState};
use slots::{Slot, SlotFile};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What protects a new profile.
#[derive(Debug, Clone, Default)]
pub struct Protection {
    pub keyring: bool,
    pub passphrase: Option<Secret>,
}

/// What a person opens a profile with.
#[derive(Debug, Clone)]
pub enum Unlock {
    Keyring,
    Passphrase(Secret),
    Recovery(Secret),
}

/// The slots of a profile, and how the keyring is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// What the keyring says about this profile's entry now. Without a keyring
    /// slot there is none to find: [`KeyringState::EntryMissing`], unasked.
    pub keyring: KeyringState,
    pub keyring_slot: bool,
    pub passphrase: bool,
    pub recovery: bool,
    /// The passphrase is asked for at every start, by choice: there is one,
    /// and no keyring slot.
    pub app_lock: bool,
}

/// Why a slot was not changed. The slots are as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    #[error("nothing else would open the profile")]
    LastSlot,
    #[error("a passphrase cannot be empty")]
    EmptyPassphrase,
    #[error("the keyring does not work: {0:?}")]
    Keyring(KeyringState),
    #[error("the disk is full")]
    DiskFull,
    #[error("the profile's folder cannot be written")]
    NotWritable,
    #[error("the disk failed")]
    Io,
    #[error("the engine stopped")]
    Stopped,
}

/// An open vault: it holds the database's key, to wrap it again.
pub struct Vault {
    path: PathBuf,
    file: SlotFile,
    key: Key,
    keyring: Arc<dyn Keyring>,
    /// Whoever holds the profile's lock is gone: the file is another's now.
    closed: Arc<AtomicBool>,
}

impl Vault {
    /// A vault with a new key, written to `path`. What stood there is
    /// replaced.
    pub async fn create(
        path: PathBuf,
        keyring: Arc<dyn Keyring>,
        protection: Protection,
    ) -> Result<Self, OpenError> {
        let (file, key) = (SlotFile::fresh(), Key::random());
        let mut vault = Self {
            path,
            file,
            key,
            keyring,
            closed: Arc::default(),
        };
        if protection.keyring {
            vault
                .make_keyring_slot()
                .await
                .map_err(OpenError::Keyring)?;
        }
        if let Some(passphrase) = protection.passphrase {
            let slot = vault
                .passphrase_slot(passphrase)
                .await
                .map_err(|_| OpenError::WrongPassphrase)?;
            vault.file.put(slot);
        }
        if vault.file.slots.is_empty() {
            return Err(OpenError::NoSlotLeft);
        }
        vault.file.write(&vault.path)?;
        Ok(vault)
    }

    /// Opens the vault at `path`.
    pub async fn open(
        path: PathBuf,
        keyring: Arc<dyn Keyring>,
        unlock: Unlock,
    ) -> Result<Self, OpenError> {
        let file = SlotFile::read(&path)?;
        let key = match unlock {
            Unlock::Keyring => open_by_keyring(&file, &keyring)
                .await
                .map_err(OpenError::Keyring)?,
            Unlock::Passphrase(secret) => open_by_passphrase(&file, secret).await?,
            Unlock::Recovery(secret) => open_by_recovery(&file, &secret)?,
        };
        Ok(Self {
            path,
            file,
            key,
            keyring,
            closed: Arc::default(),
        })
    }

    /// Set it, and the vault never writes its file again.
    pub fn closed(&self) -> Arc<AtomicBool> {
        self.closed.clone()
    }

    /// The database's key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    pub async fn slots(&self) -> Slots {
        survey(&self.file, &self.keyring).await
    }

    /// Sets or removes the passphrase.
    pub async fn set_passphrase(&mut self, passphrase: Option<Secret>) -> Result<(), SlotError> {
        let mut file = self.file.clone();
        match passphrase {
            Some(passphrase) => file.put(self.passphrase_slot(passphrase).await?),
            None => {
                let works = self.slots().await.keyring == KeyringState::Working;
                file.slots
                    .retain(|slot| !matches!(slot, Slot::Passphrase(_)));
                if !works && file.recovery().is_none() {
                    return Err(SlotError::LastSlot);
                }
            }
        }
        self.replace(file)
    }

    /// Makes a new recovery code; an older one no longer opens anything.
    pub fn new_recovery_code(&mut self) -> Result<Secret, SlotError> {
        let code = recovery::Code::random();
        let mut file = self.file.clone();
        file.put(Slot::Recovery(recovery::wrap(
            &file.profile,
            &code,
            &self.key,
        )));
        self.replace(file)?;
        Ok(code.print())
    }

    /// Adds or rebuilds the keyring slot, or removes it and its entry.
    pub async fn set_keyring_slot(&mut self, on: bool) -> Result<(), SlotError> {
        if on {
            // An entry that opens the slot is left alone: replacing it could
            // lock everybody out if the power failed in between.
            if self.slots().await.keyring == KeyringState::Working {
                return Ok(());
            }
            return self.rebuild_keyring_slot().await;
        }
        let mut file = self.file.clone();
        file.slots.retain(|slot| !matches!(slot, Slot::Keyring(_)));
        if file.slots.is_empty() {
            return Err(SlotError::LastSlot);
        }
        self.replace(file)?;
        // The slot is gone, so the entry opens nothing: a keyring that does
        // not let it go is only untidy.
        if let Err(state) = keyring::delete(&self.keyring, &self.file.account()).await {
            tracing::debug!(?state, "the unused keyring entry stays");
        }
        Ok(())
    }

    async fn rebuild_keyring_slot(&mut self) -> Result<(), SlotError> {
        let before = self.file.clone();
        self.make_keyring_slot().await.map_err(SlotError::Keyring)?;
        let after = std::mem::replace(&mut self.file, before);
        self.replace(after)
    }

    /// Rebuilds the entry of a keyring slot that was opened around, if the
    /// keyring lets it. `None` if no keyring slot is wanted.
    pub async fn mend_keyring_slot(&mut self) -> Option<KeyringState> {
        let slots = self.slots().await;
        if !slots.keyring_slot {
            return None;
        }
        if !matches!(
            slots.keyring,
            KeyringState::EntryMissing | KeyringState::EntryWrong
        ) {
            return Some(slots.keyring);
        }
        match self.rebuild_keyring_slot().await {
            Ok(()) => {
                tracing::info!("the keyring entry was rebuilt");
                Some(KeyringState::Working)
            }
            Err(SlotError::Keyring(state)) => Some(state),
            Err(error) => {
                tracing::warn!(%error, "the rebuilt keyring slot could not be written");
                Some(slots.keyring)
            }
        }
    }

    /// Writes a new entry, reads it back, and puts its slot into `self.file`,
    /// which is not written yet.
    async fn make_keyring_slot(&mut self) -> Result<(), KeyringState> {
        let wrapping = Key::random();
        let entry = SecretBytes::new(wrapping.expose().to_vec());
        let account = self.file.account();
        keyring::set(&self.keyring, &account, entry).await?;
        match keyring::get(&self.keyring, &account).await? {
            Some(read) if read.expose() == wrapping.expose() => {}
            Some(_) => return Err(KeyringState::EntryWrong),
            None => return Err(KeyringState::EntryMissing),
        }
        self.file.put(Slot::Keyring(slots::KeyringSlot {
            wrapped: wrap::wrap(&wrapping, "keyring", &self.file.profile, &self.key),
        }));
        Ok(())
    }

    async fn passphrase_slot(&self, passphrase: Secret) -> Result<Slot, SlotError> {
        if passphrase.expose().is_empty() {
            return Err(SlotError::EmptyPassphrase);
        }
        let (profile, key) = (self.file.profile.clone(), self.key.clone());
        let slot = blocking(move || passphrase::wrap(&profile, &passphrase, &key)).await;
        Ok(Slot::Passphrase(slot))
    }

    fn replace(&mut self, file: SlotFile) -> Result<(), SlotError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(SlotError::Stopped);
        }
        file.write(&self.path).map_err(|error| match error {
            OpenError::DiskFull => SlotError::DiskFull,
            OpenError::NotWritable => SlotError::NotWritable,
            _ => SlotError::Io,
        })?;
        self.file = file;
        Ok(())
    }
}

/// The slots of a vault that is not open.
pub async fn survey(file: &SlotFile, keyring: &Arc<dyn Keyring>) -> Slots {
    let keyring_slot = file.keyring().is_some();
    let keyring = match keyring_slot {
        true => open_by_keyring(file, keyring)
            .await
            .err()
            .unwrap_or(KeyringState::Working),
        false => KeyringState::EntryMissing,
    };
    let passphrase = file.passphrase().is_some();
    Slots {
        keyring,
        keyring_slot,
        passphrase,
        recovery: file.recovery().is_some(),
        app_lock: passphrase && !keyring_slot,
    }
}

async fn open_by_keyring(file: &SlotFile, keyring: &Arc<dyn Keyring>) -> Result<Key, KeyringState> {
    let slot = file.keyring().ok_or(KeyringState::EntryMissing)?;
    let entry = keyring::get(keyring, &file.account())
        .await?
        .ok_or(KeyringState::EntryMissing)?;
    Key::from_slice(entry.expose())
        .and_then(|key| wrap::unwrap(&key, "keyring", &file.profile, &slot.wrapped))
        .ok_or(KeyringState::EntryWrong)
}

async fn open_by_passphrase(file: &SlotFile, secret: Secret) -> Result<Key, OpenError> {
    let slot = file.passphrase().ok_or(OpenError::NoSlotLeft)?.clone();
    let profile = file.profile.clone();
    blocking(move || passphrase::unwrap(&profile, &secret, &slot))
        .await
        .ok_or(OpenError::WrongPassphrase)
}

fn open_by_recovery(file: &SlotFile, secret: &Secret) -> Result<Key, OpenError> {
    let slot = file.recovery().ok_or(OpenError::NoSlotLeft)?;
    let code = recovery::Code::read(secret)
        .map_err(|typo| OpenError::MistypedRecoveryCode { group: typo.group })?;
    recovery::unwrap(&file.profile, &code, slot).ok_or(OpenError::WrongRecoveryCode)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .expect("key derivation does not panic")
}
