//! Two people talk.

use sotto_tests::world::World;

#[test]
fn a_room_is_made_joined_and_talked_in() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    world.settle();
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.settle();
    assert!(bob.is_member());
    alice.says("hello");
    world.settle();
    bob.reads("hello");
    alice.reads("hello");
    bob.says("hello yourself");
    world.settle();
    alice.reads_only(&["hello", "hello yourself"]);
    bob.reads_only(&["hello", "hello yourself"]);
    bob.sees_host(&alice);
    alice.rejected_nothing();
    bob.rejected_nothing();
}
