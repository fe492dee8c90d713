//! Attack 12: what was sealed for one purpose, somewhere else.

use super::tools::{
    becomes_a_gap, changes_nothing, commit, last_heard, letter, message, next_place, own_knock,
    parse, seal, some_id,
};
use crate::simulator::rooms::{of_three, of_two};
use sotto_client::{Why, model::Standing, seal::Purpose};
use sotto_tests::world::World;
use sotto_wire::{
    Bytes, ClientFrame, MessageId, RelayFrame, RoomId,
    frame::{ChatKind, ChatReceive},
};

/// Takes a body out of what passed in a world.
type Make = fn(&World) -> Bytes;

#[test]
fn attack_12_nothing_else_passes_for_a_signal() {
    let (world, alice, bob) = of_two();
    let room = bob.room();
    alice.says("hello");
    alice.renames_room("Garden");
    world.settle();
    let said = last_heard(&world, &bob, message)
        .expect("bob heard it")
        .body;
    let done = last_heard(&world, &bob, commit).expect("bob heard it").body;
    let (_, knock) = own_knock(&world, &bob);
    let (_, _, welcome) = last_heard(&world, &bob, letter).expect("bob was welcomed");
    for bare in [said, done, knock, welcome] {
        let leaf = [&0_u32.to_be_bytes()[..], &bare].concat();
        for body in [bare, leaf.into()] {
            let frame = RelayFrame::ChatSignal {
                room,
                from: alice.user(),
                body,
            };
            changes_nothing(&world, &bob, frame, Some(Why::BadSignal));
        }
    }
}

#[test]
fn attack_12_a_signal_counts_once_and_for_its_sender_only() {
    let (world, alice, bob, carol) = of_three();
    let room = bob.room();
    alice.types();
    world.run_for(100);
    assert!(bob.sees_typing(&alice));
    let heard = last_heard(&world, &bob, |frame| match frame {
        RelayFrame::ChatSignal { body, .. } => Some(body),
        _ => None,
    });
    let body = heard.expect("bob heard it");
    alice.stops_typing();
    world.run_for(100);
    assert!(!bob.sees_typing(&alice));
    for from in [alice.user(), carol.user(), bob.user()] {
        let frame = RelayFrame::ChatSignal {
            room,
            from,
            body: body.clone(),
        };
        changes_nothing(&world, &bob, frame, Some(Why::BadSignal));
    }
    assert!(!bob.sees_typing(&alice) && !bob.sees_typing(&carol));
    // Her words under the number of another leaf.
    let as_carols = [&2_u32.to_be_bytes()[..], &body[4..]].concat();
    let frame = RelayFrame::ChatSignal {
        room,
        from: carol.user(),
        body: as_carols.into(),
    };
    changes_nothing(&world, &bob, frame, Some(Why::BadSignal));
}

#[test]
fn attack_12_nothing_else_passes_for_a_message_or_a_commit() {
    let make: [(&str, Make); 3] = [
        ("a signal", |world| {
            let signal = |frame| match frame {
                RelayFrame::ChatSignal { body, .. } => Some(body),
                _ => None,
            };
            last_heard(world, &world.bob(), signal).expect("bob heard one")
        }),
        ("a knock", |world| own_knock(world, &world.bob()).1),
        ("a welcome", |world| {
            last_heard(world, &world.bob(), letter)
                .expect("he was let in")
                .2
        }),
    ];
    for (what, body) in make {
        for kind in [ChatKind::Application, ChatKind::Commit] {
            let (world, alice, bob) = of_two();
            alice.types();
            world.run_for(100);
            let (seq, id) = (next_place(&world, &bob), some_id(&world));
            let frame = alice.as_received(seq, id, kind, body(&world));
            assert!(!frame.body.is_empty(), "{what}");
            becomes_a_gap(&world, &bob, frame, Why::Forged);
        }
    }
}

#[test]
fn attack_12_a_message_passes_for_no_commit() {
    let (world, alice, bob) = of_two();
    let mut kinds = vec![ChatKind::Commit];
    world.on_the_way_down(move |who, frame| match frame {
        RelayFrame::ChatReceive(m) if who == "bob" => {
            let kind = kinds.pop().unwrap_or(m.kind);
            vec![RelayFrame::ChatReceive(ChatReceive { kind, ..m })]
        }
        frame => vec![frame],
    });
    alice.says("hello");
    world.settle();
    bob.never_reads("hello");
    assert_eq!(bob.rejected(), [Why::Forged]);
    assert_eq!(bob.gaps(), 1);
}

#[test]
fn attack_12_a_proposal_changes_nothing() {
    let (world, alice, bob) = of_two();
    alice.says("hello");
    world.settle();
    let said = last_heard(&world, &bob, message).expect("bob heard it");
    let (seq, before) = (next_place(&world, &bob), bob.texts());
    let proposal = ChatReceive {
        seq,
        kind: ChatKind::Proposal,
        id: some_id(&world),
        ..said
    };
    let rejected = world.relay_says(&bob, RelayFrame::ChatReceive(proposal));
    assert_eq!(super::tools::whys(&rejected), [Why::NotAllowed]);
    assert_eq!(bob.texts(), before);
    assert_eq!(bob.member_names(), ["Alice", "Bob"]);
}

#[test]
fn attack_12_nothing_else_passes_for_a_welcome() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    let room = alice.creates_guarded("Field notes");
    let link = parse(&alice.invites());
    world.settle();
    bob.joins(&link.to_string());
    world.settle();
    let (knock, body) = own_knock(&world, &bob);
    let head = [room.as_bytes(), knock.as_bytes()].concat();
    let reflected = [&head[..], &body[MessageId::SIZE..]].concat();
    let package = bob.key_package();
    let tries: Vec<Bytes> = vec![
        reflected.into(),
        [&head[..], &body].concat().into(),
        seal(&world, &link, Purpose::Knock, room, knock, &package),
        seal(&world, &link, Purpose::Welcome, room, knock, &package),
        seal(&world, &link, Purpose::Welcome, room, knock, b""),
        seal(&world, &link, Purpose::Signal, room, knock, &package),
        seal(
            &world,
            &link,
            Purpose::InviteCommitment,
            room,
            knock,
            &package,
        ),
        head.into(),
        room.as_bytes().to_vec().into(),
        Bytes::default(),
    ];
    for body in tries {
        let frame = RelayFrame::DirectReceive {
            id: some_id(&world),
            from: alice.user(),
            body,
        };
        changes_nothing(&world, &bob, frame, Some(Why::UnwantedWelcome));
    }
    assert_eq!(bob.standing(), Standing::Knocking);
}

#[test]
fn attack_12_nothing_else_passes_for_a_knock() {
    let (world, alice, bob) = of_two();
    let room = alice.room();
    let link = parse(&alice.invites());
    world.settle();
    let welcome = world
        .sent_by(&alice)
        .into_iter()
        .find_map(|frame| match frame {
            ClientFrame::DirectSend { body, .. } => Some(body),
            _ => None,
        });
    let welcome = welcome.expect("alice let bob in");
    let sealed = &welcome[RoomId::SIZE + MessageId::SIZE..];
    let knock = some_id(&world);
    let package = world.carol().key_package();
    let other = seal(&world, &link, Purpose::Welcome, room, knock, &package);
    for sealed in [
        sealed,
        &other[RoomId::SIZE + MessageId::SIZE..],
        &package[..],
    ] {
        for from in [bob.user(), world.carol().user()] {
            let body = [link.invite.as_bytes(), sealed].concat().into();
            let frame = RelayFrame::RoomKnocked {
                room,
                knock,
                from,
                body,
            };
            changes_nothing(&world, &alice, frame, Some(Why::BadKnock));
        }
    }
}
