//! The Secret Service, Keychain or Credential Manager of this system.
//!
//! A keyring can be started, restarted or unlocked while we run. So the
//! connection is made when it is first needed, and made anew after anything
//! went wrong with it: asking again really asks again.

use super::{Keyring, KeyringState};
use crate::secret::SecretBytes;
use keyring_core::{CredentialStore, Entry, Error};
use std::sync::{Arc, Mutex, PoisonError};

/// The name under which entries are filed.
const SERVICE: &str = "sotto";

/// What this system keeps secrets in.
#[derive(Default)]
pub struct SystemKeyring {
    /// Taken out while it is used: a call that hangs behind a prompt keeps its
    /// connection to itself, and the next one gets another.
    connection: Mutex<Option<Arc<CredentialStore>>>,
}

impl Keyring for SystemKeyring {
    fn get(&self, entry: &str) -> Result<Option<SecretBytes>, KeyringState> {
        match self.ask(entry, Entry::get_secret) {
            Ok(secret) => Ok(Some(SecretBytes::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(state(&error)),
        }
    }

    fn set(&self, entry: &str, secret: &SecretBytes) -> Result<(), KeyringState> {
        self.ask(entry, |entry| entry.set_secret(secret.expose()))
            .map_err(|error| state(&error))
    }

    fn delete(&self, entry: &str) -> Result<(), KeyringState> {
        match self.ask(entry, Entry::delete_credential) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(state(&error)),
        }
    }
}

impl SystemKeyring {
    fn ask<T>(&self, entry: &str, call: impl Fn(&Entry) -> Result<T, Error>) -> Result<T, Error> {
        // A statement of its own: the guard must be gone before the call.
        let kept = self.kept().take();
        if let Some(kept) = kept {
            let outcome = self.ask_over(kept, entry, &call);
            // A connection that was good once: the keyring may have been
            // restarted since. A person who said no is not asked twice.
            if !matches!(&outcome, Err(error) if state(error) == KeyringState::NoService) {
                return outcome;
            }
        }
        self.ask_over(connect()?, entry, &call)
    }

    fn ask_over<T>(
        &self,
        connection: Arc<CredentialStore>,
        entry: &str,
        call: &impl Fn(&Entry) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let outcome = call(&connection.build(SERVICE, entry, None)?);
        if matches!(outcome, Ok(_) | Err(Error::NoEntry)) {
            *self.kept() = Some(connection);
        }
        outcome
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<CredentialStore>>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(target_os = "macos")]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn connect() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

/// The error itself is not logged: some of its kinds carry the secret.
fn state(error: &Error) -> KeyringState {
    match error {
        Error::NoStorageAccess(_) => KeyringState::Denied,
        Error::NoEntry => KeyringState::EntryMissing,
        // Several entries of one name: none of them can be trusted.
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::Ambiguous(_) => {
            KeyringState::EntryWrong
        }
        _ => KeyringState::NoService,
    }
}
