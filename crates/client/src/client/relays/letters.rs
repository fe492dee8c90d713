//! Letters to one person: those that come, and those of this client that wait
//! for a relay to take them.

use crate::{
    api::{Change, Effect, Now, Rejected, Why},
    client::Client,
    room::record::{self, Letter},
    store::{Space, StoreError, Txn},
};
use sotto_wire::{MessageId, RelayAddress, RoomId, UserId, WireError};

impl Client {
    /// A direct message: room and knock in front, the rest sealed.
    pub(super) fn direct(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: &RelayAddress,
        from: UserId,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let head = RoomId::SIZE + MessageId::SIZE;
        let target = body.split_at_checked(head).and_then(|(head, sealed)| {
            let (room, knock) = head.split_at(RoomId::SIZE);
            let (room, knock) = (room.try_into().ok()?, knock.try_into().ok()?);
            Some((RoomId(room), MessageId(knock), sealed))
        });
        let known = target.filter(|(room, ..)| {
            self.rooms
                .get(room)
                .is_some_and(|room| room.record.relay == *relay)
        });
        let Some((room, knock, sealed)) = known else {
            let why = Why::UnwantedWelcome;
            let rejected = Rejected {
                room: None,
                from: Some(from),
                seq: None,
                why,
            };
            out.push(Effect::Reject(rejected));
            return Ok(());
        };
        self.with_room(now, txn, out, &room, |room, cx| {
            room.welcomed(cx, from, knock, sealed)
        })?;
        Ok(())
    }

    /// A Welcome does not reach the person it was made for, who is in the tree
    /// already. They can knock again; somebody has to tell them.
    pub(super) fn letter_refused(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        id: &MessageId,
        error: &WireError,
    ) -> Result<(), StoreError> {
        use sotto_wire::ErrorCode::{RateLimited, Unavailable};
        if matches!(error.code, RateLimited | Unavailable) {
            return Ok(()); // the next connection sends it again
        }
        let letter: Option<Letter> = record::read(txn, Space::Direct, id.as_bytes())?;
        let room = letter.as_ref().and_then(Letter::room);
        if let (Some(letter), Some(room)) = (letter, room) {
            self.with_room(now, txn, out, &room, |room, cx| {
                let change = Change::LetterRefused {
                    room: room.id(),
                    who: room.actor(letter.to),
                    code: error.code,
                };
                cx.show(change);
                Ok(())
            })?;
        }
        txn.delete(Space::Direct, id.as_bytes())
    }
}

/// Whether a letter of this id waits for this relay.
pub(super) fn awaits(
    txn: &dyn Txn,
    relay: &RelayAddress,
    id: &MessageId,
) -> Result<bool, StoreError> {
    let letter: Option<Letter> = record::read(txn, Space::Direct, id.as_bytes())?;
    Ok(letter.is_some_and(|letter| letter.relay == *relay))
}
