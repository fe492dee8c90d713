//! The task of a session, without a network.

mod flood;
mod lines;
mod opening;
