//! Signals that are too early: their sender's key is not known yet, or their
//! MLS epoch. They wait, few and not for long.

use super::{Session, Tick};
use crate::{
    api::Why,
    call::{media::Peer, signal::VALID},
};
use sotto_wire::Millis;

/// Signals that wait: of all, and of one end.
const EARLY_MAX: usize = 48;
const EARLY_EACH: usize = 16;
/// Bytes of one that waits.
const EARLY_BYTES: usize = 60 * 1024;

pub(super) struct Early {
    from: Peer,
    body: Vec<u8>,
    at: Millis,
}

impl Session {
    pub(super) fn keep_early(&mut self, tick: &mut Tick<'_>, from: Peer, body: &[u8]) {
        let now = tick.now.mono;
        self.drop_early(now);
        let of_them = self.early.iter().filter(|early| early.from == from);
        let room = of_them.count() < EARLY_EACH && self.early.len() < EARLY_MAX;
        if !room || body.len() > EARLY_BYTES {
            return tick.reject(from.user, Why::CallUnknown);
        }
        let body = body.to_vec();
        self.early.push(Early {
            from,
            body,
            at: now,
        });
    }

    pub(super) fn try_early(&mut self, tick: &mut Tick<'_>) {
        for early in std::mem::take(&mut self.early) {
            if tick.now.mono < early.at + VALID {
                let Early { from, body, at } = early;
                let (mut air, links) = self.air(tick);
                let heard = links
                    .get_mut(&from)
                    .is_some_and(|link| link.hear(&mut air, &body));
                if !heard {
                    self.early.push(Early { from, body, at });
                }
            }
        }
    }

    pub(super) fn drop_early(&mut self, now: Millis) {
        self.early.retain(|early| now < early.at + VALID);
    }
}
