//! Relays that do not take everybody, and how a person gets in.

use crate::harness::{Person, World};
use sotto_client::Request;
use sotto_engine::{LinkProblem, LinkStatus};
use sotto_relay::server::{Admission, Tls};
use sotto_wire::{RelayAddress, frame::Token};

async fn with_code(person: &Person, relay: &RelayAddress, code: &str) {
    let request = Request::AddRelayWithCode {
        relay: relay.clone(),
        code: Token(code.into()),
    };
    person.engine.request(request).await.expect("it is tried");
}

async fn asking() -> World {
    let code = Token("open sesame".into());
    World::with(Tls::None, Admission::InviteCode(vec![code])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_asks_for_a_code_says_so_and_takes_the_right_one() {
    let world = asking().await;
    let relay = world.address();
    let mut alice = Person::new("Alice").await;
    alice.uses(&relay).await;
    assert_eq!(alice.why_waiting(&relay).await, LinkProblem::NeedsCode);
    with_code(&alice, &relay, "open simsim").await;
    assert_eq!(alice.why_waiting(&relay).await, LinkProblem::WrongCode);
    with_code(&alice, &relay, "open sesame").await;
    assert_eq!(alice.link_settles(&relay).await, LinkStatus::Connected);

    // It was for the first time only.
    let engine = alice.engine.clone();
    engine.stop().await;
    alice.engine = alice.open_again().await.expect("it opens");
    alice.watch().await;
    assert_eq!(alice.link_settles(&relay).await, LinkStatus::Connected);
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_with_the_address_is_used_at_once() {
    let world = asking().await;
    let relay = world.address();
    let mut alice = Person::new("Alice").await;
    with_code(&alice, &relay, "open sesame").await;
    assert_eq!(alice.link_settles(&relay).await, LinkStatus::Connected);
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_of_no_use_where_a_list_decides() {
    let world = World::with(Tls::None, Admission::AllowList(vec![])).await;
    let relay = world.address();
    let mut alice = Person::new("Alice").await;
    with_code(&alice, &relay, "open sesame").await;
    assert_eq!(alice.why_waiting(&relay).await, LinkProblem::NotAdmitted);
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_waits_for_its_relay_is_not_readable_on_the_disk() {
    let alice = Person::new("Alice").await;
    let nobody = "127.0.0.1:1".parse().unwrap();
    with_code(&alice, &nobody, "open sesame").await;
    alice.engine.clone().stop().await;
    for (name, bytes) in alice.files() {
        let found = bytes.windows(11).any(|part| part == b"open sesame");
        assert!(!found, "{name}");
    }
}
