//! The sockets under a peer connection, watched. One thing is looked for: the
//! alert with which our own DTLS breaks off a handshake because of the peer's
//! certificate. The library sends it and says nothing; on the wire it is in
//! clear (RFC 6347 §4.1, epoch 0), and as we look at what leaves this machine,
//! nobody else can make it up.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
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

/// The usual runtime, with watched UDP sockets.
pub(super) struct Watched {
    inner: Arc<dyn Runtime>,
    refused: Arc<Notify>,
}

impl Watched {
    /// `refused` is notified when we refuse the peer's certificate.
    pub(super) fn new(inner: Arc<dyn Runtime>, refused: Arc<Notify>) -> Self {
        Self { inner, refused }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<watched runtime>")
    }
}

impl Runtime for Watched {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(WatchedSocket {
            inner: self.inner.wrap_udp_socket(socket)?,
            refused: Arc::clone(&self.refused),
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
        self.inner.sleep(duration)
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
    refused: Arc<Notify>,
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
            self.refused.notify_one();
        }
        self.inner.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_recv(cx, bufs, meta)
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
