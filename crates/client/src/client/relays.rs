//! The relays this client uses, and what is known of each. What they say, and
//! what a connection to one brings about, is in the files beside.

mod frames;
mod letters;
mod links;
mod refusals;
mod stored;

use super::turn::{self, Turn};
use crate::{
    api::{Effect, Now},
    call::media::Paths,
    model::Privacy,
    room::{CallSide, record},
    store::{Space, StoreError, Txn},
};
use sotto_wire::{Millis, RelayAddress, frame::Token, limits::Limits};
use std::collections::BTreeMap;
use stored::Stored;

pub(super) struct Relays(BTreeMap<RelayAddress, Relay>);

struct Relay {
    up: bool,
    stored: Stored,
    /// As it said when it was last signed in to.
    limits: Limits,
    /// The own clock is so far ahead of the relay's (milliseconds).
    ahead_ms: i64,
    paths: Paths,
    turn: Turn,
}

impl Relay {
    fn new(stored: Stored) -> Self {
        Self {
            up: false,
            stored,
            limits: Limits::default(),
            ahead_ms: 0,
            paths: Paths::default(),
            turn: Turn::default(),
        }
    }

    /// What time it is there.
    fn wall(&self, now: Now) -> Millis {
        now.wall
            .saturating_add_signed(self.ahead_ms.saturating_neg())
    }
}

impl Relays {
    pub fn load(txn: &dyn Txn) -> Result<Self, StoreError> {
        let stored: Vec<Stored> = record::scan(txn, Space::Relay, b"")?;
        Ok(Self(
            stored
                .into_iter()
                .map(|stored| (stored.address.clone(), Relay::new(stored)))
                .collect(),
        ))
    }

    pub fn wanted(&self) -> Vec<RelayAddress> {
        self.0.keys().cloned().collect()
    }

    pub fn is_up(&self, relay: &RelayAddress) -> bool {
        self.0.get(relay).is_some_and(|relay| relay.up)
    }

    /// `false`: it was there already.
    pub fn add(&mut self, txn: &mut dyn Txn, address: &RelayAddress) -> Result<bool, StoreError> {
        if self.0.contains_key(address) {
            return Ok(false);
        }
        let stored = Stored {
            address: address.clone(),
            public: None,
            code: None,
        };
        stored.write(txn)?;
        let relay = Relay::new(stored);
        self.0.insert(address.clone(), relay);
        Ok(true)
    }

    /// Changes what is kept of a relay; `false` if there was nothing to change.
    fn change(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
        change: impl FnOnce(&mut Stored),
    ) -> Result<bool, StoreError> {
        let Some(relay) = self.0.get_mut(address) else {
            return Ok(false);
        };
        let before = relay.stored.clone();
        change(&mut relay.stored);
        if relay.stored == before {
            return Ok(false);
        }
        relay.stored.write(txn)?;
        Ok(true)
    }

    /// The code for the first sign-in; `None` forgets it.
    pub fn set_code(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
        code: Option<Token>,
    ) -> Result<bool, StoreError> {
        self.change(txn, address, |stored| stored.code = code)
    }

    pub fn code(&self, address: &RelayAddress) -> Option<Token> {
        self.0.get(address)?.stored.code.clone()
    }

    /// Where others reach it, if that is not where this client does.
    pub fn set_public(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
        public: Option<RelayAddress>,
    ) -> Result<bool, StoreError> {
        let public = public.filter(|public| public != address);
        self.change(txn, address, |stored| stored.public = public)
    }

    pub fn public(&self, address: &RelayAddress) -> Option<&RelayAddress> {
        self.0.get(address)?.stored.public.as_ref()
    }

    /// How this client dials what others call by this address.
    pub fn dialed(&self, address: &RelayAddress) -> RelayAddress {
        let same = |relay: &&Relay| relay.stored.public.as_ref() == Some(address);
        let own = self.0.values().find(same);
        own.map_or(address, |relay| &relay.stored.address).clone()
    }

    /// How packets of calls travel for rooms of this relay.
    pub fn set_paths(&mut self, address: &RelayAddress, paths: Paths) {
        if let Some(relay) = self.0.get_mut(address) {
            relay.paths = paths;
        }
    }

    /// What calls in its rooms need to know. Two ends whose clocks differ
    /// agree on the time by the relay's.
    pub fn call_side(&self, address: &RelayAddress, now: Now, privacy: Privacy) -> CallSide<'_> {
        let relay = self.0.get(address);
        let wall = relay.map_or(now.wall, |relay| relay.wall(now));
        CallSide {
            wall,
            paths: relay.map(|relay| &relay.paths),
            turn: relay.and_then(|relay| relay.turn.server(wall)),
            hide_address: privacy.hide_address,
            busy: false,
        }
    }

    /// Asks again for what will not hold much longer.
    pub fn renew_turn(&mut self, now: Now, out: &mut Vec<Effect>) {
        for (address, relay) in &mut self.0 {
            if relay.up && relay.turn.is_due(now) {
                out.push(Effect::Send {
                    relay: address.clone(),
                    envelope: turn::request(),
                });
            }
        }
    }

    pub fn next_wake(&self) -> Option<Millis> {
        let up = self.0.values().filter(|relay| relay.up);
        up.filter_map(|relay| relay.turn.next_wake()).min()
    }

    /// How much it takes at a time.
    pub fn limits(&self, address: &RelayAddress) -> Limits {
        self.0
            .get(address)
            .map_or_else(Limits::default, |relay| relay.limits)
    }

    pub fn remove(
        &mut self,
        txn: &mut dyn Txn,
        address: &RelayAddress,
    ) -> Result<bool, StoreError> {
        txn.delete(Space::Relay, address.to_string().as_bytes())?;
        Ok(self.0.remove(address).is_some())
    }

    fn set_up(&mut self, relay: &RelayAddress, up: bool) -> bool {
        match self.0.get_mut(relay) {
            Some(known) => {
                known.up = up;
                if !up {
                    known.turn.down();
                }
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
