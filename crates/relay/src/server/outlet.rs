//! What waits to be written to one socket: bounded in bytes, so that a reader
//! who does not read costs a known amount and nobody else anything.

use crate::hub::CloseCode;
use axum::extract::ws::Utf8Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::{mpsc, watch};

/// One thing to write.
#[derive(Debug)]
pub enum Item {
    Text(Utf8Bytes),
    Ping,
}

/// How a frame fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Queued,
    /// The queue is too full for passing frames.
    Dropped,
    /// The reader is too slow.
    Overflow,
}

/// The end to push into. Clones push into the same queue.
#[derive(Debug, Clone)]
pub struct Outlet {
    items: mpsc::UnboundedSender<Item>,
    closing: Arc<watch::Sender<Option<CloseCode>>>,
    gauge: Arc<Gauge>,
    room: usize,
}

/// The end to write from.
#[derive(Debug)]
pub struct Outflow {
    pub items: mpsc::UnboundedReceiver<Item>,
    pub closing: watch::Receiver<Option<CloseCode>>,
    gauge: Arc<Gauge>,
    room: usize,
}

#[derive(Debug, Default)]
struct Gauge {
    bytes: AtomicUsize,
    /// Someone waits for the queue to drain.
    hungry: AtomicBool,
}

/// A queue for `room` bytes.
pub fn outlet(room: usize) -> (Outlet, Outflow) {
    let (items, queue) = mpsc::unbounded_channel();
    let (closing, closed) = watch::channel(None);
    let gauge = Arc::new(Gauge::default());
    let outlet = Outlet {
        items,
        closing: Arc::new(closing),
        gauge: gauge.clone(),
        room,
    };
    (
        outlet,
        Outflow {
            items: queue,
            closing: closed,
            gauge,
            room,
        },
    )
}

impl Outlet {
    /// Passing frames are dropped first: they find only half of the queue.
    pub fn push(&self, text: Utf8Bytes, passing: bool) -> Pushed {
        let size = text.as_str().len();
        let before = self.gauge.bytes.load(Ordering::SeqCst);
        let after = before + size;
        if passing && after > self.room / 2 {
            return Pushed::Dropped;
        }
        // Into an empty queue anything fits, or a large frame would never arrive.
        if after > self.room && before > 0 {
            return Pushed::Overflow;
        }
        self.add(text);
        Pushed::Queued
    }

    /// Queues a stored frame. Those are read only while [`Outlet::has_space`],
    /// which bounds them by a page more than that.
    pub fn add(&self, text: Utf8Bytes) {
        self.gauge
            .bytes
            .fetch_add(text.as_str().len(), Ordering::SeqCst);
        // A writer that has ended takes nothing more; its socket is being closed.
        let _ = self.items.send(Item::Text(text));
    }

    pub fn ping(&self) {
        let _ = self.items.send(Item::Ping);
    }

    /// Nothing is pushed after this; what is queued is still written, as far as
    /// the reader takes it. The first reason stays.
    pub fn close(&self, code: CloseCode) {
        self.closing.send_if_modified(|closing| {
            let first = closing.is_none();
            closing.get_or_insert(code);
            first
        });
    }

    /// Why it was closed, if it was.
    pub fn closed(&self) -> Option<CloseCode> {
        *self.closing.borrow()
    }

    /// Whether stored frames may be added now. If not, [`Outflow::wrote`] will
    /// say when.
    pub fn has_space(&self) -> bool {
        let spacious = || self.gauge.bytes.load(Ordering::SeqCst) <= self.room / 4;
        if spacious() {
            return true;
        }
        self.gauge.hungry.store(true, Ordering::SeqCst);
        // The writer may have drained it in between.
        spacious() && self.gauge.hungry.swap(false, Ordering::SeqCst)
    }
}

impl Outflow {
    /// `size` bytes have been written. True when that made the space that
    /// [`Outlet::has_space`] waits for.
    pub fn wrote(&self, size: usize) -> bool {
        let before = self.gauge.bytes.fetch_sub(size, Ordering::SeqCst);
        before - size <= self.room / 4 && self.gauge.hungry.swap(false, Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_frames_go_first_and_then_the_reader() {
        let (outlet, flow) = outlet(100);
        let text = |n: usize| Utf8Bytes::from("x".repeat(n));
        assert_eq!(outlet.push(text(45), true), Pushed::Queued);
        assert_eq!(outlet.push(text(10), true), Pushed::Dropped);
        assert_eq!(outlet.push(text(50), false), Pushed::Queued);
        assert_eq!(outlet.push(text(10), false), Pushed::Overflow);
        assert!(!outlet.has_space());
        assert!(!flow.wrote(45));
        assert!(flow.wrote(50));
        assert!(!flow.wrote(0), "it is said once");
        assert!(outlet.has_space());
    }

    #[test]
    fn the_first_reason_to_close_stays() {
        let (outlet, flow) = outlet(1);
        outlet.close(CloseCode::TryAgainLater);
        outlet.close(CloseCode::GoingAway);
        assert_eq!(*flow.closing.borrow(), Some(CloseCode::TryAgainLater));
    }
}
