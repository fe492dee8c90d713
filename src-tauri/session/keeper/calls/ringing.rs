//! The calls that ring here, and what is worth saying about them. Pure.

use crate::session::notes::CallNote;
use sotto_client::call::view::{CallEnd, CallPhase, CallView};
use sotto_wire::{CallId, RoomId};

#[derive(Debug, Default)]
pub struct Ringing {
    /// The eldest first.
    pub calls: Vec<CallView>,
    /// The call that this person is in.
    pub own: Option<CallId>,
    /// A window of its own shows them.
    pub in_window: bool,
}

impl Ringing {
    /// Everything anew, for a page that begins.
    pub fn renew(&mut self, calls: &[CallView]) {
        self.calls.clear();
        self.own = None;
        for call in calls {
            let _ = self.see(call);
        }
    }

    /// What is worth a note in a call's new state.
    pub fn see(&mut self, call: &CallView) -> Option<CallNote> {
        let rang = self.forget(&call.call);
        match call.phase {
            CallPhase::Ringing { .. } => {
                self.calls.push(call.clone());
                self.calls.sort_by_key(|call| call.started);
                (!rang).then_some(CallNote::Incoming { video: call.video })
            }
            CallPhase::Over(CallEnd::Missed) => rang.then_some(CallNote::Missed),
            CallPhase::Calling { .. } | CallPhase::Joined => {
                self.own = Some(call.call);
                None
            }
            CallPhase::Running | CallPhase::Over(_) => None,
        }
    }

    /// Whether it rang.
    pub fn forget(&mut self, call: &CallId) -> bool {
        if self.own == Some(*call) {
            self.own = None;
        }
        let before = self.calls.len();
        self.calls.retain(|one| one.call != *call);
        self.calls.len() < before
    }

    pub fn any(&self) -> bool {
        !self.calls.is_empty()
    }

    pub fn room_of(&self, call: &CallId) -> Option<RoomId> {
        let rings = self.calls.iter().find(|one| one.call == *call);
        rings.map(|call| call.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_client::call::view::{MediaState, Route};
    use sotto_wire::UserId;

    const RING: CallPhase = CallPhase::Ringing { until: 9 };

    fn call(id: u8, phase: CallPhase) -> CallView {
        CallView {
            room: RoomId([id; 16]),
            call: CallId([id; 16]),
            video: true,
            by: UserId([3; 32]),
            by_verified: false,
            started: u64::from(id),
            phase,
            participants: Vec::new(),
            own: MediaState::default(),
            sources: Vec::new(),
            route: Route::Direct,
            busy: Vec::new(),
            epoch: 0,
            key_generation: 0,
        }
    }

    #[test]
    fn it_rings_once_and_is_missed_only_where_it_rang() {
        let ring = call(1, RING);
        let missed = call(1, CallPhase::Over(CallEnd::Missed));
        let mut ringing = Ringing::default();
        assert_eq!(ringing.see(&missed), None);
        assert_eq!(ringing.see(&ring), Some(CallNote::Incoming { video: true }));
        assert_eq!(ringing.see(&ring), None, "it rings already");
        assert_eq!(ringing.see(&missed), Some(CallNote::Missed));
        assert_eq!(ringing.see(&missed), None);

        let mut ringing = Ringing::default();
        ringing.renew(&[ring]);
        assert_eq!(ringing.see(&call(1, CallPhase::Joined)), None);
        assert_eq!(ringing.see(&missed), None, "it was taken");
    }

    #[test]
    fn only_a_call_that_rings_can_be_answered_and_the_eldest_comes_first() {
        let mut ringing = Ringing::default();
        let _ = ringing.see(&call(2, RING));
        let _ = ringing.see(&call(1, RING));
        assert_eq!(ringing.calls[0].call, CallId([1; 16]));
        assert_eq!(ringing.room_of(&CallId([2; 16])), Some(RoomId([2; 16])));
        let _ = ringing.see(&call(2, CallPhase::Running));
        assert_eq!(ringing.room_of(&CallId([2; 16])), None);
    }

    #[test]
    fn the_own_call_is_known_until_it_is_over() {
        let mut ringing = Ringing::default();
        let _ = ringing.see(&call(1, CallPhase::Joined));
        assert_eq!(ringing.own, Some(CallId([1; 16])));
        let _ = ringing.see(&call(2, RING));
        assert!(ringing.own.is_some());
        let _ = ringing.see(&call(1, CallPhase::Over(CallEnd::Ended)));
        assert_eq!(ringing.own, None);
    }
}
