//! Opening and closing what is captured, as orders, previews, choices and
//! plugs have it.

use super::{Inner, Task};
use crate::audio::{CaptureEvent, Mute, PlayoutEvent};
use crate::device::list::DeviceChoice;
use crate::device::{DeviceKind, DeviceName};
use crate::session::sound::Listen;
use crate::video::sender::SenderEvent;
use crate::video::{Content, VideoKind};
use sotto_client::call::media::{MediaReport, ScreenMode, Source, SourceState};

impl Task {
    pub(super) fn tend(&mut self) {
        if self.listing.is_none() && (self.preview.any() || self.call.is_some()) {
            self.listing = Some(self.devices.watch());
        }
        self.tend_microphone();
        self.tend_pictures();
    }

    pub(super) fn test_speaker(&mut self) {
        self.tried.remove(&Source::Speaker);
        let inner = self.inner.clone();
        self.sound.test(move |played| {
            let _ = inner.send(Inner::Test(played));
        });
    }

    pub(super) fn tend_microphone(&mut self) {
        let listen = match &self.call {
            Some(call) => Listen::Send {
                to: call.outgoing.clone(),
                mute: match (call.sending.microphone, self.keep_open) {
                    (true, _) => Mute::Off,
                    (false, true) => Mute::Open,
                    (false, false) => Mute::Closed,
                },
            },
            None if self.preview.microphone => Listen::Level,
            None => Listen::Off,
        };
        let inner = self.inner.clone();
        self.sound.listen(listen, move |event| {
            let _ = inner.send(Inner::Microphone(event));
        });
    }

    /// Opens and closes camera and screen as they are wanted. A camera that
    /// failed is tried again when the devices change; a screen when it is wished
    /// anew, by turning it off and on or by choosing another.
    pub(super) fn tend_pictures(&mut self) {
        self.tend_camera();
        self.tend_screen();
    }

    /// Another program may have let go of the camera, which changes no list.
    /// Microphones are tried again where they are kept ([`crate::device::keep`]),
    /// and screens not at all: the system may ask a person each time.
    pub(super) fn retry_busy_camera(&mut self) {
        let found = match &self.call {
            Some(_) => self.sources.get(&Source::Camera),
            None => self.tried.get(&Source::Camera),
        };
        if found == Some(&SourceState::Busy) {
            self.tend_camera();
        }
    }

    fn tend_camera(&mut self) {
        let sending = self.sending();
        let camera = (self.preview.camera || sending.camera).then(|| {
            (
                self.pick(DeviceKind::Camera, &self.choices.camera),
                Content::Camera,
            )
        });
        self.tend_picture(VideoKind::Camera, camera, sending.camera);
    }

    fn tend_screen(&mut self) {
        let sending = self.sending();
        let screen = sending.screen.map(|mode| {
            let content = match mode {
                ScreenMode::Text => Content::Text,
                ScreenMode::Motion => Content::Motion,
            };
            (self.pick(DeviceKind::Screen, &self.choices.screen), content)
        });
        let wished = screen.as_ref().and_then(|(device, _)| device.as_ref());
        self.no_screen
            .take_if(|(device, _)| wished != Some(&*device));
        if let Some((_, why)) = self.no_screen {
            return self.found(Source::Screen, why, true);
        }
        self.tend_picture(VideoKind::Screen, screen, sending.screen.is_some());
    }

    pub(super) fn tend_picture(
        &mut self,
        kind: VideoKind,
        wanted: Option<(Option<DeviceName>, Content)>,
        sends: bool,
    ) {
        let source = source_of(kind);
        let wanted = match wanted {
            Some((None, _)) => {
                if self.listing().known {
                    self.found(source, SourceState::NoDevice, sends);
                }
                None
            }
            Some((Some(device), content)) => Some((device, content)),
            None => None,
        };
        let inner = self.inner.clone();
        let tell = move |generation, event| {
            let _ = inner.send(Inner::Picture(kind, generation, event));
        };
        if let Err(error) = self.picture(kind).set(wanted, tell) {
            self.found(source, error.into(), true);
        }
    }

    /// The device that a choice means now. A screen has no default: what is
    /// shared is what was chosen.
    pub(super) fn pick(&self, kind: DeviceKind, chosen: &Option<DeviceName>) -> Option<DeviceName> {
        let listing = self.listing();
        match (kind, chosen) {
            (DeviceKind::Screen, Some(name)) => Some(name.clone()),
            (DeviceKind::Screen, None) => listing
                .pick(&DeviceChoice::Default, kind, &[])
                .filter(|_| listing.known),
            // A file is opened by its name without being listed.
            (_, Some(name)) if !listing.has(name) && is_file(name) => Some(name.clone()),
            (_, chosen) => {
                let choice = chosen
                    .clone()
                    .map_or(DeviceChoice::Default, DeviceChoice::Named);
                listing.pick(&choice, kind, &[])
            }
        }
    }

    pub(super) fn hear(&mut self, inner: Inner) {
        match inner {
            Inner::Microphone(event) => {
                let state = match event {
                    CaptureEvent::Opened(_) => SourceState::Works,
                    CaptureEvent::Failed(why) => why.into(),
                    CaptureEvent::Speaking(_) => return,
                };
                let sends = self.sending().microphone;
                self.found(Source::Microphone, state, sends);
            }
            Inner::Speaker(event) => {
                let state = match event {
                    PlayoutEvent::Opened(_) => SourceState::Works,
                    PlayoutEvent::Failed(why) => why.into(),
                };
                self.report_source(Source::Speaker, state);
            }
            Inner::Test(played) => {
                let state = played.err().map_or(SourceState::Works, Into::into);
                // In a call, what plays the others says so itself.
                self.found(Source::Speaker, state, false);
            }
            Inner::Picture(kind, generation, event) => {
                if self.picture(kind).is_current(generation) {
                    self.picture_said(kind, event);
                }
            }
        }
    }

    pub(super) fn picture_said(&mut self, kind: VideoKind, event: SenderEvent) {
        let sends = match kind {
            VideoKind::Camera => self.sending().camera,
            VideoKind::Screen => self.sending().screen.is_some(),
        };
        let state = match event {
            SenderEvent::Works(_) => SourceState::Works,
            SenderEvent::Failed(why) => {
                let device = self.picture(kind).close();
                if kind == VideoKind::Screen {
                    self.no_screen = device.map(|device| (device, why.into()));
                }
                why.into()
            }
            SenderEvent::Closed => return,
        };
        self.found(source_of(kind), state, sends);
        self.decide();
    }

    /// What came of opening a source: news for the call if it is sent there,
    /// and without a call for whoever tries it.
    fn found(&mut self, source: Source, state: SourceState, sends: bool) {
        if self.call.is_some() {
            if sends {
                self.report_source(source, state);
            }
        } else if self.preview.tries(source) {
            self.tried.insert(source, state);
        }
    }

    /// What is tried and does not open.
    pub(super) fn troubles(&self) -> Vec<(Source, SourceState)> {
        let tried = self.tried.iter().filter(|_| self.call.is_none());
        let failed = tried.filter(|(_, state)| **state != SourceState::Works);
        failed.map(|(source, state)| (*source, *state)).collect()
    }

    pub(super) fn report_source(&mut self, source: Source, state: SourceState) {
        let Some(call) = &self.call else {
            return;
        };
        if self.sources.insert(source, state) != Some(state) {
            let call = call.id;
            self.report(MediaReport::Source {
                call,
                source,
                state,
            });
        }
    }
}

fn source_of(kind: VideoKind) -> Source {
    match kind {
        VideoKind::Camera => Source::Camera,
        VideoKind::Screen => Source::Screen,
    }
}

fn is_file(name: &DeviceName) -> bool {
    crate::device::y4m::path(name).is_some()
}
