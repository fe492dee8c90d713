//! What the page sees: plain values in its own shapes, made from the client's
//! and the engine's types. Ids are base64url strings, times Unix milliseconds.

mod call;
mod device;
mod people;
mod refusal;
mod relay;
mod ringing;
mod room;
mod start;
mod stats;
mod timeline;

pub use call::{Call, Sending};
pub use device::{DeviceChoices, DeviceUse, Devices, Levels, Processing, ShownTile};
pub use people::{Invite, Knock, Person, Profile, Safety};
pub use refusal::Refusal;
pub use relay::{BuiltInRelay, CheckedLink, Reach, Relay};
pub use ringing::{RingingAnswer, RingingCall};
pub use room::{Admission, Room};
pub use start::{About, Keyring, Problem, Slots, Snapshot, Start};
pub use stats::CallStats;
pub use timeline::{Item, Page, Quote};
