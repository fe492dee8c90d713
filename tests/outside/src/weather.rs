//! A network between two ends on one computer: loss, delay, jitter, a narrow
//! place with a queue before it, darkness. Each end knows only the shaper's
//! addresses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

/// One of the two ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Alice,
    Bob,
}

/// What happens to packets, each way alike.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Of 1,000 packets.
    pub loss: u64,
    pub delay: Duration,
    /// Added at random, up to this.
    pub jitter: Duration,
    /// Of the narrow place, in bit/s.
    pub rate: Option<u32>,
    /// Nothing passes.
    pub dark: bool,
}

/// How much the narrow place holds.
const QUEUE: Duration = Duration::from_millis(300);

struct Sky {
    weather: Weather,
    alice: Option<SocketAddr>,
    bob: Option<SocketAddr>,
    dice: u64,
    passed: u64,
    dropped: u64,
}

#[derive(Clone)]
pub struct Shaper {
    sky: Arc<Mutex<Sky>>,
    /// Where Bob finds Alice, and where Alice finds Bob.
    as_alice: Arc<Mutex<Arc<UdpSocket>>>,
    as_bob: Arc<UdpSocket>,
}

impl Shaper {
    pub async fn new(weather: Weather, seed: u64) -> Self {
        let bind = || async { Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap()) };
        let shaper = Self {
            sky: Arc::new(Mutex::new(Sky {
                weather,
                alice: None,
                bob: None,
                dice: seed | 1,
                passed: 0,
                dropped: 0,
            })),
            as_alice: Arc::new(Mutex::new(bind().await)),
            as_bob: bind().await,
        };
        let from_bob = shaper.as_alice.lock().unwrap().clone();
        shaper.carry(from_bob, Who::Bob);
        shaper.carry(Arc::clone(&shaper.as_bob), Who::Alice);
        shaper
    }

    pub fn set(&self, weather: Weather) {
        self.sky.lock().unwrap().weather = weather;
    }

    pub fn counts(&self) -> (u64, u64) {
        let sky = self.sky.lock().unwrap();
        (sky.passed, sky.dropped)
    }

    /// What the other end is told instead of this candidate. Only loopback
    /// ones are told at all.
    pub async fn instead_of(&self, whose: Who, line: &str) -> Option<String> {
        let mut fields: Vec<_> = line.split(' ').map(str::to_owned).collect();
        if fields.get(4)? != "127.0.0.1" {
            return None;
        }
        let real = format!("127.0.0.1:{}", fields[5]).parse().ok()?;
        let mut sky = self.sky.lock().unwrap();
        let shown = match whose {
            Who::Alice => {
                sky.alice = Some(real);
                self.as_alice.lock().unwrap().local_addr().ok()?
            }
            Who::Bob => {
                sky.bob = Some(real);
                self.as_bob.local_addr().ok()?
            }
        };
        fields[5] = shown.port().to_string();
        Some(fields.join(" "))
    }

    /// Alice's packets come from another address from now on, as when a NAT
    /// has forgotten her.
    pub async fn move_alice(&self) {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        *self.as_alice.lock().unwrap() = Arc::clone(&socket);
        self.carry(socket, Who::Bob);
    }

    fn carry(&self, socket: Arc<UdpSocket>, from: Who) {
        let shaper = self.clone();
        tokio::spawn(async move {
            let mut free_at = Instant::now();
            let mut buffer = vec![0; 2048];
            while let Ok((len, _)) = socket.recv_from(&mut buffer).await {
                if let Some((at, to)) = shaper.fate(from, len, &mut free_at) {
                    let out = match from {
                        Who::Alice => shaper.as_alice.lock().unwrap().clone(),
                        Who::Bob => Arc::clone(&shaper.as_bob),
                    };
                    let packet = buffer[..len].to_vec();
                    tokio::spawn(async move {
                        tokio::time::sleep_until(at.into()).await;
                        let _ = out.send_to(&packet, to).await;
                    });
                }
            }
        });
    }

    /// When and where the packet arrives, if it does.
    fn fate(&self, from: Who, len: usize, free_at: &mut Instant) -> Option<(Instant, SocketAddr)> {
        let mut sky = self.sky.lock().unwrap();
        let to = match from {
            Who::Alice => sky.bob,
            Who::Bob => sky.alice,
        }?;
        let weather = sky.weather;
        let now = Instant::now();
        let mut at = now;
        let mut dropped = weather.dark || sky.roll() % 1000 < weather.loss;
        if let Some(rate) = weather.rate {
            let start = (*free_at).max(now);
            dropped |= start - now > QUEUE;
            if !dropped {
                let bits = (len + 28) as f64 * 8.0;
                *free_at = start + Duration::from_secs_f64(bits / f64::from(rate));
                at = *free_at;
            }
        }
        if dropped {
            sky.dropped += 1;
            return None;
        }
        sky.passed += 1;
        let jitter = weather.jitter.as_micros() as u64;
        let more = sky.roll().checked_rem(jitter).unwrap_or(0);
        Some((at + weather.delay + Duration::from_micros(more), to))
    }
}

impl Sky {
    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }
}
