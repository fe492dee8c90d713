//! One SQLite file, one connection, one writer.
//!
//! WAL with `synchronous = FULL`: a commit is on the disk, not only in the
//! operating system's memory, when it returns. That costs one flush a message
//! and is what lets an ack be believed after a power cut.

use super::{
    StoreError,
    rows::{self, id},
    statements,
};
use crate::hub::{Change, KeyRef};
use futures_util::TryStreamExt as _;
use sotto_wire::{Bytes, DeviceId, MessageId, RoomId, Seq, UserId, frame::ChatReceive};
use sqlx::{
    Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// Waiting for another process's lock longer would keep everyone waiting.
const BUSY: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct SqliteStore {
    db: SqliteConnection,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) => {
                let code = inner
                    .code()
                    .and_then(|code| code.parse::<u32>().ok())
                    .unwrap_or(0);
                // The lower byte is the primary code: https://sqlite.org/rescode.html
                match code & 0xff {
                    5 | 6 => Self::Locked,
                    8 | 14 => Self::NotWritable,
                    11 | 26 => Self::Corrupt,
                    13 => Self::DiskFull,
                    _ => Self::Other,
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt,
            sqlx::Error::Io(_) => Self::NotWritable,
            _ => Self::Other,
        }
    }
}

impl SqliteStore {
    /// Opens or makes the database at `file` and brings it up to date.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .row_buffer_size(4);
        let mut db = SqliteConnection::connect_with(&options).await?;
        sqlx::migrate!("./migrations")
            .run(&mut db)
            .await
            .map_err(|error| match error {
                sqlx::migrate::MigrateError::Execute(error) => error.into(),
                sqlx::migrate::MigrateError::VersionMissing(_)
                | sqlx::migrate::MigrateError::VersionMismatch(_)
                | sqlx::migrate::MigrateError::VersionTooNew(..) => StoreError::NewerVersion,
                _ => StoreError::Other,
            })?;
        Ok(Self { db })
    }

    pub async fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        // IMMEDIATE: a lock that is held elsewhere is met here, not half-way.
        let mut transaction = self.db.begin_with("BEGIN IMMEDIATE").await?;
        for change in changes {
            statements::perform(&mut transaction, change).await?;
        }
        Ok(transaction.commit().await?)
    }

    pub async fn load(&mut self) -> Result<Vec<Change>, StoreError> {
        rows::load(&mut self.db).await
    }

    pub async fn backlog(
        &mut self,
        room: RoomId,
        from: Seq,
        to: Seq,
        bytes: usize,
    ) -> Result<Vec<ChatReceive>, StoreError> {
        let mut rows = sqlx::query(
            "SELECT seq, id, user, device, kind, at, body FROM message
             WHERE room = ? AND seq BETWEEN ? AND ? ORDER BY seq",
        )
        .bind(room.0.to_vec())
        .bind(statements::int(from))
        .bind(statements::int(to))
        .fetch(&mut self.db);
        let mut out = Vec::new();
        let mut taken = 0;
        while taken < bytes {
            let Some(row) = rows.try_next().await? else {
                break;
            };
            let body: Vec<u8> = row.try_get("body")?;
            taken += body.len();
            out.push(ChatReceive {
                room,
                seq: rows::num(&row, "seq")?,
                id: MessageId(id(&row, "id")?),
                from: UserId(id(&row, "user")?),
                device: DeviceId(id(&row, "device")?),
                kind: rows::kind(row.try_get("kind")?)?,
                body: body.into(),
                at: rows::num(&row, "at")?,
            });
        }
        Ok(out)
    }

    pub async fn knock(
        &mut self,
        room: RoomId,
        from: UserId,
        knock: MessageId,
    ) -> Result<Option<Bytes>, StoreError> {
        let query = sqlx::query("SELECT body FROM knock WHERE room = ? AND user = ? AND id = ?")
            .bind(room.0.to_vec())
            .bind(from.0.to_vec())
            .bind(knock.0.to_vec());
        body(query.fetch_optional(&mut self.db).await?)
    }

    pub async fn direct(
        &mut self,
        to: UserId,
        from: UserId,
        id: MessageId,
    ) -> Result<Option<Bytes>, StoreError> {
        let query = sqlx::query(
            "SELECT body FROM direct
             WHERE recipient = ? AND sender = ? AND id = ? AND body IS NOT NULL",
        )
        .bind(to.0.to_vec())
        .bind(from.0.to_vec())
        .bind(id.0.to_vec());
        body(query.fetch_optional(&mut self.db).await?)
    }

    pub async fn key(
        &mut self,
        user: UserId,
        device: DeviceId,
        key: KeyRef,
    ) -> Result<Option<Bytes>, StoreError> {
        let query = match key {
            KeyRef::OneTime(number) => sqlx::query(
                "SELECT body FROM key_package WHERE user = ? AND device = ? AND number = ?",
            )
            .bind(user.0.to_vec())
            .bind(device.0.to_vec())
            .bind(statements::int(number)),
            KeyRef::LastResort => {
                sqlx::query("SELECT body FROM last_resort WHERE user = ? AND device = ?")
                    .bind(user.0.to_vec())
                    .bind(device.0.to_vec())
            }
        };
        body(query.fetch_optional(&mut self.db).await?)
    }

    /// As if the disk had hardly any room left.
    #[cfg(test)]
    pub async fn limit_pages(&mut self) {
        sqlx::query("PRAGMA max_page_count = 60")
            .execute(&mut self.db)
            .await
            .unwrap();
    }

    /// Moves the write-ahead log into the file and lets go of it.
    pub async fn close(mut self) -> Result<(), StoreError> {
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut self.db)
            .await?;
        Ok(self.db.close().await?)
    }
}

fn body(row: Option<sqlx::sqlite::SqliteRow>) -> Result<Option<Bytes>, StoreError> {
    match row {
        Some(row) => Ok(Some(Bytes(row.try_get("body")?))),
        None => Ok(None),
    }
}
