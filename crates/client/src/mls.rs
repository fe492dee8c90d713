//! MLS groups (RFC 9420) as Sotto uses them, over OpenMLS: one suite, private
//! messages only, no external commits, no proposals by reference.
//!
//! This module knows how to make and read MLS objects. Who may do what in a
//! room is decided in [`crate::room`].

pub(crate) mod group;
pub(crate) mod leaf;
pub(crate) mod provider;
pub(crate) mod storage;

use crate::store::StoreError;
use provider::Provider;

/// What an MLS operation can end in, besides success.
#[derive(Debug)]
pub(crate) enum MlsError {
    Store(StoreError),
    /// OpenMLS refused: the input is malformed, forged, replayed or not for
    /// this epoch. Nothing was merged.
    Refused,
}

impl From<StoreError> for MlsError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Tells a failed disk from refused input. OpenMLS wraps storage errors in
/// many types, so the storage itself remembers the first.
fn settle<T, E>(provider: &Provider<'_>, result: Result<T, E>) -> Result<T, MlsError> {
    match provider.take_failure() {
        Some(error) => Err(MlsError::Store(error)),
        None => result.map_err(|_| MlsError::Refused),
    }
}
