//! Who is there: one state for each user, from all of their connections.

use super::{Ask, ConnId, Hub, Plan, plan::Passing, state::Room};
use sotto_wire::{
    RelayFrame, RoomId, UserId,
    frame::{Presence, PresenceAction},
};

impl Hub {
    /// The state others see, were the connections `without` gone.
    pub(super) fn shown(&self, user: &UserId, without: &[ConnId]) -> Presence {
        let Some(account) = self.accounts.get(user) else {
            return Presence::Offline;
        };
        let staying = account.conns.iter().filter(|conn| !without.contains(conn));
        best(
            staying
                .filter_map(|conn| self.conns.get(conn))
                .map(|conn| conn.state),
        )
    }

    pub(super) fn set_presence(&self, ask: &Ask, state: Presence, plan: &mut Plan) {
        plan.pass(Passing::State {
            conn: ask.conn,
            state,
        });
        let after = best([state, self.shown(&ask.user, &[ask.conn])]);
        if after != self.shown(&ask.user, &[]) {
            self.fan_state(&ask.user, after, plan);
        }
    }

    /// Tells everyone else who follows a room that `user` is in.
    pub(super) fn fan_state(&self, user: &UserId, state: Presence, plan: &mut Plan) {
        let Some(account) = self.accounts.get(user) else {
            return;
        };
        for id in &account.rooms {
            let Some(room) = self.rooms.get(id) else {
                continue;
            };
            let others = room
                .open
                .iter()
                .filter(|conn| !account.conns.contains(conn))
                .copied();
            let count = room.members.len();
            plan.fan(others, update(*id, *user, action(state), count));
        }
    }

    /// Followers of `room` who are not connections of one of `without`.
    pub(super) fn followers<'a>(
        &'a self,
        room: &'a Room,
        without: impl Fn(&UserId) -> bool + 'a,
    ) -> impl Iterator<Item = ConnId> + 'a {
        let whose = |conn: &ConnId| self.conns.get(conn).map(|c| c.user);
        room.open
            .iter()
            .copied()
            .filter(move |conn| whose(conn).is_some_and(|u| !without(&u)))
    }
}

pub(super) fn update(
    room: RoomId,
    user: UserId,
    action: PresenceAction,
    count: usize,
) -> RelayFrame {
    RelayFrame::PresenceUpdate {
        room,
        user,
        action,
        count,
    }
}

pub(super) fn action(state: Presence) -> PresenceAction {
    match state {
        Presence::Online => PresenceAction::Online,
        Presence::Away => PresenceAction::Away,
        Presence::Offline => PresenceAction::Offline,
    }
}

fn best(states: impl IntoIterator<Item = Presence>) -> Presence {
    states
        .into_iter()
        .fold(Presence::Offline, |best, state| match (best, state) {
            (Presence::Online, _) | (_, Presence::Online) => Presence::Online,
            (Presence::Away, _) | (_, Presence::Away) => Presence::Away,
            _ => Presence::Offline,
        })
}
