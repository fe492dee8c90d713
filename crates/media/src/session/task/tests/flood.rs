//! The loop of a session under ends that do not stop talking.

use super::super::*;
use crate::device::DeviceName;
use crate::peer::{Control, PeerEvent};
use sotto_client::call::media::MediaOrder;
use sotto_wire::{DeviceId, UserId};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

const CALL: CallId = CallId([1; 16]);
/// Whoever is starved waits for ever; this only ends the test.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many words it takes to call it a flood.
const FLOOD: u64 = 1_000;

fn peer(n: u8) -> Peer {
    Peer {
        user: UserId([n; 32]),
        device: DeviceId([n; 16]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_never_stops_talking_starves_nobody() {
    let silent = Some(DeviceName("silence:".into()));
    let setup = Setup {
        choices: Choices {
            speaker: silent,
            ..Choices::default()
        },
        ..Setup::default()
    };
    let (reports, mut reported) = mpsc::unbounded_channel();
    let (devices, view) = (Arc::default(), Arc::default());
    let mut task = Task::new(setup, devices, view, reports);
    task.order(MediaOrder::Begin {
        call: CALL,
        paths: Paths::default(),
    });
    let (mallory, bob) = (peer(1), peer(2));
    for peer in [mallory, bob] {
        task.order(MediaOrder::Connect {
            call: CALL,
            peer,
            offers: false,
        });
    }
    let call = task.call.as_ref().expect("it began");
    let (notes, line) = (call.notes.clone(), |peer| call.ends[&peer].line);
    let (their_line, line) = (line(mallory), line(bob));
    let said = Arc::new(AtomicU64::new(0));
    let flood = tokio::spawn(talk_without_end(their_line, notes.clone(), said.clone()));
    let (commands, asked) = mpsc::unbounded_channel();
    let running = tokio::spawn(task.run(asked));

    let mut rounds = 0u64;
    while rounds < 200 || said.load(Ordering::Relaxed) < FLOOD {
        let (answer, answered) = oneshot::channel();
        assert!(commands.send(Command::Stats(answer)).is_ok());
        let stats = tokio::time::timeout(PATIENCE, answered).await;
        assert_eq!(stats.expect("in time").expect("an answer").peers.len(), 2);
        // What another has to say is heard as well.
        let word = Notable::KeyMissing(rounds);
        notes.send((line, word)).await.expect("it runs");
        loop {
            let report = tokio::time::timeout(PATIENCE, reported.recv()).await;
            if let MediaReport::KeyMissing { peer, kid, .. } =
                report.expect("in time").expect("one")
            {
                assert_eq!((peer, kid), (bob, rounds));
                break;
            }
        }
        rounds += 1;
    }
    let (answer, stopped) = oneshot::channel();
    assert!(commands.send(Command::Stop(answer)).is_ok());
    stopped.await.expect("it stops");
    running.await.expect("without a panic");
    flood.await.expect("it ends with the call");
}

/// Counts what it got rid of in `said`, until nobody listens.
async fn talk_without_end(who: Line, words: mpsc::Sender<(Line, Notable)>, said: Arc<AtomicU64>) {
    for size in (1u16..8_000).cycle() {
        let shows = Control::Shows {
            kind: VideoKind::Camera,
            width: size,
            height: size,
        };
        let word = Notable::Connection(PeerEvent::Says(shows));
        if words.send((who, word)).await.is_err() {
            return;
        }
        said.fetch_add(1, Ordering::Relaxed);
    }
}
