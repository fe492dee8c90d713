//! A relay in this process, and people who use the program.

// Each test program uses another part of it.
#![allow(dead_code)]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read as _},
    process::{Child, Command, Output, Stdio},
};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_sotto-cli");

pub struct Scene {
    _runtime: tokio::runtime::Runtime,
    relay: Option<sotto_relay::Relay>,
    pub address: String,
}

impl Scene {
    pub fn new() -> Self {
        Self::with(sotto_relay::server::Admission::Open)
    }

    pub fn with(admission: sotto_relay::server::Admission) -> Self {
        Self::made(admission, "127.0.0.1")
    }

    /// The relay listens at this address.
    pub fn at(address: &str) -> Self {
        let mut scene = Self::made(sotto_relay::server::Admission::Open, address);
        scene.address = format!("ws://{}", scene.address);
        scene
    }

    fn made(admission: sotto_relay::server::Admission, address: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let bind = format!("{address}:0").parse().unwrap();
        let config = sotto_relay::Config {
            bind,
            admission,
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

    pub fn person(&self, name: &str) -> Person {
        self.made_person(name, None)
    }

    /// Whose programs run in a network namespace.
    pub fn person_in(&self, name: &str, namespace: &str) -> Person {
        self.made_person(name, Some(namespace.to_owned()))
    }

    fn made_person(&self, name: &str, namespace: Option<String>) -> Person {
        let person = Person {
            dir: tempfile::tempdir().unwrap(),
            relay: self.address.clone(),
            namespace,
        };
        assert_eq!(person.ok(&["init", "--name", name])[0]["name"], name);
        person
    }

    pub fn relay_dies(&mut self) {
        drop(self.relay.take());
    }
}

pub struct Person {
    pub dir: tempfile::TempDir,
    pub relay: String,
    pub namespace: Option<String>,
}

impl Person {
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match &self.namespace {
            // It becomes the program: what ends it ends the program.
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, PROGRAM]);
                command
            }
            None => Command::new(PROGRAM),
        };
        command
            .args(args)
            .args(["--json", "--no-keyring", "--relay", &self.relay])
            .arg("--profile-dir")
            .arg(self.dir.path().join("profile"))
            .env("SOTTO_PASSPHRASE", "sotto voce")
            .env_remove("RUST_LOG")
            .env_remove("SOTTO_RELAY_CODE")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The lines of a command that succeeds.
    pub fn ok(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(args);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {complaint}");
        lines(&output.stdout)
    }

    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines }
    }
}

/// A program that is still at it; killed when the test is done with it.
pub struct Running {
    pub child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("one object a line")
    }

    /// The first line that is like this; fails if the program ends before.
    pub fn until(&mut self, like: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line();
            if like(&line) {
                return line;
            }
        }
    }

    /// As by Ctrl-C.
    pub fn interrupt(&self) {
        let mut kill = Command::new("kill");
        kill.args(["-INT", &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// All that it still says, and its exit code.
    pub fn rest(&mut self) -> (Vec<Value>, Option<i32>) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (lines(rest.as_bytes()), self.child.wait().unwrap().code())
    }

    pub fn ends_well(&mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn lines(stdout: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

pub fn refused(output: &Output) -> (Option<i32>, String) {
    let error = lines(&output.stderr);
    (
        output.status.code(),
        error[0]["error"].as_str().unwrap().to_owned(),
    )
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
