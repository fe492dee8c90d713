//! Loading all rooms.

use crate::{
    room::{Room, record, record::Record},
    store::{Space, StoreError, Txn},
};
use sotto_wire::RoomId;
use std::collections::BTreeMap;

pub(super) fn load(txn: &dyn Txn) -> Result<BTreeMap<RoomId, Room>, StoreError> {
    let mut rooms = BTreeMap::new();
    for (key, _) in txn.scan(Space::Room, b"")? {
        // A room's own record is under its id; what belongs to it is longer.
        if let Ok(id) = key.try_into().map(RoomId)
            && let Some(record) = Record::load(txn, &id)?
        {
            rooms.insert(id, Room::load(txn, record)?);
        }
    }
    Ok(rooms)
}

/// Removes what the store holds of a room besides its group.
pub(super) fn erase(txn: &mut dyn Txn, id: &RoomId) -> Result<(), StoreError> {
    for space in [Space::Outbox, Space::Knock] {
        for (key, _) in txn.scan(space, id.as_bytes())? {
            txn.delete(space, &key)?;
        }
    }
    txn.delete(Space::Room, &record::pending_key(id))?;
    txn.delete(Space::Room, &record::key_in(id, record::AGREED))?;
    txn.delete(Space::Room, &record::key_in(id, record::CALLS))?;
    txn.delete(Space::Room, id.as_bytes())?;
    txn.delete_rows(id)
}
