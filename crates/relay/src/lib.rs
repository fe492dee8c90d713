//! Sotto's relay: it routes, orders and stores what it cannot read.
//!
//! - [`hub`]: every rule, as one pure state machine; runs in a simulator.
//! - [`store`]: where the hub's durable changes go (memory, SQLite).
//! - [`auth`]: judging signatures, tokens, challenges and tickets.
//! - [`turn`]: STUN and TURN for calls, between this relay's own people.
//! - [`server`]: sockets, HTTP, TLS and limits around the hub; what the
//!   desktop app embeds and the `sotto-relay` binary runs.
//!
//! There is no key to any body in this crate, and no dependency that could
//! open one. The library installs no signal handler, no logger and no other
//! process-wide state.

pub mod auth;
pub mod hub;
pub mod server;
pub mod store;
pub mod turn;

pub use server::{Config, Relay, StartError, start};
