//! Real clients over stores in memory and a real hub, without a network. Each
//! input is timed as the engine would see it: transaction, decision, commit.

use super::{MESSAGES, Times, counts};
use crate::Work;
use sotto_client::model::{Admission, MessageBody, Profile};
use sotto_client::store::memory::MemoryStore;
use sotto_client::{Ask, Client, Effect, Input, Now, Outcome, Request};
use sotto_relay::hub::memory::{MemoryRelay, Out};
use sotto_relay::hub::{ConnId, Event, HubConfig};
use sotto_wire::codec::Envelope;
use sotto_wire::frame::ChatKind;
use sotto_wire::{ClientFrame, MessageId, Millis, RelayAddress, RelayFrame, RoomId};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HOUR: Millis = 60 * 60 * 1000;
const ALICE: usize = 0;
const BOB: usize = 1;

/// Builds one room up to its size and measures in it.
pub fn round(size: usize, times: &mut Times) {
    let mut world = World::new();
    let (room, link) = world.opens_room();
    for members in 2..=size {
        let counted = counts(members, size).then_some(&mut *times);
        world.admits(&link, counted);
        // Others stay members without listening: two are enough to measure.
        if members > 2 {
            world.leaves_the_line(members - 1);
        }
    }
    for number in 0..5 {
        world.commits(room, number, times);
    }
    world.talks(room, times);
}

/// What somebody did with an input, and how long it took.
struct Done {
    who: usize,
    took: Duration,
    input: Kind,
    effects: Vec<Effect>,
}

/// The inputs that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Asked,
    Knock,
    Ack,
    Commit,
    Message,
    Direct,
    Other,
}

struct Person {
    client: Client,
    store: MemoryStore,
    conn: Option<ConnId>,
    queue: VecDeque<Envelope<RelayFrame>>,
}

struct World {
    relay: MemoryRelay,
    address: RelayAddress,
    people: Vec<Person>,
    /// Virtual milliseconds since the start; only waiting moves them.
    time: Millis,
    start: Millis,
    asks: u64,
    conns: u64,
}

impl World {
    fn new() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut world = Self {
            relay: MemoryRelay::new(HubConfig::default()),
            address: "wss://relay.example".parse().expect("an address"),
            people: Vec::new(),
            time: 0,
            start: wall.expect("a clock after 1970").as_millis() as Millis,
            asks: 0,
            conns: 0,
        };
        world.arrives();
        world
    }

    fn now(&self) -> Now {
        Now {
            wall: self.start + self.time,
            mono: self.time,
        }
    }

    fn arrives(&mut self) -> usize {
        let who = self.people.len();
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(who as u64).to_le_bytes());
        let mut store = MemoryStore::default();
        let mut txn = store.begin();
        let profile = Profile {
            name: format!("Person {who}"),
            ..Profile::default()
        };
        let client = Client::create(seed, &mut txn, self.now(), profile).expect("memory");
        txn.commit().expect("memory");
        self.people.push(Person {
            client,
            store,
            conn: None,
            queue: VecDeque::new(),
        });
        self.asks(who, Request::AddRelay(self.address.clone()));
        self.connects(who);
        self.settles();
        who
    }

    fn connects(&mut self, who: usize) {
        self.conns += 1;
        let conn = ConnId(self.conns);
        let client = &self.people[who].client;
        let (user, device) = (client.user(), client.device());
        self.people[who].conn = Some(conn);
        self.tells_hub(Event::Connected { conn, user, device });
        let relay = self.address.clone();
        self.takes(who, Input::RelayUp { relay });
    }

    fn leaves_the_line(&mut self, who: usize) {
        if let Some(conn) = self.people[who].conn.take() {
            self.tells_hub(Event::Disconnected { conn });
            let relay = self.address.clone();
            self.takes(who, Input::RelayDown { relay });
            self.people[who].queue.clear();
        }
    }

    fn opens_room(&mut self) -> (RoomId, String) {
        let request = Request::CreateRoom {
            relay: self.address.clone(),
            name: "Field notes".to_owned(),
            topic: String::new(),
            admission: Admission::AtOnce,
        };
        let Outcome::Room(room) = self.asks(ALICE, request) else {
            panic!("a room was made");
        };
        self.settles();
        let valid_for = HOUR;
        let Outcome::Invite(invite) = self.asks(ALICE, Request::CreateInvite { room, valid_for })
        else {
            panic!("a link was made");
        };
        self.settles();
        (room, invite.link)
    }

    /// Somebody new comes in by the link.
    fn admits(&mut self, link: &str, times: Option<&mut Times>) {
        let who = self.arrives();
        let link = link.to_owned();
        self.asks(who, Request::Join { link });
        let done = self.settles();
        let Some(times) = times else { return };
        // Up to the Welcome: the knock, and the relay's yes to the commit.
        let welcomed = done
            .iter()
            .position(|one| one.who == ALICE && sends_direct(one))
            .expect("Alice sent a Welcome");
        let adding = done[..=welcomed]
            .iter()
            .filter(|one| one.who == ALICE && matches!(one.input, Kind::Knock | Kind::Ack));
        times.add.add(adding.map(|one| one.took).sum());
        let joining = done
            .iter()
            .find(|one| one.who == who && one.input == Kind::Direct);
        times.join.add(joining.expect("the Welcome arrived").took);
    }

    fn commits(&mut self, room: RoomId, number: usize, times: &mut Times) {
        let request = Request::ChangeRoom {
            room,
            name: "Field notes".to_owned(),
            topic: format!("Topic {number}"),
            admission: Admission::AtOnce,
        };
        let mut done = vec![self.ask(ALICE, request)];
        done.extend(self.settles());
        let making = done
            .iter()
            .filter(|one| one.who == ALICE && matches!(one.input, Kind::Asked | Kind::Ack));
        times.commit.add(making.map(|one| one.took).sum());
        let following = done
            .iter()
            .find(|one| one.who == BOB && one.input == Kind::Commit);
        times
            .follow
            .add(following.expect("Bob saw the commit").took);
    }

    fn talks(&mut self, room: RoomId, times: &mut Times) {
        for number in 0..MESSAGES {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
            let body = MessageBody {
                text: format!("a message of an ordinary length, number {number}"),
                reply_to: None,
            };
            let id = MessageId(id);
            times
                .encrypt
                .add(self.ask(ALICE, Request::Send { room, id, body }).took);
            let done = self.settles();
            let read = done
                .iter()
                .find(|one| one.who == BOB && one.input == Kind::Message);
            times.decrypt.add(read.expect("Bob got the message").took);
        }
    }

    fn asks(&mut self, who: usize, request: Request) -> Outcome {
        let done = self.ask(who, request);
        let answer = done.effects.into_iter().find_map(|effect| match effect {
            Effect::Answer { result, .. } => Some(result),
            _ => None,
        });
        answer.expect("every request is answered").expect("granted")
    }

    fn ask(&mut self, who: usize, request: Request) -> Done {
        self.asks += 1;
        let ask = Ask(self.asks);
        self.takes(who, Input::Ui { ask, request })
    }

    /// Until nothing is on its way and nobody waits for a time.
    fn settles(&mut self) -> Vec<Done> {
        let mut done = Vec::new();
        loop {
            let next = (0..self.people.len()).find_map(|who| {
                let envelope = self.people[who].queue.pop_front()?;
                Some((who, envelope))
            });
            if let Some((who, envelope)) = next {
                let relay = self.address.clone();
                done.push(self.takes(who, Input::Relay { relay, envelope }));
                continue;
            }
            let waiting = self.people.iter().enumerate();
            let awake = waiting.filter(|(_, person)| person.conn.is_some());
            let wakes = awake.filter_map(|(who, person)| Some((person.client.next_wake()?, who)));
            match wakes.min() {
                // Renewals after a day are not waited for.
                Some((at, who)) if at < self.time + HOUR => {
                    self.time = self.time.max(at);
                    done.push(self.takes(who, Input::Wake));
                }
                _ => return done,
            }
        }
    }

    fn takes(&mut self, who: usize, input: Input) -> Done {
        let now = self.now();
        let kind = kind(&input);
        let person = &mut self.people[who];
        let begun = Work::begin();
        let mut txn = person.store.begin();
        let handled = person.client.handle(now, input, &mut txn);
        let effects = handled.expect("memory does not fail");
        txn.commit().expect("memory does not fail");
        let took = begun.took();
        for effect in &effects {
            if let Effect::Send { envelope, .. } = effect
                && let Some(conn) = self.people[who].conn
            {
                let envelope: Envelope<ClientFrame> = envelope.clone();
                self.tells_hub(Event::Frame { conn, envelope });
            }
        }
        Done {
            who,
            took,
            input: kind,
            effects,
        }
    }

    fn tells_hub(&mut self, event: Event) {
        let now = self.now().wall;
        for out in self.relay.handle(now, event) {
            if let Out::Send { conn, envelope } = out {
                let to = self.people.iter_mut().find(|p| p.conn == Some(conn));
                if let Some(person) = to {
                    person.queue.push_back(envelope);
                }
            }
        }
    }
}

fn kind(input: &Input) -> Kind {
    match input {
        Input::Ui { .. } => Kind::Asked,
        Input::Relay { envelope, .. } => match &envelope.frame {
            RelayFrame::RoomKnocked { .. } => Kind::Knock,
            RelayFrame::ChatAck { .. } => Kind::Ack,
            RelayFrame::ChatReceive(chat) if chat.kind == ChatKind::Commit => Kind::Commit,
            RelayFrame::ChatReceive(_) => Kind::Message,
            RelayFrame::DirectReceive { .. } => Kind::Direct,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

fn sends_direct(done: &Done) -> bool {
    done.effects.iter().any(|effect| {
        matches!(effect, Effect::Send { envelope, .. }
            if matches!(envelope.frame, ClientFrame::DirectSend { .. }))
    })
}
