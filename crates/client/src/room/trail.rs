//! A running hash over a room's order, so that a relay which shows people
//! different orders is noticed: every text says which place its author had
//! reached and what the hash was there, and whoever reads it compares.
//!
//! After places that the relay no longer keeps the hash is unknown, until a
//! message comes from somebody who had seen all before it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sotto_wire::{Bytes, MessageId, RoomId, Seq, UserId, auth::Transcript, frame::ChatKind};

/// Length of a mark in bytes.
pub(crate) const MARK: usize = 16;
/// Marks that are kept: how far the author of a message may have been behind.
const KEPT: usize = 32;

pub(crate) type Mark = [u8; MARK];

/// What the relay says stands at a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub seq: Seq,
    pub id: MessageId,
    pub from: UserId,
    pub kind: ChatKind,
}

/// What the author of a message had seen when they sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub seq: Seq,
    pub mark: Bytes,
}

/// The marks of the newest places, oldest first, without holes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Trail(Bytes);

impl Trail {
    /// Before the first place.
    pub fn new(room: &RoomId) -> Self {
        let mut start = Transcript::new("sotto v1 order");
        start.field(room.as_bytes());
        Self::from_mark(mark(&start.finish()))
    }

    /// Somebody who comes in takes over the mark of who lets them in; all
    /// zeros is none.
    pub fn from_mark(mark: Mark) -> Self {
        if mark == [0; MARK] {
            Self::default()
        } else {
            Self(mark.as_slice().into())
        }
    }

    pub fn newest(&self) -> Option<Mark> {
        self.0.last_chunk().copied()
    }

    /// So many places before the newest.
    fn back(&self, places: u64) -> Option<&[u8]> {
        let places = usize::try_from(places).ok()?;
        self.0.rchunks_exact(MARK).nth(places)
    }

    /// The hash is unknown from here.
    pub fn lose(&mut self) {
        self.0.0.clear();
    }

    pub fn extend(&mut self, place: &Place) {
        let Some(before) = self.newest() else { return };
        let mut next = Transcript::new("sotto v1 place");
        next.field(&before);
        next.field(&place.seq.to_be_bytes());
        next.field(place.id.as_bytes());
        next.field(place.from.as_bytes());
        next.field(match place.kind {
            ChatKind::Application => b"application",
            ChatKind::Commit => b"commit",
            ChatKind::Proposal => b"proposal",
        });
        self.0.0.extend_from_slice(&mark(&next.finish()));
        let excess = self.0.len().saturating_sub(KEPT * MARK);
        self.0.0.drain(..excess);
    }

    /// What a message that is sent now says, `cursor` being the newest place.
    pub fn seen(&self, cursor: Seq) -> Option<Seen> {
        let mark = self.newest()?.as_slice().into();
        Some(Seen { seq: cursor, mark })
    }

    /// Whether the author of the message at `cursor + 1` saw what is seen
    /// here. What cannot be compared passes.
    pub fn agrees(&mut self, cursor: Seq, seen: &Seen) -> bool {
        let Some(places) = cursor.checked_sub(seen.seq) else {
            return false; // they had more before it than there is
        };
        if self.0.is_empty() && places == 0 {
            let whole = <Mark>::try_from(&seen.mark[..]).ok();
            *self = whole.map(Self::from_mark).unwrap_or_default();
        }
        self.back(places).is_none_or(|mark| *mark == *seen.mark)
    }
}

fn mark(bytes: &[u8]) -> Mark {
    let digest = Sha256::digest(bytes);
    *digest.first_chunk().expect("a digest has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(seq: Seq, id: u8) -> Place {
        let (id, from) = (MessageId([id; 16]), UserId([1; 32]));
        Place {
            seq,
            id,
            from,
            kind: ChatKind::Application,
        }
    }

    fn walk(ids: &[u8]) -> Trail {
        let mut trail = Trail::new(&RoomId([9; 16]));
        for (seq, id) in (1..).zip(ids) {
            trail.extend(&place(seq, *id));
        }
        trail
    }

    #[test]
    fn who_saw_the_same_agrees_wherever_they_were() {
        let mut mine = walk(&[1, 2, 3, 4]);
        for (seen, cursor) in [(&[1, 2, 3, 4][..], 4), (&[1, 2], 2), (&[1], 1), (&[], 0)] {
            let seen = walk(seen).seen(cursor).expect("it has a mark");
            assert!(mine.agrees(4, &seen), "{cursor}");
        }
    }

    #[test]
    fn another_order_a_missing_or_an_added_message_is_noticed() {
        for other in [
            &[1, 3, 2, 4][..],
            &[1, 2, 4],
            &[1, 2, 3, 4, 5],
            &[2, 3, 4, 5],
        ] {
            let seen = walk(other).seen(other.len() as Seq).expect("it has a mark");
            assert!(!walk(&[1, 2, 3, 4]).agrees(4, &seen), "{other:?}");
        }
    }

    #[test]
    fn after_a_gap_the_hash_is_taken_from_somebody_who_saw_all() {
        let mut mine = walk(&[1, 2, 3]);
        mine.lose();
        assert_eq!(mine.seen(3), None);
        let behind = walk(&[1, 2]).seen(2).expect("it has a mark");
        assert!(mine.agrees(3, &behind), "nothing to compare with");
        assert_eq!(mine.seen(3), None);
        let whole = walk(&[1, 2, 3]).seen(3).expect("it has a mark");
        assert!(mine.agrees(3, &whole));
        mine.extend(&place(4, 4));
        assert_eq!(mine.seen(4), walk(&[1, 2, 3, 4]).seen(4));
    }

    #[test]
    fn only_the_newest_marks_are_kept() {
        let ids: Vec<u8> = (0..100).collect();
        assert_eq!(walk(&ids).0.len(), KEPT * MARK);
    }

    #[test]
    fn hostile_marks_are_an_outcome() {
        let mut mine = walk(&[1, 2, 3]);
        for len in [0, 1, 15, 17, 1000] {
            let seen = Seen {
                seq: 3,
                mark: vec![7; len].into(),
            };
            assert!(!mine.agrees(3, &seen));
            let mut lost = Trail::default();
            lost.agrees(3, &seen);
            assert_eq!(lost, Trail::default());
        }
        assert!(!mine.agrees(
            3,
            &Seen {
                seq: u64::MAX,
                mark: Bytes::default()
            }
        ));
    }
}
