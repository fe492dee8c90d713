//! Whether UDP reaches the relay's TURN server and comes back.

use super::stun;
use crate::secret;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{
    future::pending,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{UdpSocket, lookup_host},
    time::{Instant, sleep_until, timeout},
};

/// When the question is sent: packets get lost on good networks, too.
const SENT_AT: [u64; 4] = [0, 150, 350, 750];
/// How long an answer is waited for. Raising it lets calls on networks that
/// block UDP begin later; lowering it finds slow ones blocked.
const WAIT: Duration = Duration::from_millis(1_000);
/// For the name of the server.
const NAME: Duration = Duration::from_secs(3);

/// Asks the server at `host:port`, over each kind of address it has.
pub async fn udp_works(server: String) -> bool {
    let Ok(Ok(found)) = timeout(NAME, lookup_host(server)).await else {
        return false;
    };
    let found: Vec<_> = found.collect();
    let first = |v4| found.iter().find(move |address| address.is_ipv4() == v4);
    let both = [first(true), first(false)].into_iter().flatten().copied();
    let mut asking: FuturesUnordered<_> = both.map(ask).collect();
    while let Some(answered) = asking.next().await {
        if answered {
            return true;
        }
    }
    false
}

async fn ask(server: SocketAddr) -> bool {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let Ok(socket) = UdpSocket::bind((any, 0)).await else {
        return false;
    };
    // Only what comes from there is heard.
    if socket.connect(server).await.is_err() {
        return false;
    }
    let transaction: stun::Transaction = secret::random();
    let question = stun::binding(&transaction);
    let began = Instant::now();
    let speak = async {
        for at in SENT_AT {
            sleep_until(began + Duration::from_millis(at)).await;
            // What cannot be sent now may be able to later.
            let _ = socket.send(&question).await;
        }
        pending::<()>().await;
    };
    let hear = async {
        let mut buffer = [0; 512];
        loop {
            // An error tells that nobody was there; one may still come.
            if let Ok(length) = socket.recv(&mut buffer).await
                && stun::answers(&buffer[..length], &transaction)
            {
                return;
            }
        }
    };
    tokio::select! {
        () = hear => true,
        () = speak => false,
        () = sleep_until(began + WAIT) => false,
    }
}
