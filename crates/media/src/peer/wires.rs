//! The runtime under a peer connection: what comes in is looked at first, the
//! library's loop is kept from sleeping over what it has to send, and two
//! things that it does not tell are watched for.
//!
//! Its task that ends by itself, be it by a panic: the connection is over then,
//! and nothing else is.
//!
//! And, on the sockets, the alert with which our own DTLS breaks off a handshake
//! because of the peer's certificate. The library sends it and says nothing; on
//! the wire it is in clear (RFC 6347 §4.1, epoch 0), and as we look at what
//! leaves this machine, nobody else can make it up.

use super::names::Names;
use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    Transmit,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// DTLS record: type, version, epoch, sequence number, length.
const RECORD: usize = 13;
const ALERT: u8 = 21;
const FATAL: u8 = 2;

/// Alerts that speak of the certificate (RFC 5246 §7.2): bad, unsupported,
/// revoked, expired, unknown, no certificate authority, access denied.
const OF_CERTIFICATES: std::ops::RangeInclusive<u8> = 42..=49;

/// Rounds of the library's loop in a row before it may sleep: see [`Rounds`].
const ROUNDS: u8 = 3;

/// The usual runtime, with watched tasks, UDP sockets and naps.
pub(super) struct Watched {
    inner: Arc<dyn Runtime>,
    signs: Signs,
}

/// Whether the library's loop may sleep. In each round it sends first and then
/// looks at what happened, so what it says because of that would lie there
/// until something else wakes it; through a TURN server, with whose client it
/// deals in the same order, one round longer, and when a flight of the handshake
/// is answered, one more. In the middle of a handshake nothing else wakes it,
/// for up to a second. So until the handshake is done and the data channel is
/// open, it goes round a few times more after whatever woke it. Later, voices
/// wake it.
#[derive(Debug, Clone, Default)]
pub(super) struct Rounds(Arc<AtomicU8>);

/// No more of them.
const ENOUGH: u8 = u8::MAX;

impl Rounds {
    /// What to sleep instead of `wanted`, and whether that is a round more.
    fn bound(&self, wanted: Duration) -> (Duration, bool) {
        match self.0.load(Ordering::Relaxed) {
            ENOUGH => (wanted, false),
            gone if gone < ROUNDS => (Duration::ZERO, true),
            gone => {
                self.change(gone, 0);
                (wanted, false)
            }
        }
    }

    /// Something happened in the middle of a round.
    fn woken(&self) {
        let gone = self.0.load(Ordering::Relaxed);
        if gone != ENOUGH {
            self.change(gone, 0);
        }
    }

    /// A round was gone without anything new.
    fn gone(&self) {
        let gone = self.0.load(Ordering::Relaxed);
        if gone < ROUNDS {
            self.change(gone, gone + 1);
        }
    }

    /// It may sleep from now on.
    pub(super) fn end(&self) {
        self.0.store(ENOUGH, Ordering::Relaxed);
    }

    fn change(&self, from: u8, to: u8) {
        // Meanwhile it may have been ended.
        let relaxed = Ordering::Relaxed;
        let _ = self.0.compare_exchange(from, to, relaxed, relaxed);
    }
}

/// One round more. Dropped before it is gone, it was cut short.
struct Round(Option<Rounds>);

impl Round {
    fn gone(mut self) {
        if let Some(rounds) = self.0.take() {
            rounds.gone();
        }
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        if let Some(rounds) = self.0.take() {
            rounds.woken();
        }
    }
}

/// What is told of it.
#[derive(Clone, Default)]
pub(super) struct Signs {
    /// We refused the peer's certificate.
    pub refused: Arc<Notify>,
    /// The library's task ended.
    pub ended: Arc<Notify>,
    /// The other way: which streams may come in.
    pub names: Arc<Mutex<Names>>,
    /// And how it loops.
    pub rounds: Rounds,
}

impl Signs {
    pub(super) fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of its end however it comes.
struct Ending(Arc<Notify>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Watched {
    pub(super) fn new(inner: Arc<dyn Runtime>, signs: Signs) -> Self {
        Self { inner, signs }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<watched runtime>")
    }
}

impl Runtime for Watched {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        let ending = Ending(Arc::clone(&self.signs.ended));
        self.inner.spawn(Box::pin(async move {
            let _ending = ending;
            future.await;
        }))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(WatchedSocket {
            inner: self.inner.wrap_udp_socket(socket)?,
            signs: self.signs.clone(),
        }))
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.inner.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.inner.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        let (bound, more) = self.signs.rounds.bound(duration);
        let sleeping = self.inner.sleep(bound);
        if !more {
            return sleeping;
        }
        let round = Round(Some(self.signs.rounds.clone()));
        Box::pin(async move {
            sleeping.await;
            round.gone();
        })
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.inner.yield_now()
    }
}

struct WatchedSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    signs: Signs,
}

impl fmt::Debug for WatchedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<watched socket>")
    }
}

impl AsyncUdpSocket for WatchedSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if refuses_certificate(transmit.contents) {
            self.signs.refused.notify_one();
        }
        self.inner.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = ready!(self.inner.poll_recv(cx, bufs, meta))?;
        let mut names = self.signs.names();
        for (buf, meta) in bufs.iter_mut().zip(meta.iter()).take(received) {
            let length = meta.len.min(buf.len());
            for datagram in buf[..length].chunks_mut(meta.stride.max(1)) {
                names.look_at(datagram);
            }
        }
        Poll::Ready(Ok(received))
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// Whether one of the DTLS records in `datagram` is such an alert, in clear.
fn refuses_certificate(datagram: &[u8]) -> bool {
    let mut rest = datagram;
    // DTLS begins with 20 to 63 (RFC 7983); SRTP is most of what passes.
    while let [kind @ 20..=63, _, _, 0, 0, ..] = rest {
        let Some(length) = rest.get(11..RECORD) else {
            return false;
        };
        let end = RECORD + usize::from(u16::from_be_bytes([length[0], length[1]]));
        let Some(body) = rest.get(RECORD..end) else {
            return false;
        };
        if let (ALERT, &[FATAL, what]) = (*kind, body)
            && OF_CERTIFICATES.contains(&what)
        {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, 0];
        record.push(body.len() as u8);
        record.extend_from_slice(body);
        record
    }

    #[test]
    fn a_refused_certificate_is_seen_wherever_the_alert_stands() {
        let alert = record(21, 0, &[2, 42]);
        assert!(refuses_certificate(&alert));
        assert!(refuses_certificate(
            &[record(22, 0, &[7; 9]), alert].concat()
        ));
    }

    #[test]
    fn a_loop_sleeps_when_it_went_round_with_nothing_new() {
        let (rounds, long) = (Rounds::default(), Duration::from_secs(1));
        for _ in 0..3 {
            for _ in 0..ROUNDS {
                assert_eq!(rounds.bound(long), (Duration::ZERO, true));
                rounds.gone();
            }
            assert_eq!(rounds.bound(long), (long, false));
        }
        // Something happened in the middle of it, and counts like any other.
        Round(Some(rounds.clone())).gone();
        drop(Round(Some(rounds.clone())));
        for _ in 0..ROUNDS {
            assert_eq!(rounds.bound(long), (Duration::ZERO, true));
            Round(Some(rounds.clone())).gone();
        }
        assert_eq!(rounds.bound(long), (long, false));
        rounds.clone().end();
        drop(Round(Some(rounds.clone())));
        rounds.gone();
        for _ in 0..3 {
            assert_eq!(rounds.bound(long), (long, false));
        }
    }

    #[test]
    fn anything_else_is_not() {
        let alert = record(21, 0, &[2, 42]);
        for len in 0..alert.len() {
            assert!(!refuses_certificate(&alert[..len]), "{len}");
        }
        assert!(!refuses_certificate(&record(21, 0, &[1, 0])));
        assert!(!refuses_certificate(&record(21, 0, &[2, 40])));
        assert!(!refuses_certificate(&record(21, 1, &[2, 42])));
        assert!(!refuses_certificate(&record(22, 0, &[2, 42])));
        assert!(!refuses_certificate(&[0x80; 1200]));
    }
}
