//! What the measuring programs share: samples, and rows for the table of
//! `cargo xtask bench`. They print one JSON object per row.
#![allow(
    clippy::print_stdout,
    reason = "rows on standard output are what these programs are for"
)]

pub mod calls;
pub mod memory;
pub mod mls;
pub mod parts;
pub mod people;
pub mod siege;

use serde_json::json;
use std::time::Duration;

/// Durations of one kind.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub fn of_millis(millis: &[f64]) -> Self {
        let took = millis
            .iter()
            .map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1000.0));
        Self(took.collect())
    }

    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The value below which `share` of all samples lie, in milliseconds; not
    /// a number without samples.
    pub fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        sorted
            .get(index)
            .map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }

    pub fn median(&self) -> f64 {
        self.at(0.5)
    }
}

/// Processor time of the whole process from a moment on: what work costs, and
/// not how long it waited for a processor that others use as well.
#[derive(Debug, Clone, Copy)]
pub struct Work(Duration);

impl Work {
    pub fn begin() -> Self {
        Self(processor_time())
    }

    pub fn took(&self) -> Duration {
        processor_time().saturating_sub(self.0)
    }
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What is promised of a value, in words, and whether it holds.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub words: &'a str,
    pub met: bool,
}

/// Prints one row.
pub fn row(what: &str, value: &str, target: Option<Target<'_>>) {
    let (words, met) = (target.map(|t| t.words), target.map(|t| t.met));
    println!(
        "{}",
        json!({ "what": what, "value": value, "target": words, "met": met })
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_taken_from_sorted_samples() {
        let mut samples = Samples::default();
        for ms in [5, 1, 3, 2, 4] {
            samples.add(Duration::from_millis(ms));
        }
        assert_eq!(samples.median(), 3.0);
        assert_eq!(samples.at(1.0), 5.0);
        assert!(Samples::default().median().is_nan());
    }
}
