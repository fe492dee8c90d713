//! One play: a desktop, a relay and people, set up, watched and cleared away.
//!
//! A play succeeds only if its scene does, no log holds an ERROR, and what was
//! spoken cannot be found on the relay. A failed play leaves pictures, page
//! texts and logs in its folder.

use crate::driver::Driver;
use crate::search::{Search, files_below};
use crate::{
    Binaries, Brand, Desktop, Ending, Failure, Person, Relay, Result, Screen, Session, Window,
    Wiretap,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// No ordinary play takes longer; one that does hangs.
const LIMIT: Duration = Duration::from_secs(420);

/// How every JSON Web Token begins.
const TOKENS: [&str; 2] = ["eyJ0eXAi", "eyJhbGci"];

/// What WebKit or a library calls an error and is none.
const TOLERATED: [&str; 3] = [
    // The sound server's client library, when we let go of the server.
    "pulseaudio::client::reactor: Reactor error: Client disconnected",
    // Tauri adds the isolation page to a `default-src` that is `'none'`, and the
    // word is then without effect. Only that page is added.
    "directive 'default-src' contains an invalid source: ''none''. It will be ignored",
    // A measurement that waits for the next frame.
    "ResizeObserver loop completed with undelivered notifications",
];

/// What lines of the page's console have in them.
const CONSOLE: &str = "CONSOLE ";

#[derive(Debug)]
pub struct Stage {
    backstage: Arc<Backstage>,
    relay: tokio::sync::Mutex<Option<Relay>>,
    wire: OnceLock<Wiretap>,
    /// How many there are.
    people: AtomicUsize,
    /// Whether complaints of the page are part of the play.
    complaints: AtomicBool,
}

/// What people need while they act.
#[derive(Debug)]
pub(crate) struct Backstage {
    pub(crate) binaries: Binaries,
    logs: PathBuf,
    windows: Mutex<BTreeMap<String, Window>>,
    spoken: Mutex<BTreeSet<String>>,
    pub(crate) desktop: Desktop,
    brand: Brand,
    root: tempfile::TempDir,
}

impl Stage {
    /// Plays `scene`; logs and evidence go to `folder`, which is emptied first.
    pub async fn play(
        folder: &Path,
        binaries: Binaries,
        scene: impl AsyncFnOnce(&Stage) -> Result<()>,
    ) -> Result<()> {
        Self::play_on(Screen::Private, LIMIT, folder, binaries, scene).await
    }

    /// The same on another screen, or with a limit of its own.
    pub async fn play_on(
        screen: Screen,
        limit: Duration,
        folder: &Path,
        binaries: Binaries,
        scene: impl AsyncFnOnce(&Stage) -> Result<()>,
    ) -> Result<()> {
        let stage = Self::set(screen, folder, binaries).await?;
        let played = match tokio::time::timeout(limit, scene(&stage)).await {
            Ok(played) => played,
            Err(_) => Err(Failure::new(format!(
                "the play took longer than {} s",
                limit.as_secs()
            ))),
        };
        let outcome = match played {
            Ok(()) => stage.ends_well().await,
            Err(failure) => Err(failure),
        };
        if outcome.is_err() {
            stage.keep_evidence(folder).await;
        }
        outcome
    }

    async fn set(screen: Screen, folder: &Path, binaries: Binaries) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let logs = folder.join("logs");
        fs::create_dir_all(&logs)?;
        let brand = Brand::new()?;
        // Short, because the buses' sockets live in it.
        let root = tempfile::Builder::new().prefix("sotto-").tempdir()?;
        let desktop = Desktop::start(root.path(), screen, &logs, &brand).await?;
        let backstage = Backstage {
            binaries,
            logs,
            windows: Mutex::default(),
            spoken: Mutex::default(),
            desktop,
            brand,
            root,
        };
        Ok(Self {
            backstage: Arc::new(backstage),
            relay: tokio::sync::Mutex::new(None),
            wire: OnceLock::new(),
            people: AtomicUsize::new(0),
            complaints: AtomicBool::new(false),
        })
    }

    /// Someone with a profile folder of their own. They get to the app by
    /// [`Person::opens_the_app`].
    pub fn person(&self, name: &str) -> Person {
        let short = name.split(' ').next().unwrap_or(name).to_lowercase();
        let profile = self.backstage.root.path().join("profiles").join(short);
        let place = self.people.fetch_add(1, Ordering::Relaxed);
        Person::new(name, profile, place, Arc::clone(&self.backstage))
    }

    /// Starts a relay process behind a wiretap and says the address for apps.
    pub async fn relay_starts(&self) -> Result<String> {
        let wire = Wiretap::start().await?;
        let public = wire.address();
        let relay = self
            .relay_starts_with(&["--public".to_owned(), public.to_string()])
            .await?;
        wire.lead_to(relay);
        self.wire
            .set(wire)
            .map_err(|_| Failure::new("there is a relay already"))?;
        self.relay_address()
    }

    /// Where people reach the relay.
    pub fn relay_address(&self) -> Result<String> {
        let none = || Failure::new("there is no relay");
        let public = self.wire.get().ok_or_else(none)?.address();
        Ok(format!("ws://{public}"))
    }

    /// Starts a relay process with these settings, and nothing between it and
    /// the apps.
    pub async fn relay_starts_with(&self, settings: &[String]) -> Result<SocketAddr> {
        let back = &self.backstage;
        let data = back.root.path().join("relay");
        let binary = back.binaries.relay()?;
        let relay = Relay::start(binary, data, settings, &back.logs, &back.brand).await?;
        let socket = relay.socket()?;
        *self.relay.lock().await = Some(relay);
        Ok(socket)
    }

    /// From now on, apps that are opened have a microphone, a camera and, at
    /// each person's place, a speaker that can be listened to.
    pub async fn sound_starts(&self) -> Result<()> {
        let back = &self.backstage;
        back.desktop.sound_starts(&back.logs, &back.brand).await
    }

    /// The relay dies by SIGKILL.
    pub async fn relay_is_killed(&self) -> Result<()> {
        let mut relay = self.relay.lock().await;
        let relay = relay
            .as_mut()
            .ok_or_else(|| Failure::new("there is no relay"))?;
        relay.end(Ending::Killed);
        Ok(())
    }

    /// The relay comes back on the same port with the same data.
    pub async fn relay_returns(&self) -> Result<()> {
        let mut relay = self.relay.lock().await;
        let relay = relay
            .as_mut()
            .ok_or_else(|| Failure::new("there is no relay"))?;
        relay.restart(&self.backstage.brand).await
    }

    /// In the session that had none, a keyring begins to answer.
    pub async fn keyring_starts_late(&self) -> Result<()> {
        let back = &self.backstage;
        back.desktop
            .keyring_starts_late(&back.logs, &back.brand)
            .await
    }

    /// This play makes a page do what its policy forbids, and WebKit says so.
    pub fn lets_the_page_complain(&self) {
        self.complaints.store(true, Ordering::Relaxed);
    }

    pub fn desktop(&self) -> &Desktop {
        &self.backstage.desktop
    }

    /// Where the logs of this play go.
    pub fn logs(&self) -> &Path {
        &self.backstage.logs
    }

    /// Ends everything as its owner would, then judges what is left behind.
    async fn ends_well(&self) -> Result<()> {
        let names: Vec<String> = self.backstage.windows().keys().cloned().collect();
        for name in names {
            let mut window = self.backstage.leaves(&name)?;
            window
                .close()
                .await
                .map_err(|failure| failure.during(format!("closing the window of {name}")))?;
        }
        if let Some(relay) = self.relay.lock().await.as_mut() {
            relay.end(Ending::Asked);
        }
        self.nothing_readable_is_left()?;
        self.no_log_has_errors()
    }

    /// Looks for everything that was spoken: on the wire, on the relay's disk,
    /// in profiles and the page's own storage, and in every log. Tokens may be
    /// on the wire and nowhere else.
    fn nothing_readable_is_left(&self) -> Result<()> {
        let mut words = self.backstage.spoken();
        let mut found = BTreeSet::new();
        if let Some(wire) = self.wire.get() {
            let spoken = Search::new(words.iter().map(String::as_str));
            found.extend(spoken.bytes("the wire", &wire.heard()));
            let tokens = wire.tokens();
            if tokens.is_empty() {
                return Err(Failure::new("no token was heard on the wire"));
            }
            words.extend(tokens);
        }
        words.extend(TOKENS.map(str::to_owned));
        let search = Search::new(words.iter().map(String::as_str));
        found.extend(search.folder(self.backstage.root.path())?);
        found.extend(search.folder(&self.backstage.logs)?);
        if found.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!("readable by others: {found:?}")))
    }

    fn no_log_has_errors(&self) -> Result<()> {
        let mut files = files_below(&self.backstage.logs)?;
        let profiles = self.backstage.root.path().join("profiles");
        files.extend(files_below(&profiles)?.into_iter().filter(|path| {
            path.components()
                .any(|part| part.as_os_str().to_string_lossy().contains("log"))
        }));
        for file in files {
            let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
            let complaints = self.complaints.load(Ordering::Relaxed);
            let broken = |line: &&str| {
                let said = line.contains(" ERROR ") || line.contains("panicked at");
                let of_the_page = complaints && line.contains(CONSOLE);
                said && !of_the_page && !TOLERATED.iter().any(|known| line.contains(known))
            };
            if let Some(line) = text.lines().find(broken) {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                return Err(Failure::new(format!("an error in {name}: {line}")));
            }
        }
        Ok(())
    }

    /// Pictures and texts of all open windows, and the apps' own logs.
    async fn keep_evidence(&self, folder: &Path) {
        let pages: Vec<_> = self
            .backstage
            .windows()
            .iter()
            .map(|(name, window)| (name.clone(), window.page().clone()))
            .collect();
        for (name, page) in pages {
            let file = name.to_lowercase().replace(' ', "-");
            let look = async {
                let picture = page.screenshot().await?;
                fs::write(folder.join(format!("{file}.png")), picture)?;
                let source = page.client().source().await?;
                fs::write(folder.join(format!("{file}.html")), source)?;
                Result::Ok(())
            };
            // A window that hangs or is gone cannot be looked at; its log is kept.
            let _ = tokio::time::timeout(Duration::from_secs(10), look).await;
        }
        self.keep_app_logs(folder);
    }

    fn keep_app_logs(&self, folder: &Path) {
        let profiles = self.backstage.root.path().join("profiles");
        for file in files_below(&profiles).unwrap_or_default() {
            let Ok(inside) = file.strip_prefix(&profiles) else {
                continue;
            };
            let name = inside.to_string_lossy().replace('/', "-");
            if name.contains("log") {
                let _ = fs::copy(&file, folder.join("logs").join(name));
            }
        }
    }
}

impl Backstage {
    pub(crate) async fn driver(&self, name: &str, session: Session) -> Result<Driver> {
        let log = name.to_lowercase().replace(' ', "-");
        let program = self.binaries.tauri_driver()?;
        Driver::start(
            &log,
            &program,
            &self.desktop,
            session,
            &self.logs,
            &self.brand,
        )
        .await
    }

    pub(crate) fn sound(&self) -> Result<&crate::SoundServer> {
        self.desktop.sound()
    }

    /// Remembers what someone typed.
    pub(crate) fn heard(&self, words: &str) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        spoken.insert(words.to_owned());
    }

    pub(crate) fn enters(&self, name: &str, window: Window) {
        self.windows().insert(name.to_owned(), window);
    }

    pub(crate) fn leaves(&self, name: &str) -> Result<Window> {
        self.windows().remove(name).ok_or_else(|| no_window(name))
    }

    pub(crate) fn with_window<T>(&self, name: &str, look: impl FnOnce(&Window) -> T) -> Result<T> {
        self.windows()
            .get(name)
            .map(look)
            .ok_or_else(|| no_window(name))
    }

    fn windows(&self) -> MutexGuard<'_, BTreeMap<String, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spoken(&self) -> BTreeSet<String> {
        let spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        spoken.clone()
    }
}

fn no_window(name: &str) -> Failure {
    Failure::new(format!("{name} has no window open"))
}
