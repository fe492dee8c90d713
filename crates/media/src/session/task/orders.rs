//! Obeying the client: calls begin and end, connections come and go.

use super::{Call, End, Inner, Task, UNKNOWN_PATH, lock};
use crate::console::Levels;
use crate::peer::{Identity, Peer as Connection, PeerConfig};
use crate::session::incoming::{self, Incoming, Line};
use crate::session::outgoing::Outgoing;
use crate::video::VideoKind;
use sotto_client::call::media::{MediaOrder, MediaReport, Paths, Peer, PeerFailure, Sending};
use sotto_wire::CallId;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;

/// What ends have to say that waits to be heard.
const NOTES: usize = 64;

impl Task {
    pub(super) fn order(&mut self, order: MediaOrder) {
        let call = match &order {
            MediaOrder::Begin { call, .. }
            | MediaOrder::Send { call, .. }
            | MediaOrder::Connect { call, .. }
            | MediaOrder::Describe { call, .. }
            | MediaOrder::AddCandidate { call, .. }
            | MediaOrder::Restart { call, .. }
            | MediaOrder::Disconnect { call, .. }
            | MediaOrder::Reroute { call, .. }
            | MediaOrder::Expect { call, .. }
            | MediaOrder::SealWith { call, .. }
            | MediaOrder::OpenWith { call, .. }
            | MediaOrder::Forget { call, .. }
            | MediaOrder::End { call } => *call,
        };
        if let MediaOrder::Begin { paths, .. } = order {
            return self.begin(call, paths);
        }
        if self.call.as_ref().is_none_or(|known| known.id != call) {
            tracing::debug!(?call, "an order for a call that is over");
            return;
        }
        match order {
            MediaOrder::Begin { .. } => {}
            MediaOrder::Send { sending, .. } => self.send(sending),
            MediaOrder::Connect { peer, offers, .. } => self.connect(peer, offers),
            MediaOrder::Describe {
                peer, description, ..
            } => self.with(&peer, |end| end.connection.describe(description)),
            MediaOrder::AddCandidate {
                peer, candidate, ..
            } => self.with(&peer, |end| end.connection.add_candidate(candidate)),
            MediaOrder::Restart { peer, .. } => self.with(&peer, |end| end.connection.restart()),
            MediaOrder::Disconnect { peer, .. } => self.disconnect(&peer),
            MediaOrder::Reroute { paths, .. } => self.reroute(paths),
            MediaOrder::Expect { peer, sending, .. } => self.with(&peer, |end| {
                end.incoming.expect(sending);
                let connection = &end.connection;
                connection.set_off(VideoKind::Camera, !sending.camera);
                connection.set_off(VideoKind::Screen, sending.screen.is_none());
            }),
            MediaOrder::SealWith { key, .. } => {
                if let Some(call) = &mut self.call {
                    match call.outgoing.set_key(&key) {
                        Ok(()) => call.keys += 1,
                        Err(error) => tracing::error!(%error, "a media key cannot be used"),
                    }
                }
            }
            MediaOrder::OpenWith { peer, key, .. } => {
                self.with(&peer, |end| end.incoming.add_key(&key));
            }
            MediaOrder::Forget { peer, kid, .. } => {
                self.with(&peer, |end| end.incoming.forget_below(kid));
            }
            MediaOrder::End { .. } => self.end_call(),
        }
    }

    pub(super) fn begin(&mut self, id: CallId, paths: Paths) {
        self.end_call();
        let outgoing = Arc::new(Outgoing::default());
        *lock(&self.way_out) = Some(outgoing.clone());
        let inner = self.inner.clone();
        self.sound.play(move |event| {
            let _ = inner.send(Inner::Speaker(event));
        });
        let (notes, noted) = mpsc::channel(NOTES);
        self.call = Some(Call {
            id,
            paths,
            began: Instant::now(),
            outgoing,
            sending: Sending::default(),
            ends: BTreeMap::new(),
            keys: 0,
            notes,
            noted,
            lines: 0,
        });
        tracing::info!(call = ?id, "call begins");
    }

    pub(super) fn send(&mut self, sending: Sending) {
        if let Some(call) = &mut self.call {
            call.sending = sending;
        }
        self.sources.clear();
        self.tend();
    }

    pub(super) fn connect(&mut self, peer: Peer, offers: bool) {
        // By its certificate, the other end tells a connection from the next.
        let Ok(identity) = Identity::generate() else {
            tracing::error!("no certificate can be made");
            return self.refuse(peer);
        };
        let voice = self.sound.voice();
        let tiles = self.view.tiles.clone();
        let volume = self.volumes.get(&peer).copied();
        let Some(call) = &mut self.call else {
            return;
        };
        let (events, arriving) = mpsc::channel(incoming::EVENTS);
        let config = PeerConfig::new(offers, call.paths.clone(), identity);
        let connection = Arc::new(Connection::connect(config, events));
        call.lines += 1;
        let line = Line {
            peer,
            number: call.lines,
        };
        let incoming = Arc::new(Incoming::new(line, tiles, voice));
        if let Some(volume) = volume {
            incoming.set_volume(volume);
        }
        let run = incoming
            .clone()
            .run(connection.clone(), arriving, call.notes.clone());
        tokio::spawn(run);
        call.outgoing.add(peer, connection.clone());
        let end = End {
            line,
            connection,
            incoming,
            connected: false,
            estimate: UNKNOWN_PATH,
            shows: BTreeMap::new(),
        };
        if let Some(before) = call.ends.insert(peer, end) {
            before.connection.close();
        }
    }

    fn refuse(&mut self, peer: Peer) {
        if let Some(call) = &self.call {
            let (call, why) = (call.id, PeerFailure::OwnDescription);
            self.report(MediaReport::Failed { call, peer, why });
        }
    }

    fn reroute(&mut self, paths: Paths) {
        if let Some(call) = &mut self.call {
            for end in call.ends.values() {
                end.connection.reroute(paths.clone());
            }
            call.paths = paths;
        }
    }

    pub(super) fn disconnect(&mut self, peer: &Peer) {
        if let Some(call) = &mut self.call {
            call.outgoing.remove(peer);
            if let Some(end) = call.ends.remove(peer) {
                end.connection.close();
            }
        }
        self.view.tiles.remove_peer(*peer);
    }

    pub(super) fn end_call(&mut self) {
        let Some(call) = self.call.take() else {
            return;
        };
        *lock(&self.way_out) = None;
        for (peer, end) in &call.ends {
            call.outgoing.remove(peer);
            end.connection.close();
            self.view.tiles.remove_peer(*peer);
        }
        self.sound.hang_up();
        self.sources.clear();
        self.volumes.clear();
        self.tend();
        self.view.set_levels(Levels::default());
        tracing::info!(call = ?call.id, "call ends");
    }
}
