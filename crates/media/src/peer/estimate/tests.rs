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
    /// When the queue is empty again.
    busy_until: Instant,
    /// Share of packets lost at random, of 256.
    loss: u64,
    dice: u64,
    next_id: u64,
    under_way: Vec<PacketReport>,
    /// bit/s the sender wants at most.
    wanted: f64,
    credit: f64,
    /// Until when nothing passes.
    dark_until: Option<Instant>,
}

const DELAY: Duration = Duration::from_millis(25);
const QUEUE: Duration = Duration::from_millis(400);

impl Path {
    fn new(start: u32, capacity: f64) -> Self {
        let now = Instant::now();
        let sent = Arc::new(AtomicU64::new(0));
        let (estimator, read) = Estimator::new(start, 6_000_000, Arc::clone(&sent));
        Self {
            now,
            origin: now,
            estimator,
            read,
            sent,
            capacity,
            busy_until: now,
            loss: 0,
            dice: 0x5077_0004,
            next_id: 0,
            under_way: Vec::new(),
            wanted: f64::MAX,
            credit: 0.0,
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
        let dropped = dark || start - departure > QUEUE || self.roll() < self.loss;
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
        for step in 0..steps {
            self.now += Duration::from_millis(10);
            self.credit += self.rate().min(self.wanted) * 0.01;
            while self.credit > 0.0 {
                let size = 1000.min((self.credit / 8.0) as usize + 60);
                self.send(size);
                self.credit -= size as f64 * 8.0;
            }
            let dark = self.dark_until.is_some_and(|until| self.now < until);
            if step % 10 == 9 && !dark {
                self.report();
            }
            self.estimator.handle_timeout(self.now);
        }
    }

    fn report(&mut self) {
        let seen = self.now - DELAY;
        let known = self.under_way.iter().take_while(|r| match r.arrival {
            Some(arrival) => self.origin + arrival <= seen,
            None => r.departure + DELAY * 2 <= seen,
        });
        let count = known.count();
        let reports: Vec<_> = self.under_way.drain(..count).collect();
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
    path.run(5.0);
    between(path.rate(), LEAST, 500_000.0);
    path.under_way.clear();
    path.run(8.0);
    between(path.rate(), 700_000.0, 3.5e6);
}
