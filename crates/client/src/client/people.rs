//! Who was met in rooms: account keys, as they stand in MLS trees, and whom
//! this person has verified. Verification is between accounts: rooms come and
//! go without touching it.

use super::Me;
use crate::{
    identity::PublicKey,
    model::Safety,
    room::record::{self, Member},
    safety::safety_digits,
    store::{Space, StoreError, Txn},
};
use serde::{Deserialize, Serialize};
use sotto_wire::{Millis, UserId};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct People {
    pub me: UserId,
    known: BTreeMap<UserId, Known>,
    /// Those of them who are verified: few, and asked for with every message.
    verified: BTreeSet<UserId>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Known {
    user: UserId,
    account: PublicKey,
    verified_at: Option<Millis>,
}

impl People {
    pub fn load(txn: &dyn Txn, me: UserId) -> Result<Self, StoreError> {
        let known: Vec<Known> = record::scan(txn, Space::Person, b"")?;
        let verified = known.iter().filter(|k| k.verified_at.is_some());
        Ok(Self {
            me,
            verified: verified.map(|k| k.user).collect(),
            known: known.into_iter().map(|k| (k.user, k)).collect(),
        })
    }

    /// Remembers the members of a room. A user id is the hash of its key, so
    /// nobody's key can change.
    pub fn meet(&mut self, txn: &mut dyn Txn, roster: &[Member]) -> Result<(), StoreError> {
        for member in roster {
            if member.user != self.me && !self.known.contains_key(&member.user) {
                let (user, account) = (member.user, member.account);
                self.keep(
                    txn,
                    Known {
                        user,
                        account,
                        verified_at: None,
                    },
                )?;
            }
        }
        Ok(())
    }

    pub fn is_verified(&self, user: &UserId) -> bool {
        *user == self.me || self.verified.contains(user)
    }

    pub fn verified_at(&self, user: &UserId) -> Option<Millis> {
        self.known.get(user)?.verified_at
    }

    /// `false`: nobody of that name was met.
    pub fn set_verified(
        &mut self,
        txn: &mut dyn Txn,
        user: &UserId,
        at: Option<Millis>,
    ) -> Result<bool, StoreError> {
        let Some(known) = self.known.get(user).cloned() else {
            return Ok(false);
        };
        self.keep(
            txn,
            Known {
                verified_at: at,
                ..known
            },
        )?;
        Ok(true)
    }

    pub fn safety(&self, me: &Me, user: &UserId) -> Option<Safety> {
        let known = self.known.get(user)?;
        Some(Safety {
            user: *user,
            digits: safety_digits(&me.account(), &known.account),
            verified_at: known.verified_at,
        })
    }

    fn keep(&mut self, txn: &mut dyn Txn, known: Known) -> Result<(), StoreError> {
        record::write(txn, Space::Person, known.user.as_bytes(), &known)?;
        match known.verified_at {
            Some(_) => self.verified.insert(known.user),
            None => self.verified.remove(&known.user),
        };
        self.known.insert(known.user, known);
        Ok(())
    }
}
