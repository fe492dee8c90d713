//! The order of a room: every accepted message gets the next `seq`, once, and
//! only in the room's current epoch.

use super::{
    Ask, Change, Decision, GoneRow, Hub, Plan, RoomRow,
    presence::{action, update},
    refuse,
    state::Room,
};
use sotto_wire::{
    Bytes, ErrorCode, RelayFrame, RoomId, Seq, UserId, WireError,
    frame::{ChatKind, ChatReceive, ChatSend, Presence, PresenceAction},
    limits,
};
use std::collections::BTreeSet;

/// What a stored message costs besides its body.
const OVERHEAD: u64 = 128;

/// What a commit does to the roster.
#[derive(Default)]
struct Roster {
    joining: BTreeSet<UserId>,
    leaving: BTreeSet<UserId>,
    /// All that were added, members before or not: their knocks are answered.
    added: BTreeSet<UserId>,
}

impl Hub {
    pub(super) fn send_chat(&self, ask: &Ask, send: ChatSend, plan: &mut Plan) -> Decision {
        let room = self.room(&send.room)?;
        // Before all else: a repeat was accepted in an epoch that is over now,
        // perhaps by someone who was removed since.
        if let Some((seq, at)) = room.seen.get(&(ask.user, ask.device, send.id)) {
            let ack = RelayFrame::ChatAck {
                id: send.id,
                room: send.room,
                seq: *seq,
                at: *at,
            };
            plan.answer(ask, ack);
            return Ok(());
        }
        self.member_room(&send.room, &ask.user)?;
        check_shape(&send)?;
        if send.epoch != room.row.epoch {
            return Err(WireError::stale_epoch(room.row.epoch));
        }
        let roster = self.judge_roster(room, ask, &send)?;
        self.accept(ask, room, send, roster, plan);
        Ok(())
    }

    fn judge_roster(&self, room: &Room, ask: &Ask, send: &ChatSend) -> Result<Roster, WireError> {
        let added: BTreeSet<_> = send.adds.iter().copied().collect();
        let removed = send.removes.iter().filter(|user| !added.contains(user));
        let leaving: BTreeSet<_> = removed
            .filter(|user| room.members.contains_key(user))
            .copied()
            .collect();
        let joining: BTreeSet<_> = added
            .iter()
            .filter(|user| !room.members.contains_key(user))
            .copied()
            .collect();
        if leaving.contains(&room.row.host) && ask.user != room.row.host {
            return refuse(ErrorCode::NotHost, "the host can not be removed by others");
        }
        if room.members.len() - leaving.len() + joining.len() > self.config.members {
            return refuse(ErrorCode::RoomFull, "the room is full");
        }
        Ok(Roster {
            joining,
            leaving,
            added,
        })
    }

    fn accept(&self, ask: &Ask, room: &Room, send: ChatSend, roster: Roster, plan: &mut Plan) {
        let id = send.room;
        let seq = room.row.head + 1;
        let mut row = RoomRow {
            head: seq,
            ..room.row
        };
        if send.kind == ChatKind::Commit {
            row.epoch += 1;
        }
        let message = ChatReceive {
            room: id,
            seq,
            id: send.id,
            from: ask.user,
            device: ask.device,
            kind: send.kind,
            body: send.body,
            at: ask.now,
        };
        self.make_space(id, room, &message, plan);
        let ack = RelayFrame::ChatAck {
            id: send.id,
            room: id,
            seq,
            at: ask.now,
        };
        plan.answer(ask, ack);
        let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
        plan.fan(others, RelayFrame::ChatReceive(message));
        self.part(id, room, &roster.leaving, &mut row, ask.now, plan);
        self.change_roster(ask, id, room, &roster, &mut row, plan);
        plan.change(Change::RoomPut { room: id, row });
        self.tell_roster(id, room, &roster, &row, plan);
    }

    fn make_space(&self, id: RoomId, room: &Room, message: &ChatReceive, plan: &mut Plan) {
        let size = message.body.len() as u64 + OVERHEAD;
        let mut over = (room.kept_bytes + size).saturating_sub(self.config.room_bytes);
        let mut below = None;
        for kept in &room.kept {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(kept.size);
            below = Some(kept.seq + 1);
        }
        if let Some(below) = below {
            plan.change(Change::MessagesDrop { room: id, below });
        }
        plan.change(Change::MessagePut {
            room: id,
            message: message.clone(),
            size,
        });
    }

    fn change_roster(
        &self,
        ask: &Ask,
        id: RoomId,
        room: &Room,
        roster: &Roster,
        row: &mut RoomRow,
        plan: &mut Plan,
    ) {
        for user in &roster.leaving {
            let Some(member) = room.members.get(user) else {
                continue;
            };
            let gone = GoneRow {
                joined: member.joined,
                until: row.head,
                up_to: member.up_to(),
                host: row.host,
                epoch: row.epoch,
                at: ask.now,
            };
            plan.change(Change::MemberDrop {
                room: id,
                user: *user,
            });
            plan.change(Change::GonePut {
                room: id,
                user: *user,
                gone,
            });
        }
        for user in &roster.joining {
            if room.gone.contains_key(user) {
                plan.change(Change::GoneDrop {
                    room: id,
                    user: *user,
                });
            }
            let order = row.next_order;
            row.next_order += 1;
            plan.change(Change::MemberPut {
                room: id,
                user: *user,
                order,
                joined: row.head,
            });
        }
        for user in &roster.added {
            if room.knocks.contains_key(user) {
                plan.change(Change::KnockDrop {
                    room: id,
                    user: *user,
                });
            }
        }
    }

    fn tell_roster(
        &self,
        id: RoomId,
        room: &Room,
        roster: &Roster,
        row: &RoomRow,
        plan: &mut Plan,
    ) {
        let staying: Vec<_> = self
            .followers(room, |user| roster.leaving.contains(user))
            .collect();
        let count = room.members.len() - roster.leaving.len() + roster.joining.len();
        for user in &roster.leaving {
            let left = update(id, *user, PresenceAction::Left, count);
            plan.fan(staying.iter().copied(), left);
        }
        for user in &roster.joining {
            let joined = update(id, *user, PresenceAction::Joined, count);
            plan.fan(staying.iter().copied(), joined);
            let state = self.shown(user, &[]);
            if state != Presence::Offline {
                plan.fan(
                    staying.iter().copied(),
                    update(id, *user, action(state), count),
                );
            }
        }
        self.tell_host(id, room, &roster.leaving, row, plan);
    }

    pub(super) fn signal(&self, ask: &Ask, id: RoomId, body: Bytes, plan: &mut Plan) -> Decision {
        let room = self.member_room(&id, &ask.user)?;
        if !room.open.contains(&ask.conn) {
            return refuse(ErrorCode::NotAMember, "open the room first");
        }
        let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
        plan.fan(
            others,
            RelayFrame::ChatSignal {
                room: id,
                from: ask.user,
                body,
            },
        );
        Ok(())
    }

    pub(super) fn received(&self, ask: &Ask, id: RoomId, up_to: Seq, plan: &mut Plan) -> Decision {
        let room = self.room(&id)?;
        let (user, device) = (ask.user, ask.device);
        if let Some(gone) = room.gone.get(&user) {
            if up_to >= gone.until {
                plan.change(Change::GoneDrop { room: id, user });
            }
            return Ok(());
        }
        self.member_room(&id, &user)?;
        let Some(member) = room.members.get(&user) else {
            return Ok(());
        };
        let up_to = up_to.min(room.row.head);
        if member
            .cursors
            .get(&device)
            .is_some_and(|known| *known >= up_to)
        {
            return Ok(());
        }
        plan.change(Change::CursorPut {
            room: id,
            user,
            device,
            up_to,
        });
        let others = room.open.iter().filter(|conn| **conn != ask.conn).copied();
        plan.fan(
            others,
            RelayFrame::ChatDelivered {
                room: id,
                user,
                device,
                up_to,
            },
        );
        Ok(())
    }
}

fn check_shape(send: &ChatSend) -> Decision {
    if send.kind == ChatKind::Commit {
        return Ok(());
    }
    if !send.adds.is_empty() || !send.removes.is_empty() {
        return refuse(
            ErrorCode::InvalidFormat,
            "only a commit changes who is in the room",
        );
    }
    // Three bytes travel as four characters.
    if send.body.len() > limits::FRAME / 4 * 3 {
        return refuse(ErrorCode::TooLarge, "the message is too large");
    }
    Ok(())
}
