//! Progress in plain words: each step says that it begins, how long it took,
//! and, if it fails, what went wrong and how to mend it.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// Why a step failed, and what to do about it if that is known.
#[derive(Debug)]
pub struct Trouble {
    why: String,
    mend: Option<String>,
}

impl Trouble {
    pub fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            mend: None,
        }
    }

    /// Says how to mend it, unless somebody nearer to the cause did.
    pub fn mend(mut self, how: impl Into<String>) -> Self {
        self.mend.get_or_insert_with(|| how.into());
        self
    }

    fn during(mut self, step: &str) -> Self {
        self.why = format!("“{step}” failed: {}", self.why);
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        match &self.mend {
            Some(how) => write!(f, "\n  To mend it: {how}"),
            None => Ok(()),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(unix)]
impl From<sotto_harness::Failure> for Trouble {
    fn from(failure: sotto_harness::Failure) -> Self {
        Self::new(failure.to_string())
    }
}

/// Runs one step that the next ones need.
pub fn step<T>(
    name: &str,
    mend: &str,
    act: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    announce(name);
    let begun = Instant::now();
    match act() {
        Ok(value) => {
            done(name, begun.elapsed());
            Ok(value)
        }
        Err(trouble) => Err(trouble.mend(mend).during(name)),
    }
}

/// Says what is done now.
pub fn announce(what: &str) {
    println!("{} {what}", paint("36", "→"));
}

fn done(name: &str, took: Duration) {
    println!("{} {name} ({})", paint("32", "✓"), in_words(took));
}

/// A list of steps that are all tried, so that one run shows all that is wrong.
#[derive(Debug, Default)]
pub struct Round {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    took: Duration,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Well,
    Failed(Trouble),
    /// Not tried, and why not.
    Skipped(String),
}

impl Round {
    /// Tries a step if all that it needs went well.
    pub fn attempt(
        &mut self,
        name: &str,
        needs: &[&str],
        mend: &str,
        act: impl FnOnce() -> Result<(), Trouble>,
    ) {
        if let Some(missing) = needs.iter().find(|need| !self.went_well(need)) {
            let why = format!("it needs “{missing}”");
            println!("{} {name}: not tried, {why}", paint("33", "–"));
            self.push(name, Duration::ZERO, Outcome::Skipped(why));
            return;
        }
        announce(name);
        let begun = Instant::now();
        match act() {
            Ok(()) => {
                done(name, begun.elapsed());
                self.push(name, begun.elapsed(), Outcome::Well);
            }
            Err(trouble) => {
                let trouble = trouble.mend(mend);
                println!("{} {name}: {trouble}", paint("31", "✗"));
                self.push(name, begun.elapsed(), Outcome::Failed(trouble));
            }
        }
    }

    /// Prints what happened; an error if any step failed.
    pub fn sum_up(self) -> Result<(), Trouble> {
        println!("\nSummary");
        for entry in &self.entries {
            let took = in_words(entry.took);
            match &entry.outcome {
                Outcome::Well => println!("  {} {} ({took})", paint("32", "✓"), entry.name),
                Outcome::Failed(_) => println!("  {} {} ({took})", paint("31", "✗"), entry.name),
                Outcome::Skipped(why) => println!("  {} {}: {why}", paint("33", "–"), entry.name),
            }
        }
        let failed: Vec<String> = self
            .entries
            .into_iter()
            .filter_map(|entry| match entry.outcome {
                Outcome::Failed(trouble) => Some(trouble.during(&entry.name).to_string()),
                Outcome::Well | Outcome::Skipped(_) => None,
            })
            .collect();
        if failed.is_empty() {
            println!("\nAll went well.");
            return Ok(());
        }
        Err(Trouble::new(failed.join("\n")))
    }

    fn went_well(&self, name: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.name == name && matches!(entry.outcome, Outcome::Well))
    }

    fn push(&mut self, name: &str, took: Duration, outcome: Outcome) {
        self.entries.push(Entry {
            name: name.to_owned(),
            took,
            outcome,
        });
    }
}

fn in_words(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds >= 60 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else {
        format!("{:.1} s", took.as_secs_f32())
    }
}

fn paint(color: &str, text: &str) -> String {
    if io::stdout().is_terminal() {
        format!("\x1b[{color}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_whose_need_failed_is_not_tried_and_the_round_fails_with_the_cause() {
        let mut round = Round::default();
        round.attempt("bread", &[], "buy flour", || Err(Trouble::new("no flour")));
        round.attempt("toast", &["bread"], "", || unreachable!("not tried"));
        round.attempt("tea", &[], "", || Ok(()));

        let trouble = round.sum_up().expect_err("bread failed").to_string();

        assert!(trouble.contains("bread") && trouble.contains("buy flour"));
        assert!(!trouble.contains("toast"));
    }
}
