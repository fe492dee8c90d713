//! One relay at two addresses: this computer without TLS, a network with it.

use crate::world::*;
use serde_json::json;
use sotto_relay::{
    Config,
    server::{StartError, Tls},
};
use sotto_wire::ClientFrame;
use std::net::SocketAddr;

/// Another address of this computer.
fn elsewhere(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 2], port))
}

#[tokio::test]
async fn two_doors_lead_to_the_same_rooms() {
    let mut site = Site::start(config()).await;
    let port = site.relay.address().port();
    let (alice, bob) = (Person::new(1), Person::new(2));
    let mut a = site.connect(&alice).await;
    a.make_room().await;

    let opened = site.relay.open(elsewhere(port), Tls::None).await.unwrap();
    assert_eq!(opened.address, elsewhere(port));
    let mut there = site.at(opened.address);
    let mut b = there.connect(&bob).await;
    a.say(commit(1, 0, &[&bob], b"add")).await;
    b.open(0).await;
    assert_eq!(b.message().await.seq, 1);
    b.say(ClientFrame::ChatSend(chat(2, 1, b"hello"))).await;
    assert_eq!(a.message().await.seq, 2);

    // Closing one asks those to leave who came in by it, and nobody else.
    site.relay.close(opened.address);
    assert_eq!(b.closed().await, 1001);
    a.say(ClientFrame::ChatSend(chat(3, 1, b"still here")))
        .await;
    assert!(there.http.get(there.url("/healthz")).send().await.is_err());

    // It opens again, and what was missed is there.
    let opened = site.relay.open(elsewhere(port), Tls::None).await.unwrap();
    there = site.at(opened.address);
    let mut b = there.connect(&bob).await;
    b.open(2).await;
    assert_eq!(b.message().await.seq, 3);
}

#[tokio::test]
async fn a_sign_in_names_the_door_it_is_made_at() {
    let mut site = Site::start(config()).await;
    let opened = site.relay.open(elsewhere(0), Tls::None).await.unwrap();
    let there = site.at(opened.address);
    let alice = Person::new(1);
    let inside = site.authority();
    // What was signed for the one door is worth nothing at the other.
    let challenge = there.challenge(&alice).await;
    let request = alice.request(challenge, &inside);
    let (status, body) = there.post("/v1/auth/token", None, json!(request)).await;
    assert_eq!((status, &body["code"]), (401, &json!("bad_credential")));
    there.sign_in(&alice).await;
    site.sign_in(&alice).await;
}

#[tokio::test]
async fn the_second_door_has_a_certificate_that_stays() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        data: Some(dir.path().join("data")),
        ..config()
    };
    let mut site = Site::start(config()).await;
    assert_eq!(site.relay.fingerprint(), None);
    let opened = site
        .relay
        .open(elsewhere(0), Tls::SelfSigned)
        .await
        .unwrap();
    let pin = opened.fingerprint.expect("it is pinned");
    site.relay.close(opened.address);
    let again = site
        .relay
        .open(elsewhere(0), Tls::SelfSigned)
        .await
        .unwrap();
    assert_eq!(again.fingerprint, Some(pin));
    site.relay.stop().await;
    let mut site = Site::start(config()).await;
    let again = site
        .relay
        .open(elsewhere(0), Tls::SelfSigned)
        .await
        .unwrap();
    assert_eq!(again.fingerprint, Some(pin));
}

#[tokio::test]
async fn a_door_that_cannot_open_leaves_the_relay_as_it_is() {
    let mut site = Site::start(config()).await;
    let taken = site.relay.address();
    let refused = site.relay.open(taken, Tls::None).await;
    assert_eq!(refused, Err(StartError::PortInUse));
    let nowhere = SocketAddr::from(([203, 0, 113, 1], 0));
    let refused = site.relay.open(nowhere, Tls::None).await;
    assert_eq!(refused, Err(StartError::AddressUnavailable));
    // The first one closes with the relay only.
    site.relay.close(taken);
    site.connect(&Person::new(1)).await;
}
