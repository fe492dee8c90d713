//! Things that are good once and for a short time: challenges and tickets.

use sotto_wire::Millis;
use std::collections::HashMap;

/// Values by name, each to be taken once before it ends. Holds at most
/// `room`; when full, what would end first makes way.
#[derive(Debug)]
pub struct Once<T> {
    room: usize,
    held: HashMap<[u8; 32], (T, Millis)>,
}

impl<T> Once<T> {
    pub fn new(room: usize) -> Self {
        Self {
            room,
            held: HashMap::new(),
        }
    }

    pub fn put(&mut self, now: Millis, name: [u8; 32], value: T, end: Millis) {
        if self.held.len() >= self.room {
            self.held.retain(|_, (_, end)| *end > now);
        }
        if self.held.len() >= self.room {
            let first = self.held.iter().min_by_key(|(_, (_, end))| *end);
            if let Some(name) = first.map(|(name, _)| *name) {
                self.held.remove(&name);
            }
        }
        self.held.insert(name, (value, end));
    }

    /// The value, which is gone by this even if it has ended.
    pub fn take(&mut self, now: Millis, name: &[u8; 32]) -> Option<T> {
        let (value, end) = self.held.remove(name)?;
        (end > now).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_taken_once_and_in_time() {
        let mut once = Once::new(8);
        once.put(0, [1; 32], "a", 10);
        once.put(0, [2; 32], "b", 10);
        assert_eq!(once.take(9, &[1; 32]), Some("a"));
        assert_eq!(once.take(9, &[1; 32]), None);
        assert_eq!(once.take(10, &[2; 32]), None);
        assert_eq!(once.take(0, &[2; 32]), None);
    }

    #[test]
    fn it_never_holds_more_than_its_room() {
        let mut once = Once::new(2);
        for n in 0..100u8 {
            once.put(0, [n; 32], n, u64::from(n) + 1);
        }
        assert_eq!(once.held.len(), 2);
        assert_eq!(once.take(0, &[99; 32]), Some(99));
    }
}
