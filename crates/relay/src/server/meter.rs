//! How much has come in on a connection since its last whole message, and for
//! how long: what a message is made of is not seen until it is whole, so that
//! one which never ends, or ends in a million pieces, is noticed here.
//!
//! It counts bytes below WebSocket and knows nothing of what they mean; the
//! socket says when a message was whole. For the same reason it hands out
//! little at a time: what reads WebSocket does not stop before a message is
//! whole or nothing is left, and everybody else would wait for that.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// One connection's count. Clones count the same connection.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Count>>);

#[derive(Debug, Default)]
struct Count {
    /// Most bytes of one message; without, only counted.
    most: Option<usize>,
    bytes: usize,
    since: Option<Instant>,
}

impl Meter {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing is read beyond so many bytes for one message. What
    /// came before this, in one piece with a request, is not counted.
    pub fn limit(&self, most: usize) {
        *self.count() = Count {
            most: Some(most),
            ..Count::default()
        };
    }

    /// A message was whole. What has come of the next already is not counted:
    /// it is one read at most.
    pub fn reset(&self) {
        let mut count = self.count();
        (count.bytes, count.since) = (0, None);
    }

    /// So many bytes belonged to no message.
    pub fn forgive(&self, bytes: usize) {
        let mut count = self.count();
        count.bytes = count.bytes.saturating_sub(bytes);
        if count.bytes == 0 {
            count.since = None;
        }
    }

    /// For how long a message has been on its way.
    pub fn pending_for(&self, now: Instant) -> Duration {
        let since = self.count().since;
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    fn came(&self, now: Instant, bytes: usize) -> io::Result<()> {
        let mut count = self.count();
        count.bytes = count.bytes.saturating_add(bytes);
        if bytes > 0 {
            count.since.get_or_insert(now);
        }
        match count.most {
            Some(most) if count.bytes > most => Err(io::ErrorKind::InvalidData.into()),
            _ => Ok(()),
        }
    }
}

/// Bytes in a row before others have their turn: the smallest frames there
/// are, some 170 of them, are done in a few hundredths of a millisecond.
const TURN: usize = 1024;

/// A connection whose incoming bytes are counted.
#[derive(Debug)]
pub struct Metered<S> {
    stream: S,
    meter: Meter,
    /// Bytes of this turn.
    turn: usize,
}

impl<S> Metered<S> {
    pub fn new(stream: S, meter: Meter) -> Self {
        Self {
            stream,
            meter,
            turn: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = TURN - self.turn;
        if left == 0 {
            self.turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = buf.remaining().min(left);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let bytes = part.filled().len();
        buf.advance(bytes);
        self.turn += bytes;
        Poll::Ready(self.meter.came(Instant::now(), bytes))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::io::AsyncReadExt as _;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn whoever_never_stops_has_others_take_their_turn() {
        let endless = tokio::io::repeat(0);
        let mut metered = Metered::new(endless, Meter::default());
        let read = async {
            let mut buffer = vec![0; 1024 * 1024];
            let mut sizes = Vec::new();
            // Until it would have to wait, as WebSocket reads.
            while let Some(read) = metered.read(&mut buffer).now_or_never() {
                sizes.push(read.expect("it never ends"));
            }
            sizes
        };
        assert_eq!(read.await, [TURN]);
        let mut rest = vec![0; 3 * TURN];
        let all = metered.read_exact(&mut rest).await;
        assert_eq!(all.expect("it never ends"), rest.len(), "nothing is lost");
    }

    #[test]
    fn a_message_is_measured_from_its_first_byte_to_its_last() {
        let (meter, now) = (Meter::default(), Instant::now());
        meter.came(now, 1000).unwrap();
        meter.limit(10);
        assert_eq!(meter.pending_for(now), Duration::ZERO);
        meter.came(now, 8).unwrap();
        assert_eq!(meter.pending_for(now + SECOND), SECOND);
        meter.came(now + SECOND, 6).unwrap_err();
        meter.reset();
        assert_eq!(meter.pending_for(now + SECOND), Duration::ZERO);
        meter.came(now + SECOND, 10).unwrap();
    }

    #[test]
    fn a_ping_in_between_is_no_part_of_it_and_hides_nothing() {
        let (meter, now) = (Meter::default(), Instant::now());
        meter.limit(10);
        for _ in 0..100 {
            meter.came(now, 6).unwrap();
            meter.forgive(6);
        }
        assert_eq!(meter.pending_for(now + SECOND), Duration::ZERO);
        meter.came(now, 3).unwrap();
        meter.came(now + SECOND, 6).unwrap();
        meter.forgive(6);
        assert_eq!(meter.pending_for(now + SECOND), SECOND);
    }
}
