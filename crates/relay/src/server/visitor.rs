//! Where a request comes from, and under which names it may have reached us.

use axum::http::HeaderMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The two ends of an accepted TCP connection.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub peer: SocketAddr,
    pub local: SocketAddr,
}

/// Who is counted, limited and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    pub ip: IpAddr,
    /// Came through a proxy the operator trusts.
    pub forwarded: bool,
    local: SocketAddr,
}

impl Visitor {
    /// Believes `X-Forwarded-For` only from a trusted proxy, and of it only
    /// the last address that is not a trusted proxy itself: everything before
    /// that is the visitor's own invention.
    pub fn new(ends: Ends, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let peer = ends.peer.ip().to_canonical();
        let direct = Self {
            ip: peer,
            forwarded: false,
            local: ends.local,
        };
        if !trusted.contains(&peer) {
            return direct;
        }
        let values = headers.get_all("x-forwarded-for").iter();
        let list: Vec<&str> = values
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .collect();
        let mut ip = peer;
        for hop in list.iter().rev() {
            let Ok(hop) = hop.trim().parse::<IpAddr>() else {
                break;
            };
            ip = hop.to_canonical();
            if !trusted.contains(&ip) {
                break;
            }
        }
        Self {
            ip,
            forwarded: true,
            local: ends.local,
        }
    }

    /// What limits count: an address, or the /64 that one IPv6 user has.
    pub fn counted(&self) -> IpAddr {
        counted(self.ip)
    }

    /// Whether `audience` is a name of this relay: a configured one, or the
    /// address this very connection was accepted on. The `Host` header is not
    /// asked, since a relay in the middle would choose it.
    pub fn reached(&self, audience: &str, public: &[String]) -> bool {
        if public
            .iter()
            .any(|name| name.eq_ignore_ascii_case(audience))
        {
            return true;
        }
        if self.forwarded {
            return false;
        }
        let (ip, port) = (self.local.ip().to_canonical(), self.local.port());
        if audience == SocketAddr::new(ip, port).to_string() {
            return true;
        }
        let names = ["localhost", "127.0.0.1", "[::1]"];
        ip.is_loopback()
            && names
                .iter()
                .any(|name| audience == format!("{name}:{port}"))
    }
}

pub fn counted(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            match v6.is_loopback() {
                true => IpAddr::V6(v6),
                false => IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)),
            }
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(peer: &str, local: &str, forwarded: &[&str], trusted: &[&str]) -> Visitor {
        let ends = Ends {
            peer: peer.parse().unwrap(),
            local: local.parse().unwrap(),
        };
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|ip| ip.parse().unwrap()).collect();
        Visitor::new(ends, &headers, &trusted)
    }

    #[test]
    fn forwarded_addresses_count_only_from_a_trusted_proxy() {
        let check = |peer: &str, forwarded: &[&str], trusted: &[&str], expect: &str| {
            let visitor = visitor(peer, "10.0.0.1:80", forwarded, trusted);
            assert_eq!(visitor.ip, expect.parse::<IpAddr>().unwrap());
        };
        check("9.9.9.9:1", &["1.2.3.4"], &[], "9.9.9.9");
        check("9.9.9.9:1", &["1.2.3.4"], &["8.8.8.8"], "9.9.9.9");
        check("9.9.9.9:1", &["1.2.3.4"], &["9.9.9.9"], "1.2.3.4");
        // What the visitor wrote stands first and is not believed.
        check("9.9.9.9:1", &["7.7.7.7, 1.2.3.4"], &["9.9.9.9"], "1.2.3.4");
        check(
            "9.9.9.9:1",
            &["7.7.7.7", "1.2.3.4"],
            &["9.9.9.9"],
            "1.2.3.4",
        );
        check(
            "9.9.9.9:1",
            &["1.2.3.4, 8.8.8.8"],
            &["9.9.9.9", "8.8.8.8"],
            "1.2.3.4",
        );
        check("9.9.9.9:1", &["nonsense"], &["9.9.9.9"], "9.9.9.9");
        check("[::ffff:9.9.9.9]:1", &["1.2.3.4"], &["9.9.9.9"], "1.2.3.4");
    }

    #[test]
    fn one_ipv6_network_counts_as_one() {
        let count = |ip: &str| counted(ip.parse().unwrap());
        assert_eq!(count("2001:db8:1:2:3::4"), count("2001:db8:1:2:ffff::1"));
        assert_ne!(count("2001:db8:1:2::1"), count("2001:db8:1:3::1"));
        assert_eq!(count("::ffff:1.2.3.4"), count("1.2.3.4"));
        assert_ne!(count("1.2.3.4"), count("1.2.3.5"));
    }

    #[test]
    fn a_relay_answers_to_its_own_names_only() {
        let public = ["relay.example:443".to_owned()];
        let check = |visitor: Visitor, audience: &str, expect: bool| {
            assert_eq!(visitor.reached(audience, &public), expect, "{audience}");
        };
        let local = visitor("127.0.0.1:9", "127.0.0.1:3030", &[], &[]);
        check(local, "127.0.0.1:3030", true);
        check(local, "localhost:3030", true);
        check(local, "[::1]:3030", true);
        check(local, "127.0.0.1:3031", false);
        check(local, "Relay.example:443", true);
        check(local, "relay.example:3030", false);
        check(local, "evil.example:3030", false);
        let network = visitor("10.0.0.9:9", "10.0.0.1:3030", &[], &[]);
        check(network, "10.0.0.1:3030", true);
        check(network, "localhost:3030", false);
        check(network, "127.0.0.1:3030", false);
        // Behind a proxy the accepted address is the proxy's business.
        let proxied = visitor(
            "127.0.0.1:9",
            "127.0.0.1:3030",
            &["1.2.3.4"],
            &["127.0.0.1"],
        );
        check(proxied, "127.0.0.1:3030", false);
        check(proxied, "relay.example:443", true);
        let six = visitor("[fd00::2]:9", "[fd00::1]:3030", &[], &[]);
        check(six, "[fd00::1]:3030", true);
    }
}
