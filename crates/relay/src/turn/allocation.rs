//! One allocation: whose it is, until when, and with which peers it talks.
//!
//! | | begins | ends |
//! |---|---|---|
//! | allocation | Allocate | Refresh with 0, or no Refresh for its lifetime |
//! | permission | CreatePermission, ChannelBind | 5 minutes later, unless asked for again |
//! | channel | ChannelBind | 10 minutes later, unless asked for again |

use super::{channel, credential::Holder, quota::Meter, stun::Transaction};
use sotto_wire::Millis;
use std::{collections::BTreeMap, net::SocketAddr};

/// RFC 8656 §9 and §12.
const PERMISSION: Millis = 5 * 60_000;
const CHANNEL: Millis = 10 * 60_000;
/// Peers of one allocation at once.
const PEERS: usize = 64;

pub struct Allocation {
    pub holder: Holder,
    pub username: String,
    /// It was made with this one, which holds as long as it does: clients do
    /// not all ask again in time when they are told of another.
    pub nonce: String,
    /// The request that made it, which may come twice.
    pub request: Transaction,
    pub relayed: SocketAddr,
    pub expires: Millis,
    /// By whole address. The RFC's permissions are for all ports of an
    /// address, but here all peers have one.
    permissions: BTreeMap<SocketAddr, Millis>,
    channels: BTreeMap<u16, (SocketAddr, Millis)>,
    pub up: Meter,
    pub down: Meter,
}

/// Why a peer was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The channel is another peer's, or the peer has another channel.
    Mismatch,
    TooMany,
}

impl Allocation {
    pub fn new(
        (holder, username): (Holder, String),
        (nonce, request): (String, Transaction),
        relayed: SocketAddr,
        expires: Millis,
    ) -> Self {
        Self {
            holder,
            username,
            nonce,
            request,
            relayed,
            expires,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            up: Meter::default(),
            down: Meter::default(),
        }
    }

    pub fn permit(&mut self, now: Millis, peer: SocketAddr) -> Result<(), Refused> {
        if !self.permissions.contains_key(&peer) && self.permissions.len() >= PEERS {
            return Err(Refused::TooMany);
        }
        self.permissions.insert(peer, now + PERMISSION);
        Ok(())
    }

    pub fn permits(&self, now: Millis, peer: &SocketAddr) -> bool {
        self.permissions.get(peer).is_some_and(|until| *until > now)
    }

    /// Binds a channel, and permits its peer.
    pub fn bind(&mut self, now: Millis, number: u16, peer: SocketAddr) -> Result<(), Refused> {
        self.channels.retain(|_, (_, until)| *until > now);
        let other_peer = self.channels.get(&number).is_some_and(|(p, _)| *p != peer);
        let mut others = self.channels.iter();
        let other_number = others.any(|(n, (p, _))| *p == peer && *n != number);
        if other_peer || other_number {
            return Err(Refused::Mismatch);
        }
        if self.channels.len() >= PEERS && !self.channels.contains_key(&number) {
            return Err(Refused::TooMany);
        }
        self.permit(now, peer)?;
        self.channels.insert(number, (peer, now + CHANNEL));
        Ok(())
    }

    /// The peer at the other end of a channel.
    pub fn peer_of(&self, now: Millis, number: u16) -> Option<SocketAddr> {
        let (peer, until) = self.channels.get(&number)?;
        (*until > now).then_some(*peer)
    }

    /// The channel to a peer.
    pub fn channel_to(&self, now: Millis, peer: &SocketAddr) -> Option<u16> {
        let mut all = self.channels.iter();
        all.find(|(_, (p, until))| p == peer && *until > now)
            .map(|(number, _)| *number)
    }

    pub fn tick(&mut self, now: Millis) {
        self.permissions.retain(|_, until| *until > now);
        self.channels.retain(|_, (_, until)| *until > now);
    }
}

/// Whether this may be a channel's number.
pub fn is_channel(number: u16) -> bool {
    (channel::FIRST..=channel::LAST).contains(&number)
}
