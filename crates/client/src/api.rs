//! The seam between a client and whoever runs it: what goes in, what comes
//! out. Closed enums, so that a new case cannot be forgotten on either side.

mod rejected;

pub use rejected::{Rejected, Why};

use crate::{
    call::{
        media::{MediaOrder, MediaReport, Paths, Peer, Sending},
        view::CallView,
    },
    invite::BadLink,
    model::{
        Actor, Admission, Invite, Item, Knock, MessageBody, Person, Privacy, Profile, RoomPrefs,
        RoomView,
    },
};
use sotto_wire::{
    CallId, ClientFrame, ErrorCode, MessageId, Millis, RelayAddress, RelayFrame, RoomId, UserId,
    WireError, codec::Envelope, frame::Token,
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
pub struct Ask(pub u64);

#[derive(Debug, Clone)]
pub enum Input {
    /// The person wants something. Answered by exactly one [`Effect::Answer`].
    Ui {
        ask: Ask,
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
    /// Media did something, or something happened to it.
    Media(MediaReport),
    /// How packets of calls can travel for rooms of this relay, as far as this
    /// computer knows. Counts from the next call on.
    Paths {
        relay: RelayAddress,
        paths: Paths,
    },
    /// This computer has other addresses than before: whatever path a call
    /// takes may lead nowhere.
    NetworkChanged,
    /// The time of [`crate::Client::next_wake`] has come.
    Wake,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send {
        relay: RelayAddress,
        envelope: Envelope<ClientFrame>,
    },
    /// Keep a connection to this relay from now on; if it is one already, try
    /// it again now.
    Connect {
        relay: RelayAddress,
    },
    Disconnect {
        relay: RelayAddress,
    },
    Answer {
        ask: Ask,
        result: Result<Outcome, RequestError>,
    },
    Show(Change),
    /// Worth a desktop notification, if the settings say so.
    Notify {
        room: RoomId,
        item: MessageId,
    },
    /// For media, in this order.
    Media(MediaOrder),
    /// Something hostile, stale or broken was refused and changed nothing.
    Reject(Rejected),
}

/// What a person can ask for.
#[derive(Debug, Clone)]
pub enum Request {
    SetProfile(Profile),
    /// Use this relay: connect now and at every start.
    AddRelay(RelayAddress),
    /// The same, with the invite code that its operator gave out. It is kept
    /// until the relay has taken it, and takes the place of an older one.
    AddRelayWithCode {
        relay: RelayAddress,
        code: Token,
    },
    /// Others reach a relay under this address: invite links name it instead
    /// of the one that this client dials. `None`: they are the same.
    SetPublicAddress {
        relay: RelayAddress,
        public: Option<RelayAddress>,
    },
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

    /// Call everybody in a room. This and [`Request::JoinCall`] are the yes
    /// without which nothing is captured.
    StartCall {
        room: RoomId,
        /// It rings as a video call.
        video: bool,
        /// What goes out from the beginning.
        sending: Sending,
    },
    /// Take part in the room's call: accept it, or join a running one.
    JoinCall {
        room: RoomId,
        call: CallId,
        sending: Sending,
    },
    /// Stop it ringing here, and let the others know.
    DeclineCall {
        room: RoomId,
        call: CallId,
    },
    /// Hang up. Fine for a call that is over.
    LeaveCall {
        room: RoomId,
        call: CallId,
    },
    /// What goes out from now on, in a call that this client is in.
    SetSending {
        call: CallId,
        sending: Sending,
    },
    /// Somebody in the call is not heard or seen as they should be: a fresh key
    /// for the own media, and a new path to them. More often than every ten
    /// seconds it is fine, and does nothing.
    RepairCall {
        call: CallId,
        peer: Peer,
    },
    /// Whether people who call while this client is in another call are told
    /// so. Kept; yes from the start.
    TellBusy(bool),
    RaiseHand {
        call: CallId,
        up: bool,
    },
    /// Show everybody in the call an emoji, now.
    React {
        call: CallId,
        emoji: String,
    },

    /// The safety number was compared, and matched or did not.
    SetVerified {
        user: UserId,
        verified: bool,
    },
    SetPrivacy(Privacy),
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
    #[error("the room's relay cannot be reached now")]
    Offline,
    #[error("another call is going on")]
    InCall,
    #[error("a call goes on in this room: join it")]
    CallRuns,
    #[error("the call is over")]
    CallOver,
    #[error("not in this call")]
    NotInCall,
    #[error("a call takes {max} people at most")]
    CallFull { max: usize },
    #[error("addresses are to be hidden, and the room's relay relays no calls")]
    NoRelayedPath,
    #[error("there is nobody in the room to call")]
    NobodyThere,
    #[error("not an emoji")]
    BadReaction,
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
    /// A call of a room: it rings, runs, or is just over.
    Call(Box<CallView>),
    /// Nothing of this call is to be shown any more.
    CallGone {
        room: RoomId,
        call: CallId,
    },
    /// Somebody in the own call shows an emoji for a moment, oneself included.
    Reaction {
        call: CallId,
        user: UserId,
        emoji: String,
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
    /// The relay did not take the answer to somebody who was let in: they are a
    /// member and do not know it.
    LetterRefused {
        room: RoomId,
        who: Actor,
        code: ErrorCode,
    },
    /// A word from a relay's operator. Text, never markup.
    Notice {
        relay: RelayAddress,
        body: String,
    },
}
