//! The one ordered channel down to the page.
//!
//! Every event carries the whole new value, so of several values of one thing
//! in a burst only the last is sent: see [`settle`].

use super::{
    error::ErrorCode,
    view::{
        BuiltInRelay, Call, Devices, Invite, Item, Knock, Person, Problem, Profile, Refusal, Relay,
        Room,
    },
};
use serde::Serialize;
use sotto_client::Change;
use specta::Type;
use std::collections::HashSet;

#[derive(Debug, Clone, Serialize, Type)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Event {
    Profile {
        profile: Profile,
    },
    Room {
        room: Box<Room>,
    },
    RoomGone {
        room: String,
    },
    Item {
        room: String,
        item: Box<Item>,
    },
    ItemGone {
        room: String,
        id: String,
    },
    People {
        room: String,
        people: Vec<Person>,
    },
    Knocks {
        room: String,
        knocks: Vec<Knock>,
    },
    Invites {
        room: String,
        invites: Vec<Invite>,
    },
    Typing {
        room: String,
        users: Vec<String>,
    },
    Call {
        call: Box<Call>,
    },
    /// Nothing of it is to be shown any more.
    CallGone {
        call: String,
    },
    /// It was accepted in the window that rings: join it.
    CallAccepted {
        call: String,
        video: bool,
    },
    /// Somebody in the own call shows an emoji for a moment.
    Reaction {
        call: String,
        user: String,
        emoji: String,
    },
    Devices {
        devices: Devices,
    },
    Relay {
        relay: Relay,
    },
    RelayGone {
        address: String,
    },
    Problem {
        problem: Problem,
    },
    ProblemGone {
        problem: Problem,
    },
    /// A relay refused something for good.
    Refused {
        room: Option<String>,
        code: Refusal,
    },
    /// Somebody of this name was let in, and the relay did not take the answer
    /// to them.
    LetterRefused {
        room: String,
        name: String,
        code: Refusal,
    },
    /// A word from a relay's operator.
    Notice {
        relay: String,
        body: String,
    },
    /// Worth a toast.
    Notify {
        room: String,
        item: String,
    },
    /// An invite link was clicked.
    Link {
        link: String,
    },
    BuiltIn {
        relay: BuiltInRelay,
    },
    /// The engine is gone.
    Stopped {
        code: ErrorCode,
    },
    /// Events were lost: call `open` again.
    Lagged,
}

impl Event {
    /// What a client's change is to the page; `None` where another event says
    /// it already.
    pub fn of(change: Change) -> Option<Self> {
        Some(match change {
            Change::Profile(profile) => Self::Profile {
                profile: profile.into(),
            },
            Change::Room(room) => Self::Room {
                room: Box::new((*room).into()),
            },
            Change::RoomGone(room) => Self::RoomGone {
                room: room.to_string(),
            },
            Change::Item { room, item } => Self::Item {
                room: room.to_string(),
                item: Box::new((*item).into()),
            },
            Change::ItemGone { room, id } => Self::ItemGone {
                room: room.to_string(),
                id: id.to_string(),
            },
            Change::People { room, people } => Self::People {
                room: room.to_string(),
                people: all(people),
            },
            Change::Knocks { room, knocks } => Self::Knocks {
                room: room.to_string(),
                knocks: all(knocks),
            },
            Change::Invites { room, invites } => Self::Invites {
                room: room.to_string(),
                invites: all(invites),
            },
            Change::Typing { room, users } => Self::Typing {
                room: room.to_string(),
                users: users.iter().map(ToString::to_string).collect(),
            },
            Change::Call(call) => Self::Call {
                call: Box::new((*call).into()),
            },
            Change::CallGone { call, .. } => Self::CallGone {
                call: call.to_string(),
            },
            Change::Reaction { call, user, emoji } => Self::Reaction {
                call: call.to_string(),
                user: user.to_string(),
                emoji,
            },
            // The engine tells it as a problem that comes and goes.
            Change::ClockWrong { .. } => return None,
            Change::Refused { room, code } => Self::Refused {
                room: room.map(|room| room.to_string()),
                code: code.into(),
            },
            Change::LetterRefused { room, who, code } => Self::LetterRefused {
                room: room.to_string(),
                name: who.name,
                code: code.into(),
            },
            Change::Notice { relay, body } => Self::Notice {
                relay: relay.to_string(),
                body,
            },
        })
    }

    /// What this event replaces when it comes after another of the same.
    fn subject(&self) -> Option<(u8, &str)> {
        match self {
            Self::Profile { .. } => Some((0, "")),
            Self::Room { room } => Some((1, &room.id)),
            Self::People { room, .. } => Some((2, room)),
            Self::Knocks { room, .. } => Some((3, room)),
            Self::Invites { room, .. } => Some((4, room)),
            Self::Typing { room, .. } => Some((5, room)),
            Self::Relay { relay } => Some((6, &relay.address)),
            Self::Item { item, .. } => Some((7, &item.id)),
            Self::BuiltIn { .. } => Some((8, "")),
            // That one's own part is over is said once, whatever others go on
            // doing in the call.
            Self::Call { call } if !call.phase.is_over() => Some((9, &call.id)),
            Self::Devices { .. } => Some((10, "")),
            _ => None,
        }
    }
}

fn all<A, B: From<A>>(many: Vec<A>) -> Vec<B> {
    many.into_iter().map(B::from).collect()
}

/// Leaves out each value that a later one in the same burst replaces. Nothing
/// is reordered, and what makes something go away ends what is replaced: a
/// room that went and came back keeps all three events.
pub fn settle(burst: Vec<Event>) -> Vec<Event> {
    let mut replaced: HashSet<(u8, String)> = HashSet::new();
    let mut kept: Vec<Event> = Vec::with_capacity(burst.len());
    for event in burst.into_iter().rev() {
        match event.subject().map(|(kind, id)| (kind, id.to_owned())) {
            Some(subject) => {
                if replaced.insert(subject) {
                    kept.push(event);
                }
            }
            None => {
                if matches!(
                    event,
                    Event::RoomGone { .. }
                        | Event::ItemGone { .. }
                        | Event::RelayGone { .. }
                        | Event::CallGone { .. }
                ) {
                    replaced.clear();
                }
                kept.push(event);
            }
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_client::call::view::{CallEnd, CallPhase, CallView, MediaState, Route};
    use sotto_wire::{CallId, RoomId, UserId};

    fn typing(room: &str, users: &[&str]) -> Event {
        Event::Typing {
            room: room.into(),
            users: users.iter().map(|user| (*user).into()).collect(),
        }
    }

    fn text(events: Vec<Event>) -> String {
        let lines: Vec<String> = settle(events)
            .iter()
            .map(|e| serde_json::to_string(e).unwrap())
            .collect();
        lines.join("\n")
    }

    #[test]
    fn of_a_burst_only_the_last_value_of_each_thing_is_sent() {
        let said = text(vec![
            typing("a", &["bob"]),
            typing("b", &["bob"]),
            Event::Notify {
                room: "a".into(),
                item: "1".into(),
            },
            typing("a", &[]),
        ]);
        assert_eq!(
            said,
            "{\"type\":\"typing\",\"room\":\"b\",\"users\":[\"bob\"]}\n\
             {\"type\":\"notify\",\"room\":\"a\",\"item\":\"1\"}\n\
             {\"type\":\"typing\",\"room\":\"a\",\"users\":[]}"
        );
    }

    fn call(phase: CallPhase) -> Event {
        let view = CallView {
            room: RoomId([1; 16]),
            call: CallId([2; 16]),
            video: true,
            by: UserId([3; 32]),
            by_verified: false,
            started: 1,
            phase,
            participants: Vec::new(),
            own: MediaState::default(),
            sources: Vec::new(),
            route: Route::Direct,
            busy: Vec::new(),
            epoch: 1,
            key_generation: 1,
        };
        let call = Box::new(view.into());
        Event::Call { call }
    }

    #[test]
    fn the_end_of_the_own_part_in_a_call_is_said_though_others_go_on() {
        let said = settle(vec![
            call(CallPhase::Joined),
            call(CallPhase::Over(CallEnd::Declined)),
            call(CallPhase::Running),
        ]);
        let over = |event: &Event| matches!(event, Event::Call { call } if call.phase.is_over());
        assert_eq!((said.len(), over(&said[0])), (2, true));
    }

    #[test]
    fn what_came_before_something_went_is_not_replaced_by_what_came_after() {
        let said = text(vec![
            typing("a", &["bob"]),
            Event::RoomGone { room: "a".into() },
            typing("a", &[]),
        ]);
        assert_eq!(said.lines().count(), 3);
    }
}
