//! What is around a call and not ours, for tests and measurements: the
//! [`weather`] of a network between two ends, and [`foreign`] WebRTC to meet
//! and to be compared with. It knows nothing of Sotto.

pub mod foreign;
pub mod weather;
