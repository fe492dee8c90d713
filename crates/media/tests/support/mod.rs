//! Two ends of a call on one computer, with everything between them in the
//! test's hands: descriptions, candidates and, through a shaper, packets.
//! Plays run on events and end at a limit of time.

#![allow(dead_code)]

pub mod film;

use film::Film;
use sotto_client::call::media::{Candidate, Description, Fingerprint, Paths, PeerFailure};
use sotto_media::peer::{Control, Heard, Identity, Peer, PeerConfig, PeerEvent, Seen};
use sotto_media::video::VideoKind;
use sotto_outside::weather::Shaper;
pub use sotto_outside::weather::Who;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Longest a play may wait for what it waits for.
pub const LIMIT: Duration = Duration::from_secs(30);

pub fn loopback() -> Paths {
    Paths {
        loopback: true,
        ..Paths::default()
    }
}

/// What one end reported.
#[derive(Default)]
pub struct Log {
    pub connected: Vec<(Fingerprint, Fingerprint)>,
    pub connected_at: Option<Instant>,
    pub interrupted: usize,
    pub failed: Option<PeerFailure>,
    pub descriptions: usize,
    pub candidates: Vec<Candidate>,
    pub heard: Vec<Heard>,
    pub seen: Vec<Seen>,
    pub keyframes_wanted: usize,
    pub estimates: Vec<(Instant, u32)>,
    pub says: Vec<Control>,
    pub over: bool,
}

impl Log {
    pub fn frames(&self, kind: VideoKind) -> usize {
        self.seen.iter().filter(|s| s.kind == kind).count()
    }

    pub fn estimate(&self) -> u32 {
        self.estimates.last().map_or(0, |(_, rate)| *rate)
    }
}

pub struct End {
    pub peer: Peer,
    pub identity: Identity,
    pub events: mpsc::Receiver<PeerEvent>,
    pub log: Log,
    pub films: Vec<Film>,
    /// When the next packet of voice is due, and its RTP time.
    pub voice: Option<(Instant, u32)>,
}

impl End {
    fn new(offers: bool, paths: Paths) -> Self {
        let identity = Identity::generate().unwrap();
        let (report, events) = mpsc::channel(4096);
        let config = PeerConfig::new(offers, paths, identity.clone());
        Self {
            peer: Peer::connect(config, report),
            identity,
            events,
            log: Log::default(),
            films: Vec::new(),
            voice: None,
        }
    }

    fn play(&mut self, now: Instant) {
        if let Some((due, time)) = &mut self.voice {
            while *due <= now {
                let data = time.to_be_bytes().repeat(20).into();
                self.peer.send_audio(data, *time, false);
                *due += Duration::from_millis(20);
                *time = time.wrapping_add(960);
            }
        }
        for film in &mut self.films {
            film.play(&self.peer, now, self.log.estimate());
        }
    }
}

type Bend = Box<dyn FnMut(Who, &mut Description) + Send>;

/// Alice offers, Bob answers.
pub struct Stage {
    pub alice: End,
    pub bob: End,
    pub shaper: Option<Shaper>,
    /// What happens to a description on its way from somebody.
    pub bend: Option<Bend>,
    pub began: Instant,
}

impl Stage {
    pub fn new() -> Self {
        Self::over(None)
    }

    pub fn over(shaper: Option<Shaper>) -> Self {
        Self::by(loopback(), loopback(), shaper)
    }

    pub fn by(alice: Paths, bob: Paths, shaper: Option<Shaper>) -> Self {
        Self {
            began: Instant::now(),
            alice: End::new(true, alice),
            bob: End::new(false, bob),
            shaper,
            bend: None,
        }
    }

    pub async fn connected() -> Self {
        let mut stage = Self::new();
        stage.connect().await;
        stage
    }

    pub async fn connect(&mut self) {
        self.until("both are connected", |s| {
            !s.alice.log.connected.is_empty() && !s.bob.log.connected.is_empty()
        })
        .await;
    }

    pub fn both_speak(&mut self) {
        let now = Instant::now();
        self.alice.voice = Some((now, 0));
        self.bob.voice = Some((now, 0));
    }

    pub fn end(&mut self, who: Who) -> &mut End {
        match who {
            Who::Alice => &mut self.alice,
            Who::Bob => &mut self.bob,
        }
    }

    /// Plays on until `done`; fails the test at the limit.
    #[track_caller]
    pub fn until<'a>(
        &'a mut self,
        what: &'a str,
        done: impl FnMut(&Self) -> bool + 'a,
    ) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            if !self.plays_until(LIMIT, done).await {
                panic!("{place}: waited in vain until {what}: {}", self.state());
            }
        }
    }

    /// Plays on for a while.
    pub async fn play(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.plays_until(LIMIT * 4, |_| Instant::now() >= end).await;
    }

    pub async fn plays_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> bool {
        let end = Instant::now() + limit;
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !done(self) {
            if Instant::now() > end {
                return false;
            }
            tokio::select! {
                event = self.alice.events.recv(), if !self.alice.log.over => {
                    self.event(Who::Alice, event).await;
                }
                event = self.bob.events.recv(), if !self.bob.log.over => {
                    self.event(Who::Bob, event).await;
                }
                _ = ticks.tick() => {
                    let now = Instant::now();
                    self.alice.play(now);
                    self.bob.play(now);
                }
            }
        }
        true
    }

    async fn event(&mut self, who: Who, event: Option<PeerEvent>) {
        let Some(event) = event else {
            self.end(who).log.over = true;
            return;
        };
        let log = &mut self.end(who).log;
        match event {
            PeerEvent::Described(mut description) => {
                log.descriptions += 1;
                if let Some(bend) = &mut self.bend {
                    bend(who, &mut description);
                }
                self.other(who).peer.describe(description);
            }
            PeerEvent::Gathered(Some(mut candidate)) => {
                log.candidates.push(candidate.clone());
                if let Some(shaper) = &self.shaper {
                    match shaper.instead_of(who, &candidate.line).await {
                        Some(line) => candidate.line = line,
                        None => return,
                    }
                }
                self.other(who).peer.add_candidate(candidate);
            }
            PeerEvent::Gathered(None) => {}
            PeerEvent::Connected { local, remote } => {
                log.connected_at.get_or_insert_with(Instant::now);
                log.connected.push((local, remote));
                for film in &mut self.end(who).films {
                    film.key_next = true;
                }
            }
            PeerEvent::Interrupted => log.interrupted += 1,
            PeerEvent::Failed(why) => log.failed = Some(why),
            PeerEvent::Heard(heard) => log.heard.push(heard),
            PeerEvent::Seen(seen) => log.seen.push(seen),
            PeerEvent::KeyframeWanted(kind) => {
                log.keyframes_wanted += 1;
                for film in &mut self.end(who).films {
                    film.key_next |= film.kind == kind;
                }
            }
            PeerEvent::Estimate(rate) => log.estimates.push((Instant::now(), rate)),
            PeerEvent::Says(control) => log.says.push(control),
        }
    }

    fn other(&mut self, who: Who) -> &mut End {
        match who {
            Who::Alice => &mut self.bob,
            Who::Bob => &mut self.alice,
        }
    }

    fn state(&self) -> String {
        let one = |end: &End| {
            format!(
                "connected {}, interrupted {}, failed {:?}, heard {}, seen {}, {:?}",
                end.log.connected.len(),
                end.log.interrupted,
                end.log.failed,
                end.log.heard.len(),
                end.log.seen.len(),
                end.peer.stats(),
            )
        };
        format!("\nalice: {}\nbob: {}", one(&self.alice), one(&self.bob))
    }
}
