//! Runs one Sotto client for real, without a window: WebSocket links,
//! encrypted store, key vault, timers.
//!
//! - [`open`](mod@open): from a profile's folder to a running [`Engine`], and every way
//!   in which that fails.
//! - [`vault`]: the slots that open the database: keyring, passphrase,
//!   recovery code.
//! - `store`: SQLCipher behind the client's storage seam.
//! - `link`: one task for each relay: sign-in, socket, reconnect.
//! - `tunnel`: calls on networks that let no UDP through.
//! - `engine`: the thread that owns the client and keeps to its law of use:
//!   commit, then speak.
//!
//! The engine decides nothing about rooms, messages or trust: that is
//! `sotto_client`. It shows nothing: that is the app. No content, name,
//! address, token or key is logged, and ids only in their short form.

mod api;
mod engine;
mod link;
mod open;
mod profile;
mod secret;
mod store;
mod tunnel;
pub mod vault;

pub use api::{
    EngineStopped, Event, LinkProblem, LinkStatus, Me, Problem, Snapshot, StopWhy, StoreFailure,
};
pub use engine::Engine;
pub use open::{Lock, OpenError, create, inspect, open};
pub use profile::ProfileDir;
pub use secret::{Secret, SecretBytes};
pub use vault::{
    Protection, SlotError, Slots, Unlock,
    keyring::{Keyring, KeyringState, NoKeyring, SystemKeyring},
    recovery::{Typo, check as check_recovery_code},
};

/// A fresh id for a message that is about to be sent.
pub fn new_message_id() -> sotto_wire::MessageId {
    sotto_wire::MessageId(secret::random())
}
