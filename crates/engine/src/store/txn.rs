//! One transaction over the two tables, as the client asks for it.

use super::failed;
use rusqlite::{OptionalExtension, Row as SqlRow, Transaction, params};
use sotto_client::{
    StoreError, Txn,
    store::{Record, Row, Space},
};
use sotto_wire::{MessageId, RoomId};

/// A transaction of the encrypted store.
pub struct StoreTxn<'a> {
    txn: Transaction<'a>,
}

impl<'a> StoreTxn<'a> {
    pub(super) fn new(txn: Transaction<'a>) -> Self {
        Self { txn }
    }

    /// Makes it durable. On an error nothing of it happened.
    pub fn commit(self) -> Result<(), StoreError> {
        self.txn.commit().map_err(failed)
    }

    fn write(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
        let mut statement = self.txn.prepare_cached(sql).map_err(failed)?;
        statement.execute(values).map(drop).map_err(failed)
    }

    fn read<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        each: impl FnMut(&SqlRow<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.txn.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(values, each).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }
}

impl Txn for StoreTxn<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut statement = self
            .txn
            .prepare_cached("SELECT value FROM record WHERE space = ?1 AND key = ?2")
            .map_err(failed)?;
        statement
            .query_row(params![space as u8, key], |row| row.get(0))
            .optional()
            .map_err(failed)
    }

    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO record (space, key, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
            params![space as u8, key, value],
        )
    }

    fn delete(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM record WHERE space = ?1 AND key = ?2",
            params![space as u8, key],
        )
    }

    fn scan(&self, space: Space, prefix: &[u8]) -> Result<Vec<Record>, StoreError> {
        let each = |row: &SqlRow<'_>| Ok((row.get(0)?, row.get(1)?));
        match after(prefix) {
            Some(end) => self.read(
                "SELECT key, value FROM record
                 WHERE space = ?1 AND key >= ?2 AND key < ?3 ORDER BY key",
                params![space as u8, prefix, end],
                each,
            ),
            None => self.read(
                "SELECT key, value FROM record WHERE space = ?1 AND key >= ?2 ORDER BY key",
                params![space as u8, prefix],
                each,
            ),
        }
    }

    fn put_row(&mut self, row: &Row) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO timeline (room, position, id, counts, item) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (room, id) DO UPDATE SET
                position = excluded.position, counts = excluded.counts, item = excluded.item",
            params![
                row.room.as_bytes(),
                number(row.position),
                row.id.as_bytes(),
                row.counts,
                row.item
            ],
        )
    }

    fn delete_row(&mut self, room: &RoomId, id: &MessageId) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM timeline WHERE room = ?1 AND id = ?2",
            params![room.as_bytes(), id.as_bytes()],
        )
    }

    fn row(&self, room: &RoomId, id: &MessageId) -> Result<Option<Row>, StoreError> {
        let found = self.read(
            "SELECT room, position, id, counts, item FROM timeline WHERE room = ?1 AND id = ?2",
            params![room.as_bytes(), id.as_bytes()],
            row,
        )?;
        Ok(found.into_iter().next())
    }

    fn rows(
        &self,
        room: &RoomId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = self.read(
            "SELECT room, position, id, counts, item FROM timeline
             WHERE room = ?1 AND position < ?2 ORDER BY position DESC, id DESC LIMIT ?3",
            params![
                room.as_bytes(),
                before.map_or(i64::MAX, number),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            row,
        )?;
        rows.reverse();
        Ok(rows)
    }

    fn unread(&self, room: &RoomId, after: u64) -> Result<u32, StoreError> {
        let mut statement = self
            .txn
            .prepare_cached(
                "SELECT count(*) FROM timeline WHERE room = ?1 AND position > ?2 AND counts = 1",
            )
            .map_err(failed)?;
        statement
            .query_row(params![room.as_bytes(), number(after)], |row| row.get(0))
            .map_err(failed)
    }

    fn delete_rows(&mut self, room: &RoomId) -> Result<(), StoreError> {
        self.write(
            "DELETE FROM timeline WHERE room = ?1",
            params![room.as_bytes()],
        )
    }
}

fn row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        room: RoomId(row.get(0)?),
        position: row.get::<_, i64>(1)?.unsigned_abs(),
        id: MessageId(row.get(2)?),
        counts: row.get(3)?,
        item: row.get(4)?,
    })
}

/// Positions lie below 2^53; whatever does not is past the end.
fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// The smallest key above all that start with `prefix`; `None` if there is
/// none.
fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}
