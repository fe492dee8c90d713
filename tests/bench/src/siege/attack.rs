//! Attackers, a few of each kind, from several addresses. Whoever is let go
//! comes back, as far as the relay lets them.

use super::{
    honest::{commit, room_create, until},
    visitor::{Failure, Socket, Visitor, connect, hear, say},
};
use sotto_wire::{
    Bytes, ClientFrame, MessageId, RelayFrame, RoomId,
    frame::{ChatKind, ChatSend},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{interval, sleep},
};

const ADDRESSES: u8 = 8;
/// Connections that dribble the head of a request.
const SLOWLORIS: u8 = 200;
/// Sockets that dribble a frame.
const DRIBBLERS: u8 = 40;
const FRAGMENT: [u8; 6] = [0x00, 0x80, 0, 0, 0, 0];
const PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];
/// Sockets that send fragments, and sockets that send pings, as fast as they
/// are taken.
const FLOODERS: u8 = 4;
/// Sockets that follow a busy room and do not read.
const STALLED: u8 = 40;
/// Between two signs of life of the slow ones.
const DRIP: Duration = Duration::from_millis(500);
/// Before coming back.
const PAUSE: Duration = Duration::from_millis(500);
const ROOM: RoomId = RoomId([200; 16]);

/// How they attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SlowHeads,
    SlowFrames,
    Fragments,
    Pings,
    StalledReaders,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::SlowHeads,
        Self::SlowFrames,
        Self::Fragments,
        Self::Pings,
        Self::StalledReaders,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::SlowHeads => "slow heads",
            Self::SlowFrames => "slow frames",
            Self::Fragments => "fragments",
            Self::Pings => "pings",
            Self::StalledReaders => "stalled readers",
        }
    }
}

/// A siege, until it is lifted.
pub struct Siege {
    attackers: JoinSet<()>,
    let_go: Arc<AtomicU64>,
}

impl Siege {
    /// Ends it; says how often an attacker was let go.
    pub fn lift(mut self) -> u64 {
        self.attackers.abort_all();
        self.let_go.load(Ordering::Relaxed)
    }
}

/// Those of these kinds take their places.
pub async fn lay(relay: SocketAddr, kinds: &[Kind]) -> Result<Siege, Failure> {
    let mut siege = Siege {
        attackers: JoinSet::new(),
        let_go: Arc::default(),
    };
    for kind in kinds {
        match kind {
            Kind::SlowHeads => {
                for n in 0..SLOWLORIS {
                    siege.send(move || slow_head(address(n), relay));
                }
            }
            Kind::SlowFrames => {
                for n in 0..DRIBBLERS {
                    let visitor = arrives(n, relay).await?;
                    siege.send(move || slow_frame(visitor.clone()));
                }
            }
            Kind::Fragments => siege.floods(50, relay, &FRAGMENT).await?,
            Kind::Pings => siege.floods(60, relay, &PING).await?,
            Kind::StalledReaders => siege.stalls(relay).await?,
        }
    }
    Ok(siege)
}

impl Siege {
    async fn floods(
        &mut self,
        first: u8,
        relay: SocketAddr,
        frame: &'static [u8],
    ) -> Result<(), Failure> {
        for n in 0..FLOODERS {
            let visitor = arrives(first + n, relay).await?;
            self.send(move || flood(visitor.clone(), frame));
        }
        Ok(())
    }

    async fn stalls(&mut self, relay: SocketAddr) -> Result<(), Failure> {
        let host = arrives(70, relay).await?;
        let mut members = Vec::new();
        for n in 0..STALLED {
            members.push(arrives(80 + n, relay).await?);
        }
        let mut socket = host.opens().await?;
        say(&mut socket, room_create(ROOM)).await?;
        let adds = members.iter().map(|member| member.user).collect();
        say(&mut socket, commit(ROOM, adds)).await?;
        let acked = |frame: &RelayFrame| matches!(frame, RelayFrame::ChatAck { .. });
        until(&mut socket, acked).await?;
        self.attackers.spawn(shout(socket));
        for member in members {
            self.send(move || stall(member.clone()));
        }
        Ok(())
    }
}

impl Siege {
    /// Attacks again and again.
    fn send<F>(&mut self, attack: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<(), Failure>> + Send,
    {
        let let_go = self.let_go.clone();
        self.attackers.spawn(async move {
            loop {
                if attack().await.is_ok() {
                    let_go.fetch_add(1, Ordering::Relaxed);
                }
                sleep(PAUSE).await;
            }
        });
    }
}

fn address(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1 + n % ADDRESSES))
}

async fn arrives(n: u8, relay: SocketAddr) -> Result<Visitor, Failure> {
    Visitor::arrives(10_000 + u64::from(n), address(n), relay).await
}

/// `Ok` whenever the relay ends it.
async fn slow_head(from: IpAddr, relay: SocketAddr) -> Result<(), Failure> {
    let mut stream = connect(from, relay).await?;
    stream
        .write_all(b"GET /v1/stats HTTP/1.1\r\nX-Slow: ")
        .await?;
    drip(&mut stream).await;
    Ok(())
}

async fn slow_frame(visitor: Visitor) -> Result<(), Failure> {
    let mut socket = visitor.opens().await?;
    let stream = socket.get_mut();
    stream
        .write_all(&[0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0])
        .await?;
    drip(stream).await;
    Ok(())
}

async fn drip(stream: &mut TcpStream) {
    let mut pace = interval(DRIP);
    let mut heard = [0; 1024];
    loop {
        tokio::select! {
            _ = pace.tick() => if stream.write_all(b"x").await.is_err() { return },
            read = stream.read(&mut heard) => if matches!(read, Ok(0) | Err(_)) { return },
        }
    }
}

/// One frame a thousand times at once, until the relay has enough.
async fn flood(visitor: Visitor, frame: &'static [u8]) -> Result<(), Failure> {
    let mut socket = visitor.opens().await?;
    let stream = socket.get_mut();
    // The start of a message, for fragments to follow.
    stream.write_all(&[0x01, 0x80, 0, 0, 0, 0]).await?;
    let many = frame.repeat(1_000);
    while stream.write_all(&many).await.is_ok() {}
    Ok(())
}

/// Follows the busy room from its beginning and reads none of it.
async fn stall(visitor: Visitor) -> Result<(), Failure> {
    let mut socket = visitor.opens().await?;
    let open = ClientFrame::RoomOpen {
        room: ROOM,
        since: 0,
    };
    say(&mut socket, open).await?;
    // Writing ends when the relay has ended the connection.
    let ping = [0x8a, 0x80, 0, 0, 0, 0];
    let mut pace = interval(DRIP);
    loop {
        pace.tick().await;
        if socket.get_mut().write_all(&ping).await.is_err() {
            return Ok(());
        }
    }
}

/// Large messages into the room, as many as are taken.
async fn shout(mut socket: Socket) {
    let mut number = 0_u64;
    loop {
        number += 1;
        let mut id = [0; MessageId::SIZE];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let frame = ClientFrame::ChatSend(ChatSend {
            room: ROOM,
            id: MessageId(id),
            kind: ChatKind::Application,
            epoch: 1,
            adds: Vec::new(),
            removes: Vec::new(),
            body: Bytes(vec![7; 45_000]),
        });
        if say(&mut socket, frame).await.is_err() || hear(&mut socket).await.is_err() {
            return;
        }
    }
}
