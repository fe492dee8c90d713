//! Random people in bad weather: many seeds, and in the end all is well.

use sotto_tests::{seeds, world::storm};

/// Seeds of an ordinary run.
const SEEDS: u64 = 500;

#[test]
fn whatever_breaks_nothing_is_lost_and_all_agree() {
    seeds::each(SEEDS, storm);
}
