//! What the library makes of RTP and RTCP that somebody made who knows our
//! keys: whatever octets come out of SRTP, reading them ends, in a packet or in
//! an error, and never in a panic. What happens with packets that can be read
//! is tested beside the connection, in `src/peer/siege.rs`.
// The seed is for whoever has to run it again.
#![allow(clippy::print_stdout)]

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rtc::rtcp;
use rtc::rtp;
use rtc::shared::marshal::{Marshal, Unmarshal};
use std::panic::{AssertUnwindSafe, catch_unwind};

const SEED: u64 = 0x5077_04a1;
const TRIES: usize = 150_000;

/// One of each kind of RTCP, well formed, by its first octets: version and
/// count, type, length in words.
const KINDS: [[u8; 4]; 14] = [
    [0x81, 200, 0, 12],
    [0x81, 201, 0, 7],
    [0x81, 202, 0, 4],
    [0x81, 203, 0, 2],
    [0x80, 204, 0, 3],
    [0x81, 205, 0, 4],
    [0x85, 205, 0, 2],
    [0x8f, 205, 0, 6],
    [0x8b, 205, 0, 6],
    [0x81, 206, 0, 2],
    [0x82, 206, 0, 3],
    [0x84, 206, 0, 4],
    [0x8f, 206, 0, 5],
    [0x80, 207, 0, 6],
];

struct Dice(ChaCha8Rng);

impl Dice {
    fn new(seed: u64) -> Self {
        println!("seed {seed:#x}");
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, most: usize) -> usize {
        (self.0.next_u64() % most.max(1) as u64) as usize
    }

    fn octets(&mut self, length: usize) -> Vec<u8> {
        let mut octets = vec![0; length];
        self.0.fill_bytes(&mut octets);
        // Absurd fields are at their ends more often than anywhere else.
        for octet in &mut octets {
            match self.below(6) {
                0 => *octet = 0,
                1 => *octet = 0xff,
                _ => {}
            }
        }
        octets
    }

    /// Turns some of it over, and cuts or lengthens it.
    fn spoil(&mut self, octets: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            let at = self.below(octets.len());
            if let Some(octet) = octets.get_mut(at) {
                *octet ^= 1 << self.below(8);
            }
        }
        match self.below(5) {
            0 => octets.truncate(self.below(octets.len() + 1)),
            1 => {
                let more = self.below(24);
                octets.extend(self.octets(more));
            }
            _ => {}
        }
    }

    fn rtcp(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        for _ in 0..=self.below(3) {
            let mut head = KINDS[self.below(KINDS.len())];
            if self.below(4) == 0 {
                head[3] = self.below(40) as u8;
            }
            if self.below(4) == 0 {
                head[0] = 0x80 | self.below(64) as u8;
            }
            octets.extend(head);
            let body = usize::from(head[3]) * 4;
            octets.extend(self.octets(body));
        }
        self.spoil(&mut octets);
        octets
    }

    fn rtp(&mut self) -> Vec<u8> {
        let mut octets = self.octets(12);
        octets[0] = 0x80 | (octets[0] & 0x3f);
        let sources = usize::from(octets[0] & 0x0f) * 4;
        octets.extend(self.octets(sources));
        if octets[0] & 0x10 != 0 {
            let profile = [[0xbe, 0xde], [0x10, 0x00], [0x12, 0x34]][self.below(3)];
            octets.extend(profile);
            let words = self.below(9);
            let said = if self.below(5) == 0 { 0xffff } else { words };
            octets.extend((said as u16).to_be_bytes());
            octets.extend(self.octets(words * 4));
        }
        let payload = self.below(48);
        octets.extend(self.octets(payload));
        self.spoil(&mut octets);
        octets
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Reads as the library does what came out of SRTP, then looks at all of it.
fn reads(octets: &[u8], read: fn(Bytes)) {
    let given = Bytes::copy_from_slice(octets);
    let ended = catch_unwind(AssertUnwindSafe(move || read(given)));
    assert!(ended.is_ok(), "a panic over {}", hex(octets));
}

#[test]
fn any_octets_are_rtcp_or_an_error() {
    let mut dice = Dice::new(SEED);
    for _ in 0..TRIES {
        reads(&dice.rtcp(), |mut octets| {
            let Ok(packets) = rtcp::packet::unmarshal(&mut octets) else {
                return;
            };
            for packet in packets {
                let _ = (packet.header(), packet.destination_ssrc());
                let _ = (packet.raw_size(), packet.cloned());
            }
        });
    }
}

#[test]
fn any_octets_are_rtp_or_an_error() {
    let mut dice = Dice::new(SEED + 1);
    for _ in 0..TRIES {
        reads(&dice.rtp(), |mut octets| {
            let Ok(packet) = rtp::Packet::unmarshal(&mut octets) else {
                return;
            };
            for id in 0..=16 {
                if let Some(mut extension) = packet.header.get_extension(id) {
                    let _ = rtp::extension::transport_cc_extension::TransportCcExtension::unmarshal(
                        &mut extension,
                    );
                }
            }
            let _ = packet.header.marshal();
        });
    }
}
