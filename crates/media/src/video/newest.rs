//! A slot that holds the newest of something. Putting replaces; nothing ever
//! queues, and whoever looks late sees what is true now.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Holds the newest value, numbered from 1.
pub struct Newest<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

struct Inner<T> {
    value: Option<T>,
    number: u64,
    closed: bool,
}

/// What waiting came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited<T> {
    Got(u64, T),
    Timeout,
    Closed,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                value: None,
                number: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<T: Clone> Newest<T> {
    /// Replace what is there. Returns its number.
    pub fn put(&self, value: T) -> u64 {
        let mut inner = self.lock();
        inner.number += 1;
        inner.value = Some(value);
        self.changed.notify_all();
        inner.number
    }

    /// What is there, if anything, is as new as if it was put now.
    pub fn again(&self) {
        let mut inner = self.lock();
        if inner.value.is_some() {
            inner.number += 1;
            self.changed.notify_all();
        }
    }

    /// Take away what is there. Numbers go on.
    pub fn clear(&self) {
        self.lock().value = None;
    }

    /// Nothing comes any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub fn get(&self) -> Option<(u64, T)> {
        let inner = self.lock();
        inner.value.clone().map(|value| (inner.number, value))
    }

    /// What is there, if it is newer than number `after`.
    pub fn after(&self, after: u64) -> Option<(u64, T)> {
        let inner = self.lock();
        if inner.number <= after {
            return None;
        }
        inner.value.clone().map(|value| (inner.number, value))
    }

    /// Wait for something newer than number `after`.
    pub fn wait(&self, after: u64, at_most: Duration) -> Waited<T> {
        let until = Instant::now() + at_most;
        let mut inner = self.lock();
        loop {
            if let (true, Some(value)) = (inner.number > after, &inner.value) {
                return Waited::Got(inner.number, value.clone());
            }
            if inner.closed {
                return Waited::Closed;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Waited::Timeout;
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(inner, _)| inner);
        }
    }

    // A value is replaced whole, so a panic elsewhere leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn the_newest_replaces_what_nobody_took() {
        let slot = Newest::default();
        slot.put("one");
        slot.put("two");
        assert_eq!(slot.get(), Some((2, "two")));
        assert_eq!(slot.after(1), Some((2, "two")));
        assert_eq!(slot.after(2), None);
    }

    #[test]
    fn waiting_ends_with_a_value_a_timeout_or_the_end() {
        let slot = Arc::new(Newest::default());
        assert_eq!(slot.wait(0, Duration::ZERO), Waited::Timeout);
        let other = Arc::clone(&slot);
        let waiter = thread::spawn(move || other.wait(0, Duration::from_secs(10)));
        slot.put(7);
        assert_eq!(waiter.join().expect("it ends"), Waited::Got(1, 7));
        slot.close();
        assert_eq!(slot.wait(1, Duration::from_secs(10)), Waited::Closed);
    }

    #[test]
    fn what_is_there_can_be_new_again() {
        let slot = Newest::default();
        slot.again();
        assert_eq!(slot.after(0), None);
        slot.put('a');
        assert_eq!(slot.after(1), None);
        slot.again();
        assert_eq!(slot.after(1), Some((2, 'a')));
    }

    #[test]
    fn what_was_cleared_is_not_seen_and_numbers_go_on() {
        let slot = Newest::default();
        slot.put('a');
        slot.clear();
        assert_eq!(slot.get(), None);
        assert_eq!(slot.put('b'), 2);
    }
}
