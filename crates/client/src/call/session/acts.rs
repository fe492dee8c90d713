//! What the person does in a call: what is sent, hands, reactions.

use super::{Session, Tick};
use crate::call::{
    Deed,
    media::{MediaOrder, Peer, Sending, Source, Trouble},
    payload::Payload,
    view::{MediaState, Troubles},
};

impl Session {
    pub fn set_sending(&mut self, tick: &mut Tick<'_>, sending: Sending) {
        let call = self.call;
        if self.sending != sending {
            self.sending = sending;
            tick.order(MediaOrder::Send { call, sending });
            self.tell_state(tick);
        }
    }

    pub fn raise_hand(&mut self, tick: &mut Tick<'_>, up: bool) {
        if self.hand.is_some() != up {
            self.hand = up.then_some(tick.now.wall);
            self.tell_state(tick);
        }
    }

    pub(super) fn tell_state(&mut self, tick: &mut Tick<'_>) {
        self.state += 1;
        let payload = Payload::state(self.state, &self.own_state());
        self.tell_all(tick, &payload);
    }

    pub fn react(&mut self, tick: &mut Tick<'_>, emoji: String) {
        self.tell_all(
            tick,
            &Payload::React {
                emoji: emoji.clone(),
            },
        );
        let (call, user) = (self.call, self.me.user);
        tick.out.push(Deed::Reaction { call, user, emoji });
    }

    pub(super) fn tell_all(&mut self, tick: &mut Tick<'_>, payload: &Payload) {
        let (mut air, links) = self.air(tick);
        for link in links.values_mut().filter(|link| !link.dropped) {
            link.say(&mut air, payload);
            link.debts.begin(air.mono());
        }
    }

    pub fn own_state(&self) -> MediaState {
        MediaState {
            microphone: self.sending.microphone,
            camera: self.sending.camera,
            screen: self.sending.screen,
            hand: self.hand,
            troubles: Troubles {
                microphone: self.trouble(Source::Microphone, self.sending.microphone),
                camera: self.trouble(Source::Camera, self.sending.camera),
                screen: self.trouble(Source::Screen, self.sending.screen.is_some()),
            },
        }
    }

    /// Why something that is wished does not go out.
    fn trouble(&self, source: Source, wished: bool) -> Option<Trouble> {
        let state = self.sources.get(&source).filter(|_| wished);
        state.and_then(|state| state.trouble())
    }

    /// Somebody cannot be heard or seen, or does not hear us: a fresh key for
    /// everybody, and a new path to that one. `false`: there is no such person.
    pub fn repair(&mut self, tick: &mut Tick<'_>, peer: Peer) -> bool {
        let now = tick.now.mono;
        let Some(link) = self.links.get(&peer).filter(|link| !link.dropped) else {
            return false;
        };
        if link.may_repair(now) {
            self.own.renew(now, tick.rng, &self.epochs);
            let (mut air, links) = self.air(tick);
            for link in links.values_mut().filter(|link| !link.dropped) {
                if link.peer == peer {
                    link.repair(&mut air);
                } else {
                    let letter = air.own.letter();
                    link.say(&mut air, &letter);
                    link.debts.begin(now);
                }
            }
            self.use_keys(tick);
        }
        true
    }
}
