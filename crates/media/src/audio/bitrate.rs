//! Which bitrate Opus gets, from what the path is thought to carry.

/// The steps, bit/s of Opus payload. Voice is intelligible at the first and
/// transparent at the last.
pub const STEPS: [u32; 7] = [12_000, 16_000, 20_000, 24_000, 32_000, 40_000, 48_000];
/// Where a call begins, before anything is known.
pub const START: u32 = 32_000;
/// A step up needs this much more than the step costs, in percent: an estimate
/// that swings around a limit must not make the voice swing.
const HEADROOM_PERCENT: u64 = 115;

/// The step for `available` bit/s when `current` is in use. Down at once, up
/// only with headroom.
pub fn step_for(available: u32, current: u32) -> u32 {
    let fits = |step: &u32| {
        if *step > current {
            u64::from(*step) * HEADROOM_PERCENT / 100 <= u64::from(available)
        } else {
            *step <= available
        }
    };
    STEPS.iter().copied().rfind(|s| fits(s)).unwrap_or(STEPS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_down_at_once_and_up_with_headroom() {
        assert_eq!(step_for(31_999, 32_000), 24_000);
        assert_eq!(step_for(32_100, 24_000), 24_000);
        assert_eq!(step_for(36_900, 24_000), 32_000);
        assert_eq!(step_for(1, 48_000), 12_000);
        assert_eq!(step_for(u32::MAX, 12_000), 48_000);
    }

    #[test]
    fn an_estimate_that_swings_a_little_moves_nothing() {
        let mut current = 24_000;
        for n in 0..100u32 {
            let next = step_for(31_000 + (n % 2) * 3_000, current);
            assert_eq!(next, 24_000);
            current = next;
        }
    }
}
