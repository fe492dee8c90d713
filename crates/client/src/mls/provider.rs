//! What OpenMLS is handed for one transaction: cryptography, randomness and
//! storage. It decides nothing but the cipher suite.

use super::storage::MlsStorage;
use crate::{
    identity::{Vouched, check_certificate, decode_certificate},
    store::{StoreError, Txn},
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::{OpenMlsProvider, types::Ciphersuite};
use std::{cell::RefCell, collections::HashMap};

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
}

/// Certificates to remember; then all are judged anew.
const VOUCHED_MAX: usize = 10_000;

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
