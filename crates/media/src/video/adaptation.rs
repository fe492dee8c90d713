//! What to encode: size, rate and bitrate, or nothing. A pure state machine;
//! time is an argument.
//!
//! Down at once, up slowly: a step down follows the first look that shows too
//! little bandwidth; a step up wants [`UP_AFTER`] with room to spare, and
//! longer each time that a step up did not hold. What nobody shows is not encoded.
//!
//! | state | goes to | when |
//! |---|---|---|
//! | paused | lowest rung | somebody shows it, and the budget is 1.3 × its least |
//! | a rung | a lower one | the budget is below its least; receivers show it smaller; encoding takes too long |
//! | a rung | the next higher | the budget is 1.2 × that one's least for a while, receivers show it larger, encoding has time |
//! | any | paused | nobody shows it; the budget is below the lowest rung's least |

use super::picture::fit_even;
use super::{Content, Size};
use std::time::{Duration, Instant};

mod ladder;

#[cfg(test)]
mod tests;

pub use ladder::{Rung, ladder};

/// How long there must be room before a step up.
pub const UP_AFTER: Duration = Duration::from_secs(4);
/// The longest wait that failed steps up lead to.
const UP_AFTER_MOST: Duration = Duration::from_secs(64);
/// A step up that is taken back within this time has failed.
const TRIAL: Duration = Duration::from_secs(10);
/// How long encoding must be too slow before a step down.
const SLOW_FOR: Duration = Duration::from_secs(2);

/// What is known when it is time to decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// What this picture may use, in bits a second.
    pub budget: u32,
    /// The size of the captured pictures.
    pub source: Size,
    /// The largest tile in which a receiver shows it, in physical pixels;
    /// `None` when nobody does.
    pub shown: Option<Size>,
    /// The part of the time between two pictures that encoding takes: 1.0 is
    /// all of it.
    pub load: f32,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Pause(Pause),
    Encode(Target),
}

/// Why nothing is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pause {
    Unseen,
    /// Only sound has room.
    Bandwidth,
}

/// How to encode. The size is even and has the source's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub size: Size,
    pub fps: u32,
    /// Bits a second.
    pub bitrate: u32,
}

/// Decides for one picture that is sent.
#[derive(Debug, Clone)]
pub struct Adaptation {
    content: Content,
    rung: Option<usize>,
    /// The highest rung that the network carried and a smaller tile took away.
    carried_before: Option<usize>,
    /// Since when the next rung would have had room.
    roomy_since: Option<Instant>,
    up_after: Duration,
    stepped_up: Option<Instant>,
    slow_since: Option<Instant>,
    /// The highest rung for which encoding is fast enough.
    cpu_cap: usize,
    cpu_capped: Option<Instant>,
    fast_since: Option<Instant>,
    seen_once: bool,
}

impl Adaptation {
    pub fn new(content: Content) -> Self {
        Self {
            content,
            rung: None,
            carried_before: None,
            roomy_since: None,
            up_after: UP_AFTER,
            stepped_up: None,
            slow_since: None,
            cpu_cap: usize::MAX,
            cpu_capped: None,
            fast_since: None,
            seen_once: false,
        }
    }

    /// Decide; a few times a second, and whenever something changed.
    pub fn decide(&mut self, now: Instant, seen: Seen) -> Wish {
        let rungs = ladder(self.content);
        let Some(shown) = seen.shown.filter(|shown| shown.area() > 0) else {
            self.roomy_since = None;
            self.slow_since = None;
            return Wish::Pause(Pause::Unseen);
        };
        self.weigh_load(now, seen.load, rungs.len());
        let wanted = enough(rungs, seen.source, shown).min(self.cpu_cap);
        let rung = match self.rung {
            None => self.begin(rungs, seen.budget, wanted),
            Some(rung) => self.step(now, rungs, seen.budget, rung, wanted),
        };
        self.rung = rung;
        match rung {
            None => Wish::Pause(Pause::Bandwidth),
            Some(rung) => Wish::Encode(target(rungs[rung], seen, shown)),
        }
    }

    /// The first rung: as high as the budget carries at the very start, the
    /// lowest after a pause for want of bandwidth.
    fn begin(&mut self, rungs: &[Rung], budget: u32, wanted: usize) -> Option<usize> {
        if budget < rungs[0].begins_with() {
            return None;
        }
        let highest = if self.seen_once { 0 } else { wanted };
        self.seen_once = true;
        let carried = rungs.iter().rposition(|rung| budget >= rung.least);
        Some(carried.unwrap_or(0).min(highest))
    }

    fn step(
        &mut self,
        now: Instant,
        rungs: &[Rung],
        budget: u32,
        rung: usize,
        wanted: usize,
    ) -> Option<usize> {
        let carried = rungs.iter().rposition(|rung| budget >= rung.least);
        let Some(carried) = carried else {
            self.fell(now);
            return None;
        };
        if carried < rung {
            self.fell(now);
            return Some(carried.min(wanted));
        }
        if wanted < rung {
            self.carried_before = self.carried_before.max(Some(rung));
        }
        if wanted <= rung {
            self.roomy_since = None;
            return Some(wanted);
        }
        let back = self.carried_before.unwrap_or(0).min(carried).min(wanted);
        if back > rung {
            return Some(back);
        }
        if !roomy(budget, rungs[rung + 1], 120) {
            self.roomy_since = None;
            return Some(rung);
        }
        let since = *self.roomy_since.get_or_insert(now);
        if now.duration_since(since) < self.up_after {
            return Some(rung);
        }
        if self
            .stepped_up
            .is_some_and(|at| now.duration_since(at) >= TRIAL)
        {
            self.up_after = UP_AFTER;
        }
        self.stepped_up = Some(now);
        self.roomy_since = Some(now);
        Some(rung + 1)
    }

    /// The budget made a step down.
    fn fell(&mut self, now: Instant) {
        self.roomy_since = None;
        self.carried_before = None;
        let failed = self.stepped_up.take();
        if failed.is_some_and(|at| now.duration_since(at) < TRIAL) {
            self.up_after = (self.up_after * 2).min(UP_AFTER_MOST);
        }
    }

    /// A machine that cannot keep up encodes less; one that could for a while
    /// may try again.
    fn weigh_load(&mut self, now: Instant, load: f32, rungs: usize) {
        if load > 0.8 {
            self.fast_since = None;
            let since = *self.slow_since.get_or_insert(now);
            if now.duration_since(since) >= SLOW_FOR {
                let rung = self.rung.unwrap_or(0);
                self.cpu_cap = rung.saturating_sub(1);
                self.cpu_capped = Some(now);
                self.slow_since = None;
            }
            return;
        }
        self.slow_since = None;
        if load > 0.4 {
            self.fast_since = None;
            return;
        }
        let since = *self.fast_since.get_or_insert(now);
        let patient = now.duration_since(since) >= Duration::from_secs(15);
        if self.cpu_capped.is_some() && patient {
            self.cpu_cap = (self.cpu_cap + 1).min(rungs);
            self.fast_since = Some(now);
            if self.cpu_cap + 1 >= rungs {
                self.cpu_capped = None;
                self.cpu_cap = usize::MAX;
            }
        }
    }
}

fn roomy(budget: u32, rung: Rung, percent: u64) -> bool {
    u64::from(budget) * 100 >= u64::from(rung.least) * percent
}

/// The lowest rung that fills the tile, or the source.
fn enough(rungs: &[Rung], source: Size, shown: Size) -> usize {
    let useful = fit_even(source, shown);
    let fills = |rung: &Rung| {
        let size = fit_even(source, rung.within);
        // A picture a tenth smaller than its tile is not seen to be.
        u64::from(size.height) * 10 >= u64::from(useful.height) * 9
    };
    let first = rungs.iter().position(fills).unwrap_or(rungs.len() - 1);
    // Of rungs of one size the highest: they differ in frames a second.
    let size = rungs[first].within;
    let same = rungs.iter().rposition(|rung| rung.within == size);
    same.unwrap_or(first)
}

fn target(rung: Rung, seen: Seen, shown: Size) -> Target {
    // A tile smaller than the lowest rung still gets no more than it shows,
    // and none gets less than 160 × 90 pixels' worth.
    let least = Size::new(160, 160);
    let tile = Size::new(
        shown.width.max(least.width).min(rung.within.width),
        shown.height.max(least.height).min(rung.within.height),
    );
    // Only a tile well below the rung is worth a size of its own: each change
    // of size costs a keyframe.
    let within = if tile.height * 3 < rung.within.height * 2 {
        Size::new(
            tile.width.next_multiple_of(64),
            tile.height.next_multiple_of(64),
        )
    } else {
        rung.within
    };
    Target {
        size: fit_even(seen.source, within),
        // Whatever the source gives now: it gives no more than it is asked
        // for, so that asking for what it gives would only ever slow it down.
        fps: rung.fps,
        bitrate: seen.budget.min(rung.most),
    }
}
