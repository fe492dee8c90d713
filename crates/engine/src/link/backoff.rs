//! How long to wait before the next try: one second doubling to thirty, of
//! which a random part ("full jitter"), so that a relay that comes back is not
//! met by everybody at once.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

pub struct Backoff {
    tries: u32,
    rng: ChaCha8Rng,
}

impl Backoff {
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            tries: 0,
            rng: ChaCha8Rng::from_seed(seed),
        }
    }

    pub fn next(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.tries.min(5)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        let millis = longest.as_millis() as u64;
        Duration::from_millis(self.rng.next_u64() % (millis + 1))
    }

    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute_and_begin_anew_after_success() {
        let longest = |tries: u32| {
            let waits = (0..200).map(|seed| {
                let mut backoff = Backoff::new([seed; 32]);
                for _ in 0..tries {
                    backoff.next();
                }
                backoff.next()
            });
            waits.max().unwrap()
        };
        for (tries, most) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (60, 30)] {
            let longest = longest(tries).as_secs_f64();
            let most = f64::from(most);
            assert!(
                longest <= most && longest > most * 0.9,
                "try {tries}: {longest}"
            );
        }
        let mut backoff = Backoff::new([1; 32]);
        for _ in 0..10 {
            backoff.next();
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
