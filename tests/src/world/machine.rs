//! One person's computer: a client, its store, and the loop that the client's
//! law of use demands.

use super::{Scene, Who, media::Media, net::Due};
use sotto_client::{
    Ask, Change, Client, Effect, Input, Now, Outcome, Rejected, Request, RequestError,
    model::Profile,
    store::memory::{Fault, MemoryStore},
};
use sotto_relay::hub::ConnId;
use sotto_wire::{DeviceId, MessageId, Millis, RelayAddress, RoomId, UserId};
use std::collections::BTreeMap;

pub struct Machine {
    pub name: Who,
    pub store: MemoryStore,
    /// `None` while the process does not run.
    pub client: Option<Client>,
    pub user: UserId,
    pub device: DeviceId,
    pub media: Media,
    /// When the process started, in world time.
    pub loaded_at: Millis,
    /// How far its wall clock is ahead.
    pub skew: i64,
    /// Whether it has a network.
    pub online: bool,
    pub wires: BTreeMap<RelayAddress, ConnId>,
    /// The room that is on screen.
    pub room: Option<RoomId>,
    asks: u64,
    pub changes: Vec<Change>,
    pub rejects: Vec<Rejected>,
    pub notified: Vec<(RoomId, MessageId)>,
    pub typing: BTreeMap<RoomId, Vec<UserId>>,
    /// Every text that was written here, by id, once it was on disk.
    pub written: BTreeMap<MessageId, Written>,
}

/// A message whose writing was committed.
#[derive(Clone)]
pub struct Written {
    pub room: RoomId,
    pub text: String,
}

/// How a process gets through an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Lives,
    DiesBeforeCommit,
    /// After the commit, with so many effects performed.
    DiesAfterEffects(usize),
    /// The disk fails at the access after so many.
    DiskFails(u32),
}

impl Scene {
    /// A new person with an empty store.
    pub fn arrive(&mut self, name: Who) {
        let (seed, now) = (
            self.dice.seed(),
            Now {
                wall: self.wall(),
                mono: 0,
            },
        );
        let mut store = MemoryStore::default();
        let mut txn = store.begin();
        let mut display = name.to_owned();
        display[..1].make_ascii_uppercase();
        let profile = Profile {
            name: display,
            ..Profile::default()
        };
        let client = Client::create(seed, &mut txn, now, profile).expect("no fault was asked for");
        txn.commit().expect("no fault was asked for");
        let machine = Machine {
            name,
            store,
            user: client.user(),
            device: client.device(),
            media: Media::default(),
            client: Some(client),
            loaded_at: self.t,
            skew: 0,
            online: true,
            wires: BTreeMap::new(),
            room: None,
            asks: 0,
            changes: Vec::new(),
            rejects: Vec::new(),
            notified: Vec::new(),
            typing: BTreeMap::new(),
            written: BTreeMap::new(),
        };
        self.people.insert(name, machine);
    }

    pub fn machine(&mut self, who: Who) -> &mut Machine {
        self.people.get_mut(who).expect("whoever acts has arrived")
    }

    fn now_of(&self, who: Who) -> Now {
        let machine = &self.people[who];
        Now {
            wall: self.wall().saturating_add_signed(machine.skew),
            mono: self.t - machine.loaded_at,
        }
    }

    /// One round of the loop: begin, handle, commit, perform.
    pub fn take(&mut self, who: Who, input: Input) {
        let fate = self.fate();
        self.take_with(who, input, fate);
    }

    pub fn take_with(&mut self, who: Who, input: Input, fate: Fate) -> Vec<Effect> {
        let now = self.now_of(who);
        let writing = written(&input);
        let machine = self.machine(who);
        let Some(client) = &mut machine.client else {
            return Vec::new();
        };
        if let Fate::DiskFails(after) = fate {
            machine.store.fail(Fault::AccessAfter(after));
        }
        let mut txn = machine.store.begin();
        let handled = client.handle(now, input, &mut txn);
        if fate == Fate::DiesBeforeCommit {
            drop(txn);
            self.crash(who);
            return Vec::new();
        }
        let Ok(effects) = handled.and_then(|effects| txn.commit().map(|()| effects)) else {
            assert!(
                matches!(fate, Fate::DiskFails(_)),
                "{who}'s store failed by itself"
            );
            self.crash(who);
            return Vec::new();
        };
        machine.store.fail(Fault::AccessAfter(u32::MAX));
        client
            .distrust_memory(&machine.store.begin())
            .expect("what was written can be read");
        let accepted = |e: &Effect| matches!(e, Effect::Answer { result: Ok(_), .. });
        if let Some((id, written)) = writing.filter(|_| effects.iter().any(accepted)) {
            machine.written.insert(id, written);
        }
        let performed = match fate {
            Fate::DiesAfterEffects(count) => count,
            _ => usize::MAX,
        };
        for effect in effects.iter().take(performed) {
            self.perform(who, effect.clone());
        }
        if performed != usize::MAX {
            self.crash(who);
        }
        effects
    }

    fn perform(&mut self, who: Who, effect: Effect) {
        match effect {
            Effect::Send { relay, envelope } => {
                let conn = self.machine(who).wires.get(&relay).copied();
                if let Some(conn) = conn {
                    self.send_up(conn, &envelope);
                }
            }
            Effect::Connect { relay } => self.later(self.t, Due::Dial { who, relay }),
            Effect::Disconnect { relay } => {
                let conn = self.machine(who).wires.get(&relay).copied();
                if let Some(conn) = conn {
                    self.cut(conn);
                }
            }
            Effect::Answer { .. } => {}
            Effect::Show(change) => {
                let machine = self.machine(who);
                if let Change::Typing { room, users } = &change {
                    machine.typing.insert(*room, users.clone());
                }
                machine.changes.push(change);
            }
            Effect::Notify { room, item } => self.machine(who).notified.push((room, item)),
            Effect::Reject(rejected) => self.machine(who).rejects.push(rejected),
            Effect::Media(order) => self.obey(who, order),
        }
    }

    /// What the person asks for, and the answer, if the process lived to give
    /// it.
    pub fn ask(&mut self, who: Who, request: Request) -> Option<Result<Outcome, RequestError>> {
        let fate = self.fate();
        let machine = self.machine(who);
        machine.asks += 1;
        let ask = Ask(machine.asks);
        let effects = self.take_with(who, Input::Ui { ask, request }, fate);
        let mut answers = effects.into_iter().filter_map(|effect| match effect {
            Effect::Answer { ask: to, result } if to == ask => Some(result),
            _ => None,
        });
        let answer = answers.next();
        assert!(
            answers.next().is_none(),
            "{who} got two answers to one request"
        );
        answer
    }

    /// The process is gone; another one starts from the store in a while.
    pub fn crash(&mut self, who: Who) {
        self.stop(who);
        let pause = self.dice.number(100, 3_000);
        self.later(self.t + pause, Due::Boot { who });
    }

    pub fn stop(&mut self, who: Who) {
        let machine = self.machine(who);
        machine.client = None;
        machine.media.life += 1;
        machine.media.call = None;
        machine.typing.clear();
        let conns: Vec<ConnId> = machine.wires.values().copied().collect();
        for conn in conns {
            self.unplug(conn);
        }
        self.falls_silent(who, None);
    }

    pub fn boot(&mut self, who: Who) {
        let seed = self.dice.seed();
        let t = self.t;
        let machine = self.machine(who);
        if machine.client.is_some() {
            return;
        }
        machine.loaded_at = t;
        machine.store.fail(Fault::AccessAfter(u32::MAX));
        let now = self.now_of(who);
        let machine = self.machine(who);
        let mut txn = machine.store.begin();
        let client = Client::load(seed, &mut txn, now).expect("the store can be read");
        txn.commit().expect("the store can be written");
        machine.client = client;
        self.connect(who);
    }

    /// Dials every relay that the client wants and has no connection to.
    pub fn connect(&mut self, who: Who) {
        let wanted = self
            .machine(who)
            .client
            .as_ref()
            .map(Client::relays)
            .unwrap_or_default();
        for relay in wanted {
            self.later(self.t, Due::Dial { who, relay });
        }
    }
}

fn written(input: &Input) -> Option<(MessageId, Written)> {
    match input {
        Input::Ui {
            request: Request::Send { room, id, body },
            ..
        } => Some((
            *id,
            Written {
                room: *room,
                text: body.text.clone(),
            },
        )),
        _ => None,
    }
}
