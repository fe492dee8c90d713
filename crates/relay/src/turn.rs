//! The relay's STUN and TURN server (RFC 8489, RFC 8656), for calls: it tells
//! clients which address the world sees of them, and carries packets between
//! people who shall not, or cannot, reach each other directly.
//!
//! It is narrower than the RFC allows, on purpose: **a relayed address can be
//! reached by other relayed addresses of this server, and by nothing else.**
//! Every client of a relay takes an allocation of its own, so two ends of a
//! call always meet inside. Packets therefore never leave to an address that
//! somebody named: the only places this server ever sends to are those that
//! it just heard from. So there is no port to open besides its own, no way
//! for it to be an open relay, and none into the networks around it, however
//! an address is spelled.
//!
//! ```text
//! alice ── 5-tuple ── allocation ┐
//!                                ├─ matched by relayed address, in memory
//! bob ──── 5-tuple ── allocation ┘
//! ```
//!
//! - [`Server`]: every rule, as one pure state machine over datagrams.
//! - [`credential`]: names and passwords that end by themselves.
//! - [`stun`]: messages and their attributes.
//! - [`udp`]: sockets, a clock and a task around the server.
//! - `stream`: clients whose datagrams come by a stream, because their
//!   network lets no UDP through. The streams are WebSockets of the relay's
//!   own port, which `crate::server` opens.
//!
//! Not here: TURN's own framing over TCP and TLS, TCP allocations (RFC 6062),
//! even ports and reservations, DONT-FRAGMENT, mobility, ORIGIN, third-party
//! authorization. MESSAGE-INTEGRITY is the SHA-1 one, the only one that
//! WebRTC libraries speak.

mod allocation;
mod channel;
pub mod credential;
mod peers;
mod quota;
mod server;
pub(crate) mod stream;
pub mod stun;
pub mod udp;

pub use credential::{Credential, Credentials, Holder};
pub use quota::TurnLimits;
pub use server::{Datagram, Door, Now, Path, Server};
pub use sotto_wire::limits::DATAGRAM;

/// Names the protection space (RFC 8489 §9.2).
pub const REALM: &str = "sotto";
