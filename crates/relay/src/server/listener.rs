//! Accepts TCP connections, does TLS, and serves HTTP/1.1 on them. Whoever
//! dawdles over a handshake or a request's head is let go.
//!
//! A relay may listen at several addresses; closing one ends what came in by
//! it and nothing else.

use super::{
    config::Config,
    gate::{Slot, Slots, take_slot},
    meter::{Meter, Metered},
    visitor::{Ends, counted},
};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

/// Out of file handles, most likely: trying again at once would only spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;

/// An address that is listened at, until this is dropped. Then connections
/// that came in by it end: those that are no sockets yet at once, sockets
/// with a goodbye.
#[derive(Debug)]
pub struct Listening {
    pub address: SocketAddr,
    task: JoinHandle<()>,
    _open: watch::Sender<()>,
}

/// What a socket holds of the address it came in by.
#[derive(Debug, Clone)]
pub struct Entrance(watch::Receiver<()>);

impl Entrance {
    /// Resolves when that address is listened at no more.
    pub async fn closed(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to accept connections.
pub fn listen(
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    config: Arc<Config>,
    slots: Slots,
) -> Listening {
    let (open, entrance) = watch::channel(());
    let router = router.layer(Extension(Entrance(entrance)));
    Listening {
        address,
        task: tokio::spawn(run(listener, tls, router, config, slots)),
        _open: open,
    }
}

/// Never returns. Aborting it also ends connections that are not upgraded.
async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    config: Arc<Config>,
    slots: Slots,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        if connections.len() >= config.limits.tcp {
            tracing::warn!("too many connections; one was turned away");
            continue;
        }
        let Some(slot) = place(&slots, peer.ip(), &config) else {
            tracing::debug!("an address has too many connections; one was turned away");
            continue;
        };
        let router = router.clone().layer(Extension(Ends { peer, local }));
        connections.spawn(serve(
            stream,
            tls.clone(),
            router,
            slot,
            config.timings.handshake,
        ));
    }
}

fn place(slots: &Slots, peer: IpAddr, config: &Config) -> Option<Slot> {
    let known = peer.to_canonical();
    let most = match config.trusted_proxies.contains(&known) || known.is_loopback() {
        true => config.limits.tcp,
        false => config.limits.tcp_per_ip,
    };
    take_slot(slots, counted(known), most)
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    slot: Slot,
    patience: Duration,
) {
    // Frames are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return http(stream, router, slot, patience).await;
    };
    match tokio::time::timeout(patience, tls.accept(stream)).await {
        Ok(Ok(stream)) => http(stream, router, slot, patience).await,
        Ok(Err(_)) => tracing::debug!("a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn http<S>(stream: S, router: Router, slot: Slot, patience: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD);
    let meter = Meter::default();
    let router = router.layer(Extension(meter.clone()));
    let stream = Metered::new(stream, meter);
    let connection = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    if connection.await.is_err() {
        tracing::debug!("a connection ended badly");
    }
    // Sockets are counted on their own from the upgrade on.
    drop(slot);
}
