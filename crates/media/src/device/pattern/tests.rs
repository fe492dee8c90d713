//! The test picture: counter and time are read back at every size, and nothing
//! else is taken for it.

use super::*;
use crate::video::picture::Scaler;

const HD: Size = Size::new(1280, 720);

fn test_picture(frame: u32, time_ms: u64, size: Size) -> Picture {
    draw(Style::Cool, size, frame, time_ms, Instant::now()).expect("a picture")
}

#[test]
fn counter_and_time_are_read_back() {
    for (frame, time) in [
        (0, 0),
        (1, 1_700_000_000_123),
        (0xffff_ffff, u64::from(u32::MAX)),
        (0x5a5a_a5a5, 0x1234_5678),
    ] {
        for style in [Style::Cool, Style::Warm, Style::Page] {
            let picture = draw(style, HD, frame, time, Instant::now()).expect("a picture");
            assert_eq!(read(&picture), Some((frame, time as u32)));
        }
    }
}

#[test]
fn they_are_read_at_the_size_of_a_small_tile() {
    let mut scaler = Scaler::default();
    let picture = test_picture(123_456, 987_654_321, HD);
    for (width, height) in [(640, 360), (480, 270), (320, 180), (213, 120), (160, 90)] {
        let small = scaler
            .scale(&picture, Size::new(width, height))
            .expect("scaled");
        assert_eq!(
            read(&small),
            Some((123_456, 987_654_321)),
            "{width}×{height}"
        );
    }
}

#[test]
fn a_picture_that_is_none_is_not_read() {
    let gray = Picture::new(HD, vec![128; HD.bytes().expect("a size")], Instant::now());
    assert_eq!(read(&gray.expect("a picture")), None);
    let picture = test_picture(5, 5, HD);
    let mut data = picture.data.to_vec();
    // One block turned over.
    for row in 0..36 {
        let start = row * 1280 + 5 * 71 + 8;
        for value in &mut data[start..start + 71] {
            *value = 251 - *value;
        }
    }
    let damaged = Picture::new(HD, data, picture.at).expect("a picture");
    assert_eq!(read(&damaged), None);
    let tiny = test_picture(5, 5, Size::new(16, 16));
    assert_eq!(read(&tiny), None);
}

#[test]
fn every_size_can_be_drawn() {
    for width in (1..200).step_by(7) {
        for height in (1..200).step_by(11) {
            for style in [Style::Warm, Style::Page] {
                let size = Size::new(width, height);
                draw(style, size, 7, 7, Instant::now()).expect("a picture");
            }
        }
    }
}

#[test]
fn the_source_counts_without_a_gap_and_keeps_time() {
    let mut source = Pattern::sized(Style::Cool, Size::new(320, 180)).expect("it opens");
    let pace = Pace { fps: 100 };
    let begun = Instant::now();
    for frame in 0..6 {
        let picture = source.next(pace).expect("it works").expect("a picture");
        assert_eq!(read(&picture).map(|(number, _)| number), Some(frame));
    }
    // Thirty a second at most, the first at once.
    assert!(begun.elapsed().as_millis() >= 160);
}

#[test]
fn test_pictures_are_ordinary_devices() {
    assert_eq!(list(DeviceKind::Camera).len(), 2);
    assert_eq!(list(DeviceKind::Screen).len(), 1);
    assert!(list(DeviceKind::Speaker).is_empty());
    for device in list(DeviceKind::Camera) {
        assert!(device.synthetic);
        assert!(style(&device.name).is_some());
    }
}
