//! The server as one pure state machine: a datagram and the time in, datagrams
//! out. No socket, no clock, no randomness. What the requests of a client that
//! proved itself do is in `requests`.
//!
//! | request | without an allocation | with one |
//! |---|---|---|
//! | Binding | answered | answered |
//! | Allocate | made | 437, unless it is the same request again |
//! | Refresh, CreatePermission, ChannelBind | 437 | done |
//! | Send, ChannelData | dropped | carried to the peer that permits us, if we permit it |

mod requests;

use super::{
    DATAGRAM, REALM,
    allocation::Allocation,
    channel,
    credential::{Claimed, Credentials, Holder, mac},
    peers::Own,
    quota::{Account, Meter, TurnLimits, Visitors},
    stun::{self, Class, Message, Method, Writing, attribute as a},
};
use sotto_wire::{Millis, bytes::encode};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// A nonce begins allocations for this long.
const NONCE_LIFE: Millis = 10 * 60_000;
/// What is granted to whoever asks for nothing (RFC 8656 §3.2).
const DEFAULT_LIFETIME: Millis = 10 * 60_000;

/// One of the sockets, numbered by whoever holds them. A stream that carries
/// the datagrams of one client is a door as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Door(pub u64);

/// Where a client is: its 5-tuple, as far as it can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    pub door: Door,
    pub client: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Unix time, for credentials.
    pub wall: Millis,
    /// For everything else; never runs backwards.
    pub mono: Millis,
}

/// To be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    pub to: Path,
    pub bytes: Vec<u8>,
}

/// See the module's documentation.
pub struct Server {
    credentials: Arc<Credentials>,
    nonces: [u8; 32],
    limits: TurnLimits,
    own: Own,
    allocations: BTreeMap<Path, Allocation>,
    relayed: BTreeMap<SocketAddr, Path>,
    accounts: BTreeMap<[u8; 12], Account>,
    visitors: Visitors,
    /// Whose credentials, if they end by then, begin nothing any more.
    barred: BTreeMap<([u8; 12], Option<[u8; 6]>), Millis>,
    /// Allocations that were ever made, for the next one's port.
    made: u64,
}

/// An error answer (RFC 8489 §14.8, RFC 8656 §19).
type Refusal = (u16, &'static str);

const BAD_REQUEST: Refusal = (400, "Bad Request");
const UNAUTHENTICATED: Refusal = (401, "Unauthenticated");
const FORBIDDEN: Refusal = (403, "Forbidden");
const UNKNOWN_ATTRIBUTE: Refusal = (420, "Unknown Attribute");
const ALLOCATION_MISMATCH: Refusal = (437, "Allocation Mismatch");
const STALE_NONCE: Refusal = (438, "Stale Nonce");
const FAMILY_NOT_SUPPORTED: Refusal = (440, "Address Family not Supported");
const WRONG_CREDENTIALS: Refusal = (441, "Wrong Credentials");
const UNSUPPORTED_TRANSPORT: Refusal = (442, "Unsupported Transport Protocol");
const QUOTA_REACHED: Refusal = (486, "Allocation Quota Reached");
const INSUFFICIENT_CAPACITY: Refusal = (508, "Insufficient Capacity");

impl Server {
    /// `secret` is this relay's; `told` the address that relayed addresses
    /// have, which needs to be nothing but plausible.
    pub fn new(
        secret: &[u8; 32],
        credentials: Arc<Credentials>,
        limits: TurnLimits,
        told: IpAddr,
    ) -> Self {
        Self {
            credentials,
            nonces: mac(secret, &[b"sotto v1 turn nonce"]),
            limits,
            own: Own::new(told),
            allocations: BTreeMap::new(),
            relayed: BTreeMap::new(),
            accounts: BTreeMap::new(),
            visitors: Visitors::default(),
            barred: BTreeMap::new(),
            made: 0,
        }
    }

    /// New allocations are told to be there.
    pub fn tell(&mut self, ip: IpAddr) {
        self.own.tell(ip);
    }

    /// Ends the allocations of an account, or of one device of it, and lets
    /// the credentials it has begin none.
    pub fn bar(&mut self, now: Now, holder: &Holder, whole_account: bool) {
        let device = (!whole_account).then_some(holder.device);
        let until = now.wall + self.limits.credential_life + 1_000;
        self.barred.insert((holder.account, device), until);
        let meant = |h: &Holder| {
            h.account == holder.account && device.is_none_or(|device| h.device == device)
        };
        self.end_where(|_, allocation| meant(&allocation.holder));
    }

    /// A socket is gone, and who came by it.
    pub fn close(&mut self, door: Door) {
        self.end_where(|path, _| path.door == door);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Now) {
        self.end_where(|_, allocation| allocation.expires <= now.mono);
        for allocation in self.allocations.values_mut() {
            allocation.tick(now.mono);
        }
        self.accounts
            .retain(|_, account| !account.is_idle(now.mono));
        self.visitors.tick(now.mono);
        self.barred.retain(|_, until| *until > now.wall);
    }

    /// Whether somebody who came by this socket has an allocation that lives.
    pub fn is_home(&self, now: Now, door: Door) -> bool {
        // Before every other client.
        let client = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
        self.allocations
            .range(Path { door, client }..)
            .take_while(|(path, _)| path.door == door)
            .any(|(_, allocation)| allocation.expires > now.mono)
    }

    /// Allocations that live.
    pub fn len(&self) -> usize {
        self.allocations.len()
    }

    pub fn is_empty(&self) -> bool {
        self.allocations.is_empty()
    }

    /// Takes one datagram. What it leads to is at most one datagram, too.
    pub fn handle(&mut self, now: Now, from: Path, bytes: &[u8]) -> Option<Datagram> {
        if bytes.len() > DATAGRAM || !is_somebody(&from.client) {
            return None;
        }
        match bytes.first()? {
            0..=3 => {
                let message = Message::read(bytes)?;
                match (message.class, message.method) {
                    (Class::Request, _) => self.request(now, from, &message),
                    (Class::Indication, Method::Send) => self.send(now, from, &message),
                    // Others speak to clients, and keep-alives want no answer.
                    _ => None,
                }
            }
            _ => {
                let (number, data) = channel::read(bytes)?;
                let allocation = self.living(now, &from)?;
                let peer = allocation.peer_of(now.mono, number)?;
                self.carry(now, from, peer, data)
            }
        }
    }

    fn request(&mut self, now: Now, from: Path, message: &Message<'_>) -> Option<Datagram> {
        let ip = crate::server::counted(from.client.ip());
        let unsigned = message.method == Method::Binding || !message.is_signed();
        let fits = match unsigned {
            true => self.visitors.may_be_answered(now.mono, ip),
            false => self.visitors.may_be_judged(now.mono, ip),
        };
        if !fits {
            return None;
        }
        let unknown = message.unknown();
        if !unknown.is_empty() {
            let list: Vec<u8> = unknown.iter().flat_map(|typ| typ.to_be_bytes()).collect();
            let answer = answer(Class::Error, message)
                .with_error(UNKNOWN_ATTRIBUTE.0, UNKNOWN_ATTRIBUTE.1)
                .with(a::UNKNOWN_ATTRIBUTES, &list);
            return Some(datagram(from, answer.finish(None)));
        }
        if message.method == Method::Binding {
            let answer =
                answer(Class::Success, message).with_address(a::XOR_MAPPED_ADDRESS, seen(from));
            return Some(datagram(from, answer.finish(None)));
        }
        let claimed = match self.judge(now, from, message) {
            Ok(claimed) => claimed,
            Err(refusal) => return Some(self.refuse(now, from, message, refusal, None)),
        };
        let key = claimed.key;
        let done = match message.method {
            Method::Allocate => self.allocate(now, from, message, claimed),
            Method::Refresh => self.refresh(now, from, message, &claimed),
            Method::CreatePermission => self.permit(now, from, message, &claimed),
            Method::ChannelBind => self.bind(now, from, message, &claimed),
            Method::Binding | Method::Send | Method::Data => Err(BAD_REQUEST),
        };
        Some(match done {
            Ok(answer) => datagram(from, answer.finish(Some(&key))),
            Err(refusal) => self.refuse(now, from, message, refusal, Some(&key)),
        })
    }

    /// Long-term credentials (RFC 8489 §9.2.4).
    fn judge(&self, now: Now, from: Path, message: &Message<'_>) -> Result<Claimed, Refusal> {
        if !message.is_signed() {
            return Err(UNAUTHENTICATED);
        }
        let texts = [a::USERNAME, a::REALM, a::NONCE].map(|typ| message.text(typ));
        let [Some(username), Some(realm), Some(nonce)] = texts else {
            return Err(BAD_REQUEST);
        };
        if realm != REALM {
            return Err(UNAUTHENTICATED);
        }
        let known = self.living(now, &from);
        if known.is_none_or(|allocation| allocation.nonce != nonce)
            && !self.is_fresh(now, from, nonce)
        {
            return Err(STALE_NONCE);
        }
        let claimed = self.credentials.read(username).ok_or(UNAUTHENTICATED)?;
        if !message.is_signed_with(&claimed.key) {
            return Err(UNAUTHENTICATED);
        }
        // What was begun in time goes on under its own name.
        let begun = known.is_some_and(|allocation| allocation.username == username);
        if claimed.expires <= now.wall && !begun {
            return Err(UNAUTHENTICATED);
        }
        let Holder { account, device } = claimed.holder;
        for whom in [(account, None), (account, Some(device))] {
            let until = self.barred.get(&whom);
            if until.is_some_and(|until| claimed.expires <= *until) {
                return Err(FORBIDDEN);
            }
        }
        Ok(claimed)
    }

    fn send(&mut self, now: Now, from: Path, message: &Message<'_>) -> Option<Datagram> {
        if !message.unknown().is_empty() {
            return None;
        }
        let peer = stun::address(message.get(a::XOR_PEER_ADDRESS)?, &message.transaction)?;
        let data = message.get(a::DATA)?;
        self.carry(now, from, peer, data)
    }

    /// From one allocation to another, if both want it.
    fn carry(&mut self, now: Now, from: Path, peer: SocketAddr, data: &[u8]) -> Option<Datagram> {
        let most = self.limits.bytes_per_second;
        let to = *self.relayed.get(&peer)?;
        let sender = self.allocations.get_mut(&from)?;
        let lives = sender.expires > now.mono && sender.permits(now.mono, &peer);
        if !lives || !sender.up.pass(now.mono, most, data.len()) {
            return None;
        }
        let (source, account) = (sender.relayed, sender.holder.account);
        self.account_passes(now, &account, data.len(), |account| &mut account.up)?;
        let receiver = self.allocations.get_mut(&to)?;
        let lives = receiver.expires > now.mono && receiver.permits(now.mono, &source);
        if !lives || !receiver.down.pass(now.mono, most, data.len()) {
            return None;
        }
        let account = receiver.holder.account;
        self.account_passes(now, &account, data.len(), |account| &mut account.down)?;
        let receiver = self.allocations.get(&to)?;
        let bytes = match receiver.channel_to(now.mono, &source) {
            Some(number) => channel::write(number, data),
            None => Writing::new(Class::Indication, Method::Data, &indication(now, data))
                .with_address(a::XOR_PEER_ADDRESS, source)
                .with(a::DATA, data)
                .plain(),
        };
        Some(datagram(to, bytes))
    }

    /// Counts what goes one way for a whole account; `None` if it is too much.
    fn account_passes(
        &mut self,
        now: Now,
        account: &[u8; 12],
        bytes: usize,
        way: impl Fn(&mut Account) -> &mut Meter,
    ) -> Option<()> {
        let most = self.limits.account_bytes_per_second;
        let meter = way(self.accounts.get_mut(account)?);
        meter.pass(now.mono, most, bytes).then_some(())
    }

    fn living(&self, now: Now, from: &Path) -> Option<&Allocation> {
        let known = self.allocations.get(from);
        known.filter(|allocation| allocation.expires > now.mono)
    }

    fn end(&mut self, path: &Path) {
        let Some(gone) = self.allocations.remove(path) else {
            return;
        };
        self.relayed.remove(&gone.relayed);
        let account = gone.holder.account;
        if let Some(account) = self.accounts.get_mut(&account) {
            account.allocations -= 1;
        }
    }

    fn end_where(&mut self, gone: impl Fn(&Path, &Allocation) -> bool) {
        let all = self.allocations.iter();
        let ending: Vec<Path> = all
            .filter(|(path, allocation)| gone(path, allocation))
            .map(|(path, _)| *path)
            .collect();
        ending.iter().for_each(|path| self.end(path));
    }

    fn refuse(
        &self,
        now: Now,
        from: Path,
        message: &Message<'_>,
        (code, reason): Refusal,
        key: Option<&[u8]>,
    ) -> Datagram {
        let mut answer = answer(Class::Error, message).with_error(code, reason);
        if matches!(code, 401 | 438) {
            let nonce = self.nonce(from, now.mono);
            answer = answer
                .with(a::REALM, REALM.as_bytes())
                .with(a::NONCE, nonce.as_bytes());
        }
        datagram(from, answer.finish(key))
    }

    /// A nonce is good for the address it was sent to, which so has proven
    /// that it is there.
    fn nonce(&self, from: Path, at: Millis) -> String {
        let (door, client) = (from.door.0.to_be_bytes(), from.client.to_string());
        let made = mac(&self.nonces, &[&door, client.as_bytes(), &at.to_be_bytes()]);
        encode(&[&at.to_be_bytes()[..], &made[..12]].concat())
    }

    fn is_fresh(&self, now: Now, from: Path, nonce: &str) -> bool {
        let Some(bytes) = sotto_wire::bytes::decode_array::<20>(nonce) else {
            return false;
        };
        let at = Millis::from_be_bytes(bytes[..8].try_into().expect("eight bytes"));
        let age = now.mono.checked_sub(at);
        age.is_some_and(|age| age < NONCE_LIFE) && self.nonce(from, at) == nonce
    }
}

fn answer(class: Class, message: &Message<'_>) -> Writing {
    Writing::new(class, message.method, &message.transaction)
}

/// A client of IPv4 hears of its address as such, whatever socket it met.
fn seen(from: Path) -> SocketAddr {
    SocketAddr::new(from.client.ip().to_canonical(), from.client.port())
}

/// Indications are answered by nobody: their transactions need only differ.
fn indication(now: Now, data: &[u8]) -> stun::Transaction {
    let mut id = [0; 12];
    id[..8].copy_from_slice(&now.mono.to_be_bytes());
    let tail = data.len().min(4);
    id[8..8 + tail].copy_from_slice(&data[data.len() - tail..]);
    id
}

fn datagram(to: Path, bytes: Vec<u8>) -> Datagram {
    Datagram { to, bytes }
}

/// A source that is one computer's, as sources are unless they are forged.
fn is_somebody(client: &SocketAddr) -> bool {
    let crowd = match client.ip().to_canonical() {
        IpAddr::V4(ip) => ip.is_broadcast() || ip.is_multicast() || ip.is_unspecified(),
        IpAddr::V6(ip) => ip.is_multicast() || ip.is_unspecified(),
    };
    !crowd && client.port() != 0
}

#[cfg(test)]
mod tests;
