//! What time takes away: read and old backlog, expired knocks, denials, direct
//! messages and sessions, rooms that stay empty.

use super::{Change, Hub, Plan, state::Room};
use sotto_wire::{Millis, RoomId, Seq, UserId};

impl Hub {
    pub(super) fn tick(&self, now: Millis, plan: &mut Plan) {
        for (id, room) in &self.rooms {
            self.tick_room(now, *id, room, plan);
        }
        for (user, account) in &self.accounts {
            self.tick_account(now, *user, account, plan);
        }
        for (family, session) in &self.sessions {
            if session.expires <= now {
                plan.change(Change::SessionDrop { family: *family });
            }
        }
    }

    fn tick_room(&self, now: Millis, id: RoomId, room: &Room, plan: &mut Plan) {
        let over = |at: Millis, life: Millis| at.saturating_add(life) <= now;
        if room
            .row
            .empty_since
            .is_some_and(|since| over(since, self.config.empty_room))
        {
            return plan.change(Change::RoomDrop { room: id });
        }
        self.tick_calls(now, id, room, plan);
        let retention = room
            .row
            .retention
            .unwrap_or(u64::MAX)
            .min(self.config.retention);
        let passed = passed_by_all(room);
        let spent = |kept: &&super::state::Kept| {
            over(kept.at, retention)
                || (kept.seq <= passed && over(kept.at, self.config.prune_grace))
        };
        if let Some(last) = room.kept.iter().take_while(spent).last() {
            plan.change(Change::MessagesDrop {
                room: id,
                below: last.seq + 1,
            });
        }
        for (user, gone) in &room.gone {
            if over(gone.at, retention) {
                plan.change(Change::GoneDrop {
                    room: id,
                    user: *user,
                });
            }
        }
        for (user, knock) in &room.knocks {
            if over(knock.at, self.config.knock_life) {
                plan.change(Change::KnockDrop {
                    room: id,
                    user: *user,
                });
            }
        }
    }

    fn tick_account(
        &self,
        now: Millis,
        user: UserId,
        account: &super::state::Account,
        plan: &mut Plan,
    ) {
        for (room, (_, at)) in &account.denials {
            if at.saturating_add(self.config.knock_life) <= now {
                plan.change(Change::DenialDrop { user, room: *room });
            }
        }
        let waiting = account.waiting.values().map(|l| (l.from, l.id, l.expires));
        let done = account
            .done
            .iter()
            .map(|((from, id), until)| (*from, *id, *until));
        for (from, id, _) in waiting.chain(done).filter(|(_, _, end)| *end <= now) {
            plan.change(Change::DirectDrop { to: user, from, id });
        }
    }
}

/// The last message that nobody needs any more. A member whose devices were
/// never seen, and a removed one who has not fetched the removal, hold it back.
fn passed_by_all(room: &Room) -> Seq {
    let members = room.members.values().map(|member| member.up_to());
    let gone = room.gone.values().map(|gone| gone.up_to);
    members.chain(gone).min().unwrap_or(room.row.head)
}
