//! What the speaker plays, on its way to the echo canceller.

use super::Step;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// 200 ms: more than capture ever lags behind playout while both run.
const MOST: usize = 20;

/// Carries the mix from the playout thread to the capture thread. Bounded; the
/// oldest steps are dropped while nobody captures. Neither side is an audio
/// callback, so a short lock is fine.
#[derive(Clone, Default)]
pub struct EchoReference {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    steps: VecDeque<Step>,
    speaker_delay: Duration,
}

impl EchoReference {
    /// A step goes to the speaker, to be heard after `delay`.
    pub fn played(&self, step: &Step, delay: Duration) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.steps.len() == MOST {
            shared.steps.pop_front();
        }
        shared.steps.push_back(*step);
        shared.speaker_delay = delay;
    }

    /// Everything played since the last call, oldest first, and how long the
    /// speaker lets it wait.
    pub fn take(&self) -> (VecDeque<Step>, Duration) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut shared.steps), shared.speaker_delay)
    }
}

impl std::fmt::Debug for EchoReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<echo reference>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_dropped_while_nobody_captures() {
        let reference = EchoReference::default();
        for n in 0..50u8 {
            reference.played(&[f32::from(n); 480], Duration::ZERO);
        }
        let (steps, _) = reference.take();
        assert_eq!(steps.len(), MOST);
        assert_eq!(steps[0][0], 30.0);
        assert!(reference.take().0.is_empty());
    }
}
