//! From a device to frames: sizes, rates, key frames, and devices that fail.

use super::*;
use crate::device::pattern::{self, Pattern, Style};
use crate::video::source::VideoSource;
use crate::video::vp8::Decoder;
use std::sync::mpsc::{Receiver, channel};

const SIZE: Size = Size::new(320, 180);
const SOON: Duration = Duration::from_secs(20);

const TARGET: Target = Target {
    size: SIZE,
    fps: 30,
    bitrate: 600_000,
};

fn test_picture() -> Open {
    Box::new(|| Ok(Box::new(Pattern::sized(Style::Cool, Size::new(640, 360))?)))
}

struct Alice {
    sender: VideoSender,
    sent: Receiver<Sent>,
    events: Receiver<SenderEvent>,
}

impl Alice {
    fn with(open: Open, content: Content, target: Option<Target>) -> Self {
        let (tell_sent, sent) = channel();
        let (tell, events) = channel();
        let sink = move |frame| {
            let _ = tell_sent.send(frame);
        };
        let on_event = move |event| {
            let _ = tell.send(event);
        };
        let sender = VideoSender::start(open, content, target, 1000, sink, on_event);
        Self {
            sender: sender.expect("it starts"),
            sent,
            events,
        }
    }

    fn new(target: Option<Target>) -> Self {
        Self::with(test_picture(), Content::Camera, target)
    }

    fn frame(&self) -> Sent {
        self.sent.recv_timeout(SOON).expect("a frame")
    }

    fn event(&self) -> SenderEvent {
        self.events.recv_timeout(SOON).expect("an event")
    }
}

#[test]
fn the_camera_s_picture_goes_out_scaled_and_stamped() {
    let alice = Alice::new(Some(TARGET));
    let mut decoder = Decoder::new();
    let mut last: Option<(u32, u32)> = None;
    for _ in 0..10 {
        let sent = alice.frame();
        assert_eq!(sent.size, SIZE);
        assert!(sent.encoded >= sent.captured);
        let picture = decoder
            .decode(&sent.frame.data, Instant::now())
            .expect("decoded");
        let (number, _) = pattern::read(&picture.expect("a picture")).expect("readable");
        if let Some((number_before, time_before)) = last {
            assert!(number > number_before);
            assert!(sent.frame.rtp_time.wrapping_sub(time_before) < 90_000);
        }
        last = Some((number, sent.frame.rtp_time));
    }
    assert_eq!(alice.event(), SenderEvent::Works(Size::new(640, 360)));
    let stats = alice.sender.stats();
    assert_eq!(stats.source, Size::new(640, 360));
    assert_eq!(stats.size, SIZE);
    assert!(stats.frames >= 10 && stats.keyframes == 1);
}

#[test]
fn without_a_target_only_the_own_preview_moves() {
    let alice = Alice::new(None);
    alice.event();
    let preview = alice.sender.preview();
    let (first, _) = preview.wait(0, SOON).expect("a picture");
    preview.wait(first + 2, SOON).expect("another");
    assert!(alice.sent.try_recv().is_err());
    assert!(alice.sender.stats().paused);
    alice.sender.set_target(Some(TARGET));
    assert!(alice.frame().frame.keyframe);
}

#[test]
fn whoever_was_paused_begins_with_a_keyframe() {
    let alice = Alice::new(Some(TARGET));
    alice.frame();
    alice.sender.set_target(None);
    alice.sender.set_target(Some(TARGET));
    let mut sent = alice.frame();
    while !sent.frame.keyframe {
        sent = alice.frame();
    }
}

#[test]
fn a_keyframe_comes_on_request_and_requests_do_not_add_up() {
    let alice = Alice::new(Some(TARGET));
    assert!(alice.frame().frame.keyframe);
    for _ in 0..50 {
        alice.sender.request_keyframe();
    }
    let mut captured = Vec::new();
    while captured.is_empty() {
        let sent = alice.frame();
        if sent.frame.keyframe {
            captured.push(sent.captured);
        }
    }
    for _ in 0..10 {
        assert!(!alice.frame().frame.keyframe);
    }
}

#[test]
fn a_new_target_changes_the_size_with_a_keyframe() {
    let alice = Alice::new(Some(TARGET));
    alice.frame();
    let smaller = Target {
        size: Size::new(160, 90),
        ..TARGET
    };
    alice.sender.set_target(Some(smaller));
    let mut sent = alice.frame();
    while sent.size == SIZE {
        sent = alice.frame();
    }
    assert_eq!(sent.size, Size::new(160, 90));
    assert!(sent.frame.keyframe);
}

#[test]
fn the_rate_is_not_more_than_wanted() {
    let slow = Target { fps: 5, ..TARGET };
    let alice = Alice::new(Some(slow));
    let first = alice.frame().captured;
    let mut last = first;
    for _ in 0..4 {
        last = alice.frame().captured;
    }
    assert!(last - first >= Duration::from_millis(4 * 200 - 70));
}

/// What becomes of a device, in a row.
struct Scripted {
    steps: Vec<Result<Option<Picture>, DeviceError>>,
    dropped: std::sync::mpsc::Sender<()>,
}

impl VideoSource for Scripted {
    fn next(&mut self, _: Pace) -> Result<Option<Picture>, DeviceError> {
        if self.steps.is_empty() {
            return Err(DeviceError::Vanished);
        }
        self.steps.remove(0)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.dropped.send(());
    }
}

#[test]
fn a_device_that_is_unplugged_is_told_and_let_go_of() {
    let (dropped, was_dropped) = channel();
    let picture = pattern::draw(Style::Cool, SIZE, 1, 1, Instant::now()).expect("a picture");
    let steps = vec![Ok(None), Ok(Some(picture))];
    let open: Open = Box::new(move || Ok(Box::new(Scripted { steps, dropped })));
    let alice = Alice::with(open, Content::Camera, Some(TARGET));
    assert_eq!(alice.event(), SenderEvent::Works(SIZE));
    assert_eq!(alice.event(), SenderEvent::Failed(DeviceError::Vanished));
    assert_eq!(alice.event(), SenderEvent::Closed);
    was_dropped.recv_timeout(SOON).expect("let go of");
    assert!(alice.sender.preview().is_empty(), "no last picture stays");
}

#[test]
fn a_device_that_does_not_open_is_told() {
    for error in [
        DeviceError::Busy,
        DeviceError::Refused,
        DeviceError::NoDevice,
    ] {
        let open: Open = Box::new(move || Err(error));
        let alice = Alice::with(open, Content::Camera, Some(TARGET));
        assert_eq!(alice.event(), SenderEvent::Failed(error));
        assert_eq!(alice.event(), SenderEvent::Closed);
    }
}

#[test]
fn a_camera_that_is_switched_off_closes_its_device() {
    let Alice {
        sender,
        sent,
        events,
    } = Alice::new(Some(TARGET));
    sent.recv_timeout(SOON).expect("a frame");
    drop(sender);
    while events.recv_timeout(SOON).expect("an event") != SenderEvent::Closed {}
    while sent.recv_timeout(SOON).is_ok() {}
}

#[test]
fn a_screen_that_stands_still_is_hardly_sent() {
    struct Page(Picture, crate::video::source::Metronome);
    impl VideoSource for Page {
        fn next(&mut self, _: Pace) -> Result<Option<Picture>, DeviceError> {
            let at = self.1.wait(60);
            Ok(Some(Picture {
                at,
                ..self.0.clone()
            }))
        }
    }
    let page = pattern::draw(Style::Page, SIZE, 1, 1, Instant::now()).expect("a picture");
    let open: Open = Box::new(|| Ok(Box::new(Page(page, Default::default()))));
    let alice = Alice::with(open, Content::Motion, Some(TARGET));
    let sharpened: Vec<_> = (0..12).map(|_| alice.frame().captured).collect();
    let next = alice.frame().captured;
    assert!(next - sharpened[11] >= Duration::from_millis(900));
}

#[test]
fn a_screen_is_shown_otherwise_without_being_opened_again() {
    let opened = Arc::new(Mutex::new(0));
    let count = Arc::clone(&opened);
    let open: Open = Box::new(move || {
        *count.lock().unwrap() += 1;
        Ok(Box::new(Pattern::sized(Style::Page, Size::new(640, 360))?))
    });
    let alice = Alice::with(open, Content::Text, Some(TARGET));
    let mut decoder = Decoder::new();
    let mut shows = || {
        let sent = alice.frame();
        let picture = decoder.decode(&sent.frame.data, Instant::now());
        assert!(picture.expect("decoded").is_some());
        sent.frame.keyframe
    };
    assert!(shows());
    alice.sender.set_content(Content::Motion);
    // It begins with a picture that needs none before it.
    while !shows() {}
    for _ in 0..3 {
        shows();
    }
    assert_eq!(*opened.lock().unwrap(), 1);
}
