//! Calls while the network loses, doubles and reorders: in the end all agree
//! on who is in the call, and every pair has keys both ways.

use sotto_client::Request;
use sotto_tests::{
    seeds,
    world::{Actor, VOICE, Weather, World},
};
use sotto_wire::{ClientFrame, RelayFrame};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// Seeds of an ordinary run.
const SEEDS: u64 = 40;

#[test]
fn calls_come_together_whatever_the_network_does() {
    seeds::some(SEEDS, storm);
}

fn storm(seed: u64) {
    let world = World::from_seed(seed);
    let people: Vec<Actor> = PEOPLE.iter().map(|name| world.person(name)).collect();
    people[0].creates("Field notes");
    let link = people[0].invites();
    for person in &people[1..] {
        person.joins(&link);
    }
    world.settle();
    let mut dice = world.scene().dice.generator();
    world.on_the_way_up(move |_, frame| lossy(&mut dice, frame, is_signal_up));
    let mut dice = world.scene().dice.generator();
    world.on_the_way_down(move |_, frame| lossy(&mut dice, frame, is_signal_down));
    world.weather(Weather {
        delay: (5, 300),
        repeat: 50,
        reorder: 100,
        ..Weather::CALM
    });
    people[0].starts_call();
    world.run_for(2_000);
    for person in &people[1..] {
        joins_when_it_can(&world, person);
        let pause = world.scene().dice.number(0, 1_500);
        world.run_for(pause);
    }
    world.run_for(3_000);
    let leaver = world.scene().dice.number(0, 3) as usize;
    people[leaver].hangs_up();
    world.run_for(1_000);
    world.honest_again();
    world.weather(Weather::CALM);
    world.run_for(45_000);
    let stay: Vec<&Actor> = (0..4)
        .filter(|i| *i != leaver)
        .map(|i| &people[i])
        .collect();
    world.talk_together(&stay);
    assert!(people[leaver].is_quiet());
}

/// Whoever is just catching up presses the button again.
fn joins_when_it_can(world: &World, person: &Actor) {
    let call = person.sees_call().call;
    for _ in 0..20 {
        if person.tries_to_join(call).is_ok() {
            return;
        }
        world.run_for(500);
    }
    person.joins_call();
}

fn is_signal_up(frame: &ClientFrame) -> bool {
    matches!(frame, ClientFrame::CallSignal { .. })
}

fn is_signal_down(frame: &RelayFrame) -> bool {
    matches!(
        frame,
        RelayFrame::CallSignal { .. } | RelayFrame::CallUpdated { .. }
    )
}

/// A third of the signals is lost, a tenth comes twice.
fn lossy<F: Clone>(
    dice: &mut impl rand_core::Rng,
    frame: F,
    concerned: impl Fn(&F) -> bool,
) -> Vec<F> {
    if !concerned(&frame) {
        return vec![frame];
    }
    match dice.next_u32() % 30 {
        0..10 => vec![],
        10..13 => vec![frame.clone(), frame],
        _ => vec![frame],
    }
}

/// Processes die, connections break, the relay restarts, and people call all
/// the same. When it is over, all see the same people in the call, and those
/// hear each other.
#[test]
fn calls_agree_after_crashes() {
    let inside = seeds::some(SEEDS, crashes);
    let talked = inside.iter().filter(|people| **people > 1).count();
    // Enough that it was worth the trouble; one seed alone proves nothing.
    let enough = inside.len() < 8 || talked * 8 > inside.len();
    assert!(enough, "{talked} of {} talked in the end", inside.len());
}

/// How many are in the call in the end.
fn crashes(seed: u64) -> usize {
    let world = World::from_seed(seed);
    let people: Vec<Actor> = PEOPLE.iter().map(|name| world.person(name)).collect();
    people[0].creates("Field notes");
    let link = people[0].invites();
    for person in &people[1..] {
        person.joins(&link);
    }
    world.settle();
    world.weather(Weather {
        delay: (5, 200),
        cut: 20,
        repeat: 30,
        reorder: 50,
        crash: 8,
        relay_crash: 4,
        ..Weather::CALM
    });
    for _ in 0..25 {
        let who = world.scene().dice.number(0, 3) as usize;
        let what = world.scene().dice.number(0, 9);
        act(&world, &people[who], what);
        let pause = world.scene().dice.number(10, 4_000);
        world.run_for(pause);
    }
    world.weather(Weather::CALM);
    world.run_for(10_000);
    for _ in 0..6 {
        world.tick();
        world.run_for(40_000);
    }
    let inside: Vec<&Actor> = people.iter().filter(|p| !p.is_quiet()).collect();
    if inside.len() > 1 {
        world.talk_together(&inside);
    }
    let mut names: Vec<_> = inside.iter().map(|p| p.user()).collect();
    names.sort();
    for person in people.iter().filter(|p| p.is_quiet()) {
        let mut seen: Vec<_> = person
            .call()
            .map(|call| call.participants.iter().map(|p| p.user).collect())
            .unwrap_or_default();
        seen.sort();
        assert_eq!(seen, names, "who {} sees in the call", person.name());
    }
    inside.len()
}

fn act(world: &World, who: &Actor, what: u64) {
    if world.scene().machine(who.name()).client.is_none() {
        return;
    }
    let (room, call) = (who.room(), who.call());
    let sending = VOICE;
    let request = match (what, call) {
        (0..6, None) => Request::StartCall {
            room,
            video: false,
            sending,
        },
        (0..6, Some(view)) => Request::JoinCall {
            room,
            call: view.call,
            sending,
        },
        (6, Some(view)) => Request::DeclineCall {
            room,
            call: view.call,
        },
        (_, Some(view)) => Request::LeaveCall {
            room,
            call: view.call,
        },
        _ => return,
    };
    let _ = who.tries(request);
}
