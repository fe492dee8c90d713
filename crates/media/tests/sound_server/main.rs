//! Sound through a real sound server: a private PulseAudio with null sinks,
//! whose monitors are the microphones. Everything that is said is heard there
//! and measured.
//!
//! Runs without the test harness: the server's address is in the environment,
//! so the test starts the server and then itself again, within that
//! environment.

#![allow(clippy::print_stdout)]

mod server;

use server::{Server, surroundings, tell};
use sotto_media::audio::level::rms_db;
use sotto_media::audio::pitch::{level_at, strongest};
use sotto_media::audio::{
    Capture, CaptureEvent, Chime, Mute, Playout, PlayoutEvent, Processing, RATE, ReceivedAudio,
    Ring, STEP, capture::CaptureSetup,
};
use sotto_media::device::list::{DeviceChoice, DeviceList, Listing};
use sotto_media::device::sound::{AudioSource, SoundDevices, open_source};
use sotto_media::device::{DeviceError, DeviceKind, DeviceName, microphone, speaker, system, tone};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc as packets;

/// Set for the process that runs inside.
const INSIDE: &str = "SOTTO_TEST_SOUND_SERVER";
/// The whole test takes a third of it on a slow machine.
const AT_MOST: Duration = Duration::from_secs(150);
const SOON: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    match std::env::var_os(INSIDE) {
        Some(folder) => inside(&PathBuf::from(folder)),
        None => outside(),
    }
}

/// Starts the server, and itself within its reach.
fn outside() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let _server = Server::start(folder.path());
    let mut inner = Command::new(std::env::current_exe().expect("itself"))
        .args(std::env::args_os().skip(1))
        .envs(surroundings(folder.path()))
        .env(INSIDE, folder.path())
        .spawn()
        .expect("itself runs");
    let until = Instant::now() + AT_MOST;
    loop {
        if let Some(status) = inner.try_wait().expect("a child") {
            assert!(status.success(), "the inner run failed: {status}");
            return ExitCode::SUCCESS;
        }
        if Instant::now() > until {
            let _ = inner.kill();
            panic!("the sound did not come through within {AT_MOST:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A test: its name, and the test.
type Case = (&'static str, fn(&Room));

fn inside(folder: &Path) -> ExitCode {
    let cases: [Case; 5] = [
        (
            "a_tone_goes_through_the_whole_way",
            a_tone_goes_through_the_whole_way,
        ),
        (
            "devices_of_other_formats_are_converted",
            devices_of_other_formats_are_converted,
        ),
        ("the_ring_has_its_own_output", the_ring_has_its_own_output),
        ("devices_come_and_go", devices_come_and_go),
        (
            "a_server_that_dies_and_comes_back",
            a_server_that_dies_and_comes_back,
        ),
    ];
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let room = Room::new(folder);
    for (name, case) in cases {
        if wanted.as_ref().is_none_or(|wanted| name.contains(wanted)) {
            let begun = Instant::now();
            case(&room);
            println!(
                "test {name} ... ok ({:.1} s)",
                begun.elapsed().as_secs_f32()
            );
        }
    }
    ExitCode::SUCCESS
}

struct Room {
    folder: PathBuf,
    list: DeviceList,
}

fn speaker_of(sink: &str) -> DeviceName {
    DeviceName(format!("out:pulseaudio:{sink}"))
}

fn monitor_of(sink: &str) -> DeviceName {
    DeviceName(format!("in:pulseaudio:{sink}.monitor"))
}

fn named(name: DeviceName) -> DeviceChoice {
    DeviceChoice::Named(name)
}

impl Room {
    fn new(folder: &Path) -> Self {
        let list = DeviceList::start(vec![system::finder()]).expect("a thread");
        let room = Self {
            folder: folder.into(),
            list,
        };
        let seen = room.wait_for(|l| l.has(&speaker_of("ear")) && l.has(&monitor_of("ring")));
        let ear = seen.devices.iter().find(|d| d.name == speaker_of("ear"));
        assert!(ear.is_some_and(|d| d.default && d.kind == DeviceKind::Speaker));
        assert!(seen.has(&tone::name(tone::PITCH)));
        room
    }

    /// Waits for the list of devices to become so.
    fn wait_for(&self, so: impl Fn(&Listing) -> bool) -> Listing {
        let watch = self.list.watch();
        let until = Instant::now() + SOON;
        loop {
            self.list.refresh();
            let listing = watch.borrow().clone();
            if so(&listing) {
                return listing;
            }
            assert!(Instant::now() < until, "the devices are not as expected");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn devices(&self) -> SoundDevices {
        SoundDevices::of(&self.list)
    }

    fn playout(&self, choice: DeviceChoice) -> (Playout, mpsc::Receiver<PlayoutEvent>) {
        let (tell, events) = mpsc::channel();
        let playout = Playout::start(self.devices(), choice, move |event| {
            let _ = tell.send(event);
        });
        (playout.expect("a thread"), events)
    }

    fn capture(
        &self,
        choice: DeviceChoice,
        packets: Option<packets::Sender<sotto_media::audio::EncodedAudio>>,
    ) -> (Capture, mpsc::Receiver<CaptureEvent>) {
        let (tell, events) = mpsc::channel();
        let setup = CaptureSetup {
            devices: self.devices(),
            choice,
            processing: Processing::NONE,
            mute: Mute::Off,
            echo: None,
            packets,
        };
        let capture = Capture::start(setup, move |event| {
            let _ = tell.send(event);
        });
        (capture.expect("a thread"), events)
    }
}

/// Reads so many seconds from a source, on the thread that opened it.
fn hear(source: &mut dyn AudioSource, seconds: f32) -> Vec<f32> {
    let mut heard = Vec::new();
    let mut step = [0.0; STEP];
    let until = Instant::now() + SOON;
    while heard.len() < (seconds * RATE as f32) as usize {
        if source
            .read(&mut step, Duration::from_millis(100))
            .expect("it hears")
        {
            heard.extend(step);
        }
        assert!(Instant::now() < until, "only {} samples came", heard.len());
    }
    heard
}

/// Pitch and level of a tone near `hz`, by the median of half seconds: a
/// machine under load may stumble now and then. And how many of a hundred
/// 20 ms pieces are silent.
fn tone_in(heard: &[f32], hz: f64) -> (f64, f64, f64) {
    let halves = || heard.chunks_exact(RATE as usize / 2);
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let pitch = median(
        halves()
            .map(|h| strongest(h, hz - 20.0, hz + 20.0, 1.0))
            .collect(),
    );
    // Short pieces: a machine that is busy elsewhere tears some of them.
    let fifths = heard.chunks_exact(RATE as usize / 5);
    let level = median(fifths.map(|f| level_at(f, hz)).collect());
    let pieces = heard.chunks_exact(RATE as usize / 50);
    let count = pieces.len() as f64;
    let silent = pieces.filter(|p| rms_db(p) < -60.0).count();
    (pitch, level, silent as f64 / count * 100.0)
}

#[track_caller]
fn expect<T: PartialEq + std::fmt::Debug>(events: &mpsc::Receiver<T>, wanted: &T) {
    let until = Instant::now() + SOON;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match events.recv_timeout(left) {
            Ok(event) if event == *wanted => return,
            Ok(_) => {}
            Err(_) => panic!("{wanted:?} was not reported"),
        }
    }
}

/// Tone, Opus, jitter buffer, Opus, mix, speaker, and its monitor as our
/// microphone.
fn a_tone_goes_through_the_whole_way(room: &Room) {
    let (playout, opened) = room.playout(named(speaker_of("ear")));
    expect(&opened, &PlayoutEvent::Opened(speaker_of("ear")));
    let voice = playout.add().expect("opus");
    let (give, mut take) = packets::channel(100);
    let (capture, _events) = room.capture(named(tone::name(440)), Some(give));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let network = std::thread::spawn(move || {
        let mut sequence = 0u16;
        while let Some(packet) = take.blocking_recv() {
            voice.push(ReceivedAudio {
                data: packet.data,
                sequence,
                rtp_time: packet.rtp_time,
                arrived: Instant::now(),
            });
            sequence = sequence.wrapping_add(1);
            if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                return voice.stats();
            }
        }
        voice.stats()
    });
    let mut ear = open_source(&monitor_of("ear")).expect("a monitor");
    hear(&mut *ear, 1.0);
    let heard = hear(&mut *ear, 6.0);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let stats = network.join().expect("a thread");
    drop(capture);

    let said: Vec<f32> = (0..u64::from(RATE)).map(|n| tone::sample(n, 440)).collect();
    let (pitch, strength, silent) = tone_in(&heard, 440.0);
    let purity = strength - tone_in(&heard, 660.0).1;
    let (level, expected) = (rms_db(&heard), rms_db(&said));
    // The loudest and softest 50 ms of each beat.
    let windows: Vec<f32> = heard.chunks_exact(RATE as usize / 20).map(rms_db).collect();
    let beats: Vec<(f32, f32)> = windows
        .chunks_exact(10)
        .map(|beat| {
            let most = beat.iter().copied().fold(-100.0, f32::max);
            (beat.iter().copied().fold(0.0, f32::min), most)
        })
        .collect();
    println!(
        "heard {pitch:.2} Hz at {level:.2} dBFS (said {expected:.2}), {purity:.0} dB over 660 Hz, \
         {silent:.1} % silent, {} beats, jitter buffer {} ms of {} ms, jitter {} ms, made up {} ms, speaker {} ms",
        beats.len(),
        stats.delay_ms,
        stats.target_ms,
        stats.jitter_ms,
        stats.concealed_ms,
        playout.stats().delay_ms,
    );
    assert!((pitch - 440.0).abs() <= 0.5, "{pitch}");
    assert!((level - expected).abs() < 1.5, "{level} of {expected}");
    assert!(purity > 30.0, "{purity}");
    assert!(
        beats.iter().all(|(soft, loud)| loud - soft > 8.0),
        "{beats:?}"
    );
    assert!(silent < 5.0, "{silent}");
}

/// The conversions, with the server on the other side.
fn devices_of_other_formats_are_converted(_: &Room) {
    use cpal::SampleFormat::{F32, I16, I32, U8};
    for (rate, channels, format) in [
        (44_100, 2, I16),
        (16_000, 1, I16),
        (96_000, 2, I32),
        (48_000, 2, F32),
        (8_000, 1, U8),
    ] {
        let (say, done) = mpsc::channel::<()>();
        let speaking = std::thread::spawn(move || {
            let mut sink =
                speaker::open_as(&speaker_of("ear"), rate, channels, format).expect("a speaker");
            let mut said = 0u64;
            while done.try_recv() == Err(mpsc::TryRecvError::Empty) {
                if sink.wants(Duration::from_millis(100)).expect("it asks") {
                    let step = std::array::from_fn(|n| {
                        let t = (said + n as u64) as f32 / RATE as f32;
                        0.25 * (t * std::f32::consts::TAU * 500.0).sin()
                    });
                    sink.write(&step).expect("it speaks");
                    said += STEP as u64;
                }
            }
        });
        let mut ear =
            microphone::open_as(&monitor_of("ear"), rate, channels, format).expect("a monitor");
        hear(&mut *ear, 0.7);
        let heard = hear(&mut *ear, 2.0);
        drop(say);
        speaking.join().expect("it spoke");
        let (pitch, level, silent) = tone_in(&heard, 500.0);
        println!(
            "{rate} Hz, {channels} channels, {format:?}: {pitch:.1} Hz at {level:.2} dBFS, \
             {silent:.1} % silent"
        );
        assert!((pitch - 500.0).abs() <= 1.0, "{pitch}");
        assert!((level + 15.05).abs() < 1.0, "{level}");
    }
}

fn the_ring_has_its_own_output(room: &Room) {
    let chime = Chime::start(
        room.devices(),
        named(speaker_of("ring")),
        Ring::Incoming,
        |_| {},
    )
    .expect("a thread");
    let mut ring = open_source(&monitor_of("ring")).expect("a monitor");
    let mut ear = open_source(&monitor_of("ear")).expect("a monitor");
    let heard = hear(&mut *ring, 3.0);
    assert!(level_at(&heard, 659.26) > -45.0 && level_at(&heard, 987.77) > -45.0);
    assert!(
        rms_db(&hear(&mut *ear, 0.3)) < -80.0,
        "the ring is heard in the call"
    );
    drop(chime);
    let until = Instant::now() + SOON;
    while rms_db(&hear(&mut *ring, 0.2)) > -80.0 {
        assert!(Instant::now() < until, "it rings on");
    }
}

/// A headset is plugged in, becomes the default, and is pulled out.
fn devices_come_and_go(room: &Room) {
    let (_capture, heard) = room.capture(DeviceChoice::Default, None);
    let (_playout, played) = room.playout(DeviceChoice::Default);
    expect(&heard, &CaptureEvent::Opened(monitor_of("ear")));
    expect(&played, &PlayoutEvent::Opened(speaker_of("ear")));

    let headset = tell(&["load-module", "module-null-sink", "sink_name=headset"]);
    room.wait_for(|l| l.has(&speaker_of("headset")));
    tell(&["set-default-sink", "headset"]);
    tell(&["set-default-source", "headset.monitor"]);
    expect(&heard, &CaptureEvent::Opened(monitor_of("headset")));
    expect(&played, &PlayoutEvent::Opened(speaker_of("headset")));

    tell(&["unload-module", &headset]);
    expect(&heard, &CaptureEvent::Failed(DeviceError::Vanished));
    expect(&played, &PlayoutEvent::Failed(DeviceError::Vanished));
    let real = |name: &DeviceName| *name != monitor_of("headset") && *name != speaker_of("headset");
    let next = heard.recv_timeout(SOON).expect("the next microphone");
    assert!(
        matches!(&next, CaptureEvent::Opened(name) if real(name)),
        "{next:?}"
    );
    let next = played.recv_timeout(SOON).expect("the next speaker");
    assert!(
        matches!(&next, PlayoutEvent::Opened(name) if real(name)),
        "{next:?}"
    );
}

/// The one server of the machine ends; sound goes on in silence, and is heard
/// again when it is back.
fn a_server_that_dies_and_comes_back(room: &Room) {
    let folder = room.folder.join("other");
    std::fs::create_dir(&folder).expect("a folder");
    let (playout, played) = room.playout(named(speaker_of("ear")));
    let (_capture, heard) = room.capture(named(monitor_of("ear")), None);
    expect(&played, &PlayoutEvent::Opened(speaker_of("ear")));
    expect(&heard, &CaptureEvent::Opened(monitor_of("ear")));
    let voice = playout.add().expect("opus");

    tell(&["exit"]);
    let failed = |events: &mpsc::Receiver<PlayoutEvent>| {
        let event = events.recv_timeout(SOON).expect("a report");
        assert!(matches!(event, PlayoutEvent::Failed(_)), "{event:?}");
    };
    failed(&played);
    let event = heard.recv_timeout(SOON).expect("a report");
    assert!(matches!(event, CaptureEvent::Failed(_)), "{event:?}");
    let before = voice.stats();
    let until = Instant::now() + SOON;
    while playout.stats().open {
        assert!(Instant::now() < until, "it still claims a speaker");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(before.received, 0);

    let _server = Server::start(&room.folder);
    expect(&played, &PlayoutEvent::Opened(speaker_of("ear")));
    expect(&heard, &CaptureEvent::Opened(monitor_of("ear")));
    hear(
        &mut *open_source(&monitor_of("ear")).expect("a monitor"),
        0.3,
    );
}
