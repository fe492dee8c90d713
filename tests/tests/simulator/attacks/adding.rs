//! Attack 1: the relay adds somebody.

use super::tools::{
    changes_nothing, garbage, knock, last_heard, own_knock, parse, picture, rooms, sealed_welcome,
    some_id, whys,
};
use crate::simulator::rooms::{all_agree, of_three, of_two};
use sotto_client::{
    Request, Why,
    model::Standing,
    seal::{Purpose, SealKey},
};
use sotto_tests::world::{Dice, World, home};
use sotto_wire::{
    ClientFrame, MessageId, RelayFrame,
    frame::{ChatKind, Presence, PresenceAction, RoomMember},
};

#[test]
fn attack_01_a_false_roster_adds_nobody() {
    let (world, alice, bob) = of_two();
    let stranger = world.mallory().user();
    let before = picture(&world, &alice);
    world.on_the_way_down(move |_, frame| match frame {
        RelayFrame::RoomOpened(mut opened) => {
            let state = Presence::Online;
            opened.members.push(RoomMember {
                user: stranger,
                state,
                up_to: opened.head,
            });
            opened.count += 1;
            opened.host = stranger;
            vec![RelayFrame::RoomOpened(opened)]
        }
        frame => vec![frame],
    });
    alice.restarts();
    world.settle();
    assert_eq!(picture(&world, &alice), before);
    alice.says("just us");
    world.settle();
    bob.reads("just us");
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_01_somebody_who_is_said_to_have_joined_has_not() {
    let (world, alice, _) = of_two();
    let (room, user) = (alice.room(), world.mallory().user());
    for action in [
        PresenceAction::Joined,
        PresenceAction::Online,
        PresenceAction::Left,
    ] {
        let frame = RelayFrame::PresenceUpdate {
            room,
            user,
            action,
            count: 9,
        };
        changes_nothing(&world, &alice, frame, None);
    }
}

#[test]
fn attack_01_whom_a_commit_adds_for_routing_only_is_not_in() {
    let (world, alice, bob) = of_two();
    let mallory = world.mallory();
    mallory
        .asks(Request::AddRelay(home()))
        .expect("anybody may");
    world.settle();
    let stranger = mallory.user();
    world.on_the_way_up(move |_, frame| match frame {
        ClientFrame::ChatSend(mut send) if send.kind == ChatKind::Commit => {
            send.adds.push(stranger);
            vec![ClientFrame::ChatSend(send)]
        }
        frame => vec![frame],
    });
    alice.renames_room("Garden");
    alice.says("just us");
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(bob.member_names(), ["Alice", "Bob"]);
    bob.reads("just us");
    // Her relay takes her for a member, and she asks for all there is.
    mallory.sends(ClientFrame::RoomOpen {
        room: alice.room(),
        since: 0,
    });
    world.settle();
    assert!(
        world
            .heard_by(&mallory)
            .iter()
            .any(|f| matches!(f, RelayFrame::ChatReceive(_)))
    );
    assert_eq!(
        rooms(&world, &mallory),
        0,
        "what she gets is of no use to her"
    );
    assert!(mallory.rejected().contains(&Why::UnknownRoom));
    alice.rejected_nothing();
}

#[test]
fn attack_01_a_group_of_the_relays_own_is_not_the_room() {
    let world = World::new();
    let (alice, bob, mallory) = (world.alice(), world.bob(), world.mallory());
    let room = alice.creates_guarded("Field notes");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.settle();
    // The relay is even given a key package that bob has the keys of.
    let mut leaked = alice.leaks_invite(&parse(&link));
    let welcome = mallory.forges_room(room, &[bob.key_package()], &[leaked.clone()]);
    let (id, _) = own_knock(&world, &bob);
    // All but the secret.
    leaked.link.secret = sotto_client::invite::InviteSecret::from_bytes([1; 32]);
    let bare = [room.as_bytes(), id.as_bytes(), &welcome[..]].concat();
    let bodies = [
        sealed_welcome(&world, &leaked, id, bob.user(), &welcome),
        bare.into(),
    ];
    for body in bodies {
        for from in [alice.user(), mallory.user(), bob.user()] {
            let frame = RelayFrame::DirectReceive {
                id: some_id(&world),
                from,
                body: body.clone(),
            };
            changes_nothing(&world, &bob, frame, Some(Why::UnwantedWelcome));
        }
    }
    assert_eq!(bob.standing(), Standing::Knocking);
    alice.lets_in(&bob);
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_01_a_key_package_in_a_knock_cannot_be_swapped() {
    let world = World::new();
    let (alice, bob, mallory) = (world.alice(), world.bob(), world.mallory());
    let room = alice.creates_guarded("Field notes");
    let (link, other) = (alice.invites(), alice.invites());
    world.settle();
    bob.joins(&link);
    mallory.joins(&other);
    world.settle();
    let (id, body) = own_knock(&world, &bob);
    let (theirs, theirs_body) = own_knock(&world, &mallory);
    alice.turns_down(&bob);
    alice.turns_down(&mallory);
    world.settle();
    let flipped = |at: usize| {
        let mut body = body.clone();
        body.0[at] ^= 1;
        body
    };
    let spliced = [&body[..MessageId::SIZE], &theirs_body[MessageId::SIZE..]].concat();
    let cut = body[..body.len() - 1].to_vec();
    let unsealed = [&body[..MessageId::SIZE], &mallory.key_package()].concat();
    let (b, m) = (bob.user(), mallory.user());
    let tries = [
        ("bob's body as mallory's", id, m, body.clone()),
        ("bob's body under another knock", theirs, b, body.clone()),
        ("mallory's body as bob's", id, b, theirs_body.clone()),
        (
            "mallory's package under bob's invite",
            id,
            b,
            spliced.into(),
        ),
        ("a package that is not sealed", id, m, unsealed.into()),
        ("a bit of the nonce", id, b, flipped(MessageId::SIZE)),
        (
            "a bit of the package",
            id,
            b,
            flipped(MessageId::SIZE + 100),
        ),
        ("a bit of the tag", id, b, flipped(body.len() - 1)),
        ("a byte less", id, b, cut.into()),
        ("nothing", id, b, Vec::new().into()),
        ("less than an id", id, b, garbage(&world, 7)),
    ];
    for (what, knock, from, body) in tries {
        let before = picture(&world, &alice);
        let rejected = world.relay_says(
            &alice,
            RelayFrame::RoomKnocked {
                room,
                knock,
                from,
                body,
            },
        );
        assert_eq!(whys(&rejected), [Why::BadKnock], "{what}");
        assert_eq!(picture(&world, &alice), before, "{what}");
    }
}

#[test]
fn attack_01_a_knock_at_one_room_opens_no_other() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.settle();
    let (knock, body) = own_knock(&world, &bob);
    let other = alice.creates("Garden");
    alice.invites();
    world.settle();
    let frame = RelayFrame::RoomKnocked {
        room: other,
        knock,
        from: bob.user(),
        body,
    };
    // The invite could be one that is still on its way: it is kept for a while.
    changes_nothing(&world, &alice, frame, None);
    alice.invites();
    world.settle();
    assert_eq!(alice.member_names(), ["Alice"]);
    assert_eq!(alice.knocks(), []);
}

#[test]
fn attack_01_a_knock_of_who_left_lets_them_in_no_more() {
    let (world, alice, bob, carol) = of_three();
    let room = alice.room();
    let (knock, from, body) = last_heard(&world, &alice, knock).expect("carol knocked");
    assert_eq!(from, carol.user());
    carol.leaves();
    world.settle();
    for member in [&alice, &bob] {
        let again = || RelayFrame::RoomKnocked {
            room,
            knock,
            from,
            body: body.clone(),
        };
        changes_nothing(&world, member, again(), Some(Why::Replay));
        member.restarts();
        world.settle();
        changes_nothing(&world, member, again(), Some(Why::Replay));
    }
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_01_a_knock_of_who_was_removed_lets_them_in_no_more() {
    let (world, alice, bob, carol) = of_three();
    let room = alice.room();
    let (knock, from, body) = last_heard(&world, &alice, knock).expect("carol knocked");
    alice.removes(&carol);
    world.settle();
    for member in [&alice, &bob] {
        let again = RelayFrame::RoomKnocked {
            room,
            knock,
            from,
            body: body.clone(),
        };
        changes_nothing(&world, member, again, Some(Why::BadKnock));
    }
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
    assert_eq!(carol.standing(), Standing::Removed { by: alice.user() });
}

#[test]
fn attack_01_a_knock_in_somebody_elses_name_is_refused_even_with_the_secret() {
    let world = World::new();
    let (alice, bob, mallory) = (world.alice(), world.bob(), world.mallory());
    alice.creates_guarded("Field notes");
    let link = parse(&alice.invites());
    bob.joins(&link.to_string());
    world.settle();
    let (room, id) = (link.room, MessageId([4; 16]));
    let package = mallory.key_package();
    let key = |secret: &[u8]| SealKey::derive(secret, Purpose::Knock, room.as_bytes());
    let seal = |key: &SealKey, aad: &[u8], plain: &[u8]| {
        key.seal(&mut Dice::new(7).generator(), aad, plain)
    };
    let context = [link.invite.as_bytes(), id.as_bytes(), bob.user().as_bytes()].concat();
    let knock = |from, sealed: Vec<u8>| {
        let body = [link.invite.as_bytes(), sealed.as_slice()].concat().into();
        RelayFrame::RoomKnocked {
            room,
            knock: id,
            from,
            body,
        }
    };
    // Without the secret.
    let blind = knock(bob.user(), seal(&key(&[0; 32]), &context, &package));
    assert_eq!(world.relay_says(&alice, blind)[0].why, Why::BadKnock);
    // With it, in bob's name: the certificate says whose key it is.
    let sealed = seal(&key(link.secret.expose()), &context, &package);
    let refused = world.relay_says(&alice, knock(bob.user(), sealed.clone()));
    assert_eq!(refused[0].why, Why::BadKnock);
    // Sealed in bob's name, delivered in mallory's.
    let refused = world.relay_says(&alice, knock(mallory.user(), sealed));
    assert_eq!(refused[0].why, Why::BadKnock);
    assert_eq!(alice.knocks().len(), 1);
    assert_eq!(alice.knocks()[0].user, bob.user());
}
