//! Crashes of apps and relay: nothing is lost, nothing is doubled.

use crate::{ROOM, lines, play, two_in_a_room};

#[test]
fn an_app_killed_while_messages_come_is_complete_after_its_restart() {
    play("app-killed", async |stage| {
        let (alice, bob) = two_in_a_room(stage).await?;
        let talk = lines("Alice", 1..=12);

        for line in &talk[..4] {
            alice.writes(line).await?;
        }
        bob.reads(&talk[0]).await?;
        bob.app_is_killed().await?;
        for line in &talk[4..] {
            alice.writes(line).await?;
        }
        alice.sees_all_sent().await?;

        bob.opens_the_app().await?;
        bob.goes_to(ROOM).await?;
        bob.reads_exactly(&talk).await
    });
}

#[test]
fn messages_written_without_a_relay_survive_a_crash_and_are_sent_once() {
    play("writer-killed", async |stage| {
        let (alice, bob) = two_in_a_room(stage).await?;
        let talk = lines("Bob", 1..=6);

        stage.relay_is_killed().await?;
        bob.notices_the_outage().await?;
        for line in &talk {
            bob.writes(line).await?;
        }
        bob.sees_it_kept(ROOM, &talk[5]).await?;
        bob.app_is_killed().await?;
        stage.relay_returns().await?;

        bob.opens_the_app().await?;
        bob.goes_to(ROOM).await?;
        bob.has_nothing_half_written().await?;
        bob.sees_all_sent().await?;
        bob.reads_exactly(&talk).await?;
        alice.reads_exactly(&talk).await
    });
}

#[test]
fn a_relay_killed_and_restarted_loses_and_doubles_nothing() {
    play("relay-killed", async |stage| {
        let (alice, bob) = two_in_a_room(stage).await?;
        let mut talk = lines("Alice", 1..=3);
        for line in &talk {
            alice.writes(line).await?;
        }
        bob.reads_exactly(&talk).await?;

        stage.relay_is_killed().await?;
        alice.notices_the_outage().await?;
        bob.notices_the_outage().await?;
        let offline = lines("Bob", 1..=3);
        for line in &offline {
            bob.writes(line).await?;
        }
        stage.relay_returns().await?;

        alice.is_connected().await?;
        talk.extend(offline);
        bob.sees_all_sent().await?;
        alice.reads_exactly(&talk).await?;
        bob.reads_exactly(&talk).await
    });
}
