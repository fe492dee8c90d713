//! Who watches, and what is wrong right now.
//!
//! A subscriber that does not keep up is let go with [`Event::Lagged`]: the
//! engine waits for nobody.

use crate::api::{Event, Problem};
use tokio::sync::mpsc;

/// Events that wait for one subscriber.
const QUEUE: usize = 4096;

struct Subscriber {
    events: mpsc::Sender<Event>,
    /// Room for the last event, whatever else is queued.
    last: mpsc::OwnedPermit<Event>,
}

#[derive(Default)]
pub struct Subscribers {
    all: Vec<Subscriber>,
    problems: Vec<Problem>,
}

impl Subscribers {
    pub fn add(&mut self) -> mpsc::Receiver<Event> {
        let (events, receiver) = mpsc::channel(QUEUE + 1);
        if let Ok(last) = events.clone().try_reserve_owned() {
            self.all.push(Subscriber { events, last });
        }
        receiver
    }

    pub fn tell(&mut self, event: Event) {
        for subscriber in std::mem::take(&mut self.all) {
            match subscriber.events.try_send(event.clone()) {
                Ok(()) => self.all.push(subscriber),
                Err(mpsc::error::TrySendError::Closed(_)) => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    tracing::warn!("a subscriber does not keep up");
                    subscriber.last.send(Event::Lagged);
                }
            }
        }
    }

    /// The last event for everybody.
    pub fn dismiss(self, event: &Event) {
        for subscriber in self.all {
            subscriber.last.send(event.clone());
        }
    }

    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Raises a problem, in place of one of its kind.
    pub fn raise(&mut self, problem: Problem) {
        if self.problems.contains(&problem) {
            return;
        }
        self.clear(|other| other.same_kind(&problem));
        self.problems.push(problem);
        self.tell(Event::Problem(problem));
    }

    pub fn clear(&mut self, which: impl Fn(&Problem) -> bool) {
        for gone in self
            .problems
            .extract_if(.., |problem| which(problem))
            .collect::<Vec<_>>()
        {
            self.tell(Event::ProblemGone(gone));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_subscriber_is_told_so_and_others_go_on() {
        let mut subscribers = Subscribers::default();
        let mut slow = subscribers.add();
        for _ in 0..QUEUE {
            subscribers.tell(Event::Problem(Problem::DiskFull));
        }
        let mut quick = subscribers.add();
        subscribers.tell(Event::ProblemGone(Problem::DiskFull));
        subscribers.tell(Event::Problem(Problem::StoreLocked));

        let mut heard = Vec::new();
        while let Ok(event) = slow.try_recv() {
            heard.push(event);
        }
        assert_eq!(heard.len(), QUEUE + 1);
        assert_eq!(heard.last(), Some(&Event::Lagged));
        assert!(slow.is_closed());
        assert_eq!(quick.try_recv(), Ok(Event::ProblemGone(Problem::DiskFull)));
        assert_eq!(quick.try_recv(), Ok(Event::Problem(Problem::StoreLocked)));
    }

    #[test]
    fn a_problem_is_raised_once_and_gone_once() {
        let mut subscribers = Subscribers::default();
        let mut events = subscribers.add();
        let wrong = |ahead_ms| Problem::ClockWrong { ahead_ms };
        subscribers.raise(wrong(1));
        subscribers.raise(wrong(1));
        subscribers.raise(wrong(2));
        subscribers.clear(|p| matches!(p, Problem::ClockWrong { .. }));
        subscribers.clear(|p| matches!(p, Problem::ClockWrong { .. }));
        let expected = [
            Event::Problem(wrong(1)),
            Event::ProblemGone(wrong(1)),
            Event::Problem(wrong(2)),
            Event::ProblemGone(wrong(2)),
        ];
        for event in expected {
            assert_eq!(events.try_recv(), Ok(event));
        }
        assert!(events.try_recv().is_err() && subscribers.problems().is_empty());
    }
}
