//! Opening and closing what is captured, as orders, previews, choices and
//! plugs have it.

use super::{Inner, Task};
use crate::audio::CaptureEvent;
use crate::device::list::DeviceChoice;
use crate::device::{DeviceKind, DeviceName};
use crate::session::sound::Listen;
use crate::video::sender::SenderEvent;
use crate::video::{Content, VideoKind};
use sotto_client::call::media::{MediaReport, ScreenMode, Source, SourceState};

impl Task {
    pub(super) fn tend(&mut self) {
        if self.listing.is_none() && (self.preview || self.call.is_some()) {
            self.listing = Some(self.devices.watch());
        }
        self.tend_microphone();
        self.tend_pictures();
    }

    pub(super) fn tend_microphone(&mut self) {
        let listen = match &self.call {
            Some(call) => Listen::Send {
                to: call.outgoing.clone(),
                muted: !call.sending.microphone,
            },
            None if self.preview => Listen::Level,
            None => Listen::Off,
        };
        let inner = self.inner.clone();
        self.sound.listen(listen, move |event| {
            let _ = inner.send(Inner::Microphone(event));
        });
    }

    /// Opens and closes camera and screen as they are wanted. What failed is
    /// tried again when the devices change.
    pub(super) fn tend_pictures(&mut self) {
        let sending = self.sending();
        let camera = (self.preview || sending.camera).then(|| {
            (
                self.pick(DeviceKind::Camera, &self.choices.camera),
                Content::Camera,
            )
        });
        self.tend_picture(VideoKind::Camera, camera, sending.camera);
        let screen = sending.screen.map(|mode| {
            let content = match mode {
                ScreenMode::Text => Content::Text,
                ScreenMode::Motion => Content::Motion,
            };
            (self.pick(DeviceKind::Screen, &self.choices.screen), content)
        });
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
                if sends && self.listing().known {
                    self.report_source(source, SourceState::NoDevice);
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
            self.report_source(source, error.into());
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
                if self.sending().microphone {
                    self.report_source(Source::Microphone, state);
                }
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
                self.picture(kind).close();
                why.into()
            }
            SenderEvent::Closed => return,
        };
        if sends {
            self.report_source(source_of(kind), state);
        }
        self.decide();
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
