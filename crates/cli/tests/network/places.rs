//! Places on a network of our own: a namespace for each person, and between
//! them a router whose weather the test makes. The relay is in the namespace
//! of the test.
//!
//! It takes root, `ip` and TUN devices. Names and addresses hold the number of
//! this process, so that several can run; what a dead one left is cleared away.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const PREFIX: &str = "sotto-call-";
const ROUTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/network/router.py");

/// What the access of the first person does to packets, each way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Share of packets.
    pub loss: f64,
    /// Seconds.
    pub delay: f64,
    pub jitter: f64,
    /// Of a narrow place, bit/s.
    pub rate: Option<u32>,
    /// Nothing passes.
    pub dark: bool,
}

pub struct Places {
    router: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The first three octets of all addresses.
    net: String,
}

#[derive(Clone, Copy)]
pub enum Place {
    Alice,
    Bob,
}

impl Place {
    pub fn namespace(self) -> String {
        namespace(std::process::id(), self)
    }

    fn device(self) -> String {
        let letter = match self {
            Self::Alice => 'a',
            Self::Bob => 'b',
        };
        format!("so{}{letter}", std::process::id())
    }
}

fn namespace(process: u32, place: Place) -> String {
    let name = match place {
        Place::Alice => "alice",
        Place::Bob => "bob",
    };
    format!("{PREFIX}{process}-{name}")
}

/// Why there is no such network here; `None`: there can be one.
pub fn missing() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("namespaces are Linux's".into());
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".into());
    }
    for (program, args) in [("ip", &["-V"][..]), ("python3", &["-V"])] {
        if run(program, args).is_err() {
            return Some(format!("there is no `{program}`"));
        }
    }
    clear_away();
    let probe = Place::Alice.namespace();
    let made = run("ip", &["netns", "add", &probe])
        .and_then(|()| run("ip", &["-n", &probe, "link", "set", "lo", "up"]));
    if made.is_err() {
        forget(std::process::id());
    }
    made.err()
}

impl Places {
    /// After [`missing`] found nothing to be missing.
    pub fn new() -> Self {
        let process = std::process::id();
        let net = format!("10.{}.{}", 64 + process / 256 % 128, process % 256);
        let relay = format!("so{process}r");
        let mut router = Command::new("python3")
            .arg(ROUTER)
            .arg(format!("{}={net}.10,{net}.20", Place::Alice.device()))
            .arg(format!("{}={net}.30", Place::Bob.device()))
            .arg(format!("{relay}={net}.1"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let orders = router.stdin.take().expect("piped");
        let answers = BufReader::new(router.stdout.take().expect("piped"));
        let mut places = Self {
            router,
            orders,
            answers,
            net,
        };
        println!("router: {}", places.answer());
        for (place, last) in [(Place::Alice, 10), (Place::Bob, 30)] {
            let (space, device) = (place.namespace(), place.device());
            if matches!(place, Place::Bob) {
                must(&["netns", "add", &space]);
            }
            must(&["link", "set", &device, "netns", &space]);
            places.settle(place, last);
            must(&["-n", &space, "link", "set", "lo", "up"]);
        }
        let (own, all) = (places.address(1), format!("{}.0/24", places.net));
        must(&["address", "add", &own, "dev", &relay]);
        must(&["link", "set", &relay, "up"]);
        must(&["route", "add", &all, "dev", &relay]);
        places
    }

    pub fn address(&self, last: u8) -> String {
        format!("{}.{last}", self.net)
    }

    /// Gives a place its address, and the way to all others.
    fn settle(&self, place: Place, last: u8) {
        let (space, device) = (place.namespace(), place.device());
        let address = self.address(last);
        must(&["-n", &space, "address", "add", &address, "dev", &device]);
        must(&["-n", &space, "link", "set", &device, "up"]);
        must(&["-n", &space, "route", "replace", "default", "dev", &device]);
    }

    /// Alice is somewhere else: her address goes, and another comes.
    pub fn alice_moves(&self) {
        let (space, device) = (Place::Alice.namespace(), Place::Alice.device());
        let old = format!("{}/32", self.address(10));
        must(&["-n", &space, "address", "del", &old, "dev", &device]);
        self.settle(Place::Alice, 20);
    }

    /// Changes the weather; what the router says of the one before.
    pub fn weather(&mut self, weather: Weather) -> Value {
        let Weather {
            loss,
            delay,
            jitter,
            rate,
            dark,
        } = weather;
        let order = serde_json::json!({
            "loss": loss, "delay": delay, "jitter": jitter, "rate": rate, "dark": dark,
        });
        writeln!(self.orders, "{order}").expect("the router listens");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the router lives");
        serde_json::from_str(&line).expect("the router made its devices")
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        let _ = self.router.kill();
        let _ = self.router.wait();
        forget(std::process::id());
    }
}

fn forget(process: u32) {
    for place in [Place::Alice, Place::Bob] {
        let _ = run("ip", &["netns", "delete", &namespace(process, place)]);
    }
}

/// Namespaces of processes that did not come to it.
fn clear_away() {
    let listed = Command::new("ip").args(["netns", "list"]).output();
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    for line in String::from_utf8_lossy(&listed).lines() {
        let owner = line
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next()?.parse().ok());
        if let Some(process) = owner
            && !Path::new(&format!("/proc/{process}")).exists()
        {
            forget(process);
        }
    }
}

fn must(args: &[&str]) {
    if let Err(why) = run("ip", args) {
        panic!("ip {args:?}: {why}");
    }
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(args)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
