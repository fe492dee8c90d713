//! What a relay says: heard here if it is about the relay, handed to the room
//! if it is about one.

use super::letters::awaits;
use crate::{
    api::{Change, Effect, Now, Rejected, Why},
    client::{
        Client,
        turn::{self, Offer},
    },
    room::Room,
    store::{Space, StoreError, Txn},
};
use sotto_wire::{
    ClientFrame, Millis, RelayAddress, RelayFrame, RoomId, codec::Envelope, limits::Limits,
};

/// Clocks that differ by less are nobody's concern (milliseconds).
const CLOCK_SLACK: i64 = 5 * 60 * 1000;
/// Longest word from an operator that is shown, in characters.
const NOTICE_MAX: usize = 2_000;

impl Client {
    pub(in crate::client) fn hear_relay(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: RelayAddress,
        envelope: Envelope<RelayFrame>,
    ) -> Result<(), StoreError> {
        match envelope.frame {
            RelayFrame::AuthOk {
                server_time,
                limits,
                ..
            } => self.signed_in(now, txn, out, &relay, server_time, limits),
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
            RelayFrame::TurnTaken {
                port,
                username,
                password,
                expires,
            } => {
                let offer = Offer {
                    port,
                    username,
                    password,
                    expires,
                };
                self.take_turn(now, txn, out, &relay, offer)
            }
            RelayFrame::Error(error) if turn::is_answer(&error) => {
                if let Some(known) = self.relays.0.get_mut(&relay) {
                    known.turn.refused(now, &error);
                }
                Ok(())
            }
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

    /// What time it is there, and how much it takes at a time.
    fn signed_in(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: &RelayAddress,
        server_time: Millis,
        limits: Limits,
    ) -> Result<(), StoreError> {
        let signed = |time| i64::try_from(time).unwrap_or(i64::MAX);
        let ahead_ms = signed(now.wall).saturating_sub(signed(server_time));
        if ahead_ms.abs() > CLOCK_SLACK {
            out.push(Effect::Show(Change::ClockWrong { ahead_ms }));
        }
        let Some(known) = self.relays.0.get_mut(relay) else {
            return Ok(());
        };
        known.ahead_ms = ahead_ms;
        if std::mem::replace(&mut known.limits, limits).frame == limits.frame {
            return Ok(());
        }
        // Whoever writes there counts to another length.
        let here = |room: &Room| room.record.relay == *relay;
        self.each_room(now, txn, out, here, |room, cx| {
            room.show(cx);
            Ok(())
        })
    }

    /// Calls in rooms of this relay can be relayed, from now on with this; one
    /// that goes on as well.
    fn take_turn(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        relay: &RelayAddress,
        offer: Offer,
    ) -> Result<(), StoreError> {
        let Some(known) = self.relays.0.get_mut(relay) else {
            return Ok(());
        };
        let wall = known.wall(now);
        known.turn.take(now, wall, relay, offer);
        let calls = |room: &Room| room.record.relay == *relay && room.own_call().is_some();
        self.each_room(now, txn, out, calls, |_, _| Ok(()))
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
