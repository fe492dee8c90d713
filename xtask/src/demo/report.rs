//! What the demo did and saw, as Markdown for people and JSON for programs.

use crate::steps::{Trouble, announce};
use serde_json::{Value, json};
use sotto_harness::Failure;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Report {
    begun: Instant,
    steps: Vec<(Duration, String)>,
    messages: Vec<Arrival>,
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
            Ok(()) => "Every message arrived in the other window.".to_owned(),
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
        if outcome.is_ok() {
            text.push_str("\n## Windows\n\n![Alice](alice.png)\n\n![Bob](bob.png)\n");
        }
        text
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
            "pictures": ["welcome.png", "alice.png", "bob.png"],
        })
    }
}
