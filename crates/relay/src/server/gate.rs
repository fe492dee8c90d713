//! What stands before the hub: tokens, challenges, tickets, and how much one
//! address or account may use. Short critical sections, none across an await.

use super::{
    config::{Config, millis},
    data::random,
};
use crate::{
    auth::{
        jwt::{Claims, Signer},
        once::Once,
        sha256,
    },
    hub::bucket::{Bucket, Rate},
};
use sotto_wire::{
    DeviceId, ErrorCode, Millis, UserId, WireError, auth::Challenge, bytes, frame::Token,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Challenges and tickets alive at once. Raising it costs 100 bytes each;
/// with too few, a flood of requests pushes out honest ones.
const PENDING: usize = 20_000;

/// Buckets before the empty ones are swept out.
const BUCKETS: usize = 20_000;

/// Connections of each address.
pub type Slots = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// What a bucket counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    Http(IpAddr),
    Frames(IpAddr),
    Account(UserId),
}

pub struct Gate {
    config: Arc<Config>,
    state: Mutex<State>,
    slots: Slots,
    /// WebSockets that carry datagrams of calls.
    tunnels: Slots,
}

struct State {
    signer: Signer,
    challenges: Once<UserId>,
    tickets: Once<Claims>,
    buckets: HashMap<Counted, Bucket>,
}

/// One connection of an address; dropping it gives the place back.
#[derive(Debug)]
pub struct Slot {
    ip: IpAddr,
    slots: Slots,
}

fn broken() -> WireError {
    WireError::new(
        ErrorCode::Unavailable,
        "this computer has no random numbers",
    )
}

impl Gate {
    pub fn new(config: Arc<Config>, key: &[u8; 32]) -> Self {
        let state = State {
            signer: Signer::new(key),
            challenges: Once::new(PENDING),
            tickets: Once::new(PENDING),
            buckets: HashMap::new(),
        };
        Self {
            config,
            state: Mutex::new(state),
            slots: Arc::default(),
            tunnels: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        self.config.clock.now()
    }

    pub fn challenge(&self, account: UserId) -> Result<Challenge, WireError> {
        let challenge: [u8; 32] = random().map_err(|_| broken())?;
        let now = self.now();
        let expires = now + millis(self.config.timings.challenge_life);
        self.state()
            .challenges
            .put(now, sha256(&challenge), account, expires);
        Ok(Challenge {
            challenge: challenge.to_vec().into(),
            expires,
            server_time: Some(now),
        })
    }

    /// Whether this challenge was given to `account`. Spends it either way.
    pub fn spend_challenge(&self, challenge: &[u8], account: UserId) -> bool {
        let given = self.state().challenges.take(self.now(), &sha256(challenge));
        given == Some(account)
    }

    pub fn issue(&self, who: (UserId, DeviceId, u32)) -> Result<(Token, Claims), WireError> {
        let jti = random().map_err(|_| broken())?;
        let life = millis(self.config.timings.access_life);
        Ok(self.state().signer.issue(self.now(), life, who, jti))
    }

    pub fn judge(&self, token: &str) -> Result<Claims, WireError> {
        self.state().signer.judge(self.now(), token).ok_or_else(|| {
            WireError::new(
                ErrorCode::BadCredential,
                "the token does not hold or has expired",
            )
        })
    }

    pub fn ticket(&self, claims: Claims) -> Result<(Token, Millis), WireError> {
        let ticket: [u8; 32] = random().map_err(|_| broken())?;
        let now = self.now();
        let expires = now + millis(self.config.timings.ticket_life);
        self.state()
            .tickets
            .put(now, sha256(&ticket), claims, expires);
        Ok((Token(bytes::encode(&ticket)), expires))
    }

    /// The token's claims that the ticket was given for; spends it.
    pub fn spend_ticket(&self, ticket: &str) -> Result<Claims, WireError> {
        let now = self.now();
        let name = bytes::decode(ticket).map(|ticket| sha256(&ticket));
        let claims = name.and_then(|name| self.state().tickets.take(now, &name));
        claims.filter(|claims| claims.end() > now).ok_or_else(|| {
            WireError::new(
                ErrorCode::BadCredential,
                "the ticket does not hold or was used",
            )
        })
    }

    /// One request more of `what`.
    pub fn pour(&self, what: Counted) -> Result<(), WireError> {
        self.pour_many(what, 1)
    }

    /// A request that counts as `many`.
    pub fn pour_many(&self, what: Counted, many: u32) -> Result<(), WireError> {
        let now = self.now();
        let rate = self.rate(what);
        let mut state = self.state();
        if state.buckets.len() >= BUCKETS {
            state.buckets.retain(|_, bucket| !bucket.is_empty(now));
        }
        let bucket = state.buckets.get(&what).copied().unwrap_or_default();
        let bucket = bucket
            .pour_many(now, rate, many)
            .map_err(WireError::rate_limited)?;
        state.buckets.insert(what, bucket);
        Ok(())
    }

    fn rate(&self, what: Counted) -> Rate {
        match what {
            Counted::Http(_) => self.config.limits.http_rate,
            Counted::Frames(_) => self.config.limits.ip_rate,
            Counted::Account(_) => self.config.limits.account_rate,
        }
    }

    /// A place for one more socket of `ip`, which is already what counts.
    pub fn slot(&self, ip: IpAddr) -> Result<Slot, WireError> {
        self.place(&self.slots, ip, self.config.limits.connections_per_ip)
    }

    /// The same for one that carries datagrams of calls: there are several to
    /// a call.
    pub fn tunnel(&self, ip: IpAddr) -> Result<Slot, WireError> {
        self.place(&self.tunnels, ip, self.config.limits.turn_sockets_per_ip)
    }

    fn place(&self, slots: &Slots, ip: IpAddr, per_ip: usize) -> Result<Slot, WireError> {
        let limits = &self.config.limits;
        let most = match ip.is_loopback() {
            true => limits.connections_per_loopback,
            false => per_ip,
        };
        let all = count(&self.slots) + count(&self.tunnels);
        match take_slot(slots, ip, most).filter(|_| all < limits.tcp) {
            Some(slot) => Ok(slot),
            None => Err(WireError::rate_limited(10_000)),
        }
    }
}

fn count(slots: &Slots) -> usize {
    let held = slots.lock().unwrap_or_else(PoisonError::into_inner);
    held.values().sum()
}

/// A place among `most` for `ip`.
pub fn take_slot(slots: &Slots, ip: IpAddr, most: usize) -> Option<Slot> {
    let mut held = slots.lock().unwrap_or_else(PoisonError::into_inner);
    let count = held.entry(ip).or_default();
    if *count >= most {
        return None;
    }
    *count += 1;
    Some(Slot {
        ip,
        slots: slots.clone(),
    })
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = slots.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                slots.remove(&self.ip);
            }
        }
    }
}
