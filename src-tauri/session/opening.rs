//! From a profile folder to a running engine, or to what a person must do
//! first. Decides nothing about keys: that is the vault's.

use crate::{
    ipc::{
        error::ErrorCode,
        view::{Keyring as KeyringView, Start},
    },
    profile::make_private,
};
use sotto_engine::{Engine, Keyring, KeyringState, Lock, OpenError, ProfileDir, Unlock};
use std::{fs, io, path::Path, sync::Arc, time::Duration};

/// How long the keyring may take to say whether it is there.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    New {
        keyring: KeyringState,
    },
    Locked {
        keyring: KeyringState,
        passphrase: bool,
        recovery: bool,
        app_lock: bool,
    },
    Failed(ErrorCode),
}

impl From<Closed> for Start {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::New { keyring } => Self::New {
                keyring: keyring.into(),
            },
            Closed::Locked {
                keyring,
                passphrase,
                recovery,
                app_lock,
            } => Self::Locked {
                keyring: KeyringView::from(keyring),
                passphrase,
                recovery,
                app_lock,
            },
            Closed::Failed(code) => Self::Failed { code },
        }
    }
}

/// Opens the profile if nobody needs to be asked for anything.
pub async fn open(dir: &ProfileDir, keyring: &Arc<dyn Keyring>) -> Result<Engine, Closed> {
    // It could not be made at the start, and perhaps can now.
    make_private(dir.path()).map_err(|error| failed(error.into()))?;
    match sotto_engine::inspect(dir, keyring.clone()).await {
        Ok(Lock::New) => {
            // Better now than after somebody has filled in everything.
            takes_files(dir.path()).map_err(|error| failed(error.into()))?;
            Err(Closed::New {
                keyring: probe(keyring).await,
            })
        }
        Ok(Lock::Locked {
            keyring,
            passphrase,
            recovery,
            app_lock,
        }) => {
            tracing::info!(
                ?keyring,
                passphrase,
                recovery,
                app_lock,
                "the profile is locked"
            );
            Err(Closed::Locked {
                keyring,
                passphrase,
                recovery,
                app_lock,
            })
        }
        Ok(Lock::Ready) => sotto_engine::open(dir, keyring.clone(), Unlock::Keyring)
            .await
            .map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: OpenError) -> Closed {
    tracing::warn!(%error, "the profile does not open");
    Closed::Failed(error.into())
}

/// Tries to write a file there.
fn takes_files(folder: &Path) -> io::Result<()> {
    let probe = folder.join("probe");
    let written = fs::write(&probe, [0u8; 4096]);
    let removed = fs::remove_file(&probe);
    written.and(removed)
}

/// Whether this system has a keyring that works, before anything is in it.
async fn probe(keyring: &Arc<dyn Keyring>) -> KeyringState {
    let keyring = keyring.clone();
    let (answer, answered) = tokio::sync::oneshot::channel();
    // A thread of its own: one that hangs behind a prompt must not keep the
    // runtime from ending.
    let asked = std::thread::Builder::new()
        .name("sotto-keyring".into())
        .spawn(move || {
            let state = keyring.get("probe").err().unwrap_or(KeyringState::Working);
            // Nobody waits any more: they gave up.
            let _ = answer.send(state);
        });
    if asked.is_err() {
        return KeyringState::NoService;
    }
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(state)) => state,
        Ok(Err(_)) => KeyringState::NoService,
        Err(_) => KeyringState::Denied,
    }
}
