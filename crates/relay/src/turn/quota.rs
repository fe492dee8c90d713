//! How much one account, one allocation and one address may use.

use crate::hub::bucket::{Bucket, Rate};
use sotto_wire::Millis;
use std::{collections::BTreeMap, net::IpAddr};

/// What an operator may choose about the TURN server, each with what raising
/// it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnLimits {
    /// Allocations of one account. A call takes one for each other participant
    /// and each network address of the computer. Raising it lets one account
    /// hold more of the relay.
    pub per_account: usize,
    /// Allocations in all, some 2 KiB each.
    pub total: usize,
    /// Bytes a second of one allocation, each way. Raising it costs line.
    pub bytes_per_second: u64,
    /// Bytes a second of all allocations of one account together, each way.
    /// Raising it lets one account have more of the line.
    pub account_bytes_per_second: u64,
    /// Longest time an allocation lives without being refreshed. Raising it
    /// leaves those of vanished clients around.
    pub lifetime: Millis,
    /// How long a credential begins allocations. Raising it lets one that was
    /// stolen be used for longer.
    pub credential_life: Millis,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self {
            per_account: 48,
            total: 4_096,
            bytes_per_second: 1_000_000,
            account_bytes_per_second: 5_000_000,
            lifetime: 10 * 60_000,
            credential_life: 2 * 60 * 60_000,
        }
    }
}

/// Bytes of one direction: a second's worth at once, then as they come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    spent: u64,
    at: Millis,
}

impl Meter {
    /// Whether so many bytes more may pass.
    pub fn pass(&mut self, now: Millis, per_second: u64, bytes: usize) -> bool {
        let since = now.saturating_sub(self.at).min(1_000);
        let left = self
            .spent
            .saturating_sub(per_second.saturating_mul(since) / 1_000);
        let after = left.saturating_add(bytes as u64);
        if after > per_second {
            return false;
        }
        (self.spent, self.at) = (after, now);
        true
    }

    /// Whether nothing that passed counts any more.
    fn is_idle(&self, now: Millis) -> bool {
        now.saturating_sub(self.at) >= 1_000
    }
}

/// What one account has here.
#[derive(Debug, Default)]
pub struct Account {
    pub allocations: usize,
    pub up: Meter,
    pub down: Meter,
}

impl Account {
    /// Whether it can be forgotten. Not with its last allocation: a new one
    /// would begin with a second's worth of bytes.
    pub fn is_idle(&self, now: Millis) -> bool {
        self.allocations == 0 && self.up.is_idle(now) && self.down.is_idle(now)
    }
}

/// Answers to an address that has proven nothing: as many as a few calls take,
/// so that nobody is flooded with answers to questions in their name.
const STRANGER: Rate = Rate {
    burst: 300,
    every: 20,
};
/// Signed requests of one address, each of which costs some hashing.
const SIGNED: Rate = Rate {
    burst: 2_000,
    every: 4,
};
/// Addresses that are kept in mind.
const ADDRESSES: usize = 16_384;

/// Requests by address.
#[derive(Debug, Default)]
pub struct Visitors(BTreeMap<IpAddr, (Bucket, Bucket)>);

impl Visitors {
    /// Whether an answer may go to an address that has proven nothing.
    pub fn may_be_answered(&mut self, now: Millis, ip: IpAddr) -> bool {
        self.pour(now, ip, STRANGER, |buckets| &mut buckets.0)
    }

    /// Whether a signature from there may be looked at.
    pub fn may_be_judged(&mut self, now: Millis, ip: IpAddr) -> bool {
        self.pour(now, ip, SIGNED, |buckets| &mut buckets.1)
    }

    fn pour(
        &mut self,
        now: Millis,
        ip: IpAddr,
        rate: Rate,
        which: impl Fn(&mut (Bucket, Bucket)) -> &mut Bucket,
    ) -> bool {
        if self.0.len() >= ADDRESSES && !self.0.contains_key(&ip) {
            return false;
        }
        let bucket = which(self.0.entry(ip).or_default());
        match bucket.pour(now, rate) {
            Ok(poured) => {
                *bucket = poured;
                true
            }
            Err(_) => false,
        }
    }

    pub fn tick(&mut self, now: Millis) {
        self.0
            .retain(|_, (one, two)| !one.is_empty(now) || !two.is_empty(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_s_worth_of_bytes_passes_at_once_and_then_as_time_does() {
        let mut meter = Meter::default();
        assert!(meter.pass(5_000, 1_000, 600));
        assert!(meter.pass(5_000, 1_000, 400));
        assert!(!meter.pass(5_000, 1_000, 1));
        assert!(!meter.pass(5_100, 1_000, 101));
        assert!(meter.pass(5_100, 1_000, 100));
        assert!(meter.pass(60_000, 1_000, 1_000));
        assert!(!meter.pass(60_000, 1_000, 1));
    }

    #[test]
    fn an_address_is_answered_only_so_often_and_others_do_not_feel_it() {
        let (mut visitors, one) = (Visitors::default(), "192.0.2.1".parse().unwrap());
        let answered = (0..1_000).filter(|_| visitors.may_be_answered(0, one));
        assert_eq!(answered.count(), 300);
        assert!(visitors.may_be_answered(0, "192.0.2.2".parse().unwrap()));
        assert!(visitors.may_be_answered(20, one));
        visitors.tick(10_000);
        assert!(visitors.0.is_empty());
    }

    #[test]
    fn invented_addresses_do_not_fill_the_memory() {
        let mut visitors = Visitors::default();
        for n in 0..100_000_u32 {
            visitors.may_be_answered(0, std::net::Ipv4Addr::from_bits(n).into());
        }
        assert_eq!(visitors.0.len(), ADDRESSES);
    }
}
