//! Key slots that are missing, wrong, changed or rebuilt.

use super::*;
use std::{collections::BTreeMap, sync::Mutex};

/// A keyring that does as it is told.
#[derive(Default)]
pub(crate) struct FakeKeyring {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    broken: Mutex<Option<KeyringState>>,
}

impl FakeKeyring {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn break_with(&self, state: Option<KeyringState>) {
        *self.broken.lock().unwrap() = state;
    }

    fn forget(&self) {
        self.entries.lock().unwrap().clear();
    }

    fn garble(&self) {
        for entry in self.entries.lock().unwrap().values_mut() {
            entry[0] ^= 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.entries.lock().unwrap().is_empty()
    }

    fn works(&self) -> Result<(), KeyringState> {
        self.broken.lock().unwrap().map_or(Ok(()), Err)
    }
}

impl Keyring for FakeKeyring {
    fn get(&self, entry: &str) -> Result<Option<SecretBytes>, KeyringState> {
        self.works()?;
        Ok(self
            .entries
            .lock()
            .unwrap()
            .get(entry)
            .cloned()
            .map(SecretBytes::new))
    }

    fn set(&self, entry: &str, secret: &SecretBytes) -> Result<(), KeyringState> {
        self.works()?;
        self.entries
            .lock()
            .unwrap()
            .insert(entry.into(), secret.expose().to_vec());
        Ok(())
    }

    fn delete(&self, entry: &str) -> Result<(), KeyringState> {
        self.works()?;
        self.entries.lock().unwrap().remove(entry);
        Ok(())
    }
}

struct Scene {
    _dir: tempfile::TempDir,
    path: PathBuf,
    keyring: Arc<FakeKeyring>,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slots.json");
        Self {
            _dir: dir,
            path,
            keyring: FakeKeyring::new(),
        }
    }

    async fn create(&self, keyring: bool, passphrase: Option<&str>) -> Result<Vault, OpenError> {
        let passphrase = passphrase.map(secret);
        Vault::create(
            self.path.clone(),
            self.keyring.clone(),
            Protection {
                keyring,
                passphrase,
            },
        )
        .await
    }

    async fn open(&self, unlock: Unlock) -> Result<Vault, OpenError> {
        Vault::open(self.path.clone(), self.keyring.clone(), unlock).await
    }

    async fn survey(&self) -> Slots {
        let keyring: Arc<dyn Keyring> = self.keyring.clone();
        survey(&SlotFile::read(&self.path).unwrap(), &keyring).await
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(secret(text))
}

#[tokio::test]
async fn every_slot_opens_to_the_same_key() {
    let scene = Scene::new();
    let mut vault = scene.create(true, Some("sotto voce")).await.unwrap();
    let code = vault.new_recovery_code().unwrap();
    for unlock in [
        Unlock::Keyring,
        passphrase("sotto voce"),
        Unlock::Recovery(code),
    ] {
        let opened = scene.open(unlock).await.unwrap();
        assert_eq!(opened.key().expose(), vault.key().expose());
    }
}

#[tokio::test]
async fn a_wrong_passphrase_a_wrong_code_and_a_typo_are_told_apart() {
    let scene = Scene::new();
    let mut vault = scene.create(false, Some("sotto voce")).await.unwrap();
    let none = scene
        .open(Unlock::Recovery(recovery::Code::random().print()))
        .await;
    assert_eq!(none.err(), Some(OpenError::NoSlotLeft));

    let code = vault.new_recovery_code().unwrap();
    let wrong = scene.open(passphrase("sotto voci")).await;
    assert_eq!(wrong.err(), Some(OpenError::WrongPassphrase));
    let other = scene
        .open(Unlock::Recovery(recovery::Code::random().print()))
        .await;
    assert_eq!(other.err(), Some(OpenError::WrongRecoveryCode));

    let mut typed = code.expose().to_owned();
    let last = if typed.pop() == Some('7') { '8' } else { '7' };
    typed.push(last);
    let typo = scene.open(Unlock::Recovery(secret(&typed))).await;
    assert_eq!(
        typo.err(),
        Some(OpenError::MistypedRecoveryCode { group: 8 })
    );

    let old = code;
    vault.new_recovery_code().unwrap();
    let outdated = scene.open(Unlock::Recovery(old)).await;
    assert_eq!(outdated.err(), Some(OpenError::WrongRecoveryCode));
}

#[tokio::test]
async fn each_trouble_with_the_keyring_has_its_name_and_locks_nobody_out() {
    let scene = Scene::new();
    scene.create(true, Some("sotto voce")).await.unwrap();
    assert_eq!(scene.survey().await.keyring, KeyringState::Working);

    let expect = async |state| {
        assert_eq!(scene.survey().await.keyring, state);
        let opened = scene.open(Unlock::Keyring).await;
        assert_eq!(opened.err(), Some(OpenError::Keyring(state)));
        scene.open(passphrase("sotto voce")).await.unwrap();
    };
    for state in [KeyringState::NoService, KeyringState::Denied] {
        scene.keyring.break_with(Some(state));
        expect(state).await;
    }
    scene.keyring.break_with(None);
    scene.keyring.garble();
    expect(KeyringState::EntryWrong).await;
    scene.keyring.forget();
    expect(KeyringState::EntryMissing).await;
}

#[tokio::test]
async fn a_lost_keyring_entry_is_rebuilt_from_another_slot() {
    let scene = Scene::new();
    scene.create(true, Some("sotto voce")).await.unwrap();
    for lose in [FakeKeyring::forget, FakeKeyring::garble] {
        lose(&scene.keyring);
        let mut vault = scene.open(passphrase("sotto voce")).await.unwrap();
        assert_eq!(vault.mend_keyring_slot().await, Some(KeyringState::Working));
        let again = scene.open(Unlock::Keyring).await.unwrap();
        assert_eq!(again.key().expose(), vault.key().expose());
    }
}

#[tokio::test]
async fn a_keyring_that_is_away_for_a_day_still_opens_the_next() {
    let scene = Scene::new();
    scene.create(true, Some("sotto voce")).await.unwrap();
    scene.keyring.break_with(Some(KeyringState::NoService));
    let mut vault = scene.open(passphrase("sotto voce")).await.unwrap();
    assert_eq!(
        vault.mend_keyring_slot().await,
        Some(KeyringState::NoService)
    );
    scene.keyring.break_with(None);
    scene.open(Unlock::Keyring).await.unwrap();
}

#[tokio::test]
async fn a_profile_without_a_keyring_slot_never_asks_the_keyring() {
    let scene = Scene::new();
    scene.keyring.break_with(Some(KeyringState::Denied));
    let mut vault = scene.create(false, Some("sotto voce")).await.unwrap();
    assert_eq!(vault.mend_keyring_slot().await, None);
    let slots = vault.slots().await;
    assert!(slots.app_lock && !slots.keyring_slot);
    assert_eq!(slots.keyring, KeyringState::EntryMissing);
}

#[tokio::test]
async fn a_profile_that_nothing_would_open_is_not_made() {
    let scene = Scene::new();
    assert_eq!(
        scene.create(false, None).await.err(),
        Some(OpenError::NoSlotLeft)
    );
    assert!(scene.create(false, Some("")).await.is_err());
    scene.keyring.break_with(Some(KeyringState::NoService));
    assert_eq!(
        scene.create(true, Some("sotto voce")).await.err(),
        Some(OpenError::Keyring(KeyringState::NoService))
    );
    assert!(!scene.path.exists());
}

#[tokio::test]
async fn the_last_slot_that_works_cannot_be_removed() {
    let scene = Scene::new();
    let mut vault = scene.create(true, None).await.unwrap();
    assert_eq!(
        vault.set_keyring_slot(false).await,
        Err(SlotError::LastSlot)
    );
    vault
        .set_passphrase(Some(secret("sotto voce")))
        .await
        .unwrap();

    // A keyring slot that does not open is no slot to fall back to.
    scene.keyring.break_with(Some(KeyringState::NoService));
    assert_eq!(vault.set_passphrase(None).await, Err(SlotError::LastSlot));
    scene.keyring.break_with(None);
    vault.set_passphrase(None).await.unwrap();
    assert_eq!(
        scene.open(passphrase("sotto voce")).await.err(),
        Some(OpenError::NoSlotLeft)
    );
    scene.open(Unlock::Keyring).await.unwrap();
}

#[tokio::test]
async fn a_changed_passphrase_opens_and_the_old_one_does_not() {
    let scene = Scene::new();
    let mut vault = scene.create(false, Some("sotto voce")).await.unwrap();
    vault
        .set_passphrase(Some(secret("mezza voce")))
        .await
        .unwrap();
    scene.open(passphrase("mezza voce")).await.unwrap();
    assert_eq!(
        scene.open(passphrase("sotto voce")).await.err(),
        Some(OpenError::WrongPassphrase)
    );
    assert_eq!(
        vault.set_passphrase(Some(secret(""))).await,
        Err(SlotError::EmptyPassphrase)
    );
}

#[tokio::test]
async fn giving_up_the_keyring_removes_its_entry() {
    let scene = Scene::new();
    let mut vault = scene.create(true, Some("sotto voce")).await.unwrap();
    vault.set_keyring_slot(false).await.unwrap();
    assert!(scene.keyring.is_empty());
    vault.set_keyring_slot(true).await.unwrap();
    scene.open(Unlock::Keyring).await.unwrap();
}

#[tokio::test]
async fn slots_that_are_not_ours_are_refused() {
    let scene = Scene::new();
    scene.create(false, Some("sotto voce")).await.unwrap();
    let text = std::fs::read_to_string(&scene.path).unwrap();
    let check = async |from: &str, to: &str, expect| {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        std::fs::write(&scene.path, changed).unwrap();
        assert_eq!(
            scene.open(passphrase("sotto voce")).await.err(),
            Some(expect),
            "{to}"
        );
    };
    check("\"version\": 1", "\"version\": 2", OpenError::NewerVersion).await;
    check("\"version\": 1", "\"version\": 0", OpenError::Damaged).await;
    check("65536", "8", OpenError::Damaged).await;
    check("65536", "4294967295", OpenError::Damaged).await;
    check("65536", "32768", OpenError::WrongPassphrase).await;
    check("passphrase", "recovery", OpenError::NoSlotLeft).await;
    check("{", "", OpenError::Damaged).await;
    std::fs::remove_file(&scene.path).unwrap();
    assert_eq!(
        scene.open(passphrase("sotto voce")).await.err(),
        Some(OpenError::Damaged)
    );
}

#[tokio::test]
async fn the_file_of_slots_holds_no_key() {
    let scene = Scene::new();
    let vault = scene.create(true, Some("sotto voce")).await.unwrap();
    let text = std::fs::read_to_string(&scene.path).unwrap();
    assert!(!text.contains("sotto voce"));
    assert!(!text.contains(&sotto_wire::bytes::encode(vault.key().expose())));
    assert!(!text.contains(vault.key().hex().as_str()));
}

#[tokio::test]
async fn a_closed_vault_writes_nothing_any_more() {
    let scene = Scene::new();
    let mut vault = scene.create(false, Some("sotto voce")).await.unwrap();
    let before = std::fs::read(&scene.path).unwrap();
    vault.closed().store(true, Ordering::Release);
    assert_eq!(vault.new_recovery_code().err(), Some(SlotError::Stopped));
    assert_eq!(std::fs::read(&scene.path).unwrap(), before);
}

/// A prompt that nobody answers.
struct Hanging;

impl Keyring for Hanging {
    fn get(&self, _: &str) -> Result<Option<SecretBytes>, KeyringState> {
        loop {
            std::thread::park();
        }
    }

    fn set(&self, entry: &str, _: &SecretBytes) -> Result<(), KeyringState> {
        self.get(entry).map(drop)
    }

    fn delete(&self, entry: &str) -> Result<(), KeyringState> {
        self.get(entry).map(drop)
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_nobody_answers_is_given_up() {
    let hanging: Arc<dyn Keyring> = Arc::new(Hanging);
    assert_eq!(
        keyring::get(&hanging, "x").await.err(),
        Some(KeyringState::Denied)
    );
}
