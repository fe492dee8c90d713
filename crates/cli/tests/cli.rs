//! The program as scripts use it: real processes, real profiles, a relay in
//! this one.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sotto-cli");

struct Scene {
    _runtime: tokio::runtime::Runtime,
    relay: Option<sotto_relay::Relay>,
    address: String,
}

impl Scene {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let bind = "127.0.0.1:0".parse().unwrap();
        let config = sotto_relay::Config {
            bind,
            ..Default::default()
        };
        let relay = runtime.block_on(sotto_relay::start(config)).unwrap();
        let address = relay.address().to_string();
        Self {
            _runtime: runtime,
            relay: Some(relay),
            address,
        }
    }

    fn person(&self, name: &str) -> Person {
        let person = Person {
            dir: tempfile::tempdir().unwrap(),
            relay: self.address.clone(),
        };
        assert_eq!(person.ok(&["init", "--name", name])[0]["name"], name);
        person
    }

    fn relay_dies(&mut self) {
        drop(self.relay.take());
    }
}

struct Person {
    dir: tempfile::TempDir,
    relay: String,
}

impl Person {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .args(["--json", "--no-keyring", "--relay", &self.relay])
            .arg("--profile-dir")
            .arg(self.dir.path().join("profile"))
            .env("SOTTO_PASSPHRASE", "sotto voce")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The lines of a command that succeeds.
    fn ok(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(args);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {complaint}");
        lines(&output.stdout)
    }

    fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines }
    }
}

/// A program that is still at it; killed when the test is done with it.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("one object a line")
    }

    fn ends_well(&mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

fn refused(output: &Output) -> (Option<i32>, String) {
    let error = lines(&output.stderr);
    (
        output.status.code(),
        error[0]["error"].as_str().unwrap().to_owned(),
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

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
