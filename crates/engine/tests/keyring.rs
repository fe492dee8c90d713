//! A profile and the real keyring of this session. `cargo xtask test` starts a
//! session with one; anywhere else this fails, and rightly so.

use sotto_client::model::Profile;
use sotto_engine::{
    Engine, Keyring, KeyringState, Lock, OpenError, ProfileDir, Protection, Secret, SecretBytes,
    SystemKeyring, Unlock,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn the_real_keyring_keeps_a_profile_s_key() {
    let bob = Bob::new();
    bob.create().await.stop().await;
    assert_eq!(bob.inspect().await, Lock::Ready);
    bob.open(Unlock::Keyring)
        .await
        .expect("it opens")
        .stop()
        .await;

    bob.keyring.overwrite();
    assert_eq!(
        bob.open(Unlock::Keyring).await.err(),
        Some(OpenError::Keyring(KeyringState::EntryWrong))
    );
    bob.keyring.forget();
    assert_eq!(
        bob.open(Unlock::Keyring).await.err(),
        Some(OpenError::Keyring(KeyringState::EntryMissing))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_entry_is_made_again_once_the_passphrase_was_typed() {
    let bob = Bob::new();
    bob.create().await.stop().await;
    bob.keyring.forget();

    let engine = bob.open(bob.passphrase()).await.expect("it opens");
    bob.sees_the_keyring_mended(&engine).await;
    engine.stop().await;
    bob.open(Unlock::Keyring)
        .await
        .expect("it opens")
        .stop()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_keyring_leaves_nothing_in_it() {
    let bob = Bob::new();
    let engine = bob.create().await;
    assert!(bob.keyring.has_entry());

    engine.set_keyring_slot(false).await.expect("it is removed");

    assert!(!bob.keyring.has_entry());
    engine.stop().await;
}

/// Someone whose profile the system's keyring opens, and a passphrase.
struct Bob {
    dir: tempfile::TempDir,
    keyring: Arc<Overheard>,
}

impl Bob {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            keyring: Arc::default(),
        }
    }

    fn place(&self) -> ProfileDir {
        ProfileDir::new(self.dir.path())
    }

    fn passphrase(&self) -> Unlock {
        Unlock::Passphrase(Secret::new("sotto voce".into()))
    }

    async fn create(&self) -> Engine {
        let protection = Protection {
            keyring: true,
            passphrase: Some(Secret::new("sotto voce".into())),
        };
        let profile = Profile {
            name: "Bob".into(),
            ..Profile::default()
        };
        sotto_engine::create(&self.place(), self.keyring.clone(), protection, profile)
            .await
            .expect("a keyring answers, and the profile is made")
    }

    async fn open(&self, unlock: Unlock) -> Result<Engine, OpenError> {
        sotto_engine::open(&self.place(), self.keyring.clone(), unlock).await
    }

    async fn inspect(&self) -> Lock {
        sotto_engine::inspect(&self.place(), self.keyring.clone())
            .await
            .expect("it can be looked at")
    }

    /// The entry is mended beside everything else that an engine begins with.
    async fn sees_the_keyring_mended(&self, engine: &Engine) {
        let mended = async {
            while engine.slots().await.keyring != KeyringState::Working {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, mended)
            .await
            .expect("it is mended in time");
    }
}

impl Drop for Bob {
    fn drop(&mut self) {
        self.keyring.forget();
    }
}

/// The system's keyring, by a connection that remembers which entry was meant.
#[derive(Default)]
struct Overheard {
    system: SystemKeyring,
    entry: Mutex<Option<String>>,
}

impl Overheard {
    fn entry(&self) -> Option<String> {
        self.entry.lock().unwrap().clone()
    }

    fn heard(&self, entry: &str) {
        *self.entry.lock().unwrap() = Some(entry.to_owned());
    }

    /// Another program writes something else into the entry.
    fn overwrite(&self) {
        let entry = self.entry().expect("an entry was made");
        let other = SecretBytes::new(vec![1; 32]);
        SystemKeyring::default().set(&entry, &other).unwrap();
    }

    fn forget(&self) {
        if let Some(entry) = self.entry() {
            SystemKeyring::default().delete(&entry).unwrap();
        }
    }

    fn has_entry(&self) -> bool {
        let entry = self.entry().expect("an entry was made");
        SystemKeyring::default().get(&entry).unwrap().is_some()
    }
}

impl Keyring for Overheard {
    fn get(&self, entry: &str) -> Result<Option<SecretBytes>, KeyringState> {
        self.heard(entry);
        self.system.get(entry)
    }

    fn set(&self, entry: &str, secret: &SecretBytes) -> Result<(), KeyringState> {
        self.heard(entry);
        self.system.set(entry, secret)
    }

    fn delete(&self, entry: &str) -> Result<(), KeyringState> {
        self.heard(entry);
        self.system.delete(entry)
    }
}
