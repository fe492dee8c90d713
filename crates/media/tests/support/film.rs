//! A camera of the tests: frames whose octets say what they must be, at the
//! rate that the estimate allows.

use sotto_media::peer::{Peer, Seen};
use sotto_media::video::VideoKind;
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(33);

pub struct Film {
    pub kind: VideoKind,
    pub key_next: bool,
    /// bit/s at most.
    pub most: u32,
    /// Frames given to the peer.
    pub sent: usize,
    due: Instant,
    number: u32,
}

impl Film {
    pub fn new(kind: VideoKind, most: u32) -> Self {
        Self {
            kind,
            key_next: true,
            most,
            sent: 0,
            due: Instant::now(),
            number: 0,
        }
    }

    pub fn play(&mut self, peer: &Peer, now: Instant, estimate: u32) {
        while self.due <= now {
            self.due += FRAME;
            let rate = if estimate == 0 { 800_000 } else { estimate };
            // Room for the voice and for headers.
            let rate = rate.saturating_sub(64_000).min(self.most);
            let keyframe = std::mem::take(&mut self.key_next);
            let share = if keyframe { 6 } else { 1 };
            let size = (rate as usize / 8 * 33 / 1000 * share * 9 / 10).max(64);
            self.number += 1;
            let rtp_time = self.number * 3000;
            let frame = frame(rtp_time, keyframe, size);
            peer.send_video(self.kind, frame.into(), keyframe, rtp_time);
            self.sent += 1;
        }
    }
}

fn frame(rtp_time: u32, keyframe: bool, size: usize) -> Vec<u8> {
    let mut frame = rtp_time.to_be_bytes().repeat(size / 4);
    frame[0] = u8::from(!keyframe);
    frame
}

/// Whether a frame is as it was sent.
pub fn is_whole(seen: &Seen) -> bool {
    let whole = frame(seen.rtp_time, seen.keyframe, seen.data.len() / 4 * 4);
    seen.data == whole
}

/// Longest time in which nothing could be shown.
pub fn longest_freeze(seen: &[Seen]) -> Duration {
    seen.windows(2)
        .map(|pair| pair[1].arrived.saturating_duration_since(pair[0].arrived))
        .max()
        .unwrap_or_default()
}
