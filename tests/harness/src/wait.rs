//! Waiting on conditions, never on time: every wait looks again until the
//! condition holds or its deadline passes.

use crate::{Failure, Result};
use std::time::{Duration, Instant};

/// Pause between two looks. Smaller costs processor time that the app needs.
const LOOK_AGAIN: Duration = Duration::from_millis(60);

/// For what happens on one machine without a restart.
pub fn quick() -> Duration {
    Duration::from_secs(30)
}

/// For starting an app or coming back after an outage (backoff goes up to 30 s).
pub fn long() -> Duration {
    Duration::from_secs(90)
}

/// Looks until `look` finds something.
///
/// `look` answers `Ok(value)` when the condition holds, otherwise what it saw,
/// which becomes part of the failure.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> std::result::Result<T, String>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(_) if Instant::now() < deadline => tokio::time::sleep(LOOK_AGAIN).await,
            Err(seen) => {
                let seconds = within.as_secs();
                return Err(Failure::new(format!(
                    "waited {seconds} s for {what}, but {seen}"
                )));
            }
        }
    }
}
