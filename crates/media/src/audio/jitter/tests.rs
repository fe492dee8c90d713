//! The jitter buffer under order, loss, delay and drift, in simulated time.

#![allow(clippy::print_stdout)]

use super::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const PACKET_TIME: Duration = Duration::from_millis(20);

/// One frame of silence of 20 ms, SILK wideband, that is no pause.
fn packet(n: u32, arrived: Instant) -> ReceivedAudio {
    ReceivedAudio {
        data: Bytes::copy_from_slice(&[9 << 3, 0, 0, n as u8]),
        sequence: 65_500u16.wrapping_add(n as u16),
        rtp_time: 0xFFFF_0000u32.wrapping_add(n * PACKET as u32),
        arrived,
    }
}

/// A sender, a network and a listener in simulated time.
struct Line {
    buffer: JitterBuffer,
    start: Instant,
    now: Instant,
    /// Sound decoded and not heard yet, samples.
    queued: usize,
    on_the_way: BTreeMap<(Duration, u32), ReceivedAudio>,
    played: Vec<u8>,
    concealed: usize,
    recovered: usize,
    paused: usize,
    delays: Vec<Duration>,
}

impl Line {
    fn new() -> Self {
        let start = Instant::now();
        Self {
            buffer: JitterBuffer::default(),
            start,
            now: start,
            queued: 0,
            on_the_way: BTreeMap::new(),
            played: Vec::new(),
            concealed: 0,
            recovered: 0,
            paused: 0,
            delays: Vec::new(),
        }
    }

    fn send(&mut self, n: u32, at: Duration) {
        let arrived = self.start + at;
        self.on_the_way.insert((at, n), packet(n, arrived));
    }

    /// Ten milliseconds pass and are heard.
    fn step(&mut self) {
        self.now += Duration::from_millis(10);
        let passed = self.now - self.start;
        while let Some(entry) = self.on_the_way.first_entry() {
            if entry.key().0 > passed {
                break;
            }
            let packet = entry.remove();
            self.buffer.push(packet);
        }
        while self.queued < STEP {
            self.queued += match self.buffer.next(self.now, self.queued) {
                Next::Play { data, tempo } => {
                    // A pause carries no number.
                    self.played.extend(data.get(3));
                    self.delays.push(self.buffer.delay());
                    match tempo {
                        Tempo::Normal => PACKET,
                        Tempo::Faster => PACKET - 240,
                        Tempo::Slower => PACKET + 240,
                    }
                }
                Next::Recover { samples, .. } => {
                    self.recovered += 1;
                    samples
                }
                Next::Conceal { samples } => {
                    self.concealed += 1;
                    samples
                }
                Next::Pause { samples } => {
                    self.paused += 1;
                    samples
                }
            };
        }
        self.queued -= STEP;
    }

    fn run(&mut self, until: Duration) {
        while self.now - self.start < until {
            self.step();
        }
    }

    #[track_caller]
    fn heard(&self, expect: impl Iterator<Item = u32>) {
        let expect: Vec<u8> = expect.map(|n| n as u8).collect();
        assert_eq!(self.played, expect);
    }
}

#[test]
fn a_perfect_line_is_played_whole_and_soon() {
    let mut line = Line::new();
    for n in 0..500 {
        line.send(n, PACKET_TIME * n);
    }
    line.run(Duration::from_secs(10));
    assert_eq!(line.concealed + line.recovered, 0);
    assert!(line.delays[50..].iter().all(|d| d.as_millis() <= 40));
    line.heard(0..line.played.len() as u32);
    assert!(line.played.len() >= 496, "{}", line.played.len());
}

#[test]
fn packets_are_played_in_order_across_the_wrap_and_only_once() {
    let mut line = Line::new();
    for n in 0..100 {
        // Each pair swaps, and each packet comes twice.
        let at = PACKET_TIME * (n ^ 1) + PACKET_TIME;
        line.send(n, at);
        line.send(n + 1_000, at);
        let twice = line
            .on_the_way
            .remove(&(at, n + 1_000))
            .map(|_| packet(n, line.start + at));
        line.on_the_way
            .insert((at, n + 1_000), twice.expect("just sent"));
    }
    line.run(Duration::from_millis(1_900));
    assert_eq!(line.buffer.counts().lost, 0);
    assert!(line.buffer.counts().duplicate >= 90);
    line.heard(0..line.played.len() as u32);
}

#[test]
fn a_late_packet_is_counted_and_not_played() {
    let mut line = Line::new();
    for n in (0..100).filter(|n| *n != 50) {
        line.send(n, PACKET_TIME * n);
    }
    line.send(50, PACKET_TIME * 70);
    line.run(Duration::from_millis(1_900));
    let counts = line.buffer.counts();
    assert_eq!((counts.lost, counts.late), (1, 1));
    assert_eq!(line.concealed, 1);
    line.heard((0..line.played.len() as u32 + 1).filter(|n| *n != 50));
}

#[test]
fn jitter_raises_the_delay_until_almost_nothing_is_late() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut line = Line::new();
    for n in 0..3_000 {
        let jitter = Duration::from_micros(u64::from(rng.next_u32() % 100_000));
        line.send(n, PACKET_TIME * n + jitter);
    }
    line.run(Duration::from_secs(20));
    let before = line.concealed;
    line.run(Duration::from_secs(59));
    let share = (line.concealed - before) as f64 / (39.0 * 50.0);
    println!(
        "100 ms of jitter: {:.1} % concealed, target {:?}",
        share * 100.0,
        line.buffer.target()
    );
    assert!(share < 0.03, "{share}");
    assert!(line.buffer.target() <= Duration::from_millis(125));
    assert!(line.buffer.jitter() > Duration::from_millis(20));
}

#[test]
fn the_delay_comes_down_again_when_jitter_ends() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut line = Line::new();
    for n in 0..3_000 {
        let most = if n < 500 { 80_000 } else { 1 };
        let jitter = Duration::from_micros(u64::from(rng.next_u32() % most));
        line.send(n, PACKET_TIME * n + jitter);
    }
    line.run(Duration::from_secs(10));
    assert!(line.buffer.delay() > Duration::from_millis(60));
    line.run(Duration::from_secs(59));
    assert!(
        line.buffer.delay() < Duration::from_millis(45),
        "{:?}",
        line.buffer.delay()
    );
}

#[test]
fn a_longer_path_is_no_jitter() {
    let mut line = Line::new();
    for n in 0..1_000 {
        let detour = Duration::from_millis(if n < 300 { 0 } else { 150 });
        line.send(n, PACKET_TIME * n + detour);
    }
    line.run(Duration::from_secs(12));
    assert!(
        line.buffer.target() < Duration::from_millis(30),
        "{:?}",
        line.buffer.target()
    );
    assert!(
        line.buffer.delay() < Duration::from_millis(60),
        "{:?}",
        line.buffer.delay()
    );
    assert!(line.concealed < 15, "{}", line.concealed);
}

#[test]
fn a_drifting_sender_moves_neither_delay_nor_content() {
    for ppm in [-200i64, 200] {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut line = Line::new();
        for n in 0..30_000u32 {
            let nominal = i64::from(n) * 20_000;
            let at = nominal + nominal * ppm / 1_000_000 + i64::from(rng.next_u32() % 10_000);
            line.send(n, Duration::from_micros(at as u64));
        }
        line.run(Duration::from_secs(599));
        let (least, most) = line.delays[500..]
            .iter()
            .fold((Duration::MAX, Duration::ZERO), |(l, m), d| {
                (l.min(*d), m.max(*d))
            });
        println!(
            "{ppm} ppm: delay {least:?} to {most:?}, {} concealed",
            line.concealed
        );
        assert!(most < Duration::from_millis(60), "{most:?}");
        assert!(line.concealed < 150, "{}", line.concealed);
        assert_eq!(line.buffer.counts().skipped, 0);
    }
}

#[test]
fn a_pause_that_was_announced_is_no_loss() {
    let mut line = Line::new();
    for n in 0..50 {
        line.send(n, PACKET_TIME * n);
    }
    // A frame of nothing, then a second of silence, then speech with the next
    // number.
    let pause = ReceivedAudio {
        data: Bytes::from_static(&[9 << 3]),
        ..packet(50, line.start + PACKET_TIME * 50)
    };
    line.on_the_way.insert((PACKET_TIME * 50, 50), pause);
    line.run(Duration::from_millis(1_500));
    for n in 51..100 {
        let mut late = packet(n, line.start + PACKET_TIME * (n + 50));
        late.rtp_time = late.rtp_time.wrapping_add(50 * PACKET as u32);
        line.on_the_way.insert((PACKET_TIME * (n + 50), n), late);
    }
    line.run(Duration::from_millis(2_800));
    assert_eq!(line.concealed, 0);
    assert_eq!(line.buffer.counts().lost, 0);
    assert!(line.paused > 80);
}

#[test]
fn an_outage_is_skipped_and_playing_goes_on_at_once() {
    let mut line = Line::new();
    for n in (0..1_000).filter(|n| !(200..450).contains(n)) {
        line.send(n, PACKET_TIME * n);
    }
    line.run(Duration::from_secs(15));
    assert!(line.concealed <= 6, "{}", line.concealed);
    assert_eq!(line.buffer.counts().lost, 250);
    assert!(line.buffer.delay() < Duration::from_millis(60));
    line.heard((0..line.played.len() as u32 + 250).filter(|n| !(200..450).contains(n)));
}

#[test]
fn a_burst_after_an_outage_does_not_stay_behind() {
    let mut line = Line::new();
    for n in 0..1_000 {
        let held = (200..350).contains(&n);
        line.send(
            n,
            if held {
                PACKET_TIME * 350
            } else {
                PACKET_TIME * n
            },
        );
    }
    line.run(Duration::from_secs(15));
    assert!(
        line.buffer.delay() < Duration::from_millis(100),
        "{:?}",
        line.buffer.delay()
    );
}

#[test]
fn another_stream_begins_anew() {
    let mut line = Line::new();
    for n in 0..100 {
        line.send(n, PACKET_TIME * n);
    }
    line.run(Duration::from_secs(2));
    let start = line.start;
    let at = Duration::from_secs(2);
    let mut other = packet(0, start + at);
    other.sequence = 20_000;
    other.rtp_time = 5;
    assert_eq!(line.buffer.push(other), Taken::Restarted);
    for n in 1..50u32 {
        let mut next = packet(n, start + at + PACKET_TIME * n);
        next.sequence = 20_000 + n as u16;
        next.rtp_time = 5 + n * PACKET as u32;
        line.on_the_way.insert((at + PACKET_TIME * n, n), next);
    }
    line.played.clear();
    line.run(Duration::from_millis(2_900));
    line.heard(0..line.played.len() as u32);
    assert!(line.played.len() > 38);
}

#[test]
fn whatever_comes_it_neither_panics_nor_grows_nor_stops() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut buffer = JitterBuffer::default();
        let start = Instant::now();
        let mut now = start;
        for _ in 0..3_000 {
            now += Duration::from_micros(u64::from(rng.next_u32() % 20_000));
            for _ in 0..rng.next_u32() % 4 {
                let wild = rng.next_u32() % 10 == 0;
                let length = rng.next_u32() as usize % 6;
                buffer.push(ReceivedAudio {
                    data: (0..length).map(|_| rng.next_u32() as u8).collect(),
                    sequence: if wild {
                        rng.next_u32()
                    } else {
                        rng.next_u32() % 50
                    } as u16,
                    rtp_time: if wild {
                        rng.next_u32()
                    } else {
                        rng.next_u32() % 48_000
                    },
                    arrived: if wild { start } else { now },
                });
            }
            let samples = match buffer.next(now, rng.next_u32() as usize % STEP) {
                Next::Play { .. } => 1,
                Next::Recover { samples, .. }
                | Next::Conceal { samples }
                | Next::Pause { samples } => samples,
            };
            assert!(samples > 0, "seed {seed}");
            assert!(buffer.packets.len() <= MOST_PACKETS, "seed {seed}");
        }
    }
}

#[test]
fn nothing_is_made_up_for_somebody_who_is_muted_even_if_the_end_of_it_is_lost() {
    let check = |muted: bool| {
        let mut line = Line::new();
        for n in 0..50 {
            line.send(n, PACKET_TIME * n);
        }
        line.run(PACKET_TIME * 49);
        line.buffer.set_muted(muted);
        line.run(Duration::from_secs(3));
        // The two packets that would end it are 50 and 51.
        for n in 150..200 {
            line.send(n, PACKET_TIME * n);
        }
        // They speak again before that is said.
        line.run(PACKET_TIME * 175);
        line.buffer.set_muted(false);
        line.run(PACKET_TIME * 195);
        assert!(line.played.len() > 90, "{}", line.played.len());
        line.concealed
    };
    assert!(check(false) > 0, "nobody said so");
    assert_eq!(check(true), 0);
}
