//! Someone before the app: what they do and see, in their words.
//!
//! A person knows the page by its test ids and nothing else. Everything they
//! type is remembered by the stage, which later looks for it where it must not
//! be.

mod calls;
mod locks;
mod rooms;
mod talk;

pub use calls::{Source, TONE};
pub use rooms::Link;
pub use talk::Spoken;

use crate::driver::free_port;
use crate::stage::Backstage;
use crate::{Failure, Page, Result, Session, Window, long, quick, until};
use rustix::process::Pid;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug)]
pub struct Person {
    name: String,
    profile: PathBuf,
    /// Where on the desktop their window is.
    place: usize,
    backstage: Arc<Backstage>,
}

impl Person {
    pub(crate) fn new(
        name: &str,
        profile: PathBuf,
        place: usize,
        backstage: Arc<Backstage>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            profile,
            place,
            backstage,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Their profile folder.
    pub fn profile(&self) -> &Path {
        &self.profile
    }

    /// Opens the app in a session with a working keyring.
    pub async fn opens_the_app(&self) -> Result<()> {
        self.opens(Session::Keyring, &[]).await
    }

    /// Opens the app where no keyring answers.
    pub async fn opens_the_app_without_keyring(&self) -> Result<()> {
        self.opens(Session::NoKeyring, &[]).await
    }

    /// Opens the app by clicking an invite link elsewhere.
    pub async fn opens_the_app_by(&self, link: &Link) -> Result<()> {
        self.opens(Session::Keyring, std::slice::from_ref(&link.0))
            .await
    }

    async fn opens(&self, session: Session, args: &[String]) -> Result<()> {
        let opened = async {
            let driver = self.backstage.driver(&self.name, session).await?;
            let app = self.backstage.binaries.app()?;
            let frame = self.backstage.desktop.frame(self.place);
            Window::open(driver, &app, &self.profile, args, frame).await
        };
        let window = opened.await.map_err(|f| self.failing("opens the app", f))?;
        self.backstage.enters(&self.name, window);
        Ok(())
    }

    pub async fn closes_the_app(&self) -> Result<()> {
        let mut window = self.backstage.leaves(&self.name)?;
        window
            .close()
            .await
            .map_err(|f| self.failing("closes the app", f))
    }

    /// Whether they closed their window themselves; it is then no part of the
    /// play any more.
    pub fn has_closed_the_window(&self) -> bool {
        let gone = self.backstage.with_window(&self.name, Window::is_gone);
        if gone.unwrap_or(true) {
            let _ = self.backstage.leaves(&self.name);
            return true;
        }
        false
    }

    /// The app dies by SIGKILL, without a chance to save anything.
    pub async fn app_is_killed(&self) -> Result<()> {
        let mut window = self.backstage.leaves(&self.name)?;
        window
            .kill()
            .await
            .map_err(|f| self.failing("'s app is killed", f))
    }

    /// The process of the app.
    pub fn app(&self) -> Result<Pid> {
        self.backstage.with_window(&self.name, Window::app)?
    }

    pub fn page(&self) -> Result<Page> {
        self.backstage
            .with_window(&self.name, |window| window.page().clone())
    }

    pub async fn screenshot(&self) -> Result<Vec<u8>> {
        self.page()?.screenshot().await
    }

    /// Waits for the welcome screen.
    pub async fn sees_the_welcome(&self) -> Result<()> {
        self.page()?.sees_within("welcome-name", long()).await
    }

    /// Fills in the welcome screen; rooms live on the relay at `address`, which
    /// may be an invite link.
    pub async fn settles_at(&self, address: &str) -> Result<()> {
        let page = self.introduces_themselves().await?;
        page.click("welcome-relay").await?;
        page.fill("welcome-address", address).await?;
        page.click("welcome-start").await?;
        self.is_connected().await
    }

    /// Fills in the welcome screen; rooms live on this computer.
    pub async fn settles_here(&self) -> Result<()> {
        let page = self.introduces_themselves().await?;
        page.click("welcome-here").await?;
        page.click("welcome-start").await?;
        self.step("starts a relay on this computer", async {
            let started = until("the relay", quick(), async || {
                if page.shows("sidebar").await {
                    Ok(true)
                } else if page.shows("welcome-port").await {
                    Ok(false)
                } else {
                    Err("nothing happened".to_owned())
                }
            })
            .await?;
            if !started {
                // The usual port is taken on this machine: take another.
                page.fill("welcome-port", &free_port()?.to_string()).await?;
                page.click("welcome-start").await?;
            }
            Ok(())
        })
        .await?;
        self.is_connected().await
    }

    /// Gives the window a common size; before, it is tall, so that tests read
    /// long talks without scrolling.
    pub async fn makes_the_window(&self, width: u32, height: u32) -> Result<()> {
        let frame = (self.backstage.desktop).frame_of(self.place, width, height);
        self.page()?.stands(frame).await
    }

    /// Puts off the offer of a recovery code.
    pub async fn puts_off_the_recovery_code(&self) -> Result<()> {
        self.step("puts off the recovery code", async {
            let page = self.page()?;
            page.click("recovery-later").await?;
            page.misses("recovery-offer").await
        })
        .await
    }

    async fn introduces_themselves(&self) -> Result<Page> {
        let page = self.page()?;
        self.step("gives their name", async {
            page.sees_within("welcome-name", long()).await?;
            self.backstage.heard(&self.name);
            page.fill("welcome-name", &self.name).await
        })
        .await?;
        Ok(page)
    }

    /// Waits until the app says that it is connected.
    pub async fn is_connected(&self) -> Result<()> {
        self.connection_is("connected").await
    }

    /// Waits until the app says that it is not connected.
    pub async fn notices_the_outage(&self) -> Result<()> {
        self.connection_is("waiting").await
    }

    async fn connection_is(&self, wanted: &str) -> Result<()> {
        let page = self.page()?;
        let script = "return [...document.querySelectorAll('[data-testid=\"connection-status\"]')]\
            .map((status) => status.dataset.state ?? '');";
        let what = format!("{} to be {wanted}", self.name);
        until(&what, long(), async || {
            let states = page.ask(script).await.map_err(|f| f.to_string())?;
            let found = states
                .as_array()
                .is_some_and(|all| all.iter().any(|state| state == wanted));
            if found {
                Ok(())
            } else {
                Err(format!("the status is {states}"))
            }
        })
        .await
    }

    async fn step<T>(&self, what: &str, act: impl Future<Output = Result<T>>) -> Result<T> {
        act.await.map_err(|failure| self.failing(what, failure))
    }

    fn failing(&self, what: &str, failure: Failure) -> Failure {
        failure.during(format!("{} {what}", self.name))
    }
}
