//! What requests do that are their sender's for certain: allocations are made,
//! kept, opened to peers and given up (RFC 8656 §7 to §12).

use super::{
    ALLOCATION_MISMATCH, BAD_REQUEST, Claimed, DEFAULT_LIFETIME, FAMILY_NOT_SUPPORTED, FORBIDDEN,
    INSUFFICIENT_CAPACITY, Now, Path, QUOTA_REACHED, Refusal, Server, UNSUPPORTED_TRANSPORT,
    WRONG_CREDENTIALS, answer, seen,
};
use crate::turn::{
    allocation::{Allocation, Refused, is_channel},
    credential::mac,
    peers,
    stun::{self, Class, Message, Method, Writing, attribute as a},
};
use sotto_wire::Millis;
use std::net::{IpAddr, SocketAddr};

impl Server {
    pub(super) fn allocate(
        &mut self,
        now: Now,
        from: Path,
        message: &Message<'_>,
        claimed: Claimed,
    ) -> Result<Writing, Refusal> {
        if let Some(known) = self.living(now, &from) {
            let again = known.request == message.transaction && known.holder == claimed.holder;
            return match again {
                true => Ok(allocated(now, from, message, known)),
                false => Err(ALLOCATION_MISMATCH),
            };
        }
        match message.get(a::REQUESTED_TRANSPORT) {
            Some([17, ..]) => {}
            Some([_, ..]) => return Err(UNSUPPORTED_TRANSPORT),
            _ => return Err(BAD_REQUEST),
        }
        let told = self.own.told();
        if let Some(family) = message.get(a::REQUESTED_ADDRESS_FAMILY)
            && family.first() != Some(if told.is_ipv4() { &1 } else { &2 })
        {
            return Err(FAMILY_NOT_SUPPORTED);
        }
        let lifetime = self.lifetime(message)?;
        // An expired one may still stand here.
        self.end(&from);
        let account = claimed.holder.account;
        let held = self.accounts.get(&account).map_or(0, |a| a.allocations);
        if held >= self.limits.per_account {
            return Err(QUOTA_REACHED);
        }
        if self.allocations.len() >= self.limits.total {
            return Err(INSUFFICIENT_CAPACITY);
        }
        let relayed = self.free(told).ok_or(INSUFFICIENT_CAPACITY)?;
        let username = message.text(a::USERNAME).unwrap_or_default().to_owned();
        let nonce = message.text(a::NONCE).unwrap_or_default().to_owned();
        let allocation = Allocation::new(
            (claimed.holder, username),
            (nonce, message.transaction),
            relayed,
            now.mono + lifetime.max(1),
        );
        let answer = allocated(now, from, message, &allocation);
        self.accounts.entry(account).or_default().allocations += 1;
        self.relayed.insert(relayed, from);
        self.allocations.insert(from, allocation);
        Ok(answer)
    }

    pub(super) fn refresh(
        &mut self,
        now: Now,
        from: Path,
        message: &Message<'_>,
        claimed: &Claimed,
    ) -> Result<Writing, Refusal> {
        let lifetime = self.lifetime(message)?;
        let username = message.text(a::USERNAME).unwrap_or_default();
        let allocation = self.own_allocation(now, &from, claimed)?;
        // A newer credential of the same device carries on from here.
        username.clone_into(&mut allocation.username);
        allocation.expires = now.mono + lifetime;
        if lifetime == 0 {
            self.end(&from);
        }
        let seconds = u32::try_from(lifetime / 1_000).unwrap_or(u32::MAX);
        Ok(answer(Class::Success, message).with(a::LIFETIME, &seconds.to_be_bytes()))
    }

    pub(super) fn permit(
        &mut self,
        now: Now,
        from: Path,
        message: &Message<'_>,
        claimed: &Claimed,
    ) -> Result<Writing, Refusal> {
        self.own_allocation(now, &from, claimed)?;
        let peers: Option<Vec<_>> = message
            .all(a::XOR_PEER_ADDRESS)
            .map(|value| stun::address(value, &message.transaction))
            .collect();
        let peers = peers.filter(|peers| !peers.is_empty()).ok_or(BAD_REQUEST)?;
        // All of them, or none.
        if !peers.iter().all(|peer| self.own.are(*peer)) {
            return Err(FORBIDDEN);
        }
        let allocation = self.own_allocation(now, &from, claimed)?;
        for peer in peers {
            allocation.permit(now.mono, peer).map_err(refusal)?;
        }
        Ok(answer(Class::Success, message))
    }

    pub(super) fn bind(
        &mut self,
        now: Now,
        from: Path,
        message: &Message<'_>,
        claimed: &Claimed,
    ) -> Result<Writing, Refusal> {
        self.own_allocation(now, &from, claimed)?;
        let number = match message.get(a::CHANNEL_NUMBER) {
            Some([high, low, _, _]) => u16::from_be_bytes([*high, *low]),
            _ => return Err(BAD_REQUEST),
        };
        let peer = message
            .get(a::XOR_PEER_ADDRESS)
            .and_then(|value| stun::address(value, &message.transaction))
            .filter(|_| is_channel(number))
            .ok_or(BAD_REQUEST)?;
        if !self.own.are(peer) {
            return Err(FORBIDDEN);
        }
        let allocation = self.own_allocation(now, &from, claimed)?;
        allocation.bind(now.mono, number, peer).map_err(refusal)?;
        Ok(answer(Class::Success, message))
    }

    fn own_allocation(
        &mut self,
        now: Now,
        from: &Path,
        claimed: &Claimed,
    ) -> Result<&mut Allocation, Refusal> {
        match self.allocations.get_mut(from) {
            Some(allocation) if allocation.expires <= now.mono => Err(ALLOCATION_MISMATCH),
            Some(allocation) if allocation.holder != claimed.holder => Err(WRONG_CREDENTIALS),
            Some(allocation) => Ok(allocation),
            None => Err(ALLOCATION_MISMATCH),
        }
    }

    /// What is granted, in milliseconds.
    fn lifetime(&self, message: &Message<'_>) -> Result<Millis, Refusal> {
        let asked = match message.get(a::LIFETIME) {
            None => return Ok(DEFAULT_LIFETIME.min(self.limits.lifetime)),
            Some(value) => <[u8; 4]>::try_from(value).map_err(|_| BAD_REQUEST)?,
        };
        Ok(match Millis::from(u32::from_be_bytes(asked)) * 1_000 {
            0 if message.method == Method::Refresh => 0,
            asked => asked.max(DEFAULT_LIFETIME).min(self.limits.lifetime),
        })
    }

    /// A relayed address that is nobody's. Which one comes next cannot be
    /// guessed from outside.
    fn free(&mut self, ip: IpAddr) -> Option<SocketAddr> {
        let span = u64::from(peers::LAST - peers::FIRST) + 1;
        self.made += 1;
        let drawn = mac(&self.nonces, &[b"port", &self.made.to_be_bytes()]);
        let start = u64::from_be_bytes(drawn[..8].try_into().expect("eight bytes"));
        (0..span)
            .map(|step| ((start.wrapping_add(step)) % span) as u16 + peers::FIRST)
            .map(|port| SocketAddr::new(ip, port))
            .find(|address| !self.relayed.contains_key(address))
    }
}

fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Mismatch => BAD_REQUEST,
        Refused::TooMany => INSUFFICIENT_CAPACITY,
    }
}

fn allocated(now: Now, from: Path, message: &Message<'_>, allocation: &Allocation) -> Writing {
    let left = allocation.expires.saturating_sub(now.mono) / 1_000;
    let seconds = u32::try_from(left).unwrap_or(u32::MAX).max(1);
    answer(Class::Success, message)
        .with_address(a::XOR_RELAYED_ADDRESS, allocation.relayed)
        .with(a::LIFETIME, &seconds.to_be_bytes())
        .with_address(a::XOR_MAPPED_ADDRESS, seen(from))
}
