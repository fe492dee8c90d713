//! What one end of a call prints, as it comes, and the difference between two
//! moments of it.

use crate::scene::Person;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// Longest that a program may say nothing; it says something each second.
const SILENCE: Duration = Duration::from_secs(30);

/// A program in a call.
pub struct End {
    pub name: &'static str,
    child: Child,
    lines: mpsc::Receiver<Value>,
    /// How it stands with the other end, each time that changed.
    pub connections: Vec<String>,
    pub now: Numbers,
}

/// Of the other end, as measured at this one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub age: f64,
    pub decoded: f64,
    pub freezes: f64,
    pub frozen: f64,
    pub played: f64,
    pub concealed: f64,
    pub round_trip: f64,
    /// Of what this end may send, kbit/s.
    pub estimate: f64,
}

impl End {
    pub fn start(name: &'static str, person: &Person, args: &[&str]) -> Self {
        let mut command = person.command(args);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("one object a line");
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            name,
            child,
            lines,
            connections: Vec::new(),
            now: Numbers::default(),
        }
    }

    /// The next line, taken note of.
    pub fn line(&mut self) -> Value {
        let line = match self.lines.recv_timeout(SILENCE) {
            Ok(line) => line,
            Err(why) => panic!("{} says nothing: {why}; {self:?}", self.name),
        };
        self.note(&line);
        line
    }

    fn note(&mut self, line: &Value) {
        if line["event"] == "stats" && line["peers"][0].is_object() {
            self.now = Numbers::of(line);
            return;
        }
        let people = line["people"].as_array().into_iter().flatten();
        for person in people.filter(|person| person["me"] == false) {
            let connection = person["connection"].as_str().unwrap_or_default();
            if self
                .connections
                .last()
                .is_none_or(|last| last != connection)
            {
                self.connections.push(connection.to_owned());
            }
        }
    }

    /// Until it is as wanted; how long that took.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) -> Duration {
        let began = Instant::now();
        while !wanted(self) {
            assert!(began.elapsed() < SILENCE, "never {what}: {self:?}");
            self.line();
        }
        began.elapsed()
    }

    /// Takes note of everything said until then.
    pub fn run_until(&mut self, end: Instant) {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.note(&line),
                Err(mpsc::RecvTimeoutError::Timeout) => return,
                Err(why) => panic!("{} ended: {why}; {self:?}", self.name),
            }
        }
    }
}

impl std::fmt::Debug for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {:?}", self.name, self.connections, self.now)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Numbers {
    fn of(stats: &Value) -> Self {
        let end = &stats["peers"][0];
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let (camera, sound) = (&end["camera"], &end["sound"]);
        let connection = &end["connection"];
        Self {
            age: number(&stats["age_ms"]) / 1_000.0,
            decoded: number(&camera["decoded"]),
            freezes: number(&camera["freezes"]),
            frozen: number(&camera["frozen_ms"]),
            played: number(&sound["played_ms"]),
            concealed: number(&sound["concealed_ms"]),
            round_trip: number(&connection["round_trip_ms"]),
            estimate: number(&connection["estimate"]) / 1_000.0,
        }
    }

    /// What happened between `before` and this.
    pub fn since(&self, before: &Self) -> Span {
        let time = (self.age - before.age).max(0.001);
        let sound = (self.played - before.played).max(1.0);
        Span {
            fps: (self.decoded - before.decoded) / time,
            freezes: self.freezes - before.freezes,
            frozen: self.frozen - before.frozen,
            heard: (self.played - before.played) / time / 1_000.0,
            concealed: (self.concealed - before.concealed) / sound,
            estimate: self.estimate,
            round_trip: self.round_trip,
        }
    }
}

/// A phase in numbers.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub fps: f64,
    pub freezes: f64,
    /// Milliseconds.
    pub frozen: f64,
    /// Share of the time.
    pub heard: f64,
    /// Share of what was heard.
    pub concealed: f64,
    /// kbit/s.
    pub estimate: f64,
    /// Milliseconds.
    pub round_trip: f64,
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:4.1} pictures/s, {:.0} freezes of {:.0} ms in all, heard {:.0} %, made up {:.1} %, \
             room for {:.0} kbit/s, round trip {:.0} ms",
            self.fps,
            self.freezes,
            self.frozen,
            self.heard * 100.0,
            self.concealed * 100.0,
            self.estimate,
            self.round_trip,
        )
    }
}
