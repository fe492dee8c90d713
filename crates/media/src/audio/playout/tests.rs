//! Playout into fake speakers: voices, volumes, devices that go.

use super::*;
use crate::audio::encode::Encoder;
use crate::audio::level::rms_db;
use crate::audio::pitch::level_at;
use crate::audio::{EncodedAudio, PACKET, RATE, STEP_TIME};
use crate::device::Device;
use crate::device::list::Listing;

const SOON: Duration = Duration::from_secs(10);

/// A speaker that asks when the test does.
struct Scripted {
    asks: mpsc::Receiver<()>,
    heard: mpsc::Sender<Step>,
}

impl AudioSink for Scripted {
    fn wants(&mut self, wait: Duration) -> Result<bool, DeviceError> {
        match self.asks.recv_timeout(wait) {
            Ok(()) => Ok(true),
            Err(mpsc::RecvTimeoutError::Timeout) => Ok(false),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(DeviceError::Vanished),
        }
    }

    fn write(&mut self, step: &Step) -> Result<(), DeviceError> {
        self.heard.send(*step).map_err(|_| DeviceError::Vanished)
    }
}

struct Listener {
    ask: mpsc::Sender<()>,
    heard: mpsc::Receiver<Step>,
}

impl Listener {
    fn hear(&self, steps: usize) -> Vec<f32> {
        let mut all = Vec::new();
        for _ in 0..steps {
            self.ask.send(()).expect("a speaker");
            all.extend(self.heard.recv_timeout(SOON).expect("sound"));
            // The speaker's clock is the real one.
            std::thread::sleep(STEP_TIME);
        }
        all
    }
}

fn room(
    speakers: &[&str],
) -> (
    Playout,
    mpsc::Receiver<Listener>,
    mpsc::Receiver<PlayoutEvent>,
) {
    let device = |name: &&str| Device {
        name: DeviceName((*name).into()),
        kind: DeviceKind::Speaker,
        label: String::new(),
        default: true,
        synthetic: false,
    };
    // The sender may go: a list that never changes is a list.
    let (_, list) = watch::channel(Listing::of(speakers.iter().map(device).collect()));
    let (opened, listeners) = mpsc::channel();
    let opened = std::sync::Mutex::new(opened);
    let sink = move |_: &DeviceName| -> Result<Box<dyn AudioSink>, DeviceError> {
        let (ask, asks) = mpsc::channel();
        let (tell, heard) = mpsc::channel();
        let _ = opened.lock().expect("lock").send(Listener { ask, heard });
        Ok(Box::new(Scripted { asks, heard: tell }))
    };
    let source = |_: &DeviceName| Err(DeviceError::NoDevice);
    let devices = SoundDevices::new(list, Arc::new(source), Arc::new(sink));
    let (tell, events) = mpsc::channel();
    let playout = Playout::start(devices, DeviceChoice::Default, move |event| {
        let _ = tell.send(event);
    });
    (playout.expect("a thread"), listeners, events)
}

/// A tone in packets.
fn speech(hz: f32, packets: usize) -> Vec<EncodedAudio> {
    let mut encoder = Encoder::new().expect("opus");
    let packet = |n: usize| {
        let samples = std::array::from_fn(|i| {
            let t = (n * PACKET + i) as f32 * std::f32::consts::TAU / RATE as f32;
            0.2 * (t * hz).sin()
        });
        encoder.encode(&samples).expect("opus")
    };
    (0..packets).filter_map(packet).collect()
}

fn say(voice: &Voice, speech: &[EncodedAudio], n: usize) {
    if let Some(packet) = speech.get(n) {
        voice.push(ReceivedAudio {
            data: packet.data.clone(),
            sequence: n as u16,
            rtp_time: packet.rtp_time,
            arrived: Instant::now(),
        });
    }
}

#[test]
fn two_voices_are_mixed_each_with_its_volume_until_they_go() {
    let (playout, listeners, _events) = room(&["speaker"]);
    let listener = listeners.recv_timeout(SOON).expect("a speaker opens");
    let (alice, bob) = (playout.add().expect("opus"), playout.add().expect("opus"));
    bob.set_volume(0.25);
    let (low, high) = (speech(440.0, 100), speech(880.0, 100));
    let mut heard = Vec::new();
    for n in 0..50 {
        say(&alice, &low, n);
        say(&bob, &high, n);
        heard.extend(listener.hear(2));
    }
    let heard = &heard[heard.len() / 2..];
    let (first, second) = (level_at(heard, 440.0), level_at(heard, 880.0));
    assert!((first - second - 12.0).abs() < 2.0, "{first} {second}");
    assert!((first + 17.0).abs() < 2.0, "{first}");
    assert!(alice.stats().speaking && alice.stats().received >= 45);
    assert_eq!(playout.stats().voices, 2);
    let (echo, _) = playout.echo().take();
    assert!(!echo.is_empty());
    drop(alice);
    drop(bob);
    listener.hear(5);
    assert!(rms_db(&listener.hear(5)) < -90.0);
}

#[test]
fn a_voice_that_floods_waits_for_nobody() {
    let (playout, _listeners, _events) = room(&["speaker"]);
    let voice = playout.add().expect("opus");
    let speech = speech(440.0, 1);
    for n in 0..1000 {
        voice.push(ReceivedAudio {
            data: speech[0].data.clone(),
            sequence: n,
            rtp_time: u32::from(n) * PACKET as u32,
            arrived: Instant::now(),
        });
    }
    assert!(voice.overflowed.load(Ordering::Relaxed) >= 900);
}

#[test]
fn without_a_speaker_the_call_goes_on_in_silence() {
    let (playout, _listeners, events) = room(&[]);
    let none = PlayoutEvent::Failed(DeviceError::NoDevice);
    assert_eq!(events.recv_timeout(SOON), Ok(none));
    let voice = playout.add().expect("opus");
    let speech = speech(440.0, 100);
    let mut stats = voice.stats.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for n in 0..50 {
            say(&voice, &speech, n);
            tokio::time::sleep(STEP_TIME * 2).await;
        }
        let played = stats.wait_for(|s| s.received == 50 && s.played_ms > 500);
        let played = tokio::time::timeout(SOON, played).await;
        assert!(played.expect("in time").is_ok());
    });
    assert!(!playout.stats().open);
}

#[test]
fn a_speaker_that_vanishes_is_reported() {
    let (_playout, listeners, events) = room(&["speaker"]);
    drop(listeners.recv_timeout(SOON).expect("a speaker opens"));
    let opened = PlayoutEvent::Opened(DeviceName("speaker".into()));
    assert_eq!(events.recv_timeout(SOON), Ok(opened));
    let failed = PlayoutEvent::Failed(DeviceError::Vanished);
    assert_eq!(events.recv_timeout(SOON), Ok(failed));
}
