//! Y4M files as cameras: whole ones loop, broken or absent ones are an outcome.

use super::*;
use std::io::Write;
use tempfile::NamedTempFile;

const PACE: Pace = Pace { fps: 30 };

fn file(head: &str, frames: &[u8], tail: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(head.as_bytes()).expect("written");
    for value in frames {
        file.write_all(b"FRAME\n").expect("written");
        file.write_all(&[*value; 24]).expect("written");
    }
    file.write_all(tail).expect("written");
    file
}

fn luma(source: &mut Y4m) -> Result<u8, DeviceError> {
    let picture = source.next(PACE)?.expect("a picture");
    assert_eq!(picture.size(), Size::new(4, 4));
    Ok(picture.data[0])
}

#[test]
fn it_plays_in_a_loop() {
    let file = file("YUV4MPEG2 W4 H4 F60:1 Ip C420jpeg\n", &[1, 2, 3], &[]);
    let mut source = Y4m::open(file.path()).expect("it opens");
    let seen: Vec<_> = (0..7).map(|_| luma(&mut source)).collect();
    assert_eq!(seen, [1, 2, 3, 1, 2, 3, 1].map(Ok));
}

#[test]
fn a_frame_that_is_cut_short_ends_the_round() {
    let file = file("YUV4MPEG2 W4 H4 F60:1\n", &[1, 2], b"FRAME\nab");
    let mut source = Y4m::open(file.path()).expect("it opens");
    let seen: Vec<_> = (0..4).map(|_| luma(&mut source)).collect();
    assert_eq!(seen, [1, 2, 1, 2].map(Ok));
}

#[test]
fn broken_files_are_an_outcome() {
    for head in [
        "",
        "YUV4MPEG2 W4 H4",
        "YUV4MPEG2 W0 H4\n",
        "YUV4MPEG2 W99999 H99999\n",
        "YUV4MPEG2 W4 H4 C444\n",
        "YUV4MPEG2 W4 H4 C420p10\n",
        "YUV4MPEG2 W4 H4 F0:0\n",
        "YUV4MPEG2 W-4 H4\n",
        "RIFF\n",
    ] {
        let file = file(head, &[], &[]);
        assert_eq!(
            Y4m::open(file.path()).err(),
            Some(DeviceError::Broken),
            "{head}"
        );
    }
    let long = "YUV4MPEG2 ".repeat(1000);
    let file = file(&long, &[], &[]);
    assert_eq!(Y4m::open(file.path()).err(), Some(DeviceError::Broken));
}

#[test]
fn a_file_without_frames_or_with_garbage_breaks_once_and_stays_so() {
    let empty = file("YUV4MPEG2 W4 H4\n", &[], &[]);
    let mut source = Y4m::open(empty.path()).expect("it opens");
    assert_eq!(luma(&mut source), Err(DeviceError::Broken));
    let garbage = file("YUV4MPEG2 W4 H4\n", &[1], b"what\n");
    let mut source = Y4m::open(garbage.path()).expect("it opens");
    assert_eq!(luma(&mut source), Ok(1));
    assert_eq!(luma(&mut source), Err(DeviceError::Broken));
}

#[test]
fn a_file_that_is_not_there_is_no_device() {
    let path = Path::new("/nowhere/at-all.y4m");
    assert_eq!(Y4m::open(path).err(), Some(DeviceError::NoDevice));
    assert_eq!(super::path(&device(path).name).as_deref(), Some(path));
}
