//! The same group operations, once through our client and once through bare
//! OpenMLS, at the same sizes and on the same suite.

pub mod bare;
pub mod ours;

use crate::Samples;

/// Group sizes to measure.
pub const SIZES: [usize; 3] = [2, 10, 100];

/// Messages encrypted and decrypted at each size.
pub const MESSAGES: usize = 200;

/// Groups to build, so that each size has enough samples. Bare and ours take
/// turns: what else happens on the machine then hits both.
pub fn rounds(size: usize) -> usize {
    (200 / size).clamp(3, 60)
}

/// Whether a join to this size is counted: the last ones before the full size.
pub fn counts(size: usize, full: usize) -> bool {
    size + 5 > full
}

/// What was measured at one size, in processor time ([`crate::Work`]).
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// By the member who adds: key package in, commit and Welcome out, merged.
    pub add: Samples,
    /// By the newcomer: Welcome in, group there.
    pub join: Samples,
    /// A commit that changes the room: made, and merged when it was accepted.
    pub commit: Samples,
    /// The same commit at another member: judged and merged.
    pub follow: Samples,
    pub encrypt: Samples,
    pub decrypt: Samples,
}
