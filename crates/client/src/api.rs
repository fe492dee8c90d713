//! The seam between a client and whoever runs it: what goes in, what comes
//! out. Closed enums, so that a new case cannot be forgotten on either side.

use crate::{
    invite::BadLink,
    model::{Admission, Invite, Item, Knock, MessageBody, Person, Profile, RoomPrefs, RoomView},
};
use sotto_wire::{
    ClientFrame, ErrorCode, MessageId, Millis, RelayAddress, RelayFrame, RoomId, Seq, UserId,
    WireError, codec::Envelope,
};

/// The time of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Unix time. May jump.
    pub wall: Millis,
    /// Milliseconds since the client was loaded. Never runs backwards.
    pub mono: Millis,
}

/// Ties an [`Effect::Answer`] to the [`Input::Ui`] that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Call(pub u64);

#[derive(Debug, Clone)]
pub enum Input {
    /// The person wants something. Answered by exactly one [`Effect::Answer`].
    Ui {
        call: Call,
        request: Request,
    },
    /// A relay said something.
    Relay {
        relay: RelayAddress,
        envelope: Envelope<RelayFrame>,
    },
    /// A relay said something that is no frame.
    Garbled {
        relay: RelayAddress,
        error: WireError,
    },
    /// Signed in at a relay; frames can go out.
    RelayUp {
        relay: RelayAddress,
    },
    RelayDown {
        relay: RelayAddress,
    },
    /// The time of [`crate::Client::next_wake`] has come.
    Wake,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send {
        relay: RelayAddress,
        envelope: Envelope<ClientFrame>,
    },
    /// Keep a connection to this relay from now on.
    Connect {
        relay: RelayAddress,
    },
    Disconnect {
        relay: RelayAddress,
    },
    Answer {
        call: Call,
        result: Result<Outcome, RequestError>,
    },
    Show(Change),
    /// Worth a desktop notification, if the settings say so.
    Notify {
        room: RoomId,
        item: MessageId,
    },
    /// Something hostile, stale or broken was refused and changed nothing.
    Reject(Rejected),
}

/// What a person can ask for.
#[derive(Debug, Clone)]
pub enum Request {
    SetProfile(Profile),
    /// Use this relay: connect now and at every start.
    AddRelay(RelayAddress),
    /// Stop using a relay. Refused while rooms live there.
    RemoveRelay(RelayAddress),

    CreateRoom {
        relay: RelayAddress,
        name: String,
        topic: String,
        admission: Admission,
    },
    /// Host only.
    ChangeRoom {
        room: RoomId,
        name: String,
        topic: String,
        admission: Admission,
    },
    /// Ask to be let in, by an invite link.
    Join {
        link: String,
    },
    /// Give up a join that is not answered yet.
    CancelJoin(RoomId),
    /// Make a link, good for this long.
    CreateInvite {
        room: RoomId,
        valid_for: Millis,
    },
    RevokeInvite {
        room: RoomId,
        invite: MessageId,
    },
    AnswerKnock {
        room: RoomId,
        knock: MessageId,
        admit: bool,
    },
    /// Host only.
    Remove {
        room: RoomId,
        user: UserId,
    },
    /// Host only.
    MakeHost {
        room: RoomId,
        user: UserId,
    },
    Leave(RoomId),
    /// Host only: end the room for everybody.
    Delete(RoomId),
    /// Drop a room that is over from this computer, with its history.
    Forget(RoomId),

    /// The id is the sender's choice, so that a page can show it at once.
    Send {
        room: RoomId,
        id: MessageId,
        body: MessageBody,
    },
    /// Try again what failed.
    Retry {
        room: RoomId,
        id: MessageId,
    },
    /// Drop a message that was not accepted yet.
    Discard {
        room: RoomId,
        id: MessageId,
    },
    Typing {
        room: RoomId,
        on: bool,
    },
    /// Everything up to this timeline position has been seen.
    MarkRead {
        room: RoomId,
        position: u64,
    },
    SetDraft {
        room: RoomId,
        text: String,
    },
    SetPrefs {
        room: RoomId,
        prefs: RoomPrefs,
    },

    /// The safety number was compared, and matched or did not.
    SetVerified {
        user: UserId,
        verified: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Done,
    /// The room that was made, or that was knocked at.
    Room(RoomId),
    Invite(Invite),
}

/// Why a request was refused. Every one is a sentence in the UI's catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("the name is empty or too long")]
    BadName,
    #[error("the message is empty")]
    EmptyMessage,
    #[error("the message is longer than {max} bytes")]
    MessageTooLong { max: usize },
    #[error("the invite link does not hold: {0:?}")]
    BadLink(BadLink),
    #[error("already a member of this room")]
    AlreadyMember,
    #[error("no such room")]
    UnknownRoom,
    #[error("no such person in this room")]
    UnknownPerson,
    #[error("no such message")]
    UnknownMessage,
    #[error("that join request is gone")]
    UnknownKnock,
    #[error("that link is gone")]
    UnknownInvite,
    #[error("only the host may do this")]
    NotHost,
    #[error("the room is full")]
    RoomFull,
    #[error("the room is over")]
    RoomOver,
    #[error("another change to the room is still on its way")]
    Busy,
    #[error("rooms still live on this relay")]
    RelayInUse,
    #[error("this client is in a state it cannot work from")]
    Internal,
}

/// What changed, for whoever watches. Each carries the whole new value: a
/// watcher that missed one is right again with the next.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Profile(Profile),
    Room(Box<RoomView>),
    RoomGone(RoomId),
    /// A timeline item is new, or has changed. An item that moved (pending to
    /// accepted) keeps its id.
    Item {
        room: RoomId,
        item: Box<Item>,
    },
    ItemGone {
        room: RoomId,
        id: MessageId,
    },
    People {
        room: RoomId,
        people: Vec<Person>,
    },
    Knocks {
        room: RoomId,
        knocks: Vec<Knock>,
    },
    Invites {
        room: RoomId,
        invites: Vec<Invite>,
    },
    /// Who is typing now, without oneself.
    Typing {
        room: RoomId,
        users: Vec<UserId>,
    },
    /// This computer's clock is off by this much against a relay's (positive:
    /// ahead). Shown from five minutes on.
    ClockWrong {
        ahead_ms: i64,
    },
    /// The relay refused something for good; where it belongs to a message,
    /// that message says so too.
    Refused {
        room: Option<RoomId>,
        code: ErrorCode,
    },
    /// A word from a relay's operator. Text, never markup.
    Notice {
        relay: RelayAddress,
        body: String,
    },
}

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
}
