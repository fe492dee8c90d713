//! A connection that comes or goes, and a relay that moves: what the rooms and
//! letters on it do then.

use crate::{
    api::{Effect, Now},
    client::{Client, turn},
    room::{Room, record, record::Letter},
    store::{Space, StoreError, Txn},
};
use sotto_wire::{RelayAddress, codec::Envelope};

impl Client {
    pub(in crate::client) fn relay_up(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: RelayAddress,
    ) -> Result<(), StoreError> {
        if !self.relays.set_up(&relay, true) {
            return Ok(());
        }
        self.relays.set_code(txn, &relay, None)?;
        // Before any room is opened: a call that can begin then knows the answer.
        out.push(Effect::Send {
            relay: relay.clone(),
            envelope: turn::request(),
        });
        for letter in record::scan::<Letter>(txn, Space::Direct, b"")? {
            if letter.relay == relay {
                let envelope = Envelope::from(letter.frame());
                out.push(Effect::Send {
                    relay: relay.clone(),
                    envelope,
                });
            }
        }
        let here = |room: &Room| room.record.relay == relay;
        self.each_room(now, txn, out, here, |room, cx| {
            room.relay_up(cx)?;
            room.call_relay_up(cx)
        })
    }

    pub(in crate::client) fn relay_down(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: &RelayAddress,
    ) -> Result<(), StoreError> {
        self.relays.set_up(relay, false);
        let here = |room: &Room| room.record.relay == *relay;
        self.each_room(now, txn, out, here, |room, _| {
            room.relay_down();
            room.call_relay_down();
            Ok(())
        })
    }

    /// Everything that lives on a relay goes on at another address of the same
    /// one.
    pub(in crate::client) fn move_relay(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        from: &RelayAddress,
        to: &RelayAddress,
    ) -> Result<(), StoreError> {
        self.relay_down(now, txn, out, from)?;
        for mut letter in record::scan::<Letter>(txn, Space::Direct, b"")? {
            if letter.relay == *from {
                letter.relay = to.clone();
                record::write(txn, Space::Direct, letter.id.as_bytes(), &letter)?;
            }
        }
        let there = |room: &Room| room.record.relay == *from;
        self.each_room(now, txn, out, there, |room, _| {
            room.move_to(to.clone());
            Ok(())
        })?;
        if self.relays.remove(txn, from)? {
            out.push(Effect::Disconnect {
                relay: from.clone(),
            });
        }
        if self.relays.add(txn, to)? {
            out.push(Effect::Connect { relay: to.clone() });
        }
        if self.relays.is_up(to) {
            self.relay_up(now, txn, out, to.clone())?;
        }
        Ok(())
    }
}
