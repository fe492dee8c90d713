//! One app window of one profile.

use crate::desktop::Frame;
use crate::driver::Driver;
use crate::sweep::pids;
use crate::{Ending, Failure, Page, Result, long, quick, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;

#[derive(Debug)]
pub struct Window {
    page: Page,
    profile: String,
    driver: Driver,
}

impl Window {
    /// Opens the app on `profile`.
    pub(crate) async fn open(
        driver: Driver,
        app: &Path,
        profile: &Path,
        args: &[String],
        frame: Frame,
    ) -> Result<Self> {
        let profile = profile.display().to_string();
        let mut all = vec!["--profile-dir".to_owned(), profile.clone()];
        all.extend_from_slice(args);
        let client = driver.open(app, &all).await?;
        let page = Page::new(client);
        // The app shows its window when the page is there. A driver that moves
        // it earlier would show it without the page.
        until("the window to show", long(), async || {
            let state = page.ask("return document.visibilityState").await;
            match state.map_err(|failure| failure.to_string())?.as_str() {
                Some("visible") => Ok(()),
                other => Err(format!("its page is {other:?}")),
            }
        })
        .await?;
        page.stands(frame).await?;
        Ok(Self {
            page,
            profile,
            driver,
        })
    }

    pub fn page(&self) -> &Page {
        &self.page
    }

    /// The app process of this window.
    pub fn app(&self) -> Result<Pid> {
        self.find_app()
            .ok_or_else(|| Failure::new("the app does not run"))
    }

    /// SIGKILL to the app, as a crash or a power cut would do; returns when the
    /// process is gone.
    pub async fn kill(&mut self) -> Result<()> {
        let app = self.app()?;
        kill_process(app, Signal::KILL).map_err(|error| Failure::new(error.to_string()))?;
        until("the killed app to be gone", quick(), async || {
            match self.find_app() {
                None => Ok(()),
                Some(_) => Err("it is still there".to_owned()),
            }
        })
        .await?;
        self.driver.end(Ending::Killed);
        Ok(())
    }

    /// Whether the app is gone: closed by whoever sits before it.
    pub fn is_gone(&self) -> bool {
        self.find_app().is_none()
    }

    /// Closes the window as its owner would, and waits for the app to end.
    pub async fn close(&mut self) -> Result<()> {
        self.page.client().clone().close().await?;
        until("the app to end", quick(), async || match self.find_app() {
            None => Ok(()),
            Some(_) => Err("it still runs".to_owned()),
        })
        .await?;
        self.driver.end(Ending::Asked);
        Ok(())
    }

    /// The one process that has our profile on its command line and is not a
    /// helper of ours.
    fn find_app(&self) -> Option<Pid> {
        pids()
            .find(|pid| is_app_of(*pid, &self.profile))
            .and_then(Pid::from_raw)
    }
}

fn is_app_of(pid: i32, profile: &str) -> bool {
    let Ok(line) = fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let mut words = line.split(|byte| *byte == 0);
    let is_sotto = words.next().is_some_and(|word| word.ends_with(b"/sotto"));
    is_sotto && words.any(|word| word == profile.as_bytes())
}
