//! A relay's doors over real sockets: HTTP by reqwest, WebSocket by
//! tungstenite.

use super::{
    dial::{Dial, Refusal, judge},
    tls,
};
use crate::api::LinkProblem;
use serde::{Serialize, de::DeserializeOwned};
use sotto_wire::{
    RelayAddress, SUBPROTOCOL, UserId,
    auth::{Challenge, ChallengeRequest, RefreshRequest, TokenRequest, Tokens},
    frame::Token,
    limits,
};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        error::{ProtocolError, TlsError, UrlError},
        handshake::client::Request,
        http::HeaderValue,
        protocol::WebSocketConfig,
    },
};

/// How long one request, or opening the WebSocket, may take.
const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer answers to a sign-in are not ours.
const ANSWER_MAX: usize = 64 * 1024;

pub type NetSocket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens WebSockets of one relay.
pub struct Sockets {
    relay: RelayAddress,
    tls: Arc<rustls::ClientConfig>,
}

impl Sockets {
    pub fn new(relay: RelayAddress) -> Self {
        let tls = Arc::new(tls::config(relay.pin));
        Self { relay, tls }
    }

    /// A request for a path of this relay's; `None` if its host is none.
    pub fn request(&self, path: &str) -> Option<Request> {
        let url = format!("{}{path}", self.relay.ws());
        url.into_client_request().ok()
    }

    pub async fn open(
        &self,
        request: Request,
        config: WebSocketConfig,
    ) -> Result<NetSocket, Refusal> {
        let connector = match self.relay.secure {
            true => Connector::Rustls(self.tls.clone()),
            false => Connector::Plain,
        };
        // What is sent is small, and somebody waits for it.
        let no_delay = true;
        let opening =
            connect_async_tls_with_config(request, Some(config), no_delay, Some(connector));
        match tokio::time::timeout(TIMEOUT, opening).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(not_opened(&error)),
            Err(_) => Err(LinkProblem::Unreachable.into()),
        }
    }
}

pub struct NetDial {
    sockets: Sockets,
    http: reqwest::Client,
}

impl NetDial {
    pub fn new(relay: RelayAddress) -> Self {
        let sockets = Sockets::new(relay);
        // No redirects: a relay has one address, and a token goes nowhere
        // else. No proxy: the WebSocket could not follow.
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured((*sockets.tls).clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(1)
            .build()
            .expect("reqwest takes rustls's configuration");
        Self { sockets, http }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Refusal> {
        let url = format!("{}{path}", self.sockets.relay.http());
        let mut answer = self
            .http
            .post(url)
            .json(body)
            .send()
            .await
            .map_err(unreachable)?;
        let status = answer.status();
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if text.len() + chunk.len() > ANSWER_MAX {
                return Err(LinkProblem::NotARelay.into());
            }
            text.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(judge(status.as_u16(), &text));
        }
        serde_json::from_slice(&text).map_err(|_| LinkProblem::NotARelay.into())
    }

    fn upgrade(&self, access: &Token) -> Option<Request> {
        let mut request = self.sockets.request("/v1/ws")?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", access.0)).ok()?;
        bearer.set_sensitive(true);
        request.headers_mut().insert("Authorization", bearer);
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        Some(request)
    }
}

impl Dial for NetDial {
    type Io = MaybeTlsStream<TcpStream>;

    async fn challenge(&self, account: UserId) -> Result<Challenge, Refusal> {
        self.post("/v1/auth/challenge", &ChallengeRequest { account })
            .await
    }

    async fn token(&self, request: TokenRequest) -> Result<Tokens, Refusal> {
        self.post("/v1/auth/token", &request).await
    }

    async fn refresh(&self, refresh: Token) -> Result<Tokens, Refusal> {
        self.post("/v1/auth/refresh", &RefreshRequest { refresh })
            .await
    }

    async fn open(&self, access: Token) -> Result<WebSocketStream<Self::Io>, Refusal> {
        // A token that no header can carry is no token.
        let request = self.upgrade(&access).ok_or(Refusal::Credential)?;
        self.sockets.open(request, socket_config()).await
    }
}

pub fn socket_config() -> WebSocketConfig {
    let longest = limits::LARGE_FRAME + limits::FRAME;
    WebSocketConfig::default()
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest))
}

fn unreachable(error: reqwest::Error) -> Refusal {
    match tls::blame(&error) {
        Some(why) => why.into(),
        None if error.is_decode() || error.is_redirect() => LinkProblem::NotARelay.into(),
        None => LinkProblem::Unreachable.into(),
    }
}

fn not_opened(error: &tungstenite::Error) -> Refusal {
    use tungstenite::Error;
    if let Some(why) = tls::blame(error) {
        return why.into();
    }
    match error {
        Error::Http(answer) => judge(
            answer.status().as_u16(),
            answer.body().as_deref().unwrap_or_default(),
        ),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            LinkProblem::Version.into()
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) | Error::Io(_) => {
            LinkProblem::Unreachable.into()
        }
        Error::Url(UrlError::UnableToConnect(_)) => LinkProblem::Unreachable.into(),
        Error::Tls(TlsError::InvalidDnsName) | Error::Tls(_) => LinkProblem::Tls.into(),
        _ => LinkProblem::NotARelay.into(),
    }
}
