//! One key wrapped under another: AES-256-GCM with a random nonce, bound to
//! the kind of slot and the profile.

use super::slots::{ProfileId, Wrapped};
use crate::secret::{self, Key};
use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use sotto_wire::auth::Transcript;
use zeroize::Zeroizing;

/// `kind` keeps a slot of one kind from being read as another.
pub fn wrap(under: &Key, kind: &str, profile: &ProfileId, key: &Key) -> Wrapped {
    let nonce: [u8; 12] = secret::random();
    let aad = aad(kind, profile);
    let sealed = Aes256Gcm::new(under.expose().into())
        .encrypt(
            &Nonce::<Aes256Gcm>::from(nonce),
            Payload {
                msg: key.expose(),
                aad: &aad,
            },
        )
        .expect("32 bytes are far below AES-GCM's limit");
    Wrapped {
        nonce: nonce.to_vec().into(),
        key: sealed.into(),
    }
}

/// `None` if `under` is not the key it was wrapped under, or anything was
/// changed.
pub fn unwrap(under: &Key, kind: &str, profile: &ProfileId, wrapped: &Wrapped) -> Option<Key> {
    let nonce: [u8; 12] = wrapped.nonce[..].try_into().ok()?;
    let aad = aad(kind, profile);
    let key = Aes256Gcm::new(under.expose().into())
        .decrypt(
            &Nonce::<Aes256Gcm>::from(nonce),
            Payload {
                msg: &wrapped.key,
                aad: &aad,
            },
        )
        .ok()?;
    Key::from_slice(&Zeroizing::new(key))
}

fn aad(kind: &str, profile: &ProfileId) -> Vec<u8> {
    let mut aad = Transcript::new("sotto v1 key slot");
    aad.field(kind.as_bytes());
    aad.field(profile);
    aad.finish()
}
