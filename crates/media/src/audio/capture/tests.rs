//! Capture from a desk of fake microphones: mute, choice, plugs, pauses.

use super::*;
use crate::audio::{PACKET, STEP, Step};
use crate::device::DeviceKind;
use crate::device::list::Listing;
use crate::device::sound::AudioSource;
use crate::device::{Device, tone};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

/// A microphone that hears what the test says, and tells when it is closed.
struct Scripted {
    heard: mpsc::Receiver<Result<Step, DeviceError>>,
    name: &'static str,
    closed: mpsc::Sender<&'static str>,
}

impl AudioSource for Scripted {
    fn read(&mut self, step: &mut Step, wait: Duration) -> Result<bool, DeviceError> {
        match self.heard.recv_timeout(wait) {
            Ok(Ok(heard)) => *step = heard,
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(false),
        }
        Ok(true)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.closed.send(self.name);
    }
}

/// Each step waits until it is taken: by then the ones before it were heard.
type Mouth = mpsc::SyncSender<Result<Step, DeviceError>>;

/// A desk with microphones; the first is the default.
struct Desk {
    mouths: mpsc::Receiver<(&'static str, Mouth)>,
    closed: mpsc::Receiver<&'static str>,
    show: watch::Sender<Listing>,
    devices: SoundDevices,
}

fn listing(names: &[&'static str]) -> Listing {
    let device = |(n, name): (usize, &&'static str)| Device {
        name: DeviceName((*name).into()),
        kind: DeviceKind::Microphone,
        label: String::new(),
        default: n == 0,
        synthetic: false,
    };
    Listing::of(names.iter().enumerate().map(device).collect())
}

impl Desk {
    fn with(names: &[&'static str]) -> Self {
        let (show, list) = watch::channel(listing(names));
        let (opened, mouths) = mpsc::channel();
        let (tell, closed) = mpsc::channel();
        let both = Mutex::new((opened, tell));
        let known: BTreeMap<String, &'static str> =
            names.iter().map(|n| ((*n).to_owned(), *n)).collect();
        let source = move |name: &DeviceName| -> Result<Box<dyn AudioSource>, DeviceError> {
            let name = *known.get(&name.0).ok_or(DeviceError::NoDevice)?;
            let (mouth, heard) = mpsc::sync_channel(0);
            let both = both.lock().expect("lock");
            let _ = both.0.send((name, mouth));
            let closed = both.1.clone();
            Ok(Box::new(Scripted {
                heard,
                name,
                closed,
            }))
        };
        let sink = |_: &DeviceName| Err(DeviceError::NoDevice);
        Self {
            mouths,
            closed,
            show,
            devices: SoundDevices::new(list, Arc::new(source), Arc::new(sink)),
        }
    }

    fn capture(
        &self,
        room: usize,
    ) -> (
        Capture,
        packets::Receiver<EncodedAudio>,
        mpsc::Receiver<CaptureEvent>,
    ) {
        self.capture_as(room, Mute::Off)
    }

    fn capture_as(
        &self,
        room: usize,
        mute: Mute,
    ) -> (
        Capture,
        packets::Receiver<EncodedAudio>,
        mpsc::Receiver<CaptureEvent>,
    ) {
        let (packets, received) = packets::channel(room);
        let (tell, events) = mpsc::channel();
        let setup = CaptureSetup {
            devices: self.devices.clone(),
            choice: DeviceChoice::Default,
            processing: Processing::ALL,
            mute,
            echo: None,
            packets: Some(packets),
        };
        let capture = Capture::start(setup, move |event| {
            let _ = tell.send(event);
        });
        (capture.expect("a thread"), received, events)
    }

    #[track_caller]
    fn opened(&self, expect: &str) -> Mouth {
        let (name, mouth) = self.mouths.recv_timeout(SOON).expect("a device opens");
        assert_eq!(name, expect);
        mouth
    }
}

/// Says so many steps of the test tone.
fn say(mouth: &Mouth, steps: std::ops::Range<usize>) {
    for step in steps {
        let from = (step * STEP) as u64;
        let said = std::array::from_fn(|n| tone::sample(from + n as u64, 440));
        mouth.send(Ok(said)).expect("it listens");
    }
}

#[test]
fn what_is_said_comes_out_in_packets() {
    let desk = Desk::with(&["desk"]);
    let (capture, mut packets, events) = desk.capture(100);
    say(&desk.opened("desk"), 0..40);
    for n in 0..20u32 {
        let packet = packets.blocking_recv().expect("a packet");
        assert_eq!(packet.rtp_time, n * PACKET as u32);
        assert_eq!(packet.first, n == 0);
    }
    let opened = CaptureEvent::Opened(DeviceName("desk".into()));
    assert_eq!(events.recv_timeout(SOON), Ok(opened));
    assert_eq!(events.recv_timeout(SOON), Ok(CaptureEvent::Speaking(true)));
    let stats = capture.stats();
    assert!(
        stats.open && stats.speaking && stats.level_db > -20.0,
        "{stats:?}"
    );
}

#[test]
fn without_room_the_newest_is_dropped_and_counted() {
    let desk = Desk::with(&["desk"]);
    let (capture, mut packets, _events) = desk.capture(4);
    let mouth = desk.opened("desk");
    say(&mouth, 0..40);
    // The device is closed only after everything before was heard.
    mouth.send(Err(DeviceError::Vanished)).expect("it listens");
    assert_eq!(desk.closed.recv_timeout(SOON), Ok("desk"));
    drop(capture);
    let kept: Vec<u32> = std::iter::from_fn(|| packets.blocking_recv())
        .map(|p| p.rtp_time / PACKET as u32)
        .collect();
    assert_eq!(kept[..4], [0, 1, 2, 3]);
}

#[test]
fn muting_closes_the_device_and_nothing_leaves() {
    let desk = Desk::with(&["desk"]);
    let (capture, mut packets, _events) = desk.capture(100);
    let mouth = desk.opened("desk");
    say(&mouth, 0..20);
    for _ in 0..10 {
        packets.blocking_recv().expect("a packet");
    }
    capture.set_mute(Mute::Closed);
    assert_eq!(desk.closed.recv_timeout(SOON), Ok("desk"));
    // Silence, and the announcement of a pause.
    let silence = packets.blocking_recv().expect("an end");
    let pause = packets.blocking_recv().expect("an end");
    assert_eq!(silence.data.len(), 80);
    assert_eq!(pause.data.len(), 1);
    capture.set_mute(Mute::Off);
    let mouth = desk.opened("desk");
    assert!(packets.try_recv().is_err());
    say(&mouth, 0..4);
    let again = packets.blocking_recv().expect("a packet");
    assert!(again.first);
    assert!(again.rtp_time > pause.rtp_time);
}

#[test]
fn between_presses_of_a_key_the_device_stays_open_and_not_a_packet_leaves() {
    let desk = Desk::with(&["desk"]);
    let (capture, mut packets, events) = desk.capture(100);
    let mouth = desk.opened("desk");
    say(&mouth, 0..40);
    for _ in 0..20 {
        packets.blocking_recv().expect("a packet");
    }
    capture.set_mute(Mute::Open);
    let silence = packets.blocking_recv().expect("an end");
    let pause = packets.blocking_recv().expect("an end");
    assert_eq!((silence.data.len(), pause.data.len()), (80, 1));
    let quiet = CaptureEvent::Speaking(false);
    while events.recv_timeout(SOON).expect("it is told") != quiet {}
    // They speak on, to nobody.
    say(&mouth, 40..241);
    assert!(packets.try_recv().is_err(), "a packet while muted");
    let stats = capture.stats();
    assert!(stats.open && !stats.speaking, "{stats:?}");
    assert!(stats.level_db <= SILENCE_DB, "{stats:?}");

    // The first word is there at once, from the same device.
    capture.set_mute(Mute::Off);
    say(&mouth, 0..4);
    let again = packets.blocking_recv().expect("a packet");
    assert!(again.first);
    assert!(desk.mouths.try_recv().is_err(), "it was opened again");
    assert!(desk.closed.try_recv().is_err(), "it was closed");
    assert!(again.rtp_time > pause.rtp_time);

    capture.set_mute(Mute::Closed);
    assert_eq!(desk.closed.recv_timeout(SOON), Ok("desk"));
}

#[test]
fn who_begins_muted_sends_not_a_packet_with_the_device_open_or_closed() {
    for mute in [Mute::Open, Mute::Closed] {
        let desk = Desk::with(&["desk"]);
        let (capture, mut packets, events) = desk.capture_as(100, mute);
        if mute == Mute::Open {
            let mouth = desk.opened("desk");
            say(&mouth, 0..50);
            mouth.send(Err(DeviceError::Vanished)).expect("it listens");
            assert_eq!(desk.closed.recv_timeout(SOON), Ok("desk"));
        }
        drop(capture);
        // Until its end.
        while events.recv_timeout(SOON).is_ok() {}
        assert!(packets.blocking_recv().is_none(), "{mute:?}");
        let opened = desk.mouths.try_recv().is_ok();
        assert!(!(opened && mute == Mute::Closed), "it was opened");
    }
}

#[test]
fn a_device_that_vanishes_is_reported_and_the_default_takes_over() {
    let desk = Desk::with(&["desk", "headset"]);
    let (capture, mut packets, events) = desk.capture(100);
    desk.opened("desk");
    capture.choose(DeviceChoice::Named(DeviceName("headset".into())));
    let mouth = desk.opened("headset");
    say(&mouth, 0..4);
    packets.blocking_recv().expect("a packet");
    desk.show.send_replace(listing(&["desk"]));
    say(&desk.opened("desk"), 0..4);
    packets.blocking_recv().expect("a packet");
    // Whether somebody speaks is told among them.
    let of_devices = |event: &CaptureEvent| !matches!(event, CaptureEvent::Speaking(_));
    let seen: Vec<CaptureEvent> = events.try_iter().filter(of_devices).collect();
    let named = |name: &str| CaptureEvent::Opened(DeviceName(name.into()));
    let vanished = CaptureEvent::Failed(DeviceError::Vanished);
    assert_eq!(
        seen,
        [named("desk"), named("headset"), vanished, named("desk")]
    );
}

#[test]
fn no_microphone_is_said_once_and_one_that_comes_is_used() {
    let desk = Desk::with(&[]);
    let (_capture, _packets, events) = desk.capture(100);
    let none = CaptureEvent::Failed(DeviceError::NoDevice);
    assert_eq!(events.recv_timeout(SOON), Ok(none));
}
