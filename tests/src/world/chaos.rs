//! People who do random things while everything around them breaks, and
//! afterwards the question whether all is well.

use super::{Actor, Verdict, Weather, Who, World, home};
use sotto_client::{
    Outcome, Request,
    model::{Admission, Delivery, ItemKind, MessageBody, Profile, Standing},
};
use sotto_wire::{MessageId, RoomId};
use std::collections::BTreeSet;

const NAMES: [Who; 4] = ["alice", "bob", "carol", "dave"];
const HOUR: u64 = 60 * 60 * 1000;

/// Runs one world of faults and judges it. Panics with what is wrong.
pub fn storm(seed: u64) {
    let mut storm = Storm::begin(seed);
    let acts = storm.number(12, 30);
    for _ in 0..acts {
        storm.act();
        let pause = match storm.number(0, 3) {
            0 => 0,
            1 => storm.number(1, 100),
            _ => storm.number(100, 2_500),
        };
        storm.world.run_for(pause);
    }
    storm.clear_up();
    Verdict::of(&storm.world, &storm.rooms, &storm.discarded).judge();
}

struct Storm {
    world: World,
    people: Vec<Actor>,
    rooms: Vec<RoomId>,
    links: Vec<(RoomId, String)>,
    discarded: BTreeSet<MessageId>,
    said: u32,
}

impl Storm {
    /// A room with some people in it, while all is still well.
    fn begin(seed: u64) -> Self {
        let world = World::from_seed(seed);
        let count = world.scene().dice.number(2, 4) as usize;
        let people: Vec<Actor> = NAMES[..count]
            .iter()
            .map(|name| world.person(name))
            .collect();
        let room = people[0].creates("Field notes");
        let link = people[0].invites();
        let joining = world.scene().dice.number(1, count as u64 - 1) as usize;
        for person in &people[1..=joining] {
            person.joins(&link);
        }
        world.settle();
        world.weather(weather(&world));
        let links = vec![(room, link)];
        Self {
            world,
            people,
            rooms: vec![room],
            links,
            discarded: BTreeSet::new(),
            said: 0,
        }
    }

    fn number(&self, least: u64, most: u64) -> u64 {
        self.world.scene().dice.number(least, most)
    }

    fn someone(&self) -> Actor {
        self.people[self.number(0, self.people.len() as u64 - 1) as usize].clone()
    }

    fn some_room(&self) -> RoomId {
        self.rooms[self.number(0, self.rooms.len() as u64 - 1) as usize]
    }

    fn act(&mut self) {
        let who = self.someone();
        let room = self.some_room();
        if self.world.scene().machine(who.name()).client.is_none() {
            return;
        }
        match self.number(0, 99) {
            0..=39 => self.say(&who, room),
            40..=44 => self.try_it(&who, Request::Typing { room, on: true }),
            45..=52 => who.goes_offline(),
            53..=63 => self.people.iter().for_each(Actor::comes_back),
            64..=66 => self.world.scene().crash(who.name()),
            67..=70 => self.describe(&who, room),
            71..=72 => self.rename(&who),
            73..=76 => self.invite(&who, room),
            77..=83 => self.join(&who),
            84..=85 => self.try_it(&who, Request::Leave(room)),
            86..=87 => {
                let user = self.someone().user();
                self.try_it(&who, Request::Remove { room, user });
            }
            88..=90 => {
                let user = self.someone().user();
                self.try_it(&who, Request::MakeHost { room, user });
            }
            91..=93 => self.read(&who, room),
            94..=96 => self.answer_knocks(&who, room),
            97 => self.discard_or_retry(&who, room),
            98 => self.close_invites(&who, room),
            _ => self.create(&who),
        }
    }

    fn try_it(&self, who: &Actor, request: Request) {
        // Most of it is refused; that is fine.
        drop(who.tries(request));
    }

    fn say(&mut self, who: &Actor, room: RoomId) {
        for _ in 0..self.number(1, 3) {
            self.said += 1;
            let id = MessageId(self.world.scene().dice.id());
            let body = MessageBody {
                text: format!("message {}", self.said),
                reply_to: None,
            };
            self.try_it(who, Request::Send { room, id, body });
        }
    }

    fn describe(&self, who: &Actor, room: RoomId) {
        let name = format!("Room {}", self.number(0, 9));
        let admission = if self.number(0, 2) == 0 {
            Admission::ByHost
        } else {
            Admission::AtOnce
        };
        self.try_it(
            who,
            Request::ChangeRoom {
                room,
                name,
                topic: String::new(),
                admission,
            },
        );
    }

    fn rename(&self, who: &Actor) {
        let name = format!("{} {}", who.name(), self.number(0, 9));
        self.try_it(
            who,
            Request::SetProfile(Profile {
                name,
                ..Profile::default()
            }),
        );
    }

    fn invite(&mut self, who: &Actor, room: RoomId) {
        let asked = who.tries(Request::CreateInvite {
            room,
            valid_for: HOUR,
        });
        if let Some(Ok(Outcome::Invite(invite))) = asked {
            self.links.push((room, invite.link));
        }
    }

    fn join(&self, who: &Actor) {
        let index = self.number(0, self.links.len() as u64 - 1) as usize;
        let link = self.links[index].1.clone();
        self.try_it(who, Request::Join { link });
    }

    fn read(&self, who: &Actor, room: RoomId) {
        who.looks_at(room);
        if who.has_room() {
            let position = who.timeline().last().map_or(0, |item| item.position);
            self.try_it(who, Request::MarkRead { room, position });
        }
    }

    fn answer_knocks(&self, who: &Actor, room: RoomId) {
        who.looks_at(room);
        if who.has_room() {
            for knock in who.knocks() {
                let admit = self.number(0, 3) > 0;
                self.try_it(
                    who,
                    Request::AnswerKnock {
                        room,
                        knock: knock.id,
                        admit,
                    },
                );
                if self.world.scene().machine(who.name()).client.is_none() {
                    return;
                }
            }
        }
    }

    fn discard_or_retry(&mut self, who: &Actor, room: RoomId) {
        who.looks_at(room);
        if !who.has_room() {
            return;
        }
        for item in who.timeline() {
            let ItemKind::Message { delivery, .. } = item.kind else {
                continue;
            };
            let id = item.id;
            match delivery {
                Delivery::Failed => self.try_it(who, Request::Retry { room, id }),
                Delivery::Pending => {
                    // It may be on disk even if the process died over it.
                    self.discarded.insert(id);
                    self.try_it(who, Request::Discard { room, id });
                }
                Delivery::Accepted => {}
            }
            if self.world.scene().machine(who.name()).client.is_none() {
                return;
            }
        }
    }

    fn close_invites(&self, who: &Actor, room: RoomId) {
        who.looks_at(room);
        for invite in who.invitations() {
            if self.world.scene().machine(who.name()).client.is_some() {
                self.try_it(
                    who,
                    Request::RevokeInvite {
                        room,
                        invite: invite.id,
                    },
                );
            }
        }
    }

    fn create(&mut self, who: &Actor) {
        let (name, topic, admission) = ("Second".to_owned(), String::new(), Admission::AtOnce);
        let made = who.tries(Request::CreateRoom {
            relay: home(),
            name,
            topic,
            admission,
        });
        if let Some(Ok(Outcome::Room(room))) = made {
            self.rooms.push(room);
        }
    }

    /// The storm is over: everybody comes back, and again.
    fn clear_up(&mut self) {
        self.world.weather(Weather::CALM);
        self.world.settle();
        for _ in 0..2 {
            self.people.iter().for_each(Actor::goes_offline);
            self.world.settle();
            self.people.iter().for_each(Actor::comes_back);
            self.world.settle();
        }
        // Nobody is left half way in by a knock that waits for an answer.
        let rooms = self.rooms.clone();
        for (person, room) in self
            .people
            .iter()
            .flat_map(|p| rooms.iter().map(move |r| (p, *r)))
        {
            person.looks_at(room);
            if person.has_room() && person.standing() == Standing::Knocking {
                self.try_it(person, Request::CancelJoin(room));
            }
        }
        self.world.settle();
    }
}

fn weather(world: &World) -> Weather {
    let mut scene = world.scene();
    let dice = &mut scene.dice;
    let mut often = |most: u64| {
        if dice.chance(600) {
            dice.number(0, most) as u32
        } else {
            0
        }
    };
    Weather {
        cut: often(40),
        // A play of its own: what is swallowed comes with the next connection.
        drop: 0,
        repeat: often(60),
        reorder: often(60),
        replay: often(40),
        crash: often(30),
        relay_crash: often(15),
        delay: (5, [20, 200, 1_500][scene.dice.number(0, 2) as usize]),
    }
}
