//! Relayed calls of people whose network lets no UDP through: the same
//! datagrams by WebSockets, and what these may cost the relay.

use crate::{
    caller::{Client, Said, channel, judge, takes},
    world::{Person, Site, config},
};
use sotto_relay::{
    Config,
    server::{Limits, Timings},
    turn::stun::{self, Message, Method, attribute as a},
};
use std::time::Duration;

/// A relay that does not wait long for an allocation.
fn hasty() -> Config {
    let timings = Timings {
        handshake: Duration::from_secs(1),
        ..Timings::default()
    };
    Config {
        timings,
        ..config()
    }
}

/// Somebody signed in, and what they were handed for calls.
macro_rules! credential {
    ($site:expr, $n:expr) => {{
        let mut socket = $site.connect(&Person::new($n)).await;
        takes(&mut socket).await
    }};
}

#[tokio::test]
async fn somebody_without_udp_talks_with_somebody_who_has_it() {
    let site = Site::start(config()).await;
    let (hers, his) = (credential!(site, 1), credential!(site, 2));
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    assert_eq!(alice.allocates().await, Said::Yes);
    let mut bob = Client::at_home(&his).await;
    assert_eq!(alice.permits(bob.relayed).await, Said::Yes);
    assert_eq!(bob.permits(alice.relayed).await, Said::Yes);

    for (one, other) in [(0, 1), (1, 0)] {
        let ends = [&mut alice, &mut bob];
        let (from, to) = (ends[one].relayed, ends[other].relayed);
        ends[one].sends(to, b"hello").await;
        let heard = ends[other].hears().await;
        let message = Message::read(&heard).expect("a Data indication");
        assert_eq!(message.get(a::DATA), Some(&b"hello"[..]));
        let peer = message.get(a::XOR_PEER_ADDRESS).unwrap();
        assert_eq!(stun::address(peer, &message.transaction), Some(from));
    }

    assert_eq!(alice.binds(0x4001, bob.relayed).await, Said::Yes);
    assert_eq!(bob.binds(0x4002, alice.relayed).await, Said::Yes);
    let long = vec![7; 1_300];
    alice.says(&channel(0x4001, &long)).await;
    assert_eq!(bob.hears().await, channel(0x4002, &long));
    bob.says(&channel(0x4002, b"yes")).await;
    assert_eq!(alice.hears().await, channel(0x4001, b"yes"));
}

#[tokio::test]
async fn two_without_udp_have_allocations_of_their_own() {
    let site = Site::start(config()).await;
    let hers = credential!(site, 1);
    let mut one = Client::tunnelled(&site, &hers).await.unwrap();
    let mut two = Client::tunnelled(&site, &hers).await.unwrap();
    assert_eq!(one.allocates().await, Said::Yes);
    assert_eq!(two.allocates().await, Said::Yes);
    assert_ne!(one.relayed, two.relayed);
    let turn = site.relay.turn_address().unwrap();
    assert_ne!(one.relayed.port(), turn.port());
    assert_eq!(one.permits(two.relayed).await, Said::Yes);
    assert_eq!(two.permits(one.relayed).await, Said::Yes);
    one.sends(two.relayed, b"hello").await;
    let heard = two.hears().await;
    let message = Message::read(&heard).expect("a Data indication");
    assert_eq!(message.get(a::DATA), Some(&b"hello"[..]));
}

/// What a client had there is gone with its WebSocket.
#[tokio::test]
async fn an_allocation_ends_with_its_socket() {
    let site = Site::start(config()).await;
    let (hers, his) = (credential!(site, 1), credential!(site, 2));
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    assert_eq!(alice.allocates().await, Said::Yes);
    let gone = alice.relayed;
    let mut bob = Client::at_home(&his).await;
    assert_eq!(bob.permits(gone).await, Said::Yes);
    drop(alice);
    // The quota of the account is free again, however often.
    for _ in 0..60 {
        let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
        assert_eq!(alice.allocates().await, Said::Yes);
        assert_ne!(alice.relayed, gone);
    }
    bob.sends(gone, b"anybody there?").await;
    bob.is_answered().await;
}

#[tokio::test]
async fn what_is_no_datagram_ends_the_socket() {
    let site = Site::start(config()).await;
    let mut chatty = site.socket("/v1/turn", &[]).await.unwrap();
    chatty.text("hello").await;
    assert_eq!(chatty.closed().await, 1008);
    let mut large = site.socket("/v1/turn", &[]).await.unwrap();
    large.binary(&[0; 2_049]).await;
    assert_eq!(large.closed().await, 1009);
    // Garbage that fits is dropped, as it would be over UDP.
    let hers = credential!(site, 1);
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    for length in [0, 1, 19, 2_048] {
        alice.says(&vec![0xff; length]).await;
    }
    assert_eq!(alice.allocates().await, Said::Yes);
}

#[tokio::test]
async fn a_flood_of_pings_ends_it() {
    let limits = Limits {
        control: 10,
        ..Limits::default()
    };
    let site = Site::start(Config { limits, ..config() }).await;
    let mut socket = site.socket("/v1/turn", &[]).await.unwrap();
    for _ in 0..11 {
        let ping = tokio_tungstenite::tungstenite::Message::Ping(Default::default());
        socket.raw(ping).await;
    }
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn whoever_has_no_allocation_in_time_is_let_go() {
    let site = Site::start(hasty()).await;
    let mut silent = site.socket("/v1/turn", &[]).await.unwrap();
    assert_eq!(silent.closed().await, 4401);
    // Asking for something that costs nothing is no allocation.
    let hers = credential!(site, 1);
    let mut asks = Client::tunnelled(&site, &hers).await.unwrap();
    asks.is_answered().await;
    assert_eq!(asks.is_closed().await, 4401);
}

#[tokio::test]
async fn whoever_has_one_and_says_nothing_is_let_go_later() {
    let timings = Timings {
        silence: Duration::from_secs(1),
        handshake: Duration::from_secs(5),
        ..Timings::default()
    };
    let site = Site::start(Config {
        timings,
        ..config()
    })
    .await;
    let hers = credential!(site, 1);
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    assert_eq!(alice.allocates().await, Said::Yes);
    // There is nothing to say to somebody who is gone.
    assert_eq!(alice.is_closed().await, 0);
}

#[tokio::test]
async fn a_barred_account_loses_its_allocation_and_then_its_socket() {
    let site = Site::start(hasty()).await;
    let (hers, his) = (credential!(site, 1), credential!(site, 2));
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    assert_eq!(alice.allocates().await, Said::Yes);
    let mut bob = Client::tunnelled(&site, &his).await.unwrap();
    assert_eq!(bob.allocates().await, Said::Yes);
    let body = serde_json::json!({ "user": Person::new(1).user(), "disabled": true });
    assert_eq!(site.admin("/v1/admin/disable", body).await, 204);
    assert_eq!(alice.permits(bob.relayed).await, Said::No(403));
    assert_eq!(alice.allocates().await, Said::No(403));
    assert_eq!(alice.is_closed().await, 4401);
    assert_eq!(bob.permits(bob.relayed).await, Said::Yes);
}

#[tokio::test]
async fn a_relay_that_relays_no_calls_has_no_such_route() {
    let turn = None;
    let site = Site::start(Config { turn, ..config() }).await;
    assert_eq!(site.socket("/v1/turn", &[]).await.unwrap_err(), 404);
}

#[tokio::test]
async fn a_request_that_is_no_websocket_is_told_so() {
    let site = Site::start(config()).await;
    let answer = site.http.get(site.url("/v1/turn")).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let foreign = [("origin", "https://elsewhere.example")];
    assert_eq!(site.socket("/v1/turn", &foreign).await.unwrap_err(), 403);
}

#[tokio::test]
async fn one_address_has_so_many_and_others_do_not_feel_it() {
    let limits = Limits {
        turn_sockets_per_ip: 1,
        connections_per_ip: 1,
        ..Limits::default()
    };
    let site = Site::start(Config {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        limits,
        ..config()
    })
    .await;
    let from = async |path: &str, ip: &str| site.socket(path, &[("x-forwarded-for", ip)]).await;
    let _first = from("/v1/turn", "203.0.113.1").await.unwrap();
    assert_eq!(from("/v1/turn", "203.0.113.1").await.unwrap_err(), 429);
    let _other = from("/v1/turn", "203.0.113.2").await.unwrap();
    // One IPv6 network is one visitor.
    let _six = from("/v1/turn", "2001:db8:1:2::1").await.unwrap();
    let same = from("/v1/turn", "2001:db8:1:2:ffff::9").await;
    assert_eq!(same.unwrap_err(), 429);
    // A call takes no place from the chat.
    let _chat = from("/v1/ws", "203.0.113.1").await.unwrap();
}

#[tokio::test]
async fn they_count_among_all_sockets() {
    let limits = Limits {
        tcp: 3,
        ..Limits::default()
    };
    let site = Site::start(Config { limits, ..config() }).await;
    let _one = site.socket("/v1/turn", &[]).await.unwrap();
    let _two = site.socket("/v1/ws", &[]).await.unwrap();
    let _three = site.socket("/v1/turn", &[]).await.unwrap();
    assert_eq!(site.socket("/v1/turn", &[]).await.unwrap_err(), 429);
    assert_eq!(site.socket("/v1/ws", &[]).await.unwrap_err(), 429);
}

#[tokio::test]
async fn a_relay_that_stops_says_goodbye() {
    let site = Site::start(config()).await;
    let hers = credential!(site, 1);
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    assert_eq!(alice.allocates().await, Said::Yes);
    let Site { relay, .. } = site;
    let stopping = tokio::spawn(relay.stop());
    assert_eq!(alice.is_closed().await, 1001);
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_request_in_pieces_is_a_request_and_pieces_without_end_are_none() {
    use tokio_tungstenite::tungstenite::{
        Message,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    };
    let site = Site::start(config()).await;
    let hers = credential!(site, 1);
    let piece = |bytes: &[u8], first: bool, last: bool| {
        let kind = if first { Data::Binary } else { Data::Continue };
        Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(kind), last))
    };
    let mut alice = Client::tunnelled(&site, &hers).await.unwrap();
    let request = alice.write(Method::Binding).finish(None);
    let (head, rest) = request.split_at(7);
    alice.sends_raw(piece(head, true, false)).await;
    alice.sends_raw(piece(rest, false, true)).await;
    assert_eq!(judge(&alice.hears().await), Said::Yes);

    let mut mallory = site.socket("/v1/turn", &[]).await.unwrap();
    mallory.raw(piece(&[], true, false)).await;
    let flood = async {
        use futures_util::SinkExt as _;
        while mallory.stream.send(piece(&[], false, false)).await.is_ok() {}
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), flood).await;
    assert!(ended.is_ok(), "it is taken for ever");
}
