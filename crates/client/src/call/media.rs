//! The seam between the client, which decides, and media, which obeys: orders
//! down, reports up. Only strings of SDP and ICE, ids and keys cross it; no
//! type of a WebRTC library does.

use sotto_wire::{CallId, DeviceId, RelayAddress, UserId};
use std::fmt;
use zeroize::Zeroize;

/// One end of a call: a device, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    pub user: UserId,
    pub device: DeviceId,
}

/// What the client wants done. Orders of one call arrive in the order they
/// were given; those for a call or peer that is over are ignored.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaOrder {
    /// A call begins. No device opens and no packet leaves yet.
    Begin {
        call: CallId,
        paths: Paths,
    },
    /// What is captured and sent from now on. The only order that opens a
    /// microphone, a camera or a screen.
    Send {
        call: CallId,
        sending: Sending,
    },
    /// Make a peer connection. `offers`: report an offer; otherwise wait for
    /// the peer's.
    Connect {
        call: CallId,
        peer: Peer,
        offers: bool,
    },
    /// The peer's description. To an offer, report an answer. Its signature
    /// was checked; its SDP is still a stranger's text.
    Describe {
        call: CallId,
        peer: Peer,
        description: Description,
    },
    /// A candidate of the peer, which passed the client's filter.
    AddCandidate {
        call: CallId,
        peer: Peer,
        candidate: Candidate,
    },
    /// Find a new path (ICE restart, RFC 8445 §9): report a fresh offer. Only
    /// for the end that offers.
    Restart {
        call: CallId,
        peer: Peer,
    },
    Disconnect {
        call: CallId,
        peer: Peer,
    },
    /// How packets may travel from now on: counts for connections that are
    /// made and for new paths that are sought.
    Reroute {
        call: CallId,
        paths: Paths,
    },
    /// What this peer says that it sends. What it does not send is neither
    /// shown nor waited for, whatever comes. Before the first of these
    /// anything may come.
    Expect {
        call: CallId,
        peer: Peer,
        sending: Sending,
    },
    /// Encrypt own frames under this key from the next frame on.
    SealWith {
        call: CallId,
        key: MediaKey,
    },
    /// Frames of this peer may be encrypted under this key.
    OpenWith {
        call: CallId,
        peer: Peer,
        key: MediaKey,
    },
    /// Keys of this peer below `kid` open nothing any more.
    Forget {
        call: CallId,
        peer: Peer,
        kid: u64,
    },
    /// Everything of the call closes: connections, devices, keys.
    End {
        call: CallId,
    },
}

/// What media saw.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaReport {
    /// The own description for this peer, to be sealed and sent.
    Described {
        call: CallId,
        peer: Peer,
        description: Description,
    },
    /// A candidate of our own (trickle ICE, RFC 8838); `None` ends the list.
    Gathered {
        call: CallId,
        peer: Peer,
        candidate: Option<Candidate>,
    },
    /// DTLS is done; the certificates as the handshake showed them. Again
    /// after every interruption that ended.
    Connected {
        call: CallId,
        peer: Peer,
        local: Fingerprint,
        remote: Fingerprint,
    },
    /// Packets no longer come through; ICE is still trying.
    Interrupted { call: CallId, peer: Peer },
    Failed {
        call: CallId,
        peer: Peer,
        why: PeerFailure,
    },
    /// Frames of this peer wait for a key that is not here.
    KeyMissing { call: CallId, peer: Peer, kid: u64 },
    /// The key came, and frames open again.
    KeyFound { call: CallId, peer: Peer },
    /// A source that should be sent cannot be captured, or can again; or the
    /// speaker does not play, or does again.
    Source {
        call: CallId,
        source: Source,
        state: SourceState,
    },
}

/// How packets may travel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    /// Only through a TURN server, so that peers do not learn our addresses.
    pub relayed_only: bool,
    /// Offer loopback addresses too: the relay is on this computer, so peers
    /// may be.
    pub loopback: bool,
    pub servers: Vec<IceServer>,
}

/// A STUN or TURN server (RFC 8489, RFC 8656). Its credential is wiped when this
/// is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:host:port` or `turn:host:port?transport=udp`.
    pub urls: Vec<String>,
    pub username: String,
    pub credential: String,
    pub tunnel: Option<Tunnel>,
}

/// A way to a TURN server around networks that let no UDP through: its relay
/// takes the same datagrams by a WebSocket.
#[derive(Clone, PartialEq, Eq)]
pub struct Tunnel {
    pub relay: RelayAddress,
    /// This computer's end of it, one more `turn:` URL under the server's
    /// credentials. Whoever opens it fills this in.
    pub url: Option<String>,
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<tunnel>")
    }
}

impl Drop for IceServer {
    fn drop(&mut self) {
        self.credential.zeroize();
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ice server>")
    }
}

/// What goes out to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sending {
    pub microphone: bool,
    pub camera: bool,
    pub screen: Option<ScreenMode>,
}

/// What matters in a shared screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScreenMode {
    /// Sharp at a low rate.
    Text,
    /// Smooth.
    Motion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    Microphone,
    Camera,
    Screen,
    /// Where the others are heard: the one that only this person misses.
    Speaker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceState {
    Works,
    /// There is no such device.
    NoDevice,
    /// Another program holds it.
    Busy,
    /// The system or the person refused.
    Refused,
    /// It was unplugged or its window closed.
    Vanished,
    Broken,
}

/// Why a source does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    NoDevice,
    Busy,
    Refused,
    Vanished,
    Broken,
}

impl SourceState {
    pub fn trouble(self) -> Option<Trouble> {
        Some(match self {
            Self::Works => return None,
            Self::NoDevice => Trouble::NoDevice,
            Self::Busy => Trouble::Busy,
            Self::Refused => Trouble::Refused,
            Self::Vanished => Trouble::Vanished,
            Self::Broken => Trouble::Broken,
        })
    }
}

/// Half of an offer/answer exchange (RFC 8866, RFC 9429).
#[derive(Clone, PartialEq, Eq)]
pub struct Description {
    pub kind: DescriptionKind,
    pub sdp: String,
}

// SDP names addresses.
impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{:?}, {} bytes>", self.kind, self.sdp.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DescriptionKind {
    Offer,
    Answer,
}

/// One ICE candidate: the `candidate:` line (RFC 8839 §5.1) and the media
/// section it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    pub line: String,
    pub mid: String,
}

// A candidate is an address.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<candidate>")
    }
}

/// SHA-256 of a DTLS certificate (RFC 8122).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// Base key of one sender's SFrame context (RFC 9605 §4.4), with the key id its
/// frames carry. Unique in a call for each sender.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaKey {
    pub kid: u64,
    secret: [u8; 32],
}

impl MediaKey {
    pub fn new(kid: u64, secret: [u8; 32]) -> Self {
        Self { kid, secret }
    }

    /// The base key, for the one place that makes an SFrame context of it.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

impl Drop for MediaKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<media key {}>", self.kid)
    }
}

/// Why a peer cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PeerFailure {
    /// No pair of candidates worked.
    NoPath,
    /// The certificate is not the one that was signed for.
    Certificate,
    /// Its SDP cannot be used.
    Description,
    /// This end could make no SDP that can be used.
    OwnDescription,
    /// It speaks another version.
    Version,
    /// It was silent for too long, in the handshake or after it.
    Silent,
}
