//! What the other end says about our packets (RTCP), before anything acts on
//! it. It knows the keys and is a stranger all the same: a few octets could
//! have thousands of packets sent again, or sixty thousand acknowledgments
//! weighed. Kinds that nothing here uses are dropped, and whatever makes work
//! has a budget, far above what an honest end needs.

use super::estimate::Told;
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, TransportLayerCc};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::time::Instant;

/// Packets sent again on request, in a second: 3 Mbit/s of whole ones. Raising
/// it lets one end of a call use up the way to all others.
const RESENDS: f64 = 300.0;
/// Acknowledgments in a second; an honest end has as many as we send packets.
const ACKNOWLEDGED: f64 = 10_000.0;
/// Reports of reception and wishes for key frames in a second.
const REPORTS: f64 = 100.0;
const WISHES: f64 = 20.0;
/// Entries of one request for key frames.
const WISHED: usize = 8;

/// So much a second, and two seconds' worth at once.
#[derive(Debug)]
struct Budget {
    rate: f64,
    left: f64,
    at: Option<Instant>,
}

impl Budget {
    fn new(rate: f64) -> Self {
        Self {
            rate,
            left: rate * 2.0,
            at: None,
        }
    }

    fn spend(&mut self, now: Instant, cost: usize) -> bool {
        let passed = self
            .at
            .replace(now)
            .map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.left = (self.left + passed * self.rate).min(self.rate * 2.0);
        let cost = cost as f64;
        let fits = cost <= self.left;
        if fits {
            self.left -= cost;
        }
        fits
    }
}

pub(super) struct Guard {
    told: Told,
    resends: Budget,
    acknowledged: Budget,
    reports: Budget,
    wishes: Budget,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Guard {
    /// `told` learns which packets were reported on.
    pub(super) fn new(told: Told) -> Self {
        Self {
            told,
            resends: Budget::new(RESENDS),
            acknowledged: Budget::new(ACKNOWLEDGED),
            reports: Budget::new(REPORTS),
            wishes: Budget::new(WISHES),
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    fn allows(&mut self, now: Instant, packet: &dyn rtcp::Packet) -> bool {
        let packet = packet.as_any();
        if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
            let asked = |pair: &rtcp::transport_feedbacks::transport_layer_nack::NackPair| {
                1 + pair.lost_packets.count_ones() as usize
            };
            return self.resends.spend(now, nack.nacks.iter().map(asked).sum());
        }
        if let Some(feedback) = packet.downcast_ref::<TransportLayerCc>() {
            let statuses = feedback.packet_chunks.iter().map(|chunk| match chunk {
                PacketStatusChunk::RunLengthChunk(run) => usize::from(run.run_length),
                PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.len(),
            });
            let fits = self.acknowledged.spend(now, 1 + statuses.sum::<usize>());
            if fits {
                self.told.add(feedback);
            }
            return fits;
        }
        if packet.is::<SenderReport>() || packet.is::<ReceiverReport>() {
            return self.reports.spend(now, 1);
        }
        if packet.is::<PictureLossIndication>() {
            return self.wishes.spend(now, 1);
        }
        if let Some(request) = packet.downcast_ref::<FullIntraRequest>() {
            return request.fir.len() <= WISHED && self.wishes.spend(now, 1);
        }
        // Goodbyes too: who is gone is said elsewhere.
        false
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Guard {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), Error> {
        let now = packet.now;
        if let Packet::Rtcp(said) = &mut packet.message.packet {
            said.retain(|one| self.allows(now, &**one));
            if said.is_empty() {
                return Ok(());
            }
        }
        self.inbound.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.outbound.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for Guard {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::goodbye::Goodbye;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        RunLengthChunk, StatusChunkTypeTcc, SymbolTypeTcc,
    };
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::NackPair;
    use std::time::Duration;

    fn nack(pairs: usize) -> TransportLayerNack {
        let pair = NackPair {
            packet_id: 1,
            lost_packets: 0xffff,
        };
        TransportLayerNack {
            sender_ssrc: 1,
            media_ssrc: 2,
            nacks: vec![pair; pairs],
        }
    }

    #[test]
    fn a_few_octets_do_not_have_thousands_of_packets_sent_again() {
        let (mut guard, now) = (Guard::new(Told::default()), Instant::now());
        assert!(!guard.allows(now, &nack(253)), "4,301 at once");
        let mut allowed = 0;
        for step in 0..10_000u32 {
            let at = now + step * Duration::from_millis(1);
            allowed += 17 * usize::from(guard.allows(at, &nack(1)));
        }
        assert!((2_900..=3_700).contains(&allowed), "{allowed} in 10 s");
    }

    #[test]
    fn what_an_honest_end_asks_for_passes() {
        let (mut guard, now) = (Guard::new(Told::default()), Instant::now());
        for step in 0..600u32 {
            let at = now + step * Duration::from_millis(50);
            let pli = PictureLossIndication {
                sender_ssrc: 1,
                media_ssrc: 2,
            };
            // 5 % of 500 packets a second, most of them asked for twice.
            let mut resend = nack(1);
            resend.nacks[0].lost_packets = 0b11;
            assert!(guard.allows(at, &resend));
            assert!(guard.allows(at, &ReceiverReport::default()));
            assert!(step % 10 != 0 || guard.allows(at, &pli));
        }
    }

    #[test]
    fn sixty_thousand_acknowledgments_in_forty_octets_are_not_weighed() {
        let (mut guard, now) = (Guard::new(Told::default()), Instant::now());
        let run = RunLengthChunk {
            type_tcc: StatusChunkTypeTcc::RunLengthChunk,
            packet_status_symbol: SymbolTypeTcc::PacketNotReceived,
            run_length: 0x1fff,
        };
        let feedback = |chunks| TransportLayerCc {
            packet_chunks: vec![PacketStatusChunk::RunLengthChunk(run.clone()); chunks],
            ..TransportLayerCc::default()
        };
        assert!(!guard.allows(now, &feedback(8)));
        assert!(guard.allows(now, &feedback(1)), "a long darkness");
    }

    #[test]
    fn what_nothing_uses_is_dropped() {
        let (mut guard, now) = (Guard::new(Told::default()), Instant::now());
        assert!(!guard.allows(now, &Goodbye::default()));
        let many = FullIntraRequest {
            fir: vec![Default::default(); WISHED + 1],
            ..FullIntraRequest::default()
        };
        assert!(!guard.allows(now, &many));
    }
}
