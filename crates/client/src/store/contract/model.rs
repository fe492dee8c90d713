//! The contract at random: whatever is done to a store, it answers as two
//! plain maps would. Replays from its seed.

use super::Store;
use crate::store::{Row, Space, Txn};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use sotto_wire::{MessageId, RoomId};
use std::collections::BTreeMap;

/// A store so plain that it is right.
#[derive(Clone, Default)]
struct Model {
    records: BTreeMap<(Space, Vec<u8>), Vec<u8>>,
    rows: BTreeMap<(RoomId, MessageId), Row>,
}

const SPACES: [Space; 3] = [Space::Room, Space::Mls, Space::Outbox];

/// Does 60 transactions to a store, and to the model where they commit.
pub fn check(store: &mut impl Store, rng: &mut ChaCha20Rng, seed: u64) {
    let mut model = Model::default();
    for step in 0..60 {
        let mut next = model.clone();
        let kept = below(rng, 4) != 0;
        store.transact(&mut |txn| {
            for _ in 0..below(rng, 12) {
                act(txn, &mut next, rng);
            }
            compare(txn, &next, rng, &format!("seed {seed}, transaction {step}"));
            kept
        });
        if kept {
            model = next;
        }
        if below(rng, 8) == 0 {
            store.reopen();
        }
        store.transact(&mut |txn| {
            compare(txn, &model, rng, &format!("seed {seed}, after {step}"));
            false
        });
    }
}

fn below(rng: &mut ChaCha20Rng, end: u32) -> u32 {
    rng.next_u32() % end
}

fn pick_key(rng: &mut ChaCha20Rng) -> Vec<u8> {
    (0..below(rng, 4))
        .map(|_| [0, 1, 255][below(rng, 3) as usize])
        .collect()
}

fn pick_room(rng: &mut ChaCha20Rng) -> RoomId {
    RoomId([below(rng, 3) as u8; 16])
}

fn pick_id(rng: &mut ChaCha20Rng) -> MessageId {
    MessageId([below(rng, 12) as u8; 16])
}

fn act(txn: &mut dyn Txn, model: &mut Model, rng: &mut ChaCha20Rng) {
    let space = SPACES[below(rng, 3) as usize];
    let room = pick_room(rng);
    match below(rng, 16) {
        0..4 => {
            let (key, value) = (pick_key(rng), pick_key(rng));
            txn.put(space, &key, &value).unwrap();
            model.records.insert((space, key), value);
        }
        4..7 => {
            let key = pick_key(rng);
            txn.delete(space, &key).unwrap();
            model.records.remove(&(space, key));
        }
        7..12 => {
            let id = pick_id(rng);
            let row = Row {
                room,
                position: free_position(model, room, rng),
                id,
                counts: below(rng, 2) == 0,
                item: pick_key(rng),
            };
            txn.put_row(&row).unwrap();
            model.rows.insert((room, id), row);
        }
        12..15 => {
            let id = pick_id(rng);
            txn.delete_row(&room, &id).unwrap();
            model.rows.remove(&(room, id));
        }
        _ => {
            txn.delete_rows(&room).unwrap();
            model.rows.retain(|(of, _), _| *of != room);
        }
    }
}

/// No two rows of a room share a position.
fn free_position(model: &Model, room: RoomId, rng: &mut ChaCha20Rng) -> u64 {
    loop {
        let position = u64::from(below(rng, 40)) * 1000;
        if !model
            .rows
            .values()
            .any(|row| row.room == room && row.position == position)
        {
            return position;
        }
    }
}

fn compare(txn: &dyn Txn, model: &Model, rng: &mut ChaCha20Rng, when: &str) {
    let (key, prefix) = (pick_key(rng), pick_key(rng));
    for space in SPACES {
        let expect = model.records.get(&(space, key.clone()));
        assert_eq!(
            txn.get(space, &key).unwrap().as_ref(),
            expect,
            "get {key:?}, {when}"
        );
        for prefix in [&[], &prefix[..]] {
            let expect: Vec<_> = model
                .records
                .iter()
                .filter(|((of, key), _)| *of == space && key.starts_with(prefix))
                .map(|((_, key), value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(
                txn.scan(space, prefix).unwrap(),
                expect,
                "scan {prefix:?}, {when}"
            );
        }
    }
    let (room, id) = (pick_room(rng), pick_id(rng));
    let expect = model.rows.get(&(room, id));
    assert_eq!(txn.row(&room, &id).unwrap().as_ref(), expect, "row, {when}");

    let mut rows: Vec<_> = model
        .rows
        .values()
        .filter(|row| row.room == room)
        .cloned()
        .collect();
    rows.sort_by_key(|row| row.position);
    assert_eq!(
        txn.rows(&room, None, usize::MAX).unwrap(),
        rows,
        "rows, {when}"
    );

    let (edge, limit) = (u64::from(below(rng, 40)) * 1000, below(rng, 6) as usize);
    let unread = rows
        .iter()
        .filter(|row| row.counts && row.position > edge)
        .count();
    assert_eq!(
        txn.unread(&room, edge).unwrap() as usize,
        unread,
        "unread, {when}"
    );
    rows.retain(|row| row.position < edge);
    let page = rows.split_off(rows.len().saturating_sub(limit));
    assert_eq!(
        txn.rows(&room, Some(edge), limit).unwrap(),
        page,
        "page, {when}"
    );
}
