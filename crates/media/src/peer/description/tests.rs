//! Descriptions of others: our own shape passes, every other is refused.

use super::*;

fn sdp() -> String {
    let print = ["AB"; 32].join(":");
    let mut lines = vec![
        "v=0".to_owned(),
        "o=- 1 2 IN IP4 0.0.0.0".to_owned(),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        format!("a=fingerprint:sha-256 {print}"),
        "a=group:BUNDLE 0 1 2 3".to_owned(),
    ];
    for (mid, media) in ["audio", "video", "video", "application"]
        .iter()
        .enumerate()
    {
        lines.push(format!("m={media} 9 UDP/TLS/RTP/SAVPF 96"));
        lines.push("c=IN IP4 0.0.0.0".to_owned());
        lines.push("a=setup:actpass".to_owned());
        lines.push(format!("a=mid:{mid}"));
        lines.push("a=ice-ufrag:abcdefgh".to_owned());
        lines.push("a=ice-pwd:abcdefghijklmnopqrstuvwxyz".to_owned());
        if mid < 3 {
            lines.push("a=rtcp-mux".to_owned());
            lines.push("a=sendrecv".to_owned());
            lines.push(format!("a=ssrc:{} cname:x", 1000 + mid));
        }
    }
    lines.join("\r\n") + "\r\n"
}

fn refused(sdp: &str, why: Unusable) {
    assert_eq!(check(sdp).err(), Some(why));
}

#[test]
fn our_own_shape_is_taken() {
    let checked = check(&sdp()).ok().unwrap();
    assert_eq!(checked.fingerprint, Fingerprint([0xab; 32]));
    assert_eq!(checked.mids, ["0", "1", "2", "3"]);
    assert_eq!(checked.setup, Setup::Either);
    assert_eq!(checked.sdp, sdp());
}

#[test]
fn candidates_are_taken_out() {
    let with = sdp().replace(
        "a=mid:0\r\n",
        "a=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\na=end-of-candidates\r\n",
    );
    assert_eq!(check(&with).ok().unwrap().sdp, sdp());
}

#[test]
fn several_certificates_or_a_weak_hash_are_refused() {
    let other = ["CD"; 32].join(":");
    let two = sdp() + &format!("a=fingerprint:sha-256 {other}\r\n");
    refused(&two, Unusable::Fingerprint);
    refused(&sdp().replace("sha-256", "sha-1"), Unusable::Fingerprint);
    refused(&sdp().replace("AB:AB:", "AB:"), Unusable::Fingerprint);
    refused(
        &sdp().replace("a=fingerprint", "a=footprint"),
        Unusable::Fingerprint,
    );
    let md5 = sdp() + "a=fingerprint:md5 00\r\n";
    refused(&md5, Unusable::Fingerprint);
}

#[test]
fn other_sections_than_ours_are_refused() {
    refused(&sdp().replace("m=audio", "m=video"), Unusable::Sections);
    refused(&sdp().replace("m=audio 9", "m=audio 0"), Unusable::Sections);
    let more = sdp() + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    refused(&more, Unusable::Sections);
    let short = sdp().split("m=application").next().unwrap().to_owned();
    refused(&short, Unusable::Sections);
}

#[test]
fn what_could_be_taken_two_ways_is_refused() {
    refused(&sdp().replace("a=mid:1", "a=mid:0"), Unusable::Ambiguous);
    refused(
        &sdp().replace("ssrc:1001", "ssrc:1000"),
        Unusable::Ambiguous,
    );
    refused(&sdp().replace("ssrc:1001 ", "ssrc:x "), Unusable::Ambiguous);
    refused(
        &sdp().replace("a=rtcp-mux\r\na=sendrecv", "a=rtcp-mux\r\na=sendonly"),
        Unusable::Transport,
    );
    refused(
        &sdp().replacen("a=ice-ufrag:abcdefgh", "a=ice-ufrag:other", 1),
        Unusable::Credentials,
    );
    refused(
        &sdp().replacen("a=setup:actpass", "a=setup:active", 1),
        Unusable::Transport,
    );
    refused(
        &sdp().replace("BUNDLE 0 1 2 3", "BUNDLE 0 1 2"),
        Unusable::Transport,
    );
    refused(&sdp().replace("a=rtcp-mux", "a=x"), Unusable::Transport);
}

#[test]
fn what_is_no_sdp_is_refused() {
    refused("", Unusable::Sections);
    refused("hello", Unusable::NotSdp);
    refused(&sdp().replace("s=-", "nonsense"), Unusable::NotSdp);
    refused(&sdp().replace("s=-", "s=\u{1}"), Unusable::NotSdp);
    refused(&"a".repeat(100_000), Unusable::TooLong);
    refused(
        &("v=0\r\n".to_owned() + &"b=1\n".repeat(3000)),
        Unusable::TooLong,
    );
}

#[test]
fn any_octet_changed_is_an_outcome() {
    let whole = sdp();
    for at in 0..whole.len() {
        for octet in [0, b'\n', b' ', b'=', b':', b'9', 0x7f] {
            let mut bent = whole.clone().into_bytes();
            bent[at] = octet;
            if let Ok(text) = String::from_utf8(bent) {
                let _ = check(&text);
            }
        }
        let _ = check(&whole[..at]);
    }
}

#[test]
fn candidates_are_told_from_other_text() {
    let yes = [
        "candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host",
        "candidate:1 1 UDP 1 ::1 4000 typ srflx raddr 10.0.0.1 rport 5",
        "a=candidate:x 1 udp 7 192.0.2.1 1 typ relay raddr 0.0.0.0 rport 0",
    ];
    let no = [
        "",
        "candidate:",
        "candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active",
        "candidate:1 2 udp 1 127.0.0.1 4000 typ host",
        "candidate:1 1 udp 1 somewhere.local 4000 typ host",
        "candidate:1 1 udp 1 127.0.0.1 70000 typ host",
        "candidate:1 1 udp 1 127.0.0.1 0 typ host",
        "candidate:1 1 udp 1 127.0.0.1 4000 typ guess",
        "candidate:1 1 udp 1 127.0.0.1 4000 typ host extra",
        "candidate:1 1 udp 1 127.0.0.1 4000 typ host\r\na=x",
    ];
    for line in yes {
        assert!(is_candidate(line), "{line}");
    }
    for line in no {
        assert!(!is_candidate(line), "{line}");
    }
}
