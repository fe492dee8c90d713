//! Rows as the changes that would make them.

use super::StoreError;
use crate::hub::{Change, GoneRow, RoomRow};
use sotto_wire::{
    Bytes, DeviceId, MessageId, RoomId, UserId,
    frame::{ChatKind, ChatReceive},
};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

pub fn num(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Corrupt)
}

fn maybe_num(row: &SqliteRow, column: &str) -> Result<Option<u64>, StoreError> {
    let number: Option<i64> = row.try_get(column)?;
    number
        .map(|n| u64::try_from(n).map_err(|_| StoreError::Corrupt))
        .transpose()
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

fn user_of(row: &SqliteRow, column: &str) -> Result<UserId, StoreError> {
    Ok(UserId(id(row, column)?))
}

fn device_of(row: &SqliteRow) -> Result<DeviceId, StoreError> {
    Ok(DeviceId(id(row, "device")?))
}

fn room_of(row: &SqliteRow) -> Result<RoomId, StoreError> {
    Ok(RoomId(id(row, "room")?))
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
    (
        "SELECT * FROM cursor ORDER BY room, user, device",
        read_cursor,
    ),
    (
        "SELECT room, seq, id, user, device, kind, at, size FROM message ORDER BY room, seq",
        read_message,
    ),
    (
        "SELECT room, user, id, at FROM knock ORDER BY room, user",
        read_knock,
    ),
    ("SELECT * FROM denial ORDER BY user, room", read_denial),
    (
        "SELECT recipient, sender, id, place, expires, size, body IS NULL AS done
         FROM direct ORDER BY recipient, sender, id",
        read_direct,
    ),
    (
        "SELECT user, device, number FROM key_package ORDER BY user, device, number",
        read_key,
    ),
    (
        "SELECT user, device FROM last_resort ORDER BY user, device",
        read_last_resort,
    ),
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
    Ok(Change::MessagePut {
        room,
        message,
        size: num(row, "size")?,
    })
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
        return Ok(Change::DirectDone {
            to,
            from,
            id,
            until: expires,
        });
    }
    let (order, size) = (num(row, "place")?, num(row, "size")?);
    Ok(Change::DirectPut {
        to,
        from,
        id,
        order,
        expires,
        size,
        body: Bytes::default(),
    })
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
