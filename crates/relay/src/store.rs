//! Where the hub's changes become durable, and bodies are read back from.
//!
//! A store decides nothing. One contract suite runs over both of them.

mod rows;
pub mod sqlite;
mod statements;

pub use crate::hub::memory::MemoryStore;
pub use sqlite::SqliteStore;

use crate::hub::{Change, KeyRef};
use sotto_wire::{Bytes, DeviceId, MessageId, RoomId, Seq, UserId, frame::ChatReceive};

/// Why a store refused, by what an operator can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the data folder can not be written to")]
    NotWritable,
    #[error("the disk is full")]
    DiskFull,
    #[error("another process uses the data folder")]
    Locked,
    #[error("the database is damaged")]
    Corrupt,
    #[error("the database was written by a newer version")]
    NewerVersion,
    #[error("the database failed")]
    Other,
}

#[derive(Debug)]
pub enum Store {
    Memory(MemoryStore),
    Sqlite(SqliteStore),
}

impl Store {
    /// All of `changes` in one transaction, durable when this returns, or
    /// none of them.
    pub async fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.commit(changes),
            Self::Sqlite(store) => store.commit(changes).await,
        }
    }

    /// Every row without its body, in an order to restore a hub from.
    pub async fn load(&mut self) -> Result<Vec<Change>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.load()),
            Self::Sqlite(store) => store.load().await,
        }
    }

    /// As [`MemoryStore::backlog`].
    pub async fn backlog(
        &mut self,
        room: RoomId,
        from: Seq,
        to: Seq,
        bytes: usize,
    ) -> Result<Vec<ChatReceive>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.backlog(room, from, to, bytes)),
            Self::Sqlite(store) => store.backlog(room, from, to, bytes).await,
        }
    }

    pub async fn knock(
        &mut self,
        room: RoomId,
        from: UserId,
        knock: MessageId,
    ) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.knock(room, from, knock)),
            Self::Sqlite(store) => store.knock(room, from, knock).await,
        }
    }

    pub async fn direct(
        &mut self,
        to: UserId,
        from: UserId,
        id: MessageId,
    ) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.direct(to, from, id)),
            Self::Sqlite(store) => store.direct(to, from, id).await,
        }
    }

    pub async fn key(
        &mut self,
        user: UserId,
        device: DeviceId,
        key: KeyRef,
    ) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.key(user, device, key)),
            Self::Sqlite(store) => store.key(user, device, key).await,
        }
    }

    /// Nothing is left to write; a file may be copied after this.
    pub async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Sqlite(store) => store.close().await,
        }
    }
}

#[cfg(test)]
mod tests;
