//! The storage that a client is handed for one transaction.
//!
//! Everything a client keeps lies in two places: small records under a key in
//! a [`Space`], and timeline rows. OpenMLS's own storage is one of the spaces,
//! so that group state and the messages it decrypted are committed together
//! or not at all. [`contract`] is what every store must pass.

use sotto_wire::{MessageId, RoomId, Seq};

pub mod contract;
pub mod memory;

/// The disk failed: nothing of the transaction happened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the disk is full")]
    Full,
    #[error("the database is locked by another process")]
    Locked,
    #[error("the database is damaged or written by another version")]
    Damaged,
    #[error("the disk failed")]
    Io,
}

/// A kind of record. The number is what a store on disk keeps: never reuse
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// Account, device and profile in one record, privacy in another.
    Identity = 1,
    /// One record a relay.
    Relay = 2,
    /// One record a room.
    Room = 3,
    /// OpenMLS.
    Mls = 4,
    /// What waits to be accepted by a relay, by room and order.
    Outbox = 5,
    /// Direct messages that wait to be accepted by a relay.
    Direct = 6,
    /// Knocks that wait for an answer, by room.
    Knock = 7,
    /// What is known of people, verified or not.
    Person = 8,
    /// The app's own settings; the client never reads them.
    Setting = 9,
}

impl Space {
    pub const ALL: [Self; 9] = [
        Self::Identity,
        Self::Relay,
        Self::Room,
        Self::Mls,
        Self::Outbox,
        Self::Direct,
        Self::Knock,
        Self::Person,
        Self::Setting,
    ];
}

/// A timeline row. The store orders by (room, position) and finds by
/// (room, id); it does not look into `item`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub room: RoomId,
    pub position: u64,
    pub id: MessageId,
    /// Whether it counts as unread until read.
    pub counts: bool,
    /// The [`crate::model::Item`], serialized.
    pub item: Vec<u8>,
}

/// One transaction. Reads see the writes before them. What is not committed by
/// whoever handed it out never happened.
pub trait Txn {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError>;
    /// Deleting what is not there is fine.
    fn delete(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError>;
    /// All records whose key starts with `prefix`, by key.
    fn scan(&self, space: Space, prefix: &[u8]) -> Result<Vec<Record>, StoreError>;

    /// Writes a row; a row of the same (room, id) is replaced, wherever it was.
    fn put_row(&mut self, row: &Row) -> Result<(), StoreError>;
    fn delete_row(&mut self, room: &RoomId, id: &MessageId) -> Result<(), StoreError>;
    fn row(&self, room: &RoomId, id: &MessageId) -> Result<Option<Row>, StoreError>;
    /// At most `limit` rows before `before` (or the newest), oldest first.
    fn rows(
        &self,
        room: &RoomId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;
    /// How many rows after this position count as unread.
    fn unread(&self, room: &RoomId, after: u64) -> Result<u32, StoreError>;
    /// Drops all rows of a room.
    fn delete_rows(&mut self, room: &RoomId) -> Result<(), StoreError>;
}

/// Key and value of one record.
pub type Record = (Vec<u8>, Vec<u8>);

/// Where an accepted message stands in its timeline. `line` tells several
/// lines of one `seq` apart: a commit can say more than one thing.
pub fn position(seq: Seq, line: u16) -> u64 {
    debug_assert!(line < LINES as u16);
    seq * LINES + u64::from(line) % LINES
}

/// Where something that waits to be accepted stands: after everything else.
pub fn pending_position(order: u64) -> u64 {
    PENDING + order
}

/// The `seq` behind a position; `None` for what is pending.
pub fn seq_of(position: u64) -> Option<Seq> {
    (position < PENDING).then_some(position / LINES)
}

/// The last seq that has positions.
pub const SEQ_MAX: Seq = PENDING / LINES - 1;

/// Lines of one seq.
const LINES: u64 = 1024;
/// Positions from here on are pending. Below 2^53, so that JavaScript can
/// hold them.
const PENDING: u64 = 1 << 52;
