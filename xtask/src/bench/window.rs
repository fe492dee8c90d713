//! How long the app takes to a usable window, and how much memory it and all
//! its processes use when idle, beside an empty Tauri window in the same run.

use super::programs::PROGRAM;
use super::table::{Table, Target};
use crate::demo::interrupted;
use crate::steps::Trouble;
use sotto_harness::{
    Binaries, Brand, Desktop, Failure, Person, Process, Screen, Session, Stage, until,
};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ROOMS: u32 = 50;
const MESSAGES: u32 = 1000;
const STARTS: usize = 5;

/// Filling the profile takes minutes.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What the page calls the moment at which the room list can be used.
const USABLE: &str = "usable";

pub fn measure(binaries: &Binaries, folder: &Path, table: &mut Table) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Runtime::new()?;
    let measured = runtime.block_on(async {
        let mut measured = None;
        let played = Stage::play_on(
            Screen::Private,
            LIMIT,
            folder,
            binaries.clone(),
            async |stage| {
                measured = Some(scene(stage, binaries).await?);
                Ok(())
            },
        );
        tokio::select! {
            played = played => played?,
            () = interrupted() => return Err(Failure::new("interrupted")),
        }
        measured.ok_or_else(|| Failure::new("nothing was measured"))
    })?;
    measured.enter(table);
    Ok(())
}

/// Memory is in kilobytes.
struct Measured {
    start: Duration,
    /// An empty window that paints the way the app does here.
    empty: u64,
    /// The same with WebKit's own choice of how to paint.
    empty_usual: u64,
    app: u64,
}

impl Measured {
    fn enter(&self, table: &mut Table) {
        let start = format!(
            "start to usable window, {ROOMS} rooms of {MESSAGES} messages (median of {STARTS})"
        );
        let (words, met) = ("≤ 1 s", self.start <= Duration::from_secs(1));
        let in_time = Target { words, met };
        table.add(
            start,
            format!("{} ms", self.start.as_millis()),
            Some(in_time),
        );
        let rows = [
            (
                "an empty Tauri window that paints as the app does",
                self.empty,
            ),
            (
                "an empty Tauri window with WebKit's own settings",
                self.empty_usual,
            ),
            ("the app, idle", self.app),
        ];
        for (what, kilobytes) in rows {
            let what = format!("memory of {what}, all processes (PSS)");
            table.add(what, mb(kilobytes), None);
        }
        let over = self.app.saturating_sub(self.empty);
        let (words, met) = ("≤ 60 MB", over <= 60_000);
        let small = Target { words, met };
        table.add(
            "the app over the window that paints alike",
            mb(over),
            Some(small),
        );
    }
}

async fn scene(stage: &Stage, binaries: &Binaries) -> Result<Measured, Failure> {
    // The profile is filled faster than people write.
    let fast = [
        "--frames-per-second=100000",
        "--frames-per-second-per-ip=100000",
    ]
    .map(str::to_owned);
    let relay = format!("ws://{}", stage.relay_starts_with(&fast).await?);
    let owner = stage.person("Alice Liddell");
    fill_profile(stage, binaries, &owner, &relay)?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(start(&owner).await?);
        owner.closes_the_app().await?;
    }
    starts.sort_unstable();
    let empty = Command::new(binaries.other("sotto-empty-window")?);
    let mut usual = Command::new(binaries.other("sotto-empty-window")?);
    usual.arg("--usual");
    let mut app = Command::new(binaries.app()?);
    app.arg("--profile-dir").arg(owner.profile());
    let memory = async |name, command| {
        let measured = idle_memory(stage.desktop(), stage.logs(), name, command).await;
        measured.map_err(|failure| failure.during(format!("measuring the memory of {name}")))
    };
    Ok(Measured {
        start: starts[STARTS / 2],
        empty: memory("empty-window", empty).await?,
        empty_usual: memory("usual-empty-window", usual).await?,
        app: memory("idle-app", app).await?,
    })
}

/// Writes rooms and messages through a real engine and a real relay.
fn fill_profile(
    stage: &Stage,
    binaries: &Binaries,
    owner: &Person,
    relay: &str,
) -> Result<(), Failure> {
    let mut command = Command::new(binaries.other(PROGRAM)?);
    command
        .arg("profile")
        .arg(owner.profile())
        .args([relay, owner.name()])
        .args([ROOMS.to_string(), MESSAGES.to_string()]);
    stage.desktop().host(&mut command, Session::Keyring);
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "the profile was not filled: {status}"
        )))
    }
}

/// From the start of the process to the page's own mark. Both are read after
/// the fact, so that looking costs nothing.
async fn start(owner: &Person) -> Result<Duration, Failure> {
    owner.opens_the_app().await?;
    let page = owner.page()?;
    let script = format!(
        "const mark = performance.getEntriesByName('{USABLE}')[0];\
         return mark ? performance.timeOrigin + mark.startTime : null;"
    );
    let usable = until("a usable window", Duration::from_secs(60), async || {
        let answer = page.ask(&script).await.map_err(|f| f.to_string())?;
        answer
            .as_f64()
            .ok_or_else(|| "it is not usable yet".to_owned())
    })
    .await?;
    let pid = owner.app()?.as_raw_nonzero().get();
    let begun = begun_at(pid).ok_or_else(|| Failure::new("the app's start is unknown"))?;
    Ok(Duration::from_secs_f64((usable - begun).max(0.0) / 1000.0))
}

/// When a process began, in Unix milliseconds, to 10 ms.
fn begun_at(pid: i32) -> Option<f64> {
    /// Linux counts process times in hundredths of a second for every program.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; fields count from behind it.
    let ticks: f64 = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()?
        .as_secs_f64();
    Some((now - uptime + ticks / TICKS_PER_SECOND) * 1000.0)
}

/// Kilobytes of the whole process tree once they stop changing.
async fn idle_memory(
    desktop: &Desktop,
    logs: &Path,
    name: &str,
    mut command: Command,
) -> Result<u64, Failure> {
    // A brand of its own: all marked processes are this program's.
    let brand = Brand::new()?;
    desktop.host(&mut command, Session::Keyring);
    let mut process = Process::start(name, &mut command, logs, &brand)?;
    let mut last = Vec::new();
    until("memory to settle", Duration::from_secs(90), async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        process.check().map_err(|f| f.to_string())?;
        last.push(memory(&brand));
        let recent = &last[last.len().saturating_sub(8)..];
        let (low, high) = (recent.iter().min(), recent.iter().max());
        match (low, high) {
            (Some(low), Some(high)) if recent.len() == 8 && high - low <= high / 100 => Ok(*high),
            _ => Err(format!("it went {recent:?} kB")),
        }
    })
    .await
}

/// Proportional set size of all processes of a brand, in kilobytes.
fn memory(brand: &Brand) -> u64 {
    let of = |pid| {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    brand
        .marked()
        .into_iter()
        .filter_map(|pid| of(pid.as_raw_nonzero().get()))
        .sum()
}

fn mb(kilobytes: u64) -> String {
    format!("{:.0} MB", kilobytes as f64 / 1000.0)
}
