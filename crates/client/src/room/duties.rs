//! What is due by time: letting in, sweeping, renewing; who does first what any
//! member could do; and when to be woken for it.

use super::{Cx, Room, record::Wish};
use crate::store::StoreError;
use sotto_wire::{MessageId, Millis};

/// The own leaf is renewed after this long or this many messages, so that a
/// leaked state heals.
const RENEW_AFTER: Millis = 24 * 60 * 60 * 1000;
const RENEW_AFTER_SENT: u32 = 200;

impl Room {
    /// Turns what is due into wishes.
    pub(super) fn take_up_duties(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let now = cx.now.mono;
        let due: Vec<MessageId> = self
            .live
            .admit_at
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for knock in due {
            self.live.admit_at.remove(&knock);
            self.wish(Wish::Admit { knock });
        }
        if self.live.sweep_at.is_some_and(|at| at <= now) {
            self.live.sweep_at = None;
            self.wish(Wish::Sweep);
        }
        let old = cx.now.wall.saturating_sub(self.record.renewed_at) > RENEW_AFTER;
        let worn = self.record.sent_since >= RENEW_AFTER_SENT;
        let asked = self.live.renew_at.is_some_and(|at| at <= now);
        if old || worn || asked || self.record.renew_first {
            self.live.renew_at = None;
            self.wish(Wish::Renew);
        }
        Ok(())
    }

    /// How many members come before this one when something is to be done
    /// that one of them must do: the host first, then by leaf.
    pub(super) fn rank(&self, cx: &Cx<'_>) -> u64 {
        let me = cx.me.user();
        if self.host() == Some(me) {
            return 0;
        }
        let ahead = self.record.roster.iter().take_while(|m| m.user != me);
        1 + ahead
            .filter(|m| !self.record.leaving.contains(&m.user))
            .count() as u64
    }

    pub(super) fn renew_soon(&mut self, cx: &mut Cx<'_>) {
        use rand_core::Rng as _;
        let spread = u64::from(cx.rng.next_u32()) % 2_500;
        self.live.renew_at = Some(cx.now.mono + 500 + spread);
    }

    /// When this room wants to be woken (mono).
    pub fn next_wake(&self) -> Option<Millis> {
        let live = &self.live;
        let typing = live.typing.values().min().copied();
        let opening = live.reopening.due().filter(|_| self.waits_to_open());
        let always = [typing, opening, live.hold_until];
        if !self.is_current() || live.hold_until.is_some() || !self.is_member() {
            return always.into_iter().flatten().min();
        }
        let duties = [live.sweep_at, live.renew_at, typing];
        duties
            .into_iter()
            .flatten()
            .chain(live.admit_at.values().copied())
            .min()
    }

    pub fn wake(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.expire_typing(cx);
        self.try_opening(cx)?;
        self.open_again(cx)
    }
}
