//! A profile that is open for one command, and waiting for what it brings.

use crate::{
    args::{Args, UnlockArgs},
    failure::{self, Failure},
};
use sotto_client::{Outcome, Request};
use sotto_engine::{
    Engine, Event, Keyring, LinkStatus, Lock, NoKeyring, ProfileDir, Secret, Snapshot,
    SystemKeyring, Unlock,
};
use sotto_wire::{RelayAddress, frame::Token};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// The environment's passphrase.
const PASSPHRASE: &str = "SOTTO_PASSPHRASE";
/// The environment's invite code for a relay.
const CODE: &str = "SOTTO_RELAY_CODE";

pub struct Session {
    pub engine: Engine,
    pub snapshot: Snapshot,
    events: mpsc::Receiver<Event>,
    /// The relay this command is about, and what is known of it.
    relay: Option<RelayAddress>,
    /// Whether what its link comes to is about what was asked here.
    trying: bool,
    deadline: Option<Instant>,
}

pub fn folder(args: &Args) -> Result<ProfileDir, Failure> {
    args.profile_dir
        .as_ref()
        .map(ProfileDir::new)
        .ok_or_else(|| Failure::Usage("say which profile: --profile-dir DIR".into()))
}

pub fn keyring(args: &UnlockArgs) -> Arc<dyn Keyring> {
    if args.no_keyring {
        Arc::new(NoKeyring)
    } else {
        Arc::new(SystemKeyring::default())
    }
}

pub fn passphrase(args: &UnlockArgs) -> Result<Option<Secret>, Failure> {
    match &args.passphrase_file {
        Some(path) => first_line(path, "passphrase").map(Some),
        None => environment(PASSPHRASE),
    }
}

/// The invite code that was given for a relay, if any was.
fn code(args: &Args) -> Result<Option<Token>, Failure> {
    let code = match &args.code_file {
        Some(path) if path.as_os_str() == "-" => Some(standard_input()?),
        Some(path) => Some(first_line(path, "code")?),
        None => environment(CODE)?,
    };
    Ok(code.map(|code| Token(code.expose().trim().to_owned())))
}

fn environment(name: &str) -> Result<Option<Secret>, Failure> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(_) => Err(Failure::Usage(format!("{name} is no text"))),
    }
}

fn first_line(path: &Path, what: &str) -> Result<Secret, Failure> {
    let unreadable = |e| Failure::Usage(format!("the {what} file cannot be read: {e}"));
    let text = Secret::new(std::fs::read_to_string(path).map_err(unreadable)?);
    let line = text.expose().lines().next().unwrap_or_default();
    Ok(Secret::new(line.to_owned()))
}

fn standard_input() -> Result<Secret, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    let line = Secret::new(line);
    match read {
        Ok(_) => Ok(line),
        Err(error) => Err(Failure::Usage(format!(
            "no code on standard input: {error}"
        ))),
    }
}

impl Session {
    /// Opens the profile: by the passphrase where one is given, else by the
    /// keyring.
    pub async fn open(args: &Args) -> Result<Self, Failure> {
        let (dir, keyring) = (folder(args)?, keyring(&args.unlock));
        let unlock = match passphrase(&args.unlock)? {
            Some(passphrase) => Unlock::Passphrase(passphrase),
            None => Unlock::Keyring,
        };
        if let Unlock::Keyring = unlock {
            match sotto_engine::inspect(&dir, keyring.clone()).await? {
                Lock::Ready => {}
                Lock::New => return Err(nothing_there()),
                Lock::Locked { app_lock: true, .. } => {
                    let why = "this profile opens with its passphrase: set SOTTO_PASSPHRASE or give --passphrase-file";
                    return Err(Failure::Locked(why.into()));
                }
                Lock::Locked { keyring, .. } => {
                    return Err(Failure::Locked(failure::keyring(keyring).into()));
                }
            }
        } else if !dir.path().join("slots.json").exists() {
            return Err(nothing_there());
        }
        let engine = sotto_engine::open(&dir, keyring, unlock).await?;
        Ok(Self::of(engine, args.patience()).await)
    }

    pub async fn of(engine: Engine, patience: Option<Duration>) -> Self {
        let (snapshot, events) = engine.subscribe().await;
        let deadline = patience.map(|patience| Instant::now() + patience);
        Self {
            engine,
            snapshot,
            events,
            relay: None,
            trying: true,
            deadline,
        }
    }

    /// Uses a relay, with the invite code that was given for it, if any was.
    pub async fn use_relay(&mut self, args: &Args, relay: &RelayAddress) -> Result<(), Failure> {
        let (relay, code) = (relay.clone(), code(args)?);
        let with_code = code.is_some();
        let request = match code {
            Some(code) => Request::AddRelayWithCode { relay, code },
            None => Request::AddRelay(relay),
        };
        self.request(request).await?;
        if with_code {
            // What the relay said before was not about this code.
            self.trying = false;
            while self.events.try_recv().is_ok() {}
        }
        Ok(())
    }

    /// From here on, silence is this relay's fault.
    pub fn watch(&mut self, relay: &RelayAddress) {
        self.relay = Some(relay.clone());
    }

    pub async fn request(&self, request: Request) -> Result<Outcome, Failure> {
        Ok(self.engine.request(request).await?)
    }

    /// Waits for the event that settles it.
    pub async fn until<T>(
        &mut self,
        mut settles: impl FnMut(&Event) -> Option<Result<T, Failure>>,
    ) -> Result<T, Failure> {
        loop {
            let event = self.next().await?;
            if let Some(settled) = settles(&event) {
                return settled;
            }
        }
    }

    /// The next event, within the command's time.
    pub async fn next(&mut self) -> Result<Event, Failure> {
        let event = match self.deadline {
            Some(deadline) => match timeout_at(deadline, self.events.recv()).await {
                Ok(event) => event,
                Err(_) => return Err(self.too_late().await),
            },
            None => self.events.recv().await,
        };
        match event {
            Some(Event::Lagged) => Err(Failure::refused("too much happened at once")),
            Some(Event::Stopped(_)) | None => {
                Err(Failure::refused("the profile's database is damaged"))
            }
            Some(Event::Link { relay, status }) if self.relay.as_ref() == Some(&relay) => {
                self.trying |= status == LinkStatus::Connecting;
                match self.trying && failure::shut_out(status) {
                    // Waiting longer admits nobody.
                    true => Err(Failure::refused(failure::why(status))),
                    false => Ok(Event::Link { relay, status }),
                }
            }
            Some(event) => Ok(event),
        }
    }

    /// Begins anew after too much happened at once.
    pub async fn resume(&mut self) {
        (self.snapshot, self.events) = self.engine.subscribe().await;
    }

    /// Like [`Self::next`] without a limit, for those who only watch; `None`
    /// if events were missed.
    pub async fn watch_next(&mut self) -> Result<Option<Event>, Failure> {
        match self.events.recv().await {
            Some(Event::Lagged) => Ok(None),
            Some(Event::Stopped(_)) | None => {
                Err(Failure::refused("the profile's database is damaged"))
            }
            Some(event) => Ok(Some(event)),
        }
    }

    async fn too_late(&self) -> Failure {
        Failure::silent(self.status().await)
    }

    /// How the relay of this command is doing.
    pub async fn status(&self) -> Option<LinkStatus> {
        let relays = self.engine.relays().await;
        let found = match &self.relay {
            Some(relay) => relays.iter().find(|(address, _)| address == relay),
            None => relays.first(),
        };
        found.map(|(_, status)| *status)
    }

    /// Whatever `result` is, the profile is closed first.
    pub async fn close<T>(self, result: Result<T, Failure>) -> Result<T, Failure> {
        self.engine.stop().await;
        result
    }
}

fn nothing_there() -> Failure {
    Failure::refused("there is no profile in this folder; make one with `init`")
}
