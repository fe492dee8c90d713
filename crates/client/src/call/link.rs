//! One other end of a call: what was negotiated with it, how the connection
//! stands, and what each still owes the other. Whatever may get lost on the
//! way through the relay is owed until the other end shows that it has it; see
//! [`super::owed`].
//!
//! Of each pair the end that is earlier in the room's order offers, always: so
//! there is no glare. The other end asks for a restart by a signal.

mod confirm;
mod mend;

use super::{
    Deed, Tick,
    epochs::Epochs,
    keys::{LATE, OwnKeys},
    media::{Fingerprint, MediaKey, MediaOrder, Peer, PeerFailure},
    owed::Debts,
    payload::Payload,
    signal::{Channel, Opened},
    talk::Talk,
    view::{Connection, MediaState, Troubles},
};
use crate::{api::Why, identity::PublicKey};
use sotto_wire::{CallId, Millis};

/// A connection that breaks is shown as broken after this long (milliseconds).
pub(crate) const GRACE: Millis = 10_000;
/// A connection that does not come, or does not come back, is given up.
pub(crate) const GIVE_UP: Millis = 60_000;
/// Between attempts at a new path.
const RESTARTS: [Millis; 5] = [0, 5_000, GRACE, 20_000, 40_000];
/// So long a restart is given before the next.
const SETTLE: Millis = 5_000;
/// How often the other end can have us look for a new path.
const RESTART_PAUSE: Millis = 2_000;
/// How often the person can.
pub(crate) const REPAIR_PAUSE: Millis = 10_000;

/// What all links of a call share.
pub(crate) struct Air<'a, 't> {
    pub call: CallId,
    pub epochs: &'a Epochs,
    pub loopback: bool,
    /// Only relayed candidates are told, and only those of others are used.
    pub relayed_only: bool,
    pub own: &'a mut OwnKeys,
    /// What this end sends, and how often that changed.
    pub state: (u64, MediaState),
    pub tick: &'a mut Tick<'t>,
}

impl Air<'_, '_> {
    pub fn mono(&self) -> Millis {
        self.tick.now.mono
    }
}

pub(crate) struct Link {
    pub peer: Peer,
    pub account: PublicKey,
    pub channel: Channel,
    /// We make the offers.
    pub offers: bool,
    pub talk: Talk,
    pub phase: Phase,
    pub debts: Debts,
    their_key: Option<Theirs>,
    /// Keys below go at that time (mono).
    forget: Option<(Millis, u64)>,
    pub key_missing: bool,
    pub media: MediaState,
    pub their_state: u64,
    /// The relay says that they are gone.
    pub gone: bool,
    /// The relay has seen them in the call.
    met: bool,
    /// Taken out of the call here: gone, and silent for too long.
    pub dropped: bool,
    /// A path was last looked for, by whichever end began it (mono).
    pub last_restart: Option<Millis>,
    /// Media has no connection to them any more: a path to look for is one for
    /// another connection.
    pub torn: bool,
    /// We asked for a restart, and no offer has come of it yet.
    pub asks_restart: bool,
    /// When the person last had it mended (mono).
    last_repair: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting {
        since: Millis,
    },
    Connected,
    /// Broken since then; so many restarts were tried.
    Lost {
        since: Millis,
        tried: usize,
    },
    Failed(PeerFailure),
}

/// Their newest key, and what it was made of.
struct Theirs {
    key: MediaKey,
    epoch: u64,
}

impl Link {
    pub fn new(
        peer: Peer,
        account: PublicKey,
        channel: Channel,
        offers: bool,
        now: Millis,
    ) -> Self {
        Self {
            peer,
            account,
            channel,
            offers,
            talk: Talk::default(),
            phase: Phase::Connecting { since: now },
            debts: Debts::new(now),
            their_key: None,
            forget: None,
            key_missing: false,
            media: MediaState::default(),
            their_state: 0,
            gone: false,
            met: false,
            dropped: false,
            last_restart: None,
            torn: false,
            asks_restart: false,
            last_repair: None,
        }
    }

    /// Makes the connection, or makes it anew.
    pub fn connect(&mut self, air: &mut Air<'_, '_>, anew: bool) {
        self.make(air, anew);
        self.phase = Phase::Connecting { since: air.mono() };
    }

    /// Makes another connection in the place of the one there was. For people
    /// it is the same: what was connected is being reconnected.
    pub fn remake(&mut self, air: &mut Air<'_, '_>) {
        self.make(air, !self.torn);
        if self.phase == Phase::Connected {
            let since = air.mono();
            self.phase = Phase::Lost { since, tried: 1 };
        }
    }

    /// The same, also where it was given up.
    pub fn renew(&mut self, air: &mut Air<'_, '_>) {
        match self.phase {
            Phase::Failed(_) => self.connect(air, false),
            _ => self.remake(air),
        }
    }

    fn make(&mut self, air: &mut Air<'_, '_>, anew: bool) {
        let (call, peer, offers) = (air.call, self.peer, self.offers);
        if anew {
            air.tick.order(MediaOrder::Disconnect { call, peer });
        }
        self.talk = Talk::default();
        self.torn = false;
        self.last_restart = Some(air.mono());
        self.asks_restart = false;
        self.debts.begin(air.mono());
        air.tick.order(MediaOrder::Connect { call, peer, offers });
        if self.their_state > 0 {
            self.expect(air);
        }
        if let Some(theirs) = &self.their_key {
            let key = theirs.key.clone();
            air.tick.order(MediaOrder::OpenWith { call, peer, key });
        }
    }

    fn expect(&self, air: &mut Air<'_, '_>) {
        let (call, peer, sending) = (air.call, self.peer, self.media.sending());
        air.tick.order(MediaOrder::Expect {
            call,
            peer,
            sending,
        });
    }

    pub fn disconnect(&mut self, air: &mut Air<'_, '_>) {
        let (call, peer) = (air.call, self.peer);
        air.tick.order(MediaOrder::Disconnect { call, peer });
    }

    /// It failed for good, unless they join anew.
    pub fn fail(&mut self, air: &mut Air<'_, '_>, why: PeerFailure) {
        if !self.is_final() {
            self.phase = Phase::Failed(why);
            self.disconnect(air);
        }
    }

    pub fn is_final(&self) -> bool {
        use PeerFailure as F;
        matches!(
            self.phase,
            Phase::Failed(F::Certificate | F::Description | F::OwnDescription | F::Version)
        )
    }

    pub fn say(&mut self, air: &mut Air<'_, '_>, payload: &Payload) {
        let Tick {
            now, account, rng, ..
        } = &mut *air.tick;
        let newest = air.epochs.newest();
        let body = (self.channel).seal(&air.call, newest, account, rng, now.wall, payload);
        let (call, to) = (air.call, self.peer);
        air.tick.out.push(Deed::Signal { call, to, body });
    }

    /// `false`: it is too early to tell.
    pub fn hear(&mut self, air: &mut Air<'_, '_>, body: &[u8]) -> bool {
        let now = air.tick.now.wall;
        let opened = (self.channel).open(&air.call, air.epochs, &self.account, now, body);
        let refused = match opened {
            Opened::Early => return false,
            Opened::OtherVersion => {
                self.fail(air, PeerFailure::Version);
                Err(Why::UnknownContent)
            }
            Opened::Refused(why) => Err(why),
            Opened::Payload(payload) => self.take(air, payload),
        };
        if let Err(why) = refused {
            air.tick.reject(self.peer.user, why);
        }
        true
    }

    fn take(&mut self, air: &mut Air<'_, '_>, payload: Payload) -> Result<(), Why> {
        match payload {
            Payload::Offer(sdp) => self.hear_offer(air, sdp),
            Payload::Answer { sdp, offer } => self.hear_answer(air, sdp, &offer),
            Payload::Candidates { of, list } => self.hear_candidates(air, &of, list),
            Payload::Confirm { local, remote, got } => {
                let print = |bytes: &[u8]| bytes.try_into().ok().map(Fingerprint);
                let both = print(&local).zip(print(&remote));
                let both = both.ok_or(Why::UnknownContent)?;
                self.hear_confirm(air, both, got)
            }
            Payload::Key { kid, epoch, seed } => {
                let seed = seed.secret().ok_or(Why::UnknownContent)?;
                self.hear_key(air, kid, epoch, &seed)
            }
            Payload::KeyAck { kid, state } => {
                self.hear_ack(air, kid, state);
                Ok(())
            }
            Payload::State {
                n,
                microphone,
                camera,
                screen,
                hand,
                ails,
            } => {
                let troubles = Troubles::from(ails);
                let media = MediaState {
                    microphone,
                    camera,
                    screen: screen.map(Into::into),
                    hand: hand.map(|since| since.min(air.tick.now.wall)),
                    // Of what is not sent, nothing is missing.
                    troubles: Troubles {
                        microphone: troubles.microphone.filter(|_| microphone),
                        camera: troubles.camera.filter(|_| camera),
                        screen: troubles.screen.filter(|_| screen.is_some()),
                    },
                };
                if n > self.their_state {
                    let known = self.their_state > 0 && self.media.sending() == media.sending();
                    (self.their_state, self.media) = (n, media);
                    if !known {
                        self.expect(air);
                    }
                }
                self.acknowledge(air);
                Ok(())
            }
            Payload::React { emoji } => {
                let emoji = super::session::clean_reaction(&emoji).ok_or(Why::UnknownContent)?;
                let (call, user) = (air.call, self.peer.user);
                air.tick.out.push(Deed::Reaction { call, user, emoji });
                Ok(())
            }
            Payload::Restart { fresh } => self.hear_restart(air, fresh),
        }
    }

    fn hear_key(
        &mut self,
        air: &mut Air<'_, '_>,
        kid: u64,
        epoch: u64,
        seed: &[u8; 32],
    ) -> Result<(), Why> {
        let keys = air.epochs.get(epoch).ok_or(Why::CallExpired)?;
        let key = super::keys::media_key(&air.call, &self.peer.device, kid, seed, keys);
        match &self.their_key {
            Some(known) if known.key == key && known.epoch == epoch => {}
            Some(known) if kid <= known.key.kid => return Err(Why::CallOutOfPlace),
            _ => self.trust(air, key, epoch),
        }
        self.acknowledge(air);
        Ok(())
    }

    fn trust(&mut self, air: &mut Air<'_, '_>, key: MediaKey, epoch: u64) {
        let (call, peer, now) = (air.call, self.peer, air.mono());
        if let Some((_, kid)) = self.forget.take() {
            air.tick.order(MediaOrder::Forget { call, peer, kid });
        }
        if self.their_key.is_some() {
            self.forget = Some((now + LATE, key.kid));
        }
        self.their_key = Some(Theirs {
            key: key.clone(),
            epoch,
        });
        air.tick.order(MediaOrder::OpenWith { call, peer, key });
    }

    /// Says what we have of theirs.
    pub fn acknowledge(&mut self, air: &mut Air<'_, '_>) {
        let payload = self.acknowledgment();
        self.say(air, &payload);
    }

    pub fn acknowledgment(&self) -> Payload {
        let kid = self.their_key.as_ref().map(|theirs| theirs.key.kid);
        let state = self.their_state;
        Payload::KeyAck { kid, state }
    }

    fn hear_ack(&mut self, air: &mut Air<'_, '_>, kid: Option<u64>, state: u64) {
        air.own.acknowledged(&self.peer, kid);
        self.debts.state_had = state.min(air.state.0);
        if !air.own.has(&self.peer) {
            self.debts.soon(air.mono());
        }
    }

    /// Drops keys whose frames have all arrived by now.
    pub fn forget_keys(&mut self, air: &mut Air<'_, '_>) {
        let now = air.mono();
        if let Some((_, kid)) = self.forget.take_if(|(at, _)| *at <= now) {
            let (call, peer) = (air.call, self.peer);
            air.tick.order(MediaOrder::Forget { call, peer, kid });
        }
    }

    pub fn connection(&self, now: Millis, wall: Millis) -> Connection {
        match self.phase {
            Phase::Connecting { .. } => Connection::Connecting,
            Phase::Lost { since, .. } if now >= since + GRACE => Connection::Reconnecting {
                since: wall.saturating_sub(now.saturating_sub(since)),
            },
            Phase::Connected | Phase::Lost { .. } => Connection::Connected,
            Phase::Failed(why) => Connection::Failed(why),
        }
    }

    /// When something is due here (mono).
    pub fn next_wake(&self) -> Option<Millis> {
        let phase = match self.phase {
            Phase::Connecting { since } => Some(since + GIVE_UP),
            Phase::Lost { since, .. } => self.next_restart().or(Some(since + GIVE_UP)),
            _ => None,
        };
        let forget = self.forget.as_ref().map(|(at, _)| *at);
        let all = [phase, forget, self.debts.at];
        all.into_iter().flatten().min().filter(|_| !self.dropped)
    }
}
