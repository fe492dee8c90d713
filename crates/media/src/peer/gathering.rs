//! Our own candidates before anyone hears of them: which may be told, and
//! without what they would tell besides.

use sotto_client::call::media::Paths;
use std::net::IpAddr;

/// The line to send, if this candidate may be known to the other end.
///
/// The related address of a reflexive or relayed candidate is one of this
/// machine and of no use to the other end (RFC 8839 §5.1): it is blanked.
pub(super) fn telling(line: &str, paths: &Paths) -> Option<String> {
    let body = line.strip_prefix("candidate:").unwrap_or(line);
    let mut fields: Vec<&str> = body.split(' ').collect();
    let address: IpAddr = fields.get(4)?.parse().ok()?;
    let relayed = *fields.get(7)? == "relay";
    let nowhere = address.is_unspecified() || address.is_multicast();
    if nowhere || (address.is_loopback() && !paths.loopback && !relayed) {
        return None;
    }
    if paths.relayed_only && !relayed {
        return None;
    }
    for at in 8..fields.len().saturating_sub(1) {
        match fields[at] {
            "raddr" => fields[at + 1] = if address.is_ipv4() { "0.0.0.0" } else { "::" },
            "rport" => fields[at + 1] = "9",
            _ => {}
        }
    }
    Some(format!("candidate:{}", fields.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, loopback: bool, relayed_only: bool, expected: Option<&str>) {
        let paths = Paths {
            loopback,
            relayed_only,
            servers: Vec::new(),
        };
        assert_eq!(telling(line, &paths).as_deref(), expected);
    }

    const HOST: &str = "candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host";
    const LOOP: &str = "candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host";
    const SEEN: &str = "candidate:2 1 udp 1 198.51.100.1 4 typ srflx raddr 10.0.0.3 rport 77";
    const RELAY: &str = "candidate:3 1 udp 1 203.0.113.5 9 typ relay raddr 198.51.100.1 rport 4";

    #[test]
    fn host_candidates_are_told_as_they_are() {
        check(HOST, false, false, Some(HOST));
    }

    #[test]
    fn loopback_is_told_only_when_the_relay_is_here() {
        check(LOOP, false, false, None);
        check(LOOP, true, false, Some(LOOP));
    }

    #[test]
    fn what_lies_behind_a_reflexive_or_relayed_candidate_is_not_told() {
        let seen = "candidate:2 1 udp 1 198.51.100.1 4 typ srflx raddr 0.0.0.0 rport 9";
        let relay = "candidate:3 1 udp 1 203.0.113.5 9 typ relay raddr 0.0.0.0 rport 9";
        check(SEEN, false, false, Some(seen));
        check(RELAY, false, true, Some(relay));
    }

    #[test]
    fn relayed_only_tells_of_no_address_of_ours() {
        check(HOST, true, true, None);
        check(LOOP, true, true, None);
        check(SEEN, true, true, None);
    }

    #[test]
    fn addresses_that_lead_nowhere_are_not_told() {
        check(
            "candidate:1 1 udp 1 0.0.0.0 4000 typ host",
            true,
            false,
            None,
        );
        check("candidate:1 1 udp 1 :: 4000 typ host", true, false, None);
        check("candidate:", true, false, None);
        check(
            "candidate:1 1 udp 1 name.local 4000 typ host",
            true,
            false,
            None,
        );
    }
}
