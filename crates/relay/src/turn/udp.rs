//! The server on real sockets: one task owns it and every socket, reads a
//! datagram, and sends what it leads to. What cannot be sent at once is lost,
//! as datagrams are. Datagrams that come by streams are handed to the same
//! task: [`super::stream`].

use super::{
    Credential, Credentials, DATAGRAM, Holder, TurnLimits,
    server::{Datagram, Door, Now, Path, Server},
    stream::{self, Streams, Visit},
};
use crate::server::{Clock, random};
use sotto_wire::{DeviceId, Millis, UserId};
use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::ReadBuf,
    net::UdpSocket,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior},
};

/// Expiry is looked after this often; it counts to the millisecond anyway.
const TICK: Duration = Duration::from_secs(5);
/// Datagrams of one socket before the others are looked at.
const BATCH: usize = 64;
/// Orders that may wait. They are as rare as an operator's deeds.
const ORDERS: usize = 64;

#[derive(Debug)]
enum Order {
    Open {
        socket: UdpSocket,
        answer: oneshot::Sender<()>,
    },
    Close(SocketAddr),
    Tell(IpAddr),
    Bar {
        holder: Holder,
        whole_account: bool,
        answer: oneshot::Sender<()>,
    },
    Count(oneshot::Sender<usize>),
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Turn {
    address: SocketAddr,
    handle: Handle,
    task: JoinHandle<()>,
}

/// What others ask of it.
#[derive(Debug, Clone)]
pub struct Handle {
    credentials: Arc<Credentials>,
    limits: TurnLimits,
    port: u16,
    clock: Clock,
    orders: mpsc::Sender<Order>,
    pub(super) visits: mpsc::Sender<Visit>,
}

impl Turn {
    /// Binds and begins. `told`: the address relayed addresses have; without
    /// one, this computer's.
    pub async fn start(
        bind: SocketAddr,
        told: Option<IpAddr>,
        limits: TurnLimits,
        secret: &[u8; 32],
        clock: Clock,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind(bind).await?;
        let address = socket.local_addr()?;
        let credentials = Arc::new(Credentials::new(secret));
        let told = told.unwrap_or_else(|| this_computer(address.ip()));
        let server = Server::new(secret, Arc::clone(&credentials), limits.clone(), told);
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (visits, visitors) = stream::queue();
        let handle = Handle {
            credentials,
            limits,
            port: address.port(),
            clock: clock.clone(),
            orders,
            visits,
        };
        let task = Task {
            server,
            doors: vec![(Door(0), address, socket)],
            streams: Streams::default(),
            opened: 0,
            clock,
            began: Instant::now(),
            next: 0,
        };
        Ok(Self {
            address,
            handle,
            task: tokio::spawn(task.run(inbox, visitors)),
        })
    }

    /// Where it is, with the real port where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Handle {
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A credential that begins allocations from now on.
    pub fn issue(&self, user: &UserId, device: &DeviceId) -> Option<Credential> {
        let salt = random().ok()?;
        let holder = self.credentials.holder(user, device);
        let (now, life) = (self.clock.now(), self.limits.credential_life);
        Some(self.credentials.issue(&holder, salt, now, life))
    }

    /// Ends what an account, or one device of it, has here, and what it was
    /// handed. Returns when that is done.
    pub async fn bar(&self, user: &UserId, device: Option<&DeviceId>) {
        let holder = match device {
            Some(device) => self.credentials.holder(user, device),
            None => self.credentials.holder(user, &DeviceId([0; 16])),
        };
        let whole_account = device.is_none();
        self.ask(|answer| Order::Bar {
            holder,
            whole_account,
            answer,
        })
        .await;
    }

    /// Listens at one more address, under the same port number.
    pub async fn open(&self, ip: IpAddr) -> io::Result<()> {
        let socket = UdpSocket::bind((ip, self.port)).await?;
        self.ask(|answer| Order::Open { socket, answer }).await;
        Ok(())
    }

    /// Listens there no more.
    pub fn close(&self, ip: IpAddr) {
        let address = SocketAddr::new(ip, self.port);
        let _ = self.orders.try_send(Order::Close(address));
    }

    /// New allocations are said to be there.
    pub async fn tell(&self, ip: IpAddr) {
        let _ = self.orders.send(Order::Tell(ip)).await;
    }

    /// Allocations that live.
    pub async fn count(&self) -> usize {
        self.ask(Order::Count).await.unwrap_or_default()
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (answer, wait) = oneshot::channel();
        self.orders.send(order(answer)).await.ok()?;
        wait.await.ok()
    }
}

struct Task {
    server: Server,
    doors: Vec<(Door, SocketAddr, UdpSocket)>,
    streams: Streams,
    /// Number of the last door, be it a socket or a stream.
    opened: u64,
    clock: Clock,
    began: Instant,
    /// The socket that is looked at first.
    next: usize,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>, mut visits: mpsc::Receiver<Visit>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // One byte more than is looked at, so that a longer one shows.
        let mut buffer = vec![0; DATAGRAM + 1];
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                _ = tick.tick() => self.tick(),
                Some(visit) = visits.recv() => {
                    self.welcome(visit);
                    for _ in 1..BATCH {
                        let Ok(more) = visits.try_recv() else { break };
                        self.welcome(more);
                    }
                }
                (at, length, client) = hear(&self.doors, self.next, &mut buffer) => {
                    self.take(self.path(at, client), &buffer[..length]);
                    self.take_more(at, &mut buffer);
                    self.next = at + 1;
                }
            }
        }
    }

    fn take_more(&mut self, at: usize, buffer: &mut [u8]) {
        for _ in 1..BATCH {
            match self.doors[at].2.try_recv_from(buffer) {
                Ok((length, client)) => self.take(self.path(at, client), &buffer[..length]),
                Err(_) => return,
            }
        }
    }

    fn path(&self, at: usize, client: SocketAddr) -> Path {
        let door = self.doors[at].0;
        Path { door, client }
    }

    fn take(&mut self, from: Path, bytes: &[u8]) {
        let now = self.now();
        if let Some(answer) = self.server.handle(now, from, bytes) {
            self.send(answer);
        }
    }

    fn send(&self, datagram: Datagram) {
        let to = datagram.to;
        match self.doors.iter().find(|(door, ..)| *door == to.door) {
            Some((_, _, socket)) => drop(socket.try_send_to(&datagram.bytes, to.client)),
            None => self.streams.send(datagram),
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        for door in self.streams.sweep() {
            self.server.close(door);
        }
        self.server.tick(now);
    }

    fn next_door(&mut self) -> Door {
        self.opened += 1;
        Door(self.opened)
    }

    /// What a stream wants.
    fn welcome(&mut self, visit: Visit) {
        match visit {
            Visit::Enter(answer) => {
                let door = self.next_door();
                let outgoing = self.streams.enter(door);
                if answer.send((door, outgoing)).is_err() {
                    self.streams.leave(door);
                }
            }
            // Nothing begins by a door that is closed.
            Visit::Datagram { path, bytes } if self.streams.has(path.door) => {
                self.take(path, &bytes);
            }
            Visit::Datagram { .. } => {}
            Visit::IsHome { door, answer } => {
                let _ = answer.send(self.server.is_home(self.now(), door));
            }
            Visit::Leave(door) => {
                if self.streams.leave(door) {
                    self.server.close(door);
                }
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Open { socket, answer } => {
                if let Ok(address) = socket.local_addr() {
                    let door = self.next_door();
                    self.doors.push((door, address, socket));
                }
                let _ = answer.send(());
            }
            Order::Close(address) => {
                let gone = |(_, a, _): &(Door, SocketAddr, UdpSocket)| *a == address;
                if let Some(at) = self.doors.iter().position(gone) {
                    let (door, ..) = self.doors.remove(at);
                    self.server.close(door);
                }
            }
            Order::Tell(ip) => self.server.tell(ip),
            Order::Bar {
                holder,
                whole_account,
                answer,
            } => {
                let now = self.now();
                self.server.bar(now, &holder, whole_account);
                let _ = answer.send(());
            }
            Order::Count(answer) => {
                let now = self.now();
                self.server.tick(now);
                let _ = answer.send(self.server.len());
            }
        }
    }

    fn now(&self) -> Now {
        let mono = self.began.elapsed().as_millis();
        Now {
            wall: self.clock.now(),
            mono: Millis::try_from(mono).unwrap_or(Millis::MAX),
        }
    }
}

/// The next datagram of any socket, each in its turn.
async fn hear(
    doors: &[(Door, SocketAddr, UdpSocket)],
    first: usize,
    buffer: &mut [u8],
) -> (usize, usize, SocketAddr) {
    poll_fn(|cx| {
        for step in 0..doors.len() {
            let at = (first + step) % doors.len();
            if let Poll::Ready((length, client)) = poll_one(&doors[at].2, cx, buffer) {
                return Poll::Ready((at, length, client));
            }
        }
        Poll::Pending
    })
    .await
}

fn poll_one(
    socket: &UdpSocket,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<(usize, SocketAddr)> {
    for _ in 0..BATCH {
        let mut read = ReadBuf::new(buffer);
        match socket.poll_recv_from(cx, &mut read) {
            Poll::Ready(Ok(client)) => return Poll::Ready((read.filled().len(), client)),
            // Some systems report here that an earlier one was not wanted.
            Poll::Ready(Err(_)) => {}
            Poll::Pending => return Poll::Pending,
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// What a socket bound here is called from outside, as well as can be told
/// without asking anybody.
fn this_computer(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    let look = || {
        // Choosing a peer sends nothing; this one is kept for documentation.
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_unspecified()).then_some(ip)
    };
    look().unwrap_or(match bound {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    })
}
