//! The operating system's keyring, behind a trait.
//!
//! A keyring may ask the person something and wait for ever. Every call
//! therefore runs on a thread of its own and is given up after
//! [`PATIENCE`]; a prompt that stays open answers into nothing.

mod system;

pub use system::SystemKeyring;

use crate::secret::SecretBytes;
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long a keyring may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How the keyring stands towards one profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringState {
    /// The entry is there and opens the slot.
    Working,
    /// There is no keyring here, or it cannot be reached.
    NoService,
    /// It is locked, the person said no, or nobody answered its prompt.
    Denied,
    /// It works but has no entry for this profile.
    EntryMissing,
    /// It has an entry that does not open the slot.
    EntryWrong,
}

/// A place that keeps small secrets. Calls may block for as long as a person
/// takes to answer a prompt.
pub trait Keyring: Send + Sync {
    fn get(&self, entry: &str) -> Result<Option<SecretBytes>, KeyringState>;
    fn set(&self, entry: &str, secret: &SecretBytes) -> Result<(), KeyringState>;
    /// Deleting what is not there is fine.
    fn delete(&self, entry: &str) -> Result<(), KeyringState>;
}

/// No keyring at all, for computers without one and for those who want none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKeyring;

impl Keyring for NoKeyring {
    fn get(&self, _: &str) -> Result<Option<SecretBytes>, KeyringState> {
        Err(KeyringState::NoService)
    }

    fn set(&self, _: &str, _: &SecretBytes) -> Result<(), KeyringState> {
        Err(KeyringState::NoService)
    }

    fn delete(&self, _: &str) -> Result<(), KeyringState> {
        Err(KeyringState::NoService)
    }
}

pub async fn get(
    keyring: &Arc<dyn Keyring>,
    entry: &str,
) -> Result<Option<SecretBytes>, KeyringState> {
    let entry = entry.to_owned();
    ask(keyring, move |keyring| keyring.get(&entry)).await
}

pub async fn set(
    keyring: &Arc<dyn Keyring>,
    entry: &str,
    secret: SecretBytes,
) -> Result<(), KeyringState> {
    let entry = entry.to_owned();
    ask(keyring, move |keyring| keyring.set(&entry, &secret)).await
}

pub async fn delete(keyring: &Arc<dyn Keyring>, entry: &str) -> Result<(), KeyringState> {
    let entry = entry.to_owned();
    ask(keyring, move |keyring| keyring.delete(&entry)).await
}

/// A thread of its own rather than the runtime's: a runtime waits for its
/// blocking threads when it ends, and this one may hang behind a prompt.
async fn ask<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    call: impl FnOnce(&dyn Keyring) -> Result<T, KeyringState> + Send + 'static,
) -> Result<T, KeyringState> {
    let (answer, answered) = oneshot::channel();
    let keyring = keyring.clone();
    let thread = std::thread::Builder::new().name("sotto-keyring".into());
    let started = thread.spawn(move || {
        let _ = answer.send(call(&*keyring));
    });
    if started.is_err() {
        return Err(KeyringState::NoService);
    }
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(result)) => result,
        // The call panicked: no keyring that can be used.
        Ok(Err(_)) => Err(KeyringState::NoService),
        Err(_) => {
            tracing::warn!("the keyring did not answer");
            Err(KeyringState::Denied)
        }
    }
}
