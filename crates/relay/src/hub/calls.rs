//! Calls of a room: who takes part, as far as a relay can see, and handing on
//! what the participants seal for each other. Nothing of it is stored: after a
//! restart the participants join again.
//!
//! Who is really in a call, the members agree on among themselves.

use super::{
    Action, Ask, ConnId, Decision, Hub, Plan,
    plan::{Passing, Quota},
    refuse,
    state::Room,
};
use sotto_wire::{
    Bytes, CallId, ErrorCode, Millis, RelayFrame, RoomId, UserId,
    frame::{CallKind, CallParticipant},
};
use std::collections::{BTreeMap, BTreeSet};

/// Who takes part, each on the connection that said so.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Call {
    pub seats: BTreeMap<CallParticipant, Seat>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Seat {
    /// `None` while the device is away.
    pub conn: Option<ConnId>,
    /// The tick that found it away.
    pub away: Option<Millis>,
}

impl Hub {
    pub(super) fn initiate_call(
        &self,
        ask: &Ask,
        id: RoomId,
        call: CallId,
        kind: CallKind,
        body: Bytes,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.member_room(&id, &ask.user)?;
        self.spend(ask, Quota::Ring, self.config.ring_rate, plan)?;
        self.sit_down(ask, id, room, call, plan)?;
        let rings = RelayFrame::CallInitiate {
            room: id,
            call,
            kind,
            from: ask.user,
            device: ask.device,
            body,
        };
        let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
        plan.fan(others, rings);
        Ok(())
    }

    pub(super) fn join_call(
        &self,
        ask: &Ask,
        id: RoomId,
        call: CallId,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.member_room(&id, &ask.user)?;
        self.sit_down(ask, id, room, call, plan)
    }

    fn sit_down(
        &self,
        ask: &Ask,
        id: RoomId,
        room: &Room,
        call: CallId,
        plan: &mut Plan,
    ) -> Decision {
        if !room.open.contains(&ask.conn) {
            return refuse(ErrorCode::NotFound, "open the room first");
        }
        let known = room.calls.get(&call);
        if known.is_none() && room.calls.len() >= self.config.calls_per_room {
            return refuse(ErrorCode::RoomFull, "too many calls in one room");
        }
        let end = participant(ask);
        let mut ends: BTreeSet<_> = known.map(ends).unwrap_or_default();
        ends.insert(end);
        if ends.len() > self.config.call_participants {
            return refuse(ErrorCode::RoomFull, "the call is full");
        }
        plan.pass(Passing::Sit {
            room: id,
            call,
            end,
            seat: Seat {
                conn: Some(ask.conn),
                away: None,
            },
        });
        self.tell_call(ask, id, room, call, ends, plan);
        Ok(())
    }

    pub(super) fn leave_call(
        &self,
        ask: &Ask,
        id: RoomId,
        call: CallId,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.member_room(&id, &ask.user)?;
        let end = participant(ask);
        let mut left = room.calls.get(&call).map(ends).unwrap_or_default();
        left.remove(&end);
        plan.pass(Passing::Rise {
            room: id,
            call,
            end,
        });
        self.tell_call(ask, id, room, call, left, plan);
        Ok(())
    }

    fn tell_call(
        &self,
        ask: &Ask,
        id: RoomId,
        room: &Room,
        call: CallId,
        ends: BTreeSet<CallParticipant>,
        plan: &mut Plan,
    ) {
        let updated = updated(id, call, ends);
        plan.answer(ask, updated.clone());
        let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
        plan.fan(others, updated);
    }

    /// From one participant to another; both must be in the call.
    pub(super) fn signal_call(
        &self,
        ask: &Ask,
        id: RoomId,
        call: CallId,
        to: CallParticipant,
        body: Bytes,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.member_room(&id, &ask.user)?;
        let known = room.calls.get(&call);
        let Some(known) = known.filter(|known| known.seats.contains_key(&participant(ask))) else {
            return refuse(ErrorCode::NotFound, "not in such a call");
        };
        let Some(conn) = known.seats.get(&to).and_then(|seat| seat.conn) else {
            return refuse(ErrorCode::RecipientOffline, "that device is not here now");
        };
        plan.send(
            conn,
            RelayFrame::CallSignal {
                room: id,
                call,
                from: ask.user,
                device: ask.device,
                body,
            },
        );
        Ok(())
    }

    /// For whoever is signed in. Whether there is a server for it the shell
    /// knows.
    pub(super) fn take_turn(&self, ask: &Ask, plan: &mut Plan) -> Decision {
        self.spend(ask, Quota::Turn, self.config.turn_rate, plan)?;
        plan.actions.push(Action::GiveTurn {
            conn: ask.conn,
            request: ask.request.clone(),
            user: ask.user,
            device: ask.device,
        });
        Ok(())
    }

    /// For somebody who opens the room: the calls that run in it.
    pub(super) fn send_calls(&self, ask: &Ask, id: RoomId, room: &Room, plan: &mut Plan) {
        for (call, known) in &room.calls {
            plan.send(ask.conn, updated(id, *call, ends(known)));
        }
    }

    /// Those who are no longer members no longer take part.
    pub(super) fn end_calls_of(
        &self,
        id: RoomId,
        room: &Room,
        leaving: &BTreeSet<UserId>,
        plan: &mut Plan,
    ) {
        self.clear_seats(id, room, |end, _| leaving.contains(&end.user), plan);
    }

    /// Whoever stays away is gone.
    pub(super) fn tick_calls(&self, now: Millis, id: RoomId, room: &Room, plan: &mut Plan) {
        for (call, known) in &room.calls {
            for (end, seat) in &known.seats {
                if seat.conn.is_none() && seat.away.is_none() {
                    let (call, end) = (*call, *end);
                    let seat = Seat {
                        conn: None,
                        away: Some(now),
                    };
                    plan.pass(Passing::Sit {
                        room: id,
                        call,
                        end,
                        seat,
                    });
                }
            }
        }
        let grace = self.config.call_grace;
        let gone = |seat: &Seat| seat.away.is_some_and(|since| since + grace <= now);
        self.clear_seats(id, room, |_, seat| gone(seat), plan);
    }

    fn clear_seats(
        &self,
        id: RoomId,
        room: &Room,
        gone: impl Fn(&CallParticipant, &Seat) -> bool,
        plan: &mut Plan,
    ) {
        for (call, known) in &room.calls {
            let (rising, staying): (Vec<_>, Vec<_>) =
                known.seats.iter().partition(|(end, seat)| gone(end, seat));
            if rising.is_empty() {
                continue;
            }
            for (end, _) in rising {
                plan.pass(Passing::Rise {
                    room: id,
                    call: *call,
                    end: *end,
                });
            }
            let staying = staying.into_iter().map(|(end, _)| *end).collect();
            plan.fan(room.open.iter().copied(), updated(id, *call, staying));
        }
    }
}

impl Room {
    pub(super) fn sit(&mut self, call: CallId, end: CallParticipant, seat: Seat) {
        let seats = &mut self.calls.entry(call).or_default().seats;
        seats.insert(end, seat);
    }

    pub(super) fn rise(&mut self, call: CallId, end: &CallParticipant) {
        if let Some(known) = self.calls.get_mut(&call) {
            known.seats.remove(end);
            if known.seats.is_empty() {
                self.calls.remove(&call);
            }
        }
    }

    /// The seats that were taken on this connection stay for a while.
    pub(super) fn lose(&mut self, conn: ConnId) {
        let seats = self.calls.values_mut().flat_map(|c| c.seats.values_mut());
        for seat in seats.filter(|seat| seat.conn == Some(conn)) {
            seat.conn = None;
        }
    }
}

fn participant(ask: &Ask) -> CallParticipant {
    CallParticipant {
        user: ask.user,
        device: ask.device,
    }
}

fn ends(call: &Call) -> BTreeSet<CallParticipant> {
    call.seats.keys().copied().collect()
}

fn updated(room: RoomId, call: CallId, ends: BTreeSet<CallParticipant>) -> RelayFrame {
    RelayFrame::CallUpdated {
        room,
        call,
        participants: ends.into_iter().collect(),
    }
}
