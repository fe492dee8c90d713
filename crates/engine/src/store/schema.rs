//! The tables, and how older databases become newer ones.

use super::{StoreOpenError, failed};
use rusqlite::Connection;

/// Version of the tables, kept in `user_version`.
pub const SCHEMA: i64 = 1;

/// Step `n` makes version `n + 1` out of version `n`. Never change a step that
/// was released: add one.
const STEPS: [&str; SCHEMA as usize] = ["
    CREATE TABLE record (
        space INTEGER NOT NULL,
        key   BLOB NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (space, key)
    ) WITHOUT ROWID, STRICT;

    -- A plain index, not a key: two rows may stand at one position for the
    -- time of a transaction, when something pending finds its place.
    CREATE TABLE timeline (
        room     BLOB NOT NULL,
        position INTEGER NOT NULL,
        id       BLOB NOT NULL,
        counts   INTEGER NOT NULL,
        item     BLOB NOT NULL,
        PRIMARY KEY (room, id)
    ) STRICT;
    CREATE INDEX timeline_order ON timeline (room, position);
    CREATE INDEX timeline_unread ON timeline (room, position) WHERE counts = 1;
"];

/// Brings the tables up to [`SCHEMA`], each step in one transaction.
pub fn migrate(connection: &mut Connection) -> Result<(), StoreOpenError> {
    let found = version(connection)?;
    if found > SCHEMA {
        return Err(StoreOpenError::NewerVersion);
    }
    for step in found..SCHEMA {
        run(connection, step).map_err(failed)?;
        tracing::info!(version = step + 1, "database brought up to date");
    }
    Ok(())
}

fn run(connection: &mut Connection, step: i64) -> rusqlite::Result<()> {
    let txn = connection.transaction()?;
    txn.execute_batch(STEPS[step as usize])?;
    txn.pragma_update(None, "user_version", step + 1)?;
    txn.commit()
}

fn version(connection: &Connection) -> Result<i64, StoreOpenError> {
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    // Only damage or another program writes a negative one.
    if version < 0 {
        Err(StoreOpenError::Store(sotto_client::StoreError::Damaged))
    } else {
        Ok(version)
    }
}
