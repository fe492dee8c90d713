//! Sealed frames of media: they open once, whole, and for the right sender,
//! stream and key.

use super::*;
use crate::sealing::window::Window;
use bytes::Bytes;
use sotto_client::call::media::MediaKey;

const STREAMS: [Stream; 3] = [Stream::Audio, Stream::Camera, Stream::Screen];

fn key(kid: u64, byte: u8) -> MediaKey {
    MediaKey::new(kid, [byte; 32])
}

fn alice() -> (Sealer, Opener) {
    let mut sealer = Sealer::new();
    let mut opener = Opener::new();
    sealer.set_key(&key(1, 7)).unwrap();
    opener.add_key(&key(1, 7));
    (sealer, opener)
}

/// Deterministic octets: a failure replays.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.roll() as u8).collect()
    }
}

#[test]
fn a_frame_of_every_stream_comes_back_as_it_was() {
    let (mut sealer, mut opener) = alice();
    for stream in STREAMS {
        for keyframe in [true, false] {
            let wire = sealer.seal(stream, keyframe, b"a frame").unwrap();
            let opened = opener.open(stream, &wire).unwrap();
            assert_eq!(&opened.data[..], b"a frame");
            assert_eq!(opened.keyframe, keyframe && stream != Stream::Audio);
            assert_eq!(opened.kid, 1);
        }
    }
    assert_eq!(opener.counts().opened, 6);
}

#[test]
fn an_empty_frame_is_a_frame() {
    let (mut sealer, mut opener) = alice();
    let wire = sealer.seal(Stream::Audio, false, b"").unwrap();
    assert_eq!(
        opener.open(Stream::Audio, &wire).unwrap().data,
        Bytes::new()
    );
}

/// RFC 9605, appendix C.3, AES_256_GCM_SHA512_128: the suite is the one of the
/// RFC, so the key schedule below is too.
#[test]
fn the_suite_is_the_one_of_the_rfc() {
    let base: Vec<u8> = (0..16).collect();
    let decrypting = sframe::key::DecryptionKey::derive_from(SUITE, 0x123u64, &base).unwrap();
    let wire = hex(concat!(
        "9901234567",
        "94f509d36e9beacb0e261d99c7d1e972f1fed787d4049f17ca21353c1cc24d56",
        "ceabced279"
    ));
    let metadata = hex("4945544620534672616d65205747");
    let view = sframe::frame::EncryptedFrameView::try_with_meta_data(&wire, &metadata).unwrap();
    let plain = view.decrypt(&decrypting).unwrap();
    assert_eq!(
        plain.payload(),
        hex("64726166742d696574662d736672616d652d656e63")
    );
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn any_flipped_bit_in_header_payload_or_trailer_is_refused() {
    for stream in STREAMS {
        let (mut sealer, _) = alice();
        // Past the counters that fit into the config octet.
        for _ in 0..300 {
            sealer.seal(stream, true, b"").unwrap();
        }
        let wire = sealer
            .seal(stream, true, b"forty-two octets of a picture")
            .unwrap();
        for bit in 0..wire.len() * 8 {
            let mut opener = alice().1;
            let mut bent = wire.to_vec();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(opener.open(stream, &bent).is_err(), "{stream:?} bit {bit}");
            assert_eq!(opener.counts().opened, 0);
            assert!(opener.open(stream, &wire).is_ok(), "and the true one opens");
        }
    }
}

#[test]
fn any_shortened_or_lengthened_frame_is_refused() {
    let (mut sealer, mut opener) = alice();
    let wire = sealer.seal(Stream::Camera, false, b"some frame").unwrap();
    for len in 0..wire.len() {
        assert!(opener.open(Stream::Camera, &wire[..len]).is_err());
    }
    let mut longer = wire.to_vec();
    longer.push(0);
    assert_eq!(opener.open(Stream::Camera, &longer), Err(OpenError::Forged));
}

#[test]
fn a_frame_of_the_camera_is_not_taken_for_the_screen() {
    let (mut sealer, mut opener) = alice();
    for sent in STREAMS {
        for claimed in STREAMS {
            let wire = sealer.seal(sent, true, b"frame").unwrap();
            let opened = opener.open(claimed, &wire);
            assert_eq!(opened.is_ok(), sent == claimed, "{sent:?} as {claimed:?}");
        }
    }
}

#[test]
fn a_delta_frame_is_not_taken_for_a_key_frame() {
    let (mut sealer, mut opener) = alice();
    let mut wire = sealer
        .seal(Stream::Camera, false, b"frame")
        .unwrap()
        .to_vec();
    assert_eq!(wire[0], 1);
    wire[0] = 0;
    assert_eq!(opener.open(Stream::Camera, &wire), Err(OpenError::Forged));
}

#[test]
fn a_frame_of_another_sender_is_refused() {
    let (_, mut alices) = alice();
    let mut mallory = Sealer::new();
    mallory.set_key(&key(1, 8)).unwrap();
    let wire = mallory.seal(Stream::Audio, false, b"i am alice").unwrap();
    assert_eq!(alices.open(Stream::Audio, &wire), Err(OpenError::Forged));
    assert_eq!(alices.counts().forged, 1);
}

#[test]
fn a_frame_opens_once() {
    let (mut sealer, mut opener) = alice();
    let wires: Vec<_> = (0..40)
        .map(|_| sealer.seal(Stream::Audio, false, b"once").unwrap())
        .collect();
    for wire in wires.iter().rev() {
        assert!(opener.open(Stream::Audio, wire).is_ok(), "late is fine");
    }
    for wire in &wires {
        assert_eq!(opener.open(Stream::Audio, wire), Err(OpenError::Replayed));
    }
    assert_eq!(opener.counts().replayed, 40);
}

#[test]
fn a_forged_frame_does_not_use_up_its_counter() {
    let (mut sealer, mut opener) = alice();
    let wire = sealer.seal(Stream::Audio, false, b"true").unwrap();
    let mut forged = wire.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(opener.open(Stream::Audio, &forged), Err(OpenError::Forged));
    assert!(opener.open(Stream::Audio, &wire).is_ok());
}

#[test]
fn a_key_that_is_not_here_is_named_and_may_come_later() {
    let (mut sealer, mut opener) = alice();
    sealer.set_key(&key(9, 1)).unwrap();
    let wire = sealer.seal(Stream::Audio, false, b"soon").unwrap();
    assert_eq!(
        opener.open(Stream::Audio, &wire),
        Err(OpenError::UnknownKey(9))
    );
    opener.add_key(&key(9, 1));
    assert!(opener.open(Stream::Audio, &wire).is_ok());
    assert_eq!(opener.counts().unknown_key, 1);
}

#[test]
fn a_forgotten_key_opens_nothing_and_does_not_come_back() {
    let (mut sealer, mut opener) = alice();
    let old = sealer.seal(Stream::Audio, false, b"old").unwrap();
    opener.add_key(&key(2, 3));
    opener.forget_below(2);
    assert_eq!(
        opener.open(Stream::Audio, &old),
        Err(OpenError::UnknownKey(1))
    );
    opener.add_key(&key(1, 7));
    assert!(!opener.has_key(1));
    assert!(opener.has_key(2));
}

#[test]
fn keys_held_are_bounded() {
    let mut opener = Opener::new();
    for kid in 0..1000 {
        opener.add_key(&key(kid, 1));
    }
    assert!(opener.has_key(999));
    assert!(!opener.has_key(900));
    opener.add_key(&key(900, 1));
    assert!(!opener.has_key(900));
}

#[test]
fn no_counter_returns_under_any_key() {
    let mut sealer = Sealer::new();
    let mut seen = std::collections::BTreeSet::new();
    for kid in [3, 4, 700] {
        sealer.set_key(&key(kid, 1)).unwrap();
        for stream in STREAMS.into_iter().cycle().take(1000) {
            let wire = sealer.seal(stream, false, b"x").unwrap();
            let sealed = &wire[usize::from(stream != Stream::Audio)..];
            let header = sframe::header::SframeHeader::deserialize(sealed).unwrap();
            assert_eq!(header.key_id(), kid);
            assert!(seen.insert((kid, header.counter())));
        }
        assert_eq!(sealer.set_key(&key(kid, 2)), Err(SealError::StaleKey));
        assert_eq!(sealer.set_key(&key(kid - 1, 2)), Err(SealError::StaleKey));
        assert_eq!(sealer.kid(), Some(kid));
    }
}

#[test]
fn nothing_is_sealed_without_a_key() {
    let sealed = Sealer::new().seal(Stream::Audio, false, b"secret");
    assert_eq!(sealed, Err(SealError::NoKey));
}

#[test]
fn a_header_written_the_long_way_is_refused() {
    let (mut sealer, mut opener) = alice();
    let wire = sealer.seal(Stream::Audio, false, b"frame").unwrap();
    // X and Y set, both values in one octet each, though they fit without.
    let mut long = vec![0x88, 1, 0];
    long.extend_from_slice(&wire[1..]);
    assert_eq!(opener.open(Stream::Audio, &long), Err(OpenError::Malformed));
}

#[test]
fn hostile_octets_are_an_outcome() {
    let mut dice = Dice(0x5077_0001);
    let (mut sealer, mut opener) = alice();
    for round in 0..20_000 {
        let stream = STREAMS[(dice.roll() % 3) as usize];
        let mut wire = if round % 3 == 0 {
            sealer.seal(stream, true, b"frame").unwrap().to_vec()
        } else {
            let len = (dice.roll() % 64) as usize;
            dice.bytes(len)
        };
        if let Some(at) = (dice.roll() as usize).checked_rem(wire.len()) {
            wire[at] ^= 1 + (dice.roll() % 255) as u8;
        }
        assert!(opener.open(stream, &wire).is_err());
    }
}

#[test]
fn the_window_agrees_with_a_plain_list() {
    let mut dice = Dice(0x5077_0002);
    let mut window = Window::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut base = 0;
    for _ in 0..20_000 {
        base += dice.roll() % 3;
        if dice.roll().is_multiple_of(500) {
            base += 3000;
        }
        let counter = base.saturating_sub(dice.roll() % 1200);
        let highest = seen.last().copied().unwrap_or(0);
        let recent = seen.is_empty() || counter > highest || highest - counter < 1024;
        assert_eq!(window.allows(counter), recent && !seen.contains(&counter));
        if window.allows(counter) {
            window.record(counter);
            seen.insert(counter);
        }
    }
}

#[test]
fn nothing_prints_a_key() {
    let (sealer, opener) = alice();
    assert_eq!(
        format!("{sealer:?} {opener:?}"),
        "<sealer Some(1)> <opener of 1 keys>"
    );
}
