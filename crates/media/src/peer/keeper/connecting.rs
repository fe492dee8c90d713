//! When DTLS is done: whose certificate it was, which way packets take, and a
//! task for each stream.

use super::{Ended, Keeper, ON, Step};
use crate::peer::identity::fingerprint_of;
use crate::peer::stats::{PathKind, note};
use crate::peer::{PeerEvent, receiving, setup};
use crate::video::VideoKind;
use sotto_client::call::media::{Fingerprint, PeerFailure};
use std::sync::Arc;
use std::time::Duration;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{RTCIceCandidate, RTCIceCandidateType};

/// For what follows a handshake at once, on all but the slowest paths.
const OPENING: Duration = Duration::from_secs(1);

impl Keeper {
    /// The library compared the certificate within the handshake; here it is
    /// compared once more, as it was presented, before anything passes.
    pub(super) async fn now_connected(&mut self) -> Step {
        let remote = self.presented().await;
        let (Some(remote), true) = (remote, remote.is_some() && remote == self.expected) else {
            return self.fail(PeerFailure::Certificate).await;
        };
        let Some(types) = self.payload_types().await else {
            return self.fail(PeerFailure::Description).await;
        };
        self.meter
            .setup(|setup| note(&mut setup.dtls_ms, self.began));
        self.connected = true;
        self.was_connected = true;
        self.gate.send_replace(Some(types));
        self.calm_down();
        self.take_tracks().await;
        self.look_at_path().await;
        let local = self.config.identity.fingerprint();
        self.report(PeerEvent::Connected { local, remote }).await;
        ON
    }

    /// The data channel opens right after the handshake, and by it the other end
    /// learns that somebody looks.
    fn calm_down(&mut self) {
        let rounds = self.signs.rounds.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(OPENING).await;
            rounds.end();
            Ended::Other
        });
    }

    async fn presented(&self) -> Option<Fingerprint> {
        let transport = self.connection.sctp().await?.transport();
        let chain = transport.get_remote_certificates().await.ok()?;
        chain.first().map(|der| fingerprint_of(der))
    }

    async fn payload_types(&self) -> Option<[u8; 3]> {
        let mut types = [0; 3];
        for (at, sender) in self.senders.iter().enumerate() {
            let parameters = sender.get_parameters().await.ok()?;
            let name = if at == 0 { "opus" } else { "vp8" };
            let codec = parameters.rtp_parameters.codecs.iter().find(|codec| {
                let mime = codec.rtp_codec.mime_type.to_ascii_lowercase();
                mime.ends_with(name)
            })?;
            types[at] = codec.payload_type;
        }
        Some(types)
    }

    /// Sets a task on each stream that came.
    pub(super) async fn take_tracks(&mut self) {
        for track in std::mem::take(&mut self.held) {
            let Some(section) = self.section_of(&track).await else {
                tracing::debug!("a stream that belongs to no section");
                continue;
            };
            self.meter
                .setup(|setup| note(&mut setup.first_packet_ms, self.began));
            let events = self.events.clone();
            let received = Arc::clone(&self.received[section]);
            let kind = match section {
                0 => None,
                1 => Some(VideoKind::Camera),
                _ => Some(VideoKind::Screen),
            };
            let ssrc = self.ssrcs[section];
            let round_trip = self.round_trip.subscribe();
            self.tasks.spawn(async move {
                match kind {
                    None => receiving::audio(track, events, received).await,
                    Some(kind) => {
                        receiving::video(track, kind, ssrc, round_trip, events, received).await;
                    }
                }
                Ended::Other
            });
        }
    }

    /// Audio, camera or screen, by the section the library put it in.
    async fn section_of(&self, track: &Arc<dyn TrackRemote>) -> Option<usize> {
        let mids = self.mids.as_ref()?;
        for transceiver in self.connection.get_transceivers().await {
            let Ok(Some(receiver)) = transceiver.receiver().await else {
                continue;
            };
            if Arc::ptr_eq(receiver.track(), track) {
                let mid = transceiver.mid().await.ok()??;
                return mids[..3].iter().position(|m| *m == mid);
            }
        }
        None
    }

    pub(super) async fn look_at_path(&mut self) {
        let Some(sctp) = self.connection.sctp().await else {
            return;
        };
        let ice = sctp.transport().ice_transport();
        let Ok(Some(pair)) = ice.get_selected_candidate_pair().await else {
            return;
        };
        let local = pair.local();
        let at = (local.address.clone(), local.port);
        let relayed = |c: &RTCIceCandidate| c.typ == RTCIceCandidateType::Relay;
        self.meter.path(match relayed(local) {
            true if self.tunnelled.contains(&at) => PathKind::RelayedTcp,
            false if !relayed(pair.remote()) => PathKind::Direct,
            _ => PathKind::Relayed,
        });
    }

    /// Whether this is the URL of a way around networks that block UDP.
    pub(super) fn is_tunnel(&self, url: &str) -> bool {
        let mut tunnels = self.config.paths.servers.iter().filter_map(setup::tunnel);
        tunnels.any(|tunnel| tunnel == url)
    }
}
