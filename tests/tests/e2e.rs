//! End to end: real app windows, a real relay, a real keyring, driven through
//! tauri-driver on a private desktop. `cargo xtask test` builds what they need.

#[path = "e2e/calls.rs"]
mod calls;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/interruptions.rs"]
mod interruptions;
#[path = "e2e/locks.rs"]
mod locks;
#[path = "e2e/talk.rs"]
mod talk;

use sotto_harness::{Binaries, Person, Result, Stage};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Long enough to be searched for on disk, and never there by chance.
const ALICE: &str = "Alice Liddell";
const BOB: &str = "Bob Cratchit";
const CAROL: &str = "Carol Fezziwig";
const ROOM: &str = "Field notes";

/// One play at a time: each has the processor for itself, so that deadlines
/// mean the same on every machine.
static STAGE: Mutex<()> = Mutex::new(());

/// Plays a scene, or fails with the sentence that says which step went wrong.
fn play(name: &str, scene: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let _alone = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = evidence().join(name);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let played = runtime.block_on(async {
        let binaries = Binaries::beside_this_test()?;
        Stage::play(&folder, binaries, scene).await
    });
    if let Err(failure) = played {
        panic!("{failure}\n(pictures and logs: {})", folder.display());
    }
}

/// Where pictures, page texts and logs are left.
fn evidence() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/e2e")
}

/// Alice and Bob in one room of Alice's, on one relay.
async fn two_in_a_room(stage: &Stage) -> Result<(Person, Person)> {
    let relay = stage.relay_starts().await?;
    let alice = stage.person(ALICE);
    let bob = stage.person(BOB);

    alice.opens_the_app().await?;
    alice.settles_at(&relay).await?;
    alice.creates_room(ROOM).await?;
    let link = alice.copies_an_invite_link().await?;

    bob.opens_the_app().await?;
    bob.settles_at(&relay).await?;
    bob.joins_by_pasting(&link).await?;
    alice.lets_in(&bob).await?;
    bob.is_in(ROOM).await?;
    Ok((alice, bob))
}

/// Numbered messages of one person.
fn lines(who: &str, numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers
        .map(|number| format!("{who} says line number {number}"))
        .collect()
}
