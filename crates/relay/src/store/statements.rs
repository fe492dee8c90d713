//! Changes as SQL statements.

use super::StoreError;
use crate::hub::Change;
use sotto_wire::frame::ChatKind;
use sqlx::{Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// SQLite's integers are signed. Nothing the hub stores comes near the end of
/// them: sequence numbers count up from one, and times are bounded.
pub fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn kind_number(kind: ChatKind) -> i64 {
    match kind {
        ChatKind::Application => 0,
        ChatKind::Commit => 1,
        ChatKind::Proposal => 2,
    }
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
        Change::AccountPut {
            user,
            created,
            generation,
            disabled,
        } => sqlx::query(
            "INSERT INTO account (user, created, generation, disabled) VALUES (?, ?, ?, ?)
             ON CONFLICT (user) DO UPDATE SET created = excluded.created,
             generation = excluded.generation, disabled = excluded.disabled",
        )
        .bind(user.0.to_vec())
        .bind(int(*created))
        .bind(i64::from(*generation))
        .bind(*disabled),
        Change::DevicePut {
            user,
            device,
            revoked,
        } => sqlx::query(
            "INSERT INTO device (user, device, revoked) VALUES (?, ?, ?)
             ON CONFLICT (user, device) DO UPDATE SET revoked = excluded.revoked",
        )
        .bind(user.0.to_vec())
        .bind(device.0.to_vec())
        .bind(*revoked),
        Change::SessionPut {
            family,
            user,
            device,
            secret,
            expires,
        } => sqlx::query(
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
        Change::KeyPut {
            user,
            device,
            key,
            body,
        } => sqlx::query(
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
        Change::DenialPut {
            user,
            room,
            knock,
            at,
        } => {
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
        Change::KnockPut {
            room,
            user,
            id,
            at,
            body,
        } => sqlx::query(
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
        Change::DirectPut {
            to,
            from,
            id,
            order,
            expires,
            size,
            body,
        } => sqlx::query(
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
        Change::DirectDone {
            to,
            from,
            id,
            until,
        } => sqlx::query(
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
        Change::MemberPut {
            room,
            user,
            order,
            joined,
        } => sqlx::query(
            "INSERT OR REPLACE INTO member (room, user, place, joined) VALUES (?, ?, ?, ?)",
        )
        .bind(room.0.to_vec())
        .bind(user.0.to_vec())
        .bind(int(*order))
        .bind(int(*joined)),
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
        Change::CursorPut {
            room,
            user,
            device,
            up_to,
        } => sqlx::query(
            "INSERT OR REPLACE INTO cursor (room, user, device, up_to) VALUES (?, ?, ?, ?)",
        )
        .bind(room.0.to_vec())
        .bind(user.0.to_vec())
        .bind(device.0.to_vec())
        .bind(int(*up_to)),
        // Never REPLACE: a repeated id or place must fail, not overwrite.
        Change::MessagePut {
            room,
            message,
            size,
        } => sqlx::query(
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
