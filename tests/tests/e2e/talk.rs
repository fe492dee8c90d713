//! Two people get into one room and talk.

use crate::{ALICE, BOB, ROOM, lines, play, two_in_a_room};

#[test]
fn two_people_meet_by_a_link_and_talk_both_ways() {
    play("talk", async |stage| {
        let (alice, bob) = two_in_a_room(stage).await?;
        let mut talk = Vec::new();

        for line in lines("Alice", 1..=10) {
            alice.writes(&line).await?;
            talk.push(line);
        }
        bob.reads_exactly(&talk).await?;

        bob.begins_to_write("Bob thinks about it").await?;
        alice.sees_typing(&bob).await?;

        for line in lines("Bob", 1..=10) {
            bob.writes(&line).await?;
            talk.push(line);
        }
        alice.reads_exactly(&talk).await?;
        bob.reads_exactly(&talk).await?;
        alice.sees_all_sent().await?;
        bob.sees_all_sent().await
    });
}

#[test]
fn a_link_clicked_before_the_first_start_is_followed_after_it() {
    play("clicked-link", async |stage| {
        let relay = stage.relay_starts().await?;
        let alice = stage.person(ALICE);
        let bob = stage.person(BOB);
        alice.opens_the_app().await?;
        alice.settles_at(&relay).await?;
        alice.creates_room(ROOM).await?;
        let link = alice.copies_an_invite_link().await?;

        bob.opens_the_app_by(&link).await?;
        bob.settles_at(&relay).await?;
        bob.follows_the_clicked_link().await?;
        alice.lets_in(&bob).await?;
        bob.is_in(ROOM).await?;

        bob.writes("So this is where you are").await?;
        alice.reads("So this is where you are").await
    });
}
