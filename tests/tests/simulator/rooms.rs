//! Rooms that stand ready for a test.

use sotto_tests::world::{Actor, World};

/// Alice and Bob in a room of Alice's.
pub fn of_two() -> (World, Actor, Actor) {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    bob.joins(&alice.invites());
    world.settle();
    assert!(bob.is_member());
    (world, alice, bob)
}

/// Alice, who is host, Bob and Carol, in this order of leaves.
pub fn of_three() -> (World, Actor, Actor, Actor) {
    let (world, alice, bob) = of_two();
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.settle();
    assert!(carol.is_member());
    (world, alice, bob, carol)
}

/// Alice, who is host, Bob, and Mallory with a client of her own making.
pub fn with_mallory() -> (World, Actor, Actor, Actor) {
    let world = World::new();
    let (alice, bob, mallory) = (world.alice(), world.bob(), world.mallory());
    alice.creates("Field notes");
    let link = alice.invites();
    bob.joins(&link);
    world.settle();
    mallory.joins(&link);
    world.settle();
    all_agree(&[&alice, &bob, &mallory]);
    for person in [&alice, &bob, &mallory] {
        person.forgets_rejected();
    }
    (world, alice, bob, mallory)
}

/// Everybody agrees on who is here, who is host, and on the epoch.
pub fn all_agree(people: &[&Actor]) {
    let first = people[0];
    for person in people {
        assert!(
            person.is_member(),
            "{} is {:?}",
            person.name(),
            person.standing()
        );
        assert_eq!(
            person.member_names(),
            first.member_names(),
            "{}'s roster",
            person.name()
        );
        let (a, b) = (first.view(), person.view());
        assert_eq!(
            (a.epoch, a.host, a.name),
            (b.epoch, b.host, b.name),
            "{}",
            person.name()
        );
    }
}
