//! The demo that plays by itself: the real UI of two apps is driven like people
//! would, and what happened is left in pictures and a report. On the person's
//! own screen, both windows stay open in the call.

use super::report::Report;
use super::{DAY, call};
use crate::steps::Trouble;
use sotto_harness::{Binaries, Failure, Person, Screen, Stage, until};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

const ROOM: &str = "Field notes";

/// What plays by itself takes no longer.
const LIMIT: Duration = Duration::from_secs(420);

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
pub fn play(
    screen: Screen,
    binaries: Binaries,
    folder: &Path,
    driver: &Path,
) -> Result<(), Trouble> {
    let mut report = Report::begin();
    // Ctrl-C ends a play that goes on; after it, it is one way to end the demo.
    let played = Cell::new(false);
    let (limit, is_shared) = match screen {
        Screen::Private => (LIMIT, false),
        Screen::Shared => (DAY, true),
    };
    let broken_off = async {
        interrupted().await;
        if played.get() {
            std::future::pending::<()>().await;
        }
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(async {
        let scene = async |stage: &Stage| {
            let [alice, bob] = [stage.person("Alice"), stage.person("Bob")];
            let size = (!is_shared).then_some((WIDTH, HEIGHT));
            talk(stage, &alice, &bob, size, folder, &mut report).await?;
            call::meet(&alice, &bob, folder, &mut report).await?;
            if !is_shared {
                return call::part(&alice, &bob, &mut report).await;
            }
            played.set(true);
            bob.stops_sharing().await?;
            goes_on(&[alice, bob]).await
        };
        tokio::select! {
            played = Stage::play_on(screen, limit, folder, binaries.driven_by(driver), scene) => played,
            () = broken_off => Err(Failure::new("interrupted")),
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

/// Both windows are the person's now.
async fn goes_on(people: &[Person]) -> Result<(), Failure> {
    println!("Alice and Bob are in a call; go on in either window.");
    println!("Ctrl-C, or closing both windows, ends the demo.");
    let closed = until("both windows to be closed", DAY, async || {
        match people.iter().filter(|p| !p.has_closed_the_window()).count() {
            0 => Ok(()),
            count => Err(format!("{count} are open")),
        }
    });
    tokio::select! {
        closed = closed => closed,
        () = interrupted() => Ok(()),
    }
}

/// From the first start to a talk in one room. Without a `size`, windows are
/// small.
async fn talk(
    stage: &Stage,
    alice: &Person,
    bob: &Person,
    size: Option<(u32, u32)>,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Failure> {
    stage.sound_starts().await?;
    report.tell("Alice opens Sotto for the first time");
    alice.opens_the_app().await?;
    alice.sees_the_welcome().await?;
    sized(alice, size).await?;
    keep(alice, folder, "welcome").await?;
    report.tell("Her rooms shall live on this computer: the built-in relay starts");
    alice.settles_here().await?;
    report.tell("She creates a room and copies an invite link");
    alice.creates_room(ROOM).await?;
    alice.puts_off_the_recovery_code().await?;
    let link = alice.copies_an_invite_link().await?;

    report.tell("Bob opens Sotto with a profile of his own and pastes the link");
    bob.opens_the_app().await?;
    bob.sees_the_welcome().await?;
    sized(bob, size).await?;
    bob.settles_at(&link.0).await?;
    report.tell("Alice sees him knock and lets him in");
    alice.lets_in(bob).await?;
    bob.is_in(ROOM).await?;
    if size.is_none() {
        alice.stops_looking_at_people().await?;
    }
    bob.puts_off_the_recovery_code().await?;

    report.tell("They talk");
    for (speaker, text) in TALK {
        let (from, to) = match speaker {
            Speaker::Alice => (alice, bob),
            Speaker::Bob => (bob, alice),
        };
        let sent = report.clock();
        from.writes(text).await?;
        to.reads(&as_shown(text)).await?;
        report.arrived(from.name(), to.name(), text, sent);
    }
    bob.begins_to_write("And bring the").await?;
    alice.sees_typing(bob).await?;
    report.tell("Alice sees that Bob is typing");

    keep(alice, folder, "alice").await?;
    keep(bob, folder, "bob").await
}

async fn sized(who: &Person, size: Option<(u32, u32)>) -> Result<(), Failure> {
    match size {
        Some((width, height)) => who.makes_the_window(width, height).await,
        None => Ok(()),
    }
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
