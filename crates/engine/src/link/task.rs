//! The life of a link: connect, live, wait, again.

use super::{
    LinkSetup, Order, Said,
    backoff::Backoff,
    dial::{Dial, Refusal},
    session::{Failed, Session},
    socket::{self, Ended, Outgoing},
};
use crate::api::{LinkProblem, LinkStatus};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// A connection that lasted this long was a success. One that the relay closes
/// at once must not bring us back at once, for ever.
const SUCCESS: Duration = Duration::from_secs(10);

pub struct Task<D> {
    session: Session,
    dial: Arc<D>,
    outgoing: Outgoing,
    orders: mpsc::Receiver<Order>,
    backoff: Backoff,
    connection: u64,
    /// "Try now" came while it was being tried: what it failed for may have
    /// been mended meanwhile.
    again: bool,
}

impl<D: Dial> Task<D> {
    pub fn new(
        setup: LinkSetup,
        dial: D,
        outgoing: Outgoing,
        orders: mpsc::Receiver<Order>,
        backoff: Backoff,
    ) -> Self {
        let LinkSetup {
            relay,
            link,
            user,
            tokens,
            wall,
            engine,
            seed: _,
        } = setup;
        let session = Session {
            relay,
            link,
            user,
            wall,
            engine,
            tokens,
            spent: false,
        };
        Self {
            session,
            dial: Arc::new(dial),
            outgoing,
            orders,
            backoff,
            connection: 0,
            again: false,
        }
    }

    /// Until the handle is dropped or the engine is gone.
    pub async fn run(mut self) {
        loop {
            let why = match self.attempt().await {
                Err(Failed::Stopped) => return,
                Err(Failed::Refused(refusal)) => refusal,
                Ok(never) => match never {},
            };
            let (why, at_least) = match why {
                Refusal::Credential => (LinkProblem::Refused, None),
                Refusal::Problem { why, retry_after } => (why, retry_after),
            };
            if std::mem::take(&mut self.again) {
                continue;
            }
            let delay = self.backoff.next().max(at_least.unwrap_or_default());
            tracing::info!(?why, seconds = delay.as_secs(), "no connection to a relay");
            let retry_in_ms = delay.as_millis() as u64;
            let waiting = LinkStatus::Waiting { retry_in_ms, why };
            if self.session.say(Said::Status(waiting)).await.is_err() || !self.wait(delay).await {
                return;
            }
        }
    }

    /// One connection from dialing to its end.
    async fn attempt(&mut self) -> Result<std::convert::Infallible, Failed> {
        self.session
            .say(Said::Status(LinkStatus::Connecting))
            .await?;
        let socket = {
            let opening = self.session.open(&*self.dial);
            tokio::pin!(opening);
            loop {
                tokio::select! {
                    opened = &mut opening => break opened?,
                    order = self.orders.recv() => match order {
                        Some(Order::ReconnectNow) => self.again = true,
                        // From an address that is no more, it would fail slowly.
                        Some(Order::Moved) => {
                            self.again = true;
                            return Err(Failed::Refused(LinkProblem::Unreachable.into()));
                        }
                        Some(Order::Cut) => {}
                        None => return Err(Failed::Stopped),
                    },
                }
            }
        };
        self.again = false;
        self.connection += 1;
        let since = Instant::now();
        let ended = socket::live(
            socket,
            self.connection,
            &mut self.session,
            &self.dial,
            &mut self.outgoing,
            &mut self.orders,
        )
        .await;
        if since.elapsed() >= SUCCESS {
            self.backoff.reset();
        }
        match ended {
            Ended::Stopped => Err(Failed::Stopped),
            Ended::NeverUp(why) => Err(Failed::Refused(why.into())),
            Ended::Lost(why) => {
                self.session.say(Said::Down).await?;
                Err(Failed::Refused(why.into()))
            }
            Ended::Moved => {
                self.again = true;
                self.session.say(Said::Down).await?;
                Err(Failed::Refused(LinkProblem::Unreachable.into()))
            }
        }
    }

    /// `false` if the link is over.
    async fn wait(&mut self, delay: Duration) -> bool {
        let until = Instant::now() + delay;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return true,
                order = self.orders.recv() => match order {
                    Some(Order::ReconnectNow | Order::Moved) => {
                        self.backoff.reset();
                        return true;
                    }
                    Some(Order::Cut) => {}
                    None => return false,
                },
            }
        }
    }
}
