//! Lines on stdout and stderr, for people or for programs.

use crate::failure::Failure;
use serde_json::{Value, json};
use sotto_client::model::{Item, ItemKind, Knock, Person, RoomView, Standing, clean_text};
use sotto_wire::RoomId;
use std::io::{self, Write};

pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// One result: the object for programs, the text for people.
    pub fn line(&self, object: Value, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = match self.json {
            true => writeln!(out, "{object}"),
            // What others wrote must not steer a terminal.
            false => writeln!(out, "{}", clean_text(text.as_ref(), true)),
        };
        written
            .and_then(|()| out.flush())
            .map_err(|_| Failure::Unread)
    }

    /// A word for people beside the results.
    pub fn hint(&self, text: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    pub fn complain(&self, failure: &Failure) {
        if *failure == Failure::Unread {
            return;
        }
        let _ = match self.json {
            true => {
                let error = json!({ "error": failure.word(), "reason": failure.to_string() });
                writeln!(io::stderr(), "{error}")
            }
            false => writeln!(io::stderr(), "sotto-cli: {failure}"),
        };
    }

    pub fn room(&self, room: &RoomView) -> Result<(), Failure> {
        let state = standing(&room.standing);
        let object = json!({
            "room": room.id,
            "name": room.name,
            "topic": room.topic,
            "relay": room.relay,
            "state": state,
            "members": room.member_count,
            "unread": room.unread,
            "knocks": room.knocks,
        });
        let text = format!(
            "{}  {}  {state}, {} people, {} unread",
            room.id, room.name, room.member_count, room.unread
        );
        self.line(object, text)
    }

    pub fn person(&self, person: &Person) -> Result<(), Failure> {
        let object = json!({
            "user": person.user,
            "name": person.profile.name,
            "me": person.me,
            "host": person.host,
            "online": person.online,
            "verified": person.verified_at.is_some(),
        });
        let mut notes = Vec::new();
        for (is, note) in [
            (person.me, "you"),
            (person.host, "host"),
            (person.online, "online"),
            (person.verified_at.is_some(), "verified"),
        ] {
            notes.extend(is.then_some(note));
        }
        self.line(
            object,
            format!(
                "{}  {}  {}",
                person.user,
                person.profile.name,
                notes.join(", ")
            ),
        )
    }

    pub fn knock(&self, knock: &Knock) -> Result<(), Failure> {
        let object = json!({
            "knock": knock.id,
            "user": knock.user,
            "name": knock.profile.name,
            "verified": knock.verified,
            "at": knock.at,
        });
        self.line(
            object,
            format!("{}  {}  {}", knock.id, knock.profile.name, knock.user),
        )
    }

    pub fn item(&self, room: &RoomId, room_name: &str, item: &Item) -> Result<(), Failure> {
        let head = json!({
            "room": room,
            "room_name": room_name,
            "id": item.id,
            "at": item.at,
            "position": item.position,
        });
        let (more, text) = match &item.kind {
            ItemKind::Message {
                from, name, body, ..
            } => (
                json!({
                    "kind": "message",
                    "from": from,
                    "name": name,
                    "text": body.text,
                    "reply_to": body.reply_to.as_ref().map(|quote| quote.id),
                }),
                format!("[{room_name}] {name}: {}", body.text),
            ),
            ItemKind::System(line) => {
                let line = serde_json::to_value(line).unwrap_or_default();
                let text = format!("[{room_name}] * {line}");
                (json!({ "kind": "system", "line": line }), text)
            }
            ItemKind::Gap { count, why } => {
                let why = serde_json::to_value(why).unwrap_or_default();
                let text = format!("[{room_name}] * {count} messages are missing ({why})");
                (json!({ "kind": "gap", "count": count, "why": why }), text)
            }
        };
        self.line(merge(head, more), text)
    }
}

/// Both objects' fields in one.
fn merge(mut head: Value, more: Value) -> Value {
    if let (Some(head), Value::Object(more)) = (head.as_object_mut(), more) {
        head.extend(more);
    }
    head
}

fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::Creating => "creating",
        Standing::Knocking => "knocking",
        Standing::Denied => "denied",
        Standing::Member => "member",
        Standing::Left => "left",
        Standing::Removed { .. } => "removed",
        Standing::Deleted { .. } => "deleted",
        Standing::Lost => "lost",
    }
}
