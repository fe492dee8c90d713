//! Letters: Welcomes as they travel, made here and opened here.
//!
//! Room and knock in front, in the clear, so that the client who knocked finds
//! them; then, sealed under the invite's secret: a [`Proof`], the place and
//! epoch from which the newcomer takes part, the mark of the order there, and
//! the MLS Welcome.

use super::{
    Cx, Room,
    record::{self, Answer, Joining, Letter, Pending},
    trail::{MARK, Mark, Place},
};
use crate::{
    invite::proof::{self, Proof, Terms},
    seal::{Purpose, SealKey},
    store::{SEQ_MAX, Space, StoreError},
};
use sotto_wire::{ClientFrame, Epoch, Millis, RoomId, Seq, UserId, frame::ChatKind};

/// A Welcome that is not fetched by then is dropped by the relay.
const LETTER_VALID: Millis = 7 * 24 * 60 * 60 * 1000;
/// Length of what stands before the Welcome: seq, epoch and mark.
const HEAD: usize = 16 + MARK;

/// A letter that holds, opened.
pub(super) struct Admitted {
    /// The newcomer takes part from the next place on.
    pub seq: Seq,
    pub epoch: Epoch,
    pub mark: Mark,
    pub welcome: Vec<u8>,
}

impl Room {
    /// Sends each newcomer the Welcome, sealed so that only the one who
    /// knocked with the invite's secret takes it.
    pub(super) fn send_letters(
        &mut self,
        cx: &mut Cx<'_>,
        pending: &Pending,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let Some(welcome) = &pending.welcome else {
            return Ok(());
        };
        let (id, from, kind) = (pending.id, cx.me.user(), ChatKind::Commit);
        let mut trail = self.record.trail.clone();
        trail.extend(&Place {
            seq,
            id,
            from,
            kind,
        });
        let mark = trail.newest().unwrap_or_default();
        // The joiner takes part from the next place and epoch on.
        let mut plain = Vec::with_capacity(HEAD + welcome.len());
        plain.extend_from_slice(&seq.to_be_bytes());
        plain.extend_from_slice(&(pending.epoch + 1).to_be_bytes());
        plain.extend_from_slice(&mark);
        plain.extend_from_slice(welcome);
        let room = self.id();
        for answer in &pending.answers {
            let Some(proof) = answer.proof(room, &plain) else {
                continue; // no such invite is granted
            };
            let secret = answer.invite.secret.expose();
            let (knock, user) = (&answer.knock, &answer.user);
            let key = SealKey::derive(secret, Purpose::Welcome, room.as_bytes());
            let letter = [proof.encode().as_slice(), &plain].concat();
            let mut body = record::key_in(&self.record.id, knock.as_bytes());
            body.extend(key.seal(cx.rng, knock.as_bytes(), &letter));
            let letter = Letter {
                relay: self.record.relay.clone(),
                id: cx.random_id(),
                to: *user,
                body: body.into(),
                expires: cx.now.wall + LETTER_VALID,
            };
            record::write(cx.txn, Space::Direct, letter.id.as_bytes(), &letter)?;
            self.send(cx, letter.frame());
        }
        Ok(())
    }
}

impl Joining {
    /// Opens what came in answer to this knock. `None`: it was not made for
    /// it, or by nobody of the inviter's room.
    pub(super) fn open(&self, room: RoomId, me: UserId, sealed: &[u8]) -> Option<Admitted> {
        let key = SealKey::derive(self.secret.expose(), Purpose::Welcome, room.as_bytes());
        let opened = key.open(self.knock.as_bytes(), sealed).ok()?;
        let (proof, letter) = Proof::split(&opened).ok()?;
        let terms = Terms {
            room,
            invite: self.invite,
            secret: &self.secret,
            expires: self.expires,
        };
        let answer = proof::Answer {
            terms,
            knock: self.knock,
            to: me,
            letter,
        };
        // Before anything of it reaches MLS.
        proof.check(&self.inviter, &answer).ok()?;
        let (seq, rest) = letter.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (mark, welcome) = rest.split_first_chunk()?;
        let (seq, epoch) = (u64::from_be_bytes(*seq), u64::from_be_bytes(*epoch));
        let sound = seq <= SEQ_MAX && epoch <= SEQ_MAX && !welcome.is_empty();
        sound.then(|| Admitted {
            seq,
            epoch,
            mark: *mark,
            welcome: welcome.to_vec(),
        })
    }
}

impl Answer {
    /// The other side of [`Joining::open`]. `None`: the invite's maker did not
    /// vouch for it.
    fn proof(&self, room: RoomId, letter: &[u8]) -> Option<Proof> {
        let answer = proof::Answer {
            terms: self.invite.terms(room),
            knock: self.knock,
            to: self.user,
            letter,
        };
        let vouching = self.invite.vouching[..].try_into().ok()?;
        Some(Proof::make(
            self.account,
            vouching,
            &self.invite.key,
            &answer,
        ))
    }
}

impl Letter {
    /// The room that it lets somebody into.
    pub fn room(&self) -> Option<RoomId> {
        let (room, _) = self.body.split_first_chunk()?;
        Some(RoomId(*room))
    }

    pub fn frame(&self) -> ClientFrame {
        let Letter {
            to,
            id,
            body,
            expires,
            ..
        } = self.clone();
        ClientFrame::DirectSend {
            to,
            id,
            body,
            expires,
        }
    }
}
