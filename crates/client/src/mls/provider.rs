//! What OpenMLS is handed for one transaction: cryptography, randomness and
//! storage. It decides nothing but the cipher suite.

use super::storage::MlsStorage;
use crate::{
    identity::{Vouched, check_certificate, decode_certificate},
    store::{StoreError, Txn},
};
use openmls::prelude::KeyPackage;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{OpenMlsProvider, types::Ciphersuite};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

/// The suite of every room made here: X25519 with ML-KEM-768 for key
/// agreement, AES-256-GCM for messages, Ed25519 for leaves.
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// Cryptography that outlives a transaction.
#[derive(Default)]
pub struct Crypto {
    rust: RustCrypto,
    /// Certificates that were judged and hold. A signature takes long to check,
    /// and every commit looks at every member's.
    vouched: RefCell<HashMap<Vec<u8>, Vouched>>,
    /// Key packages whose signatures hold: each is read when its owner knocks,
    /// and again when they are let in.
    packages: RefCell<HashMap<Vec<u8>, KeyPackage>>,
    /// Other signed words that hold, such as an invite's, which every knock by
    /// it refers to.
    signed: RefCell<HashSet<Vec<u8>>>,
}

/// Certificates to remember; then all are judged anew.
const VOUCHED_MAX: usize = 10_000;
/// The same of key packages and other words, of which few are waited for.
const WAITING_MAX: usize = 128;

impl Crypto {
    /// Whether `judge` holds this to be true, now or before. `words` are all
    /// that it looks at: keys, what was signed, and the signature.
    pub fn holds(&self, words: Vec<u8>, judge: impl FnOnce() -> bool) -> bool {
        if self.signed.borrow().contains(&words) {
            return true;
        }
        let holds = judge();
        if holds {
            let mut known = self.signed.borrow_mut();
            if known.len() >= WAITING_MAX {
                known.clear();
            }
            known.insert(words);
        }
        holds
    }
}

/// OpenMLS's view of one transaction.
pub struct Provider<'t> {
    crypto: &'t Crypto,
    storage: MlsStorage<'t>,
}

impl<'t> Provider<'t> {
    pub fn new(crypto: &'t Crypto, txn: &'t mut dyn Txn) -> Self {
        Self {
            crypto,
            storage: MlsStorage::new(txn),
        }
    }

    /// Judges a device certificate in its encoded form.
    pub fn vouched(&self, certificate: &[u8]) -> Option<Vouched> {
        if let Some(vouched) = self.crypto.vouched.borrow().get(certificate) {
            return Some(vouched.clone());
        }
        let vouched = check_certificate(&decode_certificate(certificate).ok()?).ok()?;
        let mut known = self.crypto.vouched.borrow_mut();
        if known.len() >= VOUCHED_MAX {
            known.clear();
        }
        known.insert(certificate.to_vec(), vouched.clone());
        Some(vouched)
    }

    /// Reads a key package that `judge` takes, or took before. What time changes
    /// is not judged here.
    pub fn package(
        &self,
        bytes: &[u8],
        judge: impl FnOnce(&[u8]) -> Option<KeyPackage>,
    ) -> Option<KeyPackage> {
        if let Some(package) = self.crypto.packages.borrow().get(bytes) {
            return Some(package.clone());
        }
        let package = judge(bytes)?;
        let mut known = self.crypto.packages.borrow_mut();
        if known.len() >= WAITING_MAX {
            known.clear();
        }
        known.insert(bytes.to_vec(), package.clone());
        Some(package)
    }

    /// What failed first on the disk, if anything did. OpenMLS buries it in
    /// errors of its own, so ask here before reading one of those as a verdict
    /// on what a peer sent.
    pub fn take_failure(&self) -> Option<StoreError> {
        self.storage.take_failure()
    }
}

impl<'t> OpenMlsProvider for Provider<'t> {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = MlsStorage<'t>;

    fn storage(&self) -> &MlsStorage<'t> {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto.rust
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto.rust
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_is_remembered_and_not_without_end() {
        let crypto = Crypto::default();
        let judged = |words: &[u8], verdict| {
            let mut asked = false;
            let holds = crypto.holds(words.to_vec(), || {
                asked = true;
                verdict
            });
            (holds, asked)
        };
        assert_eq!(judged(b"forged", false), (false, true));
        assert_eq!(judged(b"forged", false), (false, true));
        assert_eq!(judged(b"signed", true), (true, true));
        assert_eq!(judged(b"signed", false), (true, false));
        for number in 0..WAITING_MAX {
            judged(&number.to_be_bytes(), true);
        }
        assert!(crypto.signed.borrow().len() <= WAITING_MAX);
    }
}
