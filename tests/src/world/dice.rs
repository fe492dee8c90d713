//! Chance that replays: everything random in a world comes from one seed.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

pub struct Dice(ChaCha20Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A number from least to most, both included.
    pub fn number(&mut self, least: u64, most: u64) -> u64 {
        let span = most - least + 1;
        least + self.0.next_u64() % span
    }

    /// True so many times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.0.next_u32() % 1000 < per_mille
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        match from.len() {
            0 => None,
            len => from.get(self.number(0, len as u64 - 1) as usize),
        }
    }

    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// For what wants a generator of its own.
    pub fn generator(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.seed())
    }

    pub fn id(&mut self) -> [u8; 16] {
        let mut id = [0; 16];
        self.0.fill_bytes(&mut id);
        id
    }
}
