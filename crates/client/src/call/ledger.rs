//! What all members of a room agree on about its call: it is folded out of
//! what they say inside MLS, in the room's order, and out of nothing else.
//! Pure, and kept on disk: whoever was away reads it from the backlog.
//!
//! | said | while no call runs | while one runs |
//! |---|---|---|
//! | started | begins it | joins it; with the name of the running one: takes its place |
//! | joined | nothing | takes a seat, anew if it had one |
//! | here | begins it, without ringing | takes a seat, if it has none |
//! | left | nothing | frees the seat; the last one ends it |
//! | declined | nothing | is noted |
//! | busy | nothing | is noted, until they come or decline |
//!
//! So of two calls that are started at once the earlier in the order wins,
//! and who started the other is in it.

use super::media::Peer;
use crate::model::CallOutcome;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sotto_wire::{Bytes, CallId, DeviceId, MessageId, Millis, UserId};
use std::{collections::BTreeSet, fmt};

/// People in a call: everybody sends to everybody. More would take a server
/// that forwards, or uplinks that homes do not have.
pub const SEATS_MAX: usize = 6;
/// Calls that are remembered as over.
const OVER_MAX: usize = 16;

/// The public half of a participant's key for one participation: X25519.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CallKey(pub [u8; 32]);

impl fmt::Debug for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<call key {:02x}{:02x}>", self.0[0], self.0[1])
    }
}

impl Serialize for CallKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        Bytes::from(self.0.as_slice()).serialize(s)
    }
}

impl<'de> Deserialize<'de> for CallKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(d)?;
        let key = bytes[..].try_into().map_err(|_| D::Error::custom("length"));
        key.map(Self)
    }
}

/// What a member says of a call, inside MLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallSaying {
    pub call: CallId,
    pub says: CallSays,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum CallSays {
    Started {
        video: bool,
        key: CallKey,
        /// A call that nobody was in any more, for all that was known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<CallId>,
    },
    Joined {
        key: CallKey,
    },
    /// Repeated for people who came to the room while the call runs.
    Here {
        key: CallKey,
        video: bool,
        by: UserId,
        started: Millis,
    },
    Left,
    Declined,
    /// It rings here, and I am in a call of another room.
    Busy,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub running: Option<Running>,
    /// Calls that are over, newest last.
    over: Vec<CallId>,
    /// The call in which this client has a seat, or is about to. It outlives
    /// the process: one that finds it at its start says goodbye for the last.
    pub part: Option<CallId>,
}

/// A call that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub call: CallId,
    pub video: bool,
    pub by: UserId,
    /// By the relay's clock.
    pub started: Millis,
    /// In the order of joining.
    pub seats: Vec<Seat>,
    /// Everybody who ever had a seat.
    pub came: BTreeSet<UserId>,
    pub declined: BTreeSet<UserId>,
    /// Who is in another call, and has neither come nor declined.
    #[serde(default)]
    pub busy: BTreeSet<UserId>,
    /// When it became a conversation.
    pub answered: Option<Millis>,
    /// This client was there when it began.
    pub witnessed: bool,
    /// It does not ring here, or no more.
    pub silent: bool,
    /// The timeline line that says it began.
    pub line: Option<MessageId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub user: UserId,
    pub device: DeviceId,
    pub key: CallKey,
}

impl Seat {
    pub fn peer(&self) -> Peer {
        Peer {
            user: self.user,
            device: self.device,
        }
    }
}

/// What came of something that was said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Began,
    Ended {
        running: Box<Running>,
        at: Millis,
    },
    /// Seats or refusals are other than before.
    Changed,
    /// It changed nothing: there is no such call (any more), or no seat left.
    Nothing,
}

impl Ledger {
    /// Takes what `from` said at this place of the order. `at` is the relay's
    /// time.
    pub fn hear(&mut self, from: Peer, saying: &CallSaying, at: Millis) -> Vec<Heard> {
        let mut heard = Vec::new();
        let call = saying.call;
        match saying.says {
            CallSays::Started {
                video,
                key,
                replaces,
            } => {
                let gone = |running: &Running| replaces == Some(running.call);
                if self.running.as_ref().is_some_and(gone) {
                    heard.extend(self.end(at));
                }
                match &mut self.running {
                    Some(running) => heard.push(running.seat(from, key, at)),
                    None if self.over.contains(&call) => heard.push(Heard::Nothing),
                    None => {
                        let began = Running::new(call, video, from, key, at);
                        self.running = Some(began);
                        heard.push(Heard::Began);
                    }
                }
            }
            CallSays::Joined { key } => heard.push(match self.of(call) {
                Some(running) => running.seat(from, key, at),
                None => Heard::Nothing,
            }),
            CallSays::Here {
                key,
                video,
                by,
                started,
            } => heard.push(self.hear_here(from, call, (key, video, by, started.min(at)), at)),
            CallSays::Left => heard.extend(self.free(call, |seat| seat.user == from.user, at)),
            CallSays::Declined => heard.push(match self.of(call) {
                Some(running) => running.decline(from),
                None => Heard::Nothing,
            }),
            CallSays::Busy => heard.push(match self.of(call) {
                Some(running) => running.note_busy(from),
                None => Heard::Nothing,
            }),
        }
        heard
    }

    fn hear_here(
        &mut self,
        from: Peer,
        call: CallId,
        (key, video, by, started): (CallKey, bool, UserId, Millis),
        at: Millis,
    ) -> Heard {
        if self.over.contains(&call) {
            return Heard::Nothing;
        }
        let later = |running: &Running| running.call != call && running.started > started;
        match &mut self.running {
            Some(running) if running.call == call => {
                let seated = running.seats.iter().any(|s| s.user == from.user);
                if seated {
                    Heard::Nothing
                } else {
                    running.seat(from, key, at)
                }
            }
            // Somebody started a call in ignorance of this one, which to all
            // others meant joining it.
            Some(running) if later(running) => {
                (running.call, running.started) = (call, started);
                (running.by, running.video) = (by, video);
                running.seat(from, key, at)
            }
            Some(_) => Heard::Nothing,
            None => {
                let mut running = Running::new(call, video, from, key, at);
                (running.by, running.started) = (by, started);
                (running.witnessed, running.silent) = (false, true);
                running.came.insert(by);
                self.running = Some(running);
                Heard::Changed
            }
        }
    }

    /// Frees the seats of those who are no longer members, or who left the
    /// room, or have another device there now.
    pub fn keep_members(&mut self, member: impl Fn(&Peer) -> bool, at: Millis) -> Vec<Heard> {
        match self.running.as_ref().map(|running| running.call) {
            Some(call) => self.free(call, |seat| !member(&seat.peer()), at),
            None => Vec::new(),
        }
    }

    /// The room is over: so is its call, whoever sits in it.
    pub fn close(&mut self, at: Millis) -> Vec<Heard> {
        self.end(at)
    }

    fn free(&mut self, call: CallId, gone: impl Fn(&Seat) -> bool, at: Millis) -> Vec<Heard> {
        let Some(running) = self.of(call) else {
            return vec![Heard::Nothing];
        };
        let before = running.seats.len();
        running.seats.retain(|seat| !gone(seat));
        if running.seats.len() == before {
            return vec![Heard::Nothing];
        }
        if running.seats.is_empty() {
            self.end(at)
        } else {
            vec![Heard::Changed]
        }
    }

    fn end(&mut self, at: Millis) -> Vec<Heard> {
        let Some(running) = self.running.take() else {
            return Vec::new();
        };
        self.over.push(running.call);
        let excess = self.over.len().saturating_sub(OVER_MAX);
        self.over.drain(..excess);
        let running = Box::new(running);
        vec![Heard::Ended { running, at }]
    }

    fn of(&mut self, call: CallId) -> Option<&mut Running> {
        self.running.as_mut().filter(|running| running.call == call)
    }
}

impl Running {
    fn new(call: CallId, video: bool, from: Peer, key: CallKey, at: Millis) -> Self {
        let seat = Seat {
            user: from.user,
            device: from.device,
            key,
        };
        Self {
            call,
            video,
            by: from.user,
            started: at,
            seats: vec![seat],
            came: [from.user].into(),
            declined: BTreeSet::new(),
            busy: BTreeSet::new(),
            answered: None,
            witnessed: true,
            silent: false,
            line: None,
        }
    }

    /// Gives somebody a seat behind all others; who had one gets a new one.
    fn seat(&mut self, from: Peer, key: CallKey, at: Millis) -> Heard {
        let others = self.seats.iter().filter(|s| s.user != from.user);
        if others.count() >= SEATS_MAX {
            return Heard::Nothing;
        }
        self.seats.retain(|s| s.user != from.user);
        self.seats.push(Seat {
            user: from.user,
            device: from.device,
            key,
        });
        self.came.insert(from.user);
        self.busy.remove(&from.user);
        if self.came.len() > 1 && self.answered.is_none() {
            self.answered = Some(at);
        }
        Heard::Changed
    }

    fn decline(&mut self, from: Peer) -> Heard {
        let seated = self.seats.iter().any(|s| s.user == from.user);
        if !seated && self.declined.insert(from.user) {
            self.busy.remove(&from.user);
            Heard::Changed
        } else {
            Heard::Nothing
        }
    }

    fn note_busy(&mut self, from: Peer) -> Heard {
        let seated = self.seats.iter().any(|s| s.user == from.user);
        let answered = seated || self.declined.contains(&from.user);
        if !answered && self.busy.insert(from.user) {
            Heard::Changed
        } else {
            Heard::Nothing
        }
    }

    pub fn is_full(&self) -> bool {
        self.seats.len() >= SEATS_MAX
    }

    /// What it is to this person, once it is over.
    pub fn outcome(&self, me: UserId) -> CallOutcome {
        let talked = self.answered.is_some();
        if self.came.contains(&me) {
            match (talked, self.declined.is_empty()) {
                (true, _) => CallOutcome::Ended,
                (false, false) => CallOutcome::Declined,
                (false, true) => CallOutcome::Unanswered,
            }
        } else if self.declined.contains(&me) {
            CallOutcome::Declined
        } else if self.witnessed {
            CallOutcome::Missed
        } else {
            CallOutcome::Ended
        }
    }

    /// How long people talked.
    pub fn lasted(&self, at: Millis) -> Millis {
        self.answered.map_or(0, |since| at.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests;
