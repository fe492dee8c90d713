//! A store that lives in memory: for tests, simulations and trials without a
//! disk. A transaction is an overlay that costs what it changes, not what the
//! store holds.
//!
//! It fails when told to, so that a simulator can take the disk away at any
//! moment.

use super::{Record, Row, Space, StoreError, Txn};
use sotto_wire::{MessageId, RoomId};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

#[derive(Clone, Default)]
pub struct MemoryStore {
    records: BTreeMap<(Space, Vec<u8>), Vec<u8>>,
    rows: Rows,
    fault: Cell<Option<Fault>>,
}

/// What goes wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The next commit.
    Commit,
    /// The access after this many more. It breaks its transaction: nothing
    /// in it works from then on, least of all the commit.
    AccessAfter(u32),
}

impl MemoryStore {
    pub fn begin(&mut self) -> MemoryTxn<'_> {
        MemoryTxn {
            store: self,
            records: BTreeMap::new(),
            rows: Rows::default(),
            hidden: BTreeSet::new(),
            dropped: BTreeSet::new(),
            broken: Cell::new(false),
        }
    }

    /// Makes something fail, once. Replaces what was to fail before.
    pub fn fail(&mut self, fault: Fault) {
        self.fault.set(Some(fault));
    }

    pub fn fail_next_commit(&mut self) {
        self.fail(Fault::Commit);
    }

    /// Whether what was to fail still has not.
    pub fn is_fault_pending(&self) -> bool {
        self.fault.get().is_some()
    }
}

/// Rows by place, and where each is.
#[derive(Clone, Default)]
struct Rows {
    by_place: BTreeMap<Place, Row>,
    places: BTreeMap<(RoomId, MessageId), u64>,
}

type Place = (RoomId, u64, MessageId);

const FIRST_ID: MessageId = MessageId([0; MessageId::SIZE]);
const LAST_ID: MessageId = MessageId([u8::MAX; MessageId::SIZE]);

impl Rows {
    fn put(&mut self, row: Row) {
        self.delete(&row.room, &row.id);
        self.places.insert((row.room, row.id), row.position);
        self.by_place.insert((row.room, row.position, row.id), row);
    }

    fn delete(&mut self, room: &RoomId, id: &MessageId) {
        if let Some(position) = self.places.remove(&(*room, *id)) {
            self.by_place.remove(&(*room, position, *id));
        }
    }

    fn get(&self, room: &RoomId, id: &MessageId) -> Option<&Row> {
        let position = self.places.get(&(*room, *id))?;
        self.by_place.get(&(*room, *position, *id))
    }

    fn delete_room(&mut self, room: &RoomId) {
        let gone: Vec<_> = self
            .range(room, Bound::Unbounded, None)
            .map(|row| row.id)
            .collect();
        for id in gone {
            self.delete(room, &id);
        }
    }

    /// The rows of a room behind `after` and before `before`, oldest first.
    fn range(
        &self,
        room: &RoomId,
        after: Bound<u64>,
        before: Option<u64>,
    ) -> impl DoubleEndedIterator<Item = &Row> {
        let from = match after {
            Bound::Excluded(position) => Bound::Excluded((*room, position, LAST_ID)),
            Bound::Included(position) => Bound::Included((*room, position, FIRST_ID)),
            Bound::Unbounded => Bound::Included((*room, 0, FIRST_ID)),
        };
        let to = match before {
            Some(position) => Bound::Excluded((*room, position, FIRST_ID)),
            None => Bound::Included((*room, u64::MAX, LAST_ID)),
        };
        self.by_place.range((from, to)).map(|(_, row)| row)
    }
}

/// One transaction; dropped without [`Self::commit`], it never happened.
pub struct MemoryTxn<'s> {
    store: &'s mut MemoryStore,
    /// What was written; `None` where it was deleted.
    records: BTreeMap<(Space, Vec<u8>), Option<Vec<u8>>>,
    /// Rows that were written.
    rows: Rows,
    /// Rows of the store that were replaced or deleted.
    hidden: BTreeSet<(RoomId, MessageId)>,
    /// Rooms all of whose rows in the store were deleted.
    dropped: BTreeSet<RoomId>,
    broken: Cell<bool>,
}

impl MemoryTxn<'_> {
    pub fn commit(self) -> Result<(), StoreError> {
        self.access()?;
        if self.store.fault.get() == Some(Fault::Commit) {
            self.store.fault.set(None);
            return Err(StoreError::Io);
        }
        for (key, value) in self.records {
            match value {
                Some(value) => self.store.records.insert(key, value),
                None => self.store.records.remove(&key),
            };
        }
        for room in &self.dropped {
            self.store.rows.delete_room(room);
        }
        for (room, id) in &self.hidden {
            self.store.rows.delete(room, id);
        }
        for row in self.rows.by_place.into_values() {
            self.store.rows.put(row);
        }
        Ok(())
    }

    /// Every method calls this first, and fails when it is time to.
    fn access(&self) -> Result<(), StoreError> {
        match self.store.fault.get() {
            Some(Fault::AccessAfter(0)) => {
                self.store.fault.set(None);
                self.broken.set(true);
            }
            Some(Fault::AccessAfter(left)) => {
                self.store.fault.set(Some(Fault::AccessAfter(left - 1)));
            }
            Some(Fault::Commit) | None => {}
        }
        if self.broken.get() {
            Err(StoreError::Io)
        } else {
            Ok(())
        }
    }

    fn is_hidden(&self, room: &RoomId, id: &MessageId) -> bool {
        self.dropped.contains(room) || self.hidden.contains(&(*room, *id))
    }

    /// Rows of the store that this transaction has not touched.
    fn untouched(
        &self,
        room: &RoomId,
        after: Bound<u64>,
        before: Option<u64>,
    ) -> impl DoubleEndedIterator<Item = &Row> {
        self.store
            .rows
            .range(room, after, before)
            .filter(|row| !self.is_hidden(&row.room, &row.id))
    }
}

impl Txn for MemoryTxn<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.access()?;
        let key = (space, key.to_vec());
        Ok(match self.records.get(&key) {
            Some(written) => written.clone(),
            None => self.store.records.get(&key).cloned(),
        })
    }

    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.access()?;
        self.records
            .insert((space, key.to_vec()), Some(value.to_vec()));
        Ok(())
    }

    fn delete(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        self.access()?;
        self.records.insert((space, key.to_vec()), None);
        Ok(())
    }

    fn scan(&self, space: Space, prefix: &[u8]) -> Result<Vec<Record>, StoreError> {
        self.access()?;
        let from = (space, prefix.to_vec());
        let fits = |key: &(Space, Vec<u8>)| key.0 == space && key.1.starts_with(prefix);
        let mut found: BTreeMap<_, _> = self
            .store
            .records
            .range(from.clone()..)
            .take_while(|(key, _)| fits(key))
            .map(|((_, key), value)| (key, value))
            .collect();
        for ((_, key), value) in self.records.range(from..).take_while(|(key, _)| fits(key)) {
            match value {
                Some(value) => found.insert(key, value),
                None => found.remove(key),
            };
        }
        Ok(found
            .into_iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn put_row(&mut self, row: &Row) -> Result<(), StoreError> {
        self.access()?;
        self.hidden.insert((row.room, row.id));
        self.rows.put(row.clone());
        Ok(())
    }

    fn delete_row(&mut self, room: &RoomId, id: &MessageId) -> Result<(), StoreError> {
        self.access()?;
        self.hidden.insert((*room, *id));
        self.rows.delete(room, id);
        Ok(())
    }

    fn row(&self, room: &RoomId, id: &MessageId) -> Result<Option<Row>, StoreError> {
        self.access()?;
        let stored = || {
            self.store
                .rows
                .get(room, id)
                .filter(|_| !self.is_hidden(room, id))
        };
        Ok(self.rows.get(room, id).or_else(stored).cloned())
    }

    fn rows(
        &self,
        room: &RoomId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.access()?;
        let newest = |rows: &mut dyn Iterator<Item = &Row>| -> Vec<Row> {
            rows.take(limit).cloned().collect()
        };
        let mut found = newest(&mut self.untouched(room, Bound::Unbounded, before).rev());
        found.extend(newest(
            &mut self.rows.range(room, Bound::Unbounded, before).rev(),
        ));
        found.sort_by_key(|row| (row.position, row.id));
        Ok(found.split_off(found.len().saturating_sub(limit)))
    }

    fn unread(&self, room: &RoomId, after: u64) -> Result<u32, StoreError> {
        self.access()?;
        let after = Bound::Excluded(after);
        let counting = self
            .untouched(room, after, None)
            .chain(self.rows.range(room, after, None))
            .filter(|row| row.counts)
            .count();
        Ok(u32::try_from(counting).unwrap_or(u32::MAX))
    }

    fn delete_rows(&mut self, room: &RoomId) -> Result<(), StoreError> {
        self.access()?;
        self.dropped.insert(*room);
        self.rows.delete_room(room);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    impl contract::Store for MemoryStore {
        fn transact(&mut self, body: &mut dyn FnMut(&mut dyn Txn) -> bool) {
            let mut txn = self.begin();
            if body(&mut txn) {
                txn.commit().expect("no fault was asked for");
            }
        }

        fn reopen(&mut self) {
            *self = self.clone();
        }
    }

    #[test]
    fn the_store_in_memory_keeps_the_contract() {
        contract::check(MemoryStore::default);
    }

    fn put(store: &mut MemoryStore, key: &[u8]) -> Result<(), StoreError> {
        let mut txn = store.begin();
        txn.put(Space::Setting, key, b"value")?;
        txn.commit()
    }

    fn has(store: &mut MemoryStore, key: &[u8]) -> bool {
        store.begin().get(Space::Setting, key).unwrap().is_some()
    }

    #[test]
    fn a_commit_that_fails_leaves_nothing_and_the_next_one_works() {
        let mut store = MemoryStore::default();
        store.fail_next_commit();
        assert!(matches!(put(&mut store, b"a"), Err(StoreError::Io)));
        assert!(!has(&mut store, b"a"));
        assert!(!store.is_fault_pending());
        put(&mut store, b"a").unwrap();
        assert!(has(&mut store, b"a"));
    }

    #[test]
    fn a_disk_that_fails_in_the_middle_breaks_the_transaction() {
        let mut store = MemoryStore::default();
        store.fail(Fault::AccessAfter(1));
        let mut txn = store.begin();
        txn.put(Space::Setting, b"a", b"1").unwrap();
        assert!(txn.put(Space::Setting, b"b", b"2").is_err());
        assert!(txn.get(Space::Setting, b"a").is_err());
        assert!(txn.commit().is_err());
        assert!(!has(&mut store, b"a"));
        put(&mut store, b"c").unwrap();
        assert!(has(&mut store, b"c") && !has(&mut store, b"a"));
    }
}
