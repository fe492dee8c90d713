//! The other ends: what their connections say, what they and we show, and how
//! to encode for them.

use super::{Task, UNKNOWN_PATH};
use crate::console::{Levels, TileId};
use crate::peer::{Control, PeerEvent};
use crate::session::incoming::{Line, Notable};
use crate::session::shares::share_out;
use crate::session::{Shown, sound};
use crate::video::{Size, VideoKind};
use sotto_client::call::media::{MediaReport, Peer, PeerFailure};
use sotto_wire::CallId;
use std::time::Instant;

/// Ticks between two decisions about encoding.
const DECIDE: u64 = 3;
/// Ticks between two repetitions of what is shown here: the channel may have
/// opened since.
const REPEAT: u64 = 20;
/// Ticks between two tries of a camera that was busy: three seconds.
pub(super) const RETRY: u64 = 30;

impl Task {
    pub(super) fn notice(&mut self, line: Line, notable: Notable) {
        let Some(call) = self.call.as_ref().map(|call| call.id) else {
            return;
        };
        let peer = line.peer;
        // The last words of a former connection are none of the one after it.
        if self.end(&peer).is_none_or(|end| end.line != line) {
            return;
        }
        let event = match notable {
            Notable::KeyMissing(kid) => {
                return self.report(MediaReport::KeyMissing { call, peer, kid });
            }
            Notable::KeyFound => return self.report(MediaReport::KeyFound { call, peer }),
            Notable::Connection(event) => event,
        };
        match event {
            PeerEvent::Described(description) => self.report(MediaReport::Described {
                call,
                peer,
                description,
            }),
            PeerEvent::Gathered(candidate) => self.report(MediaReport::Gathered {
                call,
                peer,
                candidate,
            }),
            PeerEvent::Connected { local, remote } => {
                self.with(&peer, |end| end.connected = true);
                self.report(MediaReport::Connected {
                    call,
                    peer,
                    local,
                    remote,
                });
                self.say_shown(&peer);
                self.decide();
            }
            PeerEvent::Interrupted => {
                self.with(&peer, |end| end.connected = false);
                self.report(MediaReport::Interrupted { call, peer });
            }
            PeerEvent::Failed(why) => self.failed(call, peer, why),
            PeerEvent::KeyframeWanted(kind) => self.picture(kind).request_keyframe(),
            PeerEvent::Estimate(bits) => {
                self.with(&peer, |end| end.estimate = bits);
            }
            PeerEvent::Says(Control::Shows {
                kind,
                width,
                height,
            }) => {
                let size = Size::new(width.into(), height.into());
                let mut changed = false;
                self.with(&peer, |end| {
                    changed = end.shows.insert(kind, size) != Some(size);
                });
                // They wait for it.
                if changed {
                    self.decide();
                }
            }
            // Media does not come this way.
            PeerEvent::Heard(_) | PeerEvent::Seen(_) => {}
        }
    }

    pub(super) fn failed(&mut self, call: CallId, peer: Peer, why: PeerFailure) {
        tracing::warn!(?why, "a connection failed");
        self.disconnect(&peer);
        self.report(MediaReport::Failed { call, peer, why });
    }

    pub(super) fn show(&mut self, tiles: Vec<Shown>) {
        self.shown = tiles
            .into_iter()
            .map(|shown| (shown.tile, Size::new(shown.width, shown.height)))
            .collect();
        let peers: Vec<_> = self.ends().map(|(peer, _)| *peer).collect();
        for peer in peers {
            self.say_shown(&peer);
        }
    }

    pub(super) fn say_shown(&self, peer: &Peer) {
        let Some(end) = self.end(peer) else {
            return;
        };
        for (kind, tile) in [
            (VideoKind::Camera, TileId::Camera(*peer)),
            (VideoKind::Screen, TileId::Screen(*peer)),
        ] {
            let size = self.shown.get(&tile).copied().unwrap_or_default();
            let pixels = |length: u32| u16::try_from(length.min(8192)).unwrap_or(8192);
            let empty = size.area() == 0;
            end.incoming.show(kind, !empty);
            end.connection.say(Control::Shows {
                kind,
                width: if empty { 0 } else { pixels(size.width) },
                height: if empty { 0 } else { pixels(size.height) },
            });
        }
    }

    pub(super) fn tick(&mut self) {
        self.ticks += 1;
        let levels = Levels {
            microphone: self.sound.level(),
            peers: self
                .ends()
                .filter_map(|(peer, end)| {
                    let (db, speaking) = end.incoming.level()?;
                    Some((*peer, sound::level(db, speaking)))
                })
                .collect(),
            troubles: self.troubles(),
        };
        self.view.set_levels(levels);
        if self.ticks.is_multiple_of(DECIDE) {
            self.decide();
        }
        if self.ticks.is_multiple_of(REPEAT) {
            let peers: Vec<_> = self.ends().map(|(peer, _)| *peer).collect();
            peers.iter().for_each(|peer| self.say_shown(peer));
        }
        if self.ticks.is_multiple_of(RETRY) {
            self.retry_busy_camera();
        }
    }

    /// How to encode from now on: for the slowest path, as large as anybody
    /// shows it, sound first.
    pub(super) fn decide(&mut self) {
        let connected = || self.ends().filter(|(_, end)| end.connected);
        let estimate = connected().map(|(_, end)| end.estimate).min();
        let estimate = estimate.unwrap_or(UNKNOWN_PATH);
        let largest = |kind| {
            let sizes = connected().filter_map(|(_, end)| end.shows.get(&kind).copied());
            sizes
                .filter(|size| size.area() > 0)
                .max_by_key(|size| size.area())
        };
        let (camera, screen) = (largest(VideoKind::Camera), largest(VideoKind::Screen));
        let loss = connected()
            .map(|(_, end)| end.connection.stats().audio_out.loss)
            .fold(0.0, f64::max);
        let sends_camera = self.camera.is_open() && camera.is_some() && self.sending().camera;
        let sends_screen = self.screen.is_open() && screen.is_some();
        let shares = share_out(estimate, sends_camera, sends_screen);
        let now = Instant::now();
        let camera = camera.filter(|_| self.sending().camera);
        self.sound.adapt(shares.voice, loss);
        self.camera.adapt(now, shares.camera, camera);
        self.screen.adapt(now, shares.screen, screen);
    }
}
