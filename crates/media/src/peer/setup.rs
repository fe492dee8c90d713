//! What every peer connection of ours is made of: the codecs, the three
//! streams each way, the data channel, how paths are sought.

use super::estimate::{Estimate, Estimator, Told};
use super::feedback::{Feedback, Listener};
use super::guard::Guard;
use super::identity::Identity;
use super::wires::{Signs, Watched};
use crate::audio::RATE;
use crate::video::CLOCK;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{
    CongestionControlBuilder, NackResponderBuilder, ReceiverReportBuilder, SenderReportBuilder,
    Slot, TwccReceiverBuilder, TwccSenderBuilder,
};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8,
};
use rtc::rtp_transceiver::RTCRtpTransceiverInit;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RTCRtpHeaderExtensionCapability, RTCRtpRtxParameters, RtpCodecKind,
};
use sotto_client::call::media::{IceServer, Paths};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, RTCDataChannelInit};
use webrtc::error::{Error, Result};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCBundlePolicy, RTCConfiguration, RTCConfigurationBuilder, RTCIceServer,
    RTCIceTransportPolicy, Registry, SettingEngine, SettingEngineBuilder,
};
use webrtc::rtp_transceiver::{RTCRtpTransceiverDirection, RtpSender};
use webrtc::runtime::{Runtime, default_runtime};

/// Payload types, as browsers have them.
const OPUS: u8 = 111;
const VP8: u8 = 96;
const RTX: u8 = 97;

const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// Label and stream of the data channel, known to both ends beforehand.
pub(super) const CHANNEL: (&str, u16) = ("sotto", 0);

/// Checks follow each other this fast, for about 5 s a pair of candidates.
const CHECK_EVERY: Duration = Duration::from_millis(20);
const CHECKS: u16 = 250;

/// Without any answer for this long the path counts as interrupted: only
/// checks count, and not the media.
const INTERRUPTED_AFTER: Duration = Duration::from_secs(3);
/// The client gives up earlier; this only ends what it forgot.
const FAILED_AFTER: Duration = Duration::from_secs(120);
/// …so that half of them may be lost, as in a path that has just become narrow,
/// and nobody gives a good one up.
const KEEP_ALIVE: Duration = Duration::from_millis(300);

/// Packets kept for those who ask again: some 2 s of the highest rate.
const RESENDABLE: u16 = 1024;
/// A resent packet is old, but not a replay.
const REPLAY_WINDOW: usize = 1024;

/// One stream that leaves, with the names its packets carry.
pub(super) struct Outlet {
    pub track: Arc<TrackLocalStaticRTP>,
    pub sender: Arc<dyn RtpSender>,
    pub ssrc: u32,
}

/// A connection that has everything but descriptions.
pub(super) struct Bare {
    pub connection: Arc<dyn PeerConnection>,
    pub channel: Arc<dyn DataChannel>,
    /// Audio, camera, screen.
    pub outlets: [Outlet; 3],
    pub signs: Signs,
}

/// One that also measures and hears what is said of its packets.
pub(super) struct Made {
    pub bare: Bare,
    pub estimate: watch::Receiver<Estimate>,
    pub feedback: mpsc::Receiver<Feedback>,
    /// To be counted up for each packet that leaves.
    pub sent: Arc<AtomicU64>,
}

/// Rates of the estimate in bit/s.
pub(super) struct Rates {
    pub start: u32,
    pub most: u32,
}

pub(super) async fn make(
    paths: &Paths,
    identity: &Identity,
    rates: &Rates,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<Made> {
    let sent = Arc::new(AtomicU64::new(0));
    let told = Told::default();
    let count = Arc::clone(&sent);
    let (estimator, estimate) = Estimator::new(rates.start, rates.most, count, told.clone());
    let (heard, feedback) = mpsc::channel(64);
    let registry = interceptors(Guard::new(told), estimator, Listener::new(heard));
    let bare = bare(paths, identity, registry, handler).await?;
    Ok(Made {
        bare,
        estimate,
        feedback,
        sent,
    })
}

/// A connection in which packets pass through `registry`, and nothing else
/// happens to them.
pub(super) async fn bare(
    paths: &Paths,
    identity: &Identity,
    registry: Registry,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<Bare> {
    let runtime = default_runtime().ok_or_else(|| Error::Other("no runtime".into()))?;
    let signs = Signs::default();
    let runtime: Arc<dyn Runtime> = Arc::new(Watched::new(runtime, signs.clone()));
    let connection: Arc<dyn PeerConnection> = Arc::new(
        PeerConnectionBuilder::new()
            .with_configuration(configuration(paths, identity))
            .with_media_engine(media_engine()?)
            .with_setting_engine(settings(paths))
            .with_interceptor_registry(registry)
            .with_handler(handler)
            .with_runtime(runtime)
            .with_udp_addrs(addresses(paths))
            .build()
            .await?,
    );
    let outlets = [
        outlet(&*connection, "audio", RtpCodecKind::Audio).await?,
        outlet(&*connection, "camera", RtpCodecKind::Video).await?,
        outlet(&*connection, "screen", RtpCodecKind::Video).await?,
    ];
    let channel = connection
        .create_data_channel(
            CHANNEL.0,
            Some(RTCDataChannelInit {
                negotiated: Some(CHANNEL.1),
                ..Default::default()
            }),
        )
        .await?;
    Ok(Bare {
        connection,
        channel,
        outlets,
        signs,
    })
}

/// A wildcard stands for every address of a real interface at the time of
/// binding, so a restart finds those of a new network.
fn addresses(paths: &Paths) -> Vec<String> {
    let mut addresses = vec!["0.0.0.0:0".to_owned(), "[::]:0".to_owned()];
    if paths.loopback {
        addresses.push("127.0.0.1:0".to_owned());
    }
    addresses
}

pub(super) fn configuration(paths: &Paths, identity: &Identity) -> RTCConfiguration {
    let servers = paths.servers.iter().map(|server| RTCIceServer {
        urls: server.urls.iter().chain(tunnel(server)).cloned().collect(),
        username: server.username.clone(),
        credential: server.credential.clone(),
    });
    let policy = if paths.relayed_only {
        RTCIceTransportPolicy::Relay
    } else {
        RTCIceTransportPolicy::All
    };
    RTCConfigurationBuilder::new()
        .with_ice_servers(servers.collect())
        .with_ice_transport_policy(policy)
        .with_bundle_policy(RTCBundlePolicy::MaxBundle)
        .with_certificates(vec![identity.certificate()])
        .build()
}

/// The URL of this computer's end of a tunnel, where there is one.
pub(super) fn tunnel(server: &IceServer) -> Option<&String> {
    server.tunnel.as_ref()?.url.as_ref()
}

fn settings(paths: &Paths) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(paths.loopback)
        .with_ice_connection_attempts(Some(CHECK_EVERY), Some(CHECKS))
        .with_ice_timeouts(
            Some(INTERRUPTED_AFTER),
            Some(FAILED_AFTER),
            Some(KEEP_ALIVE),
        )
        .with_srflx_acceptance_min_wait(Some(Duration::from_millis(20)))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_relay_acceptance_min_wait(Some(relay_wait(paths)))
        .with_discard_local_candidates_during_ice_restart(true)
        .with_srtp_replay_protection_window(REPLAY_WINDOW)
        .build()
}

/// How long a better way than a relayed one is waited for.
fn relay_wait(paths: &Paths) -> Duration {
    match paths.relayed_only {
        true => Duration::ZERO,
        false => Duration::from_millis(200),
    }
}

fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    engine.register_codec(
        RTCRtpCodecParameters {
            rtp_codec: opus(),
            payload_type: OPUS,
        },
        RtpCodecKind::Audio,
    )?;
    engine.register_codec(
        RTCRtpCodecParameters {
            rtp_codec: vp8(),
            payload_type: VP8,
        },
        RtpCodecKind::Video,
    )?;
    engine.register_codec(
        RTCRtpCodecParameters {
            rtp_codec: RTCRtpCodec {
                mime_type: MIME_TYPE_RTX.to_owned(),
                clock_rate: CLOCK,
                channels: 0,
                sdp_fmtp_line: format!("apt={VP8}"),
                rtcp_feedback: Vec::new(),
            },
            payload_type: RTX,
        },
        RtpCodecKind::Video,
    )?;
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        for uri in [MID, TRANSPORT_CC] {
            let extension = RTCRtpHeaderExtensionCapability {
                uri: uri.to_owned(),
            };
            engine.register_header_extension(extension, kind, None)?;
        }
    }
    Ok(engine)
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: RATE,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![feedback("transport-cc", "")],
    }
}

fn vp8() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: CLOCK,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![
            feedback("nack", ""),
            feedback("nack", "pli"),
            feedback("ccm", "fir"),
            feedback("transport-cc", ""),
        ],
    }
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: typ.to_owned(),
        parameter: parameter.to_owned(),
    }
}

/// Without the library's pacer, which lets voices queue behind pictures, and
/// without its requests for lost packets, which know no round trip: both are
/// ours.
fn interceptors(guard: Guard, estimator: Estimator, listener: Listener) -> Registry {
    let control = CongestionControlBuilder::new(estimator).build();
    let resend = NackResponderBuilder::new().with_size(RESENDABLE).build();
    Registry::new()
        // Hears first.
        .with(Slot::from(500), guard)
        .with(Slot::CongestionControl, control)
        .with(Slot::from(1_500), listener)
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::NackResponder, resend)
        .with(
            Slot::TwccReceiver,
            TwccReceiverBuilder::new()
                .with_interval(Duration::from_millis(60))
                .build(),
        )
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
        .with(Slot::SenderReport, SenderReportBuilder::new().build())
}

async fn outlet(connection: &dyn PeerConnection, name: &str, kind: RtpCodecKind) -> Result<Outlet> {
    let video = kind == RtpCodecKind::Video;
    let ssrc = random()?;
    let rtx = if video {
        Some(RTCRtpRtxParameters { ssrc: random()? })
    } else {
        None
    };
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            rtx,
            ..Default::default()
        },
        codec: if video { vp8() } else { opus() },
        active: true,
        ..Default::default()
    };
    let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "sotto".to_owned(),
        name.to_owned(),
        name.to_owned(),
        kind,
        vec![encoding.clone()],
    )));
    let init = RTCRtpTransceiverInit {
        direction: RTCRtpTransceiverDirection::Sendrecv,
        streams: vec!["sotto".to_owned()],
        send_encodings: vec![encoding],
    };
    let local: Arc<dyn TrackLocal> = Arc::clone(&track) as _;
    let transceiver = connection
        .add_transceiver_from_track(local, Some(init))
        .await?;
    let sender = transceiver
        .sender()
        .await?
        .ok_or_else(|| Error::Other("no sender".into()))?;
    Ok(Outlet {
        track,
        sender,
        ssrc,
    })
}

fn random() -> Result<u32> {
    let mut octets = [0; 4];
    getrandom::fill(&mut octets).map_err(|_| Error::Other("no randomness".into()))?;
    // Zero stands for none in many places.
    Ok(u32::from_be_bytes(octets).max(1))
}
