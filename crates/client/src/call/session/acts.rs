//! What the person does in a call: what is sent, hands, reactions.

use super::{Session, Tick};
use crate::call::{
    Deed,
    media::{MediaOrder, Sending},
    payload::Payload,
    view::MediaState,
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
        }
    }
}
