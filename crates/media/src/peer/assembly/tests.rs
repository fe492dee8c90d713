//! Frames out of packets that are lost, late, doubled or hostile, in virtual
//! time.

use super::*;

/// A sender, a path, and the assembler under test, in virtual time.
struct Play {
    now: Instant,
    sequence: u16,
    picture: u16,
    assembler: Assembler,
    shown: Vec<(u32, bool)>,
}

impl Play {
    fn new() -> Self {
        Self::from(0)
    }

    fn from(sequence: u16) -> Self {
        Self {
            now: Instant::now(),
            sequence,
            picture: 0,
            assembler: Assembler::new(),
            shown: Vec::new(),
        }
    }

    /// The packets of one frame of `len` octets, whose RTP time is `time`.
    fn frame(&mut self, time: u32, keyframe: bool, len: usize) -> Vec<Arrival> {
        let mut data = vec![time as u8; len];
        data[0] = u8::from(!keyframe);
        let pieces = packets::cut(&data, self.picture);
        self.picture = self.picture.wrapping_add(1);
        let last = pieces.len() - 1;
        let mut arrivals = Vec::new();
        for (index, payload) in pieces.into_iter().enumerate() {
            arrivals.push(Arrival {
                sequence: self.sequence,
                rtp_time: time,
                marker: index == last,
                payload,
                at: self.now,
            });
            self.sequence = self.sequence.wrapping_add(1);
        }
        arrivals
    }

    fn give(&mut self, packets: impl IntoIterator<Item = Arrival>) {
        for mut packet in packets {
            packet.at = self.now;
            self.assembler.push(packet);
        }
        while let Some(frame) = self.assembler.pop() {
            self.shown.push((frame.rtp_time, frame.keyframe));
        }
    }

    fn pass(&mut self, ms: u64) -> Wants {
        self.now += Duration::from_millis(ms);
        let wants = self.assembler.wants(self.now);
        self.give([]);
        wants
    }

    fn times(&self) -> Vec<u32> {
        self.shown.iter().map(|(time, _)| *time).collect()
    }
}

#[test]
fn frames_come_out_in_order_and_whole() {
    let mut play = Play::new();
    for time in 1..=20 {
        let packets = play.frame(time, time == 1, 3000);
        play.give(packets);
    }
    assert_eq!(play.times(), (1..=20).collect::<Vec<_>>());
    assert_eq!(play.shown[0], (1, true));
    assert_eq!(play.shown[1], (2, false));
    assert_eq!(play.pass(10), Wants::default());
}

#[test]
fn the_octets_are_those_that_were_sent() {
    let mut play = Play::new();
    let packets = play.frame(7, true, 5000);
    for packet in packets {
        play.assembler.push(packet);
    }
    let frame = play.assembler.pop().unwrap();
    let mut sent = vec![7; 5000];
    sent[0] = 0;
    assert_eq!(&frame.data[..], &sent[..]);
}

#[test]
fn nothing_is_shown_before_a_key_frame() {
    let mut play = Play::new();
    let delta = play.frame(1, false, 2000);
    play.give(delta);
    assert!(play.pass(1).keyframe);
    let key = play.frame(2, true, 2000);
    play.give(key);
    let delta = play.frame(3, false, 10);
    play.give(delta);
    assert_eq!(play.times(), [2, 3]);
}

#[test]
fn packets_in_any_order_make_the_same_frames() {
    let mut play = Play::from(65_530);
    let mut packets = Vec::new();
    let key = play.frame(1, true, 4000);
    play.give(key);
    for time in 2..=6 {
        packets.extend(play.frame(time, false, 4000));
    }
    packets.reverse();
    play.give(packets);
    assert_eq!(play.times(), [1, 2, 3, 4, 5, 6], "across the wrap too");
}

#[test]
fn a_key_frame_whose_first_packet_is_late_is_found() {
    let mut play = Play::new();
    let mut key = play.frame(1, true, 4000);
    let first = key.remove(0);
    play.give(key);
    assert!(play.times().is_empty());
    play.give([first]);
    assert_eq!(play.times(), [1]);
}

#[test]
fn packets_that_come_twice_are_counted_and_change_nothing() {
    let mut play = Play::new();
    let key = play.frame(1, true, 3000);
    play.give(key.clone());
    play.give(key);
    assert_eq!(play.times(), [1]);
    assert_eq!(play.assembler.counts().stale, 3);
}

#[test]
fn a_lost_packet_is_asked_for_and_heals() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    let mut second = play.frame(2, false, 3000);
    let lost = second.remove(1);
    play.give(second);
    let third = play.frame(3, false, 2000);
    play.give(third);
    assert_eq!(play.pass(2), Wants::default(), "perhaps only reordered");
    assert_eq!(play.pass(8).resend, [lost.sequence]);
    assert!(play.pass(5).resend.is_empty(), "not again at once");
    play.give([lost]);
    assert_eq!(play.times(), [1, 2, 3]);
    assert_eq!(play.pass(1000), Wants::default());
}

#[test]
fn a_lost_packet_is_asked_for_again_after_a_round_trip() {
    let mut play = Play::new();
    play.assembler.set_round_trip(Duration::from_millis(40));
    let key = play.frame(1, true, 2000);
    play.give(key);
    let lost = play.frame(2, false, 10);
    let next = play.frame(3, false, 10);
    play.give(next);
    let asked: Vec<_> = (0..12).map(|_| play.pass(10).resend.len()).collect();
    assert_eq!(asked, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
    play.give(lost);
    assert_eq!(play.times(), [1, 2, 3]);
}

#[test]
fn a_gap_that_stays_asks_for_a_key_frame_and_shows_nothing_until_it() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    let _lost = play.frame(2, false, 2000);
    let mut keyframes = 0;
    for time in 3..40 {
        let delta = play.frame(time, false, 2000);
        play.give(delta);
        keyframes += u32::from(play.pass(33).keyframe);
    }
    assert_eq!(play.times(), [1]);
    assert!((1..=3).contains(&keyframes), "{keyframes} in 1.2 s");
    let key = play.frame(50, true, 2000);
    play.give(key);
    let delta = play.frame(51, false, 2000);
    play.give(delta);
    assert_eq!(play.times(), [1, 50, 51]);
    assert!(!play.pass(33).keyframe);
}

#[test]
fn a_whole_key_frame_makes_the_gap_before_it_moot() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    let _lost = play.frame(2, false, 2000);
    let key = play.frame(3, true, 2000);
    play.give(key);
    assert_eq!(play.times(), [1, 3]);
    assert_eq!(play.pass(50), Wants::default(), "nobody asks for the past");
}

#[test]
fn what_was_given_up_is_not_shown_when_it_comes() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    let late = play.frame(2, false, 2000);
    let key = play.frame(3, true, 2000);
    play.give(key);
    play.give(late);
    assert_eq!(play.times(), [1, 3]);
}

/// What a sender does whose queue has become hopeless.
fn cut_short(play: &mut Play, time: u32) {
    let mut frame = play.frame(time, false, 3000);
    frame.pop();
    play.sequence -= 1;
    play.give(frame);
}

#[test]
fn a_frame_that_was_cut_short_is_passed_over_when_a_key_frame_follows() {
    let mut play = Play::new();
    let first = play.frame(1, true, 3000);
    play.give(first);
    cut_short(&mut play, 2);
    for time in 3..6 {
        let frame = play.frame(time, time == 3, 3000);
        play.give(frame);
        play.pass(33);
    }
    assert_eq!(play.times(), [1, 3, 4, 5]);
}

#[test]
fn after_a_frame_that_was_cut_short_a_key_frame_is_asked_for() {
    let mut play = Play::new();
    let first = play.frame(1, true, 3000);
    play.give(first);
    cut_short(&mut play, 2);
    let next = play.frame(3, false, 3000);
    play.give(next);
    let wants = play.pass(1);
    assert!(wants.keyframe && wants.resend.is_empty(), "{wants:?}");
    let key = play.frame(4, true, 3000);
    play.give(key);
    assert_eq!(play.times(), [1, 4]);
}

#[test]
fn padding_is_passed_over() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    let mut padding = play.frame(1, false, 1);
    padding[0].payload = Bytes::new();
    play.give(padding);
    let delta = play.frame(2, false, 2000);
    play.give(delta);
    assert_eq!(play.times(), [1, 2]);
}

#[test]
fn a_stream_that_opens_with_an_empty_packet_is_not_asked_for_a_key_frame() {
    let mut play = Play::new();
    let mut opening = play.frame(1, false, 1);
    opening[0].payload = Bytes::new();
    play.give(opening);
    assert_eq!(play.pass(20), Wants::default());
    let frame = play.frame(1, true, 3);
    play.give(frame);
    assert_eq!(play.pass(20), Wants::default());
    assert_eq!(play.times(), [1]);
}

#[test]
fn a_sender_that_begins_anew_is_followed() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    play.sequence = 30_000;
    let key = play.frame(9, true, 2000);
    play.give(key);
    assert_eq!(play.times(), [1, 9]);
}

#[test]
fn a_long_outage_ends_with_the_next_key_frame() {
    let mut play = Play::new();
    let key = play.frame(1, true, 2000);
    play.give(key);
    for time in 2..150 {
        let _lost = play.frame(time, false, 3000);
    }
    play.pass(5000);
    let delta = play.frame(150, false, 3000);
    play.give(delta);
    let mut asked = play.pass(10).keyframe;
    asked |= play.pass(800).keyframe;
    assert!(asked);
    let key = play.frame(151, true, 3000);
    play.give(key);
    assert_eq!(play.times(), [1, 151]);
}

#[test]
fn what_is_held_is_bounded() {
    let mut play = Play::new();
    for time in 0..5000 {
        let mut packets = play.frame(time, true, 3000);
        packets.pop();
        play.give(packets);
    }
    assert!(play.assembler.pieces.len() <= HELD);
    assert!(play.assembler.missing.len() <= HELD);
    assert!(play.times().is_empty());
}

#[test]
fn any_loss_and_order_ends_in_frames_that_stand_in_order() {
    for seed in 1..60_u64 {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut roll = move |below: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % below
        };
        let mut play = Play::from(roll(65_536) as u16);
        play.assembler.set_round_trip(Duration::from_millis(30));
        let mut sent: BTreeMap<u16, Arrival> = BTreeMap::new();
        let mut under_way: Vec<(u64, Arrival)> = Vec::new();
        let mut key_next = true;
        for time in 1..=300_u32 {
            let packets = play.frame(time, key_next, 1 + roll(6000) as usize);
            key_next = false;
            for packet in packets {
                sent.insert(packet.sequence, packet.clone());
                if roll(100) >= 8 {
                    under_way.push((u64::from(time) * 33 + roll(60), packet));
                }
            }
            let clock = u64::from(time) * 33;
            under_way.sort_by_key(|(at, _)| *at);
            while under_way.first().is_some_and(|(at, _)| *at <= clock) {
                let (_, packet) = under_way.remove(0);
                play.give([packet]);
            }
            let wants = play.pass(33);
            key_next |= wants.keyframe;
            for sequence in wants.resend {
                if roll(100) >= 8 {
                    let packet = sent[&sequence].clone();
                    under_way.push((clock + 30, packet));
                }
            }
        }
        let times = play.times();
        assert!(times.is_sorted_by(|a, b| a < b), "seed {seed}");
        assert!(times.len() > 220, "seed {seed}: {} of 300", times.len());
        let mut before = 0;
        for &(time, keyframe) in &play.shown {
            assert!(
                keyframe || time == before + 1,
                "seed {seed}: {time} lacks its reference"
            );
            before = time;
        }
    }
}

#[test]
fn hostile_packets_are_an_outcome() {
    let mut dice = 0x5077_0003_u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    let mut play = Play::new();
    for _ in 0..50_000 {
        let len = (roll() % 12) as usize;
        let payload: Vec<u8> = (0..len).map(|_| roll() as u8).collect();
        play.assembler.push(Arrival {
            sequence: roll() as u16 % 512,
            rtp_time: roll() as u32 % 4,
            marker: roll() % 3 == 0,
            payload: payload.into(),
            at: play.now,
        });
        play.pass(roll() % 3);
        play.assembler.wake_at(play.now);
    }
    assert!(play.assembler.pieces.len() <= HELD);
}

#[test]
fn a_sender_that_is_off_is_asked_for_nothing() {
    let mut play = Play::new();
    let frame = play.frame(0, true, 4_000);
    play.give(frame);
    // The last packets before it was off are lost, and known to be.
    let mut broken = play.frame(3_000, false, 4_000);
    broken.remove(1);
    play.give(broken);
    play.assembler.set_off(true);
    play.assembler.ask_keyframe();
    for _ in 0..100 {
        assert_eq!(play.pass(50), Wants::default());
    }
    assert_eq!(play.assembler.wake_at(play.now), None);
    // One of those comes after all.
    let late = play.frame(6_000, false, 2_000);
    play.give(late);
    assert_eq!(play.pass(50), Wants::default());
    assert_eq!(play.shown, [(0, true)]);

    play.assembler.set_off(false);
    assert_eq!(play.pass(50), Wants::default(), "nothing has come yet");
    let frame = play.frame(900_000, true, 4_000);
    play.give(frame);
    assert_eq!(play.shown.last(), Some(&(900_000, true)));
    assert_eq!(play.assembler.counts().breaks, 0);
}

#[test]
fn a_sender_whose_key_frame_was_faster_than_the_word_that_it_is_on_is_asked() {
    let mut play = Play::new();
    play.assembler.set_off(true);
    let key = play.frame(0, true, 4_000);
    play.give(key);
    play.assembler.set_off(false);
    let frame = play.frame(3_000, false, 1_000);
    play.give(frame);
    assert!(play.pass(0).keyframe);
}
