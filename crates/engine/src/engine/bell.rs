//! Which sound says that a call waits. Pure: phases in, one sound out.

use sotto_client::call::view::CallPhase;
use sotto_media::audio::Ring;
use sotto_wire::{CallId, RoomId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Bell {
    waiting: BTreeMap<CallId, (RoomId, Ring)>,
    /// In a call: another that comes is seen, not heard.
    talking: Option<CallId>,
    /// Calls of these rooms are seen, not heard.
    muted: BTreeSet<RoomId>,
    /// No call that comes is heard.
    silent: bool,
}

impl Bell {
    pub fn see(&mut self, call: CallId, room: RoomId, phase: CallPhase) {
        self.forget(&call);
        match phase {
            CallPhase::Ringing { .. } => {
                self.waiting.insert(call, (room, Ring::Incoming));
            }
            CallPhase::Calling { .. } => {
                self.waiting.insert(call, (room, Ring::Outgoing));
            }
            CallPhase::Joined => self.talking = Some(call),
            CallPhase::Running | CallPhase::Over(_) => {}
        }
    }

    pub fn forget(&mut self, call: &CallId) {
        self.waiting.remove(call);
        self.talking = self.talking.filter(|talking| talking != call);
    }

    /// Whether somebody wants to hear nothing of this room.
    pub fn mute(&mut self, room: RoomId, muted: bool) {
        match muted {
            true => self.muted.insert(room),
            false => self.muted.remove(&room),
        };
    }

    /// Whether somebody wants to hear of no call at all.
    pub fn silence(&mut self, silent: bool) {
        self.silent = silent;
    }

    /// Of no call anything is known any more.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.talking = None;
    }

    pub fn rings(&self) -> Option<Ring> {
        if self.talking.is_some() {
            return None;
        }
        // Whoever calls out hears that, and sees the other.
        [Ring::Outgoing, Ring::Incoming]
            .into_iter()
            .find(|ring| self.waiting.values().any(|one| self.hears(one, *ring)))
    }

    /// What one does oneself is no notification: calling out is always heard.
    fn hears(&self, (room, waiting): &(RoomId, Ring), ring: Ring) -> bool {
        let quiet = self.silent || self.muted.contains(room);
        *waiting == ring && (ring != Ring::Incoming || !quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_client::call::view::CallEnd;

    const ONE: CallId = CallId([1; 16]);
    const TWO: CallId = CallId([2; 16]);
    const ROOM: RoomId = RoomId([3; 16]);
    const OTHER: RoomId = RoomId([4; 16]);
    const RINGING: CallPhase = CallPhase::Ringing { until: 9 };

    #[test]
    fn it_rings_until_the_call_is_taken_or_over() {
        let mut bell = Bell::default();
        assert_eq!(bell.rings(), None);
        bell.see(ONE, ROOM, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
        bell.see(ONE, ROOM, CallPhase::Joined);
        assert_eq!(bell.rings(), None);
        bell.see(ONE, ROOM, CallPhase::Over(CallEnd::Ended));
        bell.see(TWO, ROOM, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
        bell.forget(&TWO);
        assert_eq!(bell.rings(), None);
    }

    #[test]
    fn nobody_rings_into_a_conversation() {
        let mut bell = Bell::default();
        bell.see(ONE, ROOM, CallPhase::Calling { until: 9 });
        assert_eq!(bell.rings(), Some(Ring::Outgoing));
        bell.see(TWO, ROOM, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Outgoing));
        bell.see(ONE, ROOM, CallPhase::Joined);
        assert_eq!(bell.rings(), None);
        bell.see(ONE, ROOM, CallPhase::Over(CallEnd::Ended));
        assert_eq!(bell.rings(), Some(Ring::Incoming));
    }

    #[test]
    fn a_muted_room_is_not_heard_and_others_are() {
        let mut bell = Bell::default();
        bell.mute(ROOM, true);
        bell.see(ONE, ROOM, RINGING);
        assert_eq!(bell.rings(), None);
        bell.see(TWO, OTHER, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
        // Muted while it rings, and heard again.
        bell.mute(OTHER, true);
        assert_eq!(bell.rings(), None);
        bell.mute(ROOM, false);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
    }

    #[test]
    fn without_sounds_only_the_own_call_is_heard() {
        let mut bell = Bell::default();
        bell.silence(true);
        bell.mute(ROOM, true);
        bell.see(ONE, ROOM, RINGING);
        assert_eq!(bell.rings(), None);
        bell.see(TWO, ROOM, CallPhase::Calling { until: 9 });
        assert_eq!(bell.rings(), Some(Ring::Outgoing));
        bell.forget(&TWO);
        bell.mute(ROOM, false);
        bell.silence(false);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
    }
}
