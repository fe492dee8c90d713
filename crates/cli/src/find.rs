//! What people type for rooms, persons and knocks: a whole id, its
//! beginning, or a name that only one has.

use crate::{failure::Failure, session::Session};
use sotto_client::model::{Knock, Person, RoomView};
use sotto_wire::RoomId;

pub fn room(session: &Session, text: &str) -> Result<RoomView, Failure> {
    let rooms = session.snapshot.rooms.iter();
    let named = rooms.map(|room| (room.id.to_string(), room.name.as_str(), room));
    only("room", text, named).cloned()
}

pub async fn person(session: &Session, text: &str) -> Result<Person, Failure> {
    let mut people: Vec<Person> = Vec::new();
    for room in &session.snapshot.rooms {
        for person in session.engine.people(room.id).await? {
            if people.iter().all(|known| known.user != person.user) {
                people.push(person);
            }
        }
    }
    let named = people
        .iter()
        .map(|p| (p.user.to_string(), p.profile.name.as_str(), p));
    only("person", text, named).cloned()
}

pub async fn knock(session: &Session, room: RoomId, text: &str) -> Result<Knock, Failure> {
    let knocks = session.engine.knocks(room).await?;
    let named = knocks
        .iter()
        .map(|k| (k.id.to_string(), k.profile.name.as_str(), k));
    only("join request", text, named).cloned()
}

/// Whether a text means the one with this id and name.
type Way = fn(&str, &str, &str) -> bool;

/// A whole id wins over a name, a name over the beginning of an id.
fn only<'a, T>(
    what: &str,
    text: &str,
    all: impl Iterator<Item = (String, &'a str, &'a T)>,
) -> Result<&'a T, Failure> {
    let all: Vec<_> = all.collect();
    let ways: [Way; 3] = [
        |text, id, _| id == text,
        |text, _, name| name == text,
        |text, id, _| text.len() >= 4 && id.starts_with(text),
    ];
    for way in ways {
        let found: Vec<_> = all
            .iter()
            .filter(|(id, name, _)| way(text, id, name))
            .collect();
        match &found[..] {
            [] => {}
            [(_, _, one)] => return Ok(one),
            _ => {
                return Err(Failure::refused(format!(
                    "more than one {what} is called that"
                )));
            }
        }
    }
    Err(Failure::refused(format!("no such {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_win_over_names_and_names_over_beginnings() {
        let all = [
            ("abcdefgh", "kitchen", 1),
            ("abcdwxyz", "abcdefgh", 2),
            ("qrstuvwx", "two", 3),
            ("mnop", "two", 4),
        ];
        let find = |text: &str| {
            only(
                "room",
                text,
                all.iter().map(|(id, name, n)| (id.to_string(), *name, n)),
            )
            .copied()
        };
        assert_eq!(find("kitchen"), Ok(1));
        assert_eq!(find("abcdefgh"), Ok(1));
        assert_eq!(find("qrst"), Ok(3));
        assert_eq!(
            find("abcd"),
            Err(Failure::refused("more than one room is called that"))
        );
        assert_eq!(
            find("two"),
            Err(Failure::refused("more than one room is called that"))
        );
        assert_eq!(find("qrs"), Err(Failure::refused("no such room")));
    }
}
