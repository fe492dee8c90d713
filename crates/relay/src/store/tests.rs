//! One contract for every store.

use super::*;
use crate::hub::{GoneRow, RoomRow};
use sotto_wire::frame::ChatKind;
use std::path::Path;

const ALICE: UserId = UserId([1; 32]);
const BOB: UserId = UserId([2; 32]);
const DEVICE: DeviceId = DeviceId([3; 16]);
const ROOM: RoomId = RoomId([4; 16]);
const FAMILY: [u8; 32] = [5; 32];

fn id(n: u8) -> MessageId {
    MessageId([n; 16])
}

fn row(head: Seq) -> RoomRow {
    RoomRow {
        creator: ALICE,
        host: BOB,
        epoch: 3,
        head,
        created: 1,
        retention: Some(86_400_000),
        next_order: 2,
        empty_since: None,
    }
}

fn text(seq: Seq) -> Change {
    let message = ChatReceive {
        room: ROOM,
        seq,
        id: id(seq as u8),
        from: ALICE,
        device: DEVICE,
        kind: if seq == 2 {
            ChatKind::Commit
        } else {
            ChatKind::Application
        },
        body: vec![seq as u8; 10].into(),
        at: 100 + seq,
    };
    Change::MessagePut {
        room: ROOM,
        message,
        size: 10,
    }
}

/// One row of every kind.
fn everything() -> Vec<Change> {
    let (user, device, room) = (ALICE, DEVICE, ROOM);
    let gone = GoneRow {
        joined: 1,
        until: 2,
        up_to: 1,
        host: ALICE,
        epoch: 2,
        at: 9,
    };
    let body = Bytes(vec![7; 5]);
    vec![
        Change::AccountPut {
            user,
            created: 1,
            generation: 2,
            disabled: false,
        },
        Change::DevicePut {
            user,
            device,
            revoked: false,
        },
        Change::SessionPut {
            family: FAMILY,
            user,
            device,
            secret: [6; 32],
            expires: 99,
        },
        Change::RoomPut { room, row: row(3) },
        Change::MemberPut {
            room,
            user,
            order: 0,
            joined: 1,
        },
        Change::GonePut {
            room,
            user: BOB,
            gone,
        },
        Change::CursorPut {
            room,
            user,
            device,
            up_to: 2,
        },
        text(1),
        text(2),
        text(3),
        Change::KnockPut {
            room,
            user: BOB,
            id: id(9),
            at: 5,
            body: body.clone(),
        },
        Change::DenialPut {
            user: BOB,
            room,
            knock: id(8),
            at: 6,
        },
        Change::DirectPut {
            to: ALICE,
            from: BOB,
            id: id(1),
            order: 7,
            expires: 50,
            size: 5,
            body: body.clone(),
        },
        Change::KeyPut {
            user,
            device,
            key: 12,
            body: body.clone(),
        },
        Change::LastResortPut { user, device, body },
    ]
}

fn bare(changes: Vec<Change>) -> Vec<Change> {
    changes.into_iter().map(Change::without_body).collect()
}

async fn contract(mut store: Store) {
    assert_eq!(store.load().await, Ok(vec![]));
    store.commit(&everything()).await.unwrap();
    assert_eq!(store.load().await, Ok(bare(everything())));
    // Putting again replaces; nothing hanging on the row is lost.
    store.commit(&everything()[..4]).await.unwrap();
    assert_eq!(store.load().await, Ok(bare(everything())));
    reads(&mut store).await;
    drops(&mut store).await;
}

async fn reads(store: &mut Store) {
    let seqs = |page: Vec<ChatReceive>| page.iter().map(|m| m.seq).collect::<Vec<_>>();
    let page = store.backlog(ROOM, 2, 3, 1_000).await.unwrap();
    assert_eq!(page[0].body, Bytes(vec![2; 10]));
    assert_eq!(
        (page[0].kind, page[0].at, page[0].from),
        (ChatKind::Commit, 102, ALICE)
    );
    assert_eq!(seqs(page), [2, 3]);
    assert_eq!(
        seqs(store.backlog(ROOM, 1, 3, 1).await.unwrap()),
        [1],
        "at least one"
    );
    assert_eq!(seqs(store.backlog(ROOM, 1, 3, 15).await.unwrap()), [1, 2]);
    assert_eq!(
        seqs(store.backlog(ROOM, 3, 2, 1_000).await.unwrap()),
        [0; 0]
    );
    assert_eq!(
        seqs(store.backlog(RoomId([0; 16]), 1, 9, 1_000).await.unwrap()),
        [0; 0]
    );

    let body = Ok(Some(Bytes(vec![7; 5])));
    assert_eq!(store.knock(ROOM, BOB, id(9)).await, body);
    assert_eq!(store.knock(ROOM, BOB, id(1)).await, Ok(None));
    assert_eq!(store.direct(ALICE, BOB, id(1)).await, body);
    assert_eq!(store.direct(BOB, ALICE, id(1)).await, Ok(None));
    assert_eq!(store.key(ALICE, DEVICE, KeyRef::OneTime(12)).await, body);
    assert_eq!(
        store.key(ALICE, DEVICE, KeyRef::OneTime(13)).await,
        Ok(None)
    );
    assert_eq!(store.key(ALICE, DEVICE, KeyRef::LastResort).await, body);
}

async fn drops(store: &mut Store) {
    let (user, device, room) = (ALICE, DEVICE, ROOM);
    let done = Change::DirectDone {
        to: ALICE,
        from: BOB,
        id: id(1),
        until: 60,
    };
    store
        .commit(&[
            Change::MessagesDrop { room, below: 3 },
            done.clone(),
            Change::KeyDrop {
                user,
                device,
                key: 12,
            },
            Change::LastResortDrop { user, device },
            Change::SessionDrop { family: FAMILY },
            Change::GoneDrop { room, user: BOB },
            Change::KnockDrop { room, user: BOB },
            Change::DenialDrop { user: BOB, room },
        ])
        .await
        .unwrap();
    assert_eq!(store.direct(ALICE, BOB, id(1)).await, Ok(None));
    let all = everything();
    let left = [&all[0], &all[1], &all[3], &all[4], &all[6], &all[9], &done];
    assert_eq!(
        store.load().await,
        Ok(bare(left.into_iter().cloned().collect()))
    );

    // A member's cursors go along, and a room's everything.
    store
        .commit(&[Change::MemberDrop { room, user }])
        .await
        .unwrap();
    let left = [&all[0], &all[1], &all[3], &all[9], &done];
    assert_eq!(
        store.load().await,
        Ok(bare(left.into_iter().cloned().collect()))
    );
    let last = [
        Change::RoomDrop { room },
        Change::DirectDrop {
            to: ALICE,
            from: BOB,
            id: id(1),
        },
    ];
    store.commit(&last).await.unwrap();
    assert_eq!(store.load().await, Ok(bare(everything()[..2].to_vec())));
}

async fn sqlite(dir: &Path) -> Store {
    Store::Sqlite(SqliteStore::open(&dir.join("relay.db")).await.unwrap())
}

#[tokio::test]
async fn the_memory_store_keeps_the_contract() {
    contract(Store::Memory(MemoryStore::default())).await;
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract(sqlite(dir.path()).await).await;
}

#[tokio::test]
async fn sqlite_rows_outlive_the_process_and_leave_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = sqlite(dir.path()).await;
    store.commit(&everything()).await.unwrap();
    store.close().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["relay.db"]);
    assert_eq!(
        sqlite(dir.path()).await.load().await,
        Ok(bare(everything()))
    );
}

#[tokio::test]
async fn a_failed_transaction_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = sqlite(dir.path()).await;
    store.commit(&everything()).await.unwrap();
    // The same message in another place: refused, with what came before it.
    let Change::MessagePut { message, .. } = text(3) else {
        unreachable!()
    };
    let twice = Change::MessagePut {
        room: ROOM,
        message: ChatReceive { seq: 4, ..message },
        size: 10,
    };
    let refused = store
        .commit(&[
            Change::RoomPut {
                room: ROOM,
                row: row(4),
            },
            twice,
        ])
        .await;
    assert_eq!(refused, Err(StoreError::Other));
    assert_eq!(store.load().await, Ok(bare(everything())));
}

#[tokio::test]
async fn a_lock_held_elsewhere_is_reported_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = sqlite(dir.path()).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("relay.db"));
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options)
        .await
        .unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(store.commit(&everything()).await, Err(StoreError::Locked));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(store.commit(&everything()).await, Ok(()));
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("relay.db");
    std::fs::write(&file, vec![b'x'; 8192]).unwrap();
    assert_eq!(
        SqliteStore::open(&file).await.unwrap_err(),
        StoreError::Corrupt
    );
    assert_eq!(
        SqliteStore::open(dir.path()).await.unwrap_err(),
        StoreError::NotWritable
    );

    std::fs::remove_file(&file).unwrap();
    sqlite(dir.path()).await.close().await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut newer = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .execute(&mut newer)
    .await
    .unwrap();
    assert_eq!(
        SqliteStore::open(&file).await.unwrap_err(),
        StoreError::NewerVersion
    );
}

#[tokio::test]
async fn a_full_disk_is_an_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&dir.path().join("relay.db"))
        .await
        .unwrap();
    store.limit_pages().await;
    let mut store = Store::Sqlite(store);
    store.commit(&everything()).await.unwrap();
    let (user, device) = (ALICE, DEVICE);
    let large = Change::KeyPut {
        user,
        device,
        key: 99,
        body: vec![1; 1_000_000].into(),
    };
    assert_eq!(store.commit(&[large]).await, Err(StoreError::DiskFull));
    assert_eq!(store.load().await, Ok(bare(everything())));
}
