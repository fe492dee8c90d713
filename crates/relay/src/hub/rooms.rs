//! Rooms come to be, are opened, left, handed over and deleted.

use super::{
    Action, Ask, Change, Decision, Deleter, Hub, Plan, RoomRow, plan::Passing, presence::update,
    refuse, state::Room,
};
use sotto_wire::{
    ErrorCode, Millis, RelayFrame, RoomId, Seq, UserId, WireError,
    frame::{PresenceAction, RoomMember, RoomOpened, RoomSettings},
};
use std::collections::BTreeSet;

const DAY: Millis = 24 * 60 * 60 * 1000;

impl Hub {
    pub(super) fn create_room(
        &self,
        ask: &Ask,
        id: RoomId,
        settings: RoomSettings,
        plan: &mut Plan,
    ) -> Decision {
        if let Some(room) = self.rooms.get(&id) {
            let again = room.row.creator == ask.user && room.members.contains_key(&ask.user);
            if !again {
                return refuse(ErrorCode::RoomExists, "the room id is taken");
            }
            plan.answer(ask, RelayFrame::RoomCreated { room: id });
            return Ok(());
        }
        let rooms = self
            .accounts
            .get(&ask.user)
            .map_or(0, |account| account.rooms.len());
        if rooms >= self.config.rooms_per_user {
            return refuse(ErrorCode::Forbidden, "too many rooms for one account");
        }
        let row = RoomRow {
            creator: ask.user,
            host: ask.user,
            epoch: 0,
            head: 0,
            created: ask.now,
            retention: settings
                .retention_days
                .map(|days| u64::from(days.max(1)) * DAY),
            next_order: 1,
            empty_since: None,
        };
        plan.change(Change::RoomPut { room: id, row });
        plan.change(Change::MemberPut {
            room: id,
            user: ask.user,
            order: 0,
            joined: 1,
        });
        plan.answer(ask, RelayFrame::RoomCreated { room: id });
        Ok(())
    }

    pub(super) fn open_room(&self, ask: &Ask, id: RoomId, since: Seq, plan: &mut Plan) -> Decision {
        let room = self.room(&id)?;
        let (opened, joined) = self.opened(id, room, &ask.user)?;
        let (head, retained_from) = (opened.head, opened.retained_from);
        if room.members.contains_key(&ask.user) {
            self.follow(ask, id, room, since, plan)?;
        }
        plan.answer(ask, RelayFrame::RoomOpened(opened));
        let from = since.saturating_add(1).max(joined).max(retained_from);
        if from <= head {
            plan.actions.push(Action::SendBacklog {
                conn: ask.conn,
                room: id,
                from,
                to: head,
            });
        }
        if room.members.contains_key(&ask.user) {
            self.send_knocks(ask, id, room, plan);
            self.send_calls(ask, id, room, plan);
        }
        Ok(())
    }

    /// The room as `user` may see it, and the first message they may read.
    fn opened(
        &self,
        id: RoomId,
        room: &Room,
        user: &UserId,
    ) -> Result<(RoomOpened, Seq), WireError> {
        if let Some(member) = room.members.get(user) {
            let opened = RoomOpened {
                room: id,
                host: room.row.host,
                members: self.roster(room),
                count: room.members.len(),
                epoch: room.row.epoch,
                head: room.row.head,
                retained_from: room
                    .retained_from()
                    .max(member.joined)
                    .min(room.row.head + 1),
            };
            return Ok((opened, member.joined));
        }
        match room.gone.get(user) {
            // As it was at the removal: what came later is not theirs to know.
            Some(gone) => {
                let opened = RoomOpened {
                    room: id,
                    host: gone.host,
                    members: Vec::new(),
                    count: 0,
                    epoch: gone.epoch,
                    head: gone.until,
                    retained_from: room.retained_from().max(gone.joined).min(gone.until + 1),
                };
                Ok((opened, gone.joined))
            }
            None => refuse(ErrorCode::NotAMember, "not a member of this room"),
        }
    }

    fn roster(&self, room: &Room) -> Vec<RoomMember> {
        let row = |(user, member): (&UserId, &super::state::Member)| RoomMember {
            user: *user,
            state: self.shown(user, &[]),
            up_to: member.up_to(),
        };
        room.members.iter().map(row).collect()
    }

    fn follow(&self, ask: &Ask, id: RoomId, room: &Room, since: Seq, plan: &mut Plan) -> Decision {
        let open = self.conns.get(&ask.conn).map_or(0, |conn| conn.open.len());
        if open >= self.config.rooms_per_user && !room.open.contains(&ask.conn) {
            return refuse(
                ErrorCode::Forbidden,
                "too many open rooms on one connection",
            );
        }
        plan.pass(Passing::Open {
            conn: ask.conn,
            room: id,
        });
        let Some(member) = room.members.get(&ask.user) else {
            return Ok(());
        };
        let known = member.cursors.get(&ask.device).copied();
        let up_to = since.min(room.row.head);
        if known.is_none_or(|known| known < up_to) {
            plan.change(Change::CursorPut {
                room: id,
                user: ask.user,
                device: ask.device,
                up_to,
            });
        }
        Ok(())
    }

    pub(super) fn leave_room(&self, ask: &Ask, id: RoomId, plan: &mut Plan) -> Decision {
        let room = self.room(&id)?;
        if room.gone.contains_key(&ask.user) {
            plan.change(Change::GoneDrop {
                room: id,
                user: ask.user,
            });
            plan.answer(ask, RelayFrame::RoomLeft { room: id });
            return Ok(());
        }
        self.member_room(&id, &ask.user)?;
        let leaving = BTreeSet::from([ask.user]);
        let mut row = room.row;
        plan.change(Change::MemberDrop {
            room: id,
            user: ask.user,
        });
        if room.knocks.contains_key(&ask.user) {
            plan.change(Change::KnockDrop {
                room: id,
                user: ask.user,
            });
        }
        plan.answer(ask, RelayFrame::RoomLeft { room: id });
        let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
        let own: Vec<_> = others.filter(|conn| self.is_of(conn, &ask.user)).collect();
        plan.fan(own, RelayFrame::RoomLeft { room: id });
        self.part(id, room, &leaving, &mut row, ask.now, plan);
        let count = room.members.len() - 1;
        let left = update(id, ask.user, PresenceAction::Left, count);
        plan.fan(self.followers(room, |user| leaving.contains(user)), left);
        self.tell_host(id, room, &leaving, &row, plan);
        plan.change(Change::RoomPut { room: id, row });
        Ok(())
    }

    /// `leaving` no longer follow the room; a host among them hands over to
    /// the longest-standing member, and the last one leaves it empty.
    pub(super) fn part(
        &self,
        id: RoomId,
        room: &Room,
        leaving: &BTreeSet<UserId>,
        row: &mut RoomRow,
        now: Millis,
        plan: &mut Plan,
    ) {
        for conn in &room.open {
            if self
                .conns
                .get(conn)
                .is_some_and(|c| leaving.contains(&c.user))
            {
                plan.pass(Passing::Shut {
                    conn: *conn,
                    room: id,
                });
            }
        }
        self.end_calls_of(id, room, leaving, plan);
        match room.eldest(leaving) {
            Some(eldest) if leaving.contains(&row.host) => row.host = eldest,
            Some(_) => {}
            None => row.empty_since = Some(now),
        }
    }

    pub(super) fn tell_host(
        &self,
        id: RoomId,
        room: &Room,
        leaving: &BTreeSet<UserId>,
        row: &RoomRow,
        plan: &mut Plan,
    ) {
        if row.host != room.row.host {
            let updated = RelayFrame::HostUpdated {
                room: id,
                host: row.host,
            };
            plan.fan(self.followers(room, |user| leaving.contains(user)), updated);
        }
    }

    pub(super) fn delete_room(
        &self,
        by: Deleter,
        id: RoomId,
        ask: Option<&Ask>,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.room(&id)?;
        if let Deleter::User(user) = by {
            self.member_room(&id, &user)?;
            if user != room.row.host {
                return refuse(ErrorCode::NotHost, "only the host may do that");
            }
        }
        plan.change(Change::RoomDrop { room: id });
        let deleted = RelayFrame::RoomDeleted { room: id };
        if let Some(ask) = ask {
            plan.answer(ask, deleted.clone());
        }
        let asking = ask.map(|ask| ask.conn);
        let all = room.members.keys().chain(room.gone.keys());
        let conns = all
            .filter_map(|user| self.accounts.get(user))
            .flat_map(|a| a.conns.iter());
        plan.fan(conns.copied().filter(|conn| Some(*conn) != asking), deleted);
        Ok(())
    }

    pub(super) fn transfer_host(
        &self,
        ask: &Ask,
        id: RoomId,
        to: UserId,
        plan: &mut Plan,
    ) -> Decision {
        let room = self.member_room(&id, &ask.user)?;
        if room.row.host != ask.user {
            return refuse(ErrorCode::NotHost, "only the host may do that");
        }
        if !room.members.contains_key(&to) {
            return refuse(ErrorCode::NotAMember, "the new host is not a member");
        }
        let updated = RelayFrame::HostUpdated { room: id, host: to };
        if to != ask.user {
            plan.change(Change::RoomPut {
                room: id,
                row: RoomRow {
                    host: to,
                    ..room.row
                },
            });
            let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
            plan.fan(others, updated.clone());
        }
        plan.answer(ask, updated);
        Ok(())
    }

    fn is_of(&self, conn: &super::ConnId, user: &UserId) -> bool {
        self.conns.get(conn).is_some_and(|c| c.user == *user)
    }
}
