//! A relay that starts, stops and starts again: what it keeps, and what it says
//! when it cannot.

use crate::world::*;
use sotto_relay::{
    Config, StartError,
    auth::sha256,
    server::{DataError, Tls, TlsError},
    start,
};
use sotto_wire::{ClientFrame, ErrorCode, RelayFrame, bytes};
use sqlx::Connection as _;
use std::path::Path;

fn at(dir: &Path) -> Config {
    Config {
        data: Some(dir.join("data")),
        ..config()
    }
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    let (closed, ()) = tokio::join!(socket.closed(), site.relay.stop());
    assert_eq!(closed, 1001);
}

#[tokio::test]
async fn a_dropped_relay_leaves_no_socket_behind() {
    let site = Site::start(config()).await;
    let mut socket = site.connect(&Person::new(1)).await;
    drop(site);
    socket.closed().await;
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (alice, bob) = (Person::new(1), Person::new(2));
    let site = Site::start(at(dir.path())).await;
    let tokens = site.sign_in(&alice).await;
    site.sign_in(&bob).await;
    let mut a = site.connect(&alice).await;
    a.make_room().await;
    a.say(commit(1, 0, &[&bob], b"add")).await;
    a.say(ClientFrame::ChatSend(chat(2, 1, b"hello"))).await;
    let (id, expires) = (message(9), now() + 60_000);
    a.send(ClientFrame::DirectSend {
        to: bob.user(),
        id,
        body: b"mail"[..].into(),
        expires,
    })
    .await;
    assert_eq!(a.frame().await, RelayFrame::DirectAck { id });
    a.send(ClientFrame::KeysPublish {
        packages: vec![b"key"[..].into()],
        last_resort: None,
    })
    .await;
    assert_eq!(a.frame().await, RelayFrame::KeysPublished { count: 1 });
    site.relay.stop().await;

    let site = Site::start(at(dir.path())).await;
    // The token of before still holds, and so does the refresh token.
    let mut a = site.bearer(&tokens.access.0).await.unwrap();
    a.greeted(&alice).await;
    assert_eq!(a.frame().await, RelayFrame::KeysLow { count: 1 });
    let opened = a.open(0).await;
    assert_eq!((opened.head, opened.epoch, opened.count), (2, 1, 2));
    assert_eq!(
        (a.message().await.seq, &a.message().await.body[..]),
        (1, &b"hello"[..])
    );
    // A repeat of before the restart is known.
    assert_eq!(a.say(ClientFrame::ChatSend(chat(2, 1, b"hello"))).await, 2);
    assert_eq!(a.say(ClientFrame::ChatSend(chat(3, 1, b"more"))).await, 3);
    let tokens = site.sign_in(&bob).await;
    let mut b = site.bearer(&tokens.access.0).await.unwrap();
    b.greeted(&bob).await;
    let mail = RelayFrame::DirectReceive {
        id,
        from: alice.user(),
        body: b"mail"[..].into(),
    };
    let heard = [b.frame().await, b.frame().await];
    assert!(heard.contains(&mail), "{heard:?}");
    b.send(ClientFrame::KeysTake { user: alice.user() }).await;
    let taken = RelayFrame::KeysTaken {
        user: alice.user(),
        package: b"key"[..].into(),
    };
    assert_eq!(b.frame().await, taken);
    site.relay.stop().await;
}

#[tokio::test]
async fn a_spent_refresh_token_stays_spent_over_a_restart_and_none_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::start(at(dir.path())).await;
    let tokens = site.sign_in(&Person::new(1)).await;
    let body = serde_json::json!({ "refresh": tokens.refresh });
    let (status, next) = site.post("/v1/auth/refresh", None, body.clone()).await;
    assert_eq!(status, 200);
    site.relay.stop().await;

    let secrets = [
        &tokens.refresh.0,
        &tokens.access.0,
        next["refresh"].as_str().unwrap(),
    ];
    for entry in std::fs::read_dir(dir.path().join("data")).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in secrets {
            let raw = bytes::decode(secret).unwrap_or_else(|| secret.as_bytes().to_vec());
            for needle in [secret.as_bytes(), &raw[raw.len() - 32..]] {
                assert!(!content.windows(needle.len()).any(|part| part == needle));
            }
        }
    }
    let site = Site::start(at(dir.path())).await;
    assert_eq!(site.post("/v1/auth/refresh", None, body).await.0, 401);
}

#[tokio::test]
async fn a_locked_database_is_answered_and_survived() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::start(at(dir.path())).await;
    let mut alice = site.connect(&Person::new(1)).await;
    alice.make_room().await;
    let file = dir.path().join("data/relay.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut other = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();

    alice
        .send(ClientFrame::ChatSend(chat(1, 0, b"hello")))
        .await;
    let error = alice.error().await;
    assert_eq!(
        (error.code, error.id),
        (ErrorCode::Unavailable, Some(message(1).into()))
    );
    alice.send(ClientFrame::Ping).await;
    assert_eq!(alice.frame().await, RelayFrame::Pong);

    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(
        alice.say(ClientFrame::ChatSend(chat(1, 0, b"hello"))).await,
        1
    );
}

async fn refused(config: Config) -> StartError {
    start(config).await.expect_err("it started")
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let site = Site::start(at(dir.path())).await;
    let taken = Config {
        bind: site.relay.address(),
        ..config()
    };
    assert_eq!(refused(taken).await, StartError::PortInUse);
    let elsewhere = Config {
        bind: "203.0.113.1:0".parse().unwrap(),
        ..config()
    };
    assert_eq!(refused(elsewhere).await, StartError::AddressUnavailable);
    assert_eq!(
        refused(at(dir.path())).await,
        StartError::Data(DataError::Locked)
    );

    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let no_folder = Config {
        data: Some(file.join("data")),
        ..config()
    };
    assert_eq!(
        refused(no_folder).await,
        StartError::Data(DataError::NotWritable)
    );
    let damaged = dir.path().join("damaged");
    std::fs::create_dir(&damaged).unwrap();
    std::fs::write(damaged.join("relay.db"), vec![b'x'; 8192]).unwrap();
    let corrupt = Config {
        data: Some(damaged),
        ..config()
    };
    assert_eq!(refused(corrupt).await, StartError::Data(DataError::Corrupt));

    let tls = |cert: &Path| Tls::Files {
        cert: cert.into(),
        key: cert.into(),
    };
    let missing = Config {
        tls: tls(&dir.path().join("none.pem")),
        ..config()
    };
    assert_eq!(
        refused(missing).await,
        StartError::Tls(TlsError::Unreadable)
    );
    let nonsense = Config {
        tls: tls(&file),
        ..config()
    };
    assert_eq!(refused(nonsense).await, StartError::Tls(TlsError::Invalid));
}

#[cfg(unix)]
#[tokio::test]
async fn secrets_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let site = Site::start(Config {
        tls: Tls::SelfSigned,
        ..at(dir.path())
    })
    .await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = dir.path().join("data");
    assert_eq!(mode(&data), 0o700);
    for name in ["token.key", "tls.pem"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    site.relay.stop().await;
}

#[tokio::test]
async fn a_self_signed_relay_is_known_by_its_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        tls: Tls::SelfSigned,
        ..at(dir.path())
    };
    let site = Site::start(config()).await;
    let fingerprint = site.relay.fingerprint().unwrap();
    let pem = std::fs::read(dir.path().join("data/tls.pem")).unwrap();
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    assert_eq!(
        sha256(&CertificateDer::from_pem_slice(&pem).unwrap()),
        fingerprint
    );

    let root = reqwest::Certificate::from_pem(&pem).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([root])
        .build()
        .unwrap();
    let url = format!("https://{}/healthz", site.relay.address());
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    let strict = reqwest::Client::builder()
        .tls_certs_only([])
        .build()
        .unwrap();
    assert!(
        strict.get(&url).send().await.is_err(),
        "nobody vouches for it"
    );
    site.relay.stop().await;
    assert_eq!(
        Site::start(config()).await.relay.fingerprint(),
        Some(fingerprint)
    );
}
