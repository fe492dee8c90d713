//! Accepts TCP connections, does TLS, and serves HTTP/1.1 on them. Whoever
//! dawdles over a handshake or a request's head is let go.

use super::{
    config::Config,
    gate::{Slot, take_slot},
    visitor::{Ends, counted},
};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// Out of file handles, most likely: trying again at once would only spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;

/// Never returns. Aborting it also ends connections that are not upgraded.
pub async fn run(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    config: Arc<Config>,
) {
    let slots: Arc<Mutex<HashMap<IpAddr, usize>>> = Arc::default();
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

fn place(
    slots: &Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: IpAddr,
    config: &Config,
) -> Option<Slot> {
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
    let connection = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    if connection.await.is_err() {
        tracing::debug!("a connection ended badly");
    }
    // Sockets are counted on their own from the upgrade on.
    drop(slot);
}
