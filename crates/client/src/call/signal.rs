//! Signals between two ends of a call: sealed between their keys for this
//! participation, and signed by their accounts over everything that they rest
//! on.
//!
//! Outside: X25519 → HKDF-SHA-256 → AES-256-GCM, the key bound to the room and
//! both ends with their keys, in their direction. Inside: version, MLS epoch,
//! sequence, nonce, not-after, payload, and an ECDSA P-256 signature over a
//! [`Transcript`] that names all of it and what is not sent: the call, both
//! ends and the epoch's authenticator. So a signal holds for one purpose, pair,
//! direction, call, epoch and moment, and once.
//!
//! A [`Channel`] decides whether a signal is true; what it says is judged in
//! [`super::link`].

use super::{
    epochs::{EpochKeys, Epochs},
    ledger::CallKey,
    media::Peer,
    payload::{Payload, Sdp},
    sdp::sdp_hash,
};
use crate::{
    api::Why,
    identity::{AccountKey, PublicKey},
    pad,
    seal::{Purpose, SealKey},
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sotto_wire::{Bytes, CallId, Millis, RoomId, auth::Transcript};
use std::{collections::VecDeque, fmt};
use x25519_dalek::{PublicKey as X25519, StaticSecret};
use zeroize::Zeroizing;

/// What this end speaks. Later versions may change all of a letter but these:
/// how it is sealed and padded, and that it is JSON with a number `v`. So each
/// can tell the other's from a forgery, and say so.
const VERSION: u8 = 1;
/// Milliseconds that a signal holds.
pub(crate) const VALID: Millis = 30_000;
/// What clocks may differ by after both were set by the relay's.
pub(crate) const SLACK: Millis = 10_000;
/// Longest signal, in bytes.
const BODY_MAX: usize = 60 * 1024;
/// Nonces that are remembered of one peer; sequences refuse all older ones.
const NONCES: usize = 1024;

/// The secret half of an own key for one participation. Wiped when dropped.
pub(crate) struct Secret(StaticSecret);

impl Secret {
    pub fn generate(rng: &mut ChaCha20Rng) -> Self {
        Self(StaticSecret::random_from_rng(rng))
    }

    pub fn public(&self) -> CallKey {
        CallKey(X25519::from(&self.0).to_bytes())
    }

    /// `None` for a key of low order: it would agree on a secret that everybody
    /// knows.
    fn agree(&self, key: &CallKey) -> Option<Zeroizing<[u8; 32]>> {
        let shared = self.0.diffie_hellman(&X25519::from(key.0));
        shared
            .was_contributory()
            .then(|| Zeroizing::new(shared.to_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<call secret>")
    }
}

/// One end, with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub peer: Peer,
    pub key: CallKey,
}

/// Between the own end and one other, for as long as both keys hold.
pub(crate) struct Channel {
    room: RoomId,
    me: End,
    them: End,
    out: SealKey,
    inn: SealKey,
    sent: u64,
    heard: u64,
    nonces: VecDeque<[u8; 16]>,
}

/// What travels, sealed.
#[derive(Serialize, Deserialize)]
struct Letter {
    v: u8,
    epoch: u64,
    seq: u64,
    nonce: Bytes,
    not_after: Millis,
    /// As it was signed, to the byte.
    payload: String,
    signature: Bytes,
}

/// What of a letter every version has.
#[derive(Deserialize)]
struct Version {
    v: u64,
}

impl Drop for Letter {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.payload);
    }
}

/// A signal that is true, or why it is not.
#[derive(Debug)]
pub(crate) enum Opened {
    Payload(Payload),
    /// Of an MLS epoch that is yet to come here.
    Early,
    /// Sealed by the other end, in a version that is not ours.
    OtherVersion,
    Refused(Why),
}

impl Channel {
    /// `None` if no secret can be agreed on with that key.
    pub fn new(room: RoomId, secret: &Secret, me: End, them: End) -> Option<Self> {
        let shared = secret.agree(&them.key)?;
        Some(Self {
            room,
            me,
            them,
            out: seal_key(&shared, &room, &me, &them),
            inn: seal_key(&shared, &room, &them, &me),
            sent: 0,
            heard: 0,
            nonces: VecDeque::new(),
        })
    }

    /// The other end.
    pub fn them(&self) -> &End {
        &self.them
    }

    pub fn seal(
        &mut self,
        call: &CallId,
        epoch: &EpochKeys,
        account: &AccountKey,
        rng: &mut ChaCha20Rng,
        now: Millis,
        payload: &Payload,
    ) -> Vec<u8> {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        self.sent += 1;
        let mut letter = Letter {
            v: VERSION,
            epoch: epoch.epoch,
            seq: self.sent,
            nonce: nonce.as_slice().into(),
            not_after: now + VALID,
            payload: payload.encode().to_string(),
            signature: Bytes::default(),
        };
        let signed = self.transcript(&self.me, &self.them, call, epoch, &letter, payload);
        letter.signature = account.sign(&signed).as_slice().into();
        let plain = Zeroizing::new(serde_json::to_vec(&letter).expect("a letter is plain data"));
        let padded = Zeroizing::new(pad::pad(&plain));
        self.out.seal(rng, call.as_bytes(), &padded)
    }

    /// What another version might say.
    #[cfg(any(test, feature = "testing"))]
    pub fn seal_text(&self, call: &CallId, rng: &mut ChaCha20Rng, text: &str) -> Vec<u8> {
        (self.out).seal(rng, call.as_bytes(), &pad::pad(text.as_bytes()))
    }

    /// Judges a signal of the other end. Only a true one changes anything:
    /// it cannot come again.
    pub fn open(
        &mut self,
        call: &CallId,
        epochs: &Epochs,
        account: &PublicKey,
        now: Millis,
        body: &[u8],
    ) -> Opened {
        let letter = match self.unseal(call, body) {
            Ok(letter) => letter,
            Err(opened) => return opened,
        };
        match self.judge(call, epochs, account, now, &letter) {
            Ok(Some((seq, nonce, payload))) => {
                self.heard = seq;
                self.nonces.push_back(nonce);
                if self.nonces.len() > NONCES {
                    self.nonces.pop_front();
                }
                Opened::Payload(payload)
            }
            Ok(None) => Opened::Early,
            Err(why) => Opened::Refused(why),
        }
    }

    /// Whoever holds the other end's key wrote it. Its version is judged before
    /// all that another version may have otherwise.
    fn unseal(&self, call: &CallId, body: &[u8]) -> Result<Letter, Opened> {
        let forged = || Opened::Refused(Why::CallForged);
        if body.len() > BODY_MAX {
            return Err(forged());
        }
        let padded = self.inn.open(call.as_bytes(), body);
        let padded = padded.map_err(|_| forged())?;
        let plain = pad::unpad(&padded).ok_or_else(forged)?;
        let version: Version = serde_json::from_slice(plain).map_err(|_| forged())?;
        if version.v != u64::from(VERSION) {
            return Err(Opened::OtherVersion);
        }
        serde_json::from_slice(plain).map_err(|_| forged())
    }

    fn judge(
        &self,
        call: &CallId,
        epochs: &Epochs,
        account: &PublicKey,
        now: Millis,
        letter: &Letter,
    ) -> Result<Option<(u64, [u8; 16], Payload)>, Why> {
        if letter.epoch > epochs.newest().epoch {
            return Ok(None);
        }
        let epoch = epochs.get(letter.epoch).ok_or(Why::CallExpired)?;
        let payload = Payload::decode(&letter.payload).ok_or(Why::UnknownContent)?;
        let nonce: [u8; 16] = letter.nonce[..].try_into().map_err(|_| Why::CallForged)?;
        let signed = self.transcript(&self.them, &self.me, call, epoch, letter, &payload);
        account
            .verify(&signed, &letter.signature)
            .map_err(|_| Why::CallForged)?;
        if letter.seq <= self.heard || self.nonces.contains(&nonce) {
            return Err(Why::CallReplay);
        }
        let over = now > letter.not_after.saturating_add(SLACK);
        let to_come = letter.not_after > now.saturating_add(VALID + SLACK);
        if over || to_come {
            return Err(Why::CallExpired);
        }
        Ok(Some((letter.seq, nonce, payload)))
    }

    fn transcript(
        &self,
        from: &End,
        to: &End,
        call: &CallId,
        epoch: &EpochKeys,
        letter: &Letter,
        payload: &Payload,
    ) -> Vec<u8> {
        let mut out = Transcript::new("sotto v1 call signal signature");
        out.field(&[letter.v]);
        out.field(payload.purpose().label());
        out.field(self.room.as_bytes());
        out.field(&epoch.epoch.to_be_bytes());
        out.field(&epoch.authenticator);
        out.field(call.as_bytes());
        for end in [from, to] {
            out.field(end.peer.device.as_bytes());
            out.field(&end.key.0);
        }
        out.field(&letter.seq.to_be_bytes());
        out.field(&letter.nonce);
        out.field(&letter.not_after.to_be_bytes());
        let (sdp, offer): (Option<&Sdp>, &[u8]) = match payload {
            Payload::Offer(sdp) => (Some(sdp), &[]),
            Payload::Answer { sdp, offer } => (Some(sdp), offer),
            _ => (None, &[]),
        };
        out.field(sdp.map_or(&[], |sdp| &sdp.fingerprint[..]));
        out.field(sdp.map_or(&[], |sdp| sdp.ufrag.as_bytes()));
        out.field(
            sdp.map(|sdp| sdp_hash(&sdp.sdp))
                .as_ref()
                .map_or(&[], |h| h),
        );
        out.field(offer);
        out.field(&Sha256::digest(letter.payload.as_bytes()));
        out.finish()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<channel to {:?}>", self.them.peer.device)
    }
}

fn seal_key(shared: &[u8; 32], room: &RoomId, from: &End, to: &End) -> SealKey {
    let mut context = Transcript::new("sotto v1 call channel");
    context.field(room.as_bytes());
    for end in [from, to] {
        context.field(end.peer.user.as_bytes());
        context.field(end.peer.device.as_bytes());
        context.field(&end.key.0);
    }
    SealKey::derive(shared, Purpose::CallSignal, &context.finish())
}

#[cfg(test)]
mod tests;
