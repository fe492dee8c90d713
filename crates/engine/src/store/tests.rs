//! The encrypted store: the contract, migrations, full and broken disks.

use super::{schema::SCHEMA, *};
use rusqlite::params;
use sotto_client::{
    Txn,
    store::{Row, Space, contract},
};
use sotto_wire::{MessageId, RoomId};

fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sotto.db");
    (dir, path)
}

fn row(position: u64) -> Row {
    Row {
        room: RoomId([1; 16]),
        position,
        id: MessageId([position as u8; 16]),
        counts: true,
        item: b"the walls have ears".to_vec(),
    }
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let (_dir, path) = place();
    let key = Key::random();
    let mut store = Store::open(&path, &key).unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Space::Identity, b"k", b"v").unwrap();
    txn.put_row(&row(5)).unwrap();
    txn.commit().unwrap();
    // Dropped without `close`, as a crash would: the log is still beside it.
    drop(store);

    let mut store = Store::open(&path, &key).unwrap();
    let txn = store.begin().unwrap();
    assert_eq!(
        txn.get(Space::Identity, b"k").unwrap().as_deref(),
        Some(&b"v"[..])
    );
    assert_eq!(txn.rows(&RoomId([1; 16]), None, 10).unwrap(), [row(5)]);
}

#[test]
fn what_was_not_committed_never_happened() {
    let (_dir, path) = place();
    let mut store = Store::open(&path, &Key::random()).unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Space::Identity, b"k", b"v").unwrap();
    drop(txn);
    assert_eq!(
        store.begin().unwrap().get(Space::Identity, b"k").unwrap(),
        None
    );
}

#[test]
fn nothing_on_disk_can_be_read() {
    let (dir, path) = place();
    let mut store = Store::open(&path, &Key::random()).unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Space::Person, b"name", b"the walls have ears")
        .unwrap();
    txn.put_row(&row(5)).unwrap();
    txn.commit().unwrap();
    let check = || {
        for file in fs::read_dir(dir.path()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|w| w == text);
            assert!(!holds(b"the walls have ears") && !holds(b"SQLite format 3"));
            assert!(!holds(b"timeline"));
        }
    };
    check();
    store.close().unwrap();
    check();
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, path) = place();
    let mut store = Store::open(&path, &Key::random()).unwrap();
    store.probe().unwrap();
    for file in fs::read_dir(dir.path()).unwrap() {
        assert_eq!(
            file.unwrap().metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[test]
fn a_wrong_key_opens_nothing_and_harms_nothing() {
    let (_dir, path) = place();
    let key = Key::random();
    Store::open(&path, &key).unwrap().close().unwrap();
    let before = fs::read(&path).unwrap();
    let opened = Store::open(&path, &Key::random());
    assert!(matches!(
        opened,
        Err(StoreOpenError::Store(StoreError::Damaged))
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
    Store::open(&path, &key).unwrap();
}

#[test]
fn a_database_of_a_newer_version_is_not_touched() {
    let (_dir, path) = place();
    let key = Key::random();
    let store = Store::open(&path, &key).unwrap();
    store
        .connection
        .pragma_update(None, "user_version", SCHEMA + 1)
        .unwrap();
    store.close().unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(
        Store::open(&path, &key),
        Err(StoreOpenError::NewerVersion)
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_that_another_process_holds_is_locked() {
    let (_dir, path) = place();
    let key = Key::random();
    let _held = Store::open(&path, &key).unwrap();
    // A second connection sees the lock of the first, as another process would.
    assert!(matches!(
        Store::open(&path, &key),
        Err(StoreOpenError::Store(StoreError::Locked))
    ));
}

#[test]
fn a_full_disk_refuses_the_commit_and_keeps_what_was_there() {
    let (_dir, path) = place();
    let mut store = Store::open(&path, &Key::random()).unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Space::Room, b"old", b"kept").unwrap();
    txn.commit().unwrap();

    store.fill_disk(true);
    let mut txn = store.begin().unwrap();
    let written = txn
        .put(Space::Room, b"new", &[7; 100_000])
        .and_then(|()| txn.commit());
    assert!(matches!(written, Err(StoreError::Full)));
    assert!(matches!(store.probe(), Err(StoreError::Full)));
    let txn = store.begin().unwrap();
    assert_eq!(
        txn.get(Space::Room, b"old").unwrap().as_deref(),
        Some(&b"kept"[..])
    );
    assert_eq!(txn.get(Space::Room, b"new").unwrap(), None);
    drop(txn);

    store.fill_disk(false);
    store.probe().unwrap();
    let mut txn = store.begin().unwrap();
    txn.put(Space::Room, b"new", &[7; 100_000]).unwrap();
    txn.commit().unwrap();
}

#[test]
fn a_damaged_file_is_called_damaged() {
    let (_dir, path) = place();
    let key = Key::random();
    let mut store = Store::open(&path, &key).unwrap();
    store.probe().unwrap();
    store.close().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[100..middle] {
        *byte ^= 0xff;
    }
    fs::write(&path, bytes).unwrap();
    assert!(matches!(
        Store::open(&path, &key),
        Err(StoreOpenError::Store(StoreError::Damaged))
    ));
}

#[test]
fn the_disk_s_failures_keep_their_names() {
    let check = |code: i32, expect: &str| {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert_eq!(failed(error).to_string(), expect);
    };
    use rusqlite::ffi;
    check(ffi::SQLITE_FULL, "the disk is full");
    check(
        ffi::SQLITE_BUSY,
        "the database is locked by another process",
    );
    check(
        ffi::SQLITE_CORRUPT,
        "the database is damaged or written by another version",
    );
    check(
        ffi::SQLITE_NOTADB,
        "the database is damaged or written by another version",
    );
    check(ffi::SQLITE_READONLY, "the disk failed");
    check(ffi::SQLITE_IOERR, "the disk failed");
}

/// A store of its own for each run of the suite.
struct Fresh {
    _dir: tempfile::TempDir,
    path: std::path::PathBuf,
    key: Key,
    store: Option<Store>,
}

impl contract::Store for Fresh {
    fn transact(&mut self, body: &mut dyn FnMut(&mut dyn Txn) -> bool) {
        let mut txn = self.store.as_mut().unwrap().begin().unwrap();
        if body(&mut txn) {
            txn.commit().unwrap();
        }
    }

    fn reopen(&mut self) {
        self.store.take().unwrap().close().unwrap();
        self.store = Some(Store::open(&self.path, &self.key).unwrap());
    }
}

#[test]
fn it_is_a_store_as_clients_need_one() {
    contract::check(|| {
        let (dir, path) = place();
        let key = Key::random();
        let store = Some(Store::open(&path, &key).unwrap());
        Fresh {
            _dir: dir,
            path,
            key,
            store,
        }
    });
}

#[test]
fn unread_rows_are_counted_by_the_index_alone() {
    let (_dir, path) = place();
    let store = Store::open(&path, &Key::random()).unwrap();
    let plan: String = store
        .connection
        .query_row(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM timeline
             WHERE room = ?1 AND position > ?2 AND counts = 1",
            params![[1_u8; 16], 0],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("COVERING INDEX timeline_unread"), "{plan}");
}
