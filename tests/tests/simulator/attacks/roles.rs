//! Attack 4: transfers, removals and deletions by somebody who may not.

use super::tools::{
    becomes_a_gap, changes_nothing, last_heard, message, next_place, picture, refusals, some_id,
    whys,
};
use crate::simulator::rooms::{all_agree, of_three, of_two, with_mallory};
use sotto_client::{
    Request, RequestError, Why,
    model::{Admission, Standing, SystemLine},
    rogue::{Rogue, Tamper},
};
use sotto_tests::world::{Actor, World};
use sotto_wire::{MessageId, RelayFrame, frame::ChatKind};

/// What the room agrees on, as somebody sees it.
fn agreed(
    who: &Actor,
) -> (
    Vec<String>,
    String,
    Option<sotto_wire::UserId>,
    Admission,
    usize,
) {
    let view = who.view();
    let invites = who.invitations().len();
    (
        who.member_names(),
        view.name,
        view.host,
        view.admission,
        invites,
    )
}

/// Mallory commits this. Nobody follows, everybody sees that she tried, and
/// the room goes on without a hitch.
fn is_refused(what: &str, rogue: impl FnOnce(&World, &Actor, &Actor, &Actor) -> Rogue) {
    let (world, alice, bob, mallory) = with_mallory();
    let rogue = rogue(&world, &alice, &bob, &mallory);
    world.settle();
    alice.forgets_rejected();
    bob.forgets_rejected();
    let before = (agreed(&alice), agreed(&bob));
    let commit = mallory.forges_commit(&rogue);
    mallory.sends_commit(&commit);
    world.settle();
    assert_eq!((agreed(&alice), agreed(&bob)), before, "{what}");
    for person in [&alice, &bob] {
        assert_eq!(
            person.rejected(),
            [Why::NotAllowed],
            "{what}: {}",
            person.name()
        );
        assert_eq!(
            refusals(person, &mallory),
            1,
            "{what}: {} is told",
            person.name()
        );
        assert_eq!(person.gaps(), 0, "{what}");
    }
    alice.says("still here");
    alice.renames_room("Garden");
    bob.says("so am I");
    world.settle();
    all_agree(&[&alice, &bob]);
    bob.reads("still here");
    alice.reads("so am I");
    assert_eq!(bob.view().name, "Garden");
}

fn tampering(change: Tamper) -> Rogue {
    Rogue {
        changes: vec![change],
        ..Rogue::default()
    }
}

#[test]
fn attack_04_a_member_removes_another() {
    is_refused("removes bob", |_, _, bob, _| Rogue {
        removes: vec![bob.user()],
        ..Rogue::default()
    });
    is_refused("removes the host", |_, alice, _, _| Rogue {
        removes: vec![alice.user()],
        ..Rogue::default()
    });
}

#[test]
fn attack_04_a_member_makes_themselves_host() {
    is_refused("host", |_, _, _, mallory| {
        tampering(Tamper::Host(mallory.user()))
    });
    is_refused("another host", |_, _, bob, _| {
        tampering(Tamper::Host(bob.user()))
    });
}

#[test]
fn attack_04_a_member_describes_the_room() {
    is_refused("name", |_, _, _, _| {
        tampering(Tamper::Name("Mallory's".into()))
    });
    is_refused("admission", |_, _, _, _| {
        tampering(Tamper::Admission(Admission::ByHost))
    });
    is_refused("barred", |_, _, bob, _| tampering(Tamper::Bar(bob.user())));
}

#[test]
fn attack_04_a_member_meddles_with_invites() {
    is_refused("closes the host's", |_, alice, _, _| {
        alice.invites();
        tampering(Tamper::CloseInvites)
    });
    is_refused("opens one in the host's name", |_, alice, _, _| {
        tampering(Tamper::OpenInvite { by: alice.user() })
    });
}

#[test]
fn attack_04_a_member_lets_somebody_in_without_an_invite() {
    let package = |world: &World| vec![world.carol().key_package()];
    is_refused("no invite", |world, _, _, _| Rogue {
        adds: package(world),
        ..Rogue::default()
    });
    is_refused("one that never was", |world, _, _, _| Rogue {
        adds: package(world),
        invite: Some(some_id(world)),
        ..Rogue::default()
    });
    is_refused("one that the host has to approve", |world, alice, _, _| {
        alice.sets_admission(Admission::ByHost);
        world.settle();
        let invite = alice.invitations()[0].id;
        Rogue {
            adds: package(world),
            invite: Some(invite),
            ..Rogue::default()
        }
    });
}

#[test]
fn attack_04_a_member_puts_a_friend_in_somebodys_place() {
    is_refused("carol for bob", |world, alice, bob, _| Rogue {
        adds: vec![world.carol().key_package()],
        removes: vec![bob.user()],
        invite: Some(alice.invitations()[0].id),
        ..Rogue::default()
    });
}

#[test]
fn attack_04_a_member_replaces_nobody_by_an_old_key_package() {
    is_refused("bob by his knock of long ago", |_, alice, bob, _| Rogue {
        // Made before bob's newest leaf.
        adds: vec![bob.old_key_package()],
        removes: vec![bob.user()],
        invite: Some(alice.invitations()[0].id),
        ..Rogue::default()
    });
}

#[test]
fn attack_04_a_hidden_act_beside_an_allowed_one_is_refused_with_it() {
    is_refused("an open invite, and bob's removal", |_, _, bob, mallory| {
        Rogue {
            removes: vec![bob.user()],
            changes: vec![Tamper::OpenInvite { by: mallory.user() }],
            ..Rogue::default()
        }
    });
}

#[test]
fn attack_04_even_the_host_cannot_give_the_room_a_name_that_lies() {
    for name in [
        "\u{202e}sgnirts",
        "two\nlines",
        "",
        "a\u{200b}b",
        &"x".repeat(100),
    ] {
        let (world, alice, bob) = of_two();
        let commit = alice.forges_commit(&tampering(Tamper::Name(name.to_owned())));
        alice.sends_commit(&commit);
        world.settle();
        assert_eq!(bob.view().name, "Field notes");
        assert_eq!(bob.rejected(), [Why::NotAllowed]);
        assert_eq!(refusals(&bob, &alice), 1);
    }
}

#[test]
fn attack_04_a_former_host_gives_no_orders() {
    let (world, alice, bob, carol) = of_three();
    alice.makes_host(&bob);
    world.settle();
    let commit = alice.forges_commit(&Rogue {
        removes: vec![carol.user()],
        ..Rogue::default()
    });
    alice.sends_commit(&commit);
    world.settle();
    for person in [&bob, &carol] {
        assert_eq!(person.rejected(), [Why::NotAllowed]);
        assert_eq!(refusals(person, &alice), 1);
    }
    assert_eq!(carol.member_names(), ["Alice", "Bob", "Carol"]);
    carol.sees_host(&bob);
}

#[test]
fn attack_04_a_member_says_that_the_room_is_deleted() {
    let (world, alice, bob, mallory) = with_mallory();
    let id = some_id(&world);
    let body = mallory.forges_message(&format!(r#"{{"id":"{id}","type":"delete"}}"#));
    mallory.sends_message(id, body);
    world.settle();
    for person in [&alice, &bob] {
        assert_eq!(person.rejected(), [Why::NotAllowed]);
        assert_eq!(refusals(person, &mallory), 1);
    }
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_04_a_goodbye_in_somebody_elses_name_is_refused() {
    let (world, alice, bob, mallory) = with_mallory();
    for saying in ["leave", "delete"] {
        let id = some_id(&world);
        let body = mallory.forges_message(&format!(r#"{{"id":"{id}","type":"{saying}"}}"#));
        let seq = next_place(&world, &alice);
        let mut goodbye = bob.as_received(seq, id, ChatKind::Application, body);
        goodbye.from = if saying == "leave" {
            bob.user()
        } else {
            alice.user()
        };
        let victim = if saying == "leave" { &alice } else { &bob };
        becomes_a_gap(&world, victim, goodbye, Why::WrongSender);
        assert!(victim.is_member());
    }
}

#[test]
fn attack_04_a_commit_in_the_hosts_name_is_refused() {
    let (world, alice, bob, mallory) = with_mallory();
    let commit = mallory.forges_commit(&tampering(Tamper::Host(mallory.user())));
    let (id, seq) = (some_id(&world), next_place(&world, &bob));
    let forged = alice.as_received(seq, id, ChatKind::Commit, commit.body.into());
    let rejected = world.relay_says(&bob, RelayFrame::ChatReceive(forged));
    assert_eq!(whys(&rejected), [Why::WrongSender]);
    bob.sees_host(&alice);
    assert_eq!(
        refusals(&bob, &mallory),
        1,
        "who made it is named, not who was to be blamed"
    );
    assert_eq!(refusals(&bob, &alice), 0);
}

#[test]
fn attack_04_the_relay_cannot_make_somebody_host() {
    let (world, alice, bob) = of_two();
    let (room, host) = (alice.room(), bob.user());
    for person in [&alice, &bob] {
        changes_nothing(&world, person, RelayFrame::HostUpdated { room, host }, None);
        person.sees_host(&alice);
    }
    let asked = bob.asks(Request::Remove {
        room,
        user: alice.user(),
    });
    assert_eq!(asked, Err(RequestError::NotHost));
}

#[test]
fn attack_04_the_relay_cannot_send_somebody_away() {
    let (world, alice, bob) = of_two();
    let room = bob.room();
    let knock = MessageId([3; 16]);
    for frame in [
        RelayFrame::RoomLeft { room },
        RelayFrame::RoomDenied { room, knock },
    ] {
        changes_nothing(&world, &bob, frame, None);
    }
    bob.says("not gone");
    world.settle();
    alice.reads("not gone");
}

#[test]
fn attack_04_a_deletion_by_the_relay_is_shown_as_the_relays_doing() {
    let (world, alice, bob) = of_two();
    alice.says("for the record");
    world.settle();
    let rejected = world.relay_says(&bob, RelayFrame::RoomDeleted { room: bob.room() });
    assert_eq!(whys(&rejected), []);
    assert_eq!(bob.standing(), Standing::Deleted { by: None });
    let nobodys = |line: &SystemLine| matches!(line, SystemLine::Deleted { by: None });
    assert_eq!(bob.lines().iter().filter(|line| nobodys(line)).count(), 1);
    bob.reads("for the record");
    let again = RelayFrame::RoomDeleted { room: bob.room() };
    changes_nothing(&world, &bob, again, None);
    assert!(alice.is_member());
}

#[test]
fn attack_04_old_orders_of_the_host_count_once() {
    let (world, alice, bob, carol) = of_three();
    alice.makes_host(&bob);
    world.settle();
    let transfer = last_heard(&world, &carol, super::tools::commit).expect("it was a commit");
    bob.makes_host(&alice);
    world.settle();
    let again = RelayFrame::ChatReceive(transfer.clone());
    changes_nothing(&world, &carol, again, Some(Why::Replay));
    let seq = next_place(&world, &carol);
    let before = picture(&world, &bob);
    let moved = sotto_wire::frame::ChatReceive {
        seq,
        id: some_id(&world),
        ..transfer
    };
    becomes_a_gap(&world, &carol, moved, Why::Forged);
    carol.sees_host(&alice);
    assert_eq!(picture(&world, &bob), before);
}

#[test]
fn attack_04_a_deletion_of_one_room_deletes_no_other() {
    let (world, alice, bob) = of_two();
    let kept = alice.room();
    let doomed = alice.creates("Doomed");
    bob.joins(&alice.invites());
    world.settle();
    alice.deletes_room();
    world.settle();
    assert_eq!(
        bob.standing(),
        Standing::Deleted {
            by: Some(alice.user())
        }
    );
    let goodbye = last_heard(&world, &bob, message).expect("alice said so");
    assert_eq!(goodbye.room, doomed);
    bob.looks_at(kept);
    let moved = sotto_wire::frame::ChatReceive {
        room: kept,
        seq: world.head(kept) + 1,
        ..goodbye
    };
    becomes_a_gap(&world, &bob, moved, Why::Forged);
    assert!(bob.is_member());
}
