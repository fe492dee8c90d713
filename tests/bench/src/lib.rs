//! What the measuring programs share: samples, and rows for the table of
//! `cargo xtask bench`. They print one JSON object per row.
#![allow(
    clippy::print_stdout,
    reason = "rows on standard output are what these programs are for"
)]

pub mod mls;

use serde_json::json;
use std::time::Duration;

/// Durations of one kind.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, took: Duration) {
        self.0.push(took);
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

/// Prints one row.
pub fn row(what: &str, value: &str, target: &str) {
    println!(
        "{}",
        json!({ "what": what, "value": value, "target": target })
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
