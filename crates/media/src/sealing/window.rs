//! Replay protection: which counters of one stream were seen, as a sliding
//! window (RFC 9605 §9.3).

/// Counters remembered behind the highest. One key's counter is shared by
/// three streams, so this is some 8 s of a participant with voice, camera and
/// screen.
const WIDTH: u64 = 1024;

/// Counters seen under one key in one stream.
#[derive(Debug, Clone)]
pub(super) struct Window {
    highest: Option<u64>,
    seen: [u64; (WIDTH / 64) as usize],
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            highest: None,
            seen: [0; (WIDTH / 64) as usize],
        }
    }

    /// Whether a frame with this counter may still be opened. Changes nothing:
    /// the counter is not authentic yet.
    pub(super) fn allows(&self, counter: u64) -> bool {
        match self.highest {
            None => true,
            Some(highest) if counter > highest => true,
            Some(highest) => highest - counter < WIDTH && !self.bit(counter),
        }
    }

    /// The frame was authentic.
    pub(super) fn record(&mut self, counter: u64) {
        match self.highest {
            Some(highest) if counter <= highest => {}
            Some(highest) => {
                if counter - highest >= WIDTH {
                    self.seen.fill(0);
                } else {
                    for skipped in highest + 1..counter {
                        self.clear(skipped);
                    }
                }
                self.highest = Some(counter);
            }
            None => self.highest = Some(counter),
        }
        let (word, mask) = slot(counter);
        self.seen[word] |= mask;
    }

    fn bit(&self, counter: u64) -> bool {
        let (word, mask) = slot(counter);
        self.seen[word] & mask != 0
    }

    fn clear(&mut self, counter: u64) {
        let (word, mask) = slot(counter);
        self.seen[word] &= !mask;
    }
}

fn slot(counter: u64) -> (usize, u64) {
    let bit = counter % WIDTH;
    ((bit / 64) as usize, 1 << (bit % 64))
}
