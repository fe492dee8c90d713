//! Calls, as far as more than one room is concerned: this client is in one at
//! a time, and media knows calls by their id only.

use super::{
    Client,
    requests::{Answer, Turn},
};
use crate::{
    api::{Effect, Now, Outcome, Request, RequestError},
    call::{media::MediaReport, session::call_of, view::CallView},
    room::{Cx, Room},
    store::{StoreError, Txn},
};
use sotto_wire::{CallId, RoomId};

impl Client {
    /// The calls that ring or run, without those that are over.
    pub fn calls(&self) -> Vec<CallView> {
        self.rooms.values().filter_map(Room::call).collect()
    }

    /// The call of a room, if one rings or runs.
    pub fn call(&self, room: &RoomId) -> Option<CallView> {
        self.rooms.get(room)?.call()
    }

    /// The call that this client is in, and its room.
    pub fn own_call(&self) -> Option<(RoomId, CallId)> {
        let own = |room: &Room| Some((room.id(), room.own_call()?));
        self.rooms.values().find_map(own)
    }

    /// Something said of a call is on its way to a relay that is up.
    pub fn speaks_of_calls(&self) -> bool {
        let up = |room: &&Room| self.relays.is_up(&room.record.relay);
        self.rooms.values().filter(up).any(Room::speaks_of_calls)
    }

    /// What a person wants of a call. Starting and joining are the local yes.
    pub(super) fn call_request(&mut self, turn: &mut Turn<'_>, request: Request) -> Answer {
        use Request as R;
        match request {
            R::StartCall {
                room,
                video,
                sending,
            } => match self.is_busy(&room) {
                true => Ok(Err(RequestError::InCall)),
                false => self.in_room(turn, room, |r, cx| r.start_call(cx, video, sending)),
            },
            R::JoinCall {
                room,
                call,
                sending,
            } => match self.is_busy(&room) {
                true => Ok(Err(RequestError::InCall)),
                false => self.in_room(turn, room, |r, cx| r.join_call(cx, call, sending)),
            },
            R::DeclineCall { room, call } => {
                self.in_room(turn, room, |r, cx| r.decline_call(cx, call))
            }
            R::LeaveCall { room, call } => self.in_room(turn, room, |r, cx| r.leave_call(cx, call)),
            R::SetSending { call, sending } => {
                self.in_call(turn, call, |r, cx| r.set_sending(cx, sending))
            }
            R::RepairCall { call, peer } => {
                self.in_call(turn, call, |r, cx| r.repair_call(cx, peer))
            }
            R::TellBusy(on) => {
                if std::mem::replace(&mut self.me.tells_busy, on) != on {
                    self.me.save(turn.txn)?;
                }
                Ok(Ok(Outcome::Done))
            }
            R::RaiseHand { call, up } => self.in_call(turn, call, |r, cx| r.raise_hand(cx, up)),
            R::React { call, emoji } => self.in_call(turn, call, |r, cx| r.react(cx, &emoji)),
            _ => Ok(Err(RequestError::Internal)),
        }
    }

    /// In a call of another room.
    pub(super) fn is_busy(&self, room: &RoomId) -> bool {
        let busy = |other: &Room| other.id() != *room && other.own_call().is_some();
        self.rooms.values().any(busy)
    }

    fn in_call(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallId,
        act: impl FnOnce(&mut Room, &mut Cx<'_>) -> Result<Result<(), RequestError>, StoreError>,
    ) -> Answer {
        match self.room_of_call(call) {
            Some(room) => self.in_room(turn, room, act),
            None => Ok(Err(RequestError::NotInCall)),
        }
    }

    fn room_of_call(&self, call: CallId) -> Option<RoomId> {
        let it = |room: &&Room| room.own_call() == Some(call);
        self.rooms.values().find(it).map(Room::id)
    }

    /// Media speaks; of a call that is over, nothing is heard.
    pub(super) fn hear_media(
        &mut self,
        now: Now,
        txn: &mut dyn Txn,
        out: &mut Vec<Effect>,
        report: MediaReport,
    ) -> Result<(), StoreError> {
        if let Some(room) = self.room_of_call(call_of(&report)) {
            self.with_room(now, txn, out, &room, |room, cx| {
                room.call_report(cx, report)
            })?;
        }
        Ok(())
    }
}
