//! Pictures from every camera layout: converted, scaled, cut, or refused before
//! they cost memory.

use super::*;
use crate::device::pattern::{self, Style};

const SMALL: Size = Size::new(64, 48);

/// The same pixel everywhere.
fn plain(layout: Layout, pixel: &[u8], size: Size) -> Picture {
    let bytes = pixel.repeat(size.area() as usize * 2 / pixel.len().min(2));
    let raw = Raw {
        layout,
        size,
        stride: None,
        bytes: &bytes,
        at: Instant::now(),
    };
    convert(raw).expect("a picture")
}

fn first(picture: &Picture) -> [u8; 3] {
    picture.planes().map(|plane| plane[plane.len() / 2])
}

fn near(found: [u8; 3], expected: [u8; 3]) {
    let far = found.iter().zip(expected).any(|(a, b)| a.abs_diff(b) > 2);
    assert!(!far, "{found:?} instead of {expected:?}");
}

#[test]
fn colors_become_studio_range_yuv() {
    // ITU-R BT.601: red.
    near(
        first(&plain(Layout::Rgb, &[255, 0, 0], SMALL)),
        [81, 90, 240],
    );
    near(
        first(&plain(Layout::Bgr, &[0, 0, 255], SMALL)),
        [81, 90, 240],
    );
    near(
        first(&plain(Layout::Rgba, &[255, 0, 0, 9], SMALL)),
        [81, 90, 240],
    );
    near(
        first(&plain(Layout::Bgra, &[0, 0, 255, 9], SMALL)),
        [81, 90, 240],
    );
    near(
        first(&plain(Layout::Rgb, &[255; 3], SMALL)),
        [235, 128, 128],
    );
    near(first(&plain(Layout::Rgb, &[0; 3], SMALL)), [16, 128, 128]);
    near(first(&plain(Layout::Gray, &[255], SMALL)), [235, 128, 128]);
    near(first(&plain(Layout::Gray, &[0], SMALL)), [16, 128, 128]);
}

#[test]
fn camera_layouts_are_dealt_out_to_planes() {
    near(
        first(&plain(Layout::Yuyv, &[50, 100, 50, 200], SMALL)),
        [50, 100, 200],
    );
    let mut nv12 = vec![50; 64 * 48];
    nv12.extend([100, 200].repeat(32 * 24));
    let raw = Raw {
        layout: Layout::Nv12,
        size: SMALL,
        stride: None,
        bytes: &nv12,
        at: Instant::now(),
    };
    near(first(&convert(raw).expect("a picture")), [50, 100, 200]);
}

#[test]
fn rows_may_have_padding_and_sides_may_be_odd() {
    for layout in [
        Layout::Bgra,
        Layout::Rgb,
        Layout::Nv12,
        Layout::Yuyv,
        Layout::Gray,
    ] {
        for (width, height) in [(1, 1), (1, 8), (2, 2), (3, 3), (7, 5), (64, 48), (33, 2)] {
            let size = Size::new(width, height);
            let stride = width * 4 + 12;
            let bytes = vec![128; (stride * (height + height.div_ceil(2))) as usize];
            let raw = Raw {
                layout,
                size,
                stride: Some(stride),
                bytes: &bytes,
                at: Instant::now(),
            };
            let Ok(picture) = convert(raw) else {
                assert_eq!(width.min(height), 1);
                continue;
            };
            let even = Size::new(width & !1, height & !1);
            assert_eq!(picture.size(), even);
            assert_eq!(picture.data.len(), even.bytes().expect("a size"));
        }
    }
}

#[test]
fn too_few_bytes_are_an_outcome() {
    let layouts = [
        Layout::Rgb,
        Layout::Bgra,
        Layout::Nv12,
        Layout::Yuyv,
        Layout::I420,
        Layout::Gray,
        Layout::Mjpeg,
    ];
    for layout in layouts {
        for length in [0, 1, 100, 64 * 48 - 1] {
            let bytes = vec![7; length];
            let raw = Raw {
                layout,
                size: SMALL,
                stride: None,
                bytes: &bytes,
                at: Instant::now(),
            };
            assert!(convert(raw).is_err(), "{layout:?} {length}");
        }
    }
}

#[test]
fn sizes_beyond_the_bounds_are_refused_before_anything_is_allocated() {
    for (width, height) in [(0, 4), (4, 0), (MAX_SIDE + 1, 2), (MAX_SIDE, MAX_SIDE)] {
        let size = Size::new(width, height);
        assert_eq!(size.bytes(), Err(PictureError::Size));
        let raw = Raw {
            layout: Layout::Bgra,
            size,
            stride: None,
            bytes: &[],
            at: Instant::now(),
        };
        assert_eq!(convert(raw).err(), Some(PictureError::Size));
    }
    let u32_max = Size::new(u32::MAX, u32::MAX);
    assert_eq!(u32_max.bytes(), Err(PictureError::Size));
}

/// Red, 16 × 16, as a camera would send it.
const JPEG: &[u8] = include_bytes!("red.jpg");

#[test]
fn a_camera_s_jpeg_is_read_and_a_torn_one_is_an_outcome() {
    let read = |bytes: &[u8]| {
        convert(Raw {
            layout: Layout::Mjpeg,
            size: Size::new(16, 16),
            stride: None,
            bytes,
            at: Instant::now(),
        })
    };
    let picture = read(JPEG).expect("a picture");
    assert_eq!(picture.size(), Size::new(16, 16));
    near(first(&picture), [81, 90, 240]);
    for length in 0..JPEG.len() {
        let _ = read(&JPEG[..length]);
    }
    for position in 0..JPEG.len() {
        let mut torn = JPEG.to_vec();
        torn[position] ^= 0xff;
        let _ = read(&torn);
    }
}

#[test]
fn cameras_may_leave_out_the_tables_that_are_always_the_same() {
    let bare = include_bytes!("bare.jpg");
    let picture = convert(Raw {
        layout: Layout::Mjpeg,
        size: Size::new(16, 16),
        stride: None,
        bytes: bare,
        at: Instant::now(),
    });
    near(first(&picture.expect("a picture")), [81, 90, 240]);
}

#[test]
fn a_jpeg_that_promises_too_much_is_refused() {
    let mut huge = JPEG.to_vec();
    let start = huge.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let start = start.expect("a start of frame");
    huge[start + 5..start + 9].fill(0xff);
    let raw = Raw {
        layout: Layout::Mjpeg,
        size: SMALL,
        stride: None,
        bytes: &huge,
        at: Instant::now(),
    };
    assert!(convert(raw).is_err());
}

#[test]
fn scaling_keeps_the_shape_and_never_enlarges() {
    let hd = Size::new(1280, 720);
    assert_eq!(fit(hd, Size::new(320, 320)), Size::new(320, 180));
    assert_eq!(fit(hd, Size::new(9999, 90)), Size::new(160, 90));
    assert_eq!(fit(hd, Size::new(9999, 9999)), hd);
    assert_eq!(
        fit(Size::new(720, 1280), Size::new(320, 320)),
        Size::new(180, 320)
    );
    assert_eq!(
        fit(Size::new(8000, 2), Size::new(100, 100)),
        Size::new(100, 1)
    );
    assert_eq!(
        fit_even(Size::new(333, 111), Size::new(999, 999)),
        Size::new(332, 110)
    );
    assert_eq!(
        fit_even(Size::new(8000, 2), Size::new(100, 100)),
        Size::new(100, 16)
    );
}

#[test]
fn a_scaled_picture_shows_the_same() {
    let mut scaler = Scaler::default();
    let hd = Size::new(1280, 720);
    let picture = pattern::draw(Style::Cool, hd, 99, 5, Instant::now()).expect("a picture");
    for (width, height) in [(640, 360), (333, 187), (1280, 720), (1920, 1080)] {
        let size = Size::new(width, height);
        let scaled = scaler.scale(&picture, size).expect("scaled");
        assert_eq!(scaled.size(), size);
        assert_eq!(pattern::read(&scaled), Some((99, 5)));
    }
    let same = scaler.scale(&picture, hd).expect("scaled");
    assert_eq!(
        same.data.as_ptr(),
        picture.data.as_ptr(),
        "nothing was copied"
    );
}

#[test]
fn odd_pictures_are_cut_to_even_ones() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (7, 5), (8, 6), (101, 64)] {
        let size = Size::new(width, height);
        let data: Vec<u8> = (0..size.bytes().expect("a size"))
            .map(|at| at as u8)
            .collect();
        let picture = Picture::new(size, data, Instant::now()).expect("a picture");
        let corner = first_of_each(&picture);
        let even = picture.even();
        assert!(even.width.is_multiple_of(2) && even.height.is_multiple_of(2));
        assert_eq!(even.data.len(), even.size().bytes().expect("a size"));
        assert_eq!(first_of_each(&even), corner);
    }
}

fn first_of_each(picture: &Picture) -> [u8; 3] {
    picture.planes().map(|plane| plane[0])
}
