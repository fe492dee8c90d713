//! Attack 3: authenticated, but not authorized. Everything that people say to
//! each other, from everybody who could be behind it: only the listed cells
//! change anything. What the relay says by itself is in [`super::frames`].

use super::{sight::Sight, tools::sealed_welcome};
use sotto_client::{
    invite::Link,
    model::Admission,
    rogue::{Rogue, Tamper},
    seal::{Purpose, SealKey},
    store::memory::MemoryStore,
};
use sotto_tests::world::{Actor, Dice, World, home};
use sotto_wire::{
    Bytes, MessageId, RelayFrame, RoomId,
    frame::{ChatKind, ChatReceive},
};

/// Who is behind a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    /// An account that was never in the room.
    Stranger,
    /// Somebody who shares another room with the victim, and takes from there.
    OtherRoom,
    /// Somebody who was removed, with everything they had before.
    Removed,
    Member,
    /// A member who was host before.
    FormerHost,
    /// The relay itself, without any key.
    Relay,
}

const AUTHORS: [Author; 6] = [
    Author::Stranger,
    Author::OtherRoom,
    Author::Removed,
    Author::Member,
    Author::FormerHost,
    Author::Relay,
];

/// What is in a frame that has an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Text,
    Goodbye,
    Delete,
    Rename,
    Removal,
    TakeHost,
    Proposal,
    Typing,
    Knock,
    Welcome,
}

const SAID: [Said; 10] = [
    Said::Text,
    Said::Goodbye,
    Said::Delete,
    Said::Rename,
    Said::Removal,
    Said::TakeHost,
    Said::Proposal,
    Said::Typing,
    Said::Knock,
    Said::Welcome,
];

/// The whole table: what may change, and by whom. Everything else changes
/// nothing.
fn allowed(author: Author, said: Said) -> &'static [&'static str] {
    match (author, said) {
        (Author::Member | Author::FormerHost, Said::Text) => &["texts"],
        (Author::Member | Author::FormerHost, Said::Goodbye) => &["members"],
        (Author::Member | Author::FormerHost, Said::Typing) => &["typing"],
        // Whoever has a link may knock; the host's yes is another matter.
        (Author::Stranger | Author::OtherRoom | Author::Removed, Said::Knock) => &["knocks"],
        _ => &[],
    }
}

/// A guarded room of alice's with bob, who is the victim, and one of each.
struct Stage {
    world: World,
    room: RoomId,
    alice: Actor,
    bob: Actor,
    stranger: Actor,
    other: Actor,
    removed: Actor,
    before: MemoryStore,
    member: Actor,
    former: Actor,
    link: Link,
}

fn stage() -> Stage {
    let world = World::new();
    let person = |name| world.person(name);
    let (former, alice, bob) = (person("frank"), world.alice(), world.bob());
    let (member, removed) = (world.mallory(), person("rita"));
    let (stranger, other) = (person("eve"), person("oscar"));
    let room = former.creates("Field notes");
    let link = former.invites();
    for guest in [&alice, &bob, &member, &removed] {
        guest.joins(&link);
        world.settle();
    }
    former.makes_host(&alice);
    world.settle();
    let before = removed.backup();
    alice.removes(&removed);
    world.settle();
    alice.sets_admission(Admission::ByHost);
    world.settle();
    let link = alice.invites();
    world.settle();
    other.creates_at(home(), "Elsewhere", Admission::AtOnce);
    let elsewhere = other.invites();
    world.settle();
    bob.joins(&elsewhere);
    world.settle();
    bob.looks_at(room);
    stranger.creates_at(home(), "Alone", Admission::AtOnce);
    world.settle();
    let link = link.parse().expect("a link");
    Stage {
        world,
        room,
        alice,
        bob,
        stranger,
        other,
        removed,
        before,
        member,
        former,
        link,
    }
}

impl Stage {
    /// Whose name stands on the frame.
    fn actor(&self, author: Author) -> &Actor {
        match author {
            Author::Stranger => &self.stranger,
            Author::OtherRoom => &self.other,
            Author::Removed => &self.removed,
            Author::Member => &self.member,
            Author::FormerHost => &self.former,
            // It may write any name; the host's promises most.
            Author::Relay => &self.alice,
        }
    }

    fn everybody(&self) -> [&Actor; 6] {
        [
            &self.alice,
            &self.stranger,
            &self.other,
            &self.removed,
            &self.member,
            &self.former,
        ]
    }

    fn frame(&self, author: Author, said: Said) -> RelayFrame {
        let id = MessageId(self.world.scene().dice.id());
        match said {
            Said::Text => self.content(author, id, r#""text","text":"hello""#),
            Said::Goodbye => self.content(author, id, r#""leave""#),
            Said::Delete => self.content(author, id, r#""delete""#),
            Said::Rename => self.commit(author, &[Tamper::Name("Mine".into())], &[]),
            Said::TakeHost => self.commit(author, &[Tamper::Host(self.actor(author).user())], &[]),
            Said::Removal => self.commit(author, &[], &[self.alice.user()]),
            Said::Proposal => self.chat(author, ChatKind::Proposal, id, vec![7; 64].into()),
            Said::Typing => self.typing(author),
            Said::Knock => self.knock(author, id),
            Said::Welcome => self.welcome(author, id),
        }
    }

    fn chat(&self, author: Author, kind: ChatKind, id: MessageId, body: Bytes) -> RelayFrame {
        let actor = self.actor(author);
        let (room, seq) = (self.room, self.world.head(self.room) + 1);
        let (from, device, at) = (actor.user(), actor.device(), self.world.scene().wall());
        RelayFrame::ChatReceive(ChatReceive {
            room,
            seq,
            id,
            from,
            device,
            kind,
            body,
            at,
        })
    }

    /// Something encrypted in the group that this author has.
    fn content(&self, author: Author, id: MessageId, content: &str) -> RelayFrame {
        let json = format!(r#"{{"id":"{id}","type":{content}}}"#);
        let body = match author {
            Author::Relay => json.into_bytes().into(),
            _ => self.with_old_keys(author, |actor| actor.forges_message(&json)),
        };
        self.chat(author, ChatKind::Application, id, body)
    }

    fn commit(
        &self,
        author: Author,
        changes: &[Tamper],
        removes: &[sotto_wire::UserId],
    ) -> RelayFrame {
        let members = matches!(
            author,
            Author::Member | Author::FormerHost | Author::Removed
        );
        let removes = if members { removes.to_vec() } else { vec![] };
        let rogue = Rogue {
            changes: changes.to_vec(),
            removes,
            ..Rogue::default()
        };
        let body = match author {
            Author::Relay => vec![7; 512].into(),
            _ => self.with_old_keys(author, |actor| actor.forges_commit(&rogue).body.into()),
        };
        let id = MessageId(self.world.scene().dice.id());
        self.chat(author, ChatKind::Commit, id, body)
    }

    /// Who was removed acts with what they had before.
    fn with_old_keys(&self, author: Author, act: impl FnOnce(&Actor) -> Bytes) -> Bytes {
        let actor = self.actor(author);
        if author != Author::Removed {
            return act(actor);
        }
        let now = actor.backup();
        actor.goes_offline();
        actor.restores(&self.before);
        let made = act(actor);
        actor.restores(&now);
        made
    }

    fn typing(&self, author: Author) -> RelayFrame {
        let actor = self.actor(author);
        let (room, from) = (self.room, actor.user());
        let forged = || RelayFrame::ChatSignal {
            room,
            from,
            body: vec![0; 160].into(),
        };
        if !matches!(author, Author::Member | Author::FormerHost) {
            return forged();
        }
        actor.looks_at(room);
        actor.types();
        self.world.run_for(25);
        let sent = self
            .world
            .sent_by(actor)
            .into_iter()
            .rev()
            .find_map(|frame| match frame {
                sotto_wire::ClientFrame::ChatSignal { body, .. } => Some(body),
                _ => None,
            });
        let body = sent.expect("it was sent");
        RelayFrame::ChatSignal { room, from, body }
    }

    fn knock(&self, author: Author, id: MessageId) -> RelayFrame {
        let actor = self.actor(author);
        let (room, from, link) = (self.room, actor.user(), &self.link);
        // The relay does not have the secret.
        let secret = if author == Author::Relay {
            &[0; 32]
        } else {
            link.secret.expose()
        };
        let key = SealKey::derive(secret, Purpose::Knock, room.as_bytes());
        let context = [link.invite.as_bytes(), id.as_bytes(), from.as_bytes()].concat();
        let package = match author {
            // A member's knock of long ago: made before their newest leaf.
            Author::Member | Author::FormerHost => actor.old_key_package(),
            _ => actor.key_package(),
        };
        let sealed = key.seal(&mut Dice::new(3).generator(), &context, &package);
        let body = [link.invite.as_bytes(), sealed.as_slice()].concat().into();
        RelayFrame::RoomKnocked {
            room,
            knock: id,
            from,
            body,
        }
    }

    fn welcome(&self, author: Author, id: MessageId) -> RelayFrame {
        let from = self.actor(author).user();
        let package = self.bob.key_package();
        // With all that a member could have given away.
        let leaked = self.alice.leaks_invite(&self.link);
        let invites = std::slice::from_ref(&leaked);
        let trap = self
            .actor(author)
            .forges_room(self.room, &[package], invites);
        let body = sealed_welcome(&self.world, &leaked, id, self.bob.user(), &trap);
        RelayFrame::DirectReceive { id, from, body }
    }
}

#[test]
fn attack_03_only_listed_authors_change_anything() {
    let stage = stage();
    let copy = stage.bob.backup();
    for author in AUTHORS {
        for said in SAID {
            stage.bob.restores(&copy);
            stage.world.settle();
            let frame = stage.frame(author, said);
            let before = Sight::of(&stage.bob, &stage.everybody());
            stage.world.relay_says(&stage.bob, frame);
            let after = Sight::of(&stage.bob, &stage.everybody());
            let changed = before.changes(&after);
            assert_eq!(changed, allowed(author, said), "{author:?} says {said:?}");
        }
    }
}
