//! Calls, as far as they reach past the page: a window of their own when they
//! ring, a note for who looks elsewhere, and devices.

mod ringing;

pub use ringing::Ringing;

use super::{Keeper, Open, Stage};
use crate::{
    ipc::{
        error::{ErrorCode, UiError},
        event::Event,
        view::{DeviceUse, Devices, Processing, RingingAnswer, RingingCall},
    },
    kept::{self, FileUse, Kept},
    session::notes::CallNote,
    settings::Notifications,
};
use sotto_client::{Change, Request, call::view::CallView, model};
use sotto_media::device::list::Listing;
use sotto_wire::CallId;
use std::path::Path;

impl Keeper {
    /// Tells a person who does not look at the window that somebody calls, or
    /// has called.
    pub(super) async fn hear_call(&mut self, change: &Change) {
        let Stage::Open(open) = &mut self.stage else {
            return;
        };
        let what = match change {
            Change::Call(call) => open.ringing.see(call),
            Change::CallGone { call, .. } => {
                open.ringing.forget(call);
                None
            }
            // It may have been muted, or have another name.
            Change::Room(_) if open.ringing.any() => None,
            _ => return,
        };
        if let (Change::Call(call), Some(what)) = (change, what)
            && !open.rooms.muted(&call.room)
            && !self.desktop.in_front()
        {
            if let Some(note) = note(open, call, what).await {
                self.desktop.notify(note);
            }
            if matches!(what, CallNote::Incoming { .. }) {
                open.ringing.in_window = true;
                self.desktop.show_ringing(true);
            }
        }
        self.tell_ringing().await;
    }

    /// What rang in the main window goes on in one that is seen.
    pub(super) async fn looked_away(&mut self) {
        let Stage::Open(open) = &mut self.stage else {
            return;
        };
        if !open.ringing.in_window && first_ringing(open).is_some() {
            open.ringing.in_window = true;
            self.desktop.show_ringing(true);
        }
    }

    /// The window of ringing calls follows; with the last of them it goes.
    pub(super) async fn tell_ringing(&mut self) {
        let Stage::Open(open) = &mut self.stage else {
            return;
        };
        let rings = ringing_call(open).await;
        if rings.is_none() && std::mem::take(&mut open.ringing.in_window) {
            self.ringing_feed = None;
            self.desktop.show_ringing(false);
        }
        if let Some(feed) = &self.ringing_feed
            && !feed(rings)
        {
            self.ringing_feed = None;
        }
    }

    /// A call is accepted in the main window: there it will be seen, and there
    /// a failure is said.
    pub(super) async fn answer_ringing(
        &mut self,
        call: CallId,
        with: RingingAnswer,
    ) -> Result<(), UiError> {
        let Stage::Open(open) = &self.stage else {
            return Err(ErrorCode::Stopped.into());
        };
        let room = open.ringing.room_of(&call).ok_or(ErrorCode::CallOver)?;
        let video = match with {
            RingingAnswer::Decline => {
                let decline = Request::DeclineCall { room, call };
                open.engine.request(decline).await?;
                return Ok(());
            }
            RingingAnswer::Voice => false,
            RingingAnswer::Video => true,
        };
        self.tell(Event::CallAccepted {
            call: call.to_string(),
            video,
        });
        self.desktop.raise();
        Ok(())
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
        self.keep(|kept, listing| kept.choose(what, name, listing))
            .await
    }

    pub(super) async fn use_device_file(
        &mut self,
        what: FileUse,
        path: &Path,
    ) -> Result<(), UiError> {
        self.keep(|kept, _| kept.use_file(what, path)).await
    }

    pub(super) async fn set_processing(&mut self, processing: Processing) -> Result<(), UiError> {
        self.keep(|kept, _| {
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
        change: impl FnOnce(&mut Kept, &Listing) -> Result<(), UiError>,
    ) -> Result<(), UiError> {
        let Stage::Open(open) = &mut self.stage else {
            return Err(ErrorCode::Stopped.into());
        };
        change(&mut open.kept, &open.listing.borrow())?;
        open.kept.apply(&open.engine);
        let saved = kept::save(&open.engine, &open.kept).await;
        self.devices_changed();
        saved
    }
}

async fn note(open: &Open, call: &CallView, what: CallNote) -> Option<crate::session::Note> {
    let name = caller(open, call).await.map(|profile| profile.name);
    open.rooms
        .call_note(&open.settings, call.room, what, name.as_deref())
}

async fn caller(open: &Open, call: &CallView) -> Option<model::Profile> {
    let people = open.engine.people(call.room).await.unwrap_or_default();
    let caller = people.into_iter().find(|person| person.user == call.by);
    caller.map(|person| person.profile)
}

fn first_ringing(open: &Open) -> Option<&CallView> {
    let mut calls = open.ringing.calls.iter();
    calls.find(|call| !open.rooms.muted(&call.room))
}

async fn ringing_call(open: &Open) -> Option<RingingCall> {
    let call = first_ringing(open)?;
    // It stands above all windows, so it tells no more than a note would.
    let (caller, room) = match open.settings.notifications {
        Notifications::Hidden | Notifications::Off => (None, None),
        Notifications::Names | Notifications::All => {
            (caller(open, call).await, open.rooms.name(&call.room))
        }
    };
    Some(RingingCall {
        id: call.call.to_string(),
        video: call.video,
        caller: caller.map(Into::into),
        room: room.map(str::to_owned),
        by_verified: call.by_verified,
        ends_other: open.ringing.own.is_some(),
        language: open.settings.language,
    })
}

fn view(open: &Open) -> Devices {
    open.kept.view(&open.listing.borrow())
}
