//! The relays this client uses, and what they say.

use super::Client;
use crate::{
    api::{Change, Effect, Now, Rejected, Why},
    call::media::Paths,
    room::{CallSide, Room, record, record::Letter},
    store::{Space, StoreError, Txn},
};
use serde::{Deserialize, Serialize};
use sotto_wire::{
    ClientFrame, MessageId, RelayAddress, RelayFrame, RoomId, UserId, WireError,
    bytes::decode_array, codec::Envelope, frame::Token,
};
use std::collections::BTreeMap;

/// Clocks that differ by less are nobody's concern (milliseconds).
const CLOCK_SLACK: i64 = 5 * 60 * 1000;
/// Longest word from an operator that is shown, in characters.
const NOTICE_MAX: usize = 2_000;

pub(super) struct Relays(BTreeMap<RelayAddress, Relay>);

struct Relay {
    up: bool,
    stored: Stored,
    /// The own clock is so far ahead of the relay's (milliseconds).
    ahead_ms: i64,
    paths: Paths,
}

impl Relay {
    fn new(stored: Stored) -> Self {
        Self {
            up: false,
            stored,
            ahead_ms: 0,
            paths: Paths::default(),
        }
    }
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    address: RelayAddress,
    /// What invite links name instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<RelayAddress>,
    /// For the first sign-in; gone when that has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<Token>,
}

impl Stored {
    fn write(&self, txn: &mut dyn Txn) -> Result<(), StoreError> {
        let key = self.address.to_string();
        record::write(txn, Space::Relay, key.as_bytes(), self)
    }
}

impl Relays {
    pub fn load(txn: &dyn Txn) -> Result<Self, StoreError> {
        let stored: Vec<Stored> = record::scan(txn, Space::Relay, b"")?;
        Ok(Self(
            stored
                .into_iter()
                .map(|stored| (stored.address.clone(), Relay::new(stored)))
                .collect(),
        ))
    }

    pub fn wanted(&self) -> Vec<RelayAddress> {
        self.0.keys().cloned().collect()
    }

    pub fn is_up(&self, relay: &RelayAddress) -> bool {
        self.0.get(relay).is_some_and(|relay| relay.up)
    }

    /// `false`: it was there already.
    pub fn add(&mut self, txn: &mut dyn Txn, address: &RelayAddress) -> Result<bool, StoreError> {
        if self.0.contains_key(address) {
            return Ok(false);
        }
        let stored = Stored {
            address: address.clone(),
            public: None,
            code: None,
        };
        stored.write(txn)?;
        let relay = Relay::new(stored);
        self.0.insert(address.clone(), relay);
        Ok(true)
    }

    /// Changes what is kept of a relay; `false` if there was nothing to change.
    fn change(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
        change: impl FnOnce(&mut Stored),
    ) -> Result<bool, StoreError> {
        let Some(relay) = self.0.get_mut(address) else {
            return Ok(false);
        };
        let before = relay.stored.clone();
        change(&mut relay.stored);
        if relay.stored == before {
            return Ok(false);
        }
        relay.stored.write(txn)?;
        Ok(true)
    }

    /// The code for the first sign-in; `None` forgets it.
    pub fn set_code(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
        code: Option<Token>,
    ) -> Result<bool, StoreError> {
        self.change(txn, address, |stored| stored.code = code)
    }

    pub fn code(&self, address: &RelayAddress) -> Option<Token> {
        self.0.get(address)?.stored.code.clone()
    }

    /// Where others reach it, if that is not where this client does.
    pub fn set_public(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
        public: Option<RelayAddress>,
    ) -> Result<bool, StoreError> {
        let public = public.filter(|public| public != address);
        self.change(txn, address, |stored| stored.public = public)
    }

    pub fn public(&self, address: &RelayAddress) -> Option<&RelayAddress> {
        self.0.get(address)?.stored.public.as_ref()
    }

    /// How this client dials what others call by this address.
    pub fn dialed(&self, address: &RelayAddress) -> RelayAddress {
        let same = |relay: &&Relay| relay.stored.public.as_ref() == Some(address);
        let own = self.0.values().find(same);
        own.map_or(address, |relay| &relay.stored.address).clone()
    }

    /// How packets of calls travel for rooms of this relay.
    pub fn set_paths(&mut self, address: &RelayAddress, paths: Paths) {
        if let Some(relay) = self.0.get_mut(address) {
            relay.paths = paths;
        }
    }

    /// What calls in its rooms need to know. Two ends whose clocks differ
    /// agree on the time by the relay's.
    pub fn call_side(&self, address: &RelayAddress, now: Now) -> CallSide<'_> {
        let relay = self.0.get(address);
        let ahead = relay.map_or(0, |relay| relay.ahead_ms);
        CallSide {
            wall: now.wall.saturating_add_signed(ahead.saturating_neg()),
            paths: relay.map(|relay| &relay.paths),
        }
    }

    pub fn remove(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
    ) -> Result<bool, StoreError> {
        txn.delete(Space::Relay, address.to_string().as_bytes())?;
        Ok(self.0.remove(address).is_some())
    }

    fn set_up(&mut self, relay: &RelayAddress, up: bool) -> bool {
        match self.0.get_mut(relay) {
            Some(known) => {
                known.up = up;
                true
            }
            None => false,
        }
    }
}

impl Client {
    pub(super) fn relay_up(
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

    pub(super) fn relay_down(
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
    pub(super) fn move_relay(
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

    pub(super) fn hear_relay(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: RelayAddress,
        envelope: Envelope<RelayFrame>,
    ) -> Result<(), StoreError> {
        match envelope.frame {
            RelayFrame::AuthOk { server_time, .. } => {
                let signed = |time| i64::try_from(time).unwrap_or(i64::MAX);
                let ahead_ms = signed(now.wall).saturating_sub(signed(server_time));
                if let Some(known) = self.relays.0.get_mut(&relay) {
                    known.ahead_ms = ahead_ms;
                }
                if ahead_ms.abs() > CLOCK_SLACK {
                    out.push(Effect::Show(Change::ClockWrong { ahead_ms }));
                }
                Ok(())
            }
            RelayFrame::Notice { body, .. } => {
                let body = crate::model::clean_text(&body, true);
                let body = body.chars().take(NOTICE_MAX).collect();
                out.push(Effect::Show(Change::Notice { relay, body }));
                Ok(())
            }
            RelayFrame::DirectReceive { id, from, body } => {
                self.direct(now, txn, out, &relay, from, &body)?;
                let envelope = Envelope::from(ClientFrame::DirectReceived { id });
                out.push(Effect::Send { relay, envelope });
                Ok(())
            }
            RelayFrame::DirectAck { id } => match awaits(txn, &relay, &id)? {
                true => txn.delete(Space::Direct, id.as_bytes()),
                false => Ok(()),
            },
            RelayFrame::Error(error) => self.refused(now, txn, out, &relay, error),
            // Nothing depends on these, and nothing needs to.
            RelayFrame::AuthError { .. }
            | RelayFrame::Pong
            | RelayFrame::KeysPublished { .. }
            | RelayFrame::KeysTaken { .. }
            | RelayFrame::KeysLow { .. } => Ok(()),
            frame => self.hear_in_room(now, txn, out, &relay, frame),
        }
    }

    /// A frame about one room. A relay speaks only for the rooms that live on
    /// it.
    fn hear_in_room(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: &RelayAddress,
        frame: RelayFrame,
    ) -> Result<(), StoreError> {
        let Some(id) = room_of(&frame) else {
            return Ok(());
        };
        let lives_there = self
            .rooms
            .get(&id)
            .is_some_and(|room| room.record.relay == *relay);
        if !lives_there {
            let rejected = Rejected {
                room: Some(id),
                from: None,
                seq: None,
                why: Why::UnknownRoom,
            };
            out.push(Effect::Reject(rejected));
            return Ok(());
        }
        self.with_room(now, txn, out, &id, |room, cx| match frame {
            RelayFrame::RoomCreated { .. } => room.created(cx),
            RelayFrame::RoomOpened(opened) => room.opened(cx, opened),
            RelayFrame::RoomKnocked {
                knock, from, body, ..
            } => room.knocked(cx, knock, from, &body),
            RelayFrame::RoomDenied { knock, .. } => {
                if room.denied(&knock) {
                    Ok(())
                } else {
                    room.knock_denied(cx, &knock)
                }
            }
            RelayFrame::RoomLeft { .. } => room.departed(cx),
            RelayFrame::RoomDeleted { .. } => room.deleted_by_relay(cx),
            RelayFrame::ChatAck { id, seq, at, .. } => room.acknowledged(cx, id, seq, at),
            RelayFrame::ChatReceive(message) => room.receive(cx, message),
            RelayFrame::ChatSignal { from, body, .. } => room.signaled(cx, from, &body),
            RelayFrame::ChatDelivered {
                user,
                device,
                up_to,
                ..
            } => {
                room.delivered(cx, user, device, up_to);
                Ok(())
            }
            RelayFrame::PresenceUpdate { user, action, .. } => room.presence(cx, user, action),
            RelayFrame::CallInitiate {
                call,
                from,
                device,
                body,
                ..
            } => room.call_initiated(cx, (from, device), call, &body),
            RelayFrame::CallUpdated {
                call, participants, ..
            } => room.call_updated(cx, call, &participants),
            RelayFrame::CallSignal {
                call,
                from,
                device,
                body,
                ..
            } => room.call_signaled(cx, (from, device), call, &body),
            RelayFrame::HostUpdated { host, .. } => {
                room.host_updated(host);
                Ok(())
            }
            _ => Ok(()),
        })?;
        Ok(())
    }

    /// A direct message: room and knock in front, the rest sealed.
    fn direct(
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

    /// An error names the request by its id: a message, a knock, a letter, or
    /// the room that was to be made, opened, left or deleted.
    fn refused(
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
            return self.letter_refused(txn, out, &id, &error);
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

    fn letter_refused(
        &mut self,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        id: &MessageId,
        error: &WireError,
    ) -> Result<(), StoreError> {
        use sotto_wire::ErrorCode::{RateLimited, Unavailable};
        if matches!(error.code, RateLimited | Unavailable) {
            return Ok(()); // the next connection sends it again
        }
        out.push(Effect::Show(Change::Refused {
            room: None,
            code: error.code,
        }));
        txn.delete(Space::Direct, id.as_bytes())
    }
}

/// Whether a letter of this id waits for this relay.
fn awaits(txn: &dyn Txn, relay: &RelayAddress, id: &MessageId) -> Result<bool, StoreError> {
    let letter: Option<Letter> = record::read(txn, Space::Direct, id.as_bytes())?;
    Ok(letter.is_some_and(|letter| letter.relay == *relay))
}

fn room_of(frame: &RelayFrame) -> Option<RoomId> {
    match frame {
        RelayFrame::RoomCreated { room }
        | RelayFrame::RoomLeft { room }
        | RelayFrame::RoomDeleted { room }
        | RelayFrame::RoomKnocked { room, .. }
        | RelayFrame::RoomDenied { room, .. }
        | RelayFrame::HostUpdated { room, .. }
        | RelayFrame::ChatAck { room, .. }
        | RelayFrame::ChatSignal { room, .. }
        | RelayFrame::ChatDelivered { room, .. }
        | RelayFrame::PresenceUpdate { room, .. }
        | RelayFrame::CallInitiate { room, .. }
        | RelayFrame::CallUpdated { room, .. }
        | RelayFrame::CallSignal { room, .. } => Some(*room),
        RelayFrame::RoomOpened(opened) => Some(opened.room),
        RelayFrame::ChatReceive(message) => Some(message.room),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
