//! The sound of a call that comes or goes out, made here and played on the
//! ringtone's own output.

use super::{RATE, STEP, Step};
use crate::device::keep::Kept;
use crate::device::list::DeviceChoice;
use crate::device::sound::{AudioSink, SoundDevices};
use crate::device::{DeviceError, DeviceKind};
use std::f32::consts::TAU;
use std::sync::mpsc::{Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_millis(100);

/// What it sounds like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ring {
    /// Somebody calls: two bells, twice, every three seconds.
    Incoming,
    /// We call: one soft low bell, every four seconds.
    Outgoing,
    /// A speaker is tried: the two bells, once.
    Test,
}

/// A struck bell: when (s), its pitch (Hz), how loud.
struct Strike(f32, f32, f32);

/// A fifth apart, E5 and B5: heard through noise, and nobody's alarm.
const BELLS: [Strike; 4] = [
    Strike(0.0, 659.26, 0.30),
    Strike(0.18, 987.77, 0.26),
    Strike(0.62, 659.26, 0.24),
    Strike(0.80, 987.77, 0.20),
];
const SOFT: [Strike; 1] = [Strike(0.0, 329.63, 0.16)];
/// Partials of a bell: how high over its pitch, how loud, how fast it fades.
const PARTIALS: [(f32, f32, f32); 4] = [
    (1.0, 1.0, 3.2),
    (2.0, 0.35, 5.0),
    (3.01, 0.12, 8.0),
    (4.2, 0.06, 12.0),
];

impl Ring {
    fn strikes(self) -> &'static [Strike] {
        match self {
            Self::Incoming => &BELLS,
            Self::Outgoing => &SOFT,
            Self::Test => &BELLS[..2],
        }
    }

    /// After how long it begins again, samples.
    fn period(self) -> u64 {
        let seconds = match self {
            Self::Incoming => 3,
            Self::Outgoing => 4,
            Self::Test => 2,
        };
        seconds * u64::from(RATE)
    }

    /// How often it is heard before it ends by itself.
    fn times(self) -> u64 {
        match self {
            Self::Incoming | Self::Outgoing => u64::MAX,
            Self::Test => 1,
        }
    }

    /// Sample `n` since it began to ring.
    pub fn sample(self, n: u64) -> f32 {
        if n / self.period() >= self.times() {
            return 0.0;
        }
        let t = (n % self.period()) as f32 / RATE as f32;
        self.strikes().iter().map(|s| s.sample(t)).sum()
    }
}

impl Strike {
    fn sample(&self, t: f32) -> f32 {
        let Self(begins, pitch, loud) = *self;
        let t = t - begins;
        if t < 0.0 {
            return 0.0;
        }
        // 4 ms of attack: struck, and no click.
        let attack = (t / 0.004).min(1.0);
        let bell: f32 = PARTIALS
            .iter()
            .map(|(over, part, fades)| part * (-t * fades).exp() * (TAU * pitch * over * t).sin())
            .sum();
        loud * attack * bell
    }
}

/// Rings while it lives.
#[derive(Debug)]
pub struct Chime {
    orders: Sender<DeviceChoice>,
}

impl Chime {
    /// `events` as for playout: what became of the output. A ring without any
    /// output is only seen.
    pub fn start(
        devices: SoundDevices,
        choice: DeviceChoice,
        ring: Ring,
        mut events: impl FnMut(Result<(), DeviceError>) + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let (orders, received) = channel();
        std::thread::Builder::new()
            .name("sotto-ring".into())
            .spawn(move || {
                let SoundDevices { list, sink, .. } = devices;
                let mut kept: Kept<dyn AudioSink> =
                    Kept::new(DeviceKind::Speaker, list, sink, choice);
                let mut played = 0u64;
                while played / ring.period() < ring.times() {
                    match received.try_recv() {
                        Ok(choice) => kept.choose(choice),
                        Err(TryRecvError::Disconnected) => {
                            return fade_out(&mut kept, ring, played);
                        }
                        Err(TryRecvError::Empty) => {}
                    }
                    kept.tend(Instant::now(), &mut |change| {
                        events(match change {
                            crate::device::keep::Change::Opened(_) => Ok(()),
                            crate::device::keep::Change::Failed(why) => Err(why),
                        });
                    });
                    play(&mut kept, ring, &mut played);
                }
            })
            .map_err(|_| DeviceError::Broken)?;
        Ok(Self { orders })
    }

    pub fn choose(&self, choice: DeviceChoice) {
        let _ = self.orders.send(choice);
    }
}

fn play(kept: &mut Kept<dyn AudioSink>, ring: Ring, played: &mut u64) {
    let Some(sink) = kept.device() else {
        return std::thread::sleep(WAIT);
    };
    let done = match sink.wants(WAIT) {
        Ok(true) => {
            let step: Step = std::array::from_fn(|n| ring.sample(*played + n as u64));
            *played += STEP as u64;
            sink.write(&step)
        }
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = done {
        kept.broke(error, &mut |_| {});
    }
}

/// Ends without a click.
fn fade_out(kept: &mut Kept<dyn AudioSink>, ring: Ring, played: u64) {
    if let Some(sink) = kept.device()
        && sink.wants(WAIT).unwrap_or(false)
    {
        let step: Step = std::array::from_fn(|n| {
            ring.sample(played + n as u64) * (1.0 - n as f32 / STEP as f32)
        });
        let _ = sink.write(&step);
        // The step is still on its way to the speaker.
        std::thread::sleep(sink.delay().min(WAIT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::level::rms_db;
    use crate::audio::pitch::level_at;

    fn ring(ring: Ring, from: f32, to: f32) -> Vec<f32> {
        let at = |t: f32| (t * RATE as f32) as u64;
        (at(from)..at(to)).map(|n| ring.sample(n)).collect()
    }

    #[test]
    fn it_rings_two_tones_and_then_pauses() {
        let bells = ring(Ring::Incoming, 0.0, 0.6);
        assert!(level_at(&bells, 659.26) > -30.0);
        assert!(level_at(&bells, 987.77) > -30.0);
        assert!(rms_db(&ring(Ring::Incoming, 2.6, 3.0)) < -45.0);
        assert_eq!(
            ring(Ring::Incoming, 0.0, 1.0),
            ring(Ring::Incoming, 3.0, 4.0)
        );
        assert_eq!(rms_db(&ring(Ring::Test, 2.0, 6.0)), -100.0);
    }

    #[test]
    fn it_neither_clips_nor_clicks() {
        for kind in [Ring::Incoming, Ring::Outgoing, Ring::Test] {
            let all = ring(kind, 0.0, 8.0);
            assert!(all.iter().all(|s| s.abs() < 0.9));
            assert!(
                all.windows(2).all(|w| (w[1] - w[0]).abs() < 0.15),
                "{kind:?}"
            );
        }
    }
}
