//! Which seeds a test of chance runs: as many as it usually does,
//! `SOTTO_SEEDS=n` of them, or with `SOTTO_SEED=n` that one.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

const THREADS: usize = 2;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}?")))
}

/// Runs each seed, and panics with those that failed.
pub fn each<T: Send>(usual: u64, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    so_many(setting("SOTTO_SEEDS").unwrap_or(usual), run)
}

/// A tenth as many, of what takes ten times as long.
pub fn some<T: Send>(usual: u64, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let asked = setting("SOTTO_SEEDS").map(|seeds| seeds.div_ceil(10));
    so_many(asked.unwrap_or(usual), run)
}

fn so_many<T: Send>(seeds: u64, run: impl Fn(u64) -> T + Sync) -> Vec<T> {
    if let Some(seed) = setting("SOTTO_SEED") {
        return vec![run(seed)];
    }
    let next = AtomicU64::new(1);
    let work = || {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds {
                return (done, failed);
            }
            match catch_unwind(AssertUnwindSafe(|| run(seed))) {
                Ok(outcome) => done.push(outcome),
                Err(_) => failed.push(seed),
            }
        }
    };
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (of_it, wrong) = thread.join().expect("no panic escapes");
            done.extend(of_it);
            failed.extend(wrong);
        }
    });
    assert!(
        failed.is_empty(),
        "seeds {failed:?} failed; see one with SOTTO_SEED={}",
        failed[0]
    );
    done
}
