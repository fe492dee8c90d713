//! Calls: who is in one, who rings, which keys are used, and what media is to
//! do. Decides only; media obeys [`media::MediaOrder`]s and tells what it sees
//! by [`media::MediaReport`]s.
//!
//! | module | duty |
//! |---|---|
//! | [`media`], [`view`] | the seams to media and to people |
//! | `ledger` | what all members agree on: who is in the room's call |
//! | `desk` | one room's calls, as this client sees them |
//! | `session` | the own part in a call |
//! | `link`, `talk`, `owed` | one other end: connection, negotiation, what is still owed to it |
//! | `signal`, `payload` | what two ends tell each other, sealed and signed |
//! | `keys`, `epochs` | media keys, and the MLS epochs they rest on |
//! | `sdp`, `candidate` | the gate for what strangers' WebRTC stacks say |

pub mod media;
pub mod view;

mod candidate;
pub(crate) mod desk;
pub(crate) mod epochs;
mod keys;
pub(crate) mod ledger;
mod link;
mod owed;
mod payload;
mod sdp;
pub(crate) mod session;
mod signal;
mod talk;

use crate::{
    api::{Now, Why},
    identity::AccountKey,
};
use ledger::{CallSaying, Running};
use media::MediaOrder;
use rand_chacha::ChaCha20Rng;
use sotto_wire::{CallId, Millis, UserId};

pub use ledger::SEATS_MAX;

/// What a call is handed for one input.
pub(crate) struct Tick<'a> {
    /// `wall` is set by the relay's clock, so that two ends agree on it.
    pub now: Now,
    pub account: &'a AccountKey,
    pub rng: &'a mut ChaCha20Rng,
    pub out: &'a mut Vec<Deed>,
}

impl Tick<'_> {
    fn order(&mut self, order: MediaOrder) {
        self.out.push(Deed::Order(order));
    }

    fn reject(&mut self, from: UserId, why: Why) {
        self.out.push(Deed::Reject(from, why));
    }
}

/// What a call wants done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Deed {
    Order(MediaOrder),
    /// To be said to all members, inside MLS.
    Say(CallSaying),
    /// To be told to the relay: liveness hints, never the truth.
    Initiate {
        call: CallId,
        video: bool,
    },
    Join(CallId),
    Leave(CallId),
    /// A sealed signal.
    Signal {
        call: CallId,
        to: media::Peer,
        body: Vec<u8>,
    },
    Reaction {
        call: CallId,
        user: UserId,
        emoji: String,
    },
    /// For the timeline.
    Began,
    Ended {
        running: Box<Running>,
        at: Millis,
    },
    /// How the own part in a call, or its ringing here, ended.
    Over(Box<view::CallView>),
    Reject(UserId, Why),
}
