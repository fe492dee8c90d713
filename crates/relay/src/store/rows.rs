//! Changes as SQL statements, and rows as the changes that would make them.

use super::StoreError;
use crate::hub::{Change, GoneRow, RoomRow};
use sotto_wire::{
    Bytes, DeviceId, MessageId, RoomId, UserId,
    frame::{ChatKind, ChatReceive},
};
use sqlx::{
    Row as _, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// SQLite's integers are signed. Nothing the hub stores comes near the end of
/// them: sequence numbers count up from one, and times are bounded.
pub fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn num(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Corrupt)
}

fn maybe_num(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    let number: Option<i64> = row.try_get(column)?;
    number.map(|n| u64::try_from(n).map_err(|_| StoreError::Corrupt)).transpose()
}

pub fn id<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::Corrupt)
}

pub fn kind(number: i64) -> Result<ChatKind, StoreError> {
    match number {
        0 => Ok(ChatKind::Application),
        1 => Ok(ChatKind::Commit),
        2 => Ok(ChatKind::Proposal),
        _ => Err(StoreError::Corrupt),
    }
}

fn kind_number(kind: ChatKind) -> i64 {
    match kind {
        ChatKind::Application => 0,
        ChatKind::Commit => 1,
        ChatKind::Proposal => 2,
    }
}

fn user_of(row: &SqliteRow, column: &str) -> Result<UserId, StoreError> {
    Ok(UserId(id(row, column)?))
}

fn device_of(row: &SqliteRow) -> Result<DeviceId, StoreError> {
    Ok(DeviceId(id(row, "device")?))
}

fn room_of(row: &SqliteRow) -> Result<RoomId, StoreError> {
    Ok(RoomId(id(row, "room")?))
}

pub async fn perform(db: &mut SqliteConnection, change: &Change) -> Result<(), StoreError> {
    statement(change).execute(db).await?;
    Ok(())
}

fn statement(change: &Change) -> Statement {
    match change {
        Change::AccountPut { .. }
        | Change::DevicePut { .. }
        | Change::SessionPut { .. }
        | Change::SessionDrop { .. }
        | Change::KeyPut { .. }
        | Change::KeyDrop { .. }
        | Change::LastResortPut { .. }
        | Change::LastResortDrop { .. } => of_account(change),
        Change::DenialPut { .. }
        | Change::DenialDrop { .. }
        | Change::KnockPut { .. }
        | Change::KnockDrop { .. }
        | Change::DirectPut { .. }
        | Change::DirectDone { .. }
        | Change::DirectDrop { .. } => of_mail(change),
        _ => of_room(change),
    }
}

fn of_account(change: &Change) -> Statement {
    match change {
        Change::AccountPut { user, created, generation, disabled } => sqlx::query(
            "INSERT INTO account (user, created, generation, disabled) VALUES (?, ?, ?, ?)
             ON CONFLICT (user) DO UPDATE SET created = excluded.created,
             generation = excluded.generation, disabled = excluded.disabled",
        )
        .bind(user.0.to_vec())
        .bind(int(*created))
        .bind(i64::from(*generation))
        .bind(*disabled),
        Change::DevicePut { user, device, revoked } => sqlx::query(
            "INSERT INTO device (user, device, revoked) VALUES (?, ?, ?)
             ON CONFLICT (user, device) DO UPDATE SET revoked = excluded.revoked",
        )
        .bind(user.0.to_vec())
        .bind(device.0.to_vec())
        .bind(*revoked),
        Change::SessionPut { family, user, device, secret, expires } => sqlx::query(
            "INSERT OR REPLACE INTO session (family, user, device, secret, expires)
             VALUES (?, ?, ?, ?, ?)",
        )
        .bind(family.to_vec())
        .bind(user.0.to_vec())
        .bind(device.0.to_vec())
        .bind(secret.to_vec())
        .bind(int(*expires)),
        Change::SessionDrop { family } => {
            sqlx::query("DELETE FROM session WHERE family = ?").bind(family.to_vec())
        }
        Change::KeyPut { user, device, key, body } => sqlx::query(
            "INSERT OR REPLACE INTO key_package (user, device, number, body) VALUES (?, ?, ?, ?)",
        )
        .bind(user.0.to_vec())
        .bind(device.0.to_vec())
        .bind(int(*key))
        .bind(body.0.clone()),
        Change::KeyDrop { user, device, key } => {
            sqlx::query("DELETE FROM key_package WHERE user = ? AND device = ? AND number = ?")
                .bind(user.0.to_vec())
                .bind(device.0.to_vec())
                .bind(int(*key))
        }
        Change::LastResortPut { user, device, body } => {
            sqlx::query("INSERT OR REPLACE INTO last_resort (user, device, body) VALUES (?, ?, ?)")
                .bind(user.0.to_vec())
                .bind(device.0.to_vec())
                .bind(body.0.clone())
        }
        Change::LastResortDrop { user, device } => {
            sqlx::query("DELETE FROM last_resort WHERE user = ? AND device = ?")
                .bind(user.0.to_vec())
                .bind(device.0.to_vec())
        }
        _ => unreachable!("statement() sends only account changes here"),
    }
}

fn of_mail(change: &Change) -> Statement {
    match change {
        Change::DenialPut { user, room, knock, at } => {
            sqlx::query("INSERT OR REPLACE INTO denial (user, room, knock, at) VALUES (?, ?, ?, ?)")
                .bind(user.0.to_vec())
                .bind(room.0.to_vec())
                .bind(knock.0.to_vec())
                .bind(int(*at))
        }
        Change::DenialDrop { user, room } => {
            sqlx::query("DELETE FROM denial WHERE user = ? AND room = ?")
                .bind(user.0.to_vec())
                .bind(room.0.to_vec())
        }
        Change::KnockPut { room, user, id, at, body } => sqlx::query(
            "INSERT OR REPLACE INTO knock (room, user, id, at, body) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(room.0.to_vec())
        .bind(user.0.to_vec())
        .bind(id.0.to_vec())
        .bind(int(*at))
        .bind(body.0.clone()),
        Change::KnockDrop { room, user } => {
            sqlx::query("DELETE FROM knock WHERE room = ? AND user = ?")
                .bind(room.0.to_vec())
                .bind(user.0.to_vec())
        }
        Change::DirectPut { to, from, id, order, expires, size, body } => sqlx::query(
            "INSERT OR REPLACE INTO direct (recipient, sender, id, place, expires, size, body)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(to.0.to_vec())
        .bind(from.0.to_vec())
        .bind(id.0.to_vec())
        .bind(int(*order))
        .bind(int(*expires))
        .bind(int(*size))
        .bind(body.0.clone()),
        Change::DirectDone { to, from, id, until } => sqlx::query(
            "UPDATE direct SET body = NULL, size = 0, expires = ?
             WHERE recipient = ? AND sender = ? AND id = ?",
        )
        .bind(int(*until))
        .bind(to.0.to_vec())
        .bind(from.0.to_vec())
        .bind(id.0.to_vec()),
        Change::DirectDrop { to, from, id } => {
            sqlx::query("DELETE FROM direct WHERE recipient = ? AND sender = ? AND id = ?")
                .bind(to.0.to_vec())
                .bind(from.0.to_vec())
                .bind(id.0.to_vec())
        }
        _ => unreachable!("statement() sends only mail changes here"),
    }
}

fn of_room(change: &Change) -> Statement {
    match change {
        Change::RoomPut { room, row } => sqlx::query(
            "INSERT INTO room
             (room, creator, host, epoch, head, created, retention, next_order, empty_since)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (room) DO UPDATE SET host = excluded.host, epoch = excluded.epoch,
             head = excluded.head, retention = excluded.retention,
             next_order = excluded.next_order, empty_since = excluded.empty_since",
        )
        .bind(room.0.to_vec())
        .bind(row.creator.0.to_vec())
        .bind(row.host.0.to_vec())
        .bind(int(row.epoch))
        .bind(int(row.head))
        .bind(int(row.created))
        .bind(row.retention.map(int))
        .bind(int(row.next_order))
        .bind(row.empty_since.map(int)),
        Change::RoomDrop { room } => {
            sqlx::query("DELETE FROM room WHERE room = ?").bind(room.0.to_vec())
        }
        Change::MemberPut { room, user, order, joined } => {
            sqlx::query("INSERT OR REPLACE INTO member (room, user, place, joined) VALUES (?, ?, ?, ?)")
                .bind(room.0.to_vec())
                .bind(user.0.to_vec())
                .bind(int(*order))
                .bind(int(*joined))
        }
        Change::MemberDrop { room, user } => {
            sqlx::query("DELETE FROM member WHERE room = ? AND user = ?")
                .bind(room.0.to_vec())
                .bind(user.0.to_vec())
        }
        Change::GonePut { room, user, gone } => sqlx::query(
            "INSERT OR REPLACE INTO gone (room, user, joined, until, up_to, host, epoch, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(room.0.to_vec())
        .bind(user.0.to_vec())
        .bind(int(gone.joined))
        .bind(int(gone.until))
        .bind(int(gone.up_to))
        .bind(gone.host.0.to_vec())
        .bind(int(gone.epoch))
        .bind(int(gone.at)),
        Change::GoneDrop { room, user } => {
            sqlx::query("DELETE FROM gone WHERE room = ? AND user = ?")
                .bind(room.0.to_vec())
                .bind(user.0.to_vec())
        }
        Change::CursorPut { room, user, device, up_to } => {
            sqlx::query("INSERT OR REPLACE INTO cursor (room, user, device, up_to) VALUES (?, ?, ?, ?)")
                .bind(room.0.to_vec())
                .bind(user.0.to_vec())
                .bind(device.0.to_vec())
                .bind(int(*up_to))
        }
        // Never REPLACE: a repeated id or place must fail, not overwrite.
        Change::MessagePut { room, message, size } => sqlx::query(
            "INSERT INTO message (room, seq, id, user, device, kind, at, size, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(room.0.to_vec())
        .bind(int(message.seq))
        .bind(message.id.0.to_vec())
        .bind(message.from.0.to_vec())
        .bind(message.device.0.to_vec())
        .bind(kind_number(message.kind))
        .bind(int(message.at))
        .bind(int(*size))
        .bind(message.body.0.clone()),
        Change::MessagesDrop { room, below } => {
            sqlx::query("DELETE FROM message WHERE room = ? AND seq < ?")
                .bind(room.0.to_vec())
                .bind(int(*below))
        }
        _ => unreachable!("statement() sends only room changes here"),
    }
}

type Read = fn(&SqliteRow) -> Result<Change, StoreError>;

/// In the order of [`crate::hub::RowKey`].
const TABLES: &[(&str, Read)] = &[
    ("SELECT * FROM account ORDER BY user", read_account),
    ("SELECT * FROM device ORDER BY user, device", read_device),
    ("SELECT * FROM session ORDER BY family", read_session),
    ("SELECT * FROM room ORDER BY room", read_room),
    ("SELECT * FROM member ORDER BY room, user", read_member),
    ("SELECT * FROM gone ORDER BY room, user", read_gone),
    ("SELECT * FROM cursor ORDER BY room, user, device", read_cursor),
    (
        "SELECT room, seq, id, user, device, kind, at, size FROM message ORDER BY room, seq",
        read_message,
    ),
    ("SELECT room, user, id, at FROM knock ORDER BY room, user", read_knock),
    ("SELECT * FROM denial ORDER BY user, room", read_denial),
    (
        "SELECT recipient, sender, id, place, expires, size, body IS NULL AS done
         FROM direct ORDER BY recipient, sender, id",
        read_direct,
    ),
    ("SELECT user, device, number FROM key_package ORDER BY user, device, number", read_key),
    ("SELECT user, device FROM last_resort ORDER BY user, device", read_last_resort),
];

pub async fn load(db: &mut SqliteConnection) -> Result<Vec<Change>, StoreError> {
    let mut out = Vec::new();
    for (query, read) in TABLES {
        for row in sqlx::query(*query).fetch_all(&mut *db).await? {
            out.push(read(&row)?);
        }
    }
    Ok(out)
}

fn read_account(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::AccountPut {
        user: user_of(row, "user")?,
        created: num(row, "created")?,
        generation: u32::try_from(num(row, "generation")?).map_err(|_| StoreError::Corrupt)?,
        disabled: row.try_get("disabled")?,
    })
}

fn read_device(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::DevicePut {
        user: user_of(row, "user")?,
        device: device_of(row)?,
        revoked: row.try_get("revoked")?,
    })
}

fn read_session(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::SessionPut {
        family: id(row, "family")?,
        user: user_of(row, "user")?,
        device: device_of(row)?,
        secret: id(row, "secret")?,
        expires: num(row, "expires")?,
    })
}

fn read_room(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::RoomPut {
        room: room_of(row)?,
        row: RoomRow {
            creator: user_of(row, "creator")?,
            host: user_of(row, "host")?,
            epoch: num(row, "epoch")?,
            head: num(row, "head")?,
            created: num(row, "created")?,
            retention: maybe_num(row, "retention")?,
            next_order: num(row, "next_order")?,
            empty_since: maybe_num(row, "empty_since")?,
        },
    })
}

fn read_member(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::MemberPut {
        room: room_of(row)?,
        user: user_of(row, "user")?,
        order: num(row, "place")?,
        joined: num(row, "joined")?,
    })
}

fn read_gone(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::GonePut {
        room: room_of(row)?,
        user: user_of(row, "user")?,
        gone: GoneRow {
            joined: num(row, "joined")?,
            until: num(row, "until")?,
            up_to: num(row, "up_to")?,
            host: user_of(row, "host")?,
            epoch: num(row, "epoch")?,
            at: num(row, "at")?,
        },
    })
}

fn read_cursor(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::CursorPut {
        room: room_of(row)?,
        user: user_of(row, "user")?,
        device: device_of(row)?,
        up_to: num(row, "up_to")?,
    })
}

fn read_message(row: &SqliteRow) -> Result<Change, StoreError> {
    let room = room_of(row)?;
    let message = ChatReceive {
        room,
        seq: num(row, "seq")?,
        id: MessageId(id(row, "id")?),
        from: user_of(row, "user")?,
        device: device_of(row)?,
        kind: kind(row.try_get("kind")?)?,
        body: Bytes::default(),
        at: num(row, "at")?,
    };
    Ok(Change::MessagePut { room, message, size: num(row, "size")? })
}

fn read_knock(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::KnockPut {
        room: room_of(row)?,
        user: user_of(row, "user")?,
        id: MessageId(id(row, "id")?),
        at: num(row, "at")?,
        body: Bytes::default(),
    })
}

fn read_denial(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::DenialPut {
        user: user_of(row, "user")?,
        room: room_of(row)?,
        knock: MessageId(id(row, "knock")?),
        at: num(row, "at")?,
    })
}

fn read_direct(row: &SqliteRow) -> Result<Change, StoreError> {
    let (to, from) = (user_of(row, "recipient")?, user_of(row, "sender")?);
    let id = MessageId(id(row, "id")?);
    let expires = num(row, "expires")?;
    if row.try_get("done")? {
        return Ok(Change::DirectDone { to, from, id, until: expires });
    }
    let (order, size) = (num(row, "place")?, num(row, "size")?);
    Ok(Change::DirectPut { to, from, id, order, expires, size, body: Bytes::default() })
}

fn read_key(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::KeyPut {
        user: user_of(row, "user")?,
        device: device_of(row)?,
        key: num(row, "number")?,
        body: Bytes::default(),
    })
}

fn read_last_resort(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change::LastResortPut {
        user: user_of(row, "user")?,
        device: device_of(row)?,
        body: Bytes::default(),
    })
}
