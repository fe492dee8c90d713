//! Whether all is well in a world that has come to rest: nothing lost, nothing
//! doubled, one order, all agree, and nobody reads what is not for them.
//!
//! What happened is taken from the relay's store, which in a world without
//! retention still has everything; what people know, from their clients.

use super::{Actor, Who, World, Written, home};
use sotto_client::{
    Why,
    model::{Delivery, Item, ItemKind, RoomView, Standing, SystemLine},
    store::{position, seq_of},
};
use sotto_wire::{MessageId, RoomId, Seq, UserId, frame::ChatKind, frame::ChatReceive};
use std::collections::{BTreeMap, BTreeSet};

pub struct Verdict {
    rooms: Vec<Hearing>,
    written: BTreeMap<MessageId, (Who, Written)>,
    discarded: BTreeSet<MessageId>,
    rejected: Vec<(Who, Why)>,
}

/// One room, as the relay and everybody has it.
struct Hearing {
    room: RoomId,
    log: Vec<ChatReceive>,
    views: Vec<Seen>,
}

/// One person's view of a room.
struct Seen {
    who: Who,
    user: UserId,
    view: RoomView,
    items: Vec<Item>,
    roster: Vec<(UserId, String, bool)>,
    invites: Vec<MessageId>,
}

/// A time in which somebody was a member, by seq: after `from`, before `to`.
struct Stay {
    from: Seq,
    to: Option<Seq>,
    /// It ended by losing step, and a gap says so.
    lost: bool,
}

impl Verdict {
    pub fn of(world: &World, rooms: &[RoomId], discarded: &BTreeSet<MessageId>) -> Self {
        let names: Vec<Who> = world.scene().people.keys().copied().collect();
        let people: Vec<Actor> = names.iter().map(|name| world.person(name)).collect();
        let log = |room: &RoomId| {
            world.scene().relays[&home()]
                .relay
                .store
                .backlog(*room, 1, Seq::MAX, usize::MAX)
        };
        let hear = |room: &RoomId| {
            let views = people
                .iter()
                .filter_map(|person| Seen::by(person, *room))
                .collect();
            Hearing {
                room: *room,
                log: log(room),
                views,
            }
        };
        let rooms = rooms.iter().map(hear).collect();
        let scene = world.scene();
        let written = scene.people.values().flat_map(|machine| {
            machine
                .written
                .iter()
                .map(|(id, text)| (*id, (machine.name, text.clone())))
        });
        let rejected = scene.people.values().flat_map(|machine| {
            machine
                .rejects
                .iter()
                .map(|rejected| (machine.name, rejected.why))
        });
        Self {
            rooms,
            written: written.collect(),
            discarded: discarded.clone(),
            rejected: rejected.collect(),
        }
    }

    pub fn judge(&self) {
        for hearing in &self.rooms {
            self.nothing_is_doubled(hearing);
            self.all_agree(hearing);
            for seen in &hearing.views {
                self.reads_what_is_theirs(hearing, seen);
                self.nothing_is_lost(hearing, seen);
                counts_right(seen);
            }
            lines_agree(hearing);
        }
        self.nobody_was_accused();
    }

    fn nothing_is_doubled(&self, hearing: &Hearing) {
        let mut ids = BTreeSet::new();
        for message in &hearing.log {
            assert!(
                ids.insert((message.from, message.id)),
                "{:?} is doubled",
                message.id
            );
        }
    }

    /// Members agree on everything; who is no member is in nobody's roster.
    fn all_agree(&self, hearing: &Hearing) {
        for seen in &hearing.views {
            let standing = &seen.view.standing;
            let settled = !matches!(standing, Standing::Creating | Standing::Lost);
            assert!(
                settled,
                "{} is {standing:?} in {:?}",
                seen.who, hearing.room
            );
        }
        let members: Vec<&Seen> = hearing
            .views
            .iter()
            .filter(|s| s.view.standing == Standing::Member)
            .collect();
        let Some(first) = members.first() else { return };
        for seen in &members {
            let (a, b) = (&first.view, &seen.view);
            let (who, other) = (seen.who, first.who);
            assert!(b.in_sync, "{who} is not in step");
            assert_eq!(a.epoch, b.epoch, "epochs of {other} and {who}");
            assert_eq!(first.roster, seen.roster, "rosters of {other} and {who}");
            assert_eq!(a.host, b.host, "hosts of {other} and {who}");
            let described = |v: &RoomView| (v.name.clone(), v.topic.clone(), v.admission);
            assert_eq!(
                described(a),
                described(b),
                "descriptions of {other} and {who}"
            );
            assert_eq!(first.invites, seen.invites, "invites of {other} and {who}");
            let listed = first.roster.iter().any(|(user, ..)| *user == seen.user);
            assert!(listed, "{who} is a member whom {other} does not see");
        }
        for (user, name, _) in &first.roster {
            let seen = hearing.views.iter().find(|s| s.user == *user);
            let gone = seen.is_some_and(|s| {
                matches!(s.view.standing, Standing::Left | Standing::Removed { .. })
            });
            assert!(!gone, "{name} is gone, and {} still sees them", first.who);
        }
    }

    /// Everything that was said while they were members, in its place, and
    /// nothing else.
    fn reads_what_is_theirs(&self, hearing: &Hearing, seen: &Seen) {
        let stays = seen.stays(&hearing.log, &self.written);
        let read: BTreeMap<MessageId, &Item> = seen
            .items
            .iter()
            .filter(|item| accepted(item))
            .map(|item| (item.id, item))
            .collect();
        let mut theirs = BTreeSet::new();
        for message in hearing
            .log
            .iter()
            .filter(|m| m.kind == ChatKind::Application)
        {
            let Some((author, written)) = self.written.get(&message.id) else {
                continue;
            };
            if !stays.iter().any(|stay| stay.holds(message.seq)) {
                continue;
            }
            theirs.insert(message.id);
            let (who, text) = (seen.who, &written.text);
            let Some(item) = read.get(&message.id).copied() else {
                // Who leaves with a message on its way may never learn that it
                // arrived; to them it has failed.
                let own = *author == who && seen.has_left(&stays);
                assert!(
                    own,
                    "{who} does not read {author}'s {text:?} (seq {})",
                    message.seq
                );
                continue;
            };
            assert_eq!(
                item.position,
                position(message.seq, 0),
                "{who}: the place of {text:?}"
            );
            let ItemKind::Message { from, body, .. } = &item.kind else {
                continue;
            };
            assert_eq!(
                (from, &body.text),
                (&message.from, text),
                "{who} reads {text:?} wrong"
            );
        }
        for (id, item) in &read {
            // Their own they may learn of after they left.
            let own = matches!(&item.kind, ItemKind::Message { from, .. } if *from == seen.user);
            assert!(
                own || theirs.contains(id),
                "{} reads {:?}, which is not theirs",
                seen.who,
                read[id]
            );
        }
        let gaps = seen
            .items
            .iter()
            .filter(|i| matches!(i.kind, ItemKind::Gap { .. }))
            .count();
        let lost = stays.iter().filter(|stay| stay.lost).count();
        assert!(gaps <= lost, "{} sees {gaps} gaps", seen.who);
    }

    /// What somebody wrote was accepted, or says that it was not.
    fn nothing_is_lost(&self, hearing: &Hearing, seen: &Seen) {
        let has_left = seen.has_left(&seen.stays(&hearing.log, &self.written));
        for (id, (author, written)) in &self.written {
            if *author != seen.who || written.room != hearing.room || self.discarded.contains(id) {
                continue;
            }
            let item = seen.items.iter().find(|item| item.id == *id);
            let Some(ItemKind::Message { delivery, .. }) = item.map(|item| &item.kind) else {
                panic!("{author} wrote {:?}, and it is nowhere", written.text);
            };
            let member = seen.view.standing == Standing::Member;
            let fine = match delivery {
                Delivery::Accepted => true,
                Delivery::Failed => has_left,
                Delivery::Pending => !member,
            };
            assert!(fine, "{author}'s {:?} is still {delivery:?}", written.text);
        }
    }

    /// Honest people never look like attackers, whatever the network does.
    fn nobody_was_accused(&self) {
        for (who, why) in &self.rejected {
            let odd = matches!(
                why,
                Why::NotAFrame
                    | Why::Forged
                    | Why::WrongSender
                    | Why::BadCertificate
                    | Why::NotAllowed
                    | Why::UnknownContent
                    | Why::SplitView
            );
            assert!(!odd, "{who} refused something as {why:?}");
        }
    }
}

fn accepted(item: &Item) -> bool {
    matches!(
        item.kind,
        ItemKind::Message {
            delivery: Delivery::Accepted,
            ..
        }
    )
}

/// The number on the badge is the number of unread messages.
fn counts_right(seen: &Seen) {
    let unread = seen.items.iter().filter(|item| {
        let other = matches!(&item.kind, ItemKind::Message { from, .. } if *from != seen.user);
        other && item.position > seen.view.read_position
    });
    assert_eq!(
        seen.view.unread as usize,
        unread.count(),
        "{}'s unread messages",
        seen.who
    );
}

/// What two people both saw happen, they saw the same way.
fn lines_agree(hearing: &Hearing) {
    let mut all: BTreeMap<u64, (Who, &SystemLine)> = BTreeMap::new();
    for seen in &hearing.views {
        for item in &seen.items {
            let ItemKind::System(line) = &item.kind else {
                continue;
            };
            if is_personal(line, &seen.user) {
                continue;
            }
            let (who, known) = all.entry(item.position).or_insert((seen.who, line));
            assert_eq!(*known, line, "what {who} and {} saw happen", seen.who);
        }
    }
}

/// Lines that only one person has, or has differently.
fn is_personal(line: &SystemLine, me: &UserId) -> bool {
    match line {
        SystemLine::YouJoined { .. } | SystemLine::Deleted { by: None } => true,
        SystemLine::Removed { who, .. } => who.user == *me,
        _ => false,
    }
}

impl Stay {
    fn holds(&self, seq: Seq) -> bool {
        seq > self.from && self.to.is_none_or(|to| seq < to)
    }
}

impl Seen {
    fn by(person: &Actor, room: RoomId) -> Option<Self> {
        person.looks_at(room);
        if !person.has_room() {
            return None;
        }
        let roster = person
            .people()
            .into_iter()
            .map(|p| (p.user, p.profile.name, p.host));
        Some(Self {
            who: person.name(),
            user: person.user(),
            view: person.view(),
            items: person.timeline(),
            roster: roster.collect(),
            invites: person
                .invitations()
                .into_iter()
                .map(|invite| invite.id)
                .collect(),
        })
    }

    fn has_left(&self, stays: &[Stay]) -> bool {
        self.view.standing != Standing::Member || stays.len() > 1
    }

    /// How many messages the gap at this place says are missing.
    fn missed_before(&self, seq: Seq) -> u64 {
        let gap = |item: &Item| match item.kind {
            ItemKind::Gap { count, .. } if seq_of(item.position) == Some(seq) => Some(count),
            _ => None,
        };
        self.items.iter().find_map(gap).unwrap_or(0)
    }

    fn stays(
        &self,
        log: &[ChatReceive],
        written: &BTreeMap<MessageId, (Who, Written)>,
    ) -> Vec<Stay> {
        let mut stays: Vec<Stay> = Vec::new();
        let end = |stays: &mut Vec<Stay>, at| {
            if let Some(stay) = stays.last_mut().filter(|stay| stay.to.is_none()) {
                stay.to = Some(at);
            }
        };
        let mut last = 0;
        for item in &self.items {
            let Some(seq) = seq_of(item.position) else {
                continue;
            };
            let ItemKind::System(line) = &item.kind else {
                last = seq;
                continue;
            };
            match line {
                SystemLine::Created { .. } | SystemLine::YouJoined { .. } => {
                    if let Some(stay) = stays.last_mut().filter(|stay| stay.to.is_none()) {
                        let missed = self.missed_before(seq);
                        stay.lost = missed > 0;
                        // Without a gap, they had left, and came back before
                        // anybody could hear it.
                        stay.to = Some(if stay.lost { seq - missed } else { last + 1 });
                    }
                    stays.push(Stay {
                        from: seq,
                        to: None,
                        lost: false,
                    });
                }
                SystemLine::Removed { who, .. } if who.user == self.user => end(&mut stays, seq),
                SystemLine::Deleted { .. } => end(&mut stays, seq),
                _ => {}
            }
            last = seq;
        }
        // A goodbye is a message that nobody wrote.
        for message in log {
            let goodbye = message.from == self.user
                && message.kind == ChatKind::Application
                && !written.contains_key(&message.id);
            let open = |stay: &&mut Stay| stay.holds(message.seq);
            if goodbye && let Some(stay) = stays.iter_mut().find(open) {
                stay.to = Some(message.seq);
            }
        }
        // Whoever is out by their own will without a goodbye, or knocks again,
        // has what they had.
        if self.view.standing != Standing::Member {
            end(&mut stays, last + 1);
        }
        stays
    }
}
