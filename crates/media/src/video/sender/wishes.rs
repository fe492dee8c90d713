//! How many wishes for keyframes are granted. One keyframe is as large as a
//! second of pictures, and everybody gets it: whoever wishes for many takes
//! quality from all others. Pure; time is an argument.

use std::time::{Duration, Instant};

/// The shortest time between two that are asked for. Less, and a room of six
/// that joins at once halves the quality for everybody.
const GAP: Duration = Duration::from_millis(333);
/// So many in a row, for those who come and for a path that is bad for a
/// moment; in the long run one a second.
const IN_A_ROW: f64 = 4.0;

#[derive(Debug)]
pub struct Wishes {
    left: f64,
    last: Option<Instant>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            left: IN_A_ROW,
            last: None,
        }
    }
}

impl Wishes {
    /// Whether a wish is granted at that time. A wish that is not stays a wish.
    pub fn allow(&self, at: Instant) -> bool {
        let gap = |last| at.saturating_duration_since(last) >= GAP;
        self.last.is_none_or(gap) && self.left_at(at) >= 1.0
    }

    /// A keyframe was made, on a wish or by itself.
    pub fn granted(&mut self, at: Instant, wished: bool) {
        let left = self.left_at(at);
        self.left = if wished { (left - 1.0).max(0.0) } else { left };
        self.last = Some(at);
    }

    fn left_at(&self, at: Instant) -> f64 {
        let passed = |last| at.saturating_duration_since(last).as_secs_f64();
        (self.left + self.last.map_or(0.0, passed)).min(IN_A_ROW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keyframes of a film of 30 a second, when there is always a wish.
    fn granted(seconds: u32) -> u32 {
        let (mut wishes, start) = (Wishes::default(), Instant::now());
        let mut granted = 0;
        for frame in 0..seconds * 30 {
            let at = start + frame * Duration::from_secs(1) / 30;
            if wishes.allow(at) {
                wishes.granted(at, true);
                granted += 1;
            }
        }
        granted
    }

    #[test]
    fn a_flood_of_wishes_gets_one_a_second() {
        assert!((60..=65).contains(&granted(60)), "{}", granted(60));
    }

    #[test]
    fn the_first_few_are_granted_soon() {
        assert!((4..=6).contains(&granted(2)), "{}", granted(2));
    }

    #[test]
    fn after_a_while_without_wishes_it_is_as_at_the_beginning() {
        let (mut wishes, start) = (Wishes::default(), Instant::now());
        for _ in 0..10 {
            wishes.granted(start, true);
        }
        assert!(!wishes.allow(start + GAP));
        let later = start + Duration::from_secs(10);
        for n in 0..4 {
            let at = later + n * GAP;
            assert!(wishes.allow(at), "{n}");
            wishes.granted(at, true);
        }
    }
}
