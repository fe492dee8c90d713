//! Authentic commits and messages whose author may not do that.

use super::{Sight, with_mallory};
use sotto_client::{
    Why,
    model::{Admission, Standing, SystemLine},
    rogue::{Rogue, Tamper},
};
use sotto_tests::world::Actor;
use sotto_wire::{MessageId, RelayFrame, frame::ChatKind};

/// Mallory commits it; nobody follows, everybody sees that she tried, and life
/// goes on.
fn nobody_follows(what: &str, rogue: impl Fn(&Actor, &Actor, &Actor) -> Rogue) {
    let (world, alice, bob, mallory) = with_mallory();
    let eve = world.person("eve");
    let mut wants = rogue(&alice, &bob, &mallory);
    if wants.adds.len() == 1 && wants.adds[0].is_empty() {
        wants.adds = vec![eve.key_package()];
    }
    let sights = [&alice, &bob].map(|person| Sight::of(person, &[]));
    let epochs = [&alice, &bob].map(|person| person.view().epoch);
    mallory.sends_commit(&mallory.forges_commit(&wants));
    world.settle();
    for (person, (sight, epoch)) in [&alice, &bob]
        .into_iter()
        .zip(sights.into_iter().zip(epochs))
    {
        assert_eq!(
            Sight::of(person, &[]),
            sight,
            "{what}: what {} sees",
            person.name()
        );
        assert_eq!(
            person.view().epoch,
            epoch,
            "{what}: {}'s epoch",
            person.name()
        );
        assert_eq!(
            person.rejected(),
            [Why::NotAllowed],
            "{what}: {}",
            person.name()
        );
        let refused =
            |line: &SystemLine| matches!(line, SystemLine::Refused { by } if by.name == "Mallory");
        assert!(
            person.lines().iter().any(refused),
            "{what}: {} sees who",
            person.name()
        );
    }
    alice.says("business as usual");
    alice.renames_room("Still mine");
    world.settle();
    bob.reads("business as usual");
    assert_eq!(bob.view().name, "Still mine", "{what}");
}

#[test]
fn attack_04_a_guest_removes_nobody() {
    let remove = |user| Rogue {
        removes: vec![user],
        ..Rogue::default()
    };
    nobody_follows("the host", |alice, _, _| remove(alice.user()));
    nobody_follows("another guest", |_, bob, _| remove(bob.user()));
}

#[test]
fn attack_04_a_guest_takes_nothing_that_is_the_hosts() {
    let change = |change| Rogue {
        changes: vec![change],
        ..Rogue::default()
    };
    nobody_follows("host", |_, _, mallory| change(Tamper::Host(mallory.user())));
    nobody_follows("name", |_, _, _| change(Tamper::Name("Mine".into())));
    nobody_follows("admission", |_, _, _| {
        change(Tamper::Admission(Admission::ByHost))
    });
    nobody_follows("bar", |_, bob, _| change(Tamper::Bar(bob.user())));
    nobody_follows("others' links", |_, _, _| change(Tamper::CloseInvites));
    nobody_follows("a link in another's name", |_, bob, _| {
        change(Tamper::OpenInvite { by: bob.user() })
    });
}

#[test]
fn attack_01_a_member_adds_nobody_without_an_invite() {
    let eve = || vec![Vec::new()]; // put in by `nobody_follows`
    nobody_follows("no invite", |_, _, _| Rogue {
        adds: eve(),
        ..Rogue::default()
    });
    nobody_follows("an invite that is not", |_, _, _| Rogue {
        adds: eve(),
        invite: Some(MessageId([5; 16])),
        ..Rogue::default()
    });
}

#[test]
fn attack_01_a_member_replaces_nobody_by_an_old_key_package() {
    nobody_follows("an old one", |alice, bob, _| {
        // Made before bob's newest leaf: his knock of long ago.
        let package = bob.old_key_package();
        let invite = alice.invitations().first().map(|invite| invite.id);
        Rogue {
            adds: vec![package],
            removes: vec![bob.user()],
            invite,
            ..Rogue::default()
        }
    });
}

#[test]
fn attack_04_a_former_host_is_a_guest() {
    let (world, alice, bob, mallory) = with_mallory();
    alice.makes_host(&mallory);
    world.settle();
    mallory.makes_host(&bob);
    world.settle();
    alice.sees_host(&bob);
    let sight = Sight::of(&alice, &[]);
    let rogue = Rogue {
        removes: vec![alice.user()],
        ..Rogue::default()
    };
    mallory.sends_commit(&mallory.forges_commit(&rogue));
    world.settle();
    assert_eq!(Sight::of(&alice, &[]), sight);
    assert_eq!(alice.rejected(), [Why::NotAllowed]);
}

#[test]
fn attack_04_the_hosts_own_commit_of_before_is_worth_nothing_again() {
    let (world, alice, bob, _mallory) = with_mallory();
    alice.renames_room("Garden");
    world.settle();
    alice.renames_room("Field notes");
    world.settle();
    let room = alice.room();
    let old = world
        .log(room)
        .into_iter()
        .rfind(|m| m.kind == ChatKind::Commit);
    let mut old = old.expect("there were commits");
    let sight = Sight::of(&bob, &[]);
    let refused = world.relay_says(&bob, RelayFrame::ChatReceive(old.clone()));
    assert_eq!(refused[0].why, Why::Replay);
    old.seq = world.head(room) + 1;
    let refused = world.relay_says(&bob, RelayFrame::ChatReceive(old));
    assert_eq!(refused[0].why, Why::Forged);
    assert_eq!(Sight::of(&bob, &[]), sight);
}

#[test]
fn attack_04_a_guest_does_not_end_the_room() {
    let (world, alice, bob, mallory) = with_mallory();
    let id = MessageId([3; 16]);
    let body = mallory.forges_message(&format!(r#"{{"id":"{id}","type":"delete"}}"#));
    mallory.sends_message(id, body);
    world.settle();
    for person in [&alice, &bob] {
        assert!(person.is_member());
        assert_eq!(person.rejected(), [Why::NotAllowed]);
        let refused =
            |l: &SystemLine| matches!(l, SystemLine::Refused { by } if by.name == "Mallory");
        assert!(person.lines().iter().any(refused));
    }
}

#[test]
fn attack_04_the_relay_names_no_host() {
    let (world, alice, bob, mallory) = with_mallory();
    let (room, host) = (alice.room(), mallory.user());
    for person in [&alice, &bob, &mallory] {
        world.relay_says(person, RelayFrame::HostUpdated { room, host });
        person.sees_host(&alice);
    }
    world.settle();
    bob.sees_host(&alice);
}

#[test]
fn attack_04_the_relay_lets_nobody_leave() {
    let (world, alice, bob, _mallory) = with_mallory();
    let room = bob.room();
    world.relay_says(&bob, RelayFrame::RoomLeft { room });
    assert!(bob.is_member());
    alice.says("you are still here");
    world.settle();
    bob.reads("you are still here");
}

#[test]
fn a_wish_survives_a_commit_that_all_refuse() {
    let (world, alice, bob, mallory) = with_mallory();
    let rogue = Rogue {
        changes: vec![Tamper::Name("Mine".into())],
        ..Rogue::default()
    };
    // Mallory's commit wins the epoch, and everybody refuses it.
    mallory.sends_commit(&mallory.forges_commit(&rogue));
    alice.renames_room("Garden");
    alice.says("hello");
    world.settle();
    assert_eq!(bob.view().name, "Garden");
    bob.reads("hello");
    assert_eq!(alice.view().epoch, bob.view().epoch);
}

#[test]
fn attack_05_nobody_takes_the_place_of_what_was_said_before() {
    let (world, alice, bob, mallory) = with_mallory();
    let id = alice.says("I said this");
    world.settle();
    let json = format!(r#"{{"id":"{id}","type":"text","text":"no, this"}}"#);
    mallory.sends_message(id, mallory.forges_message(&json));
    world.settle();
    for person in [&alice, &bob] {
        person.reads("I said this");
        person.never_reads("no, this");
        assert_eq!(person.rejected(), [Why::Replay]);
    }
}

#[test]
fn attack_05_a_message_goes_by_its_own_name_and_its_own_author() {
    let (world, alice, bob, mallory) = with_mallory();
    let (id, other) = (MessageId([3; 16]), MessageId([4; 16]));
    let json = format!(r#"{{"id":"{id}","type":"text","text":"renamed"}}"#);
    mallory.sends_message(other, mallory.forges_message(&json));
    world.settle();
    assert_eq!(bob.rejected(), [Why::Forged]);
    // The relay says that bob wrote it.
    let json = format!(r#"{{"id":"{id}","type":"text","text":"bob says"}}"#);
    let body = mallory.forges_message(&json);
    let seq = world.head(alice.room()) + 1;
    let frame = bob.as_received(seq, id, ChatKind::Application, body);
    let refused = world.relay_says(&alice, RelayFrame::ChatReceive(frame));
    assert_eq!(refused[0].why, Why::WrongSender);
    alice.never_reads("bob says");
    alice.never_reads("renamed");
}

#[test]
fn a_member_who_removes_themself_by_force_is_refused() {
    let (world, alice, bob, mallory) = with_mallory();
    // MLS has no commit that removes its author; a leaver cannot commit either.
    mallory.leaves();
    world.settle();
    assert_eq!(mallory.standing(), Standing::Left);
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
    bob.rejected_nothing();
}
