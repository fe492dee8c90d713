//! Random people in bad weather: many seeds, and in the end all is well.

use sotto_tests::world::storm;
use std::{
    panic::catch_unwind,
    sync::atomic::{AtomicU64, Ordering},
};

/// Seeds of an ordinary run. `SOTTO_SEEDS=n` runs more or fewer,
/// `SOTTO_SEED=n` runs that one.
const SEEDS: u64 = 500;
const THREADS: usize = 2;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}?")))
}

#[test]
fn whatever_breaks_nothing_is_lost_and_all_agree() {
    if let Some(seed) = setting("SOTTO_SEED") {
        return storm(seed);
    }
    let seeds = setting("SOTTO_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(1);
    let work = || {
        let mut failed = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds {
                return failed;
            }
            if catch_unwind(|| storm(seed)).is_err() {
                failed.push(seed);
            }
        }
    };
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic escapes"))
            .collect()
    });
    assert!(
        failed.is_empty(),
        "seeds {failed:?} failed; see one with SOTTO_SEED={}",
        failed[0]
    );
}
