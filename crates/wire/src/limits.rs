//! Sizes and counts both sides agree on, each with what raising it costs.

/// Longest frame in bytes. Raising it lets one sender hold more of every
/// reader's memory.
pub const FRAME: usize = 64 * 1024;

/// Longest `chat.send` of kind commit and longest `direct.send`, in bytes. A
/// Welcome carries the whole ratchet tree: about 3 KiB a member before base64.
pub const LARGE_FRAME: usize = 1024 * 1024;

/// Members of a room. Raising it makes commits and Welcomes outgrow
/// [`LARGE_FRAME`].
pub const MEMBERS: usize = 250;

/// Rooms that one `room.open` burst may name on a connection.
pub const ROOMS_PER_USER: usize = 1_000;

/// One-time key packages in one `keys.publish`.
pub const KEY_PACKAGES: usize = 100;

/// A client that answers no ping for this long is dead (milliseconds).
pub const SILENCE: u64 = 90_000;

/// Time between heartbeats (milliseconds).
pub const HEARTBEAT: u64 = 30_000;

/// Time within which `auth` must be the first frame (milliseconds).
pub const AUTH_WAIT: u64 = 5_000;

/// The relay's default port.
pub const PORT: u16 = 3030;

/// The default UDP port of its STUN and TURN server (RFC 8656 §5).
pub const TURN_PORT: u16 = 3478;

/// Longest datagram of a relayed call that is looked at or made, in bytes, and
/// so the longest message where they go by WebSockets. Media, DTLS and SCTP
/// stay below 1,300.
pub const DATAGRAM: usize = 2_048;

/// What a relay tells its clients in `auth.ok`. Bytes and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    pub frame: usize,
    pub large_frame: usize,
    pub members: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: FRAME,
            large_frame: LARGE_FRAME,
            members: MEMBERS,
        }
    }
}
