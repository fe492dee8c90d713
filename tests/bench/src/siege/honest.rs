//! People who talk in pairs, as fast as a lively room does, and measure how
//! long each message takes from the one to the other.

use super::visitor::{Failure, Socket, Visitor, hear, say};
use crate::Samples;
use sotto_wire::{
    Bytes, ClientFrame, MessageId, RelayFrame, RoomId,
    frame::{ChatKind, ChatSend},
};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::interval};

/// Their address: not the attackers'.
const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1));
const PAIRS: u8 = 8;
/// Each pair says something this often.
const PACE: Duration = Duration::from_millis(40);
/// What a short message is with its padding and seal.
const BODY: usize = 400;

/// All pairs.
pub struct People(Vec<Pair>);

struct Pair {
    room: RoomId,
    speaker: Socket,
    hearer: Socket,
    said: u64,
}

/// Everybody signs in and meets.
pub async fn arrive(relay: SocketAddr) -> Result<People, Failure> {
    let mut pairs = Vec::new();
    for n in 0..PAIRS {
        pairs.push(Pair::meets(n, relay).await?);
    }
    Ok(People(pairs))
}

impl People {
    /// How long messages took while everybody talked for this time.
    pub async fn talk(&mut self, time: Duration) -> Result<Samples, Failure> {
        let mut talking = JoinSet::new();
        for pair in self.0.drain(..) {
            talking.spawn(pair.talks(time));
        }
        let mut all = Samples::default();
        while let Some(done) = talking.join_next().await {
            let (pair, samples) = done??;
            self.0.push(pair);
            all.extend(samples);
        }
        Ok(all)
    }
}

impl Pair {
    async fn meets(n: u8, relay: SocketAddr) -> Result<Self, Failure> {
        let room = RoomId([n; 16]);
        let host = Visitor::arrives(u64::from(n), FROM, relay).await?;
        let guest = Visitor::arrives(1_000 + u64::from(n), FROM, relay).await?;
        let (mut speaker, mut hearer) = (host.opens().await?, guest.opens().await?);
        say(&mut speaker, room_create(room)).await?;
        say(&mut speaker, commit(room, vec![guest.user])).await?;
        until(&mut speaker, |frame| {
            matches!(frame, RelayFrame::ChatAck { .. })
        })
        .await?;
        say(&mut hearer, ClientFrame::RoomOpen { room, since: 1 }).await?;
        until(&mut hearer, |frame| {
            matches!(frame, RelayFrame::RoomOpened(_))
        })
        .await?;
        Ok(Self {
            room,
            speaker,
            hearer,
            said: 1,
        })
    }

    async fn talks(mut self, time: Duration) -> Result<(Self, Samples), Failure> {
        let mut samples = Samples::default();
        let mut pace = interval(PACE);
        let begun = Instant::now();
        while begun.elapsed() < time {
            pace.tick().await;
            self.said += 1;
            let mut id = [0; MessageId::SIZE];
            id[..8].copy_from_slice(&self.said.to_be_bytes());
            let id = MessageId(id);
            let sent = Instant::now();
            say(&mut self.speaker, message(self.room, id)).await?;
            let heard =
                |frame: &RelayFrame| matches!(frame, RelayFrame::ChatReceive(m) if m.id == id);
            until(&mut self.hearer, heard).await?;
            samples.add(sent.elapsed());
            let acked = |frame: &RelayFrame| matches!(frame, RelayFrame::ChatAck { id: of, .. } if *of == id);
            until(&mut self.speaker, acked).await?;
        }
        Ok((self, samples))
    }
}

/// Passes over frames until this one; an error among them is one here.
pub async fn until(
    socket: &mut Socket,
    wanted: impl Fn(&RelayFrame) -> bool,
) -> Result<(), Failure> {
    loop {
        match hear(socket).await? {
            RelayFrame::Error(error) => return Err(error.into()),
            frame if wanted(&frame) => return Ok(()),
            _ => {}
        }
    }
}

pub fn room_create(room: RoomId) -> ClientFrame {
    ClientFrame::RoomCreate {
        room,
        settings: sotto_wire::frame::RoomSettings::default(),
    }
}

/// The first commit of a room, which adds these.
pub fn commit(room: RoomId, adds: Vec<sotto_wire::UserId>) -> ClientFrame {
    ClientFrame::ChatSend(ChatSend {
        room,
        id: MessageId([255; 16]),
        kind: ChatKind::Commit,
        epoch: 0,
        adds,
        removes: Vec::new(),
        body: Bytes(vec![7; BODY]),
    })
}

fn message(room: RoomId, id: MessageId) -> ClientFrame {
    ClientFrame::ChatSend(ChatSend {
        room,
        id,
        kind: ChatKind::Application,
        epoch: 1,
        adds: Vec::new(),
        removes: Vec::new(),
        body: Bytes(vec![7; BODY]),
    })
}
