//! Real Sotto windows, driven by code.
//!
//! A [`Stage`] is a private desktop: its own X server (or the person's screen),
//! session bus, keyring and relay, and nothing of it survives. [`Person`]s act on it through the real
//! user interface, in the words of someone who sits before it. Shared by the
//! end-to-end tests and `cargo xtask demo`.
//!
//! It knows the page only by its test ids, and it links neither the app nor the
//! engine: what is tested is what was built.

mod binaries;
mod desktop;
mod driver;
mod failure;
mod keyring;
mod page;
mod person;
mod picture;
mod process;
mod relay;
mod search;
mod sound;
mod stage;
mod sweep;
mod wait;
mod window;
mod wiretap;

pub use binaries::Binaries;
pub use desktop::{Desktop, Screen, Session};
pub use failure::{Failure, Result};
pub use keyring::KeyringSession;
pub use page::Page;
pub use person::{Link, Person, Source, Spoken, TONE};
pub use picture::Watched;
pub use process::{Ending, Process};
pub use relay::Relay;
pub use search::Search;
pub use sound::{Recording, SoundServer};
pub use stage::Stage;
pub use sweep::Brand;
pub use wait::{long, quick, until};
pub use window::Window;
pub use wiretap::Wiretap;
