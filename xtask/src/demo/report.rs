//! What the demo did and saw, as Markdown for people and JSON for programs.

use crate::steps::{Trouble, announce};
use serde_json::{Value, json};
use sotto_harness::{Failure, Watched};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is left to look at.
const PICTURES: [&str; 7] = [
    "welcome",
    "alice",
    "bob",
    "ringing",
    "call-alice",
    "call-bob",
    "screen",
];

#[derive(Debug)]
pub struct Report {
    begun: Instant,
    steps: Vec<(Duration, String)>,
    messages: Vec<Arrival>,
    meetings: Vec<Meeting>,
    /// From the call to having seen and heard each other, measuring included.
    called: Option<Duration>,
}

/// What one of them saw and heard of the other in the call.
#[derive(Debug)]
struct Meeting {
    who: String,
    other: String,
    seen: Watched,
    /// Of the test tone at the speaker, dBFS.
    tone: f64,
}

#[derive(Debug)]
struct Arrival {
    from: String,
    to: String,
    text: String,
    /// From the first key to the reading in the other window.
    took: Duration,
}

impl Report {
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            steps: Vec::new(),
            messages: Vec::new(),
            meetings: Vec::new(),
            called: None,
        }
    }

    /// Time since the beginning.
    pub fn clock(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Says and notes what happens now.
    pub fn tell(&mut self, what: &str) {
        announce(what);
        self.steps.push((self.clock(), what.to_owned()));
    }

    /// A message was read in the other window.
    pub fn arrived(&mut self, from: &str, to: &str, text: &str, sent: Duration) {
        let took = self.clock().saturating_sub(sent);
        println!("  {from} → {to}: {text}");
        self.messages.push(Arrival {
            from: from.to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
            took,
        });
    }

    /// In the call, `who` saw and heard `other`.
    pub fn met(&mut self, who: &str, other: &str, seen: Watched, tone: f64) {
        println!(
            "  {who} sees {other}: {:.1} pictures a second; hears the tone at {tone:.0} dBFS",
            seen.rate()
        );
        self.meetings.push(Meeting {
            who: who.to_owned(),
            other: other.to_owned(),
            seen,
            tone,
        });
    }

    /// Both have seen and heard each other, in a call begun at that time.
    pub fn called(&mut self, begun: Duration) {
        self.called = Some(self.clock().saturating_sub(begun));
    }

    /// Writes `report.md` and `report.json` into `folder`.
    pub fn end(&self, folder: &Path, outcome: &Result<(), Failure>) -> Result<(), Trouble> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.md"), self.as_markdown(outcome))?;
        let json = serde_json::to_string_pretty(&self.as_json(outcome))
            .map_err(|error| Trouble::new(error.to_string()))?;
        fs::write(folder.join("report.json"), json)?;
        Ok(())
    }

    fn as_markdown(&self, outcome: &Result<(), Failure>) -> String {
        let mut text = String::from("# Sotto demo\n\n");
        let verdict = match outcome {
            Ok(()) => "Every message arrived in the other window; in the call, both saw the other's picture move and heard the other.".to_owned(),
            Err(failure) => format!("It failed: {failure}"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{verdict}\n\n## What happened\n");
        for (at, what) in &self.steps {
            let _ = writeln!(text, "- {:.1} s: {what}", at.as_secs_f32());
        }
        let _ = writeln!(
            text,
            "\n## Messages\n\n| from | to | message | typed and read in |"
        );
        let _ = writeln!(text, "|---|---|---|---|");
        for Arrival {
            from,
            to,
            text: said,
            took,
        } in &self.messages
        {
            let _ = writeln!(text, "| {from} | {to} | {said} | {} ms |", took.as_millis());
        }
        self.write_call(&mut text);
        if outcome.is_ok() {
            text.push_str("\n## Windows\n");
            for name in &PICTURES[1..] {
                let _ = writeln!(text, "\n![{name}]({name}.png)");
            }
        }
        text
    }

    fn write_call(&self, text: &mut String) {
        if self.meetings.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "\n## Call\n\nRead from the pixels of the other window and at the speaker.\n\n\
             | who | sees | size | counter /s | pictures painted /s | hears the tone at |\n\
             |---|---|---|---|---|---|"
        );
        for Meeting {
            who,
            other,
            seen,
            tone,
        } in &self.meetings
        {
            let ((width, height), pace, rate) = (seen.size, seen.pace(), seen.rate());
            let _ = writeln!(
                text,
                "| {who} | {other} | {width}×{height} | {pace:.1} | {rate:.1} | {tone:.0} dBFS |"
            );
        }
    }

    fn meetings_as_json(&self) -> Vec<Value> {
        let one = |meeting: &Meeting| {
            let seen = &meeting.seen;
            json!({
                "who": meeting.who,
                "sees": meeting.other,
                "width": seen.size.0,
                "height": seen.size.1,
                "counter_per_s": seen.pace(),
                "painted_per_s": seen.rate(),
                "tone_dbfs": meeting.tone,
            })
        };
        self.meetings.iter().map(one).collect()
    }

    fn as_json(&self, outcome: &Result<(), Failure>) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|(at, what)| json!({ "at_ms": at.as_millis() as u64, "what": what }))
            .collect();
        let messages: Vec<Value> = self
            .messages
            .iter()
            .map(|arrival| {
                json!({
                    "from": arrival.from,
                    "to": arrival.to,
                    "text": arrival.text,
                    "typed_and_read_ms": arrival.took.as_millis() as u64,
                })
            })
            .collect();
        json!({
            "ok": outcome.is_ok(),
            "failure": outcome.as_ref().err().map(ToString::to_string),
            "took_ms": self.clock().as_millis() as u64,
            "steps": steps,
            "messages": messages,
            "call": self.meetings_as_json(),
            "called_and_met_ms": self.called.map(|took| took.as_millis() as u64),
            "pictures": PICTURES.map(|name| format!("{name}.png")),
        })
    }
}
