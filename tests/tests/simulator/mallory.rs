//! Mallory is a member, or was one, or has a link, and her client keeps to no
//! rule; the relay helps her as it can. The numbers are those of the attacks
//! in docs/SECURITY.md.

mod commits;
mod hostile;
mod replays;
mod table;
mod views;
mod welcomes;

use sotto_client::model::{RoomView, Standing};
use sotto_tests::world::{Actor, World};

/// Alice, who is host, Bob and Mallory.
fn with_mallory() -> (World, Actor, Actor, Actor) {
    let world = World::new();
    let (alice, bob, mallory) = (world.alice(), world.bob(), world.mallory());
    alice.creates("Field notes");
    let link = alice.invites();
    bob.joins(&link);
    world.settle();
    mallory.joins(&link);
    world.settle();
    super::rooms::all_agree(&[&alice, &bob, &mallory]);
    for person in [&alice, &bob, &mallory] {
        person.forgets_rejected();
    }
    (world, alice, bob, mallory)
}

/// What somebody sees of a room, apart from how far they are in it.
#[derive(Debug, Clone, PartialEq)]
struct Sight {
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
    fn of(person: &Actor, others: &[&Actor]) -> Self {
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
    fn changes(&self, after: &Self) -> Vec<&'static str> {
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
