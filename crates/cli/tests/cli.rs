//! The program as scripts use it: real processes, real profiles, a relay in
//! this one.

mod scene;

use scene::{Person, Scene, lines, refused, text};
use serde_json::Value;
use std::{
    io::Write as _,
    process::{Output, Stdio},
};

#[test]
fn a_script_makes_a_room_lets_somebody_in_and_talks() {
    let scene = Scene::new();
    let (alice, bob) = (scene.person("Alice"), scene.person("Bob"));
    let room = alice.ok(&["create", "Backstage", "--ask-host"]).remove(0);
    assert_eq!(room["state"], "member");
    let link = alice.ok(&["invite", "Backstage"]).remove(0);

    let mut joining = bob.start(&["join", text(&link["link"])]);
    let knock = alice.ok(&["knocks", "Backstage", "--wait"]).remove(0);
    assert_eq!(
        (text(&knock["name"]), &knock["verified"]),
        ("Bob", &Value::Bool(false))
    );
    let admitted = alice
        .ok(&["admit", "Backstage", text(&knock["knock"])])
        .remove(0);
    assert_eq!(admitted["admitted"], true);
    assert_eq!(joining.line()["state"], "member");
    joining.ends_well();

    let mut following = bob.start(&["follow", "Backstage", "--count", "2"]);
    for said in ["one", "two"] {
        alice.ok(&["send", "Backstage", said]);
    }
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let line = following.line();
        if line["kind"] == "message" {
            assert_eq!(line["name"], "Alice");
            heard.push(text(&line["text"]).to_owned());
        }
    }
    assert_eq!(heard, ["one", "two"]);
    following.ends_well();

    let people = alice.ok(&["people", "Backstage"]);
    assert_eq!(people.len(), 2);
    let numbers = [alice.ok(&["safety", "Bob"]), bob.ok(&["safety", "Alice"])];
    assert_eq!(numbers[0][0]["digits"], numbers[1][0]["digits"]);
    alice.ok(&["verify", "Bob"]);
    assert!(
        alice
            .ok(&["people", "Backstage"])
            .iter()
            .any(|p| p["verified"] == true)
    );
    bob.ok(&["leave", "Backstage"]);
    assert_eq!(bob.ok(&["rooms"])[0]["state"], "left");
}

#[test]
fn a_follower_that_is_killed_reads_on_where_it_was() {
    let scene = Scene::new();
    let (alice, bob) = (scene.person("Alice"), scene.person("Bob"));
    alice.ok(&["create", "Backstage"]);
    let link = alice.ok(&["invite", "Backstage"]).remove(0);
    // Somebody must be there to open the door.
    let open_door = alice.start(&["follow", "Backstage"]);
    bob.ok(&["join", text(&link["link"])]);
    drop(open_door);

    let mut following = bob.start(&["follow", "Backstage"]);
    alice.ok(&["send", "Backstage", "one"]);
    while following.line()["kind"] != "message" {}
    drop(following);
    alice.ok(&["send", "Backstage", "two"]);
    let mut following = bob.start(&["follow", "Backstage", "--count", "1"]);
    let line = loop {
        let line = following.line();
        if line["kind"] == "message" {
            break line;
        }
    };
    assert_eq!(line["text"], "two");
}

#[test]
fn exit_codes_say_what_is_wrong() {
    let mut scene = Scene::new();
    let alice = scene.person("Alice");
    assert_eq!(
        refused(&alice.run(&["send", "Nowhere", "hello"])),
        (Some(1), "refused".into())
    );
    assert_eq!(
        refused(&alice.run(&["init", "--name", "Again"])),
        (Some(1), "refused".into())
    );
    assert_eq!(
        refused(&alice.run(&["join", "no link at all"])),
        (Some(1), "refused".into())
    );
    assert_eq!(alice.run(&["dance"]).status.code(), Some(2));

    let locked = alice
        .command(&["rooms"])
        .env("SOTTO_PASSPHRASE", "wrong")
        .output()
        .unwrap();
    assert_eq!(refused(&locked), (Some(3), "locked".into()));
    let locked = alice
        .command(&["rooms"])
        .env_remove("SOTTO_PASSPHRASE")
        .output()
        .unwrap();
    assert_eq!(refused(&locked), (Some(3), "locked".into()));

    alice.ok(&["create", "Backstage"]);
    scene.relay_dies();
    let late = alice
        .command(&["send", "Backstage", "hello"])
        .args(["--timeout", "1"])
        .output();
    assert_eq!(refused(&late.unwrap()), (Some(4), "unreachable".into()));

    let nobody = Person {
        dir: tempfile::tempdir().unwrap(),
        relay: scene.address.clone(),
        namespace: None,
    };
    assert_eq!(
        refused(&nobody.run(&["rooms"])),
        (Some(1), "refused".into())
    );
    let bare = nobody
        .command(&["init", "--name", "Bob"])
        .env_remove("SOTTO_PASSPHRASE")
        .output();
    assert_eq!(refused(&bare.unwrap()), (Some(2), "usage".into()));
}

#[test]
fn an_invite_code_is_taken_from_a_file_the_environment_or_standard_input() {
    let code = sotto_wire::frame::Token("open sesame".into());
    let scene = Scene::with(sotto_relay::server::Admission::InviteCode(vec![code]));
    let alice = scene.person("Alice");
    let complaint = |output: &Output| {
        let (status, word) = refused(output);
        let message = text(&lines(&output.stderr)[0]["reason"]).to_owned();
        assert_eq!((status, word), (Some(1), "refused".into()), "{message}");
        message
    };
    let without = complaint(&alice.run(&["create", "Backstage"]));
    assert!(without.contains("--code-file"), "{without}");

    let wrong = alice
        .command(&["create", "Backstage"])
        .env("SOTTO_RELAY_CODE", "guess")
        .output();
    let wrong = complaint(&wrong.unwrap());
    assert!(wrong.contains("does not take this invite code"), "{wrong}");

    let file = alice.dir.path().join("code");
    std::fs::write(&file, "open sesame\n").unwrap();
    let file = file.to_str().unwrap();
    let made = alice.ok(&["create", "Backstage", "--code-file", file]);
    assert_eq!(made[0]["name"], "Backstage");
    // It was for the first time only.
    alice.ok(&["create", "Kitchen"]);

    let bob = scene.person("Bob");
    let mut command = bob.command(&["create", "Attic", "--code-file", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"open sesame\n").unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}
