//! A page that an attacker has taken over, in the real web view of the real
//! app: it gets no keys and no files, reaches nobody, and cannot leave.

use crate::{play, two_in_a_room};
use sotto_harness::{Failure, Page, Person, Result, quick, until};
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, TcpListener};

const ATTACKS: &str = include_str!("hostile/attacks.js");

/// Each tries to lead the window elsewhere.
const WAYS_OUT: [&str; 6] = [
    "location.href = `file://${arguments[1]}`",
    "location.href = 'data:text/html,x'",
    "location.replace(URL.createObjectURL(new Blob(['x'], { type: 'text/html' })))",
    "document.head.append(Object.assign(document.createElement('meta'),\
     { httpEquiv: 'refresh', content: `0;url=http://127.0.0.1:${arguments[0]}/` }))",
    "Object.assign(document.createElement('a'),\
     { href: `http://127.0.0.1:${arguments[0]}/`, download: 'x' }).click()",
    // Last: when this one is turned away, the others were before it.
    "location.assign(`https://127.0.0.1:${arguments[0]}/`)",
];

/// What the app notes when it turned one away.
const TURNED_AWAY: &str = "the page was kept from leaving";

#[test]
fn a_page_that_was_taken_over_gets_no_keys_no_files_and_no_way_out() {
    play("hostile-page", async |stage| {
        stage.lets_the_page_complain();
        let outside = Outside::listens()?;
        let (alice, bob) = two_in_a_room(stage).await?;
        let page = alice.page()?;
        let before = fs::read(a_file_of(&alice))?;

        tries_everything(&page, &alice, &outside).await?;
        outside.heard_nobody("a try")?;
        tries_to_leave(&page, &alice, &outside).await?;
        outside.heard_nobody("the last way out")?;
        if fs::read(a_file_of(&alice))? != before {
            return Err(Failure::new("the page has written to a file"));
        }

        // It was all for nothing, and nothing is broken by it.
        alice.writes("Is anybody listening?").await?;
        bob.reads("Is anybody listening?").await?;
        bob.writes("Only me, as ever").await?;
        alice.reads("Only me, as ever").await
    });
}

async fn tries_everything(page: &Page, who: &Person, outside: &Outside) -> Result<()> {
    let arguments = vec![outside.port()?.into(), a_file_of(who).into()];
    let outcomes = page.ask_and_wait(ATTACKS, arguments).await?;
    let outcomes = outcomes.as_array().cloned().unwrap_or_default();
    if outcomes.is_empty() {
        return Err(Failure::new("the page tried nothing"));
    }
    let won: Vec<String> = outcomes
        .iter()
        .filter(|outcome| outcome[1] != "refused")
        .map(ToString::to_string)
        .collect();
    if won.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not refused: {}", won.join(", "))))
}

async fn tries_to_leave(page: &Page, who: &Person, outside: &Outside) -> Result<()> {
    let log = who.profile().join("log").join("sotto.log");
    let times = || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        text.matches(TURNED_AWAY).count()
    };
    let arguments = vec![outside.port()?.into(), a_file_of(who).into()];
    for way in WAYS_OUT {
        let before = times();
        page.client().execute(way, arguments.clone()).await?;
        outside.heard_nobody(way)?;
        if way != WAYS_OUT[WAYS_OUT.len() - 1] {
            continue;
        }
        until("the window to be kept", quick(), async || {
            if times() > before {
                Ok(())
            } else {
                Err("nothing was turned away".to_owned())
            }
        })
        .await?;
    }
    let place = page
        .ask("return window.stays === true && location.protocol + location.host")
        .await?;
    if place == "tauri:localhost" {
        return Ok(());
    }
    Err(Failure::new(format!("the window is at {place}")))
}

/// A file that every profile has.
fn a_file_of(who: &Person) -> String {
    who.profile().join("slots.json").display().to_string()
}

/// Somebody who would like to hear from the page.
struct Outside {
    ear: TcpListener,
}

impl Outside {
    fn listens() -> Result<Self> {
        let ear = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        ear.set_nonblocking(true)?;
        Ok(Self { ear })
    }

    fn port(&self) -> Result<u16> {
        Ok(self.ear.local_addr()?.port())
    }

    fn heard_nobody(&self, during: &str) -> Result<()> {
        match self.ear.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
            Ok((mut caller, _)) => {
                let mut words = [0; 80];
                caller.set_nonblocking(false)?;
                caller.set_read_timeout(Some(quick()))?;
                let length = caller.read(&mut words).unwrap_or_default();
                let words = String::from_utf8_lossy(&words[..length]);
                Err(Failure::new(format!(
                    "outside heard, by {during}: {words:?}"
                )))
            }
        }
    }
}
