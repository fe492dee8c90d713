//! Screens mostly stand still. A picture like the last one is not worth
//! encoding, once the encoder has had time to make it sharp; one each second
//! still goes out, so that the other side knows that nothing is wrong.
//! Pure; time is an argument.

use bytes::Bytes;
use std::time::{Duration, Instant};

/// Frames that sharpen a picture after it changed.
const SHARPEN: u32 = 12;
/// How often a picture that stands still is sent.
const REMIND: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Still {
    last: Option<Bytes>,
    repeats: u32,
    sent: Option<Instant>,
}

impl Still {
    /// Whether this picture is worth encoding.
    pub fn worth(&mut self, picture: &Bytes, now: Instant) -> bool {
        if self.last.as_ref() != Some(picture) {
            self.last = Some(picture.clone());
            self.repeats = 0;
        }
        self.repeats = self.repeats.saturating_add(1);
        let due = |at| now.saturating_duration_since(at) >= REMIND;
        let worth = self.repeats <= SHARPEN || self.sent.is_none_or(due);
        if worth {
            self.sent = Some(now);
        }
        worth
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_still_picture_is_sharpened_and_then_sent_once_a_second() {
        let (mut still, start) = (Still::default(), Instant::now());
        let picture = Bytes::from_static(b"page");
        let worth = |step: u32| start + step * Duration::from_millis(100);
        let sent = (0..100).filter(|step| still.worth(&picture, worth(*step)));
        let sent: Vec<u32> = sent.collect();
        assert_eq!(&sent[..13], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 21]);
        assert_eq!(sent.len(), 12 + 8);
        let other = Bytes::from_static(b"next");
        assert!(still.worth(&other, worth(100)));
        assert!(still.worth(&other, worth(101)));
    }
}
