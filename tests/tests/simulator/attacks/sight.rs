//! What somebody sees of a room, to hold before and after an attack against
//! each other.

use sotto_client::model::{RoomView, Standing};
use sotto_tests::world::Actor;

/// What somebody sees of a room, apart from how far they are in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    standing: Standing,
    described: (String, String, String),
    host: Option<sotto_wire::UserId>,
    members: Vec<String>,
    invites: Vec<sotto_wire::MessageId>,
    knocks: Vec<sotto_wire::UserId>,
    texts: Vec<String>,
    typing: Vec<String>,
}

impl Sight {
    pub fn of(person: &Actor, others: &[&Actor]) -> Self {
        let RoomView {
            standing,
            name,
            topic,
            admission,
            host,
            ..
        } = person.view();
        let typing = others.iter().filter(|other| person.sees_typing(other));
        Self {
            standing,
            described: (name, topic, format!("{admission:?}")),
            host,
            members: person.member_names(),
            invites: person
                .invitations()
                .into_iter()
                .map(|invite| invite.id)
                .collect(),
            knocks: person
                .knocks()
                .into_iter()
                .map(|knock| knock.user)
                .collect(),
            texts: person.texts(),
            typing: typing.map(|other| other.name().to_owned()).collect(),
        }
    }

    /// The names of what differs.
    pub fn changes(&self, after: &Self) -> Vec<&'static str> {
        let fields = [
            ("standing", self.standing != after.standing),
            ("description", self.described != after.described),
            ("host", self.host != after.host),
            ("members", self.members != after.members),
            ("invites", self.invites != after.invites),
            ("knocks", self.knocks != after.knocks),
            ("texts", self.texts != after.texts),
            ("typing", self.typing != after.typing),
        ];
        fields
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }
}
