//! What a person sees of a room.

use super::{Cx, Room, outbox::longest_text, record::Member};
use crate::{
    api::Change,
    client::People,
    model::{Invite, Person, RoomView, Standing},
};
use sotto_wire::{RelayAddress, limits::Limits};

impl Room {
    /// `limits`: of the room's relay.
    pub fn view(&self, people: &People, limits: Limits) -> RoomView {
        let record = &self.record;
        let state = record.state.as_ref();
        let others = self.staying().filter(|m| m.user != people.me);
        RoomView {
            id: record.id,
            relay: record.relay.clone(),
            name: state.map(|s| s.name.clone()).unwrap_or_default(),
            topic: state.map(|s| s.topic.clone()).unwrap_or_default(),
            standing: record.standing.clone(),
            admission: state.map(|s| s.admission).unwrap_or_default(),
            host: self.host(),
            member_count: self.staying().count(),
            unverified: others.filter(|m| !people.is_verified(&m.user)).count(),
            unread: record.unread,
            read_position: record.read_position,
            last: record.last.clone(),
            active_at: record.active_at,
            draft: record.draft.clone(),
            prefs: record.prefs.clone(),
            knocks: record.knocks,
            epoch: record.mls_epoch,
            in_sync: self.is_current(),
            relay_cannot_store: self.live.cannot_store,
            longest_text: longest_text(limits.frame),
        }
    }

    fn staying(&self) -> impl Iterator<Item = &Member> {
        self.record
            .roster
            .iter()
            .filter(|m| !self.record.leaving.contains(&m.user))
    }

    pub fn people(&self, people: &People) -> Vec<Person> {
        let host = self.host();
        self.staying()
            .map(|member| Person {
                user: member.user,
                profile: member.profile.clone(),
                me: member.user == people.me,
                host: host == Some(member.user),
                verified_at: people.verified_at(&member.user),
                added_by: member.added_by,
                online: member.user == people.me
                    || self.live.online.get(&member.user).copied().unwrap_or(false),
                delivered: self.live.delivered.get(&member.user).copied().unwrap_or(0),
                read: self
                    .record
                    .read_marks
                    .get(&member.user)
                    .copied()
                    .unwrap_or(0),
            })
            .collect()
    }

    pub(super) fn show_people(&self, cx: &mut Cx<'_>) {
        let people = self.people(cx.people);
        cx.show(Change::People {
            room: self.record.id,
            people,
        });
    }

    pub fn show_invites(&self, cx: &mut Cx<'_>) {
        let invites = self.invites(cx.public);
        cx.show(Change::Invites {
            room: self.record.id,
            invites,
        });
    }

    /// The open invites, with links for whoever reaches the relay at `public`.
    pub fn invites(&self, public: Option<&RelayAddress>) -> Vec<Invite> {
        let record = &self.record;
        let open = record
            .state
            .iter()
            .filter(|_| record.standing == Standing::Member);
        open.flat_map(|state| &state.invites)
            .map(|entry| self.invite_view(entry, public))
            .collect()
    }
}
