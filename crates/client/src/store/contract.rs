//! What every store must do, as a suite that panics at the first thing it
//! does not. It knows stores only through [`Store`]; how they keep things, and
//! how they fail, is their own business.

use super::{Row, Space, Txn, pending_position, position};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sotto_wire::{MessageId, RoomId};

mod model;

/// A store under test.
pub trait Store {
    /// Runs `body` in one transaction: committed if it says true, rolled back
    /// otherwise. Panics if the store fails.
    fn transact(&mut self, body: &mut dyn FnMut(&mut dyn Txn) -> bool);
    /// Closes the store and opens it again.
    fn reopen(&mut self);
}

/// Runs the whole suite; `make` gives an empty store each time.
pub fn check<S: Store>(mut make: impl FnMut() -> S) {
    records_come_back(&mut make());
    spaces_are_apart(&mut make());
    scans_are_in_order_of_keys(&mut make());
    reads_see_the_writes_before_them(&mut make());
    rollback_leaves_nothing(&mut make());
    everything_outlives_reopening(&mut make());
    rows_are_replaced_wherever_they_were(&mut make());
    a_pending_row_moves_when_it_is_accepted(&mut make());
    pages_go_backwards(&mut make());
    unread_counts_what_counts(&mut make());
    rows_of_a_room_go_together(&mut make());
    for seed in 0..8 {
        model::check(&mut make(), &mut ChaCha20Rng::seed_from_u64(seed), seed);
    }
}

const ROOM: RoomId = RoomId([1; 16]);
const OTHER_ROOM: RoomId = RoomId([2; 16]);

fn commit(store: &mut impl Store, body: impl Fn(&mut dyn Txn)) {
    store.transact(&mut |txn| {
        body(txn);
        true
    });
}

fn row(room: RoomId, position: u64, id: u8) -> Row {
    Row {
        room,
        position,
        id: MessageId([id; 16]),
        counts: true,
        item: vec![id, 0, 255],
    }
}

fn ids(rows: &[Row]) -> Vec<u8> {
    rows.iter().map(|row| row.id.0[0]).collect()
}

fn page(txn: &dyn Txn, before: Option<u64>, limit: usize) -> Vec<u8> {
    ids(&txn.rows(&ROOM, before, limit).unwrap())
}

fn records_come_back(store: &mut impl Store) {
    commit(store, |txn| {
        assert_eq!(txn.get(Space::Room, b"a").unwrap(), None);
        txn.put(Space::Room, b"a", b"one").unwrap();
        txn.put(Space::Room, b"b", b"").unwrap();
        txn.put(Space::Room, b"", b"empty key").unwrap();
        txn.put(Space::Room, &[0, 255], &[0; 5000]).unwrap();
        txn.delete(Space::Room, b"never there").unwrap();
    });
    commit(store, |txn| {
        assert_eq!(txn.get(Space::Room, b"a").unwrap(), Some(b"one".to_vec()));
        assert_eq!(txn.get(Space::Room, b"b").unwrap(), Some(vec![]));
        assert_eq!(
            txn.get(Space::Room, b"").unwrap(),
            Some(b"empty key".to_vec())
        );
        assert_eq!(
            txn.get(Space::Room, &[0, 255]).unwrap(),
            Some(vec![0; 5000])
        );
        assert_eq!(txn.get(Space::Room, &[0]).unwrap(), None);
        txn.put(Space::Room, b"a", b"two").unwrap();
        txn.delete(Space::Room, b"b").unwrap();
    });
    commit(store, |txn| {
        assert_eq!(txn.get(Space::Room, b"a").unwrap(), Some(b"two".to_vec()));
        assert_eq!(txn.get(Space::Room, b"b").unwrap(), None);
    });
}

fn spaces_are_apart(store: &mut impl Store) {
    commit(store, |txn| {
        for space in Space::ALL {
            txn.put(space, b"key", &[space as u8]).unwrap();
        }
        txn.delete(Space::Mls, b"key").unwrap();
        for space in Space::ALL {
            let expect = (space != Space::Mls).then(|| vec![space as u8]);
            assert_eq!(txn.get(space, b"key").unwrap(), expect, "{space:?}");
            assert_eq!(
                txn.scan(space, b"").unwrap().len(),
                usize::from(expect.is_some())
            );
        }
    });
}

fn scans_are_in_order_of_keys(store: &mut impl Store) {
    let keys: [&[u8]; 8] = [
        b"",
        b"a",
        b"ab",
        b"ab\0",
        b"ab\x7f",
        b"ab\xff",
        b"ab\xff\xff",
        b"b",
    ];
    commit(store, |txn| {
        for key in keys.iter().rev() {
            txn.put(Space::Outbox, key, key).unwrap();
        }
        txn.put(Space::Direct, b"ab!", b"other space").unwrap();
    });
    commit(store, |txn| {
        let scan = |prefix: &[u8]| -> Vec<Vec<u8>> {
            let found = txn.scan(Space::Outbox, prefix).unwrap();
            assert!(found.iter().all(|(key, value)| key == value));
            found.into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(scan(b""), keys);
        assert_eq!(scan(b"ab"), keys[2..7]);
        assert_eq!(scan(b"ab\xff"), keys[5..7]);
        assert_eq!(scan(b"\xff"), Vec::<Vec<u8>>::new());
    });
}

fn reads_see_the_writes_before_them(store: &mut impl Store) {
    commit(store, |txn| {
        txn.put(Space::Knock, b"old", b"1").unwrap();
        txn.put_row(&row(ROOM, position(1, 0), 1)).unwrap();
    });
    commit(store, |txn| {
        txn.put(Space::Knock, b"new", b"2").unwrap();
        txn.delete(Space::Knock, b"old").unwrap();
        assert_eq!(txn.get(Space::Knock, b"new").unwrap(), Some(b"2".to_vec()));
        assert_eq!(txn.get(Space::Knock, b"old").unwrap(), None);
        let records = txn.scan(Space::Knock, b"").unwrap();
        assert_eq!(records, [(b"new".to_vec(), b"2".to_vec())]);

        txn.put_row(&row(ROOM, position(2, 0), 2)).unwrap();
        assert_eq!(page(txn, None, 10), [1, 2]);
        txn.delete_row(&ROOM, &MessageId([1; 16])).unwrap();
        assert_eq!(page(txn, None, 10), [2]);
        assert_eq!(txn.row(&ROOM, &MessageId([1; 16])).unwrap(), None);
        assert_eq!(txn.unread(&ROOM, 0).unwrap(), 1);
    });
}

fn rollback_leaves_nothing(store: &mut impl Store) {
    commit(store, |txn| {
        txn.put(Space::Person, b"kept", b"before").unwrap();
        txn.put(Space::Person, b"deleted", b"before").unwrap();
        txn.put_row(&row(ROOM, position(1, 0), 1)).unwrap();
        txn.put_row(&row(ROOM, position(2, 0), 2)).unwrap();
        txn.put_row(&row(OTHER_ROOM, position(3, 0), 3)).unwrap();
    });
    store.transact(&mut |txn| {
        txn.put(Space::Person, b"kept", b"after").unwrap();
        txn.put(Space::Person, b"new", b"after").unwrap();
        txn.delete(Space::Person, b"deleted").unwrap();
        txn.put_row(&row(ROOM, position(9, 0), 1)).unwrap();
        txn.put_row(&row(ROOM, position(4, 0), 4)).unwrap();
        txn.delete_row(&ROOM, &MessageId([2; 16])).unwrap();
        txn.delete_rows(&OTHER_ROOM).unwrap();
        false
    });
    commit(store, |txn| {
        assert_eq!(
            txn.get(Space::Person, b"kept").unwrap(),
            Some(b"before".to_vec())
        );
        assert_eq!(
            txn.get(Space::Person, b"deleted").unwrap(),
            Some(b"before".to_vec())
        );
        assert_eq!(txn.get(Space::Person, b"new").unwrap(), None);
        assert_eq!(page(txn, None, 10), [1, 2]);
        assert_eq!(ids(&txn.rows(&OTHER_ROOM, None, 10).unwrap()), [3]);
    });
}

fn everything_outlives_reopening(store: &mut impl Store) {
    let silent = Row {
        counts: false,
        ..row(ROOM, position(2, 5), 2)
    };
    commit(store, |txn| {
        txn.put(Space::Identity, b"me", &[0, 1, 255]).unwrap();
        txn.put_row(&row(ROOM, position(1, 0), 1)).unwrap();
        txn.put_row(&silent).unwrap();
        txn.put_row(&row(ROOM, pending_position(7), 7)).unwrap();
    });
    store.reopen();
    commit(store, |txn| {
        assert_eq!(
            txn.get(Space::Identity, b"me").unwrap(),
            Some(vec![0, 1, 255])
        );
        let rows = txn.rows(&ROOM, None, 10).unwrap();
        let expect = [
            row(ROOM, position(1, 0), 1),
            silent.clone(),
            row(ROOM, pending_position(7), 7),
        ];
        assert_eq!(rows, expect);
    });
    store.transact(&mut |txn| {
        txn.delete(Space::Identity, b"me").unwrap();
        false
    });
    store.reopen();
    commit(store, |txn| {
        assert!(txn.get(Space::Identity, b"me").unwrap().is_some())
    });
}

fn rows_are_replaced_wherever_they_were(store: &mut impl Store) {
    let edited = Row {
        item: b"edited".to_vec(),
        counts: false,
        ..row(ROOM, position(1, 0), 1)
    };
    commit(store, |txn| {
        txn.put_row(&row(ROOM, position(1, 0), 1)).unwrap();
        txn.put_row(&row(ROOM, position(2, 0), 2)).unwrap();
        // The same id in another room is another row.
        txn.put_row(&row(OTHER_ROOM, position(1, 0), 1)).unwrap();
    });
    commit(store, |txn| txn.put_row(&edited).unwrap());
    commit(store, |txn| {
        assert_eq!(txn.row(&ROOM, &edited.id).unwrap().as_ref(), Some(&edited));
        assert_eq!(page(txn, None, 10), [1, 2]);
        assert_eq!(txn.unread(&ROOM, 0).unwrap(), 1);
        txn.put_row(&Row {
            position: position(3, 0),
            ..edited.clone()
        })
        .unwrap();
        assert_eq!(page(txn, None, 10), [2, 1]);
        assert_eq!(
            txn.row(&OTHER_ROOM, &edited.id).unwrap(),
            Some(row(OTHER_ROOM, position(1, 0), 1)),
        );
    });
}

fn a_pending_row_moves_when_it_is_accepted(store: &mut impl Store) {
    commit(store, |txn| {
        txn.put_row(&row(ROOM, pending_position(1), 1)).unwrap();
        txn.put_row(&row(ROOM, pending_position(2), 2)).unwrap();
        txn.put_row(&row(ROOM, position(5, 0), 5)).unwrap();
        assert_eq!(page(txn, None, 10), [5, 1, 2]);
    });
    commit(store, |txn| {
        txn.put_row(&row(ROOM, position(6, 0), 1)).unwrap()
    });
    store.reopen();
    commit(store, |txn| {
        assert_eq!(page(txn, None, 10), [5, 1, 2]);
        assert_eq!(page(txn, Some(pending_position(0)), 10), [5, 1]);
        let moved = txn.row(&ROOM, &MessageId([1; 16])).unwrap().unwrap();
        assert_eq!(moved.position, position(6, 0));
    });
}

fn pages_go_backwards(store: &mut impl Store) {
    commit(store, |txn| {
        for id in [3, 1, 5, 2, 4] {
            txn.put_row(&row(ROOM, position(u64::from(id), 0), id))
                .unwrap();
        }
        txn.put_row(&row(OTHER_ROOM, position(3, 0), 9)).unwrap();
    });
    commit(store, |txn| {
        assert_eq!(page(txn, None, 2), [4, 5]);
        assert_eq!(page(txn, Some(position(4, 0)), 2), [2, 3]);
        assert_eq!(page(txn, Some(position(2, 0)), 2), [1]);
        assert_eq!(page(txn, Some(position(1, 0)), 2), Vec::<u8>::new());
        assert_eq!(page(txn, None, 0), Vec::<u8>::new());
        assert_eq!(page(txn, Some(u64::MAX), usize::MAX), [1, 2, 3, 4, 5]);
        assert_eq!(page(txn, Some(0), 2), Vec::<u8>::new());
        // A page over what is stored and what was just written.
        txn.put_row(&row(ROOM, position(3, 1), 6)).unwrap();
        txn.delete_row(&ROOM, &MessageId([4; 16])).unwrap();
        assert_eq!(page(txn, None, 3), [3, 6, 5]);
    });
}

fn unread_counts_what_counts(store: &mut impl Store) {
    commit(store, |txn| {
        for id in 1..=4 {
            let counts = id != 3;
            let row = Row {
                counts,
                ..row(ROOM, position(u64::from(id), 0), id)
            };
            txn.put_row(&row).unwrap();
        }
        txn.put_row(&row(OTHER_ROOM, position(9, 0), 9)).unwrap();
    });
    commit(store, |txn| {
        assert_eq!(txn.unread(&ROOM, 0).unwrap(), 3);
        assert_eq!(txn.unread(&ROOM, position(1, 0)).unwrap(), 2);
        assert_eq!(txn.unread(&ROOM, position(2, 0)).unwrap(), 1);
        assert_eq!(txn.unread(&ROOM, position(4, 0)).unwrap(), 0);
        assert_eq!(txn.unread(&ROOM, pending_position(0)).unwrap(), 0);
        assert_eq!(txn.unread(&ROOM, u64::MAX).unwrap(), 0);
    });
}

fn rows_of_a_room_go_together(store: &mut impl Store) {
    commit(store, |txn| {
        for id in 1..=3 {
            txn.put_row(&row(ROOM, position(u64::from(id), 0), id))
                .unwrap();
            txn.put_row(&row(OTHER_ROOM, position(u64::from(id), 0), id))
                .unwrap();
        }
    });
    commit(store, |txn| {
        txn.put_row(&row(ROOM, position(4, 0), 4)).unwrap();
        txn.delete_rows(&ROOM).unwrap();
        assert_eq!(page(txn, None, 10), Vec::<u8>::new());
        assert_eq!(txn.unread(&ROOM, 0).unwrap(), 0);
        txn.put_row(&row(ROOM, position(2, 0), 2)).unwrap();
    });
    store.reopen();
    commit(store, |txn| {
        assert_eq!(page(txn, None, 10), [2]);
        assert_eq!(txn.row(&ROOM, &MessageId([1; 16])).unwrap(), None);
        assert_eq!(ids(&txn.rows(&OTHER_ROOM, None, 10).unwrap()), [1, 2, 3]);
    });
}
