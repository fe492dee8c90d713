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
}

/// As stored. The account secret is wiped as soon as it is a key.
#[derive(Serialize, Deserialize)]
struct Stored {
    account: Bytes,
    certificate: DeviceCertificate,
    leaf: SignatureKeyPair,
    profile: Profile,
}

#[derive(Serialize)]
struct Storing<'a> {
    account: Bytes,
    certificate: &'a DeviceCertificate,
    leaf: &'a SignatureKeyPair,
    profile: &'a Profile,
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
        };
        if me.certificate.not_after < now.wall.saturating_add(RENEW_BEFORE) {
            me.certificate = certify(&me.account, me.device(), me.leaf.public(), now);
            me.save(txn)?;
        }
        Ok(Some(me))
    }

    pub fn save(&self, txn: &mut dyn Txn) -> Result<(), StoreError> {
        let mut storing = Storing {
            account: Bytes(self.account.secret().to_vec()),
            certificate: &self.certificate,
            leaf: &self.leaf,
            profile: &self.profile,
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

fn certify(account: &AccountKey, device: DeviceId, leaf: &[u8], now: Now) -> DeviceCertificate {
    let leaf: &[u8; 32] = leaf.try_into().expect("an Ed25519 key is 32 bytes");
    let from = now.wall.saturating_sub(SLACK);
    issue_certificate(account, device, leaf, from, now.wall + VALID)
}
