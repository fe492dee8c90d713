//! Negotiation with one other end (RFC 9429): offers, answers, candidates.
//! A description counts only if its SDP passes the gate and says what was
//! signed for by name; an answer only for the offer it names; a candidate only
//! for the description it names.

use super::{
    candidate::{CANDIDATES_MAX, check_candidate, is_relayed},
    link::{Air, Link, Phase},
    media::{Candidate, Description, DescriptionKind, Fingerprint, MediaOrder, PeerFailure},
    payload::{CandidateLine, Payload, Sdp},
    sdp::{SdpFacts, check_sdp, sdp_hash},
};
use crate::api::Why;
use std::collections::BTreeSet;

/// What was negotiated on one connection.
#[derive(Default)]
pub(crate) struct Talk {
    pub mine: Option<Half>,
    pub theirs: Option<Half>,
    /// Certificates that were signed for.
    pub my_cert: Option<Fingerprint>,
    pub their_cert: Option<Fingerprint>,
    /// Own candidates, of `mine`.
    candidates: Vec<Candidate>,
    /// Theirs, of `theirs`.
    heard: BTreeSet<(String, String)>,
    /// As the DTLS handshake showed them: own, theirs.
    pub certs: Option<(Fingerprint, Fingerprint)>,
    /// As the other end says it saw them: its own, ours.
    pub confirmed: Option<(Fingerprint, Fingerprint)>,
}

/// A description.
pub(crate) struct Half {
    description: Description,
    facts: SdpFacts,
    hash: [u8; 32],
}

impl Half {
    /// The signed description that `sdp` carries, if all of it agrees.
    fn read(sdp: Sdp, kind: DescriptionKind, loopback: bool) -> Option<Self> {
        let Sdp {
            sdp,
            fingerprint,
            ufrag,
        } = sdp;
        let half = Self::of(Description { kind, sdp }, loopback)?;
        let facts = &half.facts;
        let says_so = facts.fingerprint.0[..] == fingerprint[..] && facts.ufrag == ufrag;
        says_so.then_some(half)
    }

    fn of(description: Description, loopback: bool) -> Option<Self> {
        let facts = check_sdp(&description, loopback).ok()?;
        let hash = sdp_hash(&description.sdp);
        Some(Self {
            description,
            facts,
            hash,
        })
    }

    fn sdp(&self) -> Sdp {
        Sdp {
            sdp: self.description.sdp.clone(),
            fingerprint: self.facts.fingerprint.0.as_slice().into(),
            ufrag: self.facts.ufrag.clone(),
        }
    }
}

impl Link {
    /// Media made our half.
    pub fn described(&mut self, air: &mut Air<'_, '_>, description: Description) {
        let is_offer = description.kind == DescriptionKind::Offer;
        if is_offer != self.offers || matches!(self.phase, Phase::Failed(_)) {
            return; // of a connection that is no more
        }
        // An own description that would not pass at the other end.
        let Some(half) = Half::of(description, air.loopback) else {
            return self.fail(air, PeerFailure::OwnDescription);
        };
        let talk = &mut self.talk;
        let ufrag = |half: &Half| half.facts.ufrag.clone();
        if talk
            .mine
            .as_ref()
            .is_some_and(|old| ufrag(old) != ufrag(&half))
        {
            talk.candidates.clear();
        }
        if is_offer {
            talk.theirs = None;
        }
        talk.my_cert = Some(half.facts.fingerprint);
        talk.mine = Some(half);
        self.debts.begin(air.mono());
        self.say_description(air);
    }

    /// Our half, with what candidates there are.
    pub fn say_description(&mut self, air: &mut Air<'_, '_>) {
        let Some(mine) = &self.talk.mine else { return };
        let payload = match (mine.description.kind, &self.talk.theirs) {
            (DescriptionKind::Offer, _) => Payload::Offer(mine.sdp()),
            (DescriptionKind::Answer, Some(offer)) => Payload::Answer {
                sdp: mine.sdp(),
                offer: offer.hash.as_slice().into(),
            },
            (DescriptionKind::Answer, None) => return,
        };
        self.say(air, &payload);
        self.say_candidates(air);
    }

    fn say_candidates(&mut self, air: &mut Air<'_, '_>) {
        let Some(mine) = &self.talk.mine else { return };
        if self.talk.candidates.is_empty() {
            return;
        }
        let of = mine.hash.as_slice().into();
        let list = self
            .talk
            .candidates
            .iter()
            .map(CandidateLine::from)
            .collect();
        self.say(air, &Payload::Candidates { of, list });
    }

    /// Media found a way to us. One that the other end would refuse, or that
    /// says more of this network than it needs to, stays here.
    pub fn gathered(&mut self, air: &mut Air<'_, '_>, candidate: Candidate) {
        let known = self.talk.candidates.contains(&candidate);
        let room = self.talk.candidates.len() < CANDIDATES_MAX;
        let shown = !air.relayed_only || is_relayed(&candidate);
        if shown && room && !known && check_candidate(&candidate, air.loopback).is_ok() {
            self.talk.candidates.push(candidate);
            self.say_candidates(air);
        }
    }

    pub(super) fn hear_offer(&mut self, air: &mut Air<'_, '_>, sdp: Sdp) -> Result<(), Why> {
        if self.offers {
            return Err(Why::CallUnbound);
        }
        let theirs = Half::read(sdp, DescriptionKind::Offer, air.loopback);
        let theirs = theirs.ok_or(Why::CallDescription)?;
        if self.is_final() {
            return Ok(());
        }
        let gone = self.torn || matches!(self.phase, Phase::Failed(_));
        let again = |old: &Half| old.hash == theirs.hash;
        if !gone && self.talk.theirs.as_ref().is_some_and(again) {
            self.say_description(air); // the answer was lost
            return Ok(());
        }
        let known = self.talk.their_cert;
        let other = known.is_some_and(|known| known != theirs.facts.fingerprint);
        if gone || other {
            self.renew(air);
        }
        if gone && known.is_some() && !other {
            // A new path for a connection that is no more at this end.
            self.ask_for_another(air);
            return Ok(());
        }
        self.asks_restart = false;
        self.last_restart = Some(air.mono());
        // Our half answers their old one.
        self.talk.mine = None;
        self.talk.candidates.clear();
        self.describe(air, theirs);
        Ok(())
    }

    pub(super) fn hear_answer(
        &mut self,
        air: &mut Air<'_, '_>,
        sdp: Sdp,
        offer: &[u8],
    ) -> Result<(), Why> {
        let mine = self.talk.mine.as_ref().filter(|_| self.offers);
        if mine.is_none_or(|mine| mine.hash[..] != *offer) {
            return Err(Why::CallUnbound);
        }
        let theirs = Half::read(sdp, DescriptionKind::Answer, air.loopback);
        let theirs = theirs.ok_or(Why::CallDescription)?;
        match &self.talk.theirs {
            Some(old) if old.hash == theirs.hash => Ok(()),
            // One offer has one answer.
            Some(_) => Err(Why::CallUnbound),
            // They had to begin anew, so this end has to.
            None if self
                .talk
                .their_cert
                .is_some_and(|known| known != theirs.facts.fingerprint) =>
            {
                self.remake(air);
                Ok(())
            }
            None => {
                self.describe(air, theirs);
                Ok(())
            }
        }
    }

    fn describe(&mut self, air: &mut Air<'_, '_>, theirs: Half) {
        let (call, peer) = (air.call, self.peer);
        let description = theirs.description.clone();
        self.talk.heard.clear();
        self.talk.their_cert = Some(theirs.facts.fingerprint);
        self.talk.theirs = Some(theirs);
        self.debts.begin(air.mono());
        air.tick.order(MediaOrder::Describe {
            call,
            peer,
            description,
        });
    }

    pub(super) fn hear_candidates(
        &mut self,
        air: &mut Air<'_, '_>,
        of: &[u8],
        list: Vec<CandidateLine>,
    ) -> Result<(), Why> {
        let theirs = self.talk.theirs.as_ref();
        if theirs.is_none_or(|theirs| theirs.hash[..] != *of) {
            // Of a description that was lost, or is over: they come again
            // with the next.
            return Ok(());
        }
        let mut result = Ok(());
        for line in list {
            let candidate = Candidate::from(line);
            let name = (candidate.line.clone(), candidate.mid.clone());
            if self.talk.heard.contains(&name) {
                continue;
            }
            let room = self.talk.heard.len() < CANDIDATES_MAX;
            if !room || check_candidate(&candidate, air.loopback).is_err() {
                result = Err(Why::CallCandidate);
                continue;
            }
            self.talk.heard.insert(name);
            // Our packets would reach it from the relay alone, and that lets
            // none out.
            if air.relayed_only && !is_relayed(&candidate) {
                continue;
            }
            let (call, peer) = (air.call, self.peer);
            air.tick.order(MediaOrder::AddCandidate {
                call,
                peer,
                candidate,
            });
        }
        result
    }
}
