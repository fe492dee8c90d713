//! What the engine says, told to the page: translated, settled, in order.

use super::{Keeper, Stage};
use crate::{
    ipc::{
        error::ErrorCode,
        event::{self, Event},
        view::Relay,
    },
    session::opening::Closed,
};
use sotto_client::Change;
use sotto_engine::{self as engine, StopWhy};
use sotto_wire::{MessageId, RelayAddress, RoomId};

/// Most events for the page that are gathered before it is told.
const BURST: usize = 256;

impl Keeper {
    pub(super) async fn engine_said(&mut self, first: Option<engine::Event>) {
        let mut burst = Vec::new();
        let mut gone = None;
        if first.is_none() && self.subscription_ended() {
            burst.push(Event::Lagged);
        }
        let mut next = first;
        while let Some(event) = next {
            if let engine::Event::Stopped(why) = event {
                gone = Some(why);
                break;
            }
            self.translate(event, &mut burst).await;
            next = if burst.len() < BURST {
                self.ready_event()
            } else {
                None
            };
        }
        for event in event::settle(burst) {
            self.tell(event);
        }
        if let Some(why) = gone {
            self.engine_stopped(why).await;
        }
    }

    fn ready_event(&mut self) -> Option<engine::Event> {
        match &mut self.stage {
            Stage::Open(open) => open.events.as_mut()?.try_recv().ok(),
            Stage::Closed(_) => None,
        }
    }

    /// Lets go of a subscription that gave nothing more.
    fn subscription_ended(&mut self) -> bool {
        match &mut self.stage {
            Stage::Open(open) => open.events.take().is_some(),
            Stage::Closed(_) => false,
        }
    }

    async fn translate(&mut self, event: engine::Event, burst: &mut Vec<Event>) {
        match event {
            engine::Event::Client(change) => {
                self.learn(&change);
                self.hear_call(&change).await;
                burst.extend(Event::of(change));
            }
            engine::Event::Notify { room, item } => {
                burst.push(Event::Notify {
                    room: room.to_string(),
                    item: item.to_string(),
                });
                self.notify(room, item).await;
            }
            engine::Event::Link { relay, status } => {
                burst.push(self.link_changed(&relay, status).await);
            }
            engine::Event::Problem(problem) => {
                burst.push(Event::Problem {
                    problem: problem.into(),
                });
            }
            engine::Event::ProblemGone(problem) => {
                burst.push(Event::ProblemGone {
                    problem: problem.into(),
                });
            }
            engine::Event::Lagged => {
                tracing::warn!("the page did not keep up");
                self.subscription_ended();
                burst.push(Event::Lagged);
            }
            // Taken out before.
            engine::Event::Stopped(_) => {}
        }
    }

    /// A relay that is switched off is gone, unless the engine still knows it.
    async fn link_changed(&self, relay: &RelayAddress, status: engine::LinkStatus) -> Event {
        if let (engine::LinkStatus::Off, Stage::Open(open)) = (status, &self.stage)
            && !open
                .engine
                .relays()
                .await
                .iter()
                .any(|(known, _)| known == relay)
        {
            return Event::RelayGone {
                address: relay.to_string(),
            };
        }
        Event::Relay {
            relay: Relay::new(relay, status, self.relay.is(relay)),
        }
    }

    fn learn(&mut self, change: &Change) {
        let Stage::Open(open) = &mut self.stage else {
            return;
        };
        match change {
            Change::Room(room) => open.rooms.learn(room),
            Change::RoomGone(room) => open.rooms.forget(room),
            _ => {}
        }
    }

    /// A desktop notification, unless the window is in front: there the page
    /// shows it.
    async fn notify(&self, room: RoomId, item: MessageId) {
        let Stage::Open(open) = &self.stage else {
            return;
        };
        if self.desktop.in_front() {
            return;
        }
        if let Some(note) = open
            .rooms
            .note(&open.engine, &open.settings, room, item)
            .await
        {
            self.desktop.notify(note);
        }
    }

    async fn engine_stopped(&mut self, why: StopWhy) {
        let code = match why {
            StopWhy::Asked => ErrorCode::Stopped,
            StopWhy::Store(failure) => failure.into(),
        };
        tracing::error!(?code, "the engine stopped");
        self.engine.send_replace(None);
        self.stage = Stage::Closed(Closed::Failed(code));
        self.ringing_feed = None;
        self.desktop.show_ringing(false);
        self.relay.end().await;
        self.tell(Event::Stopped { code });
    }
}
