//! Calls between two of these programs, with synthetic devices.

#![cfg(unix)]

mod scene;

use scene::{Person, Scene, refused, text};
use serde_json::Value;

/// Seen and heard, and heard by nobody in this room.
const SYNTHETIC: [&str; 7] = [
    "--video",
    "--microphone",
    "tone:440",
    "--speaker",
    "silence:",
    "--camera",
    "pattern:cool",
];

fn with_devices<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [command, &SYNTHETIC].concat()
}

fn two_in_a_room(scene: &Scene) -> (Person, Person) {
    let (alice, bob) = (scene.person("Alice"), scene.person("Bob"));
    alice.ok(&["create", "Backstage"]);
    let link = alice.ok(&["invite", "Backstage"]).remove(0);
    // Somebody must be there to open the door.
    let open_door = alice.start(&["follow", "Backstage"]);
    bob.ok(&["join", text(&link["link"])]);
    drop(open_door);
    (alice, bob)
}

fn others(line: &Value) -> usize {
    let people = line["people"].as_array();
    people.map_or(0, |all| all.iter().filter(|p| p["me"] == false).count())
}

/// Whether somebody is seen and heard.
fn meets(line: &Value) -> bool {
    let end = &line["peers"][0];
    line["event"] == "stats"
        && end["camera"]["decoded"].as_u64() > Some(30)
        && end["sound"]["played_ms"].as_u64() > Some(1_000)
}

#[test]
fn two_programs_see_and_hear_each_other() {
    let scene = Scene::new();
    let (alice, bob) = two_in_a_room(&scene);
    let waits = ["answer", "--timeout", "60", "--seconds", "12"];
    let mut answering = bob.start(&with_devices(&waits));
    let mut calling = alice.start(&with_devices(&["call", "Backstage", "--timeout", "60"]));

    assert_eq!(calling.line()["phase"], "calling");
    let seen = calling.until(meets);
    assert_eq!(seen["peers"][0]["frames"]["forged"], 0);
    let (heard, code) = answering.rest();
    assert_eq!(code, Some(0));
    assert!(heard.iter().any(meets), "{:?}", heard.last());

    // Bob hung up after his seconds; Alice does when she is interrupted.
    calling.until(|line| line["event"] == "phase" && others(line) == 0);
    calling.interrupt();
    assert_eq!(calling.rest().1, Some(0));
}

#[test]
fn exit_codes_say_what_became_of_a_call() {
    let mut scene = Scene::new();
    let (alice, bob) = two_in_a_room(&scene);

    let mut declining = bob.start(&["answer", "--decline", "--timeout", "60"]);
    let declined = alice.run(&with_devices(&["call", "Backstage", "--timeout", "60"]));
    assert_eq!(refused(&declined), (Some(5), "declined".into()));
    declining.ends_well();

    let missed = alice.run(&with_devices(&["call", "Backstage", "--timeout", "3"]));
    assert_eq!(refused(&missed), (Some(6), "nobody".into()));
    let silence = bob.run(&with_devices(&["answer", "--timeout", "2"]));
    assert_eq!(refused(&silence), (Some(6), "nobody".into()));

    let unknown = ["call", "Backstage", "--camera", "the one in the attic"];
    assert_eq!(refused(&alice.run(&unknown)), (Some(1), "refused".into()));
    scene.relay_dies();
    let late = alice.run(&with_devices(&["call", "Backstage", "--timeout", "2"]));
    assert_eq!(refused(&late), (Some(4), "unreachable".into()));
}

#[test]
fn devices_are_listed_synthetic_ones_too() {
    let scene = Scene::new();
    let devices = scene.person("Alice").ok(&["devices"]);
    for (kind, name) in [
        ("microphone", "tone:440"),
        ("speaker", "silence:"),
        ("camera", "pattern:cool"),
        ("screen", "pattern:page"),
    ] {
        let found = devices
            .iter()
            .any(|d| d["kind"] == kind && d["device"] == name && d["synthetic"] == true);
        assert!(found, "{devices:?}");
    }
}
