//! Whoever closes the app in a call has left it: the others see that at once,
//! and do not wait for somebody who may come back.

use crate::calls::{TALK, in_call, person, rings, start};
use crate::harness::{Person, World};
use sotto_client::{
    Change,
    call::view::{CallEnd, CallPhase, CallView, Connection},
};
use sotto_engine::Event;
use sotto_wire::CallId;

/// The next states of the call, until one is as wanted. Until then none is
/// as feared.
async fn sees(
    person: &mut Person,
    call: CallId,
    wanted: impl Fn(&CallView) -> bool,
    feared: impl Fn(&CallView) -> bool,
) {
    person
        .until(|event| match event {
            Event::Client(Change::Call(view)) if view.call == call => {
                assert!(!feared(view), "{view:?}");
                wanted(view).then_some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_the_app_in_a_call_has_left_it() {
    let (world, mut alice, mut bob, _, call) = in_call(TALK).await;
    alice.stop().await;
    let gone = |view: &CallView| view.participants.iter().all(|p| p.me);
    let waits = |view: &CallView| {
        let waits = |c| matches!(c, Connection::Reconnecting { .. });
        view.participants.iter().any(|p| waits(p.connection))
    };
    sees(&mut bob, call, gone, waits).await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_the_app_while_it_rings_elsewhere_has_hung_up() {
    let world = World::new().await;
    let (mut alice, mut bob) = (person("Alice", 440).await, person("Bob", 660).await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    start(&alice, room, TALK).await;
    let call = rings(&mut bob).await;
    alice.stop().await;
    let missed = |view: &CallView| view.phase == CallPhase::Over(CallEnd::Missed);
    // A minute of ringing would be longer than the patience of a test.
    sees(&mut bob, call, missed, |_| false).await;
    bob.stop().await;
    world.stop().await;
}
