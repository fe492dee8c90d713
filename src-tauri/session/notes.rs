//! What a desktop notification needs to know about rooms, and what it may say
//! about a message. Pure but for the one look into the timeline.

use crate::settings::{Language, Notifications, Settings};
use sotto_client::model::{Item, ItemKind, RoomView};
use sotto_engine::Engine;
use sotto_wire::{MessageId, RoomId};
use std::collections::HashMap;

/// How far back a notified message may stand when it is looked for.
const LOOK_BACK: usize = 30;
/// Longest text shown, in characters.
const TEXT: usize = 200;

/// What a notification shows. Plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// A later one of the same room replaces it.
    pub room: RoomId,
    pub title: String,
    pub body: String,
}

/// What about a call is worth a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallNote {
    Incoming { video: bool },
    Missed,
}

/// Names of rooms, and which are muted.
#[derive(Debug, Default)]
pub struct Rooms(HashMap<RoomId, (String, bool)>);

impl Rooms {
    pub fn of(rooms: &[RoomView]) -> Self {
        let mut known = Self::default();
        rooms.iter().for_each(|room| known.learn(room));
        known
    }

    pub fn learn(&mut self, room: &RoomView) {
        self.0
            .insert(room.id, (room.name.clone(), room.prefs.muted));
    }

    pub fn forget(&mut self, room: &RoomId) {
        self.0.remove(room);
    }

    pub fn name(&self, room: &RoomId) -> Option<&str> {
        self.0.get(room).map(|(name, _)| name.as_str())
    }

    pub fn muted(&self, room: &RoomId) -> bool {
        self.0.get(room).is_some_and(|(_, muted)| *muted)
    }

    /// The note for a call. `caller`: their name, where it is known.
    pub fn call_note(
        &self,
        settings: &Settings,
        room: RoomId,
        what: CallNote,
        caller: Option<&str>,
    ) -> Option<Note> {
        let (name, _) = self.0.get(&room)?;
        let words = Words::of(settings.language);
        let happened = match what {
            CallNote::Incoming { video: false } => words.call,
            CallNote::Incoming { video: true } => words.video_call,
            CallNote::Missed => words.missed_call,
        };
        let (title, body) = match settings.notifications {
            Notifications::Off => return None,
            Notifications::Hidden => ("Sotto".to_owned(), happened.to_owned()),
            Notifications::Names | Notifications::All => {
                let body = match caller {
                    Some(caller) => format!("{happened} {} {caller}", words.from),
                    None => happened.to_owned(),
                };
                (name.clone(), body)
            }
        };
        Some(Note { room, title, body })
    }

    /// The note for a message, if the settings and the room want one.
    pub async fn note(
        &self,
        engine: &Engine,
        settings: &Settings,
        room: RoomId,
        item: MessageId,
    ) -> Option<Note> {
        let (name, muted) = self.0.get(&room)?;
        if *muted || settings.notifications == Notifications::Off {
            return None;
        }
        let page = engine.timeline(room, None, LOOK_BACK).await.ok()?;
        let item = page.items.iter().rev().find(|found| found.id == item)?;
        write(settings, room, name, item)
    }
}

fn write(settings: &Settings, room: RoomId, name: &str, item: &Item) -> Option<Note> {
    let ItemKind::Message {
        name: from, body, ..
    } = &item.kind
    else {
        return None;
    };
    let words = Words::of(settings.language);
    let (title, body) = match settings.notifications {
        Notifications::Off => return None,
        Notifications::Hidden => ("Sotto".to_owned(), words.message.to_owned()),
        Notifications::Names => (name.to_owned(), format!("{} {from}", words.message_from)),
        Notifications::All => {
            let text: String = body.text.chars().take(TEXT).collect();
            (name.to_owned(), format!("{from}: {text}"))
        }
    };
    Some(Note { room, title, body })
}

/// The few words that Rust says itself: the page may not be there to say them.
struct Words {
    message: &'static str,
    message_from: &'static str,
    call: &'static str,
    video_call: &'static str,
    missed_call: &'static str,
    from: &'static str,
}

impl Words {
    fn of(language: Language) -> Self {
        let german = match language {
            Language::De => true,
            Language::En => false,
            Language::System => system_is_german(),
        };
        if german {
            Self {
                message: "Neue Nachricht",
                message_from: "Neue Nachricht von",
                call: "Eingehender Anruf",
                video_call: "Eingehender Videoanruf",
                missed_call: "Verpasster Anruf",
                from: "von",
            }
        } else {
            Self {
                message: "New message",
                message_from: "New message from",
                call: "Incoming call",
                video_call: "Incoming video call",
                missed_call: "Missed call",
                from: "from",
            }
        }
    }
}

fn system_is_german() -> bool {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|value| value.starts_with("de"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_client::model::{Delivery, MessageBody};
    use sotto_wire::UserId;

    fn said(notifications: Notifications) -> Option<(String, String)> {
        let settings = Settings {
            notifications,
            language: Language::En,
            ..Settings::default()
        };
        let item = Item {
            id: MessageId([1; 16]),
            position: 1,
            at: 0,
            kind: ItemKind::Message {
                from: UserId([2; 32]),
                name: "Bob".into(),
                body: MessageBody {
                    text: "x".repeat(1_000),
                    reply_to: None,
                },
                delivery: Delivery::Accepted,
            },
        };
        write(&settings, RoomId([3; 16]), "Field notes", &item).map(|note| (note.title, note.body))
    }

    #[test]
    fn a_call_tells_as_much_as_the_settings_allow() {
        let room = RoomId([3; 16]);
        let mut rooms = Rooms::default();
        rooms.0.insert(room, ("Field notes".into(), false));
        let said = |notifications, what| {
            let settings = Settings {
                notifications,
                language: Language::En,
                ..Settings::default()
            };
            rooms
                .call_note(&settings, room, what, Some("Bob"))
                .map(|note| format!("{}: {}", note.title, note.body))
        };
        let rings = CallNote::Incoming { video: true };
        let check = |notifications, what, expect: Option<&str>| {
            assert_eq!(said(notifications, what).as_deref(), expect);
        };
        check(
            Notifications::All,
            rings,
            Some("Field notes: Incoming video call from Bob"),
        );
        check(
            Notifications::Names,
            CallNote::Missed,
            Some("Field notes: Missed call from Bob"),
        );
        check(
            Notifications::Hidden,
            rings,
            Some("Sotto: Incoming video call"),
        );
        check(Notifications::Off, rings, None);
    }

    #[test]
    fn a_note_tells_as_much_as_the_settings_allow() {
        let (title, body) = said(Notifications::All).unwrap();
        assert_eq!(title, "Field notes");
        assert_eq!(body, format!("Bob: {}", "x".repeat(TEXT)));
        let names = said(Notifications::Names).unwrap();
        assert_eq!(names, ("Field notes".into(), "New message from Bob".into()));
        let hidden = said(Notifications::Hidden).unwrap();
        assert_eq!(hidden, ("Sotto".into(), "New message".into()));
        assert_eq!(said(Notifications::Off), None);
    }
}
