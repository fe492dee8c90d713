//! The MLS epochs that a call needs to know: two ends may be a commit apart
//! for a moment. Kept only while this client is in a call, and only the last
//! few.

use std::{collections::VecDeque, fmt};
use zeroize::Zeroizing;

/// Epochs that are kept.
const KEPT: usize = 4;

/// What a call needs of one epoch.
pub(crate) struct EpochKeys {
    pub epoch: u64,
    /// Proves that both ends are in the same epoch of the same group.
    pub authenticator: Vec<u8>,
    /// What media keys rest on, beside their seed.
    pub secret: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for EpochKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<keys of epoch {}>", self.epoch)
    }
}

/// Never empty.
#[derive(Debug)]
pub(crate) struct Epochs(VecDeque<EpochKeys>);

impl Epochs {
    pub fn new(keys: EpochKeys) -> Self {
        Self([keys].into())
    }

    /// A commit was merged. An epoch that was left does not come back, except
    /// with another group, whose epochs are none of the old.
    pub fn enter(&mut self, keys: EpochKeys) {
        let newer = |old: &EpochKeys| old.epoch < keys.epoch;
        self.0.retain(newer);
        self.0.push_back(keys);
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    pub fn newest(&self) -> &EpochKeys {
        self.0.back().expect("there is always one")
    }

    pub fn get(&self, epoch: u64) -> Option<&EpochKeys> {
        self.0.iter().find(|keys| keys.epoch == epoch)
    }
}
