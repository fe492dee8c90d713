//! When the store fails: what is given up, what is tried, and how it goes on.

use super::{Core, load};
use crate::api::{Event, LinkStatus, Problem, StopWhy, StoreFailure};
use sotto_client::{Change, Client, StoreError};
use std::time::{Duration, Instant};

/// First and longest wait between two tries of a disk that fails.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// A disk that worked for this long is trusted again.
const HEALED: Duration = Duration::from_secs(60);

/// The store does not work.
pub(super) struct Trouble {
    pub(super) retry_at: Instant,
    delay: Duration,
}

impl Core {
    /// The store failed: nothing of what was under way happened. Calls are over
    /// here, since nobody is left who could mute or leave them; the client says
    /// goodbye once it works again.
    pub(super) fn fail(&mut self, error: &StoreError) {
        let problem = match error {
            StoreError::Damaged => {
                tracing::error!("the database is damaged; the engine stops");
                self.over = Some(StopWhy::Store(StoreFailure::from(error)));
                return;
            }
            StoreError::Full => Problem::DiskFull,
            StoreError::Locked => Problem::StoreLocked,
            StoreError::Io => Problem::DiskFailing,
        };
        tracing::warn!(%error, "nothing can be stored");
        let delay = match (&self.trouble, self.healed.take()) {
            (Some(trouble), _) => (trouble.delay * 2).min(RETRY.1),
            (None, Some((at, delay))) if at.elapsed() < HEALED => (delay * 2).min(RETRY.1),
            (None, _) => RETRY.0,
        };
        self.trouble = Some(Trouble {
            retry_at: Instant::now() + delay,
            delay,
        });
        self.subscribers.clear(|p| is_of_store(p) && *p != problem);
        self.subscribers.raise(problem);
        self.turn_away();
        self.abandon_calls();
        for relay in self.links.end_all() {
            self.subscribers.tell(Event::Link {
                relay,
                status: LinkStatus::Off,
            });
        }
        self.relays
            .send_modify(|all| all.iter_mut().for_each(|(_, s)| *s = LinkStatus::Off));
        // What the client has in memory may be ahead of the disk.
        self.client = None;
        self.reload();
    }

    /// What the client had of calls goes with it.
    pub(super) fn abandon_calls(&mut self) {
        for (call, room) in self.calls.abandon() {
            let gone = Change::CallGone { room, call };
            self.subscribers.tell(Event::Client(gone));
        }
    }

    pub(super) fn recover_if_troubled(&mut self) {
        if self.trouble.is_some() {
            self.recover();
        }
    }

    /// Tries the disk; goes on if it works.
    pub(super) fn recover(&mut self) {
        let probed = self.store.probe();
        let loaded = probed.and_then(|()| match self.client {
            Some(_) => Ok(()),
            None => load(&mut self.store).map(|client| self.adopt(client)),
        });
        if let Err(error) = loaded {
            return self.fail(&error);
        }
        let delay = self.trouble.take().map_or(RETRY.0, |trouble| trouble.delay);
        self.healed = Some((Instant::now(), delay));
        tracing::info!("the store works again");
        self.subscribers.clear(is_of_store);
        self.connect_all();
    }

    /// The client as the disk has it, so that it can at least be read.
    fn reload(&mut self) {
        match load(&mut self.store) {
            Ok(client) => self.adopt(client),
            Err(StoreError::Damaged) => self.over = Some(StopWhy::Store(StoreFailure::Damaged)),
            Err(error) => tracing::debug!(%error, "the store cannot be read either"),
        }
    }

    fn adopt(&mut self, client: Client) {
        self.loaded = Instant::now();
        self.woken = self.loaded;
        for room in client.rooms() {
            self.calls.know(&room);
            self.subscribers
                .tell(Event::Client(Change::Room(Box::new(room))));
        }
        self.client = Some(client);
    }
}

fn is_of_store(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::DiskFull | Problem::StoreLocked | Problem::DiskFailing
    )
}
