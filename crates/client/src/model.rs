//! What a person sees: rooms, people, timelines. Plain values, as they stand
//! in the store; the app converts them to its own shapes at its own edge.

use serde::{Deserialize, Serialize};
use sotto_wire::{MessageId, Millis, RelayAddress, RoomId, Seq, UserId};

/// What a person keeps from others beyond what is kept from them anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    /// Calls are relayed, or do not take place: nobody in them learns the
    /// network address of this computer.
    pub hide_address: bool,
}

/// How a person presents themselves. Travels inside MLS leaves only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// 1 to 64 characters, see [`clean_name`].
    pub name: String,
    /// A picture of one emoji; empty for initials.
    #[serde(default)]
    pub emoji: String,
    /// One of the UI's avatar colors.
    #[serde(default)]
    pub color: u8,
}

/// Longest name of a person or room, in characters.
pub const NAME_MAX: usize = 64;
/// Longest topic of a room, in characters.
pub const TOPIC_MAX: usize = 300;
/// Longest text of a message, in bytes.
pub const TEXT_MAX: usize = 16 * 1024;

/// A name without control, bidirectional-override and zero-width characters
/// and outer blanks; `None` if nothing or too much is left.
pub fn clean_name(text: &str) -> Option<String> {
    let clean = clean_text(text, false);
    let clean = clean.trim();
    (!clean.is_empty() && clean.chars().count() <= NAME_MAX).then(|| clean.to_owned())
}

/// Text without characters that hide or reorder other text.
pub fn clean_text(text: &str, lines: bool) -> String {
    text.chars()
        .filter(|c| match *c {
            '\n' | '\t' => lines,
            // Zero-width joiner builds emoji and several scripts: it stays.
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
            c => !c.is_control(),
        })
        .collect()
}

/// Who decides when somebody knocks with a valid link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Whoever has a link is let in at once, by any member's client.
    #[default]
    AtOnce,
    /// The host says yes or no.
    ByHost,
}

/// Where this client stands in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Standing {
    /// Made here, not yet confirmed by the relay.
    Creating,
    /// Knocked, waiting to be let in.
    Knocking,
    /// The knock was turned down.
    Denied,
    Member,
    /// Left by own will.
    Left,
    /// Removed by this person.
    Removed {
        by: UserId,
    },
    /// Ended by its host (`by`), or by the relay without the host's word.
    Deleted {
        by: Option<UserId>,
    },
    /// The relay no longer keeps what this client would need to catch up, or
    /// the group's state broke. A new invite mends it; history stays.
    Lost,
}

/// One room, as lists and headers show it.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomView {
    pub id: RoomId,
    pub relay: RelayAddress,
    pub name: String,
    pub topic: String,
    pub standing: Standing,
    pub admission: Admission,
    pub host: Option<UserId>,
    pub member_count: usize,
    /// Members who are not verified, without oneself.
    pub unverified: usize,
    pub unread: u32,
    /// Timeline position up to which everything was read.
    pub read_position: u64,
    pub last: Option<LastLine>,
    /// Sorts the list: last activity, Unix milliseconds.
    pub active_at: Millis,
    pub draft: String,
    pub prefs: RoomPrefs,
    /// People waiting to be let in whom this client may answer.
    pub knocks: usize,
    pub epoch: u64,
    /// The relay has confirmed everything up to here was fetched.
    pub in_sync: bool,
    /// The relay could not store what was sent, and is asked again until it
    /// can: its disk is full, or its database down.
    pub relay_cannot_store: bool,
    /// The longest text of a message that the relay takes, in bytes.
    pub longest_text: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastLine {
    /// `None` for a system line.
    pub from: Option<UserId>,
    pub name: String,
    pub text: String,
    pub at: Millis,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomPrefs {
    pub muted: bool,
    pub pinned: bool,
    pub archived: bool,
}

/// A member of a room, as its MLS tree says.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub user: UserId,
    pub profile: Profile,
    pub me: bool,
    pub host: bool,
    /// When this person was verified, if ever.
    pub verified_at: Option<Millis>,
    /// Who added them, where this client saw it.
    pub added_by: Option<UserId>,
    /// As the relay says.
    pub online: bool,
    /// Everything up to this seq is on all their devices, as the relay says.
    pub delivered: Seq,
    /// Everything up to this timeline seq was read, as they said.
    pub read: Seq,
}

/// Somebody asks to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    pub id: MessageId,
    pub user: UserId,
    pub profile: Profile,
    pub invite: MessageId,
    pub invite_created: Millis,
    pub at: Millis,
    pub verified: bool,
}

/// A link into a room that has neither expired nor been revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub id: MessageId,
    pub link: String,
    pub created: Millis,
    pub expires: Millis,
    pub by: UserId,
}

/// One entry of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub id: MessageId,
    /// Orders the timeline; see [`crate::store::position`]. Below 2^53.
    pub position: u64,
    /// When the relay accepted it; before that, when it was written here.
    pub at: Millis,
    pub kind: ItemKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ItemKind {
    Message {
        from: UserId,
        /// The sender's name when it was written.
        name: String,
        body: MessageBody,
        delivery: Delivery,
    },
    System(SystemLine),
    /// Messages that are missing for good, and why.
    Gap {
        /// How many; 0 where nobody can say.
        count: u64,
        why: GapWhy,
    },
}

/// What a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageBody {
    /// Markdown, untrusted.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Quote>,
}

/// The message that is answered, with enough of it to show when the original
/// is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub id: MessageId,
    pub from: UserId,
    pub name: String,
    pub text: String,
}

/// How far a message came. Only own messages are anything but `Accepted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// In the outbox.
    Pending,
    /// The relay has it.
    Accepted,
    /// The relay refused it for good, or the room was over first.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapWhy {
    /// The relay no longer keeps them.
    Expired,
    /// One message that could not be decrypted or authenticated.
    Unreadable,
    /// The author of the next message had been shown another order by the
    /// relay: before it, something is missing here or there, or out of place.
    SplitView,
}

/// What happened in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum SystemLine {
    Created {
        by: Actor,
    },
    /// `by` let `who` in.
    Joined {
        who: Actor,
        by: Actor,
    },
    /// The own first line in a room.
    YouJoined {
        by: Actor,
    },
    Left {
        who: Actor,
    },
    Removed {
        who: Actor,
        by: Actor,
    },
    HostChanged {
        host: Actor,
    },
    Renamed {
        by: Actor,
        name: String,
    },
    TopicChanged {
        by: Actor,
        topic: String,
    },
    AdmissionChanged {
        by: Actor,
        admission: Admission,
    },
    Deleted {
        by: Option<Actor>,
    },
    /// Somebody tried what they may not; it was refused.
    Refused {
        by: Actor,
    },
    ProfileChanged {
        who: Actor,
        before: String,
    },
    CallStarted {
        by: Actor,
        video: bool,
    },
    /// A call is over. `lasted`: milliseconds since somebody came; 0 if nobody
    /// did.
    CallEnded {
        by: Actor,
        video: bool,
        lasted: Millis,
        end: CallOutcome,
    },
}

/// What came of a call, for the one whose timeline it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// People talked.
    Ended,
    /// We called, and nobody came.
    Unanswered,
    /// It was declined: by us, or, where we called, by everybody.
    Declined,
    /// It rang here, and we neither came nor declined.
    Missed,
}

/// A person at the time of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub user: UserId,
    pub name: String,
}

/// A stretch of a timeline, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub items: Vec<Item>,
    /// Whether there is anything before the first.
    pub more: bool,
}

/// The safety number of two people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safety {
    pub user: UserId,
    /// 60 digits.
    pub digits: String,
    pub verified_at: Option<Millis>,
}
