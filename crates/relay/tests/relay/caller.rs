//! Somebody who calls: a client of the TURN server, over UDP or over a
//! WebSocket, and what it has there.

use crate::world::{Door, Socket};
use futures_util::StreamExt as _;
use md5::{Digest as _, Md5};
use sotto_relay::turn::{
    REALM,
    stun::{self, Class, Message, Method, Writing, attribute as a},
};
use sotto_wire::{ClientFrame, RelayFrame};
use std::{net::SocketAddr, time::Duration};
use tokio::net::UdpSocket;
use tokio_tungstenite::tungstenite;

/// Only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const UDP: [u8; 4] = [17, 0, 0, 0];

#[derive(Clone)]
pub struct Credential {
    pub port: u16,
    pub username: String,
    pub password: String,
}

/// How datagrams get there.
enum Line {
    Udp(UdpSocket),
    Tunnel(Box<Socket>),
}

/// A client of the TURN server, and what it has there.
pub struct Client {
    line: Line,
    username: String,
    pub key: [u8; 16],
    nonce: String,
    pub relayed: SocketAddr,
    transactions: u32,
}

/// What an answer says.
#[derive(Debug, PartialEq)]
pub enum Said {
    Yes,
    No(u16),
}

pub async fn takes(socket: &mut Socket) -> Credential {
    socket.send(ClientFrame::TurnTake).await;
    match socket.frame().await {
        RelayFrame::TurnTaken {
            port,
            username,
            password,
            ..
        } => Credential {
            port,
            username,
            password: password.0.clone(),
        },
        other => panic!("{other:?}"),
    }
}

pub fn judge(bytes: &[u8]) -> Said {
    let message = Message::read(bytes).expect("a message");
    match message.get(a::ERROR_CODE) {
        None => Said::Yes,
        Some(value) => Said::No(u16::from(value[2]) * 100 + u16::from(value[3])),
    }
}

impl Client {
    pub async fn new(credential: &Credential) -> Self {
        let server = SocketAddr::from(([127, 0, 0, 1], credential.port));
        Self::at(server, credential).await
    }

    pub async fn at(server: SocketAddr, credential: &Credential) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(server).await.unwrap();
        Self::by(Line::Udp(socket), server, credential)
    }

    /// By a WebSocket; or the status it was refused with.
    pub async fn tunnelled(door: &Door, credential: &Credential) -> Result<Self, u16> {
        let socket = door.socket("/v1/turn", &[]).await?;
        let line = Line::Tunnel(Box::new(socket));
        Ok(Self::by(line, ([127, 0, 0, 1], 0).into(), credential))
    }

    fn by(line: Line, relayed: SocketAddr, credential: &Credential) -> Self {
        let Credential {
            username, password, ..
        } = credential;
        Self {
            line,
            username: username.clone(),
            key: Md5::digest(format!("{username}:{REALM}:{password}")).into(),
            nonce: String::new(),
            relayed,
            transactions: 0,
        }
    }

    /// With an allocation.
    pub async fn at_home(credential: &Credential) -> Self {
        let mut client = Self::new(credential).await;
        assert_eq!(client.allocates().await, Said::Yes);
        client
    }

    pub fn write(&mut self, method: Method) -> Writing {
        self.transactions += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.transactions.to_be_bytes());
        Writing::new(Class::Request, method, &id)
    }

    pub fn signed(&mut self, method: Method) -> Writing {
        let writing = self.write(method);
        writing
            .with(a::USERNAME, self.username.as_bytes())
            .with(a::REALM, REALM.as_bytes())
            .with(a::NONCE, self.nonce.as_bytes())
    }

    pub async fn says(&mut self, bytes: &[u8]) {
        match &mut self.line {
            Line::Udp(socket) => drop(socket.send(bytes).await.unwrap()),
            Line::Tunnel(socket) => socket.binary(bytes).await,
        }
    }

    /// Anything that a WebSocket takes.
    pub async fn sends_raw(&mut self, message: tungstenite::Message) {
        match &mut self.line {
            Line::Udp(_) => panic!("that is for WebSockets"),
            Line::Tunnel(socket) => socket.raw(message).await,
        }
    }

    pub async fn hears(&mut self) -> Vec<u8> {
        let heard = async {
            match &mut self.line {
                Line::Udp(socket) => {
                    let mut buffer = [0; 2_048];
                    let length = socket.recv(&mut buffer).await.unwrap();
                    buffer[..length].to_vec()
                }
                Line::Tunnel(socket) => loop {
                    match socket.stream.next().await {
                        Some(Ok(tungstenite::Message::Binary(bytes))) => break bytes.to_vec(),
                        Some(Ok(tungstenite::Message::Ping(_))) => {}
                        other => panic!("{other:?}"),
                    }
                },
            }
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        heard.expect("something is heard")
    }

    /// The code its WebSocket is closed with.
    pub async fn is_closed(&mut self) -> u16 {
        match &mut self.line {
            Line::Udp(_) => panic!("nobody closes this one"),
            Line::Tunnel(socket) => socket.closed().await,
        }
    }

    pub async fn asks(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.says(bytes).await;
        self.hears().await
    }

    async fn learns_nonce(&mut self) {
        let request = self.write(Method::Allocate).finish(None);
        let answer = self.asks(&request).await;
        assert_eq!(judge(&answer), Said::No(401));
        let message = Message::read(&answer).unwrap();
        self.nonce = message.text(a::NONCE).unwrap().to_owned();
    }

    pub async fn allocates(&mut self) -> Said {
        self.learns_nonce().await;
        let request = self
            .signed(Method::Allocate)
            .with(a::REQUESTED_TRANSPORT, &UDP);
        let request = request.finish(Some(&self.key));
        let answer = self.asks(&request).await;
        let message = Message::read(&answer).unwrap();
        if let Some(relayed) = message.get(a::XOR_RELAYED_ADDRESS) {
            assert!(message.is_signed_with(&self.key));
            self.relayed = stun::address(relayed, &message.transaction).unwrap();
        }
        judge(&answer)
    }

    pub async fn permits(&mut self, peer: SocketAddr) -> Said {
        let request = self
            .signed(Method::CreatePermission)
            .with_address(a::XOR_PEER_ADDRESS, peer);
        let request = request.finish(Some(&self.key));
        judge(&self.asks(&request).await)
    }

    pub async fn binds(&mut self, number: u16, peer: SocketAddr) -> Said {
        let request = self
            .signed(Method::ChannelBind)
            .with(
                a::CHANNEL_NUMBER,
                &[(number >> 8) as u8, number as u8, 0, 0],
            )
            .with_address(a::XOR_PEER_ADDRESS, peer);
        let request = request.finish(Some(&self.key));
        judge(&self.asks(&request).await)
    }

    pub async fn sends(&mut self, peer: SocketAddr, data: &[u8]) {
        let message = Writing::new(Class::Indication, Method::Send, &[1; 12])
            .with_address(a::XOR_PEER_ADDRESS, peer)
            .with(a::DATA, data);
        self.says(&message.plain()).await;
    }

    /// The server has dealt with everything that was sent before.
    pub async fn is_answered(&mut self) {
        let request = self.write(Method::Binding).finish(None);
        assert_eq!(judge(&self.asks(&request).await), Said::Yes);
    }
}

pub fn channel(number: u16, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    [&number.to_be_bytes()[..], &length.to_be_bytes(), data].concat()
}
