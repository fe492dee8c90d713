//! Offers, answers and candidates: ours out, the peer's in.

use super::{Keeper, ON, Step};
use crate::peer::description::{self, Checked};
use crate::peer::stats::note;
use crate::peer::{PeerEvent, setup};
use sotto_client::call::media::{Candidate, Description, DescriptionKind, Paths, PeerFailure};
use std::time::Instant;
use webrtc::peer_connection::{RTCIceCandidateInit, RTCSessionDescription};

/// Candidates of the peer taken in one generation.
const CANDIDATES: usize = 64;

impl Keeper {
    pub(super) async fn offer(&mut self) -> Step {
        let made = async {
            let offer = self.connection.create_offer(None).await?;
            let sdp = offer.sdp.clone();
            self.connection.set_local_description(offer).await?;
            Ok::<_, webrtc::error::Error>(sdp)
        };
        match made.await {
            Ok(sdp) => {
                self.offered = true;
                self.described(DescriptionKind::Offer, &sdp).await;
                ON
            }
            Err(_) => {
                tracing::warn!("no offer can be made");
                self.fail(PeerFailure::OwnDescription).await
            }
        }
    }

    async fn described(&mut self, kind: DescriptionKind, sdp: &str) {
        self.meter
            .setup(|setup| note(&mut setup.described_ms, self.began));
        let sdp = description::without_candidates(sdp);
        self.report(PeerEvent::Described(Description { kind, sdp }))
            .await;
    }

    /// Sockets and allocations stay as they are until a path is sought anew.
    pub(super) async fn reroute(&mut self, paths: Paths) -> Step {
        let new = setup::configuration(&paths, &self.config.identity);
        if self.connection.set_configuration(new).await.is_err() {
            tracing::warn!("a connection does not take other servers");
        }
        self.config.paths = paths;
        ON
    }

    pub(super) async fn restart(&mut self) -> Step {
        if !self.config.offers || self.expected.is_none() {
            return ON;
        }
        if self.connection.restart_ice().await.is_err() {
            return self.fail(PeerFailure::NoPath).await;
        }
        self.candidates = 0;
        self.tunnelled.clear();
        self.offer().await
    }

    pub(super) async fn describe(&mut self, theirs: Description) -> Step {
        let answers = theirs.kind == DescriptionKind::Answer;
        if answers != self.config.offers || (answers && !self.offered) {
            tracing::debug!("a description that nobody waits for");
            return ON;
        }
        let Ok(checked) = description::check(&theirs.sdp) else {
            return self.fail(PeerFailure::Description).await;
        };
        // A certificate holds for the whole connection: a restart brings none.
        if self
            .expected
            .is_some_and(|known| known != checked.fingerprint)
        {
            return self.fail(PeerFailure::Certificate).await;
        }
        self.signs.names().describe(checked.streams.clone());
        let accepted = if answers {
            self.take_answer(&checked).await
        } else {
            self.take_offer(&checked).await
        };
        let Ok(answer) = accepted else {
            return self.fail(PeerFailure::Description).await;
        };
        self.expected = Some(checked.fingerprint);
        self.mids = Some(checked.mids);
        self.offered = false;
        self.described_at.get_or_insert_with(Instant::now);
        self.meter
            .setup(|setup| note(&mut setup.answered_ms, self.began));
        if let Some(sdp) = answer {
            self.candidates = 0;
            self.tunnelled.clear();
            self.described(DescriptionKind::Answer, &sdp).await;
        }
        for candidate in std::mem::take(&mut self.early) {
            self.add(candidate).await;
        }
        ON
    }

    async fn take_answer(&self, checked: &Checked) -> webrtc::error::Result<Option<String>> {
        let answer = RTCSessionDescription::answer(checked.sdp.clone())?;
        self.connection.set_remote_description(answer).await?;
        Ok(None)
    }

    async fn take_offer(&self, checked: &Checked) -> webrtc::error::Result<Option<String>> {
        let offer = RTCSessionDescription::offer(checked.sdp.clone())?;
        self.connection.set_remote_description(offer).await?;
        let answer = self.connection.create_answer(None).await?;
        let sdp = answer.sdp.clone();
        self.connection.set_local_description(answer).await?;
        Ok(Some(sdp))
    }

    pub(super) async fn candidate(&mut self, candidate: Candidate) -> Step {
        if self.candidates >= CANDIDATES || !description::is_candidate(&candidate.line) {
            tracing::debug!("a candidate that is none, or one too many");
            return ON;
        }
        self.candidates += 1;
        if self.expected.is_none() || self.offered {
            self.early.push_back(candidate);
        } else {
            self.add(candidate).await;
        }
        ON
    }

    async fn add(&self, candidate: Candidate) {
        let line = candidate.line;
        let added = self.connection.add_ice_candidate(RTCIceCandidateInit {
            candidate: line.strip_prefix("a=").unwrap_or(&line).to_owned(),
            sdp_mid: Some(candidate.mid),
            ..Default::default()
        });
        if added.await.is_err() {
            tracing::debug!("a candidate that cannot be used");
        }
    }
}
