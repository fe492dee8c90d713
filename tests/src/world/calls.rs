//! Calls, in the words of a play.

use super::{Actor, World};
use sotto_client::{
    Change, Client, Outcome, Request, RequestError,
    call::{
        media::{MediaKey, MediaOrder, MediaReport, Paths, Peer, Sending, Source, SourceState},
        view::{CallEnd, CallPhase, CallView, Connection, Participant},
    },
    model::{CallOutcome, Privacy, SystemLine},
};
use sotto_wire::{CallId, Millis};

/// With a microphone and nothing else.
pub const VOICE: Sending = Sending {
    microphone: true,
    camera: false,
    screen: None,
};

impl World {
    /// Everybody of them is in one call, sees all the others in it, and hears
    /// them.
    pub fn talk_together(&self, people: &[&Actor]) {
        let mut users: Vec<_> = people.iter().map(|p| p.user()).collect();
        users.sort();
        for one in people {
            let call = one.sees_call();
            let mut seen: Vec<_> = call.participants.iter().map(|p| p.user).collect();
            seen.sort();
            assert_eq!(seen, users, "who {} sees in the call", one.name());
            for other in people.iter().filter(|p| p.name() != one.name()) {
                let state = one.sees_in_call(other);
                let name = (one.name(), other.name());
                assert_eq!(state.connection, Connection::Connected, "{name:?}");
                assert!(state.confirmed, "{name:?} are not confirmed");
                assert!(one.hears(other), "{name:?}: not heard");
            }
        }
    }
}

impl Actor {
    pub fn starts_call(&self) -> CallId {
        let room = self.room();
        self.asks(Request::StartCall {
            room,
            video: false,
            sending: VOICE,
        })
        .unwrap_or_else(|error| panic!("{} cannot call: {error}", self.name()));
        self.sees_call().call
    }

    /// How packets of the own call may travel, as media was told last.
    pub fn travels(&self) -> Paths {
        let mut scene = self.world.scene();
        let open = scene.machine(self.name).media.call.as_ref();
        open.expect("in a call").paths.clone()
    }

    /// Every candidate of others that media was handed.
    pub fn was_told(&self) -> Vec<String> {
        let mut scene = self.world.scene();
        let orders = scene.machine(self.name).media.orders.iter();
        orders
            .filter_map(|order| match order {
                MediaOrder::AddCandidate { candidate, .. } => Some(candidate.line.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn hides_address(&self, hide_address: bool) {
        self.asks(Request::SetPrivacy(Privacy { hide_address }))
            .expect("it is kept");
    }

    pub fn tries_to_call(&self) -> Result<Outcome, RequestError> {
        let room = self.room();
        self.asks(Request::StartCall {
            room,
            video: false,
            sending: VOICE,
        })
    }

    /// Accepts the call that rings, or joins the one that runs.
    pub fn joins_call(&self) {
        let (room, call) = (self.room(), self.sees_call().call);
        let joined = self.tries_to_join(call);
        joined.unwrap_or_else(|error| panic!("{} cannot join {room:?}: {error}", self.name()));
    }

    pub fn tries_to_join(&self, call: CallId) -> Result<Outcome, RequestError> {
        let room = self.room();
        self.asks(Request::JoinCall {
            room,
            call,
            sending: VOICE,
        })
    }

    pub fn declines_call(&self) {
        let (room, call) = (self.room(), self.sees_call().call);
        self.asks(Request::DeclineCall { room, call })
            .unwrap_or_else(|error| panic!("{} cannot decline: {error}", self.name()));
    }

    pub fn hangs_up(&self) {
        let (room, call) = (self.room(), self.sees_call().call);
        self.asks(Request::LeaveCall { room, call })
            .unwrap_or_else(|error| panic!("{} cannot hang up: {error}", self.name()));
    }

    pub fn sends_media(&self, sending: Sending) {
        let call = self.sees_call().call;
        self.asks(Request::SetSending { call, sending })
            .unwrap_or_else(|error| panic!("{} is not in the call: {error}", self.name()));
    }

    /// A device fails, or works again.
    pub fn finds_device(&self, source: Source, state: SourceState) {
        let call = self.sees_call().call;
        let report = MediaReport::Source {
            call,
            source,
            state,
        };
        self.world.scene().report_in(0, self.name, report);
    }

    pub fn tells_when_busy(&self, on: bool) {
        self.asks(Request::TellBusy(on))
            .unwrap_or_else(|error| panic!("{} cannot choose: {error}", self.name()));
    }

    pub fn repairs_call_with(&self, who: &Self) {
        let (call, peer) = (self.sees_call().call, self.sees_in_call(who));
        let peer = Peer {
            user: peer.user,
            device: peer.device,
        };
        self.asks(Request::RepairCall { call, peer })
            .unwrap_or_else(|error| panic!("{} cannot repair: {error}", self.name()));
    }

    pub fn raises_hand(&self, up: bool) {
        let call = self.sees_call().call;
        self.asks(Request::RaiseHand { call, up })
            .unwrap_or_else(|error| panic!("{} is not in the call: {error}", self.name()));
    }

    pub fn reacts(&self, emoji: &str) -> Result<Outcome, RequestError> {
        let (call, emoji) = (self.sees_call().call, emoji.to_owned());
        self.asks(Request::React { call, emoji })
    }

    pub fn call(&self) -> Option<CallView> {
        let room = self.room();
        let mut scene = self.world.scene();
        let client = scene.machine(self.name).client.as_ref();
        client.expect("the process runs").call(&room)
    }

    pub fn sees_call(&self) -> CallView {
        self.call()
            .unwrap_or_else(|| panic!("{} sees no call", self.name()))
    }

    pub fn sees_no_call(&self) {
        assert_eq!(self.call(), None, "what {} sees", self.name());
    }

    pub fn sees_in_call(&self, who: &Self) -> Participant {
        let user = who.user();
        let call = self.sees_call();
        let found = call.participants.into_iter().find(|p| p.user == user);
        found.unwrap_or_else(|| panic!("{} does not see {} in the call", self.name(), who.name()))
    }

    pub fn is_rung(&self) -> bool {
        let call = self.call();
        call.is_some_and(|call| matches!(call.phase, CallPhase::Ringing { .. }))
    }

    /// How the last call ended for this person, as it was shown.
    pub fn saw_end(&self) -> Option<CallEnd> {
        self.changes()
            .into_iter()
            .rev()
            .find_map(|change| match change {
                Change::Call(view) => match view.phase {
                    CallPhase::Over(end) => Some(end),
                    _ => None,
                },
                _ => None,
            })
    }

    /// What the timeline says of calls that are over.
    pub fn call_outcomes(&self) -> Vec<CallOutcome> {
        let ended = |line| match line {
            SystemLine::CallEnded { end, .. } => Some(end),
            _ => None,
        };
        self.lines().into_iter().filter_map(ended).collect()
    }

    /// The other's frames open here now.
    pub fn hears(&self, who: &Self) -> bool {
        self.world.scene().hears(self.name, who.name)
    }

    /// The key this person's frames are sealed under.
    pub fn seals_with(&self) -> MediaKey {
        let mut scene = self.world.scene();
        let open = scene.machine(self.name).media.call.as_ref();
        let key = open.and_then(|open| open.seals.clone());
        key.unwrap_or_else(|| panic!("{} seals nothing", self.name))
    }

    /// Every key that was ever handed to this person's media.
    pub fn knows_keys(&self) -> Vec<MediaKey> {
        let mut scene = self.world.scene();
        let orders = scene.machine(self.name).media.orders.iter();
        orders
            .filter_map(|order| match order {
                MediaOrder::OpenWith { key, .. } | MediaOrder::SealWith { key, .. } => {
                    Some(key.clone())
                }
                _ => None,
            })
            .collect()
    }

    pub fn orders(&self) -> Vec<MediaOrder> {
        self.world.scene().machine(self.name).media.orders.clone()
    }

    /// How often a device was opened here.
    pub fn captures(&self) -> usize {
        self.world.scene().machine(self.name).media.captured.len()
    }

    /// Nothing of a call is left in this person's media.
    pub fn is_quiet(&self) -> bool {
        self.world.scene().machine(self.name).media.call.is_none()
    }

    pub fn is_intercepted(&self) {
        self.world.scene().machine(self.name).media.intercepted = true;
    }

    pub fn loses_packets_to(&self, who: &Self) {
        self.world.scene().cut_line(self.name, who.name);
    }

    pub fn finds_way_to(&self, who: &Self) {
        self.world.scene().mend_line(self.name, who.name);
    }

    /// What the client knows of all its calls.
    pub fn all_calls(&self) -> Vec<CallView> {
        let mut scene = self.world.scene();
        let client = scene.machine(self.name).client.as_ref();
        client.map(Client::calls).unwrap_or_default()
    }

    /// The own clock is wrong by so much.
    pub fn has_wrong_clock(&self, ahead: i64) {
        self.world.scene().machine(self.name).skew = ahead;
    }

    /// World time.
    pub fn time(&self) -> Millis {
        self.world.scene().t
    }
}

impl Actor {
    /// Joins a call that somebody else is in, even if this person sees it as
    /// over.
    pub fn joins_call_of(&self, who: &Self) {
        let call = who.sees_call().call;
        self.tries_to_join(call)
            .unwrap_or_else(|error| panic!("{} cannot join: {error}", self.name()));
    }
}
