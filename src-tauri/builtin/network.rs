//! What this computer is called on the network around it. Only looks: nothing
//! is sent.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often an address that links carry is looked after.
const EVERY: Duration = Duration::from_secs(15);

type Look = Arc<dyn Fn() -> Option<IpAddr> + Send + Sync>;

/// How to learn this computer's address, and how often; a value, so that a
/// test can be on any network.
#[derive(Clone)]
pub struct Network {
    look: Look,
    every: Duration,
}

impl Network {
    #[cfg(test)]
    pub fn new(look: impl Fn() -> Option<IpAddr> + Send + Sync + 'static, every: Duration) -> Self {
        let look = Arc::new(look);
        Self { look, every }
    }

    /// The address under which others reach this computer; `None` without a
    /// network.
    pub fn address(&self) -> Option<IpAddr> {
        (self.look)()
    }

    pub fn clock(&self) -> Interval {
        let mut clock = interval(self.every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        clock
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            look: Arc::new(look),
            every: EVERY,
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

/// The address that a packet to the outside would carry. Choosing a peer sends
/// nothing; this one is reserved for documentation (RFC 5737).
fn look() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}
