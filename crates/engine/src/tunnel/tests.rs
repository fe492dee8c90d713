//! Tunnels to a real relay, by somebody who speaks TURN as the library does.

use super::*;
use sotto_client::call::media;
use sotto_relay::{
    Config, Relay,
    turn::{
        Credentials, REALM,
        stun::{self as turn, Class, Message, Method, Writing, attribute as a},
    },
};
use sotto_wire::{DeviceId, UserId};
use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout},
};

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long somebody who was not answered asks again, as the library does.
const AGAIN: Duration = Duration::from_millis(400);
const CALL: CallId = CallId([1; 16]);
const UDP: [u8; 4] = [17, 0, 0, 0];

fn paths(relay: RelayAddress, udp: SocketAddr) -> Paths {
    let url = None;
    Paths {
        servers: vec![IceServer {
            urls: vec![format!("stun:{udp}"), format!("turn:{udp}?transport=udp")],
            username: String::new(),
            credential: String::new(),
            tunnel: Some(media::Tunnel { relay, url }),
        }],
        ..Paths::default()
    }
}

fn url(order: &MediaOrder) -> Option<String> {
    match order {
        MediaOrder::Begin { paths, .. } | MediaOrder::Reroute { paths, .. } => {
            paths.servers[0].tunnel.clone()?.url
        }
        other => panic!("{other:?}"),
    }
}

/// Tunnels for a call, and where the library finds the one it has.
fn begin(relay: RelayAddress, udp: SocketAddr) -> (Tunnels, SocketAddr) {
    let mut tunnels = Tunnels::new(runtime::Handle::current());
    let paths = paths(relay, udp);
    let mut order = MediaOrder::Begin { call: CALL, paths };
    tunnels.prepare(&mut order);
    let url = url(&order).expect("it is open");
    let at = url.strip_prefix("turn:").expect("a TURN server");
    let at = at.strip_suffix("?transport=udp").expect("over UDP");
    (tunnels, at.parse().expect("an address"))
}

/// A place for datagrams where nothing is answered.
async fn silence() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A place for WebSockets where none is opened.
fn doorless() -> (TcpListener, RelayAddress) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address.parse().unwrap())
}

fn nobody_came(listener: &TcpListener) -> bool {
    let came = listener.accept();
    came.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// A relay, and credentials as it makes them.
struct World {
    relay: Relay,
    credentials: Credentials,
    _data: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = Config {
            bind: "127.0.0.1:0".parse().unwrap(),
            data: Some(data.path().into()),
            ..Config::default()
        };
        let relay = sotto_relay::start(config).await.expect("the relay starts");
        let key = std::fs::read(data.path().join("token.key")).unwrap();
        Self {
            relay,
            credentials: Credentials::new(&key.try_into().unwrap()),
            _data: data,
        }
    }

    fn address(&self) -> RelayAddress {
        self.relay.address().to_string().parse().unwrap()
    }

    fn udp(&self) -> SocketAddr {
        self.relay.turn_address().expect("it relays calls")
    }

    async fn client(&self, at: SocketAddr) -> Client {
        let holder = self
            .credentials
            .holder(&UserId([1; 32]), &DeviceId([1; 16]));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = now.as_millis() as u64;
        let made = self.credentials.issue(&holder, [1; 9], now, 60_000);
        let key = self.credentials.read(&made.username).unwrap().key;
        let mut client = Client::new(at).await;
        client.username = made.username;
        client.key = key;
        client
    }
}

/// One socket of the library's.
struct Client {
    socket: UdpSocket,
    username: String,
    key: [u8; 16],
    nonce: String,
    asked: u8,
}

impl Client {
    async fn new(at: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(at).await.unwrap();
        Self {
            socket,
            username: String::new(),
            key: [0; 16],
            nonce: String::new(),
            asked: 0,
        }
    }

    fn write(&mut self, method: Method) -> Writing {
        self.asked += 1;
        Writing::new(Class::Request, method, &[self.asked; 12])
    }

    fn signed(&mut self, method: Method) -> Writing {
        let writing = self.write(method);
        writing
            .with(a::USERNAME, self.username.as_bytes())
            .with(a::REALM, REALM.as_bytes())
            .with(a::NONCE, self.nonce.as_bytes())
    }

    async fn hears(&self) -> Vec<u8> {
        let mut buffer = [0; 2_048];
        let length = self.socket.recv(&mut buffer).await.unwrap();
        buffer[..length].to_vec()
    }

    /// Asks until it is answered.
    async fn asks(&self, request: &[u8]) -> Vec<u8> {
        let transaction = Message::read(request).unwrap().transaction;
        let asking = async {
            loop {
                self.socket.send(request).await.unwrap();
                let until = Instant::now() + AGAIN;
                // What comes twice was asked twice.
                while let Ok(heard) = tokio::time::timeout_at(until, self.hears()).await {
                    let of = Message::read(&heard).map(|message| message.transaction);
                    if of == Some(transaction) {
                        return heard;
                    }
                }
            }
        };
        timeout(PATIENCE, asking).await.expect("an answer")
    }

    async fn asks_for_an_allocation(&mut self) -> Vec<u8> {
        let request = self.write(Method::Allocate).finish(None);
        self.asks(&request).await
    }

    /// Its relayed address.
    async fn allocates(&mut self) -> SocketAddr {
        let heard = self.asks_for_an_allocation().await;
        assert_eq!(code(&heard), Some(401));
        let message = Message::read(&heard).unwrap();
        self.nonce = message.text(a::NONCE).unwrap().to_owned();
        let request = self.signed(Method::Allocate);
        let request = request.with(a::REQUESTED_TRANSPORT, &UDP);
        let heard = self.asks(&request.finish(Some(&self.key))).await;
        let message = Message::read(&heard).unwrap();
        assert!(message.is_signed_with(&self.key));
        let relayed = message.get(a::XOR_RELAYED_ADDRESS).expect("an address");
        turn::address(relayed, &message.transaction).unwrap()
    }

    async fn permits(&mut self, peer: SocketAddr) {
        let request = self.signed(Method::CreatePermission);
        let request = request.with_address(a::XOR_PEER_ADDRESS, peer);
        let heard = self.asks(&request.finish(Some(&self.key))).await;
        assert_eq!(code(&heard), None);
    }

    async fn sends(&self, peer: SocketAddr, data: &[u8]) {
        let message = Writing::new(Class::Indication, Method::Send, &[1; 12])
            .with_address(a::XOR_PEER_ADDRESS, peer)
            .with(a::DATA, data);
        self.socket.send(&message.plain()).await.unwrap();
    }

    async fn hears_data(&self) -> Vec<u8> {
        let hearing = async {
            loop {
                let heard = self.hears().await;
                let message = Message::read(&heard).expect("a message");
                if let Some(data) = message.get(a::DATA) {
                    return data.to_vec();
                }
            }
        };
        timeout(PATIENCE, hearing).await.expect("it arrives")
    }
}

fn code(answer: &[u8]) -> Option<u16> {
    let message = Message::read(answer).expect("a message");
    let value = message.get(a::ERROR_CODE)?;
    Some(u16::from(value[2]) * 100 + u16::from(value[3]))
}

#[tokio::test]
async fn where_udp_is_blocked_each_socket_has_its_allocation_by_websocket() {
    let world = World::new().await;
    let (_blocked, nowhere) = silence().await;
    let (_tunnels, at) = begin(world.address(), nowhere);
    let (mut one, mut two) = (world.client(at).await, world.client(at).await);
    let (from, to) = tokio::join!(one.allocates(), two.allocates());
    assert_ne!(from, to);
    one.permits(to).await;
    two.permits(from).await;
    one.sends(to, b"hello").await;
    assert_eq!(two.hears_data().await, b"hello");
    two.sends(from, &[7; 1_200]).await;
    assert_eq!(one.hears_data().await, [7; 1_200]);
}

#[tokio::test]
async fn where_udp_works_nothing_is_allocated_and_no_websocket_opened() {
    let world = World::new().await;
    let (listener, relay) = doorless();
    let (_tunnels, at) = begin(relay, world.udp());
    let mut library = Client::new(at).await;
    for _ in 0..3 {
        assert_eq!(code(&library.asks_for_an_allocation().await), Some(508));
    }
    assert!(nobody_came(&listener));
}

#[tokio::test]
async fn only_a_request_for_an_allocation_opens_a_websocket() {
    let (listener, relay) = doorless();
    let (_blocked, nowhere) = silence().await;
    let (_tunnels, at) = begin(relay, nowhere);
    let mut library = Client::new(at).await;
    let binding = library.write(Method::Binding).finish(None);
    let refresh = library.write(Method::Refresh).finish(None);
    let allocate = library.write(Method::Allocate).finish(None);
    let too_long = [&allocate[..], &[0; 2_048]].concat();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let other = Client::new(at).await;
    let asking = async {
        loop {
            for bytes in [
                &binding[..],
                &refresh[..],
                b"\x40\x01\x00\x01x",
                b"",
                &too_long[..],
            ] {
                other.socket.send(bytes).await.unwrap();
            }
            library.socket.send(&allocate).await.unwrap();
            tokio::time::sleep(AGAIN).await;
        }
    };
    let came = tokio::select! {
        () = asking => unreachable!(),
        came = timeout(PATIENCE, listener.accept()) => came,
    };
    let _one = came.expect("somebody comes").unwrap();
    let listener = listener.into_std().unwrap();
    assert!(nobody_came(&listener));
}

#[tokio::test]
async fn on_another_network_it_is_found_out_anew() {
    let world = World::new().await;
    let (server, at_server) = silence().await;
    let (tunnels, at) = begin(world.address(), at_server);
    let mut library = world.client(at).await;
    library.allocates().await;
    // What was asked so far remains unanswered.
    let mut buffer = [0; 512];
    while server.try_recv_from(&mut buffer).is_ok() {}
    tunnels.moved();
    let answering = async {
        loop {
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            let question = Message::read(&buffer[..length]).expect("a question");
            let id = question.transaction;
            let answer = Writing::new(Class::Success, Method::Binding, &id).plain();
            server.send_to(&answer, from).await.unwrap();
        }
    };
    let asking = async {
        let mut library = Client::new(at).await;
        library.asks_for_an_allocation().await
    };
    let heard = tokio::select! {
        () = answering => unreachable!(),
        heard = asking => heard,
    };
    assert_eq!(code(&heard), Some(508));
}

#[tokio::test]
async fn a_call_keeps_its_tunnel_and_another_has_another() {
    let (_listener, relay) = doorless();
    let (_silent, udp) = silence().await;
    let (mut tunnels, at) = begin(relay.clone(), udp);
    let reroute = |call| MediaOrder::Reroute {
        call,
        paths: paths(relay.clone(), udp),
    };
    let expect = Some(format!("turn:{at}?transport=udp"));
    for _ in 0..2 {
        let mut order = reroute(CALL);
        tunnels.prepare(&mut order);
        assert_eq!(url(&order), expect);
    }
    // A call that is not this one has none.
    let mut order = reroute(CallId([2; 16]));
    tunnels.prepare(&mut order);
    assert_eq!(url(&order), None);

    tunnels.prepare(&mut MediaOrder::End { call: CALL });
    let mut order = reroute(CALL);
    tunnels.prepare(&mut order);
    assert_eq!(url(&order), None);
    // And its end of the way is free again.
    let free = async {
        while UdpSocket::bind(at).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, free).await.expect("it is over");
}

#[tokio::test]
async fn a_server_without_a_tunnel_or_without_udp_is_left_as_it_is() {
    let (_listener, relay) = doorless();
    let (_silent, udp) = silence().await;
    let mut tunnels = Tunnels::new(runtime::Handle::current());
    let mut without = paths(relay.clone(), udp);
    without.servers[0].tunnel = None;
    let mut strange = paths(relay, udp);
    strange.servers[0].urls = vec![format!("stun:{udp}"), format!("turns:{udp}")];
    for paths in [without, strange] {
        let mut order = MediaOrder::Begin { call: CALL, paths };
        let before = order.clone();
        tunnels.prepare(&mut order);
        assert_eq!(order, before);
    }
}
