//! Somebody's window: it says what it shows, and pulls the newest picture of
//! each tile sixty times a second, as a page does with each frame it paints.
//! What it got is read from the pixels: when the picture was captured.

use crate::Samples;
use sotto_client::call::media::Peer;
use sotto_media::console::TileId;
use sotto_media::device::pattern;
use sotto_media::{Media, Shown};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

const FRAME: Duration = Duration::from_micros(16_667);

/// The tiles of a grid on an ordinary window, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    pub width: u32,
    pub height: u32,
}

/// A picture that was new when it was pulled.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub at: Instant,
    /// Since it was captured.
    pub age: Duration,
}

/// What was seen in one tile.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    pub looks: Vec<Look>,
    /// Pictures whose clock could not be read.
    pub unread: u64,
}

impl Looks {
    pub fn between(&self, from: Instant, to: Instant) -> impl Iterator<Item = &Look> {
        let within = move |look: &&Look| look.at >= from && look.at < to;
        self.looks.iter().filter(within)
    }

    /// Longest time without a new picture.
    pub fn longest_gap(&self, from: Instant, to: Instant) -> Duration {
        let mut before = from;
        let mut longest = Duration::ZERO;
        for look in self.between(from, to) {
            longest = longest.max(look.at - before);
            before = look.at;
        }
        longest.max(to - before)
    }
}

/// An open window. Closed when it is dropped.
pub struct Page {
    seen: Arc<Mutex<Vec<Looks>>>,
    painting: JoinHandle<()>,
}

impl Page {
    /// Shows the cameras of these.
    pub fn opens(media: &Media, peers: &[Peer], grid: Grid) -> Self {
        let Grid { width, height } = grid;
        let tiles: Vec<TileId> = peers.iter().map(|peer| TileId::Camera(*peer)).collect();
        let shown = tiles.iter().map(|tile| Shown {
            tile: *tile,
            width,
            height,
        });
        media.show(shown.collect());
        let seen = Arc::new(Mutex::new(vec![Looks::default(); tiles.len()]));
        let painting = tokio::spawn(paint(media.clone(), tiles, grid, seen.clone()));
        Self { seen, painting }
    }

    /// What was seen so far, tile by tile.
    pub fn seen(&self) -> Vec<Looks> {
        lock(&self.seen).clone()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.painting.abort();
    }
}

async fn paint(media: Media, tiles: Vec<TileId>, grid: Grid, seen: Arc<Mutex<Vec<Looks>>>) {
    let mut frames = tokio::time::interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut newest = vec![0; tiles.len()];
    loop {
        frames.tick().await;
        for (place, tile) in tiles.iter().enumerate() {
            let Some(frame) = media.tile(tile, grid.width, grid.height, newest[place]) else {
                continue;
            };
            newest[place] = frame.id;
            let read = pattern::read_luma(&frame.data, frame.size);
            let looks = &mut lock(&seen)[place];
            match read {
                Some((_, captured)) => looks.looks.push(Look {
                    at: Instant::now(),
                    age: age(captured),
                }),
                None => looks.unread += 1,
            }
        }
    }
}

/// Since a moment in Unix milliseconds modulo 2³². The moment had a fraction,
/// so this is up to a millisecond too much.
pub fn age(captured: u32) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_micros();
    let wrap = 1000 << 32;
    let since = (now + wrap - u128::from(captured) * 1000) % wrap;
    Duration::from_micros(u64::try_from(since).unwrap_or(u64::MAX))
}

/// Ages of everything that was seen in this time.
pub fn ages<'a>(seen: impl IntoIterator<Item = &'a Looks>, from: Instant, to: Instant) -> Samples {
    let mut samples = Samples::default();
    for looks in seen {
        looks
            .between(from, to)
            .for_each(|look| samples.add(look.age));
    }
    samples
}

fn lock(seen: &Mutex<Vec<Looks>>) -> MutexGuard<'_, Vec<Looks>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(at: &[u64], begun: Instant) -> Looks {
        let look = |ms: &u64| Look {
            at: begun + Duration::from_millis(*ms),
            age: Duration::from_millis(*ms),
        };
        Looks {
            looks: at.iter().map(look).collect(),
            unread: 0,
        }
    }

    #[test]
    fn the_longest_gap_may_be_at_either_end() {
        let begun = Instant::now();
        let check = |at: &[u64], expect: u64| {
            let gap = looks(at, begun).longest_gap(begun, begun + Duration::from_millis(100));
            assert_eq!(gap, Duration::from_millis(expect), "{at:?}");
        };
        check(&[], 100);
        check(&[50, 60, 90], 50);
        check(&[10, 70, 90], 60);
        check(&[10, 30], 70);
    }

    #[test]
    fn only_what_was_seen_in_time_counts() {
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let samples = ages([&looks(&[5, 10, 20, 30], begun)], at(10), at(30));
        assert_eq!(samples.at(0.0), 10.0);
        assert_eq!(samples.at(1.0), 20.0);
    }

    #[test]
    fn an_age_survives_the_wrap_of_the_clock() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock");
        let captured = (now.as_millis() as u32).wrapping_sub(40);
        let age = age(captured).as_millis();
        assert!((40..1_000).contains(&age), "{age}");
    }
}
