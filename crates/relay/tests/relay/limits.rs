//! The limits as a client meets them: sockets, frames, requests, slow readers,
//! silence.

use crate::world::*;
use sotto_relay::{
    Config,
    hub::bucket::Rate,
    server::{Limits, Timings},
};
use sotto_wire::{ClientFrame, ErrorCode, RelayFrame, frame::PresenceAction};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

fn limited(limits: Limits) -> Config {
    Config { limits, ..config() }
}

#[tokio::test]
async fn one_address_has_so_many_sockets() {
    let site = Site::start(limited(Limits {
        connections_per_loopback: 2,
        ..Limits::default()
    }))
    .await;
    let token = site.sign_in(&Person::new(1)).await.access.0.clone();
    let first = site.bearer(&token).await.unwrap();
    let mut second = site.bearer(&token).await.unwrap();
    assert_eq!(site.bearer(&token).await.unwrap_err(), 429);
    assert_eq!(site.socket("/v1/ws", &[]).await.unwrap_err(), 429);
    // The header of someone who is no proxy changes nothing.
    let lie = ("x-forwarded-for", "203.0.113.9");
    assert_eq!(site.socket("/v1/ws", &[lie]).await.unwrap_err(), 429);
    drop(first);
    second.stream.close(None).await.unwrap();
    second.closed().await;
    // The place is free once the relay is done with the socket.
    loop {
        match site.bearer(&token).await {
            Ok(_) => break,
            Err(status) => assert_eq!(status, 429),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_visitor_counts_alone() {
    let limits = Limits {
        connections_per_ip: 1,
        ..Limits::default()
    };
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let public = vec!["relay.example:443".into()];
    let site = Site::start(Config {
        trusted_proxies,
        public,
        ..limited(limits)
    })
    .await;
    let from = async |ip: &str| site.socket("/v1/ws", &[("x-forwarded-for", ip)]).await;
    let _one = from("203.0.113.1").await.unwrap();
    assert_eq!(from("203.0.113.1").await.unwrap_err(), 429);
    assert_eq!(from("198.51.100.7, 203.0.113.1").await.unwrap_err(), 429);
    let _two = from("203.0.113.2").await.unwrap();
    // One IPv6 network is one visitor.
    let _six = from("2001:db8:1:2::1").await.unwrap();
    assert_eq!(from("2001:db8:1:2:ffff::9").await.unwrap_err(), 429);
    let _other = from("2001:db8:1:3::1").await.unwrap();
}

#[tokio::test]
async fn too_many_frames_are_refused_with_the_time_to_wait() {
    let account_rate = Rate {
        burst: 3,
        every: 60_000,
    };
    let site = Site::start(limited(Limits {
        account_rate,
        ..Limits::default()
    }))
    .await;
    let alice = Person::new(1);
    let mut socket = site.connect(&alice).await;
    for _ in 0..3 {
        socket.send(ClientFrame::Ping).await;
        assert_eq!(socket.frame().await, RelayFrame::Pong);
    }
    socket.text(r#"{"type":"ping","id":"7"}"#).await;
    let error = socket.error().await;
    assert_eq!(
        (error.code, error.id.unwrap().as_str()),
        (ErrorCode::RateLimited, "7")
    );
    assert!(
        error
            .retry_after
            .is_some_and(|wait| wait > 0 && wait <= 60_000)
    );
    // Another socket of the same account shares the bucket; other accounts do not.
    let mut second = site.connect(&alice).await;
    second.send(ClientFrame::Ping).await;
    assert_eq!(second.error().await.code, ErrorCode::RateLimited);
    let mut bob = site.connect(&Person::new(2)).await;
    bob.send(ClientFrame::Ping).await;
    assert_eq!(bob.frame().await, RelayFrame::Pong);
}

#[tokio::test]
async fn too_many_requests_are_refused() {
    let http_rate = Rate {
        burst: 2,
        every: 60_000,
    };
    let site = Site::start(limited(Limits {
        http_rate,
        ..Limits::default()
    }))
    .await;
    let alice = Person::new(1);
    site.challenge(&alice).await;
    site.challenge(&alice).await;
    let body = serde_json::json!({ "account": alice.user() });
    let (status, body) = site.post("/v1/auth/challenge", None, body).await;
    assert_eq!((status, &body["code"]), (429, &"rate_limited".into()));
    assert_eq!(
        site.http
            .get(site.url("/healthz"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_asked_back_and_nobody_else_waits() {
    let site = Site::start(limited(Limits {
        queue_bytes: 2 * 1024 * 1024,
        ..Limits::default()
    }))
    .await;
    let (alice, bob, carol) = (Person::new(1), Person::new(2), Person::new(3));
    let mut a = site.connect(&alice).await;
    a.make_room().await;
    a.say(commit(1, 0, &[&bob, &carol], b"add")).await;
    let mut b = site.connect(&bob).await;
    b.open(1).await;
    let mut c = site.connect(&carol).await;
    c.open(1).await;

    // More than the system buffers for bob, who reads none of it.
    let body = vec![7; 700_000];
    for n in 2..32 {
        a.say(commit(n, u64::from(n) - 1, &[], &body)).await;
        assert_eq!(c.message().await.seq, u64::from(n));
    }
    assert_eq!(b.closed().await, 1013);
    // He comes back and reads on from where he was, at his own pace.
    let mut b = site.connect(&bob).await;
    assert_eq!(b.open(1).await.head, 31);
    for n in 2..32 {
        assert_eq!(b.message().await.seq, n);
    }
    a.say(ClientFrame::ChatSend(chat(99, 31, b"live"))).await;
    assert_eq!(b.message().await.seq, 32);
}

#[tokio::test]
async fn messages_during_a_long_backlog_come_after_it() {
    let site = Site::start(limited(Limits {
        queue_bytes: 256 * 1024,
        ..Limits::default()
    }))
    .await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut a = site.connect(&alice).await;
    a.make_room().await;
    a.say(commit(1, 0, &[&bob], b"add")).await;
    let body = vec![7; 600_000];
    for n in 2..22 {
        a.say(commit(n, u64::from(n) - 1, &[], &body)).await;
    }
    let mut b = site.connect(&bob).await;
    b.open(0).await;
    // Bob has not read the backlog yet.
    for n in 22..32 {
        a.say(ClientFrame::ChatSend(chat(n, 21, &[n]))).await;
    }
    for n in 1..32 {
        assert_eq!(b.message().await.seq, n);
    }
}

#[tokio::test]
async fn whoever_dawdles_over_a_request_is_let_go() {
    let timings = Timings {
        handshake: Duration::from_millis(100),
        ..Timings::default()
    };
    let site = Site::start(Config {
        timings,
        ..config()
    })
    .await;
    for head in ["", "G", "GET /v1/ws HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(site.relay.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Ends when the relay hangs up, with or without an answer.
        let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest));
        assert!(ended.await.is_ok(), "{head:?} was waited for");
    }
}

#[tokio::test]
async fn a_silent_client_is_dead() {
    let timings = Timings {
        heartbeat: Duration::from_millis(200),
        silence: Duration::from_secs(3),
        ..Timings::default()
    };
    let site = Site::start(Config {
        timings,
        ..config()
    })
    .await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut a = site.connect(&alice).await;
    a.make_room().await;
    a.say(commit(1, 0, &[&bob], b"add")).await;
    // Bob's socket is open, but nobody reads it, so no ping is answered.
    let silent = site.connect(&bob).await;
    let offline = |frame: &RelayFrame| matches!(frame, RelayFrame::PresenceUpdate { user, action: PresenceAction::Offline, .. } if *user == bob.user());
    while !offline(&a.frame().await) {}
    drop(silent);
    // Alice has been answering all along.
    a.send(ClientFrame::Ping).await;
    assert_eq!(a.frame().await, RelayFrame::Pong);
}
