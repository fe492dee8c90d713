//! What people see of a room's call.

use super::{Desk, RING, Room, Running, Session};
use crate::{
    api::Now,
    call::{
        media::Peer,
        view::{CallPhase, CallView, Connection, MediaState, Participant},
    },
};
use sotto_wire::{CallId, Millis};

/// What changed for people; see [`Desk::news`].
pub(crate) enum News {
    None,
    Some {
        view: Option<Box<CallView>>,
        gone: Option<CallId>,
    },
}

impl Desk {
    /// What is to be shown; `None`: nothing.
    pub fn view(&self, now: Now, room: &Room<'_>) -> Option<CallView> {
        let running = self.running_live(now.wall);
        let session = self.session.as_deref();
        let base = match (session, running) {
            (None, None) => return None,
            (Some(session), running) => {
                let running = running.filter(|running| running.call == session.call);
                self.view_own(session, running, now, room)
            }
            (None, Some(running)) => self.view_other(running, room),
        };
        Some(in_own_time(base, room.ahead))
    }

    pub(super) fn view_other(&self, running: &Running, room: &Room<'_>) -> CallView {
        let elsewhere = running.seats.iter().any(|s| s.user == room.me.user);
        let phase = match self.ring {
            Some(_) if !elsewhere => CallPhase::Ringing {
                until: running.started + RING,
            },
            _ => CallPhase::Running,
        };
        let seats = running.seats.iter();
        let participant = |peer: Peer| Participant {
            user: peer.user,
            device: peer.device,
            me: false,
            verified: (room.verified)(&peer.user),
            connection: Connection::None,
            media: MediaState::default(),
            key_missing: false,
            confirmed: false,
        };
        CallView {
            room: room.id,
            call: running.call,
            video: running.video,
            by: running.by,
            by_verified: (room.verified)(&running.by),
            started: running.started,
            phase,
            participants: seats.map(|seat| participant(seat.peer())).collect(),
            own: MediaState::default(),
            sources: Vec::new(),
            route: room.route,
            busy: running.busy.iter().copied().collect(),
            epoch: 0,
            key_generation: 0,
        }
    }

    pub(super) fn view_own(
        &self,
        session: &Session,
        running: Option<&Running>,
        now: Now,
        room: &Room<'_>,
    ) -> CallView {
        let by = running.map_or(session.me.user, |running| running.by);
        let alone = running.is_none_or(|running| running.answered.is_none());
        let phase = if session.caller && alone {
            let until = session.since.1 + RING;
            CallPhase::Calling { until }
        } else {
            CallPhase::Joined
        };
        let me = Participant {
            user: session.me.user,
            device: session.me.device,
            me: true,
            verified: true,
            connection: Connection::None,
            media: session.own_state(),
            key_missing: false,
            confirmed: true,
        };
        let seats = running.iter().flat_map(|running| &running.seats);
        let others = seats
            .filter_map(|seat| session.link(&seat.peer()))
            .filter(|link| !link.dropped)
            .map(|link| Participant {
                user: link.peer.user,
                device: link.peer.device,
                me: false,
                verified: (room.verified)(&link.peer.user),
                connection: link.connection(now.mono, now.wall),
                media: link.media,
                key_missing: link.key_missing,
                confirmed: link.is_confirmed(),
            });
        let (key_generation, epoch) = session.own.in_use();
        CallView {
            room: room.id,
            call: session.call,
            video: session.video,
            by,
            by_verified: (room.verified)(&by),
            started: running.map_or(session.since.1, |running| running.started),
            phase,
            participants: std::iter::once(me).chain(others).collect(),
            own: session.own_state(),
            sources: session.sources.iter().map(|(s, t)| (*s, *t)).collect(),
            route: session.route,
            busy: running.iter().flat_map(|r| &r.busy).copied().collect(),
            epoch,
            key_generation,
        }
    }

    /// What changed for people since it was asked last.
    pub fn news(&mut self, now: Now, room: &Room<'_>) -> News {
        let view = self.view(now, room);
        if view == self.shown {
            return News::None;
        }
        let old = std::mem::replace(&mut self.shown, view.clone());
        let gone = old.filter(|old| view.as_ref().is_none_or(|view| view.call != old.call));
        match (view, gone) {
            (None, None) => News::None,
            (view, gone) => News::Some {
                view: view.map(Box::new),
                gone: gone.map(|old| old.call),
            },
        }
    }

    /// What was shown last.
    pub fn shown(&self) -> Option<&CallView> {
        self.shown.as_ref()
    }
}

/// Inside, times are by the relay's clock; people look at their own.
fn in_own_time(mut view: CallView, ahead: i64) -> CallView {
    let shift = |time: &mut Millis| *time = time.saturating_add_signed(ahead);
    shift(&mut view.started);
    if let CallPhase::Ringing { until } | CallPhase::Calling { until } = &mut view.phase {
        shift(until);
    }
    view.own.hand.as_mut().map(shift);
    for participant in &mut view.participants {
        participant.media.hand.as_mut().map(shift);
        if let Connection::Reconnecting { since } = &mut participant.connection {
            shift(since);
        }
    }
    view
}
