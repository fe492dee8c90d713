//! Calls, as far as they reach past the page: a window that comes to the front
//! when it rings, a note for who looks elsewhere, and devices.

use super::{Keeper, Open, Stage};
use crate::{
    ipc::{
        error::{ErrorCode, UiError},
        event::Event,
        view::{DeviceUse, Devices, Processing},
    },
    kept::{self, Kept},
    session::notes::CallNote,
};
use sotto_client::{
    Change,
    call::view::{CallEnd, CallPhase, CallView},
};
use sotto_wire::CallId;
use std::collections::HashSet;

/// The calls that ring here.
#[derive(Debug, Default)]
pub struct Ringing(HashSet<CallId>);

impl Ringing {
    pub fn of(calls: &[CallView]) -> Self {
        let rings = |call: &&CallView| matches!(call.phase, CallPhase::Ringing { .. });
        Self(calls.iter().filter(rings).map(|call| call.call).collect())
    }

    /// What is worth a note in a call's new state.
    fn see(&mut self, call: &CallView) -> Option<CallNote> {
        match call.phase {
            CallPhase::Ringing { .. } => self
                .0
                .insert(call.call)
                .then_some(CallNote::Incoming { video: call.video }),
            CallPhase::Over(CallEnd::Missed) => {
                self.0.remove(&call.call).then_some(CallNote::Missed)
            }
            CallPhase::Calling { .. }
            | CallPhase::Running
            | CallPhase::Joined
            | CallPhase::Over(_) => {
                self.0.remove(&call.call);
                None
            }
        }
    }
}

impl Keeper {
    /// Tells a person who does not look at the window that somebody calls, or
    /// has called.
    pub(super) async fn hear_call(&mut self, change: &Change) {
        let Stage::Open(open) = &mut self.stage else {
            return;
        };
        let call = match change {
            Change::Call(call) => call,
            Change::CallGone { call, .. } => {
                open.ringing.0.remove(call);
                return;
            }
            _ => return,
        };
        let Some(what) = open.ringing.see(call) else {
            return;
        };
        if open.rooms.muted(&call.room) || self.desktop.in_front() {
            return;
        }
        let note = note(open, call, what).await;
        if matches!(what, CallNote::Incoming { .. }) {
            self.desktop.raise();
        }
        if let Some(note) = note {
            self.desktop.notify(note);
        }
    }

    pub(super) fn devices(&self) -> Result<Devices, UiError> {
        match &self.stage {
            Stage::Open(open) => Ok(view(open)),
            Stage::Closed(_) => Err(ErrorCode::Stopped.into()),
        }
    }

    pub(super) async fn choose_device(
        &mut self,
        what: DeviceUse,
        name: Option<String>,
    ) -> Result<(), UiError> {
        self.keep(|kept| kept.choose(what, name)).await
    }

    pub(super) async fn set_processing(&mut self, processing: Processing) -> Result<(), UiError> {
        self.keep(|kept| {
            kept.processing = processing;
            Ok(())
        })
        .await
    }

    pub(super) fn devices_changed(&mut self) {
        if let Stage::Open(open) = &self.stage {
            let devices = view(open);
            self.tell(Event::Devices { devices });
        }
    }

    /// Acts at once; a store that cannot keep it is said all the same.
    async fn keep(
        &mut self,
        change: impl FnOnce(&mut Kept) -> Result<(), UiError>,
    ) -> Result<(), UiError> {
        let Stage::Open(open) = &mut self.stage else {
            return Err(ErrorCode::Stopped.into());
        };
        change(&mut open.kept)?;
        open.kept.apply(&open.engine);
        let saved = kept::save(&open.engine, &open.kept).await;
        self.devices_changed();
        saved
    }
}

async fn note(open: &Open, call: &CallView, what: CallNote) -> Option<crate::session::Note> {
    let people = open.engine.people(call.room).await.unwrap_or_default();
    let caller = people.into_iter().find(|person| person.user == call.by);
    let name = caller.map(|person| person.profile.name);
    open.rooms
        .call_note(&open.settings, call.room, what, name.as_deref())
}

fn view(open: &Open) -> Devices {
    Devices::new(
        &open.listing.borrow(),
        open.kept.choices.clone(),
        open.kept.processing,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sotto_client::call::view::MediaState;
    use sotto_wire::{RoomId, UserId};

    fn call(phase: CallPhase) -> CallView {
        CallView {
            room: RoomId([1; 16]),
            call: CallId([2; 16]),
            video: true,
            by: UserId([3; 32]),
            by_verified: false,
            started: 0,
            phase,
            participants: Vec::new(),
            own: MediaState::default(),
            sources: Vec::new(),
            epoch: 0,
            key_generation: 0,
        }
    }

    #[test]
    fn it_rings_once_and_is_missed_only_where_it_rang() {
        let ring = call(CallPhase::Ringing { until: 9 });
        let missed = call(CallPhase::Over(CallEnd::Missed));
        let mut ringing = Ringing::default();
        assert_eq!(ringing.see(&missed), None);
        assert_eq!(ringing.see(&ring), Some(CallNote::Incoming { video: true }));
        assert_eq!(ringing.see(&ring), None, "it rings already");
        assert_eq!(ringing.see(&missed), Some(CallNote::Missed));
        assert_eq!(ringing.see(&missed), None);

        let mut ringing = Ringing::of(&[ring]);
        assert_eq!(ringing.see(&call(CallPhase::Joined)), None);
        assert_eq!(ringing.see(&missed), None, "it was taken");
    }
}
