use super::*;
use crate::{args::Args, desktop::NoDesktop};
use sotto_client::{Outcome, Request, model};
use sotto_engine::{NoKeyring, Secret};
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};

/// A person with a profile of their own and a page that watches.
struct Person {
    session: Session,
    heard: UnboundedReceiver<Event>,
    _home: tempfile::TempDir,
}

impl Person {
    async fn new(name: &str) -> Self {
        // Whichever test comes first chooses; they choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let home = tempfile::tempdir().unwrap();
        let args = Args {
            profile_dir: Some(home.path().join("p")),
            ..Args::default()
        };
        let profile = Profile::resolve(&args).unwrap();
        let session =
            Session::with_keyring(&profile, Arc::new(NoDesktop), None, Arc::new(NoKeyring));
        let profile = UiProfile {
            name: name.into(),
            emoji: String::new(),
            color: 0,
        };
        let protection = Protection {
            keyring: false,
            passphrase: Some(Secret::new("long enough".into())),
        };
        session.create(profile, protection).await.unwrap();
        let (feed, heard) = feed();
        assert!(matches!(session.open(feed).await, Ok(Start::Open { .. })));
        Self {
            session,
            heard,
            _home: home,
        }
    }

    async fn hears(&mut self, what: impl Fn(&Event) -> bool) -> Event {
        hears(&mut self.heard, what).await
    }

    async fn wants(&self, request: Request) -> Outcome {
        self.session
            .engine()
            .unwrap()
            .request(request)
            .await
            .unwrap()
    }
}

fn feed() -> (Feed, UnboundedReceiver<Event>) {
    let (say, heard) = mpsc::unbounded_channel();
    (Box::new(move |event| say.send(event).is_ok()), heard)
}

async fn hears(heard: &mut UnboundedReceiver<Event>, what: impl Fn(&Event) -> bool) -> Event {
    let waiting = async {
        loop {
            let event = heard.recv().await.expect("the page is still watched");
            if what(&event) {
                return event;
            }
        }
    };
    timeout(Duration::from_secs(60), waiting)
        .await
        .expect("it is said in time")
}

fn text_of(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_over_the_relay_inside_of_one_app() {
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let relay = alice
        .session
        .start_relay(Reach::ThisComputer, None)
        .await
        .unwrap();
    let address = relay.address.unwrap();
    let room = Request::CreateRoom {
        relay: address.parse().unwrap(),
        name: "Field notes".into(),
        topic: String::new(),
        admission: model::Admission::AtOnce,
    };
    let Outcome::Room(room) = alice.wants(room).await else {
        panic!("a room")
    };
    alice
        .hears(|event| text_of(event).contains(r#""state":"member""#))
        .await;
    let invite = Request::CreateInvite {
        room,
        valid_for: 3_600_000,
    };
    let Outcome::Invite(invite) = alice.wants(invite).await else {
        panic!("an invite")
    };

    bob.wants(Request::Join { link: invite.link }).await;
    bob.hears(|event| text_of(event).contains(r#""state":"member""#))
        .await;
    let id = sotto_engine::new_message_id();
    let body = model::MessageBody {
        text: "*hello*".into(),
        reply_to: None,
    };
    bob.wants(Request::Send { room, id, body }).await;

    let item = alice
        .hears(|event| text_of(event).contains(&id.to_string()))
        .await;
    assert!(
        text_of(&item).contains(r#""blocks":[{"type":"paragraph","inlines":[{"type":"emphasis""#)
    );
    alice.session.stop().await;
    bob.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_is_reached_over_the_local_network_under_its_pin() {
    let mut alice = Person::new("Alice").await;
    let relay = match alice.session.start_relay(Reach::LocalNetwork, None).await {
        Ok(relay) => relay,
        // A computer without any network says so.
        Err(error) => return assert_eq!(error.code, ErrorCode::AddressUnavailable),
    };
    let address = relay.address.unwrap();
    assert!(
        address.starts_with("wss://") && address.contains('#'),
        "{address}"
    );
    alice
        .hears(|event| text_of(event).contains(r#""type":"connected""#))
        .await;
    alice.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_page_hears_and_the_one_before_does_not() {
    let mut alice = Person::new("Alice").await;
    let (feed, mut heard) = feed();
    alice.session.open(feed).await.unwrap();
    alice.session.link("sotto://join/x".into());
    hears(
        &mut heard,
        |event| matches!(event, Event::Link { link } if link == "sotto://join/x"),
    )
    .await;
    assert!(alice.heard.recv().await.is_none(), "the old page is let go");
    alice.session.stop().await;
    assert_eq!(
        alice.session.engine().err().map(|e| e.code),
        Some(ErrorCode::Stopped)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_waits_for_a_profile_that_can_follow_it() {
    let home = tempfile::tempdir().unwrap();
    let args = Args {
        profile_dir: Some(home.path().join("p")),
        ..Args::default()
    };
    let profile = Profile::resolve(&args).unwrap();
    let link = Some("sotto://join/x".to_owned());
    let session = Session::with_keyring(&profile, Arc::new(NoDesktop), link, Arc::new(NoKeyring));
    let (feed, _heard) = feed();
    assert!(matches!(session.open(feed).await, Ok(Start::New { .. })));
    let protection = Protection {
        keyring: false,
        passphrase: Some(Secret::new("long enough".into())),
    };
    let profile = UiProfile {
        name: "Alice".into(),
        emoji: String::new(),
        color: 0,
    };
    let Ok(Start::Open { snapshot }) = session.create(profile, protection).await else {
        panic!("it opens")
    };
    assert_eq!(snapshot.link.as_deref(), Some("sotto://join/x"));
    session.stop().await;
}
