//! What is kept of a relay on the disk.

use crate::{
    room::record,
    store::{Space, StoreError, Txn},
};
use serde::{Deserialize, Serialize};
use sotto_wire::{RelayAddress, frame::Token};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    pub address: RelayAddress,
    /// What invite links name instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<RelayAddress>,
    /// For the first sign-in; gone when that has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Token>,
}

impl Stored {
    pub fn write(&self, txn: &mut dyn Txn) -> Result<(), StoreError> {
        let key = self.address.to_string();
        record::write(txn, Space::Relay, key.as_bytes(), self)
    }
}
