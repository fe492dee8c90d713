//! Oneself: the account key, this device, its certificate and leaf key, and
//! the profile. One record in the store.

use crate::{
    api::Now,
    identity::{AccountKey, PublicKey, Vouched, check_certificate, issue_certificate, sign_in},
    invite::proof::Terms,
    mls::{group::Signer, provider::SUITE},
    model::Profile,
    room::record,
    store::{Space, StoreError, Txn},
};
use openmls_basic_credential::SignatureKeyPair;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use sotto_wire::{Bytes, DeviceId, Millis, UserId, auth::DeviceCertificate};
use zeroize::{Zeroize as _, Zeroizing};

const KEY: &[u8] = b"self";
/// Certificates are long-lived: a device renews its own long before.
const VALID: Millis = 5 * 365 * DAY;
const RENEW_BEFORE: Millis = 180 * DAY;
const DAY: Millis = 24 * 60 * 60 * 1000;
/// Clocks differ.
const SLACK: Millis = DAY;

pub(crate) struct Me {
    account: AccountKey,
    certificate: DeviceCertificate,
    leaf: SignatureKeyPair,
    pub profile: Profile,
    /// Callers are told when this client is in another call.
    pub tells_busy: bool,
}

/// As stored. The account secret is wiped as soon as it is a key.
#[derive(Serialize, Deserialize)]
struct Stored {
    account: Bytes,
    certificate: DeviceCertificate,
    leaf: SignatureKeyPair,
    profile: Profile,
    #[serde(default = "yes")]
    tells_busy: bool,
}

#[derive(Serialize)]
struct Storing<'a> {
    account: Bytes,
    certificate: &'a DeviceCertificate,
    leaf: &'a SignatureKeyPair,
    profile: &'a Profile,
    tells_busy: bool,
}

impl Me {
    pub fn create(
        rng: &mut ChaCha20Rng,
        txn: &mut dyn Txn,
        now: Now,
        profile: Profile,
    ) -> Result<Self, StoreError> {
        let account = AccountKey::generate(rng);
        let mut device = [0; DeviceId::SIZE];
        rng.fill_bytes(&mut device);
        let leaf = SignatureKeyPair::new(SUITE.signature_algorithm())
            .expect("the suite's signature scheme is one that this crypto has");
        let certificate = certify(&account, DeviceId(device), leaf.public(), now);
        let me = Self {
            account,
            certificate,
            leaf,
            profile,
            tells_busy: yes(),
        };
        me.save(txn)?;
        Ok(me)
    }

    pub fn load(txn: &mut dyn Txn, now: Now) -> Result<Option<Self>, StoreError> {
        let Some(mut stored) = record::read::<Stored>(txn, Space::Identity, KEY)? else {
            return Ok(None);
        };
        let secret = Zeroizing::new(stored.account.0.clone());
        stored.account.0.zeroize();
        let secret: &[u8; 32] = secret
            .as_slice()
            .try_into()
            .map_err(|_| StoreError::Damaged)?;
        let account = AccountKey::from_secret(secret).map_err(|_| StoreError::Damaged)?;
        let (certificate, leaf, profile) = (stored.certificate, stored.leaf, stored.profile);
        let mut me = Self {
            account,
            certificate,
            leaf,
            profile,
            tells_busy: stored.tells_busy,
        };
        me.renew(txn, now)?;
        Ok(Some(me))
    }

    /// Vouches for this device anew where its certificate ends soon, or begins
    /// only later: it was made by a clock that ran ahead.
    pub fn renew(&mut self, txn: &mut dyn Txn, now: Now) -> Result<(), StoreError> {
        let ends = self.certificate.not_after < now.wall.saturating_add(RENEW_BEFORE);
        if !ends && self.certificate.not_before <= now.wall {
            return Ok(());
        }
        self.certificate = certify(&self.account, self.device(), self.leaf.public(), now);
        self.save(txn)
    }

    pub fn save(&self, txn: &mut dyn Txn) -> Result<(), StoreError> {
        let mut storing = Storing {
            account: Bytes(self.account.secret().to_vec()),
            certificate: &self.certificate,
            leaf: &self.leaf,
            profile: &self.profile,
            tells_busy: self.tells_busy,
        };
        let written = record::write(txn, Space::Identity, KEY, &storing);
        storing.account.0.zeroize();
        written
    }

    pub fn user(&self) -> UserId {
        self.account.user()
    }

    pub fn device(&self) -> DeviceId {
        self.certificate.device
    }

    pub fn account(&self) -> PublicKey {
        self.account.public()
    }

    /// For what the account signs besides certificates.
    pub fn account_key(&self) -> &AccountKey {
        &self.account
    }

    pub fn vouched(&self) -> Vouched {
        check_certificate(&self.certificate).expect("the own certificate was made here")
    }

    /// `made` goes into the leaves that are made with it.
    pub fn signer(&self, made: Millis) -> Signer<'_> {
        Signer {
            keys: &self.leaf,
            certificate: &self.certificate,
            profile: &self.profile,
            made,
        }
    }

    /// Vouches for the key of an invite of one's own.
    pub fn vouch(&self, terms: &Terms<'_>, key: &PublicKey) -> [u8; 64] {
        terms.sign(&self.account, key)
    }

    pub fn sign_in(&self, audience: &str, challenge: &[u8]) -> (DeviceCertificate, Bytes) {
        let signature = sign_in(&self.account, &self.certificate, audience, challenge);
        (self.certificate.clone(), signature)
    }
}

fn yes() -> bool {
    true
}

fn certify(account: &AccountKey, device: DeviceId, leaf: &[u8], now: Now) -> DeviceCertificate {
    let leaf: &[u8; 32] = leaf.try_into().expect("an Ed25519 key is 32 bytes");
    let from = now.wall.saturating_sub(SLACK);
    issue_certificate(account, device, leaf, from, now.wall.saturating_add(VALID))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;
    use rand_core::SeedableRng as _;

    const TODAY: Millis = 1_700_000_000_000;

    fn at(wall: Millis) -> Now {
        Now { wall, mono: 0 }
    }

    /// Made at one time, loaded at another: whether the certificate holds
    /// then, and stays what it is from there on.
    #[track_caller]
    fn check(made: Millis, loaded: Millis) {
        let mut store = MemoryStore::default();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut txn = store.begin();
        let me = Me::create(&mut rng, &mut txn, at(made), Profile::default()).unwrap();
        let (user, device) = (me.user(), me.device());
        let me = Me::load(&mut txn, at(loaded)).unwrap().unwrap();
        assert!(me.vouched().holds_at(loaded), "{made} {loaded}");
        assert_eq!((me.user(), me.device()), (user, device));
        let again = Me::load(&mut txn, at(loaded)).unwrap().unwrap();
        assert_eq!(again.certificate, me.certificate, "it was saved");
    }

    #[test]
    fn a_certificate_holds_whatever_clock_it_was_made_by() {
        check(TODAY, TODAY);
        check(TODAY, TODAY + VALID - DAY);
        check(TODAY, TODAY + 2 * VALID);
        // Clocks that ran ahead, and one without a battery.
        check(TODAY + 2 * DAY, TODAY);
        check(TODAY + 2 * VALID, TODAY);
        check(0, TODAY);
        check(TODAY, 0);
        check(Millis::MAX, TODAY);
    }

    #[test]
    fn a_clock_that_is_set_right_while_running_is_enough() {
        let mut store = MemoryStore::default();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut txn = store.begin();
        let ahead = at(TODAY + VALID);
        let mut me = Me::create(&mut rng, &mut txn, ahead, Profile::default()).unwrap();
        me.renew(&mut txn, at(TODAY)).unwrap();
        assert!(me.vouched().holds_at(TODAY));
    }
}
