//! Own media keys: one seed a generation, given to everybody in the call, and
//! replaced whenever somebody comes or goes. The key itself rests on the seed
//! and on the MLS epoch: who left the call has no new seed, who left the room
//! has no new epoch.

use super::{
    epochs::{EpochKeys, Epochs},
    media::{MediaKey, Peer},
    payload::{Payload, Seed},
};
use crate::seal::{Purpose, derive_from_two};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use sotto_wire::{CallId, DeviceId, Millis, auth::Transcript};
use std::{collections::BTreeMap, fmt};
use zeroize::Zeroizing;

/// A new key is used at the latest after this long, acknowledged or not
/// (milliseconds).
pub(crate) const PATIENCE: Millis = 1_000;
/// Frames under a sender's former key may still arrive for so long after the
/// new one came.
pub(crate) const LATE: Millis = 3_000;

/// The base key of a sender's frames.
pub(crate) fn media_key(
    call: &CallId,
    sender: &DeviceId,
    kid: u64,
    seed: &[u8; 32],
    epoch: &EpochKeys,
) -> MediaKey {
    let mut context = Transcript::new("sotto v1 call media key");
    context.field(call.as_bytes());
    context.field(sender.as_bytes());
    context.field(&kid.to_be_bytes());
    context.field(&epoch.epoch.to_be_bytes());
    let secret = derive_from_two(&epoch.secret, seed, Purpose::CallMedia, &context.finish());
    MediaKey::new(kid, *secret)
}

struct Generation {
    kid: u64,
    epoch: u64,
    seed: Zeroizing<[u8; 32]>,
    key: MediaKey,
}

pub(crate) struct OwnKeys {
    call: CallId,
    device: DeviceId,
    current: Generation,
    /// Handed out, and not used yet; to be used at the latest then (mono).
    next: Option<(Generation, Millis)>,
    /// The newest that each participant has. Who is not in here was given
    /// nothing.
    given: BTreeMap<Peer, Option<u64>>,
    /// The first key is not in use before there is a seat.
    begun: bool,
}

impl OwnKeys {
    pub fn new(call: CallId, device: DeviceId, rng: &mut ChaCha20Rng, epochs: &Epochs) -> Self {
        let current = generation(&call, &device, 0, rng, epochs.newest());
        Self {
            call,
            device,
            current,
            next: None,
            given: BTreeMap::new(),
            begun: false,
        }
    }

    /// The call goes by another id than was thought.
    pub fn rename(&mut self, call: CallId, rng: &mut ChaCha20Rng, epochs: &Epochs) {
        *self = Self::new(call, self.device, rng, epochs);
    }

    /// These people are to have the key, and nobody else. Says whether it is
    /// another one for that.
    pub fn share(
        &mut self,
        with: &[Peer],
        now: Millis,
        rng: &mut ChaCha20Rng,
        epochs: &Epochs,
    ) -> bool {
        let same =
            with.len() == self.given.len() && with.iter().all(|p| self.given.contains_key(p));
        if same {
            return false;
        }
        // What nobody has yet needs no successor, unless a newcomer to the
        // room could not derive it.
        let unused = self.given.is_empty() && self.newest().epoch == epochs.newest().epoch;
        self.given.retain(|peer, _| with.contains(peer));
        for peer in with {
            self.given.entry(*peer).or_default();
        }
        if unused {
            return false;
        }
        self.renew(now, rng, epochs);
        true
    }

    /// Makes the next key, for the same people.
    pub fn renew(&mut self, now: Millis, rng: &mut ChaCha20Rng, epochs: &Epochs) {
        let kid = self.newest().kid + 1;
        let made = generation(&self.call, &self.device, kid, rng, epochs.newest());
        // Whoever comes and goes cannot put off the end of the old key.
        let by = self.next.as_ref().map_or(now + PATIENCE, |(_, by)| *by);
        self.next = Some((made, by));
    }

    /// The key that everybody is to have.
    fn newest(&self) -> &Generation {
        self.next.as_ref().map_or(&self.current, |(next, _)| next)
    }

    pub fn newest_kid(&self) -> u64 {
        self.newest().kid
    }

    /// The key that frames go out under, and the epoch it rests on.
    pub fn in_use(&self) -> (u64, u64) {
        (self.current.kid, self.current.epoch)
    }

    /// How somebody learns the newest key.
    pub fn letter(&self) -> Payload {
        let newest = self.newest();
        Payload::Key {
            kid: newest.kid,
            epoch: newest.epoch,
            seed: Seed::new(&newest.seed),
        }
    }

    /// Whether somebody was given a key.
    pub fn knows(&self, peer: &Peer) -> bool {
        self.given.contains_key(peer)
    }

    pub fn has(&self, peer: &Peer) -> bool {
        self.given.get(peer) == Some(&Some(self.newest_kid()))
    }

    /// Somebody says what they have.
    pub fn acknowledged(&mut self, peer: &Peer, kid: Option<u64>) {
        let newest = self.newest_kid();
        if let Some(given) = self.given.get_mut(peer) {
            *given = kid.filter(|kid| *kid <= newest);
        }
    }

    /// The key to use from now on, if it is another than before.
    pub fn advance(&mut self, now: Millis) -> Option<MediaKey> {
        if let Some((_, by)) = &self.next {
            let all_have = self.given.keys().all(|peer| self.has(peer));
            if (all_have || now >= *by)
                && let Some((next, _)) = self.next.take()
            {
                self.current = next;
                self.begun = true;
                return Some(self.current.key.clone());
            }
            return (!std::mem::replace(&mut self.begun, true)).then(|| self.current.key.clone());
        }
        (!std::mem::replace(&mut self.begun, true)).then(|| self.current.key.clone())
    }

    /// When the next key is used at the latest (mono).
    pub fn deadline(&self) -> Option<Millis> {
        self.next.as_ref().map(|(_, by)| *by)
    }
}

fn generation(
    call: &CallId,
    device: &DeviceId,
    kid: u64,
    rng: &mut ChaCha20Rng,
    epoch: &EpochKeys,
) -> Generation {
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill_bytes(seed.as_mut_slice());
    let key = media_key(call, device, kid, &seed, epoch);
    Generation {
        kid,
        epoch: epoch.epoch,
        seed,
        key,
    }
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<own keys up to {}>", self.newest_kid())
    }
}

#[cfg(test)]
mod tests;
