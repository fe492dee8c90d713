//! Relayed calls, over real UDP sockets: what members can do with what they
//! are handed, and what nobody can.

// The seed is for whoever replays it.
#![allow(clippy::print_stdout)]

use crate::{
    caller::{Client, Credential, Said, channel, judge, takes},
    world::{Person, Site, config},
};
use sotto_relay::{
    Config,
    server::{Clock, TurnConfig},
    turn::{
        TurnLimits,
        stun::{self, Class, Message, Method, Writing, attribute as a},
    },
};
use sotto_wire::{
    ClientFrame, ErrorCode, RelayFrame, RequestId,
    codec::{Envelope, encode},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::UdpSocket;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn with_turn(turn: Option<TurnConfig>) -> Config {
    Config { turn, ..config() }
}

#[tokio::test]
async fn two_members_talk_through_the_relay() {
    let site = Site::start(config()).await;
    let mut alice = site.connect(&Person::new(1)).await;
    let mut bob = site.connect(&Person::new(2)).await;
    let (alice, bob) = (takes(&mut alice).await, takes(&mut bob).await);
    let (mut alice, mut bob) = (Client::at_home(&alice).await, Client::at_home(&bob).await);
    assert_eq!(alice.permits(bob.relayed).await, Said::Yes);
    assert_eq!(bob.permits(alice.relayed).await, Said::Yes);

    alice.sends(bob.relayed, b"hello").await;
    let heard = bob.hears().await;
    let message = Message::read(&heard).expect("a Data indication");
    assert_eq!(message.get(a::DATA), Some(&b"hello"[..]));
    let from = message.get(a::XOR_PEER_ADDRESS).unwrap();
    let from = stun::address(from, &message.transaction);
    assert_eq!(from, Some(alice.relayed));

    assert_eq!(alice.binds(0x4001, bob.relayed).await, Said::Yes);
    assert_eq!(bob.binds(0x4002, alice.relayed).await, Said::Yes);
    alice.says(&channel(0x4001, b"hello")).await;
    assert_eq!(bob.hears().await, channel(0x4002, b"hello"));
    bob.says(&channel(0x4002, b"yes")).await;
    assert_eq!(alice.hears().await, channel(0x4001, b"yes"));

    let request = alice.signed(Method::Refresh).with(a::LIFETIME, &[0; 4]);
    let request = request.finish(Some(&alice.key));
    let answer = alice.asks(&request).await;
    assert_eq!(judge(&answer), Said::Yes);
    assert_eq!(alice.permits(bob.relayed).await, Said::No(437));
}

#[tokio::test]
async fn a_credential_is_for_members_and_names_the_request_that_asked() {
    let site = Site::start(config()).await;
    // Not signed in: nothing is handed out.
    let mut stranger = site.socket("/v1/ws", &[]).await.unwrap();
    stranger.send(ClientFrame::TurnTake).await;
    assert_eq!(stranger.error().await.code, ErrorCode::NotAuthenticated);
    let mut alice = site.connect(&Person::new(1)).await;
    let id = RequestId::new("turn").unwrap();
    let envelope = Envelope {
        id: Some(id.clone()),
        frame: ClientFrame::TurnTake,
    };
    alice.text(encode(&envelope)).await;
    let crate::world::Heard::Frame(answer) = alice.hear().await else {
        panic!("closed");
    };
    assert_eq!(answer.id, Some(id));
    let RelayFrame::TurnTaken { username, port, .. } = answer.frame else {
        panic!("{answer:?}");
    };
    assert_eq!(site.relay.turn_address().map(|at| at.port()), Some(port));
    // Nothing in it is the account's.
    let user = Person::new(1).user().to_string();
    assert!((0..user.len() - 4).all(|at| !username.contains(&user[at..at + 5])));
    // Not without end, either.
    let error = loop {
        alice.send(ClientFrame::TurnTake).await;
        match alice.frame().await {
            RelayFrame::TurnTaken { .. } => {}
            RelayFrame::Error(error) => break error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(error.code, ErrorCode::RateLimited);
}

#[tokio::test]
async fn a_relay_that_relays_no_calls_says_so() {
    let site = Site::start(with_turn(None)).await;
    let mut alice = site.connect(&Person::new(1)).await;
    alice.send(ClientFrame::TurnTake).await;
    assert_eq!(alice.error().await.code, ErrorCode::NotFound);
    assert_eq!(site.relay.turn_address(), None);
}

#[tokio::test]
async fn a_credential_ends_and_one_that_is_not_the_relay_s_never_begins() {
    let wall = Arc::new(AtomicU64::new(crate::world::now()));
    let read = Arc::clone(&wall);
    let clock = Clock::new(move || read.load(Ordering::Relaxed));
    let site = Site::start(Config { clock, ..config() }).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let good = takes(&mut socket).await;

    let mut wrong = Client::new(&good).await;
    wrong.key = [1; 16];
    assert_eq!(wrong.allocates().await, Said::No(401));

    let (until, opaque) = good.username.split_once(':').unwrap();
    let later = until.parse::<u64>().unwrap() + 86_400;
    let forged = Credential {
        username: format!("{later}:{opaque}"),
        ..good.clone()
    };
    assert_eq!(Client::new(&forged).await.allocates().await, Said::No(401));

    let mut early = Client::at_home(&good).await;
    wall.fetch_add(3 * 60 * 60_000, Ordering::Relaxed);
    assert_eq!(Client::new(&good).await.allocates().await, Said::No(401));
    // What was begun in time goes on.
    assert_eq!(early.permits(early.relayed).await, Said::Yes);
}

#[tokio::test]
async fn a_revoked_account_loses_what_it_has_and_what_it_was_handed() {
    let site = Site::start(config()).await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut socket = site.connect(&alice).await;
    let hers = takes(&mut socket).await;
    let mut socket = site.connect(&bob).await;
    let his = takes(&mut socket).await;
    let (mut at_work, mut other) = (Client::at_home(&hers).await, Client::at_home(&his).await);
    let body = serde_json::json!({ "user": alice.user(), "disabled": true });
    assert_eq!(site.admin("/v1/admin/disable", body).await, 204);
    assert_eq!(at_work.permits(other.relayed).await, Said::No(403));
    assert_eq!(at_work.allocates().await, Said::No(403));
    assert_eq!(Client::new(&hers).await.allocates().await, Said::No(403));
    // Nobody else notices.
    assert_eq!(other.permits(at_work.relayed).await, Said::Yes);
}

#[tokio::test]
async fn an_account_has_so_many_allocations_and_no_more() {
    let limits = TurnLimits {
        per_account: 2,
        ..TurnLimits::default()
    };
    let turn = TurnConfig {
        limits,
        ..TurnConfig::default()
    };
    let site = Site::start(with_turn(Some(turn))).await;
    let mut socket = site.connect(&Person::new(1)).await;
    // Other names are of no use.
    let (one, two) = (takes(&mut socket).await, takes(&mut socket).await);
    assert_ne!(one.username, two.username);
    let _first = Client::at_home(&one).await;
    let _second = Client::at_home(&two).await;
    assert_eq!(Client::new(&one).await.allocates().await, Said::No(486));
    let mut socket = site.connect(&Person::new(2)).await;
    let his = takes(&mut socket).await;
    Client::at_home(&his).await;
}

/// Attack 18. Whatever an address is dressed as, nothing goes there: neither
/// what a permission asks for, nor a channel, nor data sent without either.
#[tokio::test]
async fn attack_18_no_address_leads_anywhere_but_to_relayed_ones_of_this_relay() {
    let turn = TurnConfig {
        public: Some("203.0.113.5".parse().unwrap()),
        ..TurnConfig::default()
    };
    let site = Site::start(with_turn(Some(turn))).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let credential = takes(&mut socket).await;
    let mut mallory = Client::at_home(&credential).await;

    // What listens on this computer: services of the relay, and others.
    let v4 = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let everywhere = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let v6 = UdpSocket::bind("[::1]:0").await.ok();
    let tcp: SocketAddr = site.authority().parse().unwrap();
    let ports = [
        v4.local_addr().unwrap().port(),
        everywhere.local_addr().unwrap().port(),
        v6.as_ref().map_or(7, |s| s.local_addr().unwrap().port()),
        credential.port,
        tcp.port(),
        22,
        53,
        443,
        50_000,
    ];
    let addresses = [
        // Open relay: anybody out there, and our neighbours.
        "1.1.1.1",
        "203.0.113.6",
        "2606:4700:4700::1111",
        // Nobody, this computer, this link, this network.
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        // The same in other clothes: mapped, compatible, translated (both
        // prefixes), 6to4, Teredo, ISATAP.
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "::ffff:203.0.113.5",
        "::127.0.0.1",
        "::169.254.169.254",
        "::203.0.113.5",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:cb00:7105::1",
        "2001:0:0:0:0:0:80ff:fffe",
        "fe80::5efe:127.0.0.1",
    ];
    let mut number = 0x4000;
    for ip in addresses {
        let ip: IpAddr = ip.parse().unwrap();
        for port in ports {
            let peer = SocketAddr::new(ip, port);
            assert_eq!(mallory.permits(peer).await, Said::No(403), "{peer}");
        }
        let peer = SocketAddr::new(ip, ports[0]);
        number += 1;
        assert_eq!(mallory.binds(number, peer).await, Said::No(403), "{peer}");
        for port in ports {
            mallory.sends(SocketAddr::new(ip, port), b"boo").await;
        }
        mallory.says(&channel(number, b"boo")).await;
    }
    // The relay's own address, where its other ports are.
    let below = |port: u16| port.min(49_151);
    for port in [22, 443, below(credential.port), below(tcp.port())] {
        let peer = SocketAddr::new("203.0.113.5".parse().unwrap(), port);
        assert_eq!(mallory.permits(peer).await, Said::No(403), "{peer}");
    }
    // A good address hides no bad one beside it.
    let good = SocketAddr::new("203.0.113.5".parse().unwrap(), 50_000);
    let request = mallory
        .signed(Method::CreatePermission)
        .with_address(a::XOR_PEER_ADDRESS, good)
        .with_address(a::XOR_PEER_ADDRESS, "127.0.0.1:22".parse().unwrap());
    let request = request.finish(Some(&mallory.key));
    let answer = mallory.asks(&request).await;
    assert_eq!(judge(&answer), Said::No(403));

    // Datagrams of one computer arrive at once: what came, is here.
    mallory.is_answered().await;
    let mut buffer = [0; 64];
    for socket in [&v4, &everywhere].into_iter().chain(v6.as_ref()) {
        assert!(socket.try_recv_from(&mut buffer).is_err());
    }
}

#[tokio::test]
async fn no_datagram_brings_it_down() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let credential = takes(&mut socket).await;
    let mut client = Client::at_home(&credential).await;
    let seed = crate::world::now();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let relayed = client.relayed;
    let whole = [
        client.write(Method::Binding).finish(None),
        client.signed(Method::Allocate).finish(Some(&client.key)),
        client
            .signed(Method::CreatePermission)
            .with_address(a::XOR_PEER_ADDRESS, relayed)
            .finish(Some(&client.key)),
        Writing::new(Class::Indication, Method::Send, &[1; 12])
            .with_address(a::XOR_PEER_ADDRESS, relayed)
            .with(a::DATA, b"hello")
            .plain(),
        channel(0x4000, b"hello"),
    ];
    let fuzz = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = SocketAddr::from(([127, 0, 0, 1], credential.port));
    for round in 0..20_000_usize {
        let mut bytes = match round % 6 {
            5 => {
                let length = dice.below(3_000);
                (0..length).map(|_| dice.below(256) as u8).collect()
            }
            which => whole[which].clone(),
        };
        for _ in 0..dice.below(4) {
            if !bytes.is_empty() {
                let at = dice.below(bytes.len());
                bytes[at] = dice.below(256) as u8;
            }
        }
        if dice.below(4) == 0 {
            bytes.truncate(dice.below(bytes.len() + 1));
        }
        fuzz.send_to(&bytes, server).await.unwrap();
    }
    // It still serves, from an address that has not used up its answers.
    assert!(site.relay.turn_address().is_some());
    tokio::time::timeout(PATIENCE, async {
        loop {
            let request = client.write(Method::Refresh).finish(None);
            client.says(&request).await;
            let wait = Duration::from_millis(200);
            if tokio::time::timeout(wait, client.hears()).await.is_ok() {
                break;
            }
        }
    })
    .await
    .expect("it answers");
}

#[tokio::test]
async fn another_door_relays_too() {
    let mut site = Site::start(config()).await;
    let there = "127.0.0.2:0".parse().unwrap();
    let opened = site.relay.open(there, sotto_relay::server::Tls::None).await;
    let opened = opened.expect("another loopback address").address;
    let mut socket = site.connect(&Person::new(1)).await;
    let credential = takes(&mut socket).await;
    let door = SocketAddr::new(opened.ip(), credential.port);
    let mut guest = Client::at(door, &credential).await;
    assert_eq!(guest.allocates().await, Said::Yes);
    // Both are told of the address that guests can believe.
    assert_eq!(guest.relayed.ip(), opened.ip());
    let mut host = Client::at_home(&credential).await;
    assert_eq!(host.relayed.ip(), opened.ip());
    assert_eq!(host.permits(guest.relayed).await, Said::Yes);
    assert_eq!(guest.permits(host.relayed).await, Said::Yes);
    host.sends(guest.relayed, b"hello").await;
    let heard = guest.hears().await;
    assert_eq!(
        Message::read(&heard).unwrap().get(a::DATA),
        Some(&b"hello"[..])
    );
    site.relay.close(opened);
    host.is_answered().await;
}

/// Numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
