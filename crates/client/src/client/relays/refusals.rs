//! A request that a relay refused: whose it was.

use super::letters::awaits;
use crate::{
    api::{Effect, Now},
    client::Client,
    room::Room,
    store::{StoreError, Txn},
};
use sotto_wire::{MessageId, RelayAddress, RoomId, WireError, bytes::decode_array};

impl Client {
    /// An error names the request by its id: a message, a knock, a letter, or
    /// the room that was to be made, opened, left or deleted.
    pub(super) fn refused(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: &RelayAddress,
        error: WireError,
    ) -> Result<(), StoreError> {
        let id = error
            .id
            .as_ref()
            .and_then(|id| decode_array(id.as_str()).map(MessageId));
        if let Some(id) = id
            && awaits(txn, relay, &id)?
        {
            return self.letter_refused(now, txn, out, &id, &error);
        }
        let opened = id.map(|id| RoomId(id.0));
        let lives_there = |id: &RoomId| {
            let room = self.rooms.get(id);
            room.is_some_and(|room| room.record.relay == *relay)
        };
        if let Some(opened) = opened.filter(lives_there) {
            self.with_room(now, txn, out, &opened, |room, cx| {
                room.request_refused(cx, &error)
            })?;
            return Ok(());
        }
        let here: Vec<RoomId> = self
            .rooms
            .values()
            .filter(|room| room.record.relay == *relay)
            .map(Room::id)
            .collect();
        for room in here {
            let ours = self.with_room(now, txn, out, &room, |room, cx| {
                room.refused(cx, id, &error)
            })?;
            if ours == Some(true) {
                return Ok(());
            }
        }
        Ok(())
    }
}
