//! What the library calls back with, as one queue for the keeper: callbacks
//! run on the library's own task, which must not wait.

use std::sync::Arc;
use tokio::sync::mpsc;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

pub(super) enum Signal {
    /// A candidate line of ours, and its address as the library names it.
    /// `url`: of the server it came from, if one did.
    Candidate {
        line: String,
        at: (String, u16),
        url: String,
    },
    GatheringDone,
    IceConnected,
    State(RTCPeerConnectionState),
    Track(Arc<dyn TrackRemote>),
}

/// The callbacks. Few for each connection, and none repeats for packets: the
/// queue needs no bound.
pub(super) struct Signals(pub mpsc::UnboundedSender<Signal>);

impl Signals {
    fn tell(&self, signal: Signal) {
        let _ = self.0.send(signal);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Signals {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let RTCPeerConnectionIceEvent { candidate, url } = event;
        if let Ok(told) = candidate.to_json() {
            self.tell(Signal::Candidate {
                line: told.candidate,
                at: (candidate.address, candidate.port),
                url,
            });
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.tell(Signal::GatheringDone);
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        use RTCIceConnectionState::{Completed, Connected};
        if matches!(state, Connected | Completed) {
            self.tell(Signal::IceConnected);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.tell(Signal::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.tell(Signal::Track(track));
    }
}
