//! A simulated world: people, each with a real client over a store in memory,
//! relays that are real hubs, and a network between them. Time is virtual,
//! chance comes from one seed, and nothing here waits.
//!
//! Steps read like a play:
//!
//! ```
//! # use sotto_tests::world::World;
//! let world = World::new();
//! let (alice, bob) = (world.alice(), world.bob());
//! alice.creates("Field notes");
//! bob.joins(&alice.invites());
//! world.settle();
//! alice.says("hello");
//! world.settle();
//! bob.reads("hello");
//! ```

mod calls;
mod chaos;
mod dice;
mod look;
mod machine;
mod mallory;
mod media;
mod net;
mod play;
mod tamper;
mod verdict;

pub use calls::VOICE;
pub use chaos::storm;
pub use dice::Dice;
pub use machine::{Fate, Machine, Written};
pub use media::sdp;
pub use net::{Direction, Passed, Weather};
pub use play::Actor;
pub use verdict::Verdict;

use machine::Machine as Computer;
use net::{Due, Hook, Wire};
use sotto_client::Input;
use sotto_relay::hub::{ConnId, Event, HubConfig, memory::MemoryRelay};
use sotto_wire::{ClientFrame, Millis, RelayAddress, RelayFrame};
use std::{
    cell::{RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

/// Names of people.
pub type Who = &'static str;

/// More steps than this without rest is a loop.
const STEPS_MAX: u32 = 200_000;

#[derive(Clone)]
pub struct World(Rc<RefCell<Scene>>);

/// Everything there is.
pub struct Scene {
    pub seed: u64,
    pub dice: Dice,
    /// World time in milliseconds.
    pub t: Millis,
    /// Unix time at world time 0. OpenMLS reads the real wall clock, so a
    /// world starts now.
    began: Millis,
    queue: BTreeMap<(Millis, u64), Due>,
    queued: u64,
    pub people: BTreeMap<Who, Computer>,
    pub relays: BTreeMap<RelayAddress, RelayHost>,
    wires: BTreeMap<ConnId, Wire>,
    last_conn: u64,
    pub weather: Weather,
    /// Pairs of people between whom no packet passes.
    cut_lines: BTreeSet<(Who, Who)>,
    pub tape: Vec<Passed>,
    pub hook_up: Option<Hook<ClientFrame>>,
    pub hook_down: Option<Hook<RelayFrame>>,
}

pub struct RelayHost {
    pub relay: MemoryRelay,
    pub up: bool,
}

/// The relay that everybody uses where nothing else is said.
pub fn home() -> RelayAddress {
    "wss://relay.example".parse().expect("a good address")
}

/// Another one.
pub fn elsewhere() -> RelayAddress {
    "wss://elsewhere.example".parse().expect("a good address")
}

impl World {
    pub fn new() -> Self {
        Self::from_seed(1)
    }

    pub fn from_seed(seed: u64) -> Self {
        Self::with(seed, HubConfig::default())
    }

    pub fn with(seed: u64, config: HubConfig) -> Self {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970");
        let host = || RelayHost {
            relay: MemoryRelay::new(config.clone()),
            up: true,
        };
        Self(Rc::new(RefCell::new(Scene {
            seed,
            dice: Dice::new(seed),
            t: 0,
            began: wall.as_millis() as Millis,
            queue: BTreeMap::new(),
            queued: 0,
            people: BTreeMap::new(),
            relays: [(home(), host()), (elsewhere(), host())].into(),
            wires: BTreeMap::new(),
            last_conn: 0,
            weather: Weather::CALM,
            cut_lines: BTreeSet::new(),
            tape: Vec::new(),
            hook_up: None,
            hook_down: None,
        })))
    }

    /// All relays say that they relay calls, to whoever connects from now on.
    pub fn relays_relay_calls(&self, on: bool) {
        let mut scene = self.scene();
        let relays = scene.relays.values_mut();
        relays.for_each(|host| host.relay.turn = on);
    }

    pub fn scene(&self) -> RefMut<'_, Scene> {
        self.0.borrow_mut()
    }

    pub fn alice(&self) -> Actor {
        self.person("alice")
    }

    pub fn bob(&self) -> Actor {
        self.person("bob")
    }

    pub fn carol(&self) -> Actor {
        self.person("carol")
    }

    pub fn mallory(&self) -> Actor {
        self.person("mallory")
    }

    /// Somebody; they arrive when first named.
    pub fn person(&self, name: Who) -> Actor {
        if !self.scene().people.contains_key(name) {
            self.scene().arrive(name);
        }
        Actor::new(self.clone(), name)
    }

    /// Runs until nothing is on its way and nobody waits for a time.
    pub fn settle(&self) {
        let mut scene = self.scene();
        for _ in 0..STEPS_MAX {
            if !scene.step(None) {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Runs for so many milliseconds.
    pub fn run_for(&self, time: Millis) {
        let mut scene = self.scene();
        let until = scene.t + time;
        while scene.step(Some(until)) {}
        scene.t = until;
    }

    /// Time passes without anything in it: everybody's computer sleeps.
    pub fn sleep(&self, time: Millis) {
        self.scene().t += time;
    }

    /// Relays clean up.
    pub fn tick(&self) {
        let relays: Vec<_> = self.scene().relays.keys().cloned().collect();
        for relay in relays {
            self.scene().tell_hub(&relay, Event::Tick);
        }
    }

    pub fn relay_stops(&self) {
        let mut scene = self.scene();
        scene.restart_relay(&home());
        scene.relays.get_mut(&home()).expect("it exists").up = false;
    }

    pub fn relay_starts(&self) {
        let mut scene = self.scene();
        scene.relays.get_mut(&home()).expect("it exists").up = true;
        let everybody: Vec<Who> = scene.people.keys().copied().collect();
        everybody.into_iter().for_each(|who| scene.connect(who));
    }

    pub fn weather(&self, weather: Weather) {
        self.scene().weather = weather;
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Scene {
    pub fn wall(&self) -> Millis {
        self.began + self.t
    }

    pub fn later(&mut self, at: Millis, due: Due) {
        self.queued += 1;
        self.queue.insert((at.max(self.t), self.queued), due);
    }

    /// Does what comes next, if it comes until then. `false`: nothing does.
    fn step(&mut self, until: Option<Millis>) -> bool {
        let due = self.queue.keys().next().map(|(at, _)| *at);
        let wake = self.next_wake();
        let in_time = |at: Millis| until.is_none_or(|until| at <= until);
        match (due, wake) {
            (Some(at), wake) if wake.is_none_or(|(wake, _)| at <= wake) && in_time(at) => {
                self.t = self.t.max(at);
                if let Some((_, due)) = self.queue.pop_first() {
                    self.happen(due);
                }
                true
            }
            (_, Some((at, who))) if in_time(at) => {
                self.t = self.t.max(at);
                self.take(who, Input::Wake);
                true
            }
            _ => false,
        }
    }

    fn next_wake(&self) -> Option<(Millis, Who)> {
        let wake = |machine: &Computer| {
            let at = machine.client.as_ref()?.next_wake()?;
            Some((machine.loaded_at + at, machine.name))
        };
        self.people.values().filter_map(wake).min()
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Dial { who, relay } => self.dial(who, relay),
            Due::ToRelay { conn, text } => self.arrive_at_relay(conn, &text),
            Due::ToClient { conn, text } => self.arrive_at_client(conn, &text),
            Due::Lost { conn } => self.lose(conn),
            Due::Boot { who } => self.boot(who),
            Due::Media { who, life, report } => self.media_reports(who, life, report),
        }
    }
}

impl Drop for Scene {
    /// A failed test says how to see it fail again.
    #[expect(
        clippy::print_stderr,
        reason = "it is for whoever reads the test's output"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this world's seed: SOTTO_SEED={}", self.seed);
        }
    }
}
