//! Somebody at a relay's door, below the engine: signs in over HTTP from a
//! chosen address and speaks frames over a WebSocket.

use futures_util::{SinkExt as _, StreamExt as _};
use sotto_client::{Client, Now, model::Profile, store::memory::MemoryStore};
use sotto_wire::{
    ClientFrame, RelayFrame, UserId,
    auth::{Challenge, ChallengeRequest, TokenRequest, Tokens},
    codec::{decode, encode},
    frame::Token,
};
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

pub type Failure = Box<dyn Error + Send + Sync>;
pub type Socket = WebSocketStream<TcpStream>;

/// One account with a token for it.
#[derive(Clone)]
pub struct Visitor {
    pub user: UserId,
    relay: SocketAddr,
    from: IpAddr,
    access: Token,
}

impl Visitor {
    /// Makes account number `seed` and signs in from an address of this
    /// computer.
    pub async fn arrives(seed: u64, from: IpAddr, relay: SocketAddr) -> Result<Self, Failure> {
        let mut client = account(seed)?;
        let user = client.user();
        let http = reqwest::Client::builder()
            .local_address(from)
            .no_proxy()
            .build()?;
        let url = |path: &str| format!("http://{relay}/v1/auth/{path}");
        let asked = http
            .post(url("challenge"))
            .json(&ChallengeRequest { account: user });
        let Challenge { challenge, .. } = asked.send().await?.error_for_status()?.json().await?;
        let audience = relay.to_string();
        let mut store = MemoryStore::default();
        let mut txn = store.begin();
        let (certificate, signature) = client.sign_in(now()?, &mut txn, &audience, &challenge)?;
        drop(txn);
        let request = TokenRequest {
            certificate,
            challenge,
            audience,
            signature,
            admission: None,
        };
        let asked = http.post(url("token")).json(&request);
        let Tokens { access, .. } = asked.send().await?.error_for_status()?.json().await?;
        Ok(Self {
            user,
            relay,
            from,
            access,
        })
    }

    /// A TCP connection from this visitor's address.
    pub async fn connects(&self) -> Result<TcpStream, Failure> {
        connect(self.from, self.relay).await
    }

    /// A signed-in socket that was greeted.
    pub async fn opens(&self) -> Result<Socket, Failure> {
        let mut request = format!("ws://{}/v1/ws", self.relay).into_client_request()?;
        let bearer = format!("Bearer {}", self.access.0).parse()?;
        request.headers_mut().insert("Authorization", bearer);
        let (mut socket, _) = client_async(request, self.connects().await?).await?;
        loop {
            if let RelayFrame::AuthOk { .. } = hear(&mut socket).await? {
                return Ok(socket);
            }
        }
    }
}

pub async fn connect(from: IpAddr, relay: SocketAddr) -> Result<TcpStream, Failure> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(relay).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub async fn say(socket: &mut Socket, frame: ClientFrame) -> Result<(), Failure> {
    socket.send(Message::text(encode(&frame.into()))).await?;
    Ok(())
}

/// The next frame; pings are answered on the way.
pub async fn hear(socket: &mut Socket) -> Result<RelayFrame, Failure> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(decode(&text)?.frame),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_)) | None => return Err("the relay closed".into()),
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

fn account(seed: u64) -> Result<Client, Failure> {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let profile = Profile {
        name: "Visitor".to_owned(),
        ..Profile::default()
    };
    let mut store = MemoryStore::default();
    let mut txn = store.begin();
    Ok(Client::create(bytes, &mut txn, now()?, profile)?)
}

fn now() -> Result<Now, Failure> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(Now {
        wall: u64::try_from(wall)?,
        mono: 0,
    })
}
