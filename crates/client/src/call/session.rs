//! The own part in a call: from the local yes to the goodbye. It follows the
//! ledger: whoever has a seat there is connected to, whoever has none is not.
//! Nothing is captured without a session, and a session is made by a local yes
//! only.

mod acts;
mod early;
mod end;
mod reports;

pub(crate) use reports::call_of;

use super::{
    Deed, Tick,
    epochs::{EpochKeys, Epochs},
    keys::OwnKeys,
    ledger::{CallKey, CallSaying, CallSays, Running},
    link::{Air, Link},
    media::{MediaOrder, Paths, Peer, Sending, Source, SourceState},
    payload::{Payload, REACTION_MAX},
    signal::{Channel, End, Secret},
    view::{CallEnd, Route},
};
use crate::{api::Why, identity::PublicKey, model::clean_text};
use sotto_wire::{CallId, Millis, RoomId};
use std::collections::BTreeMap;

use early::Early;

/// How long it rings (milliseconds).
pub(crate) const RING: Millis = 60_000;
/// Whoever is left behind alone hangs up after this long.
const ALONE: Millis = 60_000;
pub(crate) struct Session {
    pub call: CallId,
    room: RoomId,
    pub me: Peer,
    /// We started it.
    pub caller: bool,
    pub video: bool,
    secret: Secret,
    pub key: CallKey,
    /// Our saying has its place in the order.
    pub placed: bool,
    /// We have a seat.
    pub seated: bool,
    /// The relay was told where we are.
    told: bool,
    /// The local yes (mono, Unix).
    pub since: (Millis, Millis),
    pub sending: Sending,
    hand: Option<Millis>,
    state: u64,
    pub sources: BTreeMap<Source, SourceState>,
    links: BTreeMap<Peer, Link>,
    pub own: OwnKeys,
    epochs: Epochs,
    early: Vec<Early>,
    /// Others were here, and nobody is any more (mono).
    alone: Option<Millis>,
    paths: Paths,
    pub route: Route,
}

/// Who a member is, as far as calls need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attendant {
    pub peer: Peer,
    pub account: PublicKey,
}

/// What a session begins with.
pub(crate) struct Opening {
    pub room: RoomId,
    pub call: CallId,
    pub me: Peer,
    pub caller: bool,
    pub video: bool,
    pub sending: Sending,
    pub paths: Paths,
    pub route: Route,
    pub epoch: EpochKeys,
}

impl Session {
    /// The local yes.
    pub fn open(tick: &mut Tick<'_>, opening: Opening) -> Self {
        let Opening {
            room,
            call,
            me,
            caller,
            video,
            sending,
            paths,
            route,
            epoch,
        } = opening;
        let secret = Secret::generate(tick.rng);
        let epochs = Epochs::new(epoch);
        let own = OwnKeys::new(call, me.device, tick.rng, &epochs);
        tick.order(MediaOrder::Begin {
            call,
            paths: paths.clone(),
        });
        tick.order(MediaOrder::Send { call, sending });
        if !caller {
            // Before the others know of us, so that the relay can hand on what
            // they will say.
            tick.out.push(Deed::Join(call));
        }
        Self {
            call,
            room,
            me,
            caller,
            video,
            key: secret.public(),
            secret,
            placed: false,
            seated: false,
            told: !caller,
            since: (tick.now.mono, tick.now.wall),
            sending,
            hand: None,
            state: 1,
            sources: BTreeMap::new(),
            links: BTreeMap::new(),
            own,
            epochs,
            early: Vec::new(),
            alone: None,
            paths,
            route,
        }
    }

    /// Everything of it closes.
    pub fn close(self, tick: &mut Tick<'_>) {
        let call = self.call;
        tick.order(MediaOrder::End { call });
        tick.out.push(Deed::Leave(call));
    }

    /// Follows the ledger. `Some`: the own part is over.
    pub fn follow(
        &mut self,
        tick: &mut Tick<'_>,
        running: Option<&Running>,
        members: &[Attendant],
    ) -> Option<CallEnd> {
        let mine = |running: &&Running| {
            let seat = running.seats.iter().find(|s| s.user == self.me.user);
            seat.is_some_and(|seat| seat.key == self.key && seat.device == self.me.device)
        };
        let Some(running) = running.filter(mine) else {
            return self.unseated(running);
        };
        if running.call != self.call {
            self.move_to(tick, running);
        }
        self.video = running.video;
        self.seated = true;
        if !self.told {
            self.told = true;
            let (call, video) = (self.call, self.video);
            tick.out
                .push(match self.caller && running.by == self.me.user {
                    true => Deed::Initiate { call, video },
                    false => Deed::Join(call),
                });
        }
        self.follow_seats(tick, running, members);
        self.try_early(tick);
        None
    }

    /// Somebody else's call was earlier: ours is that one.
    fn move_to(&mut self, tick: &mut Tick<'_>, running: &Running) {
        tick.order(MediaOrder::End { call: self.call });
        self.call = running.call;
        self.caller = false;
        self.links.clear();
        self.own.rename(self.call, tick.rng, &self.epochs);
        let (call, paths) = (self.call, self.paths.clone());
        tick.order(MediaOrder::Begin { call, paths });
        let sending = self.sending;
        tick.order(MediaOrder::Send { call, sending });
    }

    fn follow_seats(&mut self, tick: &mut Tick<'_>, running: &Running, members: &[Attendant]) {
        let place = running.seats.iter().position(|s| s.user == self.me.user);
        let place = place.unwrap_or_default();
        let others = running.seats.iter().enumerate();
        let seats: Vec<(End, bool)> = others
            .filter(|(_, seat)| seat.user != self.me.user)
            .map(|(index, seat)| {
                let (peer, key) = (seat.peer(), seat.key);
                (End { peer, key }, place < index)
            })
            .collect();
        let (mut air, links) = self.air(tick);
        links.retain(|_, link| {
            let stays = seats.iter().any(|(end, _)| end == link.channel.them());
            if !stays {
                link.disconnect(&mut air);
            }
            stays
        });
        for (them, offers) in seats {
            let known = members.iter().find(|m| m.peer == them.peer);
            let Some(account) = known
                .map(|m| m.account)
                .filter(|_| !self.links.contains_key(&them.peer))
            else {
                continue;
            };
            let me = End {
                peer: self.me,
                key: self.key,
            };
            let Some(channel) = Channel::new(self.room, &self.secret, me, them) else {
                tick.reject(them.peer.user, Why::CallForged);
                continue;
            };
            let mut link = Link::new(them.peer, account, channel, offers, tick.now.mono);
            let (mut air, _) = self.air(tick);
            link.connect(&mut air, false);
            self.links.insert(them.peer, link);
        }
        self.share_keys(tick);
        self.mind_being_alone(tick, running);
    }

    /// Gives the own key to who is in the call, and to nobody else.
    fn share_keys(&mut self, tick: &mut Tick<'_>) {
        let present = self.links.values().filter(|link| !link.dropped);
        let with: Vec<Peer> = present.map(|link| link.peer).collect();
        let now = tick.now.mono;
        let given: Vec<Peer> = with.iter().copied().filter(|p| self.own.knows(p)).collect();
        let another = self.own.share(&with, now, tick.rng, &self.epochs);
        let (mut air, links) = self.air(tick);
        for peer in with {
            let link = links.get_mut(&peer).expect("it is one of them");
            let newcomer = !given.contains(&peer);
            if another || newcomer {
                let letter = air.own.letter();
                link.say(&mut air, &letter);
                link.debts.begin(now);
            }
            if newcomer {
                let state = Payload::state(air.state.0, &air.state.1);
                link.say(&mut air, &state);
            }
        }
        self.use_keys(tick);
    }

    fn use_keys(&mut self, tick: &mut Tick<'_>) {
        let call = self.call;
        if self.seated
            && let Some(key) = self.own.advance(tick.now.mono)
        {
            tick.order(MediaOrder::SealWith { call, key });
        }
    }

    pub fn enter_epoch(&mut self, tick: &mut Tick<'_>, keys: EpochKeys) {
        self.epochs.enter(keys);
        self.try_early(tick);
    }

    pub fn epoch(&self) -> u64 {
        self.epochs.newest().epoch
    }

    /// What to say so that a newcomer to the room knows of our seat.
    pub fn here(&self, running: &Running) -> CallSaying {
        CallSaying {
            call: self.call,
            says: CallSays::Here {
                key: self.key,
                video: running.video,
                by: running.by,
                started: running.started,
            },
        }
    }

    /// A signal came. Where its sender's key or epoch is not known yet, it
    /// waits.
    pub fn signal(&mut self, tick: &mut Tick<'_>, from: Peer, body: &[u8]) {
        let (mut air, links) = self.air(tick);
        let too_early = match links.get_mut(&from) {
            Some(link) => !link.hear(&mut air, body),
            None => true,
        };
        if too_early {
            self.keep_early(tick, from, body);
        }
        self.use_keys(tick);
    }

    /// What is due by now.
    pub fn wake(&mut self, tick: &mut Tick<'_>) {
        let now = tick.now.mono;
        let (mut air, links) = self.air(tick);
        for link in links.values_mut().filter(|link| !link.dropped) {
            link.forget_keys(&mut air);
            link.mend(&mut air);
            link.pay(&mut air);
            if link.is_lost() {
                link.drop_out(&mut air);
            }
        }
        self.drop_early(now);
        self.share_keys(tick);
    }

    pub fn link(&self, peer: &Peer) -> Option<&Link> {
        self.links.get(peer)
    }

    /// How packets may travel from now on, and how those of a call would that
    /// began now. A call that is relayed stays so, whatever the relay takes
    /// back; what was exposed stays known.
    pub fn travel(&mut self, tick: &mut Tick<'_>, mut paths: Paths, route: Route) {
        paths.relayed_only |= self.paths.relayed_only;
        if paths.servers.is_empty() {
            paths.servers.clone_from(&self.paths.servers);
        }
        if self.route == Route::Direct {
            self.route = route;
        }
        if self.paths != paths {
            self.paths = paths.clone();
            let call = self.call;
            tick.order(MediaOrder::Reroute { call, paths });
        }
    }

    /// Splits what links share from the links.
    fn air<'a, 't>(
        &'a mut self,
        tick: &'a mut Tick<'t>,
    ) -> (Air<'a, 't>, &'a mut BTreeMap<Peer, Link>) {
        let state = (self.state, self.own_state());
        let air = Air {
            call: self.call,
            epochs: &self.epochs,
            loopback: self.paths.loopback,
            relayed_only: self.paths.relayed_only,
            own: &mut self.own,
            state,
            tick,
        };
        (air, &mut self.links)
    }
}

/// A reaction as it can be shown; `None` for what is none.
pub(crate) fn clean_reaction(emoji: &str) -> Option<String> {
    let clean = clean_text(emoji, false);
    let fits = !clean.trim().is_empty() && clean.chars().count() <= REACTION_MAX;
    fits.then_some(clean)
}

#[cfg(test)]
mod tests;
