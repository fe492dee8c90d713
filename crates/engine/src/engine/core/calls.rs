//! Calls, as far as the loop is concerned: media at its side, the bell, and
//! how packets may travel.

use crate::{engine::bell::Bell, tunnel::Tunnels};
use sotto_client::{
    call::{
        media::{MediaOrder, MediaReport, Paths},
        view::CallView,
    },
    model::RoomView,
};
use sotto_media::Media;
use sotto_wire::{CallId, RelayAddress, RoomId};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Media, and what it reports.
pub struct Calls {
    pub media: Media,
    pub reports: mpsc::UnboundedReceiver<MediaReport>,
    bell: Bell,
    tunnels: Tunnels,
    /// The call that media has, as it was ordered.
    running: Option<CallId>,
    /// The calls that people were shown, and not yet told to be gone.
    shown: BTreeMap<CallId, RoomId>,
}

impl Calls {
    /// `runtime` is where tunnels run.
    pub fn new(
        media: Media,
        reports: mpsc::UnboundedReceiver<MediaReport>,
        runtime: tokio::runtime::Handle,
    ) -> Self {
        Self {
            media,
            reports,
            bell: Bell::default(),
            tunnels: Tunnels::new(runtime),
            running: None,
            shown: BTreeMap::new(),
        }
    }

    /// To media, with what it needs to get around a network.
    pub fn order(&mut self, mut order: MediaOrder) {
        match &order {
            MediaOrder::Begin { call, .. } => self.running = Some(*call),
            MediaOrder::End { call } => self.running = self.running.filter(|one| one != call),
            _ => {}
        }
        self.tunnels.prepare(&mut order);
        self.media.order(order);
    }

    /// The network is another.
    pub fn moved(&self) {
        self.tunnels.moved();
    }

    /// Ends what a client that is no more had under way: nothing is captured
    /// and nothing rings for somebody who could not stop it. Says which calls
    /// people still see.
    pub fn abandon(&mut self) -> BTreeMap<CallId, RoomId> {
        if let Some(call) = self.running {
            self.order(MediaOrder::End { call });
        }
        self.bell.clear();
        self.media.ring(None);
        std::mem::take(&mut self.shown)
    }

    pub fn see(&mut self, call: &CallView) {
        self.shown.insert(call.call, call.room);
        self.bell.see(call.call, call.room, call.phase);
        self.media.ring(self.bell.rings());
    }

    /// What somebody wants to hear of a room, as it is chosen now.
    pub fn know(&mut self, room: &RoomView) {
        self.bell.mute(room.id, room.prefs.muted);
        self.media.ring(self.bell.rings());
    }

    pub fn silence(&mut self, silent: bool) {
        self.bell.silence(silent);
        self.media.ring(self.bell.rings());
    }

    #[cfg(test)]
    pub fn rings(&self) -> Option<sotto_media::audio::Ring> {
        self.bell.rings()
    }

    pub fn forget(&mut self, call: &CallId) {
        self.shown.remove(call);
        self.bell.forget(call);
        self.media.ring(self.bell.rings());
    }
}

/// People whose relay is on this computer may be on it themselves.
pub fn paths(relay: &RelayAddress) -> Paths {
    Paths {
        loopback: relay.is_loopback(),
        ..Paths::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_relay_on_this_computer_lets_loopback_be_offered() {
        let check = |relay: &str, expect: bool| {
            let relay = relay.parse().expect("an address");
            assert_eq!(paths(&relay).loopback, expect, "{relay}");
        };
        check("ws://127.0.0.1:3030", true);
        check("ws://localhost:3030", true);
        check("ws://[::1]:3030", true);
        check("wss://relay.example", false);
        check("ws://192.168.1.4:3030", false);
    }
}
