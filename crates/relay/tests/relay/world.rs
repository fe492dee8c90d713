//! People, a relay, and sockets between them.

use futures_util::{SinkExt as _, StreamExt as _};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sotto_relay::{Config, Relay, start};
use sotto_wire::{
    Bytes, ClientFrame, DeviceId, MessageId, Millis, RelayFrame, RoomId, UserId,
    auth::{Challenge, DeviceCertificate, Ticket, TokenRequest, Tokens, sign_in_transcript},
    codec::{Envelope, decode, encode},
    frame::{ChatKind, ChatSend, Token},
};
use std::{
    net::SocketAddr,
    ops::Deref,
    time::{Duration, SystemTime},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// Longer than anything here takes: only a broken test meets it.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    since.as_millis() as Millis
}

pub fn room() -> RoomId {
    RoomId([7; 16])
}

pub fn message(n: u8) -> MessageId {
    MessageId([n; 16])
}

pub fn chat(n: u8, epoch: u64, body: &[u8]) -> ChatSend {
    ChatSend {
        room: room(),
        id: message(n),
        kind: ChatKind::Application,
        epoch,
        adds: vec![],
        removes: vec![],
        body: body.into(),
    }
}

pub fn commit(n: u8, epoch: u64, adds: &[&Person], body: &[u8]) -> ClientFrame {
    let adds = adds.iter().map(|person| person.user()).collect();
    ClientFrame::ChatSend(ChatSend {
        kind: ChatKind::Commit,
        adds,
        ..chat(n, epoch, body)
    })
}

/// Someone with one device.
pub struct Person {
    key: SigningKey,
    device: DeviceId,
}

impl Person {
    pub fn new(n: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[n; 32]).unwrap(),
            device: DeviceId([n; 16]),
        }
    }

    fn public(&self) -> Bytes {
        Bytes(
            self.key
                .verifying_key()
                .to_sec1_point(true)
                .as_bytes()
                .to_vec(),
        )
    }

    pub fn user(&self) -> UserId {
        UserId(sotto_relay::auth::sha256(&self.public()))
    }

    pub fn device(&self) -> DeviceId {
        self.device
    }

    fn sign(&self, bytes: &[u8]) -> Bytes {
        let signature: Signature = self.key.sign(bytes);
        Bytes(signature.to_bytes().to_vec())
    }

    pub fn request(&self, challenge: Bytes, audience: &str) -> TokenRequest {
        let mut certificate = DeviceCertificate {
            account_key: self.public(),
            device: self.device,
            leaf_key: Bytes(vec![1; 32]),
            not_before: now() - 1_000,
            not_after: now() + 1_000_000_000,
            signature: Bytes::default(),
        };
        certificate.signature = self.sign(&certificate.transcript());
        let transcript = sign_in_transcript(audience, &challenge, &self.user(), &self.device);
        let signature = self.sign(&transcript);
        TokenRequest {
            certificate,
            challenge,
            audience: audience.into(),
            signature,
            admission: None,
        }
    }
}

/// A config for a free port on loopback.
pub fn config() -> Config {
    Config {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        admin_token: Some(Token("the operator's".into())),
        ..Config::default()
    }
}

/// A relay, and the address it was started at.
pub struct Site {
    pub relay: Relay,
    door: Door,
}

/// One address of a relay.
pub struct Door {
    address: SocketAddr,
    pub http: reqwest::Client,
}

impl Site {
    pub async fn start(config: Config) -> Self {
        // reqwest wants a provider even where it speaks no TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let relay = start(config).await.unwrap();
        let door = Door::new(relay.address());
        Self { relay, door }
    }

    pub fn at(&self, address: SocketAddr) -> Door {
        Door::new(address)
    }
}

impl Deref for Site {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

impl Door {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            http: reqwest::Client::new(),
        }
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    /// Status, and the body as JSON.
    pub async fn post(&self, path: &str, bearer: Option<&str>, body: Value) -> (u16, Value) {
        let mut request = self.http.post(self.url(path)).body(body.to_string());
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    pub async fn admin(&self, path: &str, body: Value) -> u16 {
        self.post(path, Some("the operator's"), body).await.0
    }

    pub async fn challenge(&self, person: &Person) -> Bytes {
        let (status, body) = self
            .post(
                "/v1/auth/challenge",
                None,
                json!({ "account": person.user() }),
            )
            .await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value::<Challenge>(body).unwrap().challenge
    }

    /// Status and error code of a sign-in, after `change`.
    pub async fn try_sign_in(
        &self,
        person: &Person,
        change: impl FnOnce(&mut TokenRequest),
    ) -> (u16, Value) {
        let challenge = self.challenge(person).await;
        let mut request = person.request(challenge, &self.authority());
        change(&mut request);
        self.post(
            "/v1/auth/token",
            None,
            serde_json::to_value(request).unwrap(),
        )
        .await
    }

    pub async fn sign_in(&self, person: &Person) -> Tokens {
        let (status, body) = self.try_sign_in(person, |_| ()).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body).unwrap()
    }

    pub async fn ticket(&self, tokens: &Tokens) -> String {
        let (status, body) = self
            .post("/v1/auth/ticket", Some(&tokens.access.0), json!(null))
            .await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value::<Ticket>(body)
            .unwrap()
            .ticket
            .0
            .clone()
    }

    /// A socket, or the status it was refused with.
    pub async fn socket(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, u16> {
        let url = format!("ws://{}{path}", self.authority());
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .append(*name, HeaderValue::from_str(value).unwrap());
        }
        match connect_async(request).await {
            Ok((stream, response)) => {
                let protocol = response.headers().get("sec-websocket-protocol").cloned();
                Ok(Socket {
                    stream,
                    protocol: protocol.map(|p| p.to_str().unwrap().to_owned()),
                })
            }
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    pub async fn bearer(&self, token: &str) -> Result<Socket, u16> {
        self.socket("/v1/ws", &[("authorization", &format!("Bearer {token}"))])
            .await
    }

    /// A signed-in socket that has heard its `auth.ok` and that keys are low.
    pub async fn connect(&self, person: &Person) -> Socket {
        let tokens = self.sign_in(person).await;
        let mut socket = self.bearer(&tokens.access.0).await.unwrap();
        socket.greeted(person).await;
        assert_eq!(socket.frame().await, RelayFrame::KeysLow { count: 0 });
        socket
    }
}

#[derive(Debug)]
pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub protocol: Option<String>,
}

#[derive(Debug, PartialEq)]
pub enum Heard {
    Frame(Envelope<RelayFrame>),
    Closed(u16),
}

impl Socket {
    pub async fn send(&mut self, frame: ClientFrame) {
        self.text(encode(&frame.into())).await;
    }

    pub async fn text(&mut self, text: impl Into<String>) {
        self.raw(Message::text(text.into())).await;
    }

    pub async fn binary(&mut self, bytes: &[u8]) {
        self.raw(Message::Binary(bytes.to_vec().into())).await;
    }

    pub async fn raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// The next frame, or how the socket was closed.
    pub async fn hear(&mut self) -> Heard {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match message.expect("nothing was heard for a minute") {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Frame(decode(text.as_str()).unwrap());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map_or(0, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(0),
            }
        }
    }

    pub async fn frame(&mut self) -> RelayFrame {
        match self.hear().await {
            Heard::Frame(envelope) => envelope.frame,
            Heard::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The code it is closed with; frames before that are passed over.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }

    pub async fn greeted(&mut self, person: &Person) {
        match self.frame().await {
            RelayFrame::AuthOk { user, device, .. } => {
                assert_eq!((user, device), (person.user(), person.device()));
            }
            other => panic!("{other:?}"),
        }
    }

    pub async fn error(&mut self) -> sotto_wire::WireError {
        match self.frame().await {
            RelayFrame::Error(error) => error,
            other => panic!("{other:?}"),
        }
    }

    /// Makes the room and follows it.
    pub async fn make_room(&mut self) {
        self.send(ClientFrame::RoomCreate {
            room: room(),
            settings: Default::default(),
        })
        .await;
        assert_eq!(self.frame().await, RelayFrame::RoomCreated { room: room() });
        self.open(0).await;
    }

    pub async fn open(&mut self, since: u64) -> sotto_wire::frame::RoomOpened {
        self.send(ClientFrame::RoomOpen {
            room: room(),
            since,
        })
        .await;
        match self.frame().await {
            RelayFrame::RoomOpened(opened) => opened,
            other => panic!("{other:?}"),
        }
    }

    /// Sends a message and waits for its ack, passing over what else is heard.
    pub async fn say(&mut self, frame: ClientFrame) -> u64 {
        self.send(frame).await;
        loop {
            match self.frame().await {
                RelayFrame::ChatAck { seq, .. } => return seq,
                RelayFrame::Error(error) => panic!("{error}"),
                _ => {}
            }
        }
    }

    /// The next message, passing over what else is heard.
    pub async fn message(&mut self) -> sotto_wire::frame::ChatReceive {
        loop {
            if let RelayFrame::ChatReceive(message) = self.frame().await {
                return message;
            }
        }
    }
}
