//! Two people get into one room and talk.

use crate::{lines, play, two_in_a_room};

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
