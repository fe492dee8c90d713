//! The newest picture of a tile: who gets it, at which size, and what it costs
//! nobody.

use super::*;
use crate::device::pattern::{Style, draw};

const HD: Size = Size::new(1280, 720);

fn picture(frame: u32) -> Picture {
    draw(Style::Cool, HD, frame, 0, Instant::now()).expect("a picture")
}

#[test]
fn a_page_gets_the_newest_picture_at_its_tiles_size() {
    let tile = Tile::default();
    assert!(tile.newest(320, 320, 0).is_none());
    tile.put(picture(1), 3000);
    tile.put(picture(2), 6000);
    let frame = tile.newest(320, 320, 0).expect("a frame");
    assert_eq!(frame.size, Size::new(320, 180));
    assert_eq!(frame.source, HD);
    assert_eq!(frame.rtp_time, 6000);
    assert_eq!(frame.data.len(), 320 * 180 * 3 / 2);
    assert!(tile.newest(320, 320, frame.id).is_none(), "it has it");
    let whole = tile.newest(9999, 9999, 0).expect("a frame");
    assert_eq!(whole.size, HD, "never larger than it came");
}

#[test]
fn two_windows_of_one_size_share_the_work() {
    let tile = Tile::default();
    tile.put(picture(1), 0);
    let first = tile.newest(640, 640, 0).expect("a frame");
    let second = tile.newest(640, 640, 0).expect("a frame");
    assert_eq!(first.data.as_ptr(), second.data.as_ptr());
    tile.put(picture(2), 3000);
    let third = tile.newest(640, 640, first.id).expect("a new one");
    assert_ne!(first.data.as_ptr(), third.data.as_ptr());
}

#[test]
fn a_hidden_tile_scales_nothing() {
    let tile = Tile::default();
    for frame in 0..50 {
        tile.put(picture(frame), frame * 3000);
    }
    assert!(tile.newest(0, 300, 0).is_none());
    assert!(tile.work().scaled.is_empty());
    assert_eq!(tile.shown(), Shown::default());
}

#[test]
fn it_tells_which_pictures_were_seen() {
    let tile = Tile::default();
    tile.put(picture(1), 3000);
    tile.newest(100, 100, 0);
    tile.newest(200, 200, 0);
    tile.put(picture(2), 6000);
    tile.newest(100, 100, 1);
    let shown = tile.shown();
    assert_eq!(shown.pictures, 2);
    assert_eq!(shown.rtp_time, 6000);
    assert!(shown.at.is_some());
}

#[test]
fn a_camera_that_is_off_leaves_no_picture_behind() {
    let tile = Tile::default();
    tile.put(picture(1), 3000);
    tile.newest(100, 100, 0);
    tile.clear();
    assert!(tile.is_empty());
    assert!(tile.newest(100, 100, 0).is_none());
    tile.put(picture(2), 6000);
    assert_eq!(tile.newest(100, 100, 1).map(|frame| frame.id), Some(2));
}
