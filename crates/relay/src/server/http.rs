//! The HTTP side: what every request passes, rooms over REST, stats, and the
//! operator. Signing in is in [`sign_in`], sockets are in [`super::socket`] and
//! [`super::tunnel`].

mod sign_in;

use super::{
    actor::Command,
    config::{Config, millis},
    gate::{Counted, Gate},
    socket, tunnel,
    visitor::{Ends, Visitor},
};
use crate::{
    auth::{jwt::Claims, sha256},
    hub::{ConnId, Deleter, Event},
    turn,
};
use axum::{
    Extension, Json, Router,
    body::Bytes as Body,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, delete, get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use sotto_wire::{DeviceId, ErrorCode, RoomId, UserId, WireError};
use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::{mpsc, oneshot};

/// Longest body of a request. A sign-in needs about 1 KiB.
const BODY: usize = 16 * 1024;

/// What every request handler has.
#[derive(Debug)]
pub struct Shared {
    pub config: Arc<Config>,
    pub gate: Gate,
    /// The STUN and TURN server, unless there is none.
    pub turn: Option<turn::udp::Handle>,
    commands: mpsc::UnboundedSender<Command>,
    /// Cloned into each socket task; see [`super::Relay::stop`].
    alive: std::sync::Mutex<Option<mpsc::Sender<()>>>,
    conns: AtomicU64,
    started: Instant,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Shared {
    pub fn new(
        config: Arc<Config>,
        key: &[u8; 32],
        commands: mpsc::UnboundedSender<Command>,
        alive: mpsc::Sender<()>,
        turn: Option<turn::udp::Handle>,
    ) -> Self {
        Self {
            turn,
            gate: Gate::new(config.clone(), key),
            config,
            commands,
            alive: std::sync::Mutex::new(Some(alive)),
            conns: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    pub fn next_conn(&self) -> ConnId {
        ConnId(self.conns.fetch_add(1, Ordering::Relaxed))
    }

    /// To the actor, without an answer.
    pub fn tell(&self, command: Command) {
        // An actor that has stopped has closed every socket already.
        let _ = self.commands.send(command);
    }

    /// To the actor, and its answer.
    pub async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, WireError> {
        let (answer, wait) = oneshot::channel();
        self.tell(command(answer));
        wait.await
            .map_err(|_| WireError::new(ErrorCode::Unavailable, "the relay is stopping"))
    }

    pub async fn judge(&self, claims: &Claims) -> Result<(), WireError> {
        let claims = claims.clone();
        self.ask(|answer| Command::Judge { claims, answer }).await?
    }

    /// What a socket holds until it is over; none begins while the relay stops.
    pub fn alive(&self) -> Result<mpsc::Sender<()>, WireError> {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        let stopping = || WireError::new(ErrorCode::Unavailable, "the relay is stopping");
        alive.clone().ok_or_else(stopping)
    }

    /// Sockets and actor end; waits for the actor.
    pub async fn stop(&self) {
        let held = self
            .alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(held);
        let _ = self.ask(|answer| Command::Stop { answer }).await;
    }
}

pub fn router(shared: Arc<Shared>) -> Router {
    let limited = Router::new()
        .route("/v1/auth/challenge", post(sign_in::challenge))
        .route("/v1/auth/token", post(sign_in::token))
        .route("/v1/auth/refresh", post(sign_in::refresh_token))
        .route("/v1/auth/ticket", post(sign_in::ticket))
        .route("/v1/ws", get(socket::upgrade))
        .route("/v1/turn", get(tunnel::upgrade))
        .route("/v1/stats", get(stats))
        .route("/v1/rooms/{id}", delete(delete_room))
        .route("/v1/admin/revoke", post(revoke))
        .route("/v1/admin/disable", post(disable))
        .route("/v1/admin/notice", post(notice))
        .fallback(any(elsewhere))
        .layer(middleware::from_fn_with_state(shared.clone(), guard));
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .merge(limited)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(shared)
}

/// Origin, visitor and rate, before anything else is looked at.
async fn guard(
    State(shared): State<Arc<Shared>>,
    Extension(ends): Extension<Ends>,
    mut request: Request,
    next: Next,
) -> Response {
    if !origin_allowed(request.headers(), &shared.config.origins) {
        let error = WireError::new(ErrorCode::Forbidden, "this origin may not connect");
        return Refused(error).into_response();
    }
    let visitor = Visitor::new(ends, request.headers(), &shared.config.trusted_proxies);
    if let Err(error) = shared.gate.pour(Counted::Http(visitor.counted())) {
        return Refused(error).into_response();
    }
    request.extensions_mut().insert(visitor);
    match tokio::time::timeout(shared.config.timings.handshake, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// Browsers always say where a page is from; programs say nothing. The
/// desktop app's page is at `tauri:`.
fn origin_allowed(headers: &HeaderMap, configured: &[String]) -> bool {
    let own = [
        "tauri://localhost",
        "http://tauri.localhost",
        "https://tauri.localhost",
    ];
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        own.contains(&origin) || configured.iter().any(|allowed| allowed == origin)
    })
}

/// A WebSocket client with a wrong path is told so before any frame.
async fn elsewhere(method: Method, headers: HeaderMap) -> Response {
    let upgrade = method == Method::GET && headers.contains_key(header::UPGRADE);
    let (code, message) = match upgrade {
        true => (ErrorCode::InvalidFormat, "sockets are at /v1/ws"),
        false => (ErrorCode::NotFound, "there is nothing here"),
    };
    Refused(WireError::new(code, message)).into_response()
}

/// An error as an HTTP answer: a status, and the error as JSON.
pub struct Refused(pub WireError);

impl From<WireError> for Refused {
    fn from(error: WireError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            ErrorCode::NotAuthenticated | ErrorCode::BadCredential => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden
            | ErrorCode::NeedsCode
            | ErrorCode::NotAMember
            | ErrorCode::NotHost => StatusCode::FORBIDDEN,
            ErrorCode::UnknownRoom | ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let wait = self.0.retry_after.map(|wait| wait.div_ceil(1000));
        let mut response = (status, Json(self.0)).into_response();
        if let Some(seconds) = wait {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

type Answer<T> = Result<Json<T>, Refused>;

fn read<T: DeserializeOwned>(body: &Body) -> Result<T, Refused> {
    let read = serde_json::from_slice(body);
    read.map_err(|_| {
        Refused(WireError::new(
            ErrorCode::InvalidFormat,
            "Invalid message format",
        ))
    })
}

/// The bearer credential as it stands in the header, if there is one.
pub fn credential(headers: &HeaderMap) -> Option<&str> {
    let value = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .unwrap_or_default();
    let (scheme, token) = value.split_once(' ').unwrap_or_default();
    Some(if scheme.eq_ignore_ascii_case("bearer") {
        token.trim()
    } else {
        ""
    })
}

async fn bearer(shared: &Shared, headers: &HeaderMap) -> Result<Claims, WireError> {
    let Some(token) = credential(headers) else {
        return Err(WireError::new(
            ErrorCode::NotAuthenticated,
            "Not authenticated",
        ));
    };
    let claims = shared.gate.judge(token)?;
    shared.judge(&claims).await?;
    Ok(claims)
}

/// Compares secrets by their hashes, so that time tells nothing.
fn same(a: &str, b: &str) -> bool {
    sha256(a.as_bytes()) == sha256(b.as_bytes())
}

fn is_operator(shared: &Shared, headers: &HeaderMap) -> bool {
    match (&shared.config.admin_token, credential(headers)) {
        (Some(admin), Some(shown)) => same(&admin.0, shown),
        _ => false,
    }
}

fn operator(shared: &Shared, headers: &HeaderMap) -> Result<(), WireError> {
    match is_operator(shared, headers) {
        true => Ok(()),
        false => Err(WireError::new(
            ErrorCode::BadCredential,
            "for the operator only",
        )),
    }
}

async fn run(shared: &Shared, event: Event) -> Result<StatusCode, Refused> {
    shared
        .ask(|answer| Command::Run { event, answer })
        .await??;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_room(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refused> {
    let by = match is_operator(&shared, &headers) {
        true => Deleter::Operator,
        false => Deleter::User(bearer(&shared, &headers).await?.sub),
    };
    let room: RoomId = id.parse().map_err(|_| {
        Refused(WireError::new(
            ErrorCode::InvalidFormat,
            "that is no room id",
        ))
    })?;
    run(&shared, Event::DeleteRoom { by, room }).await
}

#[derive(Deserialize)]
struct Revoke {
    user: UserId,
    #[serde(default)]
    device: Option<DeviceId>,
}

async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refused> {
    operator(&shared, &headers)?;
    let Revoke { user, device } = read(&body)?;
    run(&shared, Event::Revoke { user, device }).await
}

#[derive(Deserialize)]
struct Disable {
    user: UserId,
    disabled: bool,
}

async fn disable(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refused> {
    operator(&shared, &headers)?;
    let Disable { user, disabled } = read(&body)?;
    run(&shared, Event::Disable { user, disabled }).await
}

#[derive(Deserialize)]
struct Notice {
    #[serde(default)]
    user: Option<UserId>,
    kind: String,
    body: String,
}

async fn notice(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refused> {
    operator(&shared, &headers)?;
    let Notice { user, kind, body } = read(&body)?;
    run(&shared, Event::Notice { user, kind, body }).await
}

/// Counts for anyone; which room is which for the operator only.
async fn stats(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Answer<serde_json::Value> {
    let stats = shared.ask(|answer| Command::Stats { answer }).await?;
    let mut members: Vec<_> = stats.rooms.iter().map(|(_, members)| *members).collect();
    members.sort_unstable();
    let mut out = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime": millis(shared.started.elapsed()),
        "connections": stats.connections,
        "accounts": stats.accounts,
        "rooms": stats.rooms.len(),
        "members": members,
    });
    if is_operator(&shared, &headers) {
        let rooms = stats.rooms.iter();
        out["by_room"] = rooms
            .map(|(id, n)| json!({ "room": id, "members": n }))
            .collect();
    }
    Ok(Json(out))
}
