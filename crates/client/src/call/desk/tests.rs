//! The desk without a room around it: what attackers say in every order, and
//! what a second device of one's own does.

use super::*;
use crate::{
    api::{Now, RequestError},
    call::{
        ledger::CallKey,
        media::{Fingerprint, MediaOrder, Paths, PeerFailure, Sending, Source, SourceState},
        view::CallEnd,
    },
    identity::AccountKey,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

const CALL: CallId = CallId([1; 16]);
const OTHER: CallId = CallId([2; 16]);

fn peer(n: u8) -> Peer {
    Peer {
        user: UserId([n; 32]),
        device: DeviceId([n; 16]),
    }
}

/// One's own desk in a room with Mallory.
struct Scene {
    account: AccountKey,
    rng: ChaCha20Rng,
    members: Vec<Attendant>,
    /// We are in a call of another room.
    busy: bool,
}

impl Scene {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let account = AccountKey::generate(&mut rng);
        let attendant = |n| Attendant {
            peer: peer(n),
            account: account.public(),
        };
        Self {
            members: [1, 2, 3].map(attendant).to_vec(),
            account,
            rng,
            busy: false,
        }
    }

    fn admit(&mut self, mallory: bool) {
        let account = self.account.public();
        self.members.retain(|m| m.peer != peer(2));
        if mallory {
            let peer = peer(2);
            self.members.push(Attendant { peer, account });
        }
    }

    fn with<T>(
        &mut self,
        now: Millis,
        act: impl FnOnce(&mut Tick<'_>, &Room<'_>) -> T,
    ) -> (T, Vec<Deed>) {
        let mut out = Vec::new();
        let room = Room {
            id: RoomId([9; 16]),
            me: peer(1),
            members: &self.members,
            current: true,
            busy: self.busy,
            ahead: 0,
            route: Route::Direct,
            verified: &|_| false,
        };
        let mut tick = Tick {
            now: Now {
                wall: now,
                mono: now,
            },
            account: &self.account,
            rng: &mut self.rng,
            out: &mut out,
        };
        let done = act(&mut tick, &room);
        (done, out)
    }
}

fn epoch() -> EpochKeys {
    EpochKeys {
        epoch: 1,
        authenticator: vec![1; 32],
        secret: Zeroizing::new(vec![1; 32]),
    }
}

/// Everything that can come in without the person doing anything: what a
/// member says, what the relay says, what media says, and time.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Inbound {
    Started,
    StartedInstead,
    Joined,
    Here,
    Left,
    Declined,
    Busy,
    SaidAsMe,
    Refused,
    Signal,
    Present,
    Absent,
    Connected,
    Failed,
    Source,
    Minute,
    RelayBack,
    Epoch,
    /// Mallory comes into the room, or goes.
    Members,
    RoomOver,
}

const INBOUND: [Inbound; 20] = [
    Inbound::Started,
    Inbound::StartedInstead,
    Inbound::Joined,
    Inbound::Here,
    Inbound::Left,
    Inbound::Declined,
    Inbound::Busy,
    Inbound::SaidAsMe,
    Inbound::Refused,
    Inbound::Signal,
    Inbound::Present,
    Inbound::Absent,
    Inbound::Connected,
    Inbound::Failed,
    Inbound::Source,
    Inbound::Minute,
    Inbound::RelayBack,
    Inbound::Epoch,
    Inbound::Members,
    Inbound::RoomOver,
];

fn happens(desk: &mut Desk, tick: &mut Tick<'_>, room: &Room<'_>, what: Inbound) {
    let (mallory, key) = (peer(2), CallKey([7; 32]));
    let mut say = |from, call, says| {
        let at = tick.now.wall;
        desk.hear(tick, room, from, &CallSaying { call, says }, at);
    };
    match what {
        Inbound::Started | Inbound::StartedInstead => {
            let instead = what == Inbound::StartedInstead;
            let says = CallSays::Started {
                video: true,
                key,
                replaces: instead.then_some(CALL),
            };
            say(mallory, if instead { OTHER } else { CALL }, says);
        }
        Inbound::Joined => say(mallory, CALL, CallSays::Joined { key }),
        Inbound::Here => {
            let (by, started) = (mallory.user, 0);
            let says = CallSays::Here {
                key,
                video: true,
                by,
                started,
            };
            say(mallory, CALL, says);
        }
        Inbound::Left => say(mallory, CALL, CallSays::Left),
        Inbound::Declined => say(mallory, CALL, CallSays::Declined),
        Inbound::Busy => say(mallory, CALL, CallSays::Busy),
        // An older copy of this store could have said it.
        Inbound::SaidAsMe => say(room.me, CALL, CallSays::Joined { key }),
        // What an older self had said did not get into the order.
        Inbound::Refused => {
            let says = CallSays::Joined { key };
            desk.refused(tick, room, &CallSaying { call: CALL, says });
        }
        Inbound::Signal => desk.signal(tick, mallory, CALL, &[0; 64]),
        Inbound::Present => {
            let devices = vec![mallory.device, room.me.device];
            desk.present(tick, CALL, devices);
        }
        Inbound::Absent => desk.present(tick, CALL, vec![]),
        Inbound::Connected => desk.report(
            tick,
            MediaReport::Connected {
                call: CALL,
                peer: mallory,
                local: Fingerprint([0; 32]),
                remote: Fingerprint([1; 32]),
            },
        ),
        Inbound::Failed => desk.report(
            tick,
            MediaReport::Failed {
                call: CALL,
                peer: mallory,
                why: PeerFailure::NoPath,
            },
        ),
        Inbound::Source => desk.report(
            tick,
            MediaReport::Source {
                call: CALL,
                source: Source::Camera,
                state: SourceState::Works,
            },
        ),
        Inbound::Minute => tick.now = later(tick.now),
        Inbound::RelayBack => {
            desk.relay_down();
            desk.relay_up(tick);
        }
        Inbound::Epoch => desk.enter_epoch(tick, epoch()),
        // Seen when it settles.
        Inbound::Members => {}
        Inbound::RoomOver => desk.room_over(tick, room),
    }
    desk.settle(tick, room);
    let _ = desk.news(tick.now, room);
}

fn later(now: Now) -> Now {
    Now {
        wall: now.wall + 61_000,
        mono: now.mono + 61_000,
    }
}

/// What decides what comes next. Without a local yes there is no session, so
/// this is all of it.
#[derive(Debug, Clone)]
struct State {
    ledger: Ledger,
    hint: Option<Hint>,
    ring: Option<Millis>,
    shown: Option<CallView>,
    said_left: Option<CallId>,
    said_busy: Option<CallId>,
    known: Vec<Peer>,
    mallory: bool,
    now: Millis,
}

impl State {
    fn first() -> Self {
        Self::of(Desk::default(), true, 1_000_000)
    }

    fn of(desk: Desk, mallory: bool, now: Millis) -> Self {
        assert!(desk.session.is_none(), "a part in a call without a yes");
        Self {
            ledger: desk.ledger,
            hint: desk.hint,
            ring: desk.ring,
            shown: desk.shown,
            said_left: desk.said_left,
            said_busy: desk.said_busy,
            known: desk.known,
            mallory,
            now,
        }
    }

    fn desk(&self) -> Desk {
        Desk {
            ledger: self.ledger.clone(),
            hint: self.hint.clone(),
            ring: self.ring,
            shown: self.shown.clone(),
            said_left: self.said_left,
            said_busy: self.said_busy,
            known: self.known.clone(),
            ..Desk::default()
        }
    }

    /// Two states with one name go on alike.
    fn name(&self) -> String {
        format!("{self:?}")
    }

    /// One thing comes in. Nothing of it opens a device, or speaks for us.
    fn after(&self, scene: &mut Scene, what: Inbound) -> Self {
        let mut desk = self.desk();
        let mallory = self.mallory != (what == Inbound::Members);
        scene.admit(mallory);
        let busy = scene.busy;
        let (now, deeds) = scene.with(self.now, |tick, room| {
            happens(&mut desk, tick, room, what);
            tick.now
        });
        for deed in deeds {
            let harmless = match &deed {
                Deed::Began | Deed::Ended { .. } | Deed::Over(_) | Deed::Reject(..) => true,
                Deed::Say(saying) => match saying.says {
                    // A goodbye for a seat that an older self took is fine.
                    CallSays::Left => true,
                    CallSays::Busy => busy,
                    _ => false,
                },
                _ => false,
            };
            assert!(harmless, "{what:?} made this client act: {deed:?}");
        }
        Self::of(desk, mallory, now.mono)
    }
}

/// Every sequence of six, whether or not one is in a call of another room. A
/// signal is the same here whatever its purpose: nobody has a key of ours to
/// seal one with. Sequences that lead to the same state go on together; how many
/// do is counted with it.
#[test]
fn attack_10_nothing_that_comes_in_opens_a_device() {
    for busy in [false, true] {
        let mut scene = Scene {
            busy,
            ..Scene::new()
        };
        let first = State::first();
        let mut states = BTreeMap::from([(first.name(), (first, 1_u64))]);
        for _ in 0..6 {
            let mut next: BTreeMap<String, (State, u64)> = BTreeMap::new();
            for (state, sequences) in states.values() {
                for what in INBOUND {
                    let reached = state.after(&mut scene, what);
                    let entry = next.entry(reached.name());
                    entry.or_insert((reached, 0)).1 += sequences;
                }
            }
            states = next;
        }
        let covered: u64 = states.values().map(|(_, sequences)| sequences).sum();
        assert_eq!(covered, 64_000_000, "20 inputs, six at a time");
        assert!(states.len() > 100, "{} states", states.len());
    }
}

/// The test above may take one way for another that leads to the same state:
/// here every way is gone, as far as that is quick.
#[test]
fn ways_that_lead_to_one_state_may_be_taken_for_each_other() {
    let mut scene = Scene::new();
    let mut ways = vec![State::first()];
    let mut merged = BTreeMap::from([(State::first().name(), State::first())]);
    for _ in 0..3 {
        let mut next = Vec::new();
        for way in &ways {
            next.extend(INBOUND.map(|what| way.after(&mut scene, what)));
        }
        ways = next;
        let mut next = BTreeMap::new();
        for state in merged.values() {
            for what in INBOUND {
                let reached = state.after(&mut scene, what);
                next.insert(reached.name(), reached);
            }
        }
        merged = next;
    }
    assert_eq!(ways.len(), 8_000);
    let reached: BTreeSet<String> = ways.iter().map(State::name).collect();
    assert!(reached.iter().eq(merged.keys()));
}

#[test]
fn a_caller_is_told_once_that_one_is_busy() {
    let mut scene = Scene {
        busy: true,
        ..Scene::new()
    };
    let says = Deed::Say(CallSaying {
        call: CALL,
        says: CallSays::Busy,
    });
    let mut desk = Desk::default();
    let mut told = Vec::new();
    for what in [Inbound::Started, Inbound::Present, Inbound::RelayBack] {
        let (_, deeds) = scene.with(1_000, |tick, room| happens(&mut desk, tick, room, what));
        told.extend(deeds.into_iter().filter(|deed| *deed == says));
    }
    assert_eq!(told.len(), 1);
    assert!(desk.ring.is_some(), "it rings on");
    // Nobody waits in a call that is a conversation.
    let mut desk = Desk::default();
    scene.busy = false;
    scene.with(1_000, |tick, room| {
        happens(&mut desk, tick, room, Inbound::Started);
        let says = CallSays::Joined {
            key: CallKey([3; 32]),
        };
        desk.hear(tick, room, peer(3), &CallSaying { call: CALL, says }, 1_000);
    });
    scene.busy = true;
    let (_, deeds) = scene.with(2_000, |tick, room| desk.settle(tick, room));
    assert!(desk.ring.is_some() && !deeds.contains(&says));
}

#[test]
fn nothing_is_captured_before_the_yes_nor_after_the_end() {
    let mut scene = Scene::new();
    let mut desk = Desk::default();
    let (_, deeds) = scene.with(1_000, |tick, room| {
        happens(&mut desk, tick, room, Inbound::Started);
    });
    assert!(!deeds.iter().any(opens_device));
    let sending = Sending {
        microphone: true,
        ..Sending::default()
    };
    let (_, deeds) = scene.with(2_000, |tick, room| {
        desk.join(tick, room, (CALL, sending), Paths::default(), epoch())
            .expect("it runs");
    });
    assert_eq!(deeds.iter().filter(|d| opens_device(d)).count(), 1);
    let (_, deeds) = scene.with(3_000, |tick, room| {
        desk.leave(tick, room, CALL);
        let refused = desk.set_sending(tick, sending);
        assert_eq!(refused, Err(RequestError::NotInCall));
        for what in INBOUND {
            happens(&mut desk, tick, room, what);
        }
    });
    assert!(!deeds.iter().any(opens_device));
    assert!(deeds.contains(&Deed::Order(MediaOrder::End { call: CALL })));
}

fn opens_device(deed: &Deed) -> bool {
    matches!(deed, Deed::Order(MediaOrder::Send { sending, .. }) if *sending != Sending::default())
}

#[test]
fn it_stops_ringing_when_another_device_of_ours_answers() {
    let mut scene = Scene::new();
    let mut desk = Desk::default();
    scene.with(1_000, |tick, room| {
        happens(&mut desk, tick, room, Inbound::Started);
        let _ = desk.news(tick.now, room);
    });
    let view = desk.shown().expect("it rings");
    assert!(matches!(view.phase, CallPhase::Ringing { .. }));
    let (_, deeds) = scene.with(2_000, |tick, room| {
        let other = Peer {
            user: room.me.user,
            device: DeviceId([8; 16]),
        };
        let says = CallSays::Joined {
            key: CallKey([8; 32]),
        };
        desk.hear(tick, room, other, &CallSaying { call: CALL, says }, 2_000);
    });
    let over = |deed: &Deed| matches!(deed, Deed::Over(view) if view.phase == CallPhase::Over(CallEnd::Elsewhere));
    assert!(deeds.iter().any(over));
    assert!(desk.ring.is_none());
}

#[test]
fn a_part_that_did_not_outlive_its_process_is_given_up() {
    let mut scene = Scene::new();
    let mut desk = Desk::default();
    let sending = Sending::default();
    scene.with(1_000, |tick, room| {
        desk.start(
            tick,
            room,
            (CALL, false, sending),
            Paths::default(),
            epoch(),
        )
        .expect("nothing runs");
    });
    let mut desk = Desk::new(desk.ledger);
    let (_, deeds) = scene.with(2_000, |tick, room| desk.settle(tick, room));
    let says = CallSays::Left;
    assert!(deeds.contains(&Deed::Say(CallSaying { call: CALL, says })));
    let (_, deeds) = scene.with(3_000, |tick, room| desk.settle(tick, room));
    assert!(deeds.is_empty(), "it is said once");
}
