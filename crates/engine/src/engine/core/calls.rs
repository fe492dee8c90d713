//! Calls, as far as the loop is concerned: media at its side, the bell, and
//! how packets may travel.

use crate::engine::bell::Bell;
use sotto_client::call::{
    media::{MediaReport, Paths},
    view::CallView,
};
use sotto_media::Media;
use sotto_wire::{CallId, RelayAddress};
use tokio::sync::mpsc;

/// Media, and what it reports.
pub struct Calls {
    pub media: Media,
    pub reports: mpsc::UnboundedReceiver<MediaReport>,
    bell: Bell,
}

impl Calls {
    pub fn new(media: Media, reports: mpsc::UnboundedReceiver<MediaReport>) -> Self {
        Self {
            media,
            reports,
            bell: Bell::default(),
        }
    }

    pub fn see(&mut self, call: &CallView) {
        self.bell.see(call.call, call.phase);
        self.media.ring(self.bell.rings());
    }

    pub fn forget(&mut self, call: &CallId) {
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
