//! What this person wants others to learn as little of as can be: kept with
//! the client, since it decides by it.

use crate::{
    model::Privacy,
    room::record,
    store::{Space, StoreError, Txn},
};

const KEY: &[u8] = b"privacy";

pub(super) fn load(txn: &dyn Txn) -> Result<Privacy, StoreError> {
    Ok(record::read(txn, Space::Identity, KEY)?.unwrap_or_default())
}

pub(super) fn save(txn: &mut dyn Txn, privacy: &Privacy) -> Result<(), StoreError> {
    record::write(txn, Space::Identity, KEY, privacy)
}
