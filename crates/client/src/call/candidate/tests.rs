//! Which candidates of others pass, and which could scan or leak.

use super::*;
use proptest::prelude::*;

fn judge(address: &str, loopback: bool) -> Result<(), BadCandidate> {
    let line = format!("candidate:1 1 udp 2130706431 {address} 50000 typ host");
    let mid = "0".to_owned();
    check_candidate(&Candidate { line, mid }, loopback)
}

fn line(line: &str) -> Result<(), BadCandidate> {
    let (line, mid) = (line.to_owned(), "0".to_owned());
    check_candidate(&Candidate { line, mid }, false)
}

#[test]
fn addresses_of_machines_are_fine() {
    for address in [
        "192.168.1.20",
        "10.0.0.1",
        "100.64.3.2",
        "8.8.4.4",
        "2a01:4f8::1",
        "fd00::12",
    ] {
        assert_eq!(judge(address, false), Ok(()), "{address}");
    }
    let full = "candidate:842163049 1 UDP 1677729535 8.8.4.4 54321 typ srflx raddr 0.0.0.0 \
                rport 0 generation 0 ufrag abcd network-cost 999";
    assert_eq!(line(full), Ok(()));
}

#[test]
fn attack_09_names_are_refused() {
    for name in [
        "2b9a3f1e-1111-4222-8333-444455556666.local",
        "internal.example",
        "localhost",
        "printer",
    ] {
        assert_eq!(judge(name, true), Err(BadCandidate::Name), "{name}");
    }
}

#[test]
fn attack_09_addresses_of_nobody_or_everybody_are_refused() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "224.0.0.251",
        "239.1.2.3",
        "240.0.0.1",
        "169.254.169.254",
        "192.0.0.8",
        "192.0.2.1",
        "198.51.100.7",
        "::",
        "ff02::fb",
        "ff0e::1",
        "fe80::1",
        "fec0::1",
        "2001:db8::1",
    ] {
        assert_eq!(
            judge(address, true),
            Err(BadCandidate::Address),
            "{address}"
        );
    }
}

#[test]
fn attack_09_loopback_is_refused_unless_the_relay_is_here_too() {
    for address in ["127.0.0.1", "127.9.9.9", "::1"] {
        assert_eq!(
            judge(address, false),
            Err(BadCandidate::Loopback),
            "{address}"
        );
        assert_eq!(judge(address, true), Ok(()), "{address}");
    }
}

#[test]
fn attack_09_ipv4_in_other_clothes_is_refused() {
    for address in [
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:0:0:0:0:80ff:fffe",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
    ] {
        assert!(judge(address, true).is_err(), "{address}");
    }
}

#[test]
fn attack_09_other_writings_of_addresses_are_refused() {
    for address in [
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.1",
        "192.168.001.001",
        "10.0.0.1%eth0",
        "fe80::1%eth0",
        "[::1]",
        "192.168.1.1:80",
        "１２７.0.0.1",
        "",
    ] {
        assert!(judge(address, true).is_err(), "{address}");
    }
}

#[test]
fn attack_09_only_high_udp_ports() {
    for (port, fine) in [
        ("0", false),
        ("9", false),
        ("22", false),
        ("53", false),
        ("1023", false),
        ("1024", true),
        ("65535", true),
        ("65536", false),
        ("-1", false),
        ("+5000", false),
        ("", false),
    ] {
        let text = format!("candidate:1 1 udp 1 192.168.1.1 {port} typ host");
        assert_eq!(line(&text).is_ok(), fine, "{port}");
    }
    assert!(line("candidate:1 1 tcp 1 192.168.1.1 5000 typ host tcptype active").is_err());
    assert!(line("candidate:1 1 ssltcp 1 192.168.1.1 5000 typ host").is_err());
}

#[test]
fn what_is_no_candidate_is_refused() {
    let long = format!(
        "candidate:1 1 udp 1 192.168.1.1 5000 typ host {}",
        "a ".repeat(300)
    );
    for bad in [
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.168.1.1 5000",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ magic",
        "candidate:1 3 udp 1 192.168.1.1 5000 typ host",
        "candidate:1 1 udp 99999999999 192.168.1.1 5000 typ host",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ host raddr",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ host raddr 10.0.0.1 rport 9",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ srflx raddr internal.example rport 9",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ host url http://10.0.0.1/",
        "candidate:1  1 udp 1 192.168.1.1 5000 typ host",
        "candidate:1 1 udp 1 192.168.1.1 5000 typ host\r\na=setup:active",
        "candidate:é 1 udp 1 192.168.1.1 5000 typ host",
        &long,
    ] {
        assert!(line(bad).is_err(), "{bad:?}");
    }
    let (line, mid) = (
        "candidate:1 1 udp 1 192.168.1.1 5000 typ host".to_owned(),
        "a mid that is far too long".to_owned(),
    );
    assert!(check_candidate(&Candidate { line, mid }, false).is_err());
}

proptest! {
    #[test]
    fn hostile_lines_are_an_outcome(text in ".{0,200}", mid in ".{0,20}") {
        let _ = check_candidate(&Candidate { line: text, mid }, true);
    }

    #[test]
    fn an_address_passes_in_one_writing_only(ip in any::<[u8; 4]>()) {
        let ip = Ipv4Addr::from(ip);
        let plain = judge(&ip.to_string(), false).is_ok();
        let mapped = judge(&format!("::ffff:{ip}"), true).is_ok();
        prop_assert!(!mapped);
        prop_assert_eq!(plain, !is_nobodys_v4(ip) && !ip.is_loopback());
    }
}
