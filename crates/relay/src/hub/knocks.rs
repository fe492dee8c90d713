//! Asking to be let in. The relay cannot judge a knock: its body is sealed
//! under the invite's secret. It only keeps it until a member answers.

use super::{
    Action, Ask, Change, Decision, Hub, Plan,
    bucket::Rate,
    plan::{Passing, Quota},
    refuse,
    state::{Knock, Room},
};
use sotto_wire::{Bytes, ErrorCode, MessageId, RelayFrame, RoomId, WireError};

impl Hub {
    pub(super) fn knock(
        &self,
        ask: &Ask,
        id: RoomId,
        knock: MessageId,
        body: Bytes,
        plan: &mut Plan,
    ) -> Decision {
        // First, so that guessing room ids is slow.
        self.spend(ask, Quota::Knock, self.config.knock_rate, plan)?;
        let room = self.room(&id)?;
        let pending = room.knocks.get(&ask.user);
        if pending.is_some_and(|pending| pending.id == knock) {
            return Ok(());
        }
        if pending.is_none() && room.knocks.len() >= self.config.knocks_per_room {
            return Err(WireError::rate_limited(60_000));
        }
        let user = ask.user;
        let knocked = RelayFrame::RoomKnocked {
            room: id,
            knock,
            from: user,
            body: body.clone(),
        };
        plan.change(Change::KnockPut {
            room: id,
            user,
            id: knock,
            at: ask.now,
            body,
        });
        plan.fan(
            room.open.iter().filter(|conn| **conn != ask.conn).copied(),
            knocked,
        );
        Ok(())
    }

    /// A member says no, or the one who knocked gives up.
    pub(super) fn deny(
        &self,
        ask: &Ask,
        id: RoomId,
        knock: MessageId,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.room(&id)?;
        let own = |pending: &Knock| pending.id == knock;
        if !room.knocks.get(&ask.user).is_some_and(own) {
            self.member_room(&id, &ask.user)?;
        }
        let Some((user, _)) = room.knocks.iter().find(|(_, pending)| pending.id == knock) else {
            return refuse(ErrorCode::NotFound, "nobody is waiting with that knock");
        };
        plan.change(Change::KnockDrop {
            room: id,
            user: *user,
        });
        let denied = RelayFrame::RoomDenied { room: id, knock };
        plan.answer(ask, denied.clone());
        let knocker: Vec<_> = match self.accounts.get(user) {
            Some(account) => account.conns.iter().copied().collect(),
            None => Vec::new(),
        };
        if knocker.is_empty() {
            plan.change(Change::DenialPut {
                user: *user,
                room: id,
                knock,
                at: ask.now,
            });
        }
        let told = room
            .open
            .iter()
            .chain(&knocker)
            .filter(|conn| **conn != ask.conn);
        let told: std::collections::BTreeSet<_> = told.copied().collect();
        plan.fan(told, denied);
        Ok(())
    }

    pub(super) fn send_knocks(&self, ask: &Ask, id: RoomId, room: &Room, plan: &mut Plan) {
        for (from, knock) in &room.knocks {
            if knock.at.saturating_add(self.config.knock_life) > ask.now {
                let (conn, knock, from) = (ask.conn, knock.id, *from);
                plan.actions.push(Action::SendKnock {
                    conn,
                    room: id,
                    knock,
                    from,
                });
            }
        }
    }

    pub(super) fn spend(&self, ask: &Ask, what: Quota, rate: Rate, plan: &mut Plan) -> Decision {
        let account = self.accounts.get(&ask.user);
        let bucket = account.and_then(|account| account.buckets.get(&what).copied());
        match bucket.unwrap_or_default().pour(ask.now, rate) {
            Ok(bucket) => {
                plan.pass(Passing::Spend {
                    user: ask.user,
                    what,
                    bucket,
                });
                Ok(())
            }
            Err(wait) => Err(WireError::rate_limited(wait)),
        }
    }
}
