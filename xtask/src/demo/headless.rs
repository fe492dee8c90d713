//! The demo without a display: the real UI of two apps is driven like people
//! would, and what happened is left in pictures and a report.

use super::call;
use super::report::Report;
use crate::steps::Trouble;
use sotto_harness::{Binaries, Failure, Person, Stage};
use std::fs;
use std::path::Path;

const ROOM: &str = "Field notes";

/// As on a common laptop.
const WIDTH: u32 = 1180;
const HEIGHT: u32 = 760;

const TALK: [(Speaker, &str); 6] = [
    (Speaker::Alice, "The second site is done. Measured twice."),
    (Speaker::Bob, "Good. What did you get?"),
    (Speaker::Alice, "`0.42 m` both times"),
    (
        Speaker::Bob,
        "Same as mine, then it is the ground and not the *tape*.",
    ),
    (Speaker::Alice, "I’ll write it up tonight."),
    (Speaker::Bob, "Then we can call tomorrow."),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Alice,
    Bob,
}

/// Plays it; succeeds only if every message was read in the other window, and
/// in the call both saw the other's picture move and heard the other.
pub fn play(binaries: Binaries, folder: &Path, driver: &Path) -> Result<(), Trouble> {
    let mut report = Report::begin();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            played = Stage::play(folder, binaries.driven_by(driver), async |stage| {
                scene(stage, folder, &mut report).await
            }) => played,
            () = interrupted() => Err(Failure::new("interrupted")),
        }
    });
    report.end(folder, &outcome)?;
    println!("Pictures and the report are in {}", folder.display());
    outcome.map_err(|failure| {
        Trouble::from(failure).mend(format!(
            "look at the pictures and logs in {}",
            folder.display()
        ))
    })
}

/// Ctrl-C, or being asked to end.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

async fn scene(stage: &Stage, folder: &Path, report: &mut Report) -> Result<(), Failure> {
    let alice = stage.person("Alice");
    let bob = stage.person("Bob");

    stage.sound_starts().await?;
    report.tell("Alice opens Sotto for the first time");
    alice.opens_the_app().await?;
    alice.sees_the_welcome().await?;
    alice.makes_the_window(WIDTH, HEIGHT).await?;
    keep(&alice, folder, "welcome").await?;
    report.tell("Her rooms shall live on this computer: the built-in relay starts");
    alice.settles_here().await?;
    report.tell("She creates a room and copies an invite link");
    alice.creates_room(ROOM).await?;
    alice.puts_off_the_recovery_code().await?;
    let link = alice.copies_an_invite_link().await?;

    report.tell("Bob opens Sotto with a profile of his own and pastes the link");
    bob.opens_the_app().await?;
    bob.sees_the_welcome().await?;
    bob.makes_the_window(WIDTH, HEIGHT).await?;
    bob.settles_at(&link.0).await?;
    report.tell("Alice sees him knock and lets him in");
    alice.lets_in(&bob).await?;
    bob.is_in(ROOM).await?;
    bob.puts_off_the_recovery_code().await?;

    report.tell("They talk");
    for (speaker, text) in TALK {
        let (from, to) = match speaker {
            Speaker::Alice => (&alice, &bob),
            Speaker::Bob => (&bob, &alice),
        };
        let sent = report.clock();
        from.writes(text).await?;
        to.reads(&as_shown(text)).await?;
        report.arrived(from.name(), to.name(), text, sent);
    }
    bob.begins_to_write("And bring the").await?;
    alice.sees_typing(&bob).await?;
    report.tell("Alice sees that Bob is typing");

    keep(&alice, folder, "alice").await?;
    keep(&bob, folder, "bob").await?;
    call::scene(&alice, &bob, folder, report).await
}

/// What is left to read of a message when its Markdown is drawn.
fn as_shown(text: &str) -> String {
    text.replace(['`', '*'], "")
}

async fn keep(who: &Person, folder: &Path, name: &str) -> Result<(), Failure> {
    let picture = who.screenshot().await?;
    fs::write(folder.join(format!("{name}.png")), picture)?;
    Ok(())
}
