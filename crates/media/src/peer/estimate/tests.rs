//! The rate that is found on paths of known width, in virtual time.

use super::*;

/// A path with a queue, and a sender that uses what it is told, in virtual
/// time.
struct Path {
    now: Instant,
    origin: Instant,
    estimator: Estimator,
    read: watch::Receiver<Estimate>,
    sent: Arc<AtomicU64>,
    /// bit/s.
    capacity: f64,
    /// How long a packet waits in it at most.
    queue: Duration,
    /// When the queue is empty again.
    busy_until: Instant,
    /// Share of packets lost at random, of 256.
    loss: u64,
    dice: u64,
    next_id: u64,
    under_way: Vec<PacketReport>,
    told: Told,
    /// Of packets whose report was lost.
    unheard: Vec<PacketReport>,
    /// Share of reports that are lost, of 256.
    deaf: u64,
    /// How much longer reports take.
    late: Duration,
    /// bit/s the sender wants at most.
    wanted: f64,
    /// bit/s below which there are no pictures, only voices.
    pictures_from: f64,
    /// bit/s of voices.
    voices: f64,
    credit: f64,
    steps: u32,
    /// Until when nothing passes.
    dark_until: Option<Instant>,
}

const DELAY: Duration = Duration::from_millis(25);
/// What voices take, in bit/s.
const VOICES: f64 = 45_000.0;

impl Path {
    fn new(start: u32, capacity: f64) -> Self {
        let now = Instant::now();
        let sent = Arc::new(AtomicU64::new(0));
        let told = Told::default();
        let (estimator, read) = Estimator::new(start, 6_000_000, Arc::clone(&sent), told.clone());
        Self {
            now,
            origin: now,
            estimator,
            read,
            sent,
            capacity,
            queue: Duration::from_millis(400),
            busy_until: now,
            loss: 0,
            dice: 0x5077_0004,
            next_id: 0,
            under_way: Vec::new(),
            told,
            unheard: Vec::new(),
            deaf: 0,
            late: Duration::ZERO,
            wanted: f64::MAX,
            pictures_from: 0.0,
            voices: VOICES,
            credit: 0.0,
            steps: 0,
            dark_until: None,
        }
    }

    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % 256
    }

    fn rate(&self) -> f64 {
        f64::from(self.read.borrow().rate)
    }

    fn send(&mut self, size: usize) {
        let departure = self.now;
        let start = self.busy_until.max(departure);
        let takes = Duration::from_secs_f64(size as f64 * 8.0 / self.capacity);
        let dark = self.dark_until.is_some_and(|until| departure < until);
        let dropped = dark || start - departure > self.queue || self.roll() < self.loss;
        let mut arrival = None;
        if !dropped {
            self.busy_until = start + takes;
            arrival = Some(self.busy_until + DELAY - self.origin);
        }
        self.under_way.push(PacketReport {
            ssrc: 1,
            id: self.next_id,
            rtp_sequence_number: self.next_id as u16,
            is_twcc: true,
            twcc_sequence_number: self.next_id as u16,
            size,
            arrived: arrival.is_some(),
            departure,
            arrival,
            ecn: Default::default(),
        });
        self.next_id += 1;
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs for `seconds`: packets each 10 ms, reports each 100 ms.
    fn run(&mut self, seconds: f64) {
        let steps = (seconds * 100.0) as u32;
        for _ in 0..steps {
            self.steps += 1;
            self.now += Duration::from_millis(10);
            let most = match self.rate() < self.pictures_from {
                true => self.voices,
                false => self.wanted,
            };
            self.credit += self.rate().min(most) * 0.01;
            while self.credit > 0.0 {
                let size = 1000.min((self.credit / 8.0) as usize + 60);
                self.send(size);
                self.credit -= size as f64 * 8.0;
            }
            let dark = self.dark_until.is_some_and(|until| self.now < until);
            if self.steps.is_multiple_of(10) && !dark {
                self.report();
            }
            self.estimator.handle_timeout(self.now);
        }
    }

    fn report(&mut self) {
        let seen = self.now - DELAY - self.late;
        let known = self.under_way.iter().take_while(|r| match r.arrival {
            Some(arrival) => self.origin + arrival <= seen,
            None => r.departure + DELAY * 2 <= seen,
        });
        let count = known.count();
        let mut reports: Vec<_> = self.under_way.drain(..count).collect();
        if self.roll() < self.deaf {
            let silenced = |r: PacketReport| PacketReport {
                arrived: false,
                arrival: None,
                ..r
            };
            self.unheard.extend(reports.into_iter().map(silenced));
            return;
        }
        if let Some(first) = reports.first() {
            self.told.add_range(first.id as u16, count as u16);
        }
        reports.splice(..0, self.unheard.drain(..));
        self.estimator.on_reports(self.now, &reports);
    }
}

#[track_caller]
fn between(value: f64, least: f64, most: f64) {
    assert!(
        (least..=most).contains(&value),
        "{value} is not in {least}..{most}"
    );
}

#[test]
fn a_wide_path_is_found_within_seconds() {
    let mut path = Path::new(800_000, 20e6);
    path.run(2.0);
    between(path.rate(), 1.4e6, 4e6);
    path.run(3.0);
    between(path.rate(), 3e6, 6e6);
}

#[test]
fn a_narrow_path_is_met_and_kept() {
    let mut path = Path::new(800_000, 300_000.0);
    path.run(4.0);
    let mut rates = Vec::new();
    for _ in 0..20 {
        path.run(1.0);
        rates.push(path.rate());
    }
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    between(mean, 200_000.0, 330_000.0);
}

#[test]
fn a_path_that_widens_is_used_again() {
    let mut path = Path::new(800_000, 300_000.0);
    path.run(15.0);
    path.capacity = 5e6;
    path.run(10.0);
    between(path.rate(), 800_000.0, 5e6);
}

#[test]
fn a_path_that_narrows_is_noticed_within_two_seconds() {
    let mut path = Path::new(800_000, 3e6);
    path.run(6.0);
    path.capacity = 300_000.0;
    path.run(2.0);
    between(path.rate(), LEAST, 400_000.0);
}

#[test]
fn a_path_that_narrows_keeps_room_for_pictures() {
    let mut path = Path::new(650_000, 3e6);
    path.wanted = 700_000.0;
    path.pictures_from = 110_000.0;
    path.run(6.0);
    // Both ways: reports stand in a queue, too, and are lost there.
    path.capacity = 300_000.0;
    (path.deaf, path.late) = (100, Duration::from_millis(250));
    let mut rates = Vec::new();
    for _ in 0..24 {
        path.run(0.5);
        rates.push(path.rate());
    }
    // It may take a while to see how much is left of it.
    let least = rates[2..].iter().copied().fold(f64::MAX, f64::min);
    between(least, 110_000.0, 300_000.0);
    let mean = rates[4..].iter().sum::<f64>() / (rates.len() - 4) as f64;
    between(mean, 180_000.0, 330_000.0);
}

#[test]
fn what_is_not_used_is_not_believed() {
    let mut path = Path::new(800_000, 500_000.0);
    path.wanted = 40_000.0;
    path.run(30.0);
    between(path.rate(), 400_000.0, 800_001.0);
}

#[test]
fn a_little_random_loss_does_not_stop_the_climb() {
    let mut path = Path::new(800_000, 20e6);
    path.loss = 13;
    path.run(15.0);
    between(path.rate(), 1e6, 6e6);
}

#[test]
fn reports_that_are_lost_are_not_packets_that_are_lost() {
    let mut path = Path::new(800_000, 20e6);
    path.deaf = 100;
    path.run(15.0);
    between(path.rate(), 1e6, 6e6);
}

#[test]
fn heavy_loss_lowers_the_rate() {
    let mut path = Path::new(2_000_000, 20e6);
    path.loss = 90;
    path.run(10.0);
    between(path.rate(), LEAST, 400_000.0);
}

#[test]
fn silence_lowers_the_rate_and_the_end_of_it_raises_it() {
    let mut path = Path::new(1_000_000, 3e6);
    path.run(3.0);
    path.dark_until = Some(path.now + Duration::from_secs(5));
    path.run(4.9);
    between(path.rate(), LEAST, 500_000.0);
    path.under_way.clear();
    path.run(8.0);
    between(path.rate(), 700_000.0, 3.5e6);
}

#[test]
fn a_short_queue_leaves_room_for_the_smallest_picture_and_a_long_one_does_not() {
    let mut path = Path::new(150_000, 90_000.0);
    path.queue = Duration::from_secs(60);
    path.run(20.0);
    between(path.rate(), SMALLEST_PICTURE, 150_000.0);
    path.capacity = 50_000.0;
    path.run(20.0);
    between(path.rate(), LEAST, SMALLEST_PICTURE);
    let waits = path.busy_until.saturating_duration_since(path.now);
    assert!(waits < Duration::from_secs(3), "{waits:?}");
}

#[test]
fn a_burst_after_little_does_not_lower_the_rate_to_that_little() {
    let mut path = Path::new(200_000, 300_000.0);
    path.wanted = 50_000.0;
    path.run(4.0);
    let mut least = f64::MAX;
    // A picture begins, again and again.
    for _ in 0..5 {
        for _ in 0..8 {
            (0..2).for_each(|_| path.send(1000));
            path.run(0.04);
            least = least.min(path.rate());
        }
        path.run(1.0);
        least = least.min(path.rate());
    }
    between(least, 120_000.0, 300_000.0);
}

#[test]
fn voices_alone_prove_room_for_a_first_picture() {
    // What a camera begins with beside the voices; least of all voices.
    let pictures = 134_000.0;
    for voices in [20_000.0, VOICES] {
        let mut path = Path::new(800_000, 3e6);
        (path.pictures_from, path.voices) = (pictures, voices);
        path.run(3.0);
        path.dark_until = Some(path.now + Duration::from_secs(9));
        path.run(8.9);
        between(path.rate(), LEAST, pictures);
        path.under_way.clear();
        path.run(12.0);
        between(path.rate(), 700_000.0, 3.5e6);
    }
}
