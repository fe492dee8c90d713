//! Attack 1: somebody who has a link, and runs its relay, makes a room of
//! their own behind it.

use super::tools::{
    changes_nothing, last_heard, letter, letter_to, own_knock, parse, sealed_letter,
    sealed_welcome, some_id, whys,
};
use crate::simulator::rooms::all_agree;
use sotto_client::{
    Why,
    invite::{Link, proof::Proof},
    model::Standing,
    rogue::RogueInvite,
    seal::{Purpose, SealKey},
};
use sotto_tests::world::{Actor, World};
use sotto_wire::{Bytes, MessageId, RelayFrame, RoomId};

/// Bob waits to be let into Alice's room, where Carol is. Mallory has the
/// link, and the relay does what she says.
struct Stage {
    world: World,
    alice: Actor,
    bob: Actor,
    mallory: Actor,
    room: RoomId,
    link: Link,
    knock: MessageId,
}

fn stage() -> Stage {
    let world = World::new();
    let (alice, bob, carol) = (world.alice(), world.bob(), world.carol());
    let room = alice.creates_guarded("Field notes");
    let link = alice.invites();
    world.settle();
    carol.joins(&link);
    world.settle();
    alice.lets_in(&carol);
    bob.joins(&link);
    world.settle();
    let (knock, _) = own_knock(&world, &bob);
    let (mallory, link) = (world.mallory(), parse(&link));
    Stage {
        world,
        alice,
        bob,
        mallory,
        room,
        link,
        knock,
    }
}

impl Stage {
    /// A group of Mallory's under the room's id, with the inviter's own leaf
    /// in it: key packages travel in knocks, and she may have seen one.
    fn false_room(&self, invite: &RogueInvite) -> Vec<u8> {
        let people = [self.bob.key_package(), self.alice.key_package()];
        let invites = std::slice::from_ref(invite);
        self.mallory.forges_room(self.room, &people, invites)
    }

    fn sends(&self, what: &str, body: Bytes) {
        let frame = RelayFrame::DirectReceive {
            id: some_id(&self.world),
            from: self.alice.user(),
            body,
        };
        changes_nothing(&self.world, &self.bob, frame, Some(Why::UnwantedWelcome));
        assert_eq!(self.bob.standing(), Standing::Knocking, "{what}");
    }

    /// Bob is still there to be let in, and is.
    fn ends_well(&self) {
        self.alice.lets_in(&self.bob);
        self.world.settle();
        all_agree(&[&self.alice, &self.bob, &self.world.carol()]);
    }

    /// What stands in front of the letter that let Carol in: Mallory has the
    /// secret, and so can open it.
    fn carols_proof(&self) -> (Proof, Vec<u8>) {
        let carol = self.world.carol();
        let (_, _, body) = last_heard(&self.world, &carol, letter).expect("she was welcomed");
        let (head, sealed) = body.split_at(RoomId::SIZE + MessageId::SIZE);
        let secret = self.link.secret.expose();
        let key = SealKey::derive(secret, Purpose::Welcome, self.room.as_bytes());
        let opened = key
            .open(&head[RoomId::SIZE..], sealed)
            .expect("the link opens it");
        let (proof, rest) = Proof::split(&opened).expect("a proof");
        (proof, rest.to_vec())
    }
}

#[test]
fn attack_01_the_inviters_key_package_makes_no_room_of_theirs() {
    let stage = stage();
    let (world, bob) = (&stage.world, stage.bob.user());
    // Everything but the key: it is in no link.
    let own = stage.mallory.forges_invite(&stage.link);
    let named = RogueInvite {
        account: stage.carols_proof().0.account,
        ..own.clone()
    };
    for (what, invite) in [("her own word", own), ("in Alice's name", named)] {
        let trap = stage.false_room(&invite);
        let body = sealed_welcome(world, &invite, stage.knock, bob, &trap);
        stage.sends(what, body);
    }
    stage.ends_well();
}

#[test]
fn attack_01_what_let_somebody_else_in_makes_no_room_either() {
    let stage = stage();
    let (world, bob) = (&stage.world, stage.bob.user());
    let (proof, letter) = stage.carols_proof();
    // What Alice signed, true as it is, over a letter that Mallory signed.
    let own = RogueInvite {
        account: proof.account,
        vouching: proof.vouching,
        ..stage.mallory.forges_invite(&stage.link)
    };
    let trap = letter_to(1, &stage.false_room(&own));
    stage.sends(
        "Alice's word for another key",
        sealed_letter(world, &own, stage.knock, bob, &trap),
    );
    for (what, letter) in [("the same proof", &trap), ("the same letter", &letter)] {
        let plain = [proof.encode().as_slice(), letter].concat();
        let sealed = super::tools::seal(
            world,
            &stage.link,
            Purpose::Welcome,
            stage.room,
            stage.knock,
            &plain,
        );
        stage.sends(what, sealed);
    }
    stage.ends_well();
}

#[test]
fn attack_01_a_link_in_somebody_elses_name_leads_nowhere() {
    let stage = stage();
    let (world, mallory) = (&stage.world, &stage.mallory);
    mallory.creates("Trap");
    let mut link = parse(&mallory.invites());
    world.settle();
    link.inviter = stage.alice.user();
    let dave = world.person("dave");
    dave.joins(&link.to_string());
    world.settle();
    // Mallory's client, which does not know better, lets him in by her name.
    assert_eq!(dave.standing(), Standing::Knocking);
    assert_eq!(dave.rejected(), [Why::UnwantedWelcome]);
}

#[test]
fn attack_01_a_link_that_was_made_to_last_longer_leads_nowhere() {
    let stage = stage();
    let world = &stage.world;
    let mut link = stage.link.clone();
    link.expires += 1;
    let dave = world.person("dave");
    dave.joins(&link.to_string());
    world.settle();
    stage.alice.lets_in(&dave);
    world.settle();
    assert_eq!(dave.standing(), Standing::Knocking);
    assert_eq!(dave.rejected(), [Why::UnwantedWelcome]);
}

/// Where the promise ends, see docs/SECURITY.md. It also shows that nothing
/// but the key keeps the traps above shut.
#[test]
fn whoever_was_a_member_while_the_link_was_open_can_make_a_false_room() {
    let stage = stage();
    let world = &stage.world;
    let leaked = world.carol().leaks_invite(&stage.link);
    let trap = stage.false_room(&leaked);
    let body = sealed_welcome(world, &leaked, stage.knock, stage.bob.user(), &trap);
    let frame = RelayFrame::DirectReceive {
        id: some_id(world),
        from: stage.alice.user(),
        body,
    };
    let rejected = world.relay_says(&stage.bob, frame);
    assert_eq!(whys(&rejected), []);
    assert_eq!(stage.bob.member_names(), ["Alice", "Bob", "Mallory"]);
    // What it does not get her: a word in Alice's name.
    let let_in = |line: &sotto_client::model::SystemLine| matches!(line, sotto_client::model::SystemLine::YouJoined { by } if by.name == "Mallory");
    assert!(
        stage.bob.lines().iter().any(let_in),
        "he sees who let him in"
    );
}
