//! The VP8 codec against itself, against settings that change and against
//! damaged frames.

use super::*;
use crate::device::pattern::{self, Style};
use crate::video::{Content, Picture, Size};
use std::time::Instant;

const SMALL: Size = Size::new(320, 180);

fn settings(size: Size) -> Settings {
    Settings {
        size,
        fps: 30,
        bitrate: 500_000,
        content: Content::Camera,
    }
}

fn picture(size: Size, frame: u32) -> Picture {
    pattern::draw(Style::Cool, size, frame, 42, Instant::now()).expect("a picture")
}

/// Encodes test pictures at 30 a second.
struct Studio {
    encoder: Encoder,
    frame: u32,
}

impl Studio {
    fn new(settings: Settings) -> Self {
        Self {
            encoder: Encoder::new(settings).expect("an encoder"),
            frame: 0,
        }
    }

    fn next(&mut self, keyframe: bool) -> Option<Encoded> {
        let picture = picture(self.encoder.settings().size, self.frame);
        let time = i64::from(self.frame) * 3000;
        self.frame += 1;
        self.encoder
            .encode(&picture, time, keyframe)
            .expect("encoded")
    }

    fn some(&mut self, count: u32) -> Vec<Encoded> {
        (0..count).filter_map(|_| self.next(false)).collect()
    }
}

fn shown(decoder: &mut Decoder, frame: &[u8]) -> Option<u32> {
    let picture = decoder.decode(frame, Instant::now()).ok().flatten()?;
    pattern::read(&picture).map(|(number, _)| number)
}

/// Small and repeatable.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit.max(1)
    }
}

#[test]
fn what_was_encoded_is_seen_again() {
    let mut studio = Studio::new(settings(SMALL));
    let mut decoder = Decoder::new();
    for number in 0..20 {
        let frame = studio.next(false).expect("a frame");
        assert_eq!(frame.keyframe, number == 0);
        assert_eq!(shown(&mut decoder, &frame.data), Some(number));
    }
}

#[test]
fn a_keyframe_comes_when_asked_for_and_begins_anew() {
    let mut studio = Studio::new(settings(SMALL));
    studio.some(5);
    let keyframe = studio.next(true).expect("a frame");
    assert!(keyframe.keyframe);
    let mut decoder = Decoder::new();
    assert_eq!(shown(&mut decoder, &keyframe.data), Some(5));
    let next = studio.next(false).expect("a frame");
    assert!(!next.keyframe);
    assert_eq!(shown(&mut decoder, &next.data), Some(6));
}

#[test]
fn the_bitrate_is_kept_and_follows() {
    let hd = Size::new(640, 360);
    let mut studio = Studio::new(Settings {
        bitrate: 300_000,
        ..settings(hd)
    });
    let bits = |frames: &[Encoded]| {
        frames
            .iter()
            .map(|frame| frame.data.len() * 8)
            .sum::<usize>()
    };
    studio.some(60);
    let low = bits(&studio.some(90)) / 3;
    let faster = Settings {
        bitrate: 100_000,
        ..settings(hd)
    };
    studio.encoder.change(faster).expect("changed");
    studio.some(60);
    let lower = bits(&studio.some(90)) / 3;
    assert!(low < 400_000, "{low} bits a second instead of 300,000");
    assert!(lower < 150_000, "{lower} bits a second instead of 100,000");
}

#[test]
fn size_and_content_may_change_in_the_middle() {
    let mut studio = Studio::new(settings(SMALL));
    let mut decoder = Decoder::new();
    let sizes = [
        (320, 180),
        (640, 360),
        (160, 90),
        (1280, 720),
        (320, 240),
        (90, 160),
    ];
    for (width, height) in sizes {
        let size = Size::new(width, height);
        studio.encoder.change(settings(size)).expect("changed");
        for index in 0..3 {
            let Some(frame) = studio.next(false) else {
                continue;
            };
            assert_eq!(frame.keyframe, index == 0, "{size:?}");
            let picture = decoder
                .decode(&frame.data, Instant::now())
                .expect("decoded");
            assert_eq!(picture.expect("a picture").size(), size);
        }
    }
    let text = Settings {
        content: Content::Text,
        ..settings(SMALL)
    };
    studio.encoder.change(text).expect("changed");
    assert!(studio.next(false).expect("a frame").keyframe);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let good = settings(SMALL);
    let bad = [
        Settings {
            size: Size::new(321, 180),
            ..good
        },
        Settings {
            size: Size::new(0, 0),
            ..good
        },
        Settings {
            size: Size::new(8192, 16),
            ..good
        },
        Settings {
            size: Size::new(4096, 4096),
            ..good
        },
        Settings { fps: 0, ..good },
        Settings { bitrate: 0, ..good },
    ];
    for settings in bad {
        assert_eq!(Encoder::new(settings).err(), Some(Vp8Error::Settings));
    }
    let mut encoder = Encoder::new(good).expect("an encoder");
    let other = picture(Size::new(160, 90), 0);
    assert_eq!(encoder.encode(&other, 0, false).err(), Some(Vp8Error::Size));
}

#[test]
fn time_that_stands_still_or_goes_back_does_no_harm() {
    let mut encoder = Encoder::new(settings(SMALL)).expect("an encoder");
    for time in [5000, 5000, 100, -4, 9000] {
        encoder
            .encode(&picture(SMALL, 1), time, false)
            .expect("encoded");
    }
}

#[test]
fn without_a_keyframe_nothing_is_decoded() {
    let mut studio = Studio::new(settings(SMALL));
    let frames = studio.some(3);
    let mut decoder = Decoder::new();
    let early = decoder.decode(&frames[1].data, Instant::now());
    assert_eq!(early.err(), Some(Vp8Error::NeedsKeyframe));
    assert_eq!(shown(&mut decoder, &frames[0].data), Some(0));
    decoder
        .decode(&[], Instant::now())
        .expect_err("nothing is no frame");
    let late = decoder.decode(&frames[1].data, Instant::now());
    assert_eq!(
        late.err(),
        Some(Vp8Error::NeedsKeyframe),
        "after an error too"
    );
    assert_eq!(shown(&mut decoder, &frames[0].data), Some(0));
}

#[test]
fn damaged_frames_are_an_outcome_and_the_next_keyframe_mends_it() {
    let mut random = Random(20_261_120);
    let mut studio = Studio::new(settings(SMALL));
    let frames = studio.some(10);
    let mut decoder = Decoder::new();
    for round in 0..3000 {
        let mut frame = frames[random.below(frames.len())].data.to_vec();
        match random.below(4) {
            0 => frame.truncate(random.below(frame.len())),
            1 => {
                let from = random.below(frame.len());
                for byte in &mut frame[from..] {
                    *byte = random.next() as u8;
                }
            }
            2 => {
                for _ in 0..=random.below(20) {
                    let at = random.below(frame.len());
                    frame[at] ^= 1 << random.below(8);
                }
            }
            _ => frame.extend((0..random.below(500)).map(|at| at as u8)),
        }
        if let Ok(Some(picture)) = decoder.decode(&frame, Instant::now()) {
            assert!(picture.size().area() <= MAX_AREA);
        }
        if round % 100 == 0 {
            assert_eq!(shown(&mut decoder, &frames[0].data), Some(0));
        }
    }
}

#[test]
fn random_bytes_are_an_outcome() {
    let mut random = Random(41);
    let mut decoder = Decoder::new();
    for _ in 0..3000 {
        let length = random.below(2000);
        let mut frame: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        // Half of them begin like a keyframe of a size that is allowed.
        if length > 10 && random.below(2) == 0 {
            let partition = random.below(length - 9) as u32;
            let tag = (partition.max(1) << 5 | 0x10).to_le_bytes();
            frame[..3].copy_from_slice(&tag[..3]);
            frame[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
            frame[6..10].copy_from_slice(&[random.next() as u8, 1, random.next() as u8, 1]);
        }
        let _ = decoder.decode(&frame, Instant::now());
    }
}

#[test]
fn a_screen_is_sharp_after_some_frames() {
    let size = Size::new(640, 360);
    let mut encoder = Encoder::new(Settings {
        content: Content::Text,
        fps: 5,
        ..settings(size)
    })
    .expect("an encoder");
    let page = pattern::draw(Style::Page, size, 1, 1, Instant::now()).expect("a picture");
    let mut decoder = Decoder::new();
    let mut last = None;
    for step in 0..12 {
        let frame = encoder
            .encode(&page, step * 18_000, false)
            .expect("encoded");
        let frame = frame.expect("no frame of text is left out");
        last = decoder
            .decode(&frame.data, Instant::now())
            .expect("decoded");
    }
    let last = last.expect("a picture");
    let worst = page.data.iter().zip(last.data.iter());
    let difference: u64 = worst.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    let mean = difference as f64 / page.data.len() as f64;
    assert!(mean < 20.0, "mean squared error {mean}");
}
