//! The server on loopback that the library takes for a TURN server. Whether
//! it is one depends on the network:
//!
//! | UDP to the relay | a request for an allocation |
//! |---|---|
//! | is being asked about | is held, one for each socket |
//! | gets through | is refused: the library's other URL leads there, and nobody has two allocations |
//! | does not | opens a WebSocket for that socket, and goes out by it |
//!
//! Whatever else comes goes out by the socket's WebSocket, if there is one. An
//! allocation is its WebSocket's: without one, only a request for an
//! allocation leads anywhere. What is found out holds for a while, since
//! networks change their mind without changing their addresses.

use super::{
    line::{self, Ended},
    probe, stun,
};
use crate::link::Sockets;
use sotto_wire::limits::DATAGRAM;
use std::{
    collections::BTreeMap,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
    task::{JoinError, JoinSet},
    time::Instant,
};

/// Sockets of the library's that are served: as many as an account may have
/// allocations.
const LINES: usize = 48;
/// How long it is believed whether UDP gets through. Later, the next request
/// for an allocation has it asked anew.
const HOLDS: Duration = Duration::from_secs(30);
/// After a WebSocket that did not open: no other for this long, doubling.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is to be found out. Another value: anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The TURN server over UDP, `host:port`.
    pub server: String,
    /// How often the network became another.
    pub moves: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Udp {
    BeingAsked,
    Works,
    Blocked,
}

type Probe = Pin<Box<dyn Future<Output = bool> + Send>>;

pub struct Shim {
    library: Arc<UdpSocket>,
    sockets: Arc<Sockets>,
    asked: watch::Receiver<Asked>,
    udp: Udp,
    asked_at: Instant,
    probe: Option<Probe>,
    /// Requests for allocations that wait for the answer.
    held: BTreeMap<SocketAddr, Vec<u8>>,
    lines: BTreeMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    running: JoinSet<Ended>,
    /// Lines in a row that were useless, and until when none is opened.
    useless: u32,
    pause_until: Instant,
}

impl Shim {
    pub fn new(library: UdpSocket, sockets: Sockets, asked: watch::Receiver<Asked>) -> Self {
        Self {
            library: Arc::new(library),
            sockets: Arc::new(sockets),
            asked,
            udp: Udp::BeingAsked,
            asked_at: Instant::now(),
            probe: None,
            held: BTreeMap::new(),
            lines: BTreeMap::new(),
            running: JoinSet::new(),
            useless: 0,
            pause_until: Instant::now(),
        }
    }

    /// Until whoever asks is gone.
    pub async fn run(mut self) {
        let mut buffer = vec![0; DATAGRAM + 1];
        self.ask();
        loop {
            tokio::select! {
                // What is sent on another network comes after the word that it
                // is another.
                biased;
                changed = self.asked.changed() => match changed {
                    Ok(()) => self.begin_anew(),
                    Err(_) => return,
                },
                works = done(&mut self.probe) => self.learn(works),
                Some(ended) = self.running.join_next() => self.end(ended),
                heard = self.library.recv_from(&mut buffer) => match heard {
                    Ok((length, from)) => self.take(from, &buffer[..length]),
                    // Some systems report here that an answer was not wanted.
                    Err(_) => tokio::task::yield_now().await,
                },
            }
        }
    }

    fn ask(&mut self) {
        self.udp = Udp::BeingAsked;
        self.asked_at = Instant::now();
        let server = self.asked.borrow_and_update().server.clone();
        self.probe = Some(Box::pin(probe::udp_works(server)));
    }

    /// The lines are dead, or lead to a relay that began anew.
    fn begin_anew(&mut self) {
        self.lines.clear();
        self.running.abort_all();
        self.useless = 0;
        self.pause_until = Instant::now();
        self.ask();
    }

    fn learn(&mut self, works: bool) {
        self.probe = None;
        self.udp = if works { Udp::Works } else { Udp::Blocked };
        tracing::info!(works, "asked whether UDP gets through to a relay");
        for (from, request) in std::mem::take(&mut self.held) {
            self.serve(from, request);
        }
    }

    fn take(&mut self, from: SocketAddr, bytes: &[u8]) {
        if bytes.len() > DATAGRAM {
            return;
        }
        if let Some(line) = self.lines.get(&from) {
            // A full line loses it, as a network would.
            let _ = line.try_send(bytes.to_vec());
            return;
        }
        if !stun::is_allocate(bytes) || !is_here(from.ip()) {
            return;
        }
        if self.udp != Udp::BeingAsked && self.asked_at.elapsed() >= HOLDS {
            self.ask();
        }
        self.serve(from, bytes.to_vec());
    }

    fn serve(&mut self, from: SocketAddr, request: Vec<u8>) {
        match self.udp {
            Udp::BeingAsked => {
                if self.held.len() < LINES || self.held.contains_key(&from) {
                    self.held.insert(from, request);
                }
            }
            Udp::Works => {
                if let Some(refusal) = stun::refusal(&request) {
                    let _ = self.library.try_send_to(&refusal, from);
                }
            }
            Udp::Blocked => self.open(from, request),
        }
    }

    /// While none is opened, the library asks again.
    fn open(&mut self, from: SocketAddr, request: Vec<u8>) {
        if self.lines.len() >= LINES || Instant::now() < self.pause_until {
            return;
        }
        let (line, outgoing) = line::queue(request);
        self.lines.insert(from, line);
        let (sockets, library) = (self.sockets.clone(), self.library.clone());
        self.running
            .spawn(line::live(sockets, outgoing, library, from));
    }

    fn end(&mut self, ended: Result<Ended, JoinError>) {
        self.lines.retain(|_, line| !line.is_closed());
        match ended {
            Ok(Ended::Over) => self.useless = 0,
            // Of several that failed together, one counts.
            Ok(Ended::Useless) if Instant::now() < self.pause_until => {}
            Ok(Ended::Useless) => {
                let pause = PAUSE.saturating_mul(1 << self.useless.min(5));
                self.pause_until = Instant::now() + pause.min(LONGEST_PAUSE);
                self.useless = self.useless.saturating_add(1);
            }
            // It was ended.
            Err(_) => {}
        }
    }
}

/// Whether this is an own address of this computer. Nothing from elsewhere
/// should come to loopback, and nothing that does is looked at.
fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok()
}

async fn done(probe: &mut Option<Probe>) -> bool {
    match probe {
        Some(probe) => probe.await,
        None => std::future::pending().await,
    }
}
