//! Six people in one call for two minutes, each with voice and face, each
//! seeing all the others: whether anything grows, leaks, drifts or stops.

use super::loss::made_up;
use super::page::{Grid, Looks, Page, ages};
use super::talk::{self, decoded, measures};
use crate::people::{Failure, Person, Town};
use crate::{Samples, Target, Work, memory, row};
use sotto_media::console::{CallStats, EndStats, SoundIn};
use std::time::{Duration, Instant};

const NAMES: [(&str, u32); 6] = [
    ("Alice", 330),
    ("Bob", 392),
    ("Carol", 440),
    ("Dave", 494),
    ("Erin", 554),
    ("Frank", 622),
];
/// Six tiles on an ordinary window.
const TILE: Grid = Grid {
    width: 426,
    height: 240,
};
/// From the first picture on.
const WARM: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(120);
/// What counts as the start and as the end.
const SPAN: Duration = Duration::from_secs(10);
const MIB: f64 = 1024.0 * 1024.0;

/// Everybody's numbers at one moment.
struct Moment {
    at: Instant,
    memory: u64,
    stats: Vec<CallStats>,
}

impl Moment {
    async fn now(people: &[Person]) -> Result<Self, Failure> {
        let mut stats = Vec::new();
        for person in people {
            stats.push(person.engine.media().stats().await);
        }
        Ok(Self {
            at: Instant::now(),
            memory: memory::resident("self")?,
            stats,
        })
    }

    fn ends(&self) -> impl Iterator<Item = &EndStats> {
        self.stats.iter().flat_map(|stats| &stats.peers)
    }

    fn sounds(&self) -> Vec<SoundIn> {
        self.ends().map(|end| end.sound).collect()
    }

    fn sum(&self, of: impl Fn(&EndStats) -> u64) -> u64 {
        self.ends().map(of).sum()
    }
}

pub async fn measure() -> Result<(), Failure> {
    let town = Town::founded().await?;
    let mut people = Vec::new();
    for (name, hertz) in NAMES {
        people.push(talk::arrives(&town, name, hertz).await?);
    }
    let room = town.room_of(&mut people).await?;
    talk::meet(&mut people, room).await?;
    let mut pages = Vec::new();
    for person in &mut people {
        let peers = talk::connected(person, NAMES.len() - 1).await?;
        pages.push(Page::opens(person.engine.media(), &peers, TILE));
    }
    let sees_all = |stats: &CallStats| stats.peers.iter().all(|end| decoded(end) > 15);
    for person in &people {
        measures(person.engine.media(), sees_all).await?;
    }

    let begun = Instant::now();
    tokio::time::sleep(WARM - SPAN).await;
    let early = Heard::over(SPAN, &people).await;
    let first = Moment::now(&people).await?;
    let work = Work::begin();
    tokio::time::sleep(LONG - WARM - SPAN).await;
    let late = Heard::over(SPAN, &people).await;
    let load = work.took().as_secs_f64() / first.at.elapsed().as_secs_f64();
    let last = Moment::now(&people).await?;
    let seen: Vec<_> = pages.iter().flat_map(Page::seen).collect();
    let late_begun = last.at - SPAN;
    let pictures = [
        ages(&seen, begun + WARM - SPAN, first.at),
        ages(&seen, late_begun, last.at),
    ];
    drop(pages);
    for person in people {
        person.engine.stop().await;
    }
    town.ends().await;
    report(&first, &last, &seen, &pictures, [early, late], load);
    Ok(())
}

/// How late sound is heard, looked at often.
struct Heard(Samples);

impl Heard {
    async fn over(span: Duration, people: &[Person]) -> Self {
        let begun = Instant::now();
        let mut samples = Samples::default();
        let mut looks = tokio::time::interval(Duration::from_millis(500));
        while begun.elapsed() < span {
            looks.tick().await;
            for person in people {
                for end in person.engine.media().stats().await.peers {
                    samples.add(Duration::from_millis(end.sound.delay_ms.into()));
                }
            }
        }
        Self(samples)
    }
}

fn report(
    first: &Moment,
    last: &Moment,
    seen: &[Looks],
    pictures: &[Samples; 2],
    sound: [Heard; 2],
    load: f64,
) {
    let say = |what: &str, value: &str, target: Option<Target<'_>>| {
        row(&format!("six in a call, 2 minutes: {what}"), value, target);
    };
    let grown = last.memory as f64 / first.memory.max(1) as f64;
    say(
        "memory of all at 20 s → at the end",
        &format!(
            "{:.0} → {:.0} MiB, {grown:.2}×",
            first.memory as f64 / MIB,
            last.memory as f64 / MIB
        ),
        Some(Target {
            words: "≤ 1.1×",
            met: grown <= 1.1,
        }),
    );
    let [early, late] = pictures;
    let older = late.median() - early.median();
    say(
        "capture → shown, median at 20 s → at the end",
        &format!(
            "{:.0} → {:.0} ms (p95 {:.0} → {:.0})",
            early.median(),
            late.median(),
            early.at(0.95),
            late.at(0.95)
        ),
        Some(Target {
            words: "≤ 20 ms more",
            met: older <= 20.0,
        }),
    );
    let [early, late] = sound.map(|heard| heard.0.median());
    say(
        "arrival → heard, median at 20 s → at the end",
        &format!("{early:.0} → {late:.0} ms"),
        Some(Target {
            words: "≤ 20 ms more",
            met: late - early <= 20.0,
        }),
    );
    let made_up = made_up(&first.sounds(), &last.sounds());
    say(
        "sound that had to be made up",
        &format!("{:.2} %", made_up * 100.0),
        Some(Target {
            words: "≤ 1 %",
            met: made_up <= 0.01,
        }),
    );
    let drift = drift(first, last);
    say(
        "sound played against the clock, furthest off of 30 voices",
        &format!("{:+.2} %", drift * 100.0),
        Some(Target {
            words: "≤ 0.5 %",
            met: drift.abs() <= 0.005,
        }),
    );
    let freezes = last.sum(|end| end.camera.map_or(0, |picture| picture.freezes))
        - first.sum(|end| end.camera.map_or(0, |picture| picture.freezes));
    let gaps = seen
        .iter()
        .map(|looks| looks.longest_gap(first.at, last.at));
    let longest = gaps.max().unwrap_or_default();
    say(
        "freezes of 30 pictures, and the longest without a new one",
        &format!("{freezes}, {} ms", longest.as_millis()),
        Some(Target {
            words: "0, ≤ 500 ms",
            met: freezes == 0 && longest <= Duration::from_millis(500),
        }),
    );
    let dropped = |moment: &Moment| {
        moment.sum(|end| end.connection.overrun + end.camera.map_or(0, |p| p.dropped))
            + moment
                .stats
                .iter()
                .map(|s| s.own.audio_dropped)
                .sum::<u64>()
    };
    let lost = dropped(last) - dropped(first);
    let refused = |end: &EndStats| end.frames.forged + end.frames.replayed + end.frames.malformed;
    let refused = last.sum(refused);
    say(
        "frames dropped for want of room, and refused",
        &format!("{lost}, {refused}"),
        Some(Target {
            words: "0, 0",
            met: lost + refused == 0,
        }),
    );
    let shown = seen.iter().map(|l| l.between(first.at, last.at).count());
    let fps = shown.sum::<usize>() as f64 / 30.0 / (last.at - first.at).as_secs_f64();
    say(
        "processor of all six, and pictures a second in each tile",
        &format!("{:.0} % of a core, {fps:.1}", load * 100.0),
        None,
    );
}

/// The voice of which most or least was played for the time that passed.
fn drift(first: &Moment, last: &Moment) -> f64 {
    let clock = (last.at - first.at).as_secs_f64() * 1000.0;
    let played = |moment: &Moment| -> Vec<u64> {
        let sounds = moment.sounds();
        sounds.iter().map(|sound| sound.played_ms).collect()
    };
    let pairs = played(first).into_iter().zip(played(last));
    let off = pairs.map(|(before, after)| after.saturating_sub(before) as f64 / clock - 1.0);
    off.max_by(|a, b| a.abs().total_cmp(&b.abs()))
        .unwrap_or(f64::NAN)
}
