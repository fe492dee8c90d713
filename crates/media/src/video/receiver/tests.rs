//! From frames to a tile: what is shown, and when a key frame is asked for.

use super::*;
use crate::device::pattern::{self, Style};
use crate::video::Content;
use crate::video::vp8::{Encoder, Settings};
use bytes::Bytes;
use std::sync::mpsc::{Receiver, channel};

const SIZE: Size = Size::new(320, 180);
const SOON: Duration = Duration::from_secs(20);

/// Frames of a test picture, the first one a keyframe.
fn frames(count: u32) -> Vec<EncodedVideo> {
    let mut encoder = Encoder::new(Settings {
        size: SIZE,
        fps: 30,
        bitrate: 800_000,
        content: Content::Camera,
    })
    .expect("an encoder");
    let encode = |number: u32| {
        let picture = pattern::draw(Style::Warm, SIZE, number, 0, Instant::now());
        let picture = picture.expect("a picture");
        let encoded = encoder.encode(&picture, i64::from(number) * 3000, false);
        let encoded = encoded.expect("encoded")?;
        Some(EncodedVideo {
            data: encoded.data,
            keyframe: encoded.keyframe,
            rtp_time: number * 3000,
        })
    };
    (0..count).filter_map(encode).collect()
}

struct Bob {
    receiver: VideoReceiver,
    events: Receiver<ReceiverEvent>,
}

impl Bob {
    fn new() -> Self {
        let (tell, events) = channel();
        let on_event = move |event| {
            let _ = tell.send(event);
        };
        let receiver = VideoReceiver::start(VideoKind::Camera, Arc::default(), on_event);
        Self {
            receiver: receiver.expect("it starts"),
            events,
        }
    }

    fn event(&self) -> ReceiverEvent {
        self.events.recv_timeout(SOON).expect("an event")
    }

    /// Wait until this frame is shown.
    fn sees(&self, number: u32) {
        let mut after = 0;
        loop {
            let (id, entry) = match self.receiver.tile().wait(after, SOON) {
                Some(found) => found,
                None => panic!("frame {number} does not come"),
            };
            if pattern::read(&entry).map(|(shown, _)| shown) == Some(number) {
                return;
            }
            after = id;
        }
    }
}

#[test]
fn frames_become_pictures_in_the_tile() {
    let bob = Bob::new();
    for frame in frames(10) {
        bob.receiver.push(frame);
    }
    bob.sees(9);
    assert_eq!(bob.event(), ReceiverEvent::FirstPicture);
    assert_eq!(bob.event(), ReceiverEvent::Resized(SIZE));
    let stats = bob.receiver.stats();
    assert_eq!((stats.pictures, stats.keyframes, stats.broken), (10, 1, 0));
    assert_eq!(stats.size, SIZE);
    assert_eq!(stats.freezes, 0);
}

#[test]
fn a_broken_frame_leads_to_a_keyframe_request_and_the_keyframe_mends_it() {
    let bob = Bob::new();
    let sent = frames(4);
    bob.receiver.push(sent[0].clone());
    bob.sees(0);
    bob.receiver.push(EncodedVideo {
        data: Bytes::from_static(b"\x01garbage"),
        ..sent[1].clone()
    });
    while bob.event() != ReceiverEvent::NeedsKeyframe {}
    bob.receiver.push(sent[2].clone());
    bob.receiver.push(sent[0].clone());
    bob.receiver.push(sent[1].clone());
    bob.sees(1);
    let stats = bob.receiver.stats();
    assert_eq!(stats.broken, 1);
    assert_eq!(stats.dropped, 1);
}

#[test]
fn a_lost_frame_is_told_and_a_keyframe_asked_for_until_it_comes() {
    let bob = Bob::new();
    let sent = frames(3);
    bob.receiver.push(sent[0].clone());
    bob.sees(0);
    bob.receiver.lost();
    while bob.event() != ReceiverEvent::NeedsKeyframe {}
    assert_eq!(bob.event(), ReceiverEvent::NeedsKeyframe, "again");
}

#[test]
fn a_camera_that_goes_off_and_on_shows_nothing_in_between() {
    let bob = Bob::new();
    let sent = frames(2);
    bob.receiver.push(sent[0].clone());
    bob.sees(0);
    assert_eq!(bob.event(), ReceiverEvent::FirstPicture);
    assert_eq!(bob.event(), ReceiverEvent::Resized(SIZE));
    bob.receiver.lost();
    bob.receiver.set_off(true);
    assert!(bob.receiver.tile().is_empty());
    // Late ones, and one that refers to nothing.
    bob.receiver.push(sent[0].clone());
    bob.receiver.push(sent[1].clone());
    bob.receiver.lost();
    assert!(bob.receiver.tile().is_empty());
    bob.receiver.set_off(false);
    assert!(bob.receiver.tile().is_empty(), "the old one is not live");
    bob.receiver.push(sent[0].clone());
    loop {
        match bob.event() {
            // Before it was off.
            ReceiverEvent::NeedsKeyframe => {}
            event => break assert_eq!(event, ReceiverEvent::FirstPicture),
        }
    }
    bob.sees(0);
    assert_eq!(bob.receiver.stats().freezes, 0);
}

#[test]
fn a_camera_that_is_off_is_asked_for_nothing_and_one_that_is_on_begins_clean() {
    let bob = Bob::new();
    let sent = frames(2);
    bob.receiver.push(sent[0].clone());
    assert_eq!(bob.event(), ReceiverEvent::FirstPicture);
    assert_eq!(bob.event(), ReceiverEvent::Resized(SIZE));
    bob.receiver.set_off(true);
    bob.receiver.lost();
    let asked = bob.events.recv_timeout(2 * ASK_AGAIN);
    assert!(asked.is_err(), "{asked:?}");
    bob.receiver.set_off(false);
    // Its key frame was faster than the word that it is on.
    bob.receiver.push(sent[1].clone());
    assert_eq!(bob.event(), ReceiverEvent::NeedsKeyframe);
}

#[test]
fn a_flood_does_not_grow_the_queue() {
    let bob = Bob::new();
    let sent = frames(2);
    bob.receiver.push(sent[0].clone());
    for _ in 0..10_000 {
        bob.receiver.push(sent[1].clone());
    }
    let stats = bob.receiver.stats();
    assert!(stats.deepest <= flow::DEPTH);
    bob.receiver.push(sent[0].clone());
    bob.sees(0);
}
