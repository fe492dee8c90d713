//! A wire between apps and relay that remembers what went over it: what the
//! relay must not read must not pass here, and the tokens that pass here must
//! not be kept anywhere.

use crate::{Failure, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Names under which credentials travel.
const CREDENTIALS: [&str; 3] = ["access", "refresh", "ticket"];

#[derive(Debug)]
pub struct Wiretap {
    address: SocketAddr,
    relay: Arc<Mutex<Option<SocketAddr>>>,
    heard: Arc<Mutex<Vec<Arc<Tape>>>>,
    listening: JoinHandle<()>,
}

/// One direction of one connection.
type Tape = Mutex<Vec<u8>>;

impl Wiretap {
    /// Listens on a free port; leads nowhere yet.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let relay = Arc::new(Mutex::new(None));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listening = tokio::spawn(listen(listener, Arc::clone(&relay), Arc::clone(&heard)));
        Ok(Self {
            address,
            relay,
            heard,
            listening,
        })
    }

    /// Where apps connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, connections lead to this relay.
    pub fn lead_to(&self, relay: SocketAddr) {
        *self.relay.lock().unwrap_or_else(PoisonError::into_inner) = Some(relay);
    }

    /// Everything that went over the wire so far.
    pub fn heard(&self) -> Vec<u8> {
        let tapes = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        tapes
            .iter()
            .flat_map(|tape| {
                let tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
                tape.clone()
            })
            .collect()
    }

    /// Credentials that the relay gave out or was shown.
    pub fn tokens(&self) -> Vec<String> {
        let heard = String::from_utf8_lossy(&self.heard()).into_owned();
        CREDENTIALS
            .iter()
            .flat_map(|name| values(&heard, name))
            .collect()
    }
}

impl Drop for Wiretap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(
    listener: TcpListener,
    relay: Arc<Mutex<Option<SocketAddr>>>,
    heard: Arc<Mutex<Vec<Arc<Tape>>>>,
) {
    while let Ok((app, _)) = listener.accept().await {
        let relay = *relay.lock().unwrap_or_else(PoisonError::into_inner);
        let up = Arc::new(Tape::default());
        let down = Arc::new(Tape::default());
        let mut tapes = heard.lock().unwrap_or_else(PoisonError::into_inner);
        tapes.extend([Arc::clone(&up), Arc::clone(&down)]);
        drop(tapes);
        tokio::spawn(async move {
            // A relay that is down, or a connection that broke: both ends are
            // closed, as without a wiretap.
            let _ = connect(app, relay, &up, &down).await;
        });
    }
}

async fn connect(app: TcpStream, relay: Option<SocketAddr>, up: &Tape, down: &Tape) -> Result<()> {
    let relay = relay.ok_or_else(|| Failure::new("the wire leads nowhere"))?;
    let relay = TcpStream::connect(relay).await?;
    app.set_nodelay(true)?;
    relay.set_nodelay(true)?;
    let (from_app, to_app) = app.into_split();
    let (from_relay, to_relay) = relay.into_split();
    tokio::select! {
        ended = carry(from_app, to_relay, up) => ended,
        ended = carry(from_relay, to_app, down) => ended,
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, tape: &Tape) -> Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        tape.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(&buffer[..length]);
        to.write_all(&buffer[..length]).await?;
    }
}

/// The values of a JSON string field, wherever it occurs.
fn values(text: &str, name: &str) -> Vec<String> {
    let field = format!("\"{name}\":\"");
    text.match_indices(&field)
        .filter_map(|(at, _)| text[at + field.len()..].split('"').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_in_what_passes() {
        let text = r#"HTTP/1.1 200 OK {"access":"abc.def","refresh":"r-1"}{"ticket":"t"}"#;
        assert_eq!(values(text, "access"), ["abc.def"]);
        assert_eq!(values(text, "refresh"), ["r-1"]);
        assert!(values(text, "other").is_empty());
    }
}
