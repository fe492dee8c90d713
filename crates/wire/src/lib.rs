//! What Sotto's clients and relay say to each other: ids, frames, their JSON
//! codec, limits, addresses and the HTTP shapes of signing in.
//!
//! Every frame is one JSON object with a `type`. Binary values are base64url
//! without padding, times are Unix milliseconds. Bodies are opaque: neither
//! this crate nor the relay can open one. `docs/PROTOCOL.md` tells the rules
//! behind the shapes; the snapshots beside [`frame`] hold the shapes still.
//!
//! This crate has no IO, no clock and no cryptography.

pub mod address;
pub mod auth;
pub mod bytes;
pub mod codec;
pub mod error;
pub mod frame;
pub mod id;
pub mod limits;

pub use address::RelayAddress;
pub use bytes::Bytes;
pub use error::{ErrorCode, WireError};
pub use frame::{ClientFrame, RelayFrame};
pub use id::{CallId, DeviceId, MessageId, RequestId, RoomId, UserId};

/// Unix time in milliseconds.
pub type Millis = u64;

/// Place of an accepted message in its room: 1, 2, 3… without holes.
pub type Seq = u64;

/// MLS epoch of a room (RFC 9420 §8).
pub type Epoch = u64;

/// The protocol version this crate speaks, as a WebSocket subprotocol.
///
/// A client offers every version it speaks in `Sec-WebSocket-Protocol`; the
/// relay picks the newest it knows, or answers `version_unsupported` with
/// status 400 before the upgrade.
pub const SUBPROTOCOL: &str = "sotto.v1";
