//! What the page sees: plain values in its own shapes, made from the client's
//! and the engine's types. Ids are base64url strings, times Unix milliseconds.

mod people;
mod relay;
mod room;
mod start;
mod timeline;

pub use people::{Invite, Knock, Person, Profile, Safety};
pub use relay::{BuiltInRelay, CheckedLink, Reach, Relay};
pub use room::{Admission, Room};
pub use start::{About, Keyring, Problem, Slots, Snapshot, Start};
pub use timeline::{Item, Page, Quote};
