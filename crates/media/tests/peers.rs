//! Two peer connections over loopback: setting up, media both ways, and what
//! must not happen.
// The figures are for whoever runs this.
#![allow(clippy::print_stdout)]

mod support;

use sotto_client::call::media::{Candidate, DescriptionKind, PeerFailure};
use sotto_media::peer::{Control, PathKind};
use sotto_media::video::VideoKind;
use std::time::Duration;
use support::film::{Film, is_whole};
use support::{Stage, Who};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ends_connect_and_know_each_others_certificate() {
    let mut stage = Stage::connected().await;
    let (alice, bob) = (
        stage.alice.identity.fingerprint(),
        stage.bob.identity.fingerprint(),
    );
    assert_eq!(stage.alice.log.connected, [(alice, bob)]);
    assert_eq!(stage.bob.log.connected, [(bob, alice)]);
    stage
        .until("the path is known", |s| {
            s.alice.peer.stats().path == PathKind::Direct
        })
        .await;
    let setup = stage.bob.peer.stats().setup;
    assert!(setup.ice_ms.unwrap() <= setup.dtls_ms.unwrap());
    println!("bob {setup:?}\nalice {:?}", stage.alice.peer.stats().setup);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voices_and_pictures_go_both_ways() {
    let mut stage = Stage::connected().await;
    stage.both_speak();
    for who in [Who::Alice, Who::Bob] {
        for kind in [VideoKind::Camera, VideoKind::Screen] {
            stage.end(who).films.push(Film::new(kind, 300_000));
        }
    }
    let enough = |log: &support::Log| {
        log.heard.len() >= 100
            && log.frames(VideoKind::Camera) >= 60
            && log.frames(VideoKind::Screen) >= 60
    };
    stage
        .until("both hear and see enough", |s| {
            enough(&s.alice.log) && enough(&s.bob.log)
        })
        .await;
    for who in [Who::Alice, Who::Bob] {
        let log = &stage.end(who).log;
        assert!(log.seen.iter().all(is_whole));
        for kind in [VideoKind::Camera, VideoKind::Screen] {
            let times: Vec<_> = log.seen.iter().filter(|s| s.kind == kind).collect();
            assert!(times[0].keyframe);
            let gapless = times
                .windows(2)
                .all(|w| w[1].rtp_time == w[0].rtp_time + 3000);
            assert!(gapless, "nothing is lost on loopback");
        }
        let in_order = log.heard.windows(2).all(|w| {
            w[1].sequence == w[0].sequence.wrapping_add(1) && w[1].rtp_time == w[0].rtp_time + 960
        });
        assert!(in_order);
        assert_eq!(log.heard[0].data.len(), 80);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_a_picture_is_shown_at_is_told() {
    let mut stage = Stage::new();
    let shows = Control::Shows {
        kind: VideoKind::Camera,
        width: 640,
        height: 360,
    };
    // Said before there is a channel; it waits.
    stage.bob.peer.say(shows);
    stage
        .until("alice knows", |s| s.alice.log.says == [shows])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_certificate_at_the_offering_end_is_found_by_the_dtls_client() {
    wrong_certificate(Who::Alice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_certificate_at_the_answering_end_is_found_by_the_dtls_server() {
    wrong_certificate(Who::Bob).await;
}

/// Somebody in the middle put another fingerprint into the description that
/// `whose` sent.
async fn wrong_certificate(whose: Who) {
    let mut stage = Stage::new();
    let other = ["5A"; 32].join(":");
    stage.bend = Some(Box::new(move |who, description| {
        if who != whose {
            return;
        }
        let lines = description
            .sdp
            .lines()
            .map(|line| match line.starts_with("a=fingerprint:") {
                true => format!("a=fingerprint:sha-256 {other}"),
                false => line.to_owned(),
            });
        description.sdp = lines.collect::<Vec<_>>().join("\r\n") + "\r\n";
    }));
    stage.both_speak();
    let camera = |kind| Film::new(kind, 300_000);
    stage.alice.films.push(camera(VideoKind::Camera));
    stage.bob.films.push(camera(VideoKind::Camera));
    let detects = match whose {
        Who::Alice => Who::Bob,
        Who::Bob => Who::Alice,
    };
    stage
        .until("the deceived end fails", |s| {
            let log = match detects {
                Who::Alice => &s.alice.log,
                Who::Bob => &s.bob.log,
            };
            log.failed.is_some()
        })
        .await;
    let took = stage.began.elapsed();
    stage.play(Duration::from_millis(500)).await;
    assert_eq!(
        stage.end(detects).log.failed,
        Some(PeerFailure::Certificate)
    );
    for who in [Who::Alice, Who::Bob] {
        let log = &stage.end(who).log;
        assert!(log.connected.is_empty(), "{who:?}");
        assert!(log.heard.is_empty() && log.seen.is_empty(), "{who:?}");
        let stats = stage.end(who).peer.stats();
        assert_eq!(stats.audio_out.packets + stats.camera_out.packets, 0);
    }
    assert!(took < Duration::from_secs(5), "found after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_the_middle_goes_on_over_new_sockets() {
    let mut stage = Stage::connected().await;
    stage.both_speak();
    stage
        .alice
        .films
        .push(Film::new(VideoKind::Camera, 300_000));
    stage.bob.films.push(Film::new(VideoKind::Camera, 300_000));
    stage
        .until("media flows", |s| {
            s.alice.log.seen.len() > 20 && s.bob.log.seen.len() > 20
        })
        .await;
    let before = stage.alice.log.candidates.clone();
    stage.alice.peer.restart();
    stage
        .until("a second exchange", |s| {
            s.alice.log.descriptions == 2 && s.bob.log.descriptions == 2
        })
        .await;
    let (seen, heard) = (stage.alice.log.seen.len(), stage.bob.log.heard.len());
    stage
        .until("media goes on", |s| {
            s.alice.log.seen.len() > seen + 60
                && s.bob.log.seen.len() > 80
                && s.bob.log.heard.len() > heard + 100
        })
        .await;
    let after: Vec<_> = stage.alice.log.candidates[before.len()..].to_vec();
    assert!(!after.is_empty());
    assert!(after.iter().all(|c| !before.contains(c)), "new sockets");
    assert_eq!(stage.alice.log.failed, None);
    assert!(stage.alice.log.seen.iter().all(is_whole));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_with_another_certificate_ends_the_connection() {
    let mut stage = Stage::connected().await;
    let other = ["5A"; 32].join(":");
    stage.bend = Some(Box::new(move |_, description| {
        let start = description.sdp.find("a=fingerprint:sha-256 ").unwrap() + 22;
        description
            .sdp
            .replace_range(start..start + other.len(), &other);
    }));
    stage.alice.peer.restart();
    stage
        .until("bob refuses", |s| s.bob.log.failed.is_some())
        .await;
    assert_eq!(stage.bob.log.failed, Some(PeerFailure::Certificate));
}

type BendText = fn(&str) -> String;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptions_that_cannot_be_used_end_the_connection_with_a_reason() {
    let bends: [(&str, BendText); 7] = [
        ("nothing", |_| String::new()),
        ("text", |_| "hello".to_owned()),
        ("half", |sdp| sdp[..sdp.len() / 2].to_owned()),
        ("long", |sdp| sdp.repeat(100)),
        ("codecs", |sdp| sdp.replace("VP8/90000", "XYZ/90000")),
        ("types", |sdp| sdp.replace("SAVPF 96", "SAVPF 9999999")),
        ("hash", |sdp| sdp.replace("sha-256", "sha-1")),
    ];
    for (name, bent) in bends {
        for whose in [Who::Alice, Who::Bob] {
            let mut stage = Stage::new();
            stage.bend = Some(Box::new(move |who, description| {
                if who == whose {
                    description.sdp = bent(&description.sdp);
                }
            }));
            stage
                .until(name, |s| s.alice.log.failed.or(s.bob.log.failed).is_some())
                .await;
            let failed = stage.alice.log.failed.or(stage.bob.log.failed);
            assert_eq!(
                failed,
                Some(PeerFailure::Description),
                "{name} of {whose:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_candidates_and_descriptions_out_of_turn_change_nothing() {
    let mut stage = Stage::new();
    let broken = [
        "",
        "candidate:",
        "candidate:1 1 udp 1 nowhere 1 typ host",
        "candidate:1 1 udp 99999999999 127.0.0.1 1 typ host",
        "candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype passive",
        "\u{0}\u{1}",
    ];
    for line in broken {
        for peer in [&stage.alice.peer, &stage.bob.peer] {
            peer.add_candidate(Candidate {
                line: line.to_owned(),
                mid: "0".to_owned(),
            });
        }
    }
    for kind in [DescriptionKind::Offer, DescriptionKind::Answer] {
        let description = sotto_client::call::media::Description {
            kind,
            sdp: "v=0".to_owned(),
        };
        if kind == DescriptionKind::Offer {
            stage.alice.peer.describe(description);
        } else {
            stage.bob.peer.describe(description);
        }
    }
    stage.connect().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_end_closing_is_noticed() {
    let mut stage = Stage::connected().await;
    stage.bob.peer.close();
    stage
        .until("alice notices", |s| s.alice.log.failed.is_some())
        .await;
    assert_eq!(stage.alice.log.failed, Some(PeerFailure::Silent));
    stage.until("bob is over", |s| s.bob.log.over).await;
    assert_eq!(stage.bob.log.failed, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_address_is_told_but_those_that_may_be() {
    let stage = Stage::connected().await;
    for candidate in &stage.alice.log.candidates {
        let fields: Vec<_> = candidate.line.split(' ').collect();
        let address: std::net::IpAddr = fields[4].parse().unwrap();
        assert!(!address.is_unspecified());
    }
    let told = format!("{:?}", stage.alice.peer.stats());
    assert!(!told.contains("127.0.0.1"));
}

/// Octets from a stranger at every open port, of each kind the library tells
/// apart by the first octet (RFC 7983).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn octets_from_strangers_change_nothing() {
    let mut stage = Stage::connected().await;
    stage.both_speak();
    stage
        .alice
        .films
        .push(Film::new(VideoKind::Camera, 300_000));
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut dice = 0x5077_0006_u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    let ports: Vec<u16> = [&stage.alice, &stage.bob]
        .iter()
        .flat_map(|end| &end.log.candidates)
        .filter(|c| c.line.contains(" 127.0.0.1 "))
        .map(|c| c.line.split(' ').nth(5).unwrap().parse().unwrap())
        .collect();
    assert!(ports.len() >= 2);
    for round in 0..6000_u64 {
        let len = 1 + roll() % 200;
        let mut octets: Vec<u8> = (0..len).map(|_| roll() as u8).collect();
        octets[0] = match round % 5 {
            // STUN, with its cookie.
            0 => (roll() % 4) as u8,
            // ChannelData.
            1 => 64 + (roll() % 16) as u8,
            // DTLS: alerts, handshakes, application data.
            2 => 20 + (roll() % 5) as u8,
            // RTP and RTCP.
            3 => 128 + (roll() % 64) as u8,
            _ => octets[0],
        };
        if round % 5 == 0 && len >= 20 {
            octets[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
            octets[2..4].copy_from_slice(&(len as u16 - 20).to_be_bytes());
        }
        if round % 5 == 2 && len >= 13 {
            octets[1..5].copy_from_slice(&[0xfe, 0xfd, 0, (round % 2) as u8]);
            octets[11..13].copy_from_slice(&(len as u16 - 13).to_be_bytes());
        }
        for port in &ports {
            stranger
                .send_to(&octets, ("127.0.0.1", *port))
                .await
                .unwrap();
        }
        if round % 50 == 0 {
            stage.play(Duration::from_millis(5)).await;
        }
    }
    let (seen, heard) = (stage.bob.log.seen.len(), stage.alice.log.heard.len());
    stage
        .until("media goes on", |s| {
            s.bob.log.seen.len() > seen + 30 && s.alice.log.heard.len() > heard + 50
        })
        .await;
    assert_eq!(stage.alice.log.interrupted + stage.bob.log.interrupted, 0);
    assert!(stage.bob.log.seen.iter().all(is_whole));
}
