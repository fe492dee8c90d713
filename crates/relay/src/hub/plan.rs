//! What one event leads to, before any of it has happened.

use super::{Action, Ask, Change, CloseCode, ConnId, Decision, bucket::Bucket, calls::Seat};
use sotto_wire::{
    CallId, DeviceId, RelayFrame, RoomId, UserId,
    codec::Envelope,
    frame::{CallParticipant, Presence},
};

/// Changes to make durable, then actions to perform.
#[derive(Debug)]
pub struct Plan {
    /// In one transaction.
    pub changes: Vec<Change>,
    /// Without `Persist`: those are the changes.
    pub actions: Vec<Action>,
    /// For events that are not frames: whether they were allowed. A frame's
    /// refusal is among the actions.
    pub outcome: Decision,
    pub(crate) passing: Vec<Passing>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            actions: Vec::new(),
            outcome: Ok(()),
            passing: Vec::new(),
        }
    }
}

/// Changes that a restart forgets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Passing {
    Attach {
        conn: ConnId,
        user: UserId,
        device: DeviceId,
    },
    Detach {
        conn: ConnId,
    },
    Open {
        conn: ConnId,
        room: RoomId,
    },
    Shut {
        conn: ConnId,
        room: RoomId,
    },
    State {
        conn: ConnId,
        state: Presence,
    },
    Spend {
        user: UserId,
        what: Quota,
        bucket: Bucket,
    },
    Sit {
        room: RoomId,
        call: CallId,
        end: CallParticipant,
        seat: Seat,
    },
    Rise {
        room: RoomId,
        call: CallId,
        end: CallParticipant,
    },
}

/// What an account may do only so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quota {
    Knock,
    Take,
    Ring,
    Turn,
}

impl Plan {
    /// Nothing in the plan must be on disk before its actions are performed.
    pub fn is_lazy(&self) -> bool {
        self.changes.iter().all(Change::is_lazy)
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn pass(&mut self, passing: Passing) {
        self.passing.push(passing);
    }

    pub(crate) fn send(&mut self, conn: ConnId, frame: RelayFrame) {
        self.actions.push(Action::Send {
            conn,
            envelope: frame.into(),
        });
    }

    pub(crate) fn answer(&mut self, ask: &Ask, frame: RelayFrame) {
        let envelope = Envelope {
            id: ask.request.clone(),
            frame,
        };
        self.actions.push(Action::Send {
            conn: ask.conn,
            envelope,
        });
    }

    pub(crate) fn fan(&mut self, conns: impl IntoIterator<Item = ConnId>, frame: RelayFrame) {
        let conns: Vec<_> = conns.into_iter().collect();
        if !conns.is_empty() {
            self.actions.push(Action::Fan { conns, frame });
        }
    }

    pub(crate) fn close(&mut self, conn: ConnId, code: CloseCode) {
        self.actions.push(Action::Close { conn, code });
    }

    /// A refused event changes nothing.
    pub(crate) fn conclude(&mut self, outcome: Decision) {
        if outcome.is_err() {
            *self = Self::default();
        }
        self.outcome = outcome;
    }
}
