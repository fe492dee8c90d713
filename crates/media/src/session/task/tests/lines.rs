//! One connection after another to the same end.

use super::super::*;
use crate::peer::PeerEvent;
use sotto_client::call::media::{MediaOrder, PeerFailure};
use sotto_wire::{DeviceId, UserId};

const CALL: CallId = CallId([1; 16]);
const BOB: Peer = Peer {
    user: UserId([2; 32]),
    device: DeviceId([2; 16]),
};

#[tokio::test]
async fn the_last_words_of_a_connection_do_not_end_the_next() {
    let (reports, mut reported) = mpsc::unbounded_channel();
    let (devices, view) = (Arc::default(), Arc::default());
    let mut task = Task::new(Setup::default(), devices, view, reports);
    task.order(MediaOrder::Begin {
        call: CALL,
        paths: Paths::default(),
    });
    let connect = || MediaOrder::Connect {
        call: CALL,
        peer: BOB,
        offers: false,
    };
    let broken = || Notable::Connection(PeerEvent::Failed(PeerFailure::Silent));
    task.order(connect());
    let first = task.end(&BOB).expect("a connection").line;
    task.order(MediaOrder::Disconnect {
        call: CALL,
        peer: BOB,
    });
    task.order(connect());
    let second = task.end(&BOB).expect("another").line;

    task.notice(first, broken());
    assert!(task.end(&BOB).is_some() && reported.try_recv().is_err());
    task.notice(second, broken());
    assert!(task.end(&BOB).is_none());
    let failed = MediaReport::Failed {
        call: CALL,
        peer: BOB,
        why: PeerFailure::Silent,
    };
    assert_eq!(reported.try_recv(), Ok(failed));
}
