//! The encrypted profile: a wrong passphrase and a missing keyring each have
//! their screen, and lose nothing.

use crate::{ALICE, BOB, ROOM, play};

/// Never typed as a name or a message, so that it is looked for on disk.
const PASSPHRASE: &str = "correct horse battery staple";
const WRONG: &str = "incorrect horse battery staple";

#[test]
fn without_a_keyring_a_passphrase_is_asked_for_and_a_wrong_one_is_told_apart() {
    play("passphrase", async |stage| {
        let relay = stage.relay_starts().await?;
        let alice = stage.person(ALICE);

        alice.opens_the_app_without_keyring().await?;
        alice.chooses_a_passphrase(PASSPHRASE).await?;
        alice.settles_at(&relay).await?;
        alice.creates_room(ROOM).await?;
        alice.writes("Kept behind a passphrase").await?;
        alice.sees_all_sent().await?;
        alice.closes_the_app().await?;

        alice.opens_the_app_without_keyring().await?;
        alice.finds_it_locked().await?;
        alice.is_refused_with(WRONG).await?;
        alice.unlocks_with(PASSPHRASE).await?;
        alice.goes_to(ROOM).await?;
        alice.reads("Kept behind a passphrase").await
    });
}

#[test]
fn a_keyring_that_goes_missing_locks_the_profile_and_coming_back_opens_it() {
    play("keyring", async |stage| {
        let relay = stage.relay_starts().await?;
        let bob = stage.person(BOB);

        bob.opens_the_app().await?;
        bob.settles_at(&relay).await?;
        bob.creates_room(ROOM).await?;
        bob.writes("Kept by the keyring").await?;
        bob.sees_all_sent().await?;
        bob.sets_a_passphrase(PASSPHRASE).await?;
        bob.closes_the_app().await?;

        bob.opens_the_app_without_keyring().await?;
        bob.finds_it_locked().await?;
        bob.unlocks_with(PASSPHRASE).await?;
        bob.goes_to(ROOM).await?;
        bob.reads("Kept by the keyring").await?;
        bob.closes_the_app().await?;

        bob.opens_the_app().await?;
        bob.goes_to(ROOM).await?;
        bob.reads("Kept by the keyring").await
    });
}

#[test]
fn a_profile_that_only_the_keyring_opens_waits_for_it() {
    play("keyring-only", async |stage| {
        let relay = stage.relay_starts().await?;
        let bob = stage.person(BOB);

        bob.opens_the_app().await?;
        bob.settles_at(&relay).await?;
        bob.creates_room(ROOM).await?;
        bob.closes_the_app().await?;

        bob.opens_the_app_without_keyring().await?;
        bob.is_asked_for_the_keyring().await?;
        bob.closes_the_app().await?;

        bob.opens_the_app().await?;
        bob.goes_to(ROOM).await
    });
}

#[test]
fn a_keyring_that_starts_late_opens_the_profile_when_it_is_tried_again() {
    play("keyring-late", async |stage| {
        let relay = stage.relay_starts().await?;
        let bob = stage.person(BOB);

        bob.opens_the_app().await?;
        bob.settles_at(&relay).await?;
        bob.creates_room(ROOM).await?;
        bob.closes_the_app().await?;

        bob.opens_the_app_without_keyring().await?;
        bob.is_asked_for_the_keyring().await?;
        bob.tries_the_keyring_in_vain().await?;
        stage.keyring_starts_late().await?;
        bob.tries_the_keyring_again().await?;
        bob.goes_to(ROOM).await
    });
}
