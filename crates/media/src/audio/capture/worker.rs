//! The capture thread: one loop of orders, the device and its sound.

use super::{CaptureEvent, CaptureSetup, CaptureStats, Mute, Muted, Order};
use crate::audio::encode::Encoder;
use crate::audio::level::{Meter, SILENCE_DB, Speaking, rms_db};
use crate::audio::processing::Processor;
use crate::audio::{EchoReference, EncodedAudio, PACKET, STEP, Step, bitrate};
use crate::device::keep::{Change, Kept};
use crate::device::sound::{AudioSource, SoundDevices};
use crate::device::{DeviceError, DeviceKind};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc as packets, watch};

/// How long a device may be mute before it counts as broken.
const STALLED: Duration = Duration::from_secs(3);
/// How long one wait for sound is: how soon orders are seen without a device.
const WAIT: Duration = Duration::from_millis(100);
/// Statistics are renewed each so many steps.
const SHOW_EACH: u32 = 5;

pub(super) struct Worker {
    kept: Kept<dyn AudioSource>,
    muted: Arc<Muted>,
    processor: Processor,
    echo: Option<EchoReference>,
    encoder: Encoder,
    packets: Option<packets::Sender<EncodedAudio>>,
    events: Box<dyn FnMut(CaptureEvent) + Send>,
    show: watch::Sender<CaptureStats>,
    stats: CaptureStats,
    meter: Meter,
    speaking: Speaking,
    /// The first half of a packet, if a step is waiting for its second.
    half: Option<Step>,
    /// When the last step came, and the last that could leave.
    last: Option<Instant>,
    sent: Option<Instant>,
    /// Muted with an open device since `sent`.
    held: bool,
    opened: Instant,
    steps: u32,
}

impl Worker {
    pub(super) fn new(
        setup: CaptureSetup,
        muted: Arc<Muted>,
        show: watch::Sender<CaptureStats>,
        mut events: Box<dyn FnMut(CaptureEvent) + Send>,
    ) -> Option<Self> {
        let Ok(encoder) = Encoder::new() else {
            events(CaptureEvent::Failed(DeviceError::Broken));
            return None;
        };
        let SoundDevices { list, source, .. } = setup.devices;
        Some(Self {
            kept: Kept::new(DeviceKind::Microphone, list, source, setup.choice),
            muted,
            processor: Processor::new(setup.processing),
            echo: setup.echo,
            encoder,
            packets: setup.packets,
            events,
            show,
            stats: CaptureStats::default(),
            meter: Meter::default(),
            speaking: Speaking::default(),
            half: None,
            last: None,
            sent: None,
            held: false,
            opened: Instant::now(),
            steps: 0,
        })
    }

    pub(super) fn run(&mut self, orders: &mpsc::Receiver<Order>) {
        let mut wait = Duration::ZERO;
        loop {
            // Without a device orders are all there is to wait for, but first
            // it is tried to open one.
            let order = if self.kept.device().is_some() {
                orders
                    .try_recv()
                    .map_err(|e| e == mpsc::TryRecvError::Disconnected)
            } else {
                orders
                    .recv_timeout(std::mem::replace(&mut wait, WAIT))
                    .map_err(|e| e == mpsc::RecvTimeoutError::Disconnected)
            };
            match order {
                Ok(order) => {
                    self.obey(order);
                    wait = Duration::ZERO;
                    continue;
                }
                Err(true) => return self.end_spurt(),
                Err(false) => {}
            }
            match self.muted.get() {
                Mute::Off => {}
                Mute::Open => self.hold(),
                Mute::Closed => {
                    self.close();
                    continue;
                }
            }
            self.tend();
            self.listen();
        }
    }

    fn obey(&mut self, order: Order) {
        let done = match order {
            Order::Choose(choice) => {
                self.kept.choose(choice);
                Ok(())
            }
            Order::Process(processing) => {
                self.processor.apply(processing);
                Ok(())
            }
            // The loop looks.
            Order::Mute => Ok(()),
            Order::Available(bits) => {
                let step = bitrate::step_for(bits, self.encoder.bitrate());
                self.encoder.set_bitrate(step)
            }
            Order::Loss(percent) => self.encoder.set_loss(percent),
        };
        if done.is_err() {
            tracing::warn!("the audio encoder refused a setting");
        }
    }

    /// Opens what should be open.
    fn tend(&mut self) {
        let was_open = self.kept.device().is_some();
        let events = &mut self.events;
        let mut opened = false;
        self.kept.tend(Instant::now(), &mut |change| {
            opened |= matches!(change, Change::Opened(_));
            events(event_of(change));
        });
        if opened {
            self.opened = Instant::now();
        }
        if was_open && self.kept.device().is_none() {
            self.half = None;
        }
    }

    fn listen(&mut self) {
        let Some(source) = self.kept.device() else {
            return self.quiet();
        };
        let mut step = [0.0; STEP];
        match source.read(&mut step, WAIT) {
            Ok(true) => {
                let (live, delay) = (source.live(), source.delay());
                self.hear(step, live, delay);
            }
            Ok(false) => {
                let since = self.last.map_or(self.opened, |last| last.max(self.opened));
                if since.elapsed() > STALLED {
                    self.broke(DeviceError::Broken);
                }
            }
            Err(error) => self.broke(error),
        }
    }

    fn broke(&mut self, error: DeviceError) {
        let events = &mut self.events;
        self.kept
            .broke(error, &mut |change| events(event_of(change)));
        self.half = None;
    }

    fn hear(&mut self, mut step: Step, live: bool, delay: Duration) {
        let now = Instant::now();
        self.last = Some(now);
        if let Some(echo) = &self.echo {
            let (played, speaker_delay) = echo.take();
            for played in &played {
                self.processor.played(played);
            }
            if live {
                self.processor.clean(&mut step, speaker_delay + delay);
            }
        } else if live {
            self.processor.clean(&mut step, delay);
        }
        // It ends here. The processing has heard it, so that it still knows the
        // room's echo when sound leaves again.
        if self.muted.get() != Mute::Off {
            return;
        }
        self.skip_gap(now);
        self.watch_level(&step);
        match self.half.take() {
            None => self.half = Some(step),
            Some(first) => self.send(&first, &step),
        }
    }

    /// RTP time passes while nothing is captured.
    fn skip_gap(&mut self, now: Instant) {
        let held = std::mem::take(&mut self.held);
        if let Some(last) = self.sent.replace(now) {
            let gap = now.duration_since(last);
            // A device that hiccups delivers late, not less.
            if held || (gap > WAIT && self.opened > last) {
                self.half = None;
                self.encoder.skip((gap.as_millis() / 20) as u32);
            }
        }
    }

    fn send(&mut self, first: &Step, second: &Step) {
        if self.packets.is_none() || self.muted.get() != Mute::Off {
            return;
        }
        let mut samples = [0.0; PACKET];
        samples[..STEP].copy_from_slice(first);
        samples[STEP..].copy_from_slice(second);
        match self.encoder.encode(&samples) {
            Ok(Some(packet)) => self.give(packet),
            Ok(None) => {}
            Err(_) => tracing::warn!("audio could not be encoded"),
        }
    }

    fn give(&mut self, packet: EncodedAudio) {
        if let Some(packets) = &self.packets {
            match packets.try_send(packet) {
                Ok(()) => self.stats.packets += 1,
                Err(_) => self.stats.dropped += 1,
            }
        }
    }

    fn watch_level(&mut self, step: &Step) {
        let level = self.meter.hear(step);
        let spoke = self.speaking.speaks();
        let speaks = self.speaking.hear(rms_db(step));
        if spoke != speaks {
            (self.events)(CaptureEvent::Speaking(speaks));
        }
        self.steps += 1;
        if self.steps.is_multiple_of(SHOW_EACH) {
            self.show_stats(true, level);
        }
    }

    fn show_stats(&mut self, open: bool, level: f32) {
        self.stats.open = open;
        self.stats.level_db = level;
        self.stats.speaking = self.speaking.speaks();
        self.stats.bitrate = self.encoder.bitrate();
        self.show.send_replace(self.stats);
    }

    /// Nothing is captured: nobody speaks.
    fn quiet(&mut self) {
        if self.stats.open || self.speaking.speaks() {
            self.hush(false);
        }
    }

    fn hush(&mut self, open: bool) {
        if self.speaking.speaks() {
            (self.events)(CaptureEvent::Speaking(false));
        }
        self.meter = Meter::default();
        self.speaking = Speaking::default();
        self.show_stats(open, SILENCE_DB);
    }

    /// Muted with an open device: what was begun ends, and nothing follows.
    fn hold(&mut self) {
        if !std::mem::replace(&mut self.held, true) {
            self.half = None;
            self.end_spurt();
        }
        let open = self.kept.device().is_some();
        if self.stats.open != open || self.speaking.speaks() || self.stats.level_db > SILENCE_DB {
            self.hush(open);
        }
    }

    /// Muted: the device goes, and the half of a packet with it.
    fn close(&mut self) {
        if self.kept.device().is_some() {
            self.kept.close();
            self.half = None;
            self.end_spurt();
        }
        self.quiet();
    }

    /// Tells the others that nothing comes, so that they make nothing up.
    fn end_spurt(&mut self) {
        for packet in self.encoder.end() {
            self.give(packet);
        }
    }
}

fn event_of(change: Change) -> CaptureEvent {
    match change {
        Change::Opened(name) => CaptureEvent::Opened(name),
        Change::Failed(error) => CaptureEvent::Failed(error),
    }
}
