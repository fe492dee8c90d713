//! Visitors who mean harm by being slow, by being many in small pieces, or by
//! pretending to be others: each is let go, or counted as who they are.

use crate::world::*;
use futures_util::SinkExt as _;
use sotto_relay::{
    Config,
    hub::{HubConfig, bucket::Rate},
    server::{Limits, Timings},
};
use sotto_wire::{ClientFrame, ErrorCode, RelayFrame, RoomId, limits};
use std::{net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::{MaybeTlsStream, tungstenite::Message};

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the slow ones give a sign of life.
const DRIP: Duration = Duration::from_millis(20);

const TEXT: u8 = 0x01;
const CONTINUATION: u8 = 0x00;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const LAST: u8 = 0x80;

fn hasty() -> Config {
    let timings = Timings {
        handshake: Duration::from_millis(200),
        auth_wait: Duration::from_millis(200),
        heartbeat: Duration::from_millis(100),
        silence: Duration::from_secs(1),
        ..Timings::default()
    };
    Config {
        timings,
        ..config()
    }
}

/// One WebSocket frame of a client, under a mask of zeros.
fn piece(head: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[head, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

fn tcp(socket: &mut Socket) -> &mut TcpStream {
    match socket.stream.get_mut() {
        MaybeTlsStream::Plain(tcp) => tcp,
        _ => panic!("there is no TLS here"),
    }
}

/// Writes `drop` again and again until the relay hangs up.
async fn drip(stream: &mut TcpStream, drop: &[u8]) {
    let mut pace = tokio::time::interval(DRIP);
    let mut heard = [0; 4096];
    let ended = async {
        loop {
            tokio::select! {
                _ = pace.tick() => if stream.write_all(drop).await.is_err() { return },
                read = stream.read(&mut heard) => if matches!(read, Ok(0) | Err(_)) { return },
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    assert!(ended.is_ok(), "it was waited for");
}

#[tokio::test]
async fn a_request_that_is_dribbled_is_not_waited_for() {
    let site = Site::start(hasty()).await;
    let body = "POST /v1/auth/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n";
    let starts = ["GET /v1/stats HTTP/1.1\r\nX-Slow: ", body];
    for start in starts {
        let mut stream = TcpStream::connect(site.relay.address()).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        drip(&mut stream, b"x").await;
    }
}

#[tokio::test]
async fn whoever_asks_nothing_more_does_not_keep_the_connection() {
    let site = Site::start(hasty()).await;
    let mut stream = TcpStream::connect(site.relay.address()).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    assert!(ended.is_ok());
    assert!(heard.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_message_that_never_ends_is_not_waited_for() {
    let site = Site::start(hasty()).await;
    // In one frame of which a byte comes now and then: no answer to a ping
    // can come between.
    let mut socket = site.connect(&Person::new(1)).await;
    let stream = tcp(&mut socket);
    stream
        .write_all(&[TEXT | LAST, 0xfe, 0xff, 0xff, 0, 0, 0, 0])
        .await
        .unwrap();
    drip(stream, b"x").await;

    // In fragments, with a sign of life between them.
    let mut socket = site.connect(&Person::new(2)).await;
    let stream = tcp(&mut socket);
    stream.write_all(&piece(TEXT, b"x")).await.unwrap();
    let drop = [piece(CONTINUATION, b"x"), piece(PONG, b"")].concat();
    drip(stream, &drop).await;
}

#[tokio::test]
async fn a_message_in_a_million_pieces_is_cut_off() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let stream = tcp(&mut socket);
    stream.write_all(&piece(TEXT, b"")).await.unwrap();
    let flood = piece(CONTINUATION, b"").repeat(10_000);
    let most = 64 * limits::LARGE_FRAME;
    let mut taken = 0;
    let flooding = async {
        while stream.write_all(&flood).await.is_ok() {
            taken += flood.len();
            assert!(taken < most, "{taken} bytes of nothing were taken");
        }
    };
    tokio::time::timeout(PATIENCE, flooding).await.unwrap();
    // Honest fragments are a message.
    let mut socket = site.connect(&Person::new(2)).await;
    let text = br#"{"type":"ping"}"#;
    let (first, rest) = text.split_at(5);
    let message = [piece(TEXT, first), piece(CONTINUATION | LAST, rest)].concat();
    tcp(&mut socket).write_all(&message).await.unwrap();
    assert_eq!(socket.frame().await, RelayFrame::Pong);
}

#[tokio::test]
async fn a_flood_of_pings_closes_the_socket() {
    let limits = Limits {
        control: 10,
        ..Limits::default()
    };
    let site = Site::start(Config { limits, ..config() }).await;
    let mut socket = site.connect(&Person::new(1)).await;
    for _ in 0..10 {
        socket.raw(Message::Ping(Default::default())).await;
    }
    socket.send(ClientFrame::Ping).await;
    assert_eq!(socket.frame().await, RelayFrame::Pong);
    socket.raw(Message::Ping(Default::default())).await;
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn whoever_does_not_sign_in_and_does_not_read_is_let_go() {
    let site = Site::start(hasty()).await;
    let mut socket = site.socket("/v1/ws", &[]).await.unwrap();
    // Each is answered by an error that is longer than it is.
    let ping = Message::text(r#"{"type":"ping"}"#);
    let flooding = async { while socket.stream.send(ping.clone()).await.is_ok() {} };
    let ended = tokio::time::timeout(PATIENCE, flooding).await;
    assert!(ended.is_ok(), "it was waited for");
}

#[tokio::test]
async fn a_forwarded_address_that_nobody_vouches_for_gets_no_bucket_of_its_own() {
    let two = Rate {
        burst: 2,
        every: 60_000,
    };
    let site = Site::start(Config {
        limits: Limits {
            http_rate: two,
            ..Limits::default()
        },
        ..config()
    })
    .await;
    let mut heard = Vec::new();
    for from in ["203.0.113.1", "203.0.113.2", "2001:db8::1"] {
        let request = site.http.get(site.url("/v1/stats"));
        let request = request.header("x-forwarded-for", from);
        heard.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(heard, [200, 200, 429]);
}

#[tokio::test]
async fn one_network_of_ipv6_addresses_has_one_bucket() {
    let two = Rate {
        burst: 2,
        every: 60_000,
    };
    let site = Site::start(Config {
        trusted_proxies: vec![IpAddr::from([127, 0, 0, 1])],
        public: vec!["relay.example:443".into()],
        limits: Limits {
            http_rate: two,
            ..Limits::default()
        },
        ..config()
    })
    .await;
    let ask = async |from: String| {
        let request = site.http.get(site.url("/v1/stats"));
        let request = request.header("x-forwarded-for", from);
        request.send().await.unwrap().status().as_u16()
    };
    let mut heard = Vec::new();
    for n in 1..=3 {
        heard.push(ask(format!("2001:db8:1:2::{n}")).await);
    }
    assert_eq!(heard, [200, 200, 429]);
    assert_eq!(ask("2001:db8:1:3::1".into()).await, 200);
}

#[tokio::test]
async fn many_accounts_of_one_address_share_its_bucket() {
    let five = Rate {
        burst: 5,
        every: 60_000,
    };
    let site = Site::start(Config {
        limits: Limits {
            ip_rate: five,
            ..Limits::default()
        },
        ..config()
    })
    .await;
    let mut refused = 0;
    for n in 1..=8 {
        let mut socket = site.connect(&Person::new(n)).await;
        socket.send(ClientFrame::Ping).await;
        match socket.frame().await {
            RelayFrame::Pong => {}
            RelayFrame::Error(error) => {
                assert_eq!(error.code, ErrorCode::RateLimited);
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn many_accounts_of_one_address_share_its_sockets() {
    let site = Site::start(Config {
        limits: Limits {
            connections_per_loopback: 2,
            ..Limits::default()
        },
        ..config()
    })
    .await;
    let _one = site.connect(&Person::new(1)).await;
    let _two = site.connect(&Person::new(2)).await;
    let token = site.sign_in(&Person::new(3)).await.access.0.clone();
    assert_eq!(site.bearer(&token).await.unwrap_err(), 429);
}

#[tokio::test]
async fn an_account_has_so_many_rooms_and_follows_no_more() {
    let hub = HubConfig {
        rooms_per_user: 2,
        ..HubConfig::default()
    };
    let site = Site::start(Config { hub, ..config() }).await;
    let alice = Person::new(1);
    let mut socket = site.connect(&alice).await;
    let create = |n: u8| ClientFrame::RoomCreate {
        room: RoomId([n; 16]),
        settings: Default::default(),
    };
    for n in 1..=2 {
        socket.send(create(n)).await;
        let room = RoomId([n; 16]);
        assert_eq!(socket.frame().await, RelayFrame::RoomCreated { room });
    }
    // Another socket is no other account.
    let mut second = site.connect(&alice).await;
    for socket in [&mut socket, &mut second] {
        socket.send(create(3)).await;
        assert_eq!(socket.error().await.code, ErrorCode::Forbidden);
    }
}

#[tokio::test]
async fn a_large_frame_counts_as_many_small_ones() {
    let account_rate = Rate {
        burst: 100,
        every: 60_000,
    };
    let site = Site::start(Config {
        limits: Limits {
            account_rate,
            ..Limits::default()
        },
        ..config()
    })
    .await;
    let mut socket = site.connect(&Person::new(1)).await;
    socket.make_room().await;
    let body = vec![7; 700_000];
    assert_eq!(socket.say(commit(1, 0, &[], &body)).await, 1);
    socket.send(commit(2, 1, &[], &body)).await;
    assert_eq!(socket.error().await.code, ErrorCode::RateLimited);
    // There is room for small ones yet.
    assert_eq!(socket.say(commit(3, 1, &[], b"small")).await, 2);
}

#[tokio::test]
async fn a_flood_of_pings_is_not_read_to_its_end() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let stream = tcp(&mut socket);
    let flood = piece(PING, b"").repeat(10_000);
    let mut taken = 0;
    let flooding = async {
        while stream.write_all(&flood).await.is_ok() {
            taken += flood.len();
            assert!(taken < 64 * limits::LARGE_FRAME, "{taken} bytes were taken");
        }
    };
    tokio::time::timeout(PATIENCE, flooding).await.unwrap();
}
