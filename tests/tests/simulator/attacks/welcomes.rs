//! Attack 2: Welcomes that nobody waits for.

use super::tools::{
    changes_nothing, last_heard, letter, letter_to, own_knock, parse, picture, rooms,
    sealed_letter, sealed_welcome, some_id, whys,
};
use crate::simulator::rooms::{all_agree, of_two};
use sotto_client::{Request, Why, model::Standing};
use sotto_tests::world::{World, elsewhere, home};
use sotto_wire::{MessageId, RelayFrame, RoomId};

#[test]
fn attack_02_a_welcome_to_a_room_one_is_in_changes_nothing() {
    let (world, alice, bob) = of_two();
    let mallory = world.mallory();
    let room = alice.room();
    // Mallory has all that a member could have given away.
    let link = parse(&alice.invites());
    world.settle();
    for victim in [&alice, &bob] {
        let leaked = alice.leaks_invite(&link);
        let invites = std::slice::from_ref(&leaked);
        let welcome = mallory.forges_room(room, &[victim.key_package()], invites);
        let (knock, _) = own_knock(&world, &bob);
        let body = sealed_welcome(&world, &leaked, knock, victim.user(), &welcome);
        let from = mallory.user();
        let frame = RelayFrame::DirectReceive {
            id: some_id(&world),
            from,
            body,
        };
        changes_nothing(&world, victim, frame, Some(Why::UnwantedWelcome));
    }
    alice.says("still the same room");
    world.settle();
    bob.reads("still the same room");
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_02_a_welcome_that_nobody_asked_for_makes_no_room() {
    let world = World::new();
    let (bob, mallory) = (world.bob(), world.mallory());
    let room = mallory.creates("Trap");
    let link = parse(&mallory.invites());
    bob.asks(Request::AddRelay(home())).expect("anybody may");
    world.settle();
    let leaked = mallory.leaks_invite(&link);
    let invites = std::slice::from_ref(&leaked);
    let welcome = mallory.forges_room(room, &[bob.key_package()], invites);
    for knock in [MessageId([0; 16]), some_id(&world)] {
        let body = sealed_welcome(&world, &leaked, knock, bob.user(), &welcome);
        let frame = RelayFrame::DirectReceive {
            id: some_id(&world),
            from: mallory.user(),
            body,
        };
        changes_nothing(&world, &bob, frame, Some(Why::UnwantedWelcome));
        assert_eq!(rooms(&world, &bob), 0);
    }
}

#[test]
fn attack_02_the_same_welcome_counts_once() {
    let (world, alice, bob) = of_two();
    let (id, from, body) = last_heard(&world, &bob, letter).expect("bob was welcomed");
    let again = || RelayFrame::DirectReceive {
        id,
        from,
        body: body.clone(),
    };
    changes_nothing(&world, &bob, again(), Some(Why::UnwantedWelcome));
    bob.restarts();
    world.settle();
    changes_nothing(&world, &bob, again(), Some(Why::UnwantedWelcome));
    bob.leaves();
    world.settle();
    changes_nothing(&world, &bob, again(), Some(Why::UnwantedWelcome));
    assert_eq!(bob.standing(), Standing::Left);
    // Not even while they knock again.
    bob.joins(&alice.invites());
    changes_nothing(&world, &bob, again(), Some(Why::UnwantedWelcome));
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_02_the_welcome_of_another_knock_lets_nobody_in() {
    let world = World::new();
    let (alice, bob, carol) = (world.alice(), world.bob(), world.carol());
    let room = alice.creates_guarded("Field notes");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    carol.joins(&link);
    world.settle();
    alice.lets_in(&carol);
    world.settle();
    assert!(carol.is_member());
    let (id, from, body) = last_heard(&world, &carol, letter).expect("carol was welcomed");
    let (knock, _) = own_knock(&world, &bob);
    let head = RoomId::SIZE + MessageId::SIZE;
    let as_bobs = [room.as_bytes(), knock.as_bytes(), &body[head..]].concat();
    for body in [body, as_bobs.into()] {
        let frame = RelayFrame::DirectReceive { id, from, body };
        changes_nothing(&world, &bob, frame, Some(Why::UnwantedWelcome));
    }
    assert_eq!(bob.standing(), Standing::Knocking);
}

#[test]
fn attack_02_a_welcome_to_anything_but_what_was_asked_is_refused_even_with_every_key() {
    let world = World::new();
    let (alice, bob, mallory) = (world.alice(), world.bob(), world.mallory());
    let room = alice.creates_guarded("Field notes");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.settle();
    let (knock, _) = own_knock(&world, &bob);
    let leaked = alice.leaks_invite(&parse(&link));
    let invites = std::slice::from_ref(&leaked);
    let into = |room, packages: &[Vec<u8>], invites| mallory.forges_room(room, packages, invites);
    let (bobs, alices) = (bob.key_package(), alice.key_package());
    let trap = into(room, &[bobs.clone(), alices.clone()], invites);
    let no_seat = into(room, std::slice::from_ref(&alices), invites);
    let another = into(
        RoomId([7; RoomId::SIZE]),
        &[bobs.clone(), alices.clone()],
        invites,
    );
    let no_inviter = into(room, std::slice::from_ref(&bobs), invites);
    let no_invite = into(room, &[bobs, alices], &[]);
    let plain = |welcome: &[u8]| letter_to(1, welcome);
    let tries = [
        ("no seat for bob", knock, plain(&no_seat)),
        ("another room", knock, plain(&another)),
        ("no inviter", knock, plain(&no_inviter)),
        ("no such invite", knock, plain(&no_invite)),
        ("another knock", MessageId([1; 16]), plain(&trap)),
        (
            "a place that there is not",
            knock,
            letter_to(1 << 42, &trap),
        ),
        (
            "a place at the end of numbers",
            knock,
            letter_to(u64::MAX, &trap),
        ),
        ("no Welcome", knock, plain(&[])),
        ("less than a place", knock, vec![1; 7]),
        ("nothing", knock, vec![]),
        ("no Welcome at all", knock, plain(&[7; 400])),
    ];
    for (what, knock, letter) in tries {
        let body = sealed_letter(&world, &leaked, knock, bob.user(), &letter);
        let frame = RelayFrame::DirectReceive {
            id: some_id(&world),
            from: alice.user(),
            body,
        };
        changes_nothing(&world, &bob, frame, Some(Why::UnwantedWelcome));
        assert_eq!(bob.standing(), Standing::Knocking, "{what}");
    }
    alice.lets_in(&bob);
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_02_a_welcome_by_another_relay_is_not_taken() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    let link = alice.invites();
    world.settle();
    world.on_the_way_down(|who, frame| {
        let letter = who == "bob" && matches!(frame, RelayFrame::DirectReceive { .. });
        if letter { Vec::new() } else { vec![frame] }
    });
    bob.joins(&link);
    world.settle();
    assert_eq!(bob.standing(), Standing::Knocking);
    world.honest_again();
    let sent = world
        .sent_by(&alice)
        .into_iter()
        .find_map(|frame| match frame {
            sotto_wire::ClientFrame::DirectSend { id, body, .. } => Some((id, body)),
            _ => None,
        });
    let (id, body) = sent.expect("alice let bob in");
    let before = picture(&world, &bob);
    let frame = RelayFrame::DirectReceive {
        id,
        from: alice.user(),
        body,
    };
    let rejected = world.relay_at_says(elsewhere(), &bob, frame);
    assert_eq!(whys(&rejected), [Why::UnwantedWelcome]);
    assert_eq!(picture(&world, &bob), before);
    bob.restarts();
    world.settle();
    all_agree(&[&alice, &bob]);
}
