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
            ahead: 0,
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
    SaidAsMe,
    Signal,
    Present,
    Absent,
    Connected,
    Failed,
    Source,
    Minute,
    RelayBack,
}

const INBOUND: [Inbound; 15] = [
    Inbound::Started,
    Inbound::StartedInstead,
    Inbound::Joined,
    Inbound::Here,
    Inbound::Left,
    Inbound::Declined,
    Inbound::SaidAsMe,
    Inbound::Signal,
    Inbound::Present,
    Inbound::Absent,
    Inbound::Connected,
    Inbound::Failed,
    Inbound::Source,
    Inbound::Minute,
    Inbound::RelayBack,
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
        // An older copy of this store could have said it.
        Inbound::SaidAsMe => say(room.me, CALL, CallSays::Joined { key }),
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
    }
    desk.settle(tick, room);
}

fn later(now: Now) -> Now {
    Now {
        wall: now.wall + 61_000,
        mono: now.mono + 61_000,
    }
}

/// What of a desk decides what it does next. Without a local yes there is no
/// session, so this is all of it.
#[derive(Debug, Clone, PartialEq)]
struct State {
    ledger: Ledger,
    hint: Option<Hint>,
    ring: Option<Millis>,
    said_left: Option<CallId>,
    now: Millis,
}

impl State {
    fn of(desk: &Desk, now: Now) -> Self {
        assert!(desk.session.is_none(), "a part in a call without a yes");
        Self {
            ledger: desk.ledger.clone(),
            hint: desk.hint.clone(),
            ring: desk.ring,
            said_left: desk.said_left,
            now: now.mono,
        }
    }

    fn desk(&self) -> Desk {
        Desk {
            ledger: self.ledger.clone(),
            hint: self.hint.clone(),
            ring: self.ring,
            said_left: self.said_left,
            ..Desk::default()
        }
    }
}

/// Every sequence of six. A signal is the same here whatever its purpose: nobody
/// has a key of ours to seal one with. Sequences that lead to the same state go on
/// together, so that all of the eleven million are covered.
#[test]
fn attack_10_nothing_that_comes_in_opens_a_device() {
    let mut scene = Scene::new();
    let mut states = vec![State::of(
        &Desk::default(),
        Now {
            wall: 1_000_000,
            mono: 1_000_000,
        },
    )];
    let mut covered: u64 = 1;
    for _ in 0..6 {
        let mut next: Vec<State> = Vec::new();
        for state in &states {
            for what in INBOUND {
                let mut desk = state.desk();
                let (now, deeds) = scene.with(state.now, |tick, room| {
                    happens(&mut desk, tick, room, what);
                    tick.now
                });
                for deed in deeds {
                    let opens = matches!(deed, Deed::Order(_));
                    assert!(!opens, "{what:?} made media do something: {deed:?}");
                    // A goodbye for a seat that an older self took is fine.
                    let goodbye = matches!(&deed, Deed::Say(s) if s.says == CallSays::Left);
                    let says = matches!(deed, Deed::Say(_) | Deed::Signal { .. });
                    assert!(
                        goodbye || !says,
                        "{what:?} made this client speak: {deed:?}"
                    );
                }
                let reached = State::of(&desk, now);
                if !next.contains(&reached) {
                    next.push(reached);
                }
            }
        }
        covered *= INBOUND.len() as u64;
        states = next;
    }
    assert_eq!(covered, 11_390_625);
    assert!(states.len() > 20, "{} states", states.len());
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
