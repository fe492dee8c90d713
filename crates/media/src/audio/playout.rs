//! From peers' packets to a speaker, on a thread of its own that runs by the
//! speaker's clock; without a speaker by a timer, so that a call goes on.

use super::clock::PlayClock;
use super::level::{Meter, SILENCE_DB};
use super::mix::{Limiter, Volume};
use super::receiver::{Receiver, ReceiverStats};
use super::{EchoReference, ReceivedAudio, STEP, Step};
use crate::device::keep::{Change, Kept};
use crate::device::list::DeviceChoice;
use crate::device::silence::Silence;
use crate::device::sound::{AudioSink, SoundDevices};
use crate::device::{DeviceError, DeviceKind, DeviceName};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a speaker may ask for nothing before it counts as broken.
const STALLED: Duration = Duration::from_secs(3);
const WAIT: Duration = Duration::from_millis(100);
/// Packets of one voice between transport and playout: half a second.
const PACKETS: usize = 25;
/// Statistics are renewed each so many steps.
const SHOW_EACH: u32 = 5;

/// Reported from the playout thread, which must not be made to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayoutEvent {
    Opened(DeviceName),
    /// The speaker does not work. Nothing is heard until another opens.
    Failed(DeviceError),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlayoutStats {
    /// A speaker is open.
    pub open: bool,
    /// Of the mix, dBFS.
    pub level_db: f32,
    /// From mixing to being heard, ms.
    pub delay_ms: u32,
    pub voices: usize,
}

impl Default for PlayoutStats {
    fn default() -> Self {
        Self {
            open: false,
            level_db: SILENCE_DB,
            delay_ms: 0,
            voices: 0,
        }
    }
}

enum Order {
    Choose(DeviceChoice),
    Add(Box<Playing>),
    Volume(u64, f32),
    Muted(u64, bool),
    Remove(u64),
}

/// Plays while it lives. Dropping it closes the speaker soon, without waiting
/// for it.
#[derive(Debug)]
pub struct Playout {
    orders: mpsc::Sender<Order>,
    echo: EchoReference,
    stats: watch::Receiver<PlayoutStats>,
    voices: AtomicU64,
}

impl Playout {
    pub fn start(
        devices: SoundDevices,
        choice: DeviceChoice,
        events: impl FnMut(PlayoutEvent) + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let (orders, received) = mpsc::channel();
        let (show, stats) = watch::channel(PlayoutStats::default());
        let echo = EchoReference::default();
        let reference = echo.clone();
        std::thread::Builder::new()
            .name("sotto-playout".into())
            .spawn(move || {
                let SoundDevices { list, sink, .. } = devices;
                Worker {
                    kept: Kept::new(DeviceKind::Speaker, list, sink, choice),
                    silence: Silence::default(),
                    mixer: Mixer::default(),
                    echo: reference,
                    events: Box::new(events),
                    show,
                    wanted: Instant::now(),
                    steps: 0,
                }
                .run(&received);
            })
            .map_err(|_| DeviceError::Broken)?;
        Ok(Self {
            orders,
            echo,
            stats,
            voices: AtomicU64::new(0),
        })
    }

    /// Somebody is to be heard, until the answer is dropped.
    pub fn add(&self) -> Result<Voice, DeviceError> {
        let receiver = Receiver::new().map_err(|_| DeviceError::Broken)?;
        let id = self.voices.fetch_add(1, Ordering::Relaxed);
        let (packets, arriving) = mpsc::sync_channel(PACKETS);
        let (show, stats) = watch::channel(ReceiverStats::default());
        let overflowed = Arc::new(AtomicU64::new(0));
        let playing = Playing {
            id,
            receiver,
            arriving,
            volume: Volume::default(),
            overflowed: overflowed.clone(),
            show,
        };
        let _ = self.orders.send(Order::Add(Box::new(playing)));
        Ok(Voice {
            id,
            packets,
            overflowed,
            orders: self.orders.clone(),
            stats,
        })
    }

    pub fn choose(&self, choice: DeviceChoice) {
        let _ = self.orders.send(Order::Choose(choice));
    }

    /// What is played, for the capture that hears it.
    pub fn echo(&self) -> EchoReference {
        self.echo.clone()
    }

    pub fn stats(&self) -> PlayoutStats {
        *self.stats.borrow()
    }
}

/// One remote voice. Heard until it is dropped.
#[derive(Debug)]
pub struct Voice {
    id: u64,
    packets: mpsc::SyncSender<ReceivedAudio>,
    overflowed: Arc<AtomicU64>,
    orders: mpsc::Sender<Order>,
    stats: watch::Receiver<ReceiverStats>,
}

impl Voice {
    /// Takes a packet as it came. Never waits; without room it is dropped and
    /// counted.
    pub fn push(&self, packet: ReceivedAudio) {
        if let Err(mpsc::TrySendError::Full(_)) = self.packets.try_send(packet) {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// 0 is silence, 1 as it came, 2 the most.
    pub fn set_volume(&self, factor: f32) {
        let _ = self.orders.send(Order::Volume(self.id, factor));
    }

    /// Whether they say that they send nothing: then nothing is made up.
    pub fn set_muted(&self, muted: bool) {
        let _ = self.orders.send(Order::Muted(self.id, muted));
    }

    pub fn stats(&self) -> ReceiverStats {
        *self.stats.borrow()
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Remove(self.id));
    }
}

/// A voice on the playout thread.
struct Playing {
    id: u64,
    receiver: Receiver,
    arriving: mpsc::Receiver<ReceivedAudio>,
    volume: Volume,
    overflowed: Arc<AtomicU64>,
    show: watch::Sender<ReceiverStats>,
}

#[derive(Default)]
struct Mixer {
    voices: Vec<Playing>,
    clock: PlayClock,
    limiter: Limiter,
    meter: Meter,
}

impl Mixer {
    /// The next 10 ms of everybody.
    fn mix(&mut self, now: Instant, mix: &mut Step) {
        let at = self.clock.tick(now);
        mix.fill(0.0);
        let mut voice = [0.0; STEP];
        for playing in &mut self.voices {
            for packet in playing.arriving.try_iter() {
                playing.receiver.push(packet);
            }
            playing.receiver.pull(at, &mut voice);
            playing.volume.add(mix, &voice);
        }
        self.limiter.limit(mix);
        self.meter.hear(mix);
    }

    fn show(&self) {
        for playing in &self.voices {
            let mut stats = playing.receiver.stats();
            stats.overflowed += playing.overflowed.load(Ordering::Relaxed);
            playing.show.send_replace(stats);
        }
    }
}

struct Worker {
    kept: Kept<dyn AudioSink>,
    /// Plays while there is no speaker.
    silence: Silence,
    mixer: Mixer,
    echo: EchoReference,
    events: Box<dyn FnMut(PlayoutEvent) + Send>,
    show: watch::Sender<PlayoutStats>,
    /// When a step was last wanted.
    wanted: Instant,
    steps: u32,
}

impl Worker {
    fn run(&mut self, orders: &mpsc::Receiver<Order>) {
        loop {
            match orders.try_recv() {
                Ok(order) => {
                    self.obey(order);
                    continue;
                }
                Err(mpsc::TryRecvError::Disconnected) => return,
                Err(mpsc::TryRecvError::Empty) => {}
            }
            self.tend();
            self.play();
        }
    }

    fn obey(&mut self, order: Order) {
        let voices = &mut self.mixer.voices;
        match order {
            Order::Choose(choice) => self.kept.choose(choice),
            Order::Add(playing) => voices.push(*playing),
            Order::Volume(id, factor) => {
                if let Some(playing) = voices.iter_mut().find(|v| v.id == id) {
                    playing.volume.set(factor);
                }
            }
            Order::Muted(id, muted) => {
                if let Some(playing) = voices.iter_mut().find(|v| v.id == id) {
                    playing.receiver.set_muted(muted);
                }
            }
            Order::Remove(id) => voices.retain(|v| v.id != id),
        }
    }

    fn tend(&mut self) {
        let events = &mut self.events;
        let mut opened = false;
        self.kept.tend(Instant::now(), &mut |change| {
            opened |= matches!(change, Change::Opened(_));
            events(event_of(change));
        });
        if opened {
            self.wanted = Instant::now();
        }
    }

    fn play(&mut self) {
        let (sink, real): (&mut dyn AudioSink, bool) = match self.kept.device() {
            Some(sink) => (sink, true),
            None => (&mut self.silence, false),
        };
        let wants = sink.wants(WAIT);
        let now = Instant::now();
        let done = match wants {
            Ok(true) => {
                self.wanted = now;
                let mut mix = [0.0; STEP];
                self.mixer.mix(now, &mut mix);
                let delay = sink.delay();
                if real {
                    self.echo.played(&mix, delay);
                }
                let written = sink.write(&mix);
                self.shown(real, delay);
                written
            }
            Ok(false) if real && now.duration_since(self.wanted) > STALLED => {
                Err(DeviceError::Broken)
            }
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            let events = &mut self.events;
            self.kept
                .broke(error, &mut |change| events(event_of(change)));
        }
    }

    fn shown(&mut self, open: bool, delay: Duration) {
        self.steps = self.steps.wrapping_add(1);
        if !self.steps.is_multiple_of(SHOW_EACH) {
            return;
        }
        self.mixer.show();
        self.show.send_replace(PlayoutStats {
            open,
            level_db: self.mixer.meter.db(),
            delay_ms: u32::try_from(delay.as_millis()).unwrap_or(u32::MAX),
            voices: self.mixer.voices.len(),
        });
    }
}

fn event_of(change: Change) -> PlayoutEvent {
    match change {
        Change::Opened(name) => PlayoutEvent::Opened(name),
        Change::Failed(error) => PlayoutEvent::Failed(error),
    }
}

#[cfg(test)]
mod tests;
