//! Group operations through the client against the same operations on bare
//! OpenMLS, in one run: add, join, commit, encrypt, decrypt at 2, 10 and 100
//! members. Prints a table, or with `--json` one object a line.
//!
//! The client's side includes all it does for one input: judging, records,
//! timeline, sealing, and a transaction on the memory store. The bare side
//! runs OpenMLS with the same suite, settings and extensions over its own
//! memory storage.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

mod bare;
mod ours;

use std::time::{Duration, Instant};

/// Group operations in the order of the table.
const OPERATIONS: [&str; 5] = ["add", "join", "commit", "encrypt", "decrypt"];
const SIZES: [usize; 3] = [2, 10, 100];

/// One side of the comparison: a group in which the first member acts and the
/// second one follows.
trait Side {
    fn with_members(count: usize) -> Self;
    /// Times one round of all operations.
    fn round(&mut self) -> [Duration; 5];
}

fn main() {
    let json = std::env::args().any(|arg| arg == "--json");
    if !json {
        println!(
            "{:>7} {:>8} {:>12} {:>12} {:>7}",
            "members", "what", "client", "openmls", "ratio"
        );
    }
    for size in SIZES {
        let rounds = if size == 100 { 15 } else { 40 };
        let mut ours = ours::Ours::with_members(size);
        let mut bare = bare::Bare::with_members(size);
        let mut times: [[Vec<Duration>; 2]; 5] = Default::default();
        for _ in 0..rounds {
            // Side by side, so that a noisy machine is noisy for both.
            for (side, round) in [ours.round(), bare.round()].into_iter().enumerate() {
                for (operation, time) in round.into_iter().enumerate() {
                    times[operation][side].push(time);
                }
            }
        }
        for (name, [ours, bare]) in OPERATIONS.iter().zip(&mut times) {
            print(json, size, name, median(ours), median(bare));
        }
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn print(json: bool, members: usize, what: &str, ours: Duration, bare: Duration) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let ratio = micros(ours) / micros(bare);
    if json {
        println!(
            r#"{{"members":{members},"what":"{what}","client_us":{:.1},"openmls_us":{:.1},"ratio":{ratio:.2}}}"#,
            micros(ours),
            micros(bare)
        );
    } else {
        println!(
            "{members:>7} {what:>8} {:>9.0} µs {:>9.0} µs {ratio:>6.2}×",
            micros(ours),
            micros(bare)
        );
    }
}

fn time<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = act();
    (start.elapsed(), done)
}
