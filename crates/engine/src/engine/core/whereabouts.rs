//! Where this computer is: the own addresses that packets would leave from.
//! When one of them is gone while there is another, the network is another,
//! and connections over the old one lead nowhere without anybody saying so.
//!
//! The system is asked for its routes; no packet is sent.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    time::Duration,
};
use tokio::time::Instant;

/// How often to look. A call is interrupted after three seconds of silence;
/// raising this makes people notice a change of network.
const EVERY: Duration = Duration::from_secs(1);

/// Addresses that stand for the whole Internet and for nobody (RFC 5737, RFC
/// 3849).
const ANYWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

pub struct Whereabouts {
    next: Instant,
    known: BTreeSet<IpAddr>,
}

impl Default for Whereabouts {
    fn default() -> Self {
        Self {
            next: Instant::now(),
            known: BTreeSet::new(),
        }
    }
}

impl Whereabouts {
    /// When it is time to look again.
    pub async fn due(&self) {
        tokio::time::sleep_until(self.next).await;
    }

    /// Looks; `hosts` are the relays, as far as they are given by address.
    pub fn changed<'a>(&mut self, hosts: impl Iterator<Item = &'a str>) -> bool {
        self.next = Instant::now() + EVERY;
        let relays = hosts.filter_map(|host| host.trim_matches(['[', ']']).parse().ok());
        let seen = ANYWHERE.into_iter().chain(relays);
        self.take(seen.filter_map(leaves_from).collect())
    }

    /// What is seen now, against what was seen before.
    fn take(&mut self, seen: BTreeSet<IpAddr>) -> bool {
        if seen.is_empty() {
            // Nowhere. Whether it will be somewhere else is not known yet.
            return false;
        }
        let gone = self.known.difference(&seen).next().is_some();
        self.known = seen;
        gone
    }
}

/// The own address that the system would take towards this one.
fn leaves_from(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // The port is never used.
    socket.connect((to, 9)).ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_unspecified() && !own.is_loopback()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(all: &[&str]) -> BTreeSet<IpAddr> {
        all.iter().map(|a| a.parse().expect("an address")).collect()
    }

    #[test]
    fn only_an_address_that_is_gone_while_there_is_another_is_a_change() {
        let mut here = Whereabouts::default();
        let mut sees = |all: &[&str]| here.take(addresses(all));
        assert!(!sees(&["10.0.0.1"]), "the first look");
        assert!(!sees(&["10.0.0.1"]));
        assert!(!sees(&["10.0.0.1", "2001:db8::7"]), "one more");
        assert!(sees(&["2001:db8::7"]), "one less");
        assert!(!sees(&[]), "away");
        assert!(!sees(&["2001:db8::7"]), "and back as before");
        assert!(!sees(&[]));
        assert!(sees(&["192.168.1.5"]), "and back somewhere else");
    }

    #[test]
    fn looking_asks_the_system_and_loopback_is_nowhere() {
        assert_eq!(leaves_from(Ipv4Addr::LOCALHOST.into()), None);
        let mut here = Whereabouts::default();
        assert!(!here.changed(["127.0.0.1", "relay.example", "[::1]"].into_iter()));
    }
}
