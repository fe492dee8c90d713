//! Which sound says that a call waits. Pure: phases in, one sound out.

use sotto_client::call::view::CallPhase;
use sotto_media::audio::Ring;
use sotto_wire::CallId;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Bell {
    waiting: BTreeMap<CallId, Ring>,
    /// In a call: another that comes is seen, not heard.
    talking: Option<CallId>,
}

impl Bell {
    pub fn see(&mut self, call: CallId, phase: CallPhase) {
        self.forget(&call);
        match phase {
            CallPhase::Ringing { .. } => {
                self.waiting.insert(call, Ring::Incoming);
            }
            CallPhase::Calling { .. } => {
                self.waiting.insert(call, Ring::Outgoing);
            }
            CallPhase::Joined => self.talking = Some(call),
            CallPhase::Running | CallPhase::Over(_) => {}
        }
    }

    pub fn forget(&mut self, call: &CallId) {
        self.waiting.remove(call);
        self.talking = self.talking.filter(|talking| talking != call);
    }

    pub fn rings(&self) -> Option<Ring> {
        if self.talking.is_some() {
            return None;
        }
        let any = |ring| self.waiting.values().any(|waiting| *waiting == ring);
        // Whoever calls out hears that, and sees the other.
        [Ring::Outgoing, Ring::Incoming]
            .into_iter()
            .find(|r| any(*r))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_client::call::view::CallEnd;

    const ONE: CallId = CallId([1; 16]);
    const TWO: CallId = CallId([2; 16]);
    const RINGING: CallPhase = CallPhase::Ringing { until: 9 };

    #[test]
    fn it_rings_until_the_call_is_taken_or_over() {
        let mut bell = Bell::default();
        assert_eq!(bell.rings(), None);
        bell.see(ONE, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
        bell.see(ONE, CallPhase::Joined);
        assert_eq!(bell.rings(), None);
        bell.see(ONE, CallPhase::Over(CallEnd::Ended));
        bell.see(TWO, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Incoming));
        bell.forget(&TWO);
        assert_eq!(bell.rings(), None);
    }

    #[test]
    fn nobody_rings_into_a_conversation() {
        let mut bell = Bell::default();
        bell.see(ONE, CallPhase::Calling { until: 9 });
        assert_eq!(bell.rings(), Some(Ring::Outgoing));
        bell.see(TWO, RINGING);
        assert_eq!(bell.rings(), Some(Ring::Outgoing));
        bell.see(ONE, CallPhase::Joined);
        assert_eq!(bell.rings(), None);
        bell.see(ONE, CallPhase::Over(CallEnd::Ended));
        assert_eq!(bell.rings(), Some(Ring::Incoming));
    }
}
