//! Which candidates of a peer are believed. A candidate is an address that
//! our machine will send packets to, so a peer could use it to scan this
//! network, or learn of us by a name that only we resolve. Host names
//! (multicast DNS too), addresses that are nobody's or everybody's, odd ports
//! and formats are refused; loopback counts only where the relay is on this
//! computer.

use super::media::Candidate;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest line that is looked at, in bytes.
const LINE_MAX: usize = 400;
const MID_MAX: usize = 16;
/// Candidates of one description.
pub(crate) const CANDIDATES_MAX: usize = 64;

/// Why a candidate is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadCandidate {
    /// Not a candidate line of RFC 8839 §5.1 as a Sotto makes it.
    Format,
    /// A name instead of an address.
    Name,
    /// Unspecified, multicast, broadcast, documentation and the like.
    Address,
    Loopback,
    Port,
}

/// Judges one candidate. `loopback`: see [`super::media::Paths`].
pub(crate) fn check_candidate(candidate: &Candidate, loopback: bool) -> Result<(), BadCandidate> {
    let Candidate { line, mid } = candidate;
    let plain = |text: &str| text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if line.len() > LINE_MAX || mid.len() > MID_MAX || !plain(line) || !plain(mid) {
        return Err(BadCandidate::Format);
    }
    let value = line.strip_prefix("candidate:").unwrap_or(line);
    check_value(value, loopback)
}

/// Whether it leads to a relay, and not to whoever told it.
pub(crate) fn is_relayed(candidate: &Candidate) -> bool {
    candidate.line.split(' ').nth(7) == Some("relay")
}

/// The same for what follows `candidate:`.
pub(crate) fn check_value(value: &str, loopback: bool) -> Result<(), BadCandidate> {
    let words: Vec<&str> = value.split(' ').collect();
    let [
        foundation,
        component,
        transport,
        priority,
        address,
        port,
        typ,
        kind,
        extra @ ..,
    ] = &words[..]
    else {
        return Err(BadCandidate::Format);
    };
    let foundation_fits = (1..=32).contains(&foundation.len())
        && foundation
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let fits = foundation_fits
        && matches!(*component, "1" | "2")
        && transport.eq_ignore_ascii_case("udp")
        && number::<u32>(priority).is_some()
        && *typ == "typ"
        && matches!(*kind, "host" | "srflx" | "prflx" | "relay");
    if !fits {
        return Err(BadCandidate::Format);
    }
    check_address(address, port, loopback)?;
    check_extra(kind, extra)
}

/// The pairs at the end: where it was seen from, and nothing that leads
/// anywhere else.
fn check_extra(kind: &str, extra: &[&str]) -> Result<(), BadCandidate> {
    if !extra.len().is_multiple_of(2) {
        return Err(BadCandidate::Format);
    }
    for pair in extra.chunks(2) {
        let fits = match pair[0] {
            // Never sent to, but it must not be a name that is resolved.
            "raddr" if kind != "host" => pair[1].parse::<IpAddr>().is_ok(),
            "rport" if kind != "host" => number::<u16>(pair[1]).is_some(),
            "generation" | "network-id" | "network-cost" => number::<u32>(pair[1]).is_some(),
            "ufrag" => pair[1].len() <= 256,
            _ => false,
        };
        if !fits {
            return Err(BadCandidate::Format);
        }
    }
    Ok(())
}

fn check_address(address: &str, port: &str, loopback: bool) -> Result<(), BadCandidate> {
    let Ok(ip) = address.parse::<IpAddr>() else {
        let dotted = address.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        return Err(if dotted || address.contains(':') {
            BadCandidate::Format
        } else {
            BadCandidate::Name
        });
    };
    let port = number::<u16>(port).ok_or(BadCandidate::Format)?;
    // Ports below 1024 are services that answer strangers' packets.
    if port < 1024 {
        return Err(BadCandidate::Port);
    }
    let (nobodys, local) = match ip {
        IpAddr::V4(v4) => (is_nobodys_v4(v4), v4.is_loopback()),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| embedded(v6)) {
            // The same address in other clothes.
            Some(v4) => return Err(mapped(v4)),
            None => (is_nobodys_v6(v6), v6.is_loopback()),
        },
    };
    match (nobodys, local) {
        (true, _) => Err(BadCandidate::Address),
        (_, true) if !loopback => Err(BadCandidate::Loopback),
        _ => Ok(()),
    }
}

fn mapped(v4: Ipv4Addr) -> BadCandidate {
    if v4.is_loopback() {
        BadCandidate::Loopback
    } else {
        BadCandidate::Address
    }
}

fn is_nobodys_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let this_network = a == 0;
    let reserved = a >= 240;
    let protocols = (a, b, c) == (192, 0, 0);
    // Every cloud answers there with its secrets.
    let link_local = ip.is_link_local();
    this_network
        || reserved
        || protocols
        || link_local
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
}

fn is_nobodys_v6(ip: Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    let link_local = first & 0xffc0 == 0xfe80;
    let site_local = first & 0xffc0 == 0xfec0;
    let documentation = first == 0x2001 && ip.segments()[1] == 0x0db8;
    ip.is_unspecified() || ip.is_multicast() || link_local || site_local || documentation
}

/// IPv4 inside IPv6: compatible, translated (RFC 6052), 6to4, Teredo.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(v4(!high, !low)),
        _ => None,
    }
}

/// A decimal number without sign or spaces.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
