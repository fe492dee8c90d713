//! Whole video frames from packets that come late, twice, out of order, or
//! not at all. Pure: the time is an argument, and what should be asked of the
//! sender is a result.
//!
//! Frames leave in order and without a gap; after a loss that does not heal
//! they begin again with a key frame, so a decoder is never fed a frame whose
//! reference is missing.
//!
//! ```text
//! Seeking ── key frame whole ──> Following ── gap stays open ──> Seeking
//! ```

use super::order::Unwrapper;
use super::packets::{self, LONGEST_FRAME};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Packets held at most: more than 2 s of the highest rate.
const HELD: usize = 2048;

/// A leap beyond this is another stream, not a loss.
const LEAP: u64 = 4096;

/// A packet this much behind its neighbours is lost rather than reordered.
const REORDERING: Duration = Duration::from_millis(8);

/// Times one packet is asked for.
const ASKS: u8 = 8;

/// Missing packets of one request.
const ASKED_AT_ONCE: usize = 64;

/// How long a gap may stay open, as the path is slow or fast.
const PATIENCE_LEAST: Duration = Duration::from_millis(150);
const PATIENCE_MOST: Duration = Duration::from_millis(700);

/// Key frames are not asked for faster than this.
const KEYFRAME_PAUSE: Duration = Duration::from_millis(500);

/// One RTP packet of video.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub sequence: u16,
    pub rtp_time: u32,
    pub marker: bool,
    pub payload: Bytes,
    pub at: Instant,
}

/// One whole frame as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assembled {
    pub data: Bytes,
    pub keyframe: bool,
    pub rtp_time: u32,
    /// When its last missing packet came.
    pub arrived: Instant,
}

/// What should be asked of the sender now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    pub resend: Vec<u16>,
    pub keyframe: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub packets: u64,
    pub bytes: u64,
    /// Came twice, or after the frame was given up.
    pub stale: u64,
    pub malformed: u64,
    pub frames: u64,
    /// Packets that were asked for.
    pub resends_asked: u64,
    pub keyframes_asked: u64,
    /// Times decoding had to begin again.
    pub breaks: u64,
    /// Packets that never came.
    pub lost: u64,
}

#[derive(Debug)]
struct Piece {
    rtp_time: u32,
    marker: bool,
    begins: bool,
    keyframe: bool,
    /// Without the descriptor; empty for padding.
    data: Bytes,
    at: Instant,
}

/// What has come of the frame that begins with some packet.
enum Frame {
    /// All of it, up to this packet.
    Whole(u64),
    /// The rest may yet come.
    Open,
    /// Nothing more that belongs to it: no frame begins there, or another does
    /// before it is whole. A sender whose queue has become too long throws the
    /// rest of a frame away.
    Broken,
}

#[derive(Debug)]
struct Missing {
    since: Instant,
    asked: u8,
    ask_at: Instant,
}

#[derive(Debug)]
pub(super) struct Assembler {
    unwrapper: Unwrapper,
    pieces: BTreeMap<u64, Piece>,
    missing: BTreeMap<u64, Missing>,
    /// The first packet not yet given out. `None` while seeking.
    next: Option<u64>,
    /// Everything between was looked at for gaps.
    lowest: u64,
    highest: Option<u64>,
    ready: VecDeque<Assembled>,
    keyframe_asked: Option<Instant>,
    wants_keyframe: bool,
    /// The sender says that it sends nothing.
    off: bool,
    round_trip: Duration,
    counts: Counts,
}

impl Assembler {
    pub(super) fn new() -> Self {
        Self {
            unwrapper: Unwrapper::default(),
            pieces: BTreeMap::new(),
            missing: BTreeMap::new(),
            next: None,
            lowest: 0,
            highest: None,
            ready: VecDeque::new(),
            keyframe_asked: None,
            wants_keyframe: false,
            off: false,
            round_trip: Duration::from_millis(100),
            counts: Counts::default(),
        }
    }

    /// The path's round trip, which sets the pace of requests.
    pub(super) fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.clamp(Duration::from_millis(5), Duration::from_secs(2));
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// The next whole frame, in order.
    pub(super) fn pop(&mut self) -> Option<Assembled> {
        self.ready.pop_front()
    }

    /// Decoding broke further up: begin again at a key frame.
    pub(super) fn ask_keyframe(&mut self) {
        self.wants_keyframe = !self.off;
    }

    /// The sender stopped on purpose, or begins again. While it is off nothing
    /// is waited for; afterwards it begins as at the first time.
    pub(super) fn set_off(&mut self, off: bool) {
        if std::mem::replace(&mut self.off, off) == off {
            return;
        }
        self.pieces.clear();
        self.missing.clear();
        self.ready.clear();
        (self.next, self.highest) = (None, None);
        (self.wants_keyframe, self.keyframe_asked) = (false, None);
    }

    /// Takes in one packet.
    pub(super) fn push(&mut self, arrival: Arrival) {
        self.counts.packets += 1;
        self.counts.bytes += arrival.payload.len() as u64;
        if self.off {
            return;
        }
        let Some(piece) = piece_of(&arrival) else {
            self.counts.malformed += 1;
            return;
        };
        let sequence = self.unwrapper.place(arrival.sequence);
        if self.is_leap(sequence) {
            self.begin_anew();
        }
        if self.next.is_some_and(|next| sequence < next) || self.pieces.contains_key(&sequence) {
            self.counts.stale += 1;
            return;
        }
        if piece.data.is_empty() && self.highest.is_none() {
            // The stream is there, and no picture of it yet.
            return;
        }
        self.missing.remove(&sequence);
        self.note_gap(sequence, arrival.at);
        self.pieces.insert(sequence, piece);
        if self.pieces.len() > HELD {
            self.seek(arrival.at);
        }
        self.advance();
    }

    /// What to ask for at `now`; call it after packets and when
    /// [`Self::wake_at`] says.
    pub(super) fn wants(&mut self, now: Instant) -> Wants {
        self.give_up(now);
        let mut wants = Wants::default();
        let again = self.round_trip.max(Duration::from_millis(20)) + REORDERING;
        for (&sequence, missing) in &mut self.missing {
            if wants.resend.len() == ASKED_AT_ONCE {
                break;
            }
            if missing.asked < ASKS && missing.ask_at <= now {
                missing.asked += 1;
                missing.ask_at = now + again;
                wants.resend.push(sequence as u16);
            }
        }
        self.counts.resends_asked += wants.resend.len() as u64;
        if self.lacks_keyframe() && self.keyframe_due().is_none_or(|at| at <= now) {
            self.wants_keyframe = false;
            self.keyframe_asked = Some(now);
            self.counts.keyframes_asked += 1;
            wants.keyframe = true;
        }
        wants
    }

    /// When to call [`Self::wants`] without a packet.
    pub(super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        let resend = self
            .missing
            .values()
            .filter(|m| m.asked < ASKS)
            .map(|m| m.ask_at)
            .min();
        let give_up = self
            .missing
            .values()
            .next()
            .map(|m| m.since + self.patience());
        let keyframe = self
            .lacks_keyframe()
            .then(|| self.keyframe_due().unwrap_or(now));
        [resend, give_up, keyframe].into_iter().flatten().min()
    }

    /// Nothing can be shown before a key frame, and none is under way.
    fn lacks_keyframe(&self) -> bool {
        let seeking = self.next.is_none() && self.highest.is_some();
        self.wants_keyframe || (seeking && self.key_start().is_none())
    }

    /// The earliest time to ask again; `None` if it was never asked.
    fn keyframe_due(&self) -> Option<Instant> {
        let pause = KEYFRAME_PAUSE.max(self.round_trip + self.round_trip / 2);
        self.keyframe_asked.map(|at| at + pause)
    }

    fn patience(&self) -> Duration {
        (self.round_trip * 3 + Duration::from_millis(60)).clamp(PATIENCE_LEAST, PATIENCE_MOST)
    }

    fn is_leap(&self, sequence: u64) -> bool {
        self.highest
            .is_some_and(|highest| sequence.abs_diff(highest) > LEAP)
    }

    fn begin_anew(&mut self) {
        self.pieces.clear();
        self.missing.clear();
        self.next = None;
        self.highest = None;
        self.counts.breaks += 1;
    }

    fn note_gap(&mut self, sequence: u64, at: Instant) {
        let Some(highest) = self.highest else {
            self.lowest = sequence;
            self.highest = Some(sequence);
            return;
        };
        // The very first packets can come in the wrong order, too.
        let gap = if sequence < self.lowest {
            sequence + 1..std::mem::replace(&mut self.lowest, sequence)
        } else {
            self.highest = Some(highest.max(sequence));
            // More than can be held is not asked for.
            (highest + 1).max(sequence.saturating_sub(HELD as u64))..sequence
        };
        for lost in gap {
            let missing = Missing {
                since: at,
                asked: 0,
                ask_at: at + REORDERING,
            };
            self.missing.insert(lost, missing);
        }
    }

    /// Gives out every frame that is whole and next.
    fn advance(&mut self) {
        if self.next.is_none() {
            let Some(start) = self.key_start().filter(|&at| self.whole(at).is_some()) else {
                return;
            };
            self.skip_to(start);
        }
        while let Some(next) = self.next {
            if self.pieces.get(&next).is_some_and(|p| p.data.is_empty()) {
                self.pieces.remove(&next);
                self.next = Some(next + 1);
                continue;
            }
            if let Some(end) = self.whole(next) {
                self.give(next, end);
                continue;
            }
            // A whole key frame further on makes the gap before it moot.
            match self.whole_key_from(next + 1) {
                Some(start) if self.missing.range(next..start).next().is_some() => {
                    self.counts.breaks += 1;
                    self.skip_to(start);
                }
                _ => return,
            }
        }
    }

    fn whole_key_from(&self, from: u64) -> Option<u64> {
        self.pieces
            .range(from..)
            .filter(|(_, p)| p.begins && p.keyframe)
            .map(|(&at, _)| at)
            .find(|&at| self.whole(at).is_some())
    }

    /// The newest key frame that has begun to come.
    fn key_start(&self) -> Option<u64> {
        self.pieces
            .iter()
            .rev()
            .find(|(_, p)| p.begins && p.keyframe)
            .map(|(&at, _)| at)
    }

    /// The last packet of the frame that begins at `start`, if all are here.
    fn whole(&self, start: u64) -> Option<u64> {
        match self.frame(start) {
            Frame::Whole(end) => Some(end),
            Frame::Open | Frame::Broken => None,
        }
    }

    fn frame(&self, start: u64) -> Frame {
        let mut length = 0;
        let mut first: Option<&Piece> = None;
        for (place, (&at, piece)) in (start..).zip(self.pieces.range(start..)) {
            if at != place {
                return Frame::Open;
            }
            length += piece.data.len();
            let follows = match first {
                None => piece.begins,
                Some(first) => !piece.begins && piece.rtp_time == first.rtp_time,
            };
            if !follows || length > LONGEST_FRAME {
                return Frame::Broken;
            }
            if piece.marker {
                return Frame::Whole(at);
            }
            first.get_or_insert(piece);
        }
        Frame::Open
    }

    fn give(&mut self, start: u64, end: u64) {
        let mut rest = self.pieces.split_off(&start);
        let mut after = rest.split_off(&(end + 1));
        self.pieces.clear();
        self.pieces.append(&mut after);
        let length = rest.values().map(|p| p.data.len()).sum();
        let mut data = BytesMut::with_capacity(length);
        let mut arrived = None;
        for piece in rest.values() {
            data.extend_from_slice(&piece.data);
            arrived = arrived.max(Some(piece.at));
        }
        if let (Some(first), Some(arrived)) = (rest.values().next(), arrived) {
            self.counts.frames += 1;
            self.ready.push_back(Assembled {
                data: data.freeze(),
                keyframe: first.keyframe,
                rtp_time: first.rtp_time,
                arrived,
            });
        }
        self.next = Some(end + 1);
    }

    fn skip_to(&mut self, start: u64) {
        self.pieces = self.pieces.split_off(&start);
        let kept = self.missing.split_off(&start);
        self.counts.lost += self.missing.len() as u64;
        self.missing = kept;
        self.next = Some(start);
    }

    /// Packets that will not come any more break the chain of frames.
    fn give_up(&mut self, now: Instant) {
        if self.is_overdue(now) || self.stuck() {
            self.seek(now);
        }
    }

    fn is_overdue(&self, now: Instant) -> bool {
        self.missing
            .values()
            .next()
            .is_some_and(|m| now.saturating_duration_since(m.since) >= self.patience())
    }

    fn stuck(&self) -> bool {
        self.next
            .is_some_and(|next| matches!(self.frame(next), Frame::Broken))
    }

    fn seek(&mut self, now: Instant) {
        if self.next.take().is_some() {
            self.counts.breaks += 1;
        }
        if let Some(start) = self.key_start().filter(|_| self.pieces.len() <= HELD) {
            self.pieces = self.pieces.split_off(&start);
            let kept = self.missing.split_off(&start);
            self.counts.lost += self.missing.len() as u64;
            self.missing = kept;
            self.advance();
        } else {
            self.drop_all();
        }
        // A key frame with a hole that does not fill is no beginning either.
        if self.next.is_none() && self.is_overdue(now) {
            self.drop_all();
        }
    }

    fn drop_all(&mut self) {
        self.counts.lost += self.missing.len() as u64;
        self.pieces.clear();
        self.missing.clear();
    }
}

fn piece_of(arrival: &Arrival) -> Option<Piece> {
    let payload = &arrival.payload;
    if payload.is_empty() {
        return Some(Piece {
            rtp_time: arrival.rtp_time,
            marker: false,
            begins: false,
            keyframe: false,
            data: Bytes::new(),
            at: arrival.at,
        });
    }
    let descriptor = packets::read(payload)?;
    let data = payload.slice(descriptor.length..);
    Some(Piece {
        rtp_time: arrival.rtp_time,
        marker: arrival.marker,
        begins: descriptor.begins,
        keyframe: descriptor.begins && data[0] & 1 == 0,
        data,
        at: arrival.at,
    })
}

#[cfg(test)]
mod tests;
