//! What opens a device, and what does not.

use super::super::ends::RETRY;
use super::super::*;
use crate::device::{DeviceError, DeviceKind, DeviceName};
use crate::session::{Preview, Shown};
use crate::video::source;
use sotto_client::call::media::{
    Candidate, Description, DescriptionKind, MediaKey, MediaOrder, ScreenMode,
};
use sotto_wire::{DeviceId, UserId};

const CALL: CallId = CallId([1; 16]);
const PEER: Peer = Peer {
    user: UserId([2; 32]),
    device: DeviceId([2; 16]),
};

fn made(kind: DeviceKind) -> Option<DeviceName> {
    let devices = source::list(kind);
    let made = devices.into_iter().find(|device| device.synthetic);
    made.map(|device| device.name)
}

fn task() -> (Task, mpsc::UnboundedReceiver<MediaReport>) {
    let setup = Setup {
        choices: Choices {
            microphone: Some(DeviceName("tone:440".into())),
            camera: made(DeviceKind::Camera),
            screen: made(DeviceKind::Screen),
            ..Choices::default()
        },
        ..Setup::default()
    };
    let (reports, reported) = mpsc::unbounded_channel();
    let devices = Arc::new(Devices::default());
    let task = Task::new(setup, devices, Arc::new(View::default()), reports);
    (task, reported)
}

fn nothing_is_open(task: &Task) -> bool {
    task.sound.stats().is_none() && !task.camera.is_open() && !task.screen.is_open()
}

/// Every order but the one to send, and what it is made of from outside.
fn orders() -> Vec<MediaOrder> {
    let (call, peer) = (CALL, PEER);
    let description = |kind, sdp: &str| MediaOrder::Describe {
        call,
        peer,
        description: Description {
            kind,
            sdp: sdp.into(),
        },
    };
    let connect = |offers| MediaOrder::Connect { call, peer, offers };
    vec![
        MediaOrder::Begin {
            call,
            paths: Paths::default(),
        },
        connect(false),
        description(DescriptionKind::Offer, "v=0\r\n"),
        description(DescriptionKind::Answer, ""),
        MediaOrder::AddCandidate {
            call,
            peer,
            candidate: Candidate {
                line: "candidate:1 1 udp 1 192.0.2.1 5000 typ host".into(),
                mid: "0".into(),
            },
        },
        MediaOrder::Disconnect { call, peer },
        connect(true),
        MediaOrder::Restart { call, peer },
        MediaOrder::SealWith {
            call,
            key: MediaKey::new(1, [1; 32]),
        },
        MediaOrder::OpenWith {
            call,
            peer,
            key: MediaKey::new(1, [2; 32]),
        },
        MediaOrder::Forget { call, peer, kid: 1 },
    ]
}

fn send(call: CallId) -> MediaOrder {
    let sending = Sending {
        microphone: true,
        camera: true,
        screen: Some(ScreenMode::Text),
    };
    MediaOrder::Send { call, sending }
}

#[tokio::test]
async fn attack_10_nothing_is_opened_without_an_order_to_send() {
    let (mut task, _reported) = task();
    // One that is not of this call is none.
    task.obey(Command::Order(send(CALL)));
    assert!(nothing_is_open(&task));
    for order in orders() {
        let what = format!("{order:?}");
        task.obey(Command::Order(order));
        assert!(nothing_is_open(&task), "{what}");
    }
    task.obey(Command::Order(send(CallId([9; 16]))));
    assert!(nothing_is_open(&task), "another call's");
    let tile = TileId::Camera(PEER);
    for command in [
        Command::Show(vec![Shown {
            tile,
            width: 640,
            height: 360,
        }]),
        Command::Volume(PEER, 2.0),
        Command::Choose(task.choices.clone()),
        Command::Process(Default::default()),
    ] {
        task.obey(command);
        assert!(nothing_is_open(&task));
    }
    // What is listed is not opened either.
    let mut watch = task.devices.watch();
    let known = watch.wait_for(|listing| listing.known).await;
    assert!(known.is_ok(), "the list is made");
    task.listing = Some(task.devices.watch());
    task.tend_pictures();
    assert!(nothing_is_open(&task));

    task.obey(Command::Order(send(CALL)));
    assert!(task.camera.is_open() && task.screen.is_open());
    assert!(task.sound.stats().is_some());
    task.obey(Command::Order(MediaOrder::End { call: CALL }));
    assert!(nothing_is_open(&task));
}

#[tokio::test]
async fn a_speaker_that_fails_is_reported_and_one_that_plays_again() {
    let (mut task, mut reported) = task();
    task.obey(Command::Order(MediaOrder::Begin {
        call: CALL,
        paths: Paths::default(),
    }));
    let failed = || Inner::Speaker(PlayoutEvent::Failed(DeviceError::Vanished));
    let plays = Inner::Speaker(PlayoutEvent::Opened(DeviceName("boxes".into())));
    for event in [failed(), failed(), plays] {
        task.hear(event);
    }
    let mut said = Vec::new();
    while let Ok(report) = reported.try_recv() {
        if let MediaReport::Source { source, state, .. } = report {
            said.push((source, state));
        }
    }
    let speaker = |state| (Source::Speaker, state);
    let expected = [SourceState::Vanished, SourceState::Works].map(speaker);
    assert_eq!(said, expected);
    task.obey(Command::Order(MediaOrder::End { call: CALL }));
    task.hear(failed());
    assert!(reported.try_recv().is_err(), "without a call it is no news");
}

#[tokio::test]
async fn what_is_tried_and_does_not_open_is_said_and_is_no_news_for_a_call() {
    let (mut task, mut reported) = task();
    task.obey(Command::Preview(Preview {
        microphone: true,
        camera: false,
    }));
    let failed = || Inner::Microphone(CaptureEvent::Failed(DeviceError::Busy));
    task.hear(failed());
    let busy = (Source::Microphone, SourceState::Busy);
    assert_eq!(task.troubles(), [busy]);
    assert!(reported.try_recv().is_err());
    // It works again, or is not tried any more.
    let opened = CaptureEvent::Opened(DeviceName("tone:440".into()));
    task.hear(Inner::Microphone(opened));
    assert_eq!(task.troubles(), []);
    task.hear(failed());
    task.obey(Command::Preview(Preview::default()));
    assert_eq!(task.troubles(), []);
}

#[tokio::test]
async fn a_speaker_that_is_tested_and_does_not_play_is_said_while_somebody_looks() {
    let (mut task, mut reported) = task();
    let looks = Preview {
        microphone: true,
        camera: false,
    };
    task.obey(Command::Preview(looks));
    let silent = || Inner::Test(Err(DeviceError::NoDevice));
    task.hear(silent());
    let expected = [(Source::Speaker, SourceState::NoDevice)];
    assert_eq!(task.troubles(), expected);
    task.hear(Inner::Test(Ok(())));
    assert_eq!(task.troubles(), []);
    task.hear(silent());
    let another = Choices {
        speaker: Some(DeviceName("silence:".into())),
        ..task.choices.clone()
    };
    task.obey(Command::Choose(another));
    assert_eq!(task.troubles(), [], "it was another");
    task.hear(silent());
    task.obey(Command::Preview(Preview::default()));
    assert_eq!(task.troubles(), []);
    assert!(reported.try_recv().is_err(), "there is no call");
}

/// Its devices are listed, so that what is chosen can be opened.
async fn task_with_devices() -> (Task, mpsc::UnboundedReceiver<MediaReport>) {
    let (task, reported) = task();
    let mut watch = task.devices.watch();
    let known = watch.wait_for(|listing| listing.known).await;
    assert!(known.is_ok(), "the list is made");
    (task, reported)
}

fn fails(task: &mut Task, kind: VideoKind, why: DeviceError) {
    task.picture_said(kind, SenderEvent::Failed(why));
}

fn ticks(task: &mut Task, number: u64) {
    (0..number).for_each(|_| task.tick());
}

/// Hears what devices say until it is so.
async fn hears_until(task: &mut Task, done: impl Fn(&Task) -> bool) {
    while !done(task) {
        let said = task.told.recv().await.expect("it holds a way to itself");
        task.hear(said);
    }
}

#[tokio::test]
async fn a_camera_that_was_busy_in_the_lobby_is_tried_again_until_it_opens() {
    let (mut task, _reported) = task_with_devices().await;
    task.obey(Command::Preview(Preview {
        microphone: false,
        camera: true,
    }));
    let busy = (Source::Camera, SourceState::Busy);
    for _ in 0..2 {
        fails(&mut task, VideoKind::Camera, DeviceError::Busy);
        ticks(&mut task, RETRY - 1);
        assert!(!task.camera.is_open(), "not at once");
        assert_eq!(task.troubles(), [busy]);
        task.tick();
        assert!(task.camera.is_open());
    }
    hears_until(&mut task, |task| task.troubles().is_empty()).await;
}

#[tokio::test]
async fn a_camera_that_was_busy_in_a_call_is_tried_again_while_it_is_wanted() {
    let (mut task, mut reported) = task_with_devices().await;
    let begin = MediaOrder::Begin {
        call: CALL,
        paths: Paths::default(),
    };
    task.obey(Command::Order(begin));
    task.obey(Command::Order(send(CALL)));
    for _ in 0..2 {
        fails(&mut task, VideoKind::Camera, DeviceError::Busy);
        ticks(&mut task, RETRY);
        assert!(task.camera.is_open());
    }
    let works = Some(&SourceState::Works);
    hears_until(&mut task, |task| task.sources.get(&Source::Camera) == works).await;
    let mut said = Vec::new();
    while let Ok(report) = reported.try_recv() {
        if let MediaReport::Source {
            source: Source::Camera,
            state,
            ..
        } = report
        {
            said.push(state);
        }
    }
    // A try that failed as the one before is no news.
    assert_eq!(said, [SourceState::Busy, SourceState::Works]);

    fails(&mut task, VideoKind::Camera, DeviceError::Busy);
    let sending = Sending::default();
    task.obey(Command::Order(MediaOrder::Send {
        call: CALL,
        sending,
    }));
    ticks(&mut task, 2 * RETRY);
    assert!(!task.camera.is_open(), "nobody wants it any more");
}

#[tokio::test]
async fn what_failed_otherwise_waits_for_the_devices_to_change() {
    let (mut task, _reported) = task_with_devices().await;
    let begin = MediaOrder::Begin {
        call: CALL,
        paths: Paths::default(),
    };
    task.obey(Command::Order(begin));
    task.obey(Command::Order(send(CALL)));
    // A portal would ask the person again.
    fails(&mut task, VideoKind::Screen, DeviceError::Busy);
    fails(&mut task, VideoKind::Camera, DeviceError::Refused);
    ticks(&mut task, 2 * RETRY);
    assert!(!task.camera.is_open() && !task.screen.is_open());
}

#[tokio::test]
async fn a_screen_that_was_refused_is_asked_for_again_only_when_it_is_wished_anew() {
    let (mut task, mut reported) = task_with_devices().await;
    let begin = MediaOrder::Begin {
        call: CALL,
        paths: Paths::default(),
    };
    task.obey(Command::Order(begin));
    task.obey(Command::Order(send(CALL)));
    fails(&mut task, VideoKind::Screen, DeviceError::Refused);
    let wishes = |task: &mut Task, microphone, screen| {
        let sending = Sending {
            microphone,
            camera: false,
            screen,
        };
        let order = MediaOrder::Send {
            call: CALL,
            sending,
        };
        task.obey(Command::Order(order));
    };
    // A mute, another microphone and a plugged-in device wish for no screen.
    wishes(&mut task, false, Some(ScreenMode::Text));
    assert!(!task.screen.is_open());
    let choices = Choices {
        microphone: Some(DeviceName("tone:660".into())),
        ..task.choices.clone()
    };
    task.obey(Command::Choose(choices));
    task.tend_pictures();
    assert!(!task.screen.is_open());
    let mut said = Vec::new();
    while let Ok(report) = reported.try_recv() {
        if let MediaReport::Source { source, state, .. } = report
            && source == Source::Screen
        {
            said.push(state);
        }
    }
    assert!(said.iter().all(|state| *state == SourceState::Refused));
    assert!(!said.is_empty(), "it is still said why there is none");

    wishes(&mut task, false, None);
    wishes(&mut task, false, Some(ScreenMode::Text));
    assert!(task.screen.is_open(), "turned off and on");
    // So does a window that was shared and closed.
    fails(&mut task, VideoKind::Screen, DeviceError::Vanished);
    task.tend_pictures();
    assert!(!task.screen.is_open());
    let another = Choices {
        screen: Some(DeviceName("pattern:warm".into())),
        ..task.choices.clone()
    };
    task.obey(Command::Choose(another));
    assert!(task.screen.is_open(), "another was chosen");
}
