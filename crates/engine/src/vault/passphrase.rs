//! The passphrase slot: Argon2id (RFC 9106) over what a person types.

use super::{
    slots::{Cost, PassphraseSlot, ProfileId},
    wrap,
};
use crate::secret::{self, Key, Secret};
use argon2::{Algorithm, Argon2, Params, Version};

const KIND: &str = "passphrase";

/// Takes as long as a guess is meant to take: call it where blocking is fine.
pub fn wrap(profile: &ProfileId, passphrase: &Secret, key: &Key) -> PassphraseSlot {
    let (salt, cost) = (secret::random::<16>(), Cost::NOW);
    let under = derive(passphrase, &salt, &cost).expect("our own parameters are sound");
    PassphraseSlot {
        salt: salt.to_vec().into(),
        cost,
        wrapped: wrap::wrap(&under, KIND, profile, key),
    }
}

/// `None` for a wrong passphrase. Blocks like [`wrap`].
pub fn unwrap(profile: &ProfileId, passphrase: &Secret, slot: &PassphraseSlot) -> Option<Key> {
    let under = derive(passphrase, &slot.salt, &slot.cost)?;
    wrap::unwrap(&under, KIND, profile, &slot.wrapped)
}

fn derive(passphrase: &Secret, salt: &[u8], cost: &Cost) -> Option<Key> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).ok()?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let input = passphrase.expose().as_bytes();
    Key::derive(|out| argon.hash_password_into(input, salt, out)).ok()
}
