//! What media and the relay say of the other ends.

use super::{Session, Tick};
use crate::call::{
    Deed,
    media::{MediaReport, Peer, SourceState},
};
use sotto_wire::{CallId, DeviceId};

impl Session {
    pub fn report(&mut self, tick: &mut Tick<'_>, report: MediaReport) {
        use MediaReport as R;
        if let R::Source { source, state, .. } = report {
            let before = self.own_state();
            match state {
                SourceState::Works => self.sources.remove(&source),
                broken => self.sources.insert(source, broken),
            };
            // The others wait for what will not come, unless they are told.
            if self.own_state() != before {
                self.tell_state(tick);
            }
            return;
        }
        let (mut air, links) = self.air(tick);
        let Some(link) = peer_of(&report).and_then(|peer| links.get_mut(&peer)) else {
            return;
        };
        if link.dropped {
            return;
        }
        match report {
            R::Described { description, .. } => link.described(&mut air, description),
            R::Gathered { candidate, .. } => {
                if let Some(candidate) = candidate {
                    link.gathered(&mut air, candidate);
                }
            }
            R::Connected { local, remote, .. } => link.connected(&mut air, (local, remote)),
            R::Interrupted { .. } => link.interrupted(&mut air),
            R::Failed { why, .. } => link.failed(&mut air, why),
            R::KeyMissing { .. } => {
                link.key_missing = true;
                link.acknowledge(&mut air);
                link.debts.begin(air.mono());
            }
            R::KeyFound { .. } => link.key_missing = false,
            R::Source { .. } => {}
        }
    }

    /// The relay's word on who is in the call.
    pub fn present(&mut self, tick: &mut Tick<'_>, devices: &[DeviceId]) {
        let (mut air, links) = self.air(tick);
        for link in links.values_mut() {
            let here = devices.contains(&link.peer.device);
            link.present(&mut air, here);
        }
        self.share_keys(tick);
    }

    /// Own addresses changed: new paths are looked for before the old ones are
    /// missed.
    pub fn network_changed(&mut self, tick: &mut Tick<'_>) {
        let (mut air, links) = self.air(tick);
        for link in links.values_mut().filter(|link| !link.dropped) {
            link.moved(&mut air);
        }
    }

    /// The relay is back, and may have forgotten everything.
    pub fn relay_up(&mut self, tick: &mut Tick<'_>) {
        if !self.told {
            return;
        }
        tick.out.push(Deed::Join(self.call));
        let (mut air, links) = self.air(tick);
        for link in links.values_mut().filter(|link| !link.dropped) {
            link.gone = false;
            link.revive(&mut air);
            link.debts.now(air.mono());
            link.pay(&mut air);
        }
    }
}

fn peer_of(report: &MediaReport) -> Option<Peer> {
    use MediaReport as R;
    match report {
        R::Described { peer, .. }
        | R::Gathered { peer, .. }
        | R::Connected { peer, .. }
        | R::Interrupted { peer, .. }
        | R::Failed { peer, .. }
        | R::KeyMissing { peer, .. }
        | R::KeyFound { peer, .. } => Some(*peer),
        R::Source { .. } => None,
    }
}

/// The call that a report is about.
pub(crate) fn call_of(report: &MediaReport) -> CallId {
    use MediaReport as R;
    match report {
        R::Described { call, .. }
        | R::Gathered { call, .. }
        | R::Connected { call, .. }
        | R::Interrupted { call, .. }
        | R::Failed { call, .. }
        | R::KeyMissing { call, .. }
        | R::KeyFound { call, .. }
        | R::Source { call, .. } => *call,
    }
}
