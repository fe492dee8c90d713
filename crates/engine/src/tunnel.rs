//! Calls on networks that let no UDP through. The WebRTC library speaks TURN
//! over UDP alone; so each call has a small server of its own on this computer
//! that speaks UDP with the library, and with the relay by WebSockets. To the
//! library it is one more URL of the same TURN server.
//!
//! ```text
//! library ── UDP on loopback ── shim ── one WebSocket for each socket ── relay
//! ```
//!
//! - `shim`: finds out whether it is needed, and keeps the lines apart.
//! - `probe`: whether UDP reaches the relay's TURN server.
//! - `line`: one WebSocket, and the socket of the library's it is for.
//! - `stun`: the few messages that are looked at or made.
//!
//! It knows no credential and reads no content: what it carries is what the
//! library would have sent over UDP. It decides nothing about who may call
//! how: with relayed paths forbidden or impossible, nobody asks it.

mod line;
mod probe;
mod shim;
mod stun;

#[cfg(test)]
mod tests;

use crate::link::Sockets;
use shim::{Asked, Shim};
use sotto_client::call::media::{IceServer, MediaOrder, Paths};
use sotto_wire::{CallId, RelayAddress};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, UdpSocket},
};
use tokio::{runtime, sync::watch, task::JoinHandle};

/// The tunnels of the call that runs.
pub struct Tunnels {
    runtime: runtime::Handle,
    call: Option<CallId>,
    open: BTreeMap<RelayAddress, Tunnel>,
}

/// One of them. Dropped, it ends, with every WebSocket of it.
struct Tunnel {
    url: String,
    asked: watch::Sender<Asked>,
    task: JoinHandle<()>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tunnels {
    /// They run on `runtime`.
    pub fn new(runtime: runtime::Handle) -> Self {
        Self {
            runtime,
            call: None,
            open: BTreeMap::new(),
        }
    }

    /// Opens what a call needs, says so in the order, and closes what is over.
    /// As with media, a call ends when another begins.
    pub fn prepare(&mut self, order: &mut MediaOrder) {
        match order {
            MediaOrder::Begin { call, paths } => {
                self.open.clear();
                self.call = Some(*call);
                self.lead(paths);
            }
            MediaOrder::Reroute { call, paths } if self.call == Some(*call) => self.lead(paths),
            MediaOrder::End { call } if self.call == Some(*call) => {
                self.open.clear();
                self.call = None;
            }
            MediaOrder::Reroute { .. }
            | MediaOrder::End { .. }
            | MediaOrder::Send { .. }
            | MediaOrder::Connect { .. }
            | MediaOrder::Describe { .. }
            | MediaOrder::AddCandidate { .. }
            | MediaOrder::Restart { .. }
            | MediaOrder::Disconnect { .. }
            | MediaOrder::Expect { .. }
            | MediaOrder::SealWith { .. }
            | MediaOrder::OpenWith { .. }
            | MediaOrder::Forget { .. } => {}
        }
    }

    /// The network is another: what was found out about it holds no more.
    pub fn moved(&self) {
        for tunnel in self.open.values() {
            tunnel.asked.send_modify(|asked| asked.moves += 1);
        }
    }

    fn lead(&mut self, paths: &mut Paths) {
        for server in &mut paths.servers {
            let Some(udp) = udp_address(server) else {
                continue;
            };
            if let Some(tunnel) = &mut server.tunnel {
                tunnel.url = self.url(&tunnel.relay, udp);
            }
        }
    }

    /// The URL of the tunnel to a relay whose TURN server is at `udp`. It stays
    /// the same for the whole call: of another, the library would think that
    /// the servers changed, and give up the allocations it has.
    fn url(&mut self, relay: &RelayAddress, udp: String) -> Option<String> {
        if let Some(known) = self.open.get(relay) {
            known.asked.send_if_modified(|asked| {
                let other = asked.server != udp;
                asked.server = udp;
                other
            });
            return Some(known.url.clone());
        }
        match Tunnel::open(relay.clone(), udp, &self.runtime) {
            Ok(tunnel) => {
                let url = tunnel.url.clone();
                self.open.insert(relay.clone(), tunnel);
                Some(url)
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "no way around a network that blocks UDP");
                None
            }
        }
    }
}

impl Tunnel {
    fn open(relay: RelayAddress, server: String, runtime: &runtime::Handle) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        let url = format!("turn:{}?transport=udp", socket.local_addr()?);
        let socket = {
            let _here = runtime.enter();
            tokio::net::UdpSocket::from_std(socket)?
        };
        let (asked, asking) = watch::channel(Asked { server, moves: 0 });
        let task = runtime.spawn(Shim::new(socket, Sockets::new(relay), asking).run());
        Ok(Self { url, asked, task })
    }
}

/// Where the TURN server is over UDP, as `host:port`.
fn udp_address(server: &IceServer) -> Option<String> {
    let mut urls = server.urls.iter();
    urls.find_map(|url| {
        let rest = url.strip_prefix("turn:")?;
        Some(rest.strip_suffix("?transport=udp")?.to_owned())
    })
}
