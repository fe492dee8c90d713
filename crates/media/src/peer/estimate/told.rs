//! Which packets the other end has said anything about. Its reports get lost
//! as packets do, and the library counts all that a lost report would have
//! told of as lost: then a path that is full the other way looks full this way.

use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reports remembered: some seconds of them.
const REPORTS: usize = 64;

/// Written where reports come in, read where they are weighed.
#[derive(Debug, Clone, Default)]
pub(in crate::peer) struct Told(Arc<Mutex<VecDeque<(u16, u16)>>>);

impl Told {
    pub(in crate::peer) fn add(&self, report: &TransportLayerCc) {
        self.add_range(report.base_sequence_number, report.packet_status_count);
    }

    /// So many packets from the first on.
    pub(super) fn add_range(&self, first: u16, count: u16) {
        let mut ranges = self.lock();
        ranges.push_back((first, count));
        if ranges.len() > REPORTS {
            ranges.pop_front();
        }
    }

    /// Whether a report told of this packet, by its transport-wide number.
    pub(super) fn of(&self, packet: u16) -> bool {
        let within = |(first, count): &(u16, u16)| packet.wrapping_sub(*first) < *count;
        self.lock().iter().any(within)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u16, u16)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_two_reports_was_not_told_of() {
        let told = Told::default();
        told.add_range(65_530, 10);
        told.add_range(10, 5);
        let known: Vec<u16> = (0..20).filter(|n| told.of(*n)).collect();
        assert_eq!(known, [0, 1, 2, 3, 10, 11, 12, 13, 14]);
        assert!(told.of(65_530) && !told.of(65_529));
    }

    #[test]
    fn old_reports_are_forgotten() {
        let told = Told::default();
        for n in 0..=REPORTS as u16 {
            told.add_range(n * 10, 10);
        }
        assert!(!told.of(9));
        assert!(told.of(10));
    }
}
