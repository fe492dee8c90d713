//! Whom an allocation may name as its peer: relayed addresses of this very
//! server, as it told them, and nobody else.
//!
//! An address counts only exactly as it was told. The same one in other
//! clothes (mapped, compatible, 6to4, NAT64) is another address here, and so
//! is none of ours.

use std::net::{IpAddr, SocketAddr};

/// Relayed addresses have these ports (RFC 8656 §7.2). Nothing is bound to
/// them: they are names of allocations.
pub const FIRST: u16 = 49_152;
pub const LAST: u16 = u16::MAX;

/// Addresses of former networks that are still known.
const FORMER: usize = 8;

#[derive(Debug)]
pub struct Own {
    /// The one that is told now stands last.
    told: Vec<IpAddr>,
}

impl Own {
    pub fn new(ip: IpAddr) -> Self {
        Self { told: vec![ip] }
    }

    /// New allocations are at this address from now on.
    pub fn tell(&mut self, ip: IpAddr) {
        self.told.retain(|known| *known != ip);
        self.told.push(ip);
        if self.told.len() > FORMER {
            self.told.remove(0);
        }
    }

    pub fn told(&self) -> IpAddr {
        *self.told.last().expect("there is always one")
    }

    /// Whether an allocation of this server is, was or could be there. One that
    /// has ended must not make a client lose its other permissions, which it
    /// renews in one request.
    pub fn are(&self, peer: SocketAddr) -> bool {
        peer.port() >= FIRST && self.told.contains(&peer.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_ours_only_as_it_was_told() {
        let mut own = Own::new("203.0.113.5".parse().unwrap());
        let check = |own: &Own, peer: &str, expect: bool| {
            assert_eq!(own.are(peer.parse().unwrap()), expect, "{peer}");
        };
        check(&own, "203.0.113.5:49152", true);
        check(&own, "203.0.113.5:65535", true);
        check(&own, "203.0.113.5:49151", false);
        check(&own, "203.0.113.5:3478", false);
        check(&own, "203.0.113.6:50000", false);
        check(&own, "[::ffff:203.0.113.5]:50000", false);
        check(&own, "[::203.0.113.5]:50000", false);
        check(&own, "[2002:cb00:7105::1]:50000", false);
        check(&own, "[64:ff9b::203.0.113.5]:50000", false);
        own.tell("192.168.1.7".parse().unwrap());
        check(&own, "203.0.113.5:50000", true);
        check(&own, "192.168.1.7:50000", true);
        assert_eq!(own.told().to_string(), "192.168.1.7");
    }
}
