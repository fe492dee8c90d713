//! The gate for descriptions: what one must have, once.

use super::*;
use proptest::prelude::*;

const PRINT: &str = "AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:\
                     AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB";
const OTHER: &str = "AC:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:\
                     AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB";

/// An offer with audio and video, as two lists of lines.
fn offer() -> Vec<String> {
    let mut lines = vec![
        "v=0".to_owned(),
        "o=- 5 5 IN IP4 0.0.0.0".into(),
        "s=-".into(),
        "t=0 0".into(),
        "a=group:BUNDLE 0 1".into(),
        format!("a=fingerprint:sha-256 {PRINT}"),
    ];
    for (mid, kind) in [(0, "audio"), (1, "video")] {
        lines.extend([
            format!("m={kind} 9 UDP/TLS/RTP/SAVPF 96"),
            "c=IN IP4 0.0.0.0".into(),
            "a=setup:actpass".into(),
            format!("a=mid:{mid}"),
            "a=ice-ufrag:abcd".into(),
            "a=ice-pwd:abcdefghijklmnopqrstuvwx".into(),
            "a=rtcp:9 IN IP4 0.0.0.0".into(),
            "a=rtcp-mux".into(),
            "a=sendrecv".into(),
        ]);
    }
    lines
}

fn judge(lines: &[String]) -> Result<SdpFacts, BadSdp> {
    judge_as(DescriptionKind::Offer, lines)
}

fn judge_as(kind: DescriptionKind, lines: &[String]) -> Result<SdpFacts, BadSdp> {
    let sdp = lines.join("\r\n") + "\r\n";
    check_sdp(&Description { kind, sdp }, false)
}

/// The offer with one line more at the end.
fn with(line: &str) -> Result<SdpFacts, BadSdp> {
    let mut lines = offer();
    lines.push(line.to_owned());
    judge(&lines)
}

/// The offer with some lines changed.
fn changed(from: &str, to: &str) -> Result<SdpFacts, BadSdp> {
    let lines: Vec<String> = offer().iter().map(|l| l.replace(from, to)).collect();
    judge(&lines)
}

#[test]
fn what_a_sotto_makes_passes_and_says_what_is_signed() {
    let facts = judge(&offer()).expect("a good offer");
    assert_eq!(facts.fingerprint, Fingerprint([0xab; 32]));
    assert_eq!(facts.ufrag, "abcd");
    let answer: Vec<String> = offer()
        .iter()
        .map(|l| l.replace("actpass", "active"))
        .collect();
    assert!(judge_as(DescriptionKind::Answer, &answer).is_ok());
    assert!(with("a=candidate:1 1 udp 1 192.168.1.1 5000 typ host").is_ok());
    assert!(with("a=end-of-candidates").is_ok());
}

#[test]
fn attack_08_there_is_exactly_one_fingerprint() {
    let none: Vec<String> = offer()
        .into_iter()
        .filter(|l| !l.contains("fingerprint"))
        .collect();
    assert_eq!(judge(&none), Err(BadSdp::Fingerprint));
    // In a section of its own the same may be said again.
    assert!(with(&format!("a=fingerprint:sha-256 {PRINT}")).is_ok());
    assert_eq!(
        with(&format!("a=fingerprint:sha-256 {OTHER}")),
        Err(BadSdp::Fingerprint)
    );
    let mut twice = offer();
    twice.insert(6, format!("a=fingerprint:sha-256 {PRINT}"));
    assert_eq!(judge(&twice), Err(BadSdp::Fingerprint));
    let case = with(&format!("a=FINGERPRINT:sha-256 {OTHER}"));
    assert_eq!(case, Err(BadSdp::Fingerprint));
}

#[test]
fn attack_08_weak_and_odd_hashes_are_refused() {
    for bad in [
        format!("sha-1 {}", &PRINT[..59]),
        format!("md5 {}", &PRINT[..47]),
        format!("sha-512 {PRINT}"),
        format!("sha-384 {PRINT}"),
        format!("sha-256 {}", &PRINT[..92]),
        format!("sha-256 {PRINT}:AB"),
        format!("sha-256 {}", PRINT.replace(':', "")),
        format!("sha-256 {}", PRINT.replacen("AB", "+B", 1)),
        format!("sha-256 {}", PRINT.replacen("AB", "GB", 1)),
        "sha-256 ".to_owned(),
        "sha-256".to_owned(),
        String::new(),
    ] {
        let lines: Vec<String> = offer()
            .iter()
            .map(|l| match l.strip_prefix("a=fingerprint:") {
                Some(_) => format!("a=fingerprint:{bad}"),
                None => l.clone(),
            })
            .collect();
        assert_eq!(judge(&lines), Err(BadSdp::Fingerprint), "{bad}");
        // Not beside a good one either.
        let beside = with(&format!("a=fingerprint:{bad}"));
        assert_eq!(beside, Err(BadSdp::Fingerprint), "{bad}");
    }
}

#[test]
fn ice_has_one_name_and_one_password() {
    assert_eq!(changed("a=ice-ufrag:abcd", "a=x:y"), Err(BadSdp::Ice));
    assert_eq!(changed("a=ice-pwd", "a=x"), Err(BadSdp::Ice));
    assert_eq!(
        changed(":abcdefghijklmnopqrstuvwx", ":short"),
        Err(BadSdp::Ice)
    );
    assert_eq!(changed(":abcd", ":ab cd"), Err(BadSdp::Ice));
    let mut lines = offer();
    let last = lines
        .iter()
        .rposition(|l| l.contains("ufrag"))
        .expect("it has one");
    lines[last] = "a=ice-ufrag:other".into();
    assert_eq!(judge(&lines), Err(BadSdp::Ice));
    lines[last] = "a=ice-ufrag:abcd".into();
    lines.insert(last, "a=ice-ufrag:abcd".into());
    assert_eq!(judge(&lines), Err(BadSdp::Ice));
}

#[test]
fn attack_09_no_address_is_smuggled_in() {
    for bad in [
        "a=candidate:1 1 udp 1 127.0.0.1 5000 typ host",
        "a=candidate:1 1 udp 1 intranet.local 5000 typ host",
        "a=CANDIDATE:1 1 udp 1 169.254.169.254 8000 typ host",
        "a=remote-candidates:1 192.168.1.1 5000",
        "c=IN IP4 192.168.1.1",
        "c=IN IP4 intranet.example",
        "a=rtcp:9 IN IP4 10.0.0.1",
    ] {
        assert_eq!(with(bad), Err(BadSdp::Address), "{bad}");
    }
    assert!(with("a=candidate:2 1 udp 1 192.168.1.1 5001 typ host").is_ok());
}

#[test]
fn nothing_goes_in_the_clear() {
    for bad in [
        "m=audio 9 RTP/AVP 0",
        "m=audio 9 RTP/SAVPF 0",
        "m=audio 9 UDP/TLS/RTP/AVP 0",
        "m=image 9 udptl t38",
        "m=message 9 TCP/MSRP *",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "k=clear:AAAA",
    ] {
        assert_eq!(with(bad), Err(BadSdp::Plain), "{bad}");
    }
}

#[test]
fn dtls_roles_fit_the_kind() {
    assert_eq!(changed("actpass", "active"), Err(BadSdp::Role));
    assert_eq!(changed("actpass", "holdconn"), Err(BadSdp::Role));
    assert_eq!(changed("a=setup:actpass", "a=x:y"), Err(BadSdp::Role));
    assert_eq!(
        judge_as(DescriptionKind::Answer, &offer()),
        Err(BadSdp::Role)
    );
}

#[test]
fn broken_text_is_refused() {
    for sdp in [
        "",
        "v=1\r\n",
        "hello",
        "v=0\r\n",
        "v=0\r\nm=\r\n",
        "v=0\r\n=\r\n",
        "v=0\r\nline without sign\r\n",
        "v=0\r\na=fingerprint:\u{0}\r\n",
        "v=0\r\na=é:x\r\n",
        "\u{feff}v=0\r\n",
    ] {
        let (kind, sdp) = (DescriptionKind::Offer, sdp.to_owned());
        assert!(check_sdp(&Description { kind, sdp }, false).is_err());
    }
    assert_eq!(
        with(&format!("a=x:{}", "y".repeat(3_000))),
        Err(BadSdp::Format)
    );
    let mut long = offer();
    long.extend((0..3_000).map(|n| format!("a=long:{n}")));
    assert_eq!(judge(&long), Err(BadSdp::Format));
    let mut many = offer();
    many.extend((0..20).map(|_| "m=audio 9 UDP/TLS/RTP/SAVPF 0".to_owned()));
    assert_eq!(judge(&many), Err(BadSdp::Format));
}

proptest! {
    #[test]
    fn hostile_text_is_an_outcome(sdp in "[ -~\r\n]{0,400}") {
        let _ = check_sdp(&Description { kind: DescriptionKind::Offer, sdp }, true);
    }

    #[test]
    fn any_changed_byte_of_the_fingerprint_is_another_one(place in 0usize..95, to in "[0-9A-F]") {
        let mut hex = PRINT.to_owned();
        prop_assume!(hex.as_bytes()[place] != b':' && hex[place..=place] != to);
        hex.replace_range(place..=place, &to);
        let lines: Vec<String> = offer().iter().map(|l| l.replace(PRINT, &hex)).collect();
        let facts = judge(&lines).expect("still an SDP");
        prop_assert_ne!(facts.fingerprint, Fingerprint([0xab; 32]));
    }
}
