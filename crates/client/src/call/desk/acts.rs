//! What a person does about a room's call. Starting and joining are the local
//! yes: nothing else makes a part in a call.

use super::{Desk, Room, Tick};
use crate::{
    api::RequestError,
    call::{
        Deed,
        epochs::EpochKeys,
        ledger::{CallKey, CallSaying, CallSays},
        media::{Paths, Peer, Sending},
        session::{Opening, Session, clean_reaction},
    },
};
use sotto_wire::CallId;

impl Desk {
    pub fn start(
        &mut self,
        tick: &mut Tick<'_>,
        room: &Room<'_>,
        what: (CallId, bool, Sending),
        paths: Paths,
        epoch: EpochKeys,
    ) -> Result<(), RequestError> {
        let (call, video, sending) = what;
        if self.session.is_some() || self.running_live(tick.now.wall).is_some() {
            return Err(RequestError::CallRuns);
        }
        if room.members.len() < 2 {
            return Err(RequestError::NobodyThere);
        }
        let replaces = self.ledger.running.as_ref().map(|running| running.call);
        self.begin(
            tick,
            room,
            (call, video, sending),
            paths,
            epoch,
            true,
            |key| CallSays::Started {
                video,
                key,
                replaces,
            },
        );
        Ok(())
    }

    pub fn join(
        &mut self,
        tick: &mut Tick<'_>,
        room: &Room<'_>,
        (call, sending): (CallId, Sending),
        paths: Paths,
        epoch: EpochKeys,
    ) -> Result<(), RequestError> {
        let running = self.ledger.running.as_ref().filter(|r| r.call == call);
        let running = running.ok_or(RequestError::CallOver)?;
        if self.session.is_some() {
            return Ok(());
        }
        if running.is_full() && !running.seats.iter().any(|s| s.user == room.me.user) {
            let max = crate::call::SEATS_MAX;
            return Err(RequestError::CallFull { max });
        }
        let video = running.video;
        self.silence();
        self.begin(
            tick,
            room,
            (call, video, sending),
            paths,
            epoch,
            false,
            |key| CallSays::Joined { key },
        );
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the two ways into a call share it"
    )]
    pub(super) fn begin(
        &mut self,
        tick: &mut Tick<'_>,
        room: &Room<'_>,
        (call, video, sending): (CallId, bool, Sending),
        paths: Paths,
        epoch: EpochKeys,
        caller: bool,
        says: impl FnOnce(CallKey) -> CallSays,
    ) {
        let opening = Opening {
            room: room.id,
            call,
            me: room.me,
            caller,
            video,
            sending,
            paths,
            route: room.route,
            epoch,
        };
        let session = Session::open(tick, opening);
        let says = says(session.key);
        tick.out.push(Deed::Say(CallSaying { call, says }));
        self.session = Some(Box::new(session));
        self.ledger.part = Some(call);
        self.said_left = None;
        self.dirty = true;
    }

    pub fn decline(&mut self, tick: &mut Tick<'_>, call: CallId) -> Result<(), RequestError> {
        let running = self.ledger.running.as_ref().filter(|r| r.call == call);
        running.ok_or(RequestError::CallOver)?;
        if self.session.is_some() {
            return Err(RequestError::InCall);
        }
        self.silence();
        let says = CallSays::Declined;
        tick.out.push(Deed::Say(CallSaying { call, says }));
        Ok(())
    }

    pub fn leave(&mut self, tick: &mut Tick<'_>, room: &Room<'_>, call: CallId) {
        if self.session_call() == Some(call) {
            let end = self.own_end(room);
            self.hang_up(tick, room, end, true);
        }
    }

    pub fn set_sending(
        &mut self,
        tick: &mut Tick<'_>,
        sending: Sending,
    ) -> Result<(), RequestError> {
        let session = self.session.as_mut().ok_or(RequestError::NotInCall)?;
        session.set_sending(tick, sending);
        Ok(())
    }

    pub fn raise_hand(&mut self, tick: &mut Tick<'_>, up: bool) -> Result<(), RequestError> {
        let session = self.session.as_mut().ok_or(RequestError::NotInCall)?;
        session.raise_hand(tick, up);
        Ok(())
    }

    pub fn repair(&mut self, tick: &mut Tick<'_>, peer: Peer) -> Result<(), RequestError> {
        let session = self.session.as_mut().ok_or(RequestError::NotInCall)?;
        let known = session.repair(tick, peer);
        known.then_some(()).ok_or(RequestError::UnknownPerson)
    }

    pub fn react(&mut self, tick: &mut Tick<'_>, emoji: &str) -> Result<(), RequestError> {
        let session = self.session.as_mut().ok_or(RequestError::NotInCall)?;
        let emoji = clean_reaction(emoji).ok_or(RequestError::BadReaction)?;
        session.react(tick, emoji);
        Ok(())
    }
}
