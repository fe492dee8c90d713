//! What the other end reports of our packets (RTCP), read on its way through:
//! round trip, loss and jitter from receiver reports, wishes for key frames.
//! Changes nothing that passes.

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Sender reports remembered: some minutes, for three streams.
const REMEMBERED: usize = 16;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Feedback {
    /// A key frame of this stream is wished for.
    Keyframe { ssrc: u32 },
    /// Packets of this stream were asked for again.
    Resend { ssrc: u32 },
    Received {
        ssrc: u32,
        round_trip: Option<Duration>,
        /// Share lost since the last report.
        loss: f64,
        /// Packets lost since the beginning.
        lost: u32,
        /// Ticks of the stream's clock.
        jitter: u32,
    },
}

pub(super) struct Listener {
    to: mpsc::Sender<Feedback>,
    /// The middle of the time a sender report carried, and when it left.
    sent: VecDeque<(u32, Instant)>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Listener {
    pub(super) fn new(to: mpsc::Sender<Feedback>) -> Self {
        Self {
            to,
            sent: VecDeque::new(),
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    fn heard(&mut self, now: Instant, packet: &dyn rtcp::Packet) {
        let packet = packet.as_any();
        if let Some(pli) = packet.downcast_ref::<PictureLossIndication>() {
            self.tell(Feedback::Keyframe {
                ssrc: pli.media_ssrc,
            });
        } else if let Some(fir) = packet.downcast_ref::<FullIntraRequest>() {
            for entry in fir.fir.iter().take(4) {
                self.tell(Feedback::Keyframe { ssrc: entry.ssrc });
            }
        } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
            self.tell(Feedback::Resend {
                ssrc: nack.media_ssrc,
            });
        } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
            self.received(now, &report.reports);
        } else if let Some(report) = packet.downcast_ref::<SenderReport>() {
            self.received(now, &report.reports);
        }
    }

    fn received(&mut self, now: Instant, reports: &[ReceptionReport]) {
        for report in reports.iter().take(8) {
            self.tell(Feedback::Received {
                ssrc: report.ssrc,
                round_trip: self.round_trip(now, report),
                loss: f64::from(report.fraction_lost) / 256.0,
                lost: report.total_lost,
                jitter: report.jitter,
            });
        }
    }

    /// RFC 3550 §6.4.1, figure 2.
    fn round_trip(&self, now: Instant, report: &ReceptionReport) -> Option<Duration> {
        let (_, sent) = self
            .sent
            .iter()
            .find(|(middle, _)| *middle == report.last_sender_report)?;
        let held = Duration::from_secs_f64(f64::from(report.delay) / 65_536.0);
        now.saturating_duration_since(*sent).checked_sub(held)
    }

    fn tell(&self, feedback: Feedback) {
        // When nobody keeps up, the next report says it again.
        let _ = self.to.try_send(feedback);
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Listener {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for rtcp in packets {
                self.heard(packet.now, &**rtcp);
            }
        }
        self.inbound.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for rtcp in packets {
                if let Some(report) = rtcp.as_any().downcast_ref::<SenderReport>() {
                    let middle = (report.ntp_time >> 16) as u32;
                    self.sent.push_back((middle, packet.now));
                }
            }
            while self.sent.len() > REMEMBERED {
                self.sent.pop_front();
            }
        }
        self.outbound.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for Listener {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
