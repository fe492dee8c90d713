//! What a person does about the room's call.

use super::Done;
use crate::{
    api::RequestError,
    call::{
        epochs::EpochKeys,
        media::{Paths, Peer, Sending},
    },
    room::{Cx, Room},
    store::StoreError,
};
use rand_core::Rng as _;
use sotto_wire::CallId;

impl Room {
    pub fn start_call(&mut self, cx: &mut Cx<'_>, video: bool, sending: Sending) -> Done {
        let mut call = [0; CallId::SIZE];
        cx.rng.fill_bytes(&mut call);
        let (paths, epoch) = match self.ready_for_call(cx)? {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error)),
        };
        let what = (CallId(call), video, sending);
        self.with_desk(cx, None, |desk, tick, room| {
            desk.start(tick, room, what, paths, epoch)
        })
    }

    pub fn join_call(&mut self, cx: &mut Cx<'_>, call: CallId, sending: Sending) -> Done {
        let (paths, epoch) = match self.ready_for_call(cx)? {
            Ok(ready) => ready,
            Err(error) => return Ok(Err(error)),
        };
        self.with_desk(cx, None, |desk, tick, room| {
            desk.join(tick, room, (call, sending), paths, epoch)
        })
    }

    pub(super) fn ready_for_call(
        &mut self,
        cx: &mut Cx<'_>,
    ) -> Result<Result<(Paths, EpochKeys), RequestError>, StoreError> {
        if !self.is_member() {
            return Ok(Err(RequestError::RoomOver));
        }
        if !cx.up || !self.is_current() {
            return Ok(Err(RequestError::Offline));
        }
        if cx.calls.hide_address && cx.calls.turn.is_none() {
            return Ok(Err(RequestError::NoRelayedPath));
        }
        let epoch = self.epoch_keys(cx)?;
        Ok(epoch
            .map(|epoch| (self.paths(cx), epoch))
            .ok_or(RequestError::Internal))
    }

    pub fn decline_call(&mut self, cx: &mut Cx<'_>, call: CallId) -> Done {
        self.with_desk(cx, None, |desk, tick, _| desk.decline(tick, call))
    }

    pub fn leave_call(&mut self, cx: &mut Cx<'_>, call: CallId) -> Done {
        self.with_desk(cx, None, |desk, tick, room| {
            desk.leave(tick, room, call);
            Ok(())
        })
    }

    pub fn set_sending(&mut self, cx: &mut Cx<'_>, sending: Sending) -> Done {
        self.with_desk(cx, None, |desk, tick, _| desk.set_sending(tick, sending))
    }

    pub fn raise_hand(&mut self, cx: &mut Cx<'_>, up: bool) -> Done {
        self.with_desk(cx, None, |desk, tick, _| desk.raise_hand(tick, up))
    }

    pub fn repair_call(&mut self, cx: &mut Cx<'_>, peer: Peer) -> Done {
        self.with_desk(cx, None, |desk, tick, _| desk.repair(tick, peer))
    }

    pub fn react(&mut self, cx: &mut Cx<'_>, emoji: &str) -> Done {
        self.with_desk(cx, None, |desk, tick, _| desk.react(tick, emoji))
    }
}
