//! Knocks in another's name, and Welcomes to traps.

use super::{Sight, with_mallory};
use sotto_client::{
    Why,
    invite::{InviteSecret, Link},
    model::Standing,
    seal::{Purpose, SealKey},
};
use sotto_tests::world::{Actor, Dice, World};
use sotto_wire::{Bytes, MessageId, RelayFrame, RoomId, UserId};

fn seal(key: &SealKey, aad: &[u8], plain: &[u8]) -> Vec<u8> {
    key.seal(&mut Dice::new(7).generator(), aad, plain)
}

/// Bob knocks at alice's room with a link and is not let in yet.
fn knocking() -> (World, Actor, Actor, Link, MessageId) {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    let link = alice.invites();
    bob.joins(&link);
    world.settle();
    let knock = alice.knocks()[0].id;
    (world, alice, bob, link.parse().expect("a link"), knock)
}

/// A letter as a member's client makes it, from the place and epoch `n` on.
fn letter(n: u64, knock: MessageId, link: &Link, welcome: &[u8]) -> Bytes {
    let room = link.room;
    let key = SealKey::derive(link.secret.expose(), Purpose::Welcome, room.as_bytes());
    let n = n.to_be_bytes();
    let plain = [&n, &n, &[0; 16][..], welcome].concat();
    let sealed = seal(&key, knock.as_bytes(), &plain);
    [room.as_bytes(), knock.as_bytes(), sealed.as_slice()]
        .concat()
        .into()
}

fn direct(from: UserId, body: Bytes) -> RelayFrame {
    RelayFrame::DirectReceive {
        id: MessageId([6; 16]),
        from,
        body,
    }
}

#[test]
fn attack_01_a_key_package_in_a_knock_cannot_be_swapped() {
    let (world, alice, bob, link, _) = knocking();
    let mallory = world.mallory();
    let (room, id) = (link.room, MessageId([4; 16]));
    let package = mallory.key_package();
    let key = |secret: &[u8]| SealKey::derive(secret, Purpose::Knock, room.as_bytes());
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

#[test]
fn attack_01_a_welcome_to_a_group_of_the_relays_own_is_refused() {
    let (world, alice, bob, link, knock) = knocking();
    let trap = world.mallory().forges_room(link.room, &[bob.key_package()]);
    // The relay does not have the link's secret.
    let guess = Link {
        secret: InviteSecret::from_bytes([0; 32]),
        ..link
    };
    let frame = direct(alice.user(), letter(1, knock, &guess, &trap));
    assert_eq!(world.relay_says(&bob, frame)[0].why, Why::UnwantedWelcome);
    assert_eq!(bob.standing(), Standing::Knocking);
    alice.lets_in(&bob);
    world.settle();
    assert_eq!(
        bob.member_names(),
        ["Alice", "Bob"],
        "the true one is still taken"
    );
}

#[test]
fn attack_01_a_welcome_to_anything_but_what_was_asked_is_refused() {
    let (world, alice, bob, link, knock) = knocking();
    // Mallory has the link as well, and so the secret.
    let mallory = world.mallory();
    let package = [bob.key_package()];
    let other = mallory.forges_room(RoomId([9; 16]), &package);
    let trap = || mallory.forges_room(link.room, &package);
    for body in [
        letter(1, knock, &link, &other),
        letter(1, MessageId([1; 16]), &link, &trap()),
        letter(1 << 42, knock, &link, &trap()),
        letter(u64::MAX, knock, &link, &trap()),
        letter(1, knock, &link, &[]),
        letter(1, knock, &link, &[7; 400]),
    ] {
        let refused = world.relay_says(&bob, direct(mallory.user(), body));
        assert_eq!(refused[0].why, Why::UnwantedWelcome);
        assert_eq!(bob.standing(), Standing::Knocking);
    }
    alice.lets_in(&bob);
    world.settle();
    assert_eq!(bob.member_names(), ["Alice", "Bob"]);
}

#[test]
fn attack_02_a_welcome_for_a_room_that_exists_is_refused_even_from_a_member() {
    let (world, alice, bob, mallory) = with_mallory();
    let link: Link = alice.invitations()[0].link.parse().expect("a link");
    let trap = mallory.forges_room(link.room, &[bob.key_package()]);
    let sight = Sight::of(&bob, &[]);
    let frame = direct(mallory.user(), letter(1, MessageId([1; 16]), &link, &trap));
    assert_eq!(world.relay_says(&bob, frame)[0].why, Why::UnwantedWelcome);
    assert_eq!(Sight::of(&bob, &[]), sight);
    alice.says("all is well");
    world.settle();
    bob.reads("all is well");
}
