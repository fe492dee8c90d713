//! Everything a Sotto client knows and decides: identity, rooms (MLS),
//! outbox, inbox, sync, trust.
//!
//! The law of use is one loop, and whoever runs it must keep to it:
//!
//! 1. take one [`Input`],
//! 2. begin a transaction on the store,
//! 3. [`Client::handle`] it,
//! 4. commit; if that fails, drop the effects, stop, and say so,
//! 5. perform the [`Effect`]s, and call again with [`Input::Wake`] at
//!    [`Client::next_wake`].
//!
//! There is no IO, no clock and no async in here. An effect may be lost by a
//! crash after the commit: every send is derived again from the outbox when
//! its relay is up, and every frame is idempotent by its id. `Err` means only
//! that the store failed; whatever a relay or a peer sends, however hostile,
//! ends as state, as an effect, or as [`Effect::Reject`].

pub mod api;
pub mod call;
pub mod identity;
pub mod invite;
pub mod model;
pub mod pad;
pub mod safety;
pub mod seal;
pub mod store;

mod client;
mod mls;
mod room;

pub use api::{Ask, Change, Effect, Input, Now, Outcome, Rejected, Request, RequestError, Why};
pub use client::Client;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub use client::rogue;
pub use store::{StoreError, Txn};
