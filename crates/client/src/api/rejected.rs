//! What was refused, and why: every hostile, stale or broken input is one of
//! these.

use sotto_wire::{RoomId, Seq, UserId};

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub room: Option<RoomId>,
    /// Who the relay says it is from.
    pub from: Option<UserId>,
    pub seq: Option<Seq>,
    pub why: Why,
}

/// The kinds of hostile, stale or broken input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// Not a frame.
    NotAFrame,
    /// For a room that this client has nothing to do with.
    UnknownRoom,
    /// A place in the order that was already filled.
    Replay,
    /// Does not decrypt or authenticate in this room and epoch.
    Forged,
    /// The relay names another sender than the cryptography does.
    WrongSender,
    /// A certificate that does not hold.
    BadCertificate,
    /// Authentic, but its author may not do this.
    NotAllowed,
    /// A Welcome nobody asked for, or for a room that is joined already.
    UnwantedWelcome,
    /// A knock that no valid invite opens.
    BadKnock,
    /// A signal that is old, repeated or unreadable.
    BadSignal,
    /// Its author had seen another order of messages than the relay shows
    /// here, or one that this client does not have.
    SplitView,
    /// A content this version does not understand.
    UnknownContent,
    /// An answer to nothing that was asked.
    Unasked,
    /// A call signal for no call that this client is in, or of somebody who is
    /// not in it.
    CallUnknown,
    /// A call signal that nobody in the call sealed and signed, or that was
    /// made for another room, call, epoch or person.
    CallForged,
    /// A call signal that came before.
    CallReplay,
    /// A call signal whose time is over, or is yet to come.
    CallExpired,
    /// An answer to another offer, candidates of another description, a
    /// description from the wrong end.
    CallUnbound,
    /// A description with another fingerprint than was signed, or otherwise
    /// not as it should be.
    CallDescription,
    /// A candidate that could be used to scan or to leak.
    CallCandidate,
    /// The DTLS certificates are not those that were signed for.
    CallCertificate,
    /// A call message that is out of place: a key anew, a seat taken twice.
    CallOutOfPlace,
}
