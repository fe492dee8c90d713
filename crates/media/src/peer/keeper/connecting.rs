//! When DTLS is done: whose certificate it was, which way packets take, and a
//! task for each stream.

use super::{Ended, Keeper, ON, Step};
use crate::peer::identity::fingerprint_of;
use crate::peer::stats::{PathKind, note};
use crate::peer::{PeerEvent, receiving};
use crate::video::VideoKind;
use sotto_client::call::media::{Fingerprint, PeerFailure};
use std::sync::Arc;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::RTCIceCandidateType;

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
        self.take_tracks().await;
        self.look_at_path().await;
        let local = self.config.identity.fingerprint();
        self.report(PeerEvent::Connected { local, remote }).await;
        ON
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
        let relayed = [pair.local(), pair.remote()]
            .into_iter()
            .any(|c| c.typ == RTCIceCandidateType::Relay);
        self.meter.path(if relayed {
            PathKind::Relayed
        } else {
            PathKind::Direct
        });
    }
}
