//! The encrypted store: one SQLCipher database that holds everything a client
//! keeps, one connection, one process.
//!
//! Durability is SQLite's: WAL with a flush at every commit, so that what was
//! committed survives a power cut. The database is held exclusively while it
//! is open. This module knows nothing of what the records mean, and nothing of
//! where the key comes from.

mod schema;
mod txn;

#[cfg(test)]
mod tests;

pub use txn::StoreTxn;

use crate::secret::Key;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sotto_client::StoreError;
use std::{fs, io, path::Path};
use zeroize::Zeroizing;

/// How long to wait for another process that holds the database.
const BUSY_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// An open database.
pub struct Store {
    connection: Connection,
}

/// Why a database does not open.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    #[error("a newer version of the program wrote this database")]
    NewerVersion,
    #[error("the database cannot be written here")]
    NotWritable,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Opens the database, or makes it, and brings it to this version's
    /// tables. A database of a newer version is not touched.
    ///
    /// A wrong key is [`StoreError::Damaged`]: nothing in the file tells the
    /// two apart.
    pub fn open(path: &Path, key: &Key) -> Result<Self, StoreOpenError> {
        create_private(path).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StoreOpenError::Store(StoreError::Full)
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StoreOpenError::NotWritable
            }
            _ => StoreOpenError::Store(StoreError::Io),
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(opening)?;
        unlock(&connection, key).map_err(opening)?;
        let mut store = Self { connection };
        schema::migrate(&mut store.connection)?;
        Ok(store)
    }

    /// Begins a transaction. Dropped without [`StoreTxn::commit`], it never
    /// happened.
    pub fn begin(&mut self) -> Result<StoreTxn<'_>, StoreError> {
        self.connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map(StoreTxn::new)
            .map_err(failed)
    }

    /// Writes and removes as much as one large input may need, to find out
    /// whether the disk takes it.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        const ROOM: usize = 256 * 1024;
        let insert =
            "INSERT OR REPLACE INTO record (space, key, value) VALUES (0, x'00', zeroblob(?1))";
        self.connection
            .execute(insert, [ROOM as i64])
            .map_err(failed)?;
        self.connection
            .execute("DELETE FROM record WHERE space = 0", [])
            .map_err(failed)?;
        Ok(())
    }

    /// Folds the write-ahead log into the database and closes it.
    pub fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| failed(error))
    }

    /// Makes the disk look full: no page more than there is now.
    #[cfg(test)]
    pub(crate) fn fill_disk(&mut self, full: bool) {
        let pages: i64 = self
            .connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        let pages = if full { pages } else { i64::from(u32::MAX) - 1 };
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .unwrap();
    }
}

fn unlock(connection: &Connection, key: &Key) -> rusqlite::Result<()> {
    // Failures are told by their codes; nothing is to be written to stderr.
    connection.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    let mut pragma = Zeroizing::new(String::with_capacity(96));
    pragma.push_str("PRAGMA key = \"x'");
    pragma.push_str(&key.hex());
    pragma.push_str("'\"");
    connection.execute_batch(&pragma)?;
    connection.busy_timeout(BUSY_WAIT)?;
    // Exclusive before WAL: the index of the log then lies in memory instead
    // of a third file, and nobody else can read or write in between.
    // SQLCipher wipes its own key material in any case; `cipher_memory_security`
    // would also lock and wipe every page, which costs more than it hides:
    // the decrypted messages are in this process's memory anyway.
    // A cache of 512 KiB: what is read often is little, and the rest would only
    // lie there.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -512;
         PRAGMA trusted_schema = OFF;
         BEGIN IMMEDIATE;
         SELECT count(*) FROM sqlite_schema;
         COMMIT;",
    )
}

/// The file with rights for its owner only; SQLite gives its log the same.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn opening(error: rusqlite::Error) -> StoreOpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreOpenError::NotWritable
        }
        _ => StoreOpenError::Store(failed(error)),
    }
}

/// What a failure of SQLite means to a client.
fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged,
        Some(_) => StoreError::Io,
        // Rusqlite's own errors: a column of another type than was written.
        None => StoreError::Damaged,
    }
}
