//! After DTLS: the certificates that the handshake showed are those that were
//! signed for, and both ends saw the same two.

use super::{Air, Link, Phase};
use crate::{
    api::Why,
    call::{
        media::{Fingerprint, PeerFailure},
        payload::Payload,
    },
};

impl Link {
    pub fn connected(&mut self, air: &mut Air<'_, '_>, certs: (Fingerprint, Fingerprint)) {
        if matches!(self.phase, Phase::Failed(_)) {
            return;
        }
        let talk = &mut self.talk;
        if talk.my_cert.zip(talk.their_cert) != Some(certs) {
            air.tick.reject(self.peer.user, Why::CallCertificate);
            return self.fail(air, PeerFailure::Certificate);
        }
        talk.certs = Some(certs);
        self.phase = Phase::Connected;
        self.asks_restart = false;
        self.debts.begin(air.mono());
        if self.compare(air) {
            let got = self.talk.confirmed.is_some();
            self.say(air, &Payload::confirm(certs, got));
        }
    }

    pub(super) fn hear_confirm(
        &mut self,
        air: &mut Air<'_, '_>,
        seen: (Fingerprint, Fingerprint),
        got: bool,
    ) -> Result<(), Why> {
        if matches!(self.phase, Phase::Failed(_)) {
            return Ok(());
        }
        self.talk.confirmed = Some(seen);
        if self.compare(air)
            && !got
            && let Some(certs) = self.talk.certs
        {
            self.say(air, &Payload::confirm(certs, true));
        }
        Ok(())
    }

    /// Both ends saw the same two certificates, as far as both have looked.
    pub(super) fn compare(&mut self, air: &mut Air<'_, '_>) -> bool {
        let Some((certs, seen)) = self.talk.certs.zip(self.talk.confirmed) else {
            return true;
        };
        let same = certs == (seen.1, seen.0);
        if !same {
            air.tick.reject(self.peer.user, Why::CallCertificate);
            self.fail(air, PeerFailure::Certificate);
        }
        same
    }

    pub fn is_confirmed(&self) -> bool {
        self.talk.certs.is_some() && self.talk.confirmed.is_some() && !self.is_final()
    }
}
