//! Signing in over real sockets: ways in, refusals, tokens that rotate and end,
//! and what is logged.

use crate::world::*;
use serde_json::json;
use sotto_relay::{
    Config,
    server::{Admission, Clock, Timings},
};
use sotto_wire::{
    ClientFrame, ErrorCode, MessageId, RelayFrame, auth::Tokens, bytes, codec::Envelope,
    frame::Token,
};
use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

fn auth(token: &str) -> ClientFrame {
    ClientFrame::Auth {
        token: Token(token.into()),
    }
}

#[tokio::test]
async fn there_are_three_ways_in() {
    let site = Site::start(config()).await;
    let alice = Person::new(1);
    let tokens = site.sign_in(&alice).await;

    let mut bearer = site.bearer(&tokens.access.0).await.unwrap();
    bearer.greeted(&alice).await;

    let path = format!("/v1/ws?ticket={}", site.ticket(&tokens).await);
    let mut ticket = site.socket(&path, &[]).await.unwrap();
    ticket.greeted(&alice).await;
    assert_eq!(
        site.socket(&path, &[]).await.unwrap_err(),
        401,
        "a ticket is good once"
    );

    let mut first = site.socket("/v1/ws", &[]).await.unwrap();
    first
        .text(format!(
            r#"{{"type":"auth","token":"{}","id":"7"}}"#,
            tokens.access.0
        ))
        .await;
    match first.hear().await {
        Heard::Frame(Envelope {
            id: Some(id),
            frame: RelayFrame::AuthOk { user, .. },
        }) => {
            assert_eq!((id.as_str(), user), ("7", alice.user()));
        }
        other => panic!("{other:?}"),
    }
    first.send(ClientFrame::Ping).await;
    assert_eq!(first.frame().await, RelayFrame::KeysLow { count: 0 });
    assert_eq!(first.frame().await, RelayFrame::Pong);
    site.relay.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_before_the_upgrade() {
    let site = Site::start(config()).await;
    let tokens = site.sign_in(&Person::new(1)).await;
    let bearer = format!("Bearer {}", tokens.access.0);
    let check = async |path: &str, headers: &[(&'static str, &str)], expect: u16| {
        let refused = site.socket(path, headers).await.map(|_| ());
        assert_eq!(refused, Err(expect), "{path} {headers:?}");
    };
    check("/", &[], 400).await;
    check("/ws", &[], 400).await;
    check("/v1/ws/", &[("authorization", &bearer)], 400).await;
    check("/v1/ws", &[("authorization", "Bearer nonsense")], 401).await;
    check("/v1/ws", &[("authorization", "Bearer ")], 401).await;
    check("/v1/ws", &[("authorization", "Basic YTpi")], 401).await;
    check("/v1/ws?ticket=", &[], 401).await;
    check("/v1/ws?ticket=AAAA", &[], 401).await;
    check(
        "/v1/ws",
        &[("authorization", &format!("Bearer {}", tokens.refresh.0))],
        401,
    )
    .await;
    // The same claims under "none".
    let payload = tokens.access.0.split('.').nth(1).unwrap();
    let header = bytes::encode(br#"{"alg":"none","typ":"JWT"}"#);
    check(
        "/v1/ws",
        &[("authorization", &format!("Bearer {header}.{payload}."))],
        401,
    )
    .await;

    check(
        "/v1/ws",
        &[
            ("authorization", &bearer),
            ("origin", "https://evil.example"),
        ],
        403,
    )
    .await;
    check(
        "/v1/ws",
        &[("authorization", &bearer), ("origin", "null")],
        403,
    )
    .await;
    check(
        "/v1/ws",
        &[
            ("authorization", &bearer),
            ("sec-websocket-protocol", "sotto.v9"),
        ],
        400,
    )
    .await;

    let offer = [
        ("authorization", bearer.as_str()),
        ("origin", "tauri://localhost"),
        ("sec-websocket-protocol", "sotto.v9, sotto.v1"),
    ];
    let socket = site.socket("/v1/ws", &offer).await.unwrap();
    assert_eq!(socket.protocol.as_deref(), Some("sotto.v1"));
    assert_eq!(
        site.http
            .get(site.url("/v1/ws"))
            .send()
            .await
            .unwrap()
            .status(),
        400
    );
    assert_eq!(
        site.http
            .get(site.url("/nothing"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn a_failed_first_frame_closes_with_4401() {
    let site = Site::start(config()).await;
    let mut socket = site.socket("/v1/ws", &[]).await.unwrap();
    socket.send(auth("nonsense")).await;
    match socket.frame().await {
        RelayFrame::AuthError { code, .. } => assert_eq!(code, ErrorCode::BadCredential),
        other => panic!("{other:?}"),
    }
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn before_auth_everything_is_refused_and_changes_nothing() {
    let site = Site::start(config()).await;
    let alice = Person::new(1);
    let tokens = site.sign_in(&alice).await;
    let mut socket = site.socket("/v1/ws", &[]).await.unwrap();
    let id = MessageId([5; 16]);
    for frame in [
        ClientFrame::Ping,
        ClientFrame::RoomCreate {
            room: room(),
            settings: Default::default(),
        },
        ClientFrame::RoomKnock {
            room: room(),
            id,
            body: Default::default(),
        },
        ClientFrame::KeysTake { user: alice.user() },
    ] {
        socket.send(frame).await;
        assert_eq!(socket.error().await.code, ErrorCode::NotAuthenticated);
    }
    socket.text("garbage").await;
    assert_eq!(socket.error().await.code, ErrorCode::InvalidFormat);
    socket.send(auth(&tokens.access.0)).await;
    socket.greeted(&alice).await;
    assert_eq!(socket.frame().await, RelayFrame::KeysLow { count: 0 });
    socket
        .send(ClientFrame::RoomOpen {
            room: room(),
            since: 0,
        })
        .await;
    assert_eq!(socket.error().await.code, ErrorCode::UnknownRoom);
}

#[tokio::test]
async fn whoever_does_not_sign_in_in_time_is_let_go() {
    let timings = Timings {
        auth_wait: Duration::from_millis(50),
        ..Timings::default()
    };
    let site = Site::start(Config {
        timings,
        ..config()
    })
    .await;
    let mut socket = site.socket("/v1/ws", &[]).await.unwrap();
    match socket.frame().await {
        RelayFrame::AuthError { code, .. } => assert_eq!(code, ErrorCode::NotAuthenticated),
        other => panic!("{other:?}"),
    }
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn a_sign_in_must_be_for_this_relay_and_this_moment() {
    let site = Site::start(Config {
        public: vec!["relay.example:443".into()],
        ..config()
    })
    .await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let port = site.relay.address().port();

    for audience in [
        format!("localhost:{port}"),
        format!("[::1]:{port}"),
        "relay.example:443".into(),
    ] {
        let challenge = site.challenge(&alice).await;
        let request = alice.request(challenge, &audience);
        let (status, body) = site
            .post(
                "/v1/auth/token",
                None,
                serde_json::to_value(request).unwrap(),
            )
            .await;
        assert_eq!(status, 200, "{audience}: {body}");
    }
    for audience in ["evil.example:443", "relay.example:444", "127.0.0.1:1", ""] {
        let challenge = site.challenge(&alice).await;
        let request = alice.request(challenge, audience);
        let (status, body) = site
            .post(
                "/v1/auth/token",
                None,
                serde_json::to_value(request).unwrap(),
            )
            .await;
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("bad_credential")),
            "{audience}"
        );
    }

    // A challenge is good once, and for whom it was made.
    let challenge = site.challenge(&alice).await;
    let request = alice.request(challenge.clone(), &site.authority());
    let request = serde_json::to_value(request).unwrap();
    assert_eq!(
        site.post("/v1/auth/token", None, request.clone()).await.0,
        200
    );
    assert_eq!(site.post("/v1/auth/token", None, request).await.0, 401);
    let challenge = site.challenge(&alice).await;
    let stolen = serde_json::to_value(bob.request(challenge, &site.authority())).unwrap();
    assert_eq!(site.post("/v1/auth/token", None, stolen).await.0, 401);
    let (status, _) = site
        .try_sign_in(&alice, |request| request.signature.0[5] ^= 1)
        .await;
    assert_eq!(status, 401);
    let (status, body) = site
        .post("/v1/auth/token", None, json!({ "certificate": 7 }))
        .await;
    assert_eq!((status, &body["code"]), (400, &json!("invalid_format")));
    let huge = json!({ "account": "x".repeat(20_000) });
    assert_eq!(site.post("/v1/auth/challenge", None, huge).await.0, 413);
}

#[tokio::test]
async fn an_operator_chooses_who_is_admitted() {
    let (alice, bob) = (Person::new(1), Person::new(2));
    let codes = Admission::InviteCode(vec![Token("sesame".into())]);
    let site = Site::start(Config {
        admission: codes,
        ..config()
    })
    .await;
    let code = |text: &str| Some(Token(text.into()));
    let (status, body) = site.try_sign_in(&alice, |_| ()).await;
    assert_eq!((status, &body["code"]), (403, &json!("needs_code")));
    let (status, body) = site
        .try_sign_in(&alice, |r| r.admission = code("wrong"))
        .await;
    assert_eq!((status, &body["code"]), (403, &json!("needs_code")));
    assert_eq!(
        site.try_sign_in(&alice, |r| r.admission = code("sesame"))
            .await
            .0,
        200
    );
    assert_eq!(
        site.try_sign_in(&alice, |_| ()).await.0,
        200,
        "known by now"
    );

    let list = Admission::AllowList(vec![bob.user()]);
    let site = Site::start(Config {
        admission: list,
        ..config()
    })
    .await;
    let (status, body) = site.try_sign_in(&alice, |_| ()).await;
    assert_eq!((status, &body["code"]), (403, &json!("forbidden")));
    assert_eq!(site.try_sign_in(&bob, |_| ()).await.0, 200);
}

async fn refresh(site: &Site, token: &Token) -> Result<Tokens, u16> {
    let (status, body) = site
        .post("/v1/auth/refresh", None, json!({ "refresh": token }))
        .await;
    if status == 200 {
        Ok(serde_json::from_value(body).unwrap())
    } else {
        Err(status)
    }
}

#[tokio::test]
async fn a_refresh_token_rotates_and_a_spent_one_ends_the_family() {
    let site = Site::start(config()).await;
    let first = site.sign_in(&Person::new(1)).await;
    let second = refresh(&site, &first.refresh).await.unwrap();
    assert!(site.bearer(&second.access.0).await.is_ok());
    assert_eq!(refresh(&site, &first.refresh).await.unwrap_err(), 401);
    assert_eq!(refresh(&site, &second.refresh).await.unwrap_err(), 401);
    assert_eq!(
        refresh(&site, &Token("AAAA".into())).await.unwrap_err(),
        401
    );
    assert_eq!(refresh(&site, &first.access).await.unwrap_err(), 401);
}

/// A clock that stands until it is moved.
fn clock() -> (Clock, Arc<AtomicU64>) {
    let time = Arc::new(AtomicU64::new(now()));
    let read = time.clone();
    (Clock::new(move || read.load(Ordering::SeqCst)), time)
}

#[tokio::test]
async fn a_socket_does_not_outlive_its_token() {
    let timings = Timings {
        access_life: Duration::from_secs(3),
        ..Timings::default()
    };
    let site = Site::start(Config {
        timings,
        ..config()
    })
    .await;
    let alice = Person::new(1);
    let mut socket = site.connect(&alice).await;
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn an_ended_token_opens_nothing() {
    let (clock, time) = clock();
    let site = Site::start(Config { clock, ..config() }).await;
    let tokens = site.sign_in(&Person::new(1)).await;
    let ticket = site.ticket(&tokens).await;
    time.fetch_add(31_000, Ordering::SeqCst);
    let path = format!("/v1/ws?ticket={ticket}");
    assert_eq!(
        site.socket(&path, &[]).await.unwrap_err(),
        401,
        "a ticket lives thirty seconds"
    );
    time.fetch_add(60 * 60 * 1000, Ordering::SeqCst);
    assert_eq!(site.bearer(&tokens.access.0).await.unwrap_err(), 401);
    assert!(refresh(&site, &tokens.refresh).await.is_ok());
    time.fetch_add(31 * 24 * 60 * 60 * 1000, Ordering::SeqCst);
    assert_eq!(refresh(&site, &tokens.refresh).await.unwrap_err(), 401);
}

#[tokio::test]
async fn a_live_socket_signs_in_again_but_only_as_itself() {
    let site = Site::start(config()).await;
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut socket = site.connect(&alice).await;
    let fresh = site.sign_in(&alice).await;
    socket.send(auth(&fresh.access.0)).await;
    socket.greeted(&alice).await;
    let other = site.sign_in(&bob).await;
    socket.send(auth(&other.access.0)).await;
    assert!(matches!(socket.frame().await, RelayFrame::AuthError { .. }));
    assert_eq!(socket.closed().await, 4401);
}

#[tokio::test]
async fn revoking_closes_sockets_and_ends_tokens() {
    let site = Site::start(config()).await;
    let alice = Person::new(1);
    let tokens = site.sign_in(&alice).await;
    let mut socket = site.connect(&alice).await;
    assert_eq!(site.post("/v1/admin/revoke", None, json!({})).await.0, 401);
    assert_eq!(
        site.post("/v1/admin/revoke", Some(&tokens.access.0), json!({}))
            .await
            .0,
        401
    );
    assert_eq!(
        site.admin("/v1/admin/revoke", json!({ "user": Person::new(9).user() }))
            .await,
        404
    );

    assert_eq!(
        site.admin("/v1/admin/revoke", json!({ "user": alice.user() }))
            .await,
        204
    );
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(site.bearer(&tokens.access.0).await.unwrap_err(), 401);
    assert_eq!(refresh(&site, &tokens.refresh).await.unwrap_err(), 401);
    let mut socket = site.connect(&alice).await;

    let barred = json!({ "user": alice.user(), "device": alice.device() });
    assert_eq!(site.admin("/v1/admin/revoke", barred).await, 204);
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(site.try_sign_in(&alice, |_| ()).await.0, 403);
}

#[tokio::test]
async fn a_disabled_account_is_refused_until_it_is_enabled() {
    let site = Site::start(config()).await;
    let alice = Person::new(1);
    let mut socket = site.connect(&alice).await;
    let disable = |disabled| json!({ "user": alice.user(), "disabled": disabled });
    assert_eq!(site.admin("/v1/admin/disable", disable(true)).await, 204);
    assert_eq!(socket.closed().await, 4401);
    assert_eq!(site.try_sign_in(&alice, |_| ()).await.0, 403);
    assert_eq!(site.admin("/v1/admin/disable", disable(false)).await, 204);
    site.connect(&alice).await;
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On one thread, so that the subscriber of this thread sees all tasks.
#[tokio::test]
async fn no_credential_id_or_body_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let site = Site::start(config()).await;
    let alice = Person::new(1);
    let tokens = site.sign_in(&alice).await;
    let ticket = site.ticket(&tokens).await;
    let mut socket = site
        .socket(&format!("/v1/ws?ticket={ticket}"), &[])
        .await
        .unwrap();
    socket.greeted(&alice).await;
    assert_eq!(socket.frame().await, RelayFrame::KeysLow { count: 0 });
    socket.make_room().await;
    socket
        .say(ClientFrame::ChatSend(chat(1, 0, b"the very body")))
        .await;
    socket.text("{garbage-in-a-frame").await;
    socket.error().await;
    let mut bad = site.socket("/v1/ws", &[]).await.unwrap();
    bad.send(auth("a-bad-token")).await;
    assert_eq!(bad.closed().await, 4401);
    let next = refresh(&site, &tokens.refresh).await.unwrap();
    site.relay.stop().await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("relay stopped"), "the log was captured");
    let secrets = [
        tokens.access.0.clone(),
        tokens.refresh.0.clone(),
        next.access.0.clone(),
        next.refresh.0.clone(),
        ticket,
        "a-bad-token".into(),
        "the operator's".into(),
        "garbage-in-a-frame".into(),
        "the very body".into(),
        bytes::encode(b"the very body"),
        alice.user().to_string(),
        alice.device().to_string(),
        room().to_string(),
    ];
    for secret in secrets {
        assert!(!log.contains(&secret), "in the log: {secret}\n{log}");
    }
}
