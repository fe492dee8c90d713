//! Which streams, by name (SSRC), get as far as SRTP. The library keeps a state
//! for every name it ever saw, and does so before it knows whether a packet is
//! genuine: whoever counts through the names fills the memory. Media has the
//! names that the peer's description says; RTCP may have a few more.

use std::collections::BTreeSet;

/// Names beside the described ones: reports and feedback have their own.
const OTHERS: usize = 64;

/// First octets of SRTP and SRTCP, and of a TURN channel around them (RFC
/// 7983, RFC 8656 §12.4).
const SRTP: std::ops::RangeInclusive<u8> = 128..=191;
const CHANNEL: std::ops::RangeInclusive<u8> = 64..=79;
const CHANNEL_HEADER: usize = 4;
/// Types of RTCP (RFC 5761 §4).
const RTCP: std::ops::RangeInclusive<u8> = 192..=223;

/// No protocol begins like this: the library drops it unread.
const NOTHING: u8 = 0xff;

#[derive(Debug, Default)]
pub(super) struct Names {
    described: BTreeSet<u32>,
    others: BTreeSet<u32>,
}

impl Names {
    /// The peer's description says these.
    pub(super) fn describe(&mut self, names: BTreeSet<u32>) {
        self.described.extend(names);
    }

    /// Spoils a datagram whose name is one too many.
    pub(super) fn look_at(&mut self, datagram: &mut [u8]) {
        let packet = match datagram.first() {
            Some(first) if CHANNEL.contains(first) => datagram.get_mut(CHANNEL_HEADER..),
            _ => Some(datagram),
        };
        if let Some([first, rest @ ..]) = packet
            && SRTP.contains(first)
            && !self.admits(rest)
        {
            *first = NOTHING;
        }
    }

    /// `rest`: without the first octet.
    fn admits(&mut self, rest: &[u8]) -> bool {
        let rtcp = rest.first().is_some_and(|kind| RTCP.contains(kind));
        let at = if rtcp { 3 } else { 7 };
        let Some(&[a, b, c, d]) = rest.get(at..at + 4) else {
            // Too short to be anything.
            return false;
        };
        let name = u32::from_be_bytes([a, b, c, d]);
        if self.described.contains(&name) || self.others.contains(&name) {
            return true;
        }
        let room = rtcp && self.others.len() < OTHERS;
        room && self.others.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(name: u32) -> Vec<u8> {
        [
            &[0x80, 96, 0, 1, 0, 0, 0, 0][..],
            &name.to_be_bytes(),
            &[7; 20],
        ]
        .concat()
    }

    fn rtcp(name: u32) -> Vec<u8> {
        [&[0x81, 201, 0, 7][..], &name.to_be_bytes(), &[7; 24]].concat()
    }

    fn passes(names: &mut Names, datagram: &[u8]) -> bool {
        let mut seen = datagram.to_vec();
        names.look_at(&mut seen);
        let passes = seen == datagram;
        assert!(passes || seen.contains(&NOTHING));
        passes
    }

    #[test]
    fn media_has_the_described_names_and_no_other() {
        let mut names = Names::default();
        names.describe(BTreeSet::from([5, 6]));
        assert!(passes(&mut names, &rtp(5)));
        assert!(passes(&mut names, &rtcp(6)));
        assert!(!passes(&mut names, &rtp(7)));
        for strange in 0..100_000 {
            passes(&mut names, &rtp(strange));
        }
        assert!(names.others.is_empty());
    }

    #[test]
    fn a_few_others_may_report_and_the_described_ones_always() {
        let mut names = Names::default();
        names.describe(BTreeSet::from([1_000_000]));
        let passed = (0..100_000).filter(|&name| passes(&mut names, &rtcp(name)));
        assert_eq!(passed.count(), OTHERS);
        assert!(passes(&mut names, &rtcp(3)), "one of the first");
        assert!(passes(&mut names, &rtcp(1_000_000)));
    }

    #[test]
    fn what_comes_through_a_relay_is_looked_at_too() {
        let mut names = Names::default();
        names.describe(BTreeSet::from([5]));
        let wrapped = |packet: Vec<u8>| [&[0x40, 1, 0, 32][..], &packet].concat();
        assert!(passes(&mut names, &wrapped(rtp(5))));
        assert!(!passes(&mut names, &wrapped(rtp(6))));
    }

    #[test]
    fn everything_else_passes_and_nothing_is_too_short() {
        let mut names = Names::default();
        let check = |names: &mut Names, octets: &[u8]| assert!(passes(names, octets), "{octets:?}");
        check(&mut names, &[]);
        check(&mut names, &[0, 1, 0, 0]);
        check(&mut names, &[22, 0xfe, 0xfd, 0]);
        check(&mut names, &[0x40, 1]);
        for length in 1..12 {
            names.look_at(&mut rtp(5)[..length]);
            names.look_at(&mut rtcp(5)[..length.min(7)]);
        }
        assert!(names.others.is_empty());
    }
}
