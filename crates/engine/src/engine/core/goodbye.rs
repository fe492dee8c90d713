//! Stopping in a call: it is left as by whoever hangs up. Without a word the
//! others would wait for somebody who does not come back, or go on ringing.

use super::Core;
use sotto_client::{self as client, Client, Input, Request};
use std::time::Duration;

/// How long the relay may take to have the goodbye. Without a relay it is said
/// at the next start.
const GOODBYE: Duration = Duration::from_secs(2);

impl Core {
    /// Leaves the call, and hears the relays until they have the goodbye.
    pub(super) async fn leave_call(&mut self) {
        let Some((room, call)) = self.client.as_ref().and_then(Client::own_call) else {
            return;
        };
        self.requests += 1;
        let ask = client::Ask(self.requests);
        let request = Request::LeaveCall { room, call };
        self.take(Input::Ui { ask, request });
        if tokio::time::timeout(GOODBYE, self.is_said()).await.is_err() {
            tracing::info!("the goodbye to a call waits for the next start");
        }
    }

    async fn is_said(&mut self) {
        while self.client.as_ref().is_some_and(Client::speaks_of_calls) {
            match self.from_links.recv().await {
                Some(from) => self.hear(from),
                None => return,
            }
        }
    }
}
