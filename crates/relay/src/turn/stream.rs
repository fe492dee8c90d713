//! Doors that are streams. Where UDP does not get through, a client brings its
//! datagrams by a stream that keeps them apart; each such stream is one client
//! and a door of its own. This is the server's side of it: which streams there
//! are, and the queues to and from them. What the streams are made of is the
//! business of whoever enters.
//!
//! Outward, what finds the queue full is lost, as datagrams are: a client that
//! reads slowly costs nobody else anything. Inward, whoever brings more than
//! can be looked at waits, and TCP tells the client so.

use super::{
    server::{Datagram, Door, Path},
    udp::Handle,
};
use std::{collections::BTreeMap, net::SocketAddr};
use tokio::sync::{mpsc, oneshot};

/// Datagrams that wait for one client. Raising it lets a slow line hold more
/// memory, and hear what is said the later.
const OUTGOING: usize = 128;
/// What all streams want that waits to be looked at.
const VISITS: usize = 256;

/// What a stream wants, in the order in which it wants it.
#[derive(Debug)]
pub enum Visit {
    Enter(oneshot::Sender<(Door, Outgoing)>),
    Datagram {
        path: Path,
        bytes: Vec<u8>,
    },
    IsHome {
        door: Door,
        answer: oneshot::Sender<bool>,
    },
    Leave(Door),
}

pub fn queue() -> (mpsc::Sender<Visit>, mpsc::Receiver<Visit>) {
    mpsc::channel(VISITS)
}

/// What goes out by one stream, in order. It ends with the server.
pub type Outgoing = mpsc::Receiver<Vec<u8>>;

/// One stream, in the hands of whoever reads from it. Dropped, its door is
/// closed, and what was allocated by it ends.
#[derive(Debug)]
pub struct Inlet {
    path: Path,
    visits: mpsc::Sender<Visit>,
}

impl Handle {
    /// A stream from this client begins.
    pub(crate) async fn enter(&self, client: SocketAddr) -> Option<(Inlet, Outgoing)> {
        let visits = self.visits.clone();
        let (answer, wait) = oneshot::channel();
        visits.send(Visit::Enter(answer)).await.ok()?;
        let (door, outgoing) = wait.await.ok()?;
        let path = Path { door, client };
        Some((Inlet { path, visits }, outgoing))
    }
}

impl Inlet {
    /// Hands over one datagram, when there is room for it. `false`: the server
    /// is gone.
    pub async fn bring(&self, bytes: Vec<u8>) -> bool {
        let path = self.path;
        let visit = Visit::Datagram { path, bytes };
        self.visits.send(visit).await.is_ok()
    }

    /// Whether this client has an allocation that lives.
    pub async fn is_home(&self) -> bool {
        let (answer, wait) = oneshot::channel();
        let door = self.path.door;
        let asked = self.visits.send(Visit::IsHome { door, answer }).await;
        asked.is_ok() && wait.await.unwrap_or_default()
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        // With no room for it, the next sweep finds the stream gone.
        let _ = self.visits.try_send(Visit::Leave(self.path.door));
    }
}

/// The streams there are.
#[derive(Debug, Default)]
pub struct Streams(BTreeMap<Door, mpsc::Sender<Vec<u8>>>);

impl Streams {
    pub fn enter(&mut self, door: Door) -> Outgoing {
        let (out, outgoing) = mpsc::channel(OUTGOING);
        self.0.insert(door, out);
        outgoing
    }

    pub fn has(&self, door: Door) -> bool {
        self.0.contains_key(&door)
    }

    /// Whether there was such a stream.
    pub fn leave(&mut self, door: Door) -> bool {
        self.0.remove(&door).is_some()
    }

    /// Sends, or loses, what is for a stream.
    pub fn send(&self, datagram: Datagram) {
        if let Some(out) = self.0.get(&datagram.to.door) {
            let _ = out.try_send(datagram.bytes);
        }
    }

    /// Takes out the streams that went without a word.
    pub fn sweep(&mut self) -> Vec<Door> {
        let mut gone = Vec::new();
        self.0.retain(|door, out| {
            let here = !out.is_closed();
            if !here {
                gone.push(*door);
            }
            here
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(door: Door, byte: u8) -> Datagram {
        let client = "198.51.100.1:4000".parse().unwrap();
        let to = Path { door, client };
        let bytes = vec![byte];
        Datagram { to, bytes }
    }

    #[test]
    fn a_stream_that_is_not_read_loses_what_is_new_and_holds_no_more() {
        let mut streams = Streams::default();
        let (slow, quick) = (Door(1), Door(2));
        let (mut slowly, mut quickly) = (streams.enter(slow), streams.enter(quick));
        for n in 0..=255 {
            streams.send(datagram(slow, n));
            streams.send(datagram(quick, n));
            assert_eq!(quickly.try_recv(), Ok(vec![n]));
        }
        let kept: Vec<_> = std::iter::from_fn(|| slowly.try_recv().ok()).collect();
        let first: Vec<_> = (0..=255).take(OUTGOING).map(|n| vec![n]).collect();
        assert_eq!(kept, first);
    }

    #[test]
    fn a_stream_that_went_is_found_and_what_is_for_it_goes_nowhere() {
        let mut streams = Streams::default();
        let (gone, here) = (Door(1), Door(2));
        drop(streams.enter(gone));
        let _reads = streams.enter(here);
        streams.send(datagram(gone, 1));
        streams.send(datagram(Door(3), 1));
        assert_eq!(streams.sweep(), [gone]);
        assert!(streams.sweep().is_empty());
        assert!(streams.leave(here) && !streams.leave(gone));
    }
}
