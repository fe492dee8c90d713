//! Sessions with real engines and the built-in relay, without a window.

use super::*;
use crate::{args::Args, desktop::NoDesktop, settings::Notifications};
use sotto_client::{Outcome, Request, call::media::Sending, model};
use sotto_engine::{NoKeyring, Secret};
use sotto_wire::RoomId;
use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};

/// A person with a profile of their own and a page that watches.
struct Person {
    session: Session,
    heard: UnboundedReceiver<Event>,
    _home: tempfile::TempDir,
}

impl Person {
    async fn new(name: &str) -> Self {
        Self::on(name, Network::default()).await
    }

    /// On a computer that is called like this on its network.
    async fn on(name: &str, network: Network) -> Self {
        Self::at(name, network, Arc::new(NoDesktop)).await
    }

    async fn at(name: &str, network: Network, desktop: Arc<dyn Desktop>) -> Self {
        // Whichever test comes first chooses; they choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let home = tempfile::tempdir().unwrap();
        let args = Args {
            profile_dir: Some(home.path().join("p")),
            ..Args::default()
        };
        let profile = Profile::resolve(&args).unwrap();
        let keyring = Arc::new(NoKeyring);
        let session = Session::with_network(&profile, desktop, None, keyring, network);
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

    async fn starts_relay(&self, reach: Reach) -> BuiltInRelay {
        self.session.start_relay(reach, None).await.unwrap()
    }

    /// The next state of the relay that is like this.
    async fn relay_is(&mut self, like: impl Fn(&BuiltInRelay) -> bool) -> BuiltInRelay {
        let is = |event: &Event| matches!(event, Event::BuiltIn { relay } if like(relay));
        match self.hears(is).await {
            Event::BuiltIn { relay } => relay,
            _ => unreachable!("it was one"),
        }
    }

    async fn creates_a_room(&mut self, relay: &BuiltInRelay) -> RoomId {
        let request = Request::CreateRoom {
            relay: relay.address.as_ref().unwrap().parse().unwrap(),
            name: "Field notes".into(),
            topic: String::new(),
            admission: model::Admission::AtOnce,
        };
        let Outcome::Room(room) = self.wants(request).await else {
            panic!("a room")
        };
        self.hears(is_member).await;
        room
    }

    async fn invites(&self, room: RoomId) -> String {
        let valid_for = 3_600_000;
        match self.wants(Request::CreateInvite { room, valid_for }).await {
            Outcome::Invite(invite) => invite.link,
            other => panic!("{other:?}"),
        }
    }

    async fn says(&self, room: RoomId, text: &str) {
        let id = sotto_engine::new_message_id();
        let body = model::MessageBody {
            text: text.into(),
            reply_to: None,
        };
        self.wants(Request::Send { room, id, body }).await;
    }

    /// Calls sound nowhere, whatever this computer has.
    async fn is_heard_nowhere(&self) {
        for what in [DeviceUse::Speaker, DeviceUse::Ringer] {
            let silence = Some("silence:".to_owned());
            self.session.choose_device(what, silence).await.unwrap();
        }
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

fn is_member(event: &Event) -> bool {
    text_of(event).contains(r#""state":"member""#)
}

/// A network on which this computer is called 127.0.0.N, or nothing.
#[derive(Clone)]
struct Lan(Arc<AtomicU8>);

impl Lan {
    fn at(host: u8) -> Self {
        Self(Arc::new(AtomicU8::new(host)))
    }

    fn moves_to(&self, host: Option<u8>) {
        self.0.store(host.unwrap_or_default(), Ordering::SeqCst);
    }

    fn network(&self) -> Network {
        let host = self.0.clone();
        let look = move || match host.load(Ordering::SeqCst) {
            0 => None,
            host => Some(IpAddr::from([127, 0, 0, host])),
        };
        Network::new(look, Duration::from_millis(50))
    }
}

fn text_of(event: &Event) -> String {
    serde_json::to_string(event).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_over_the_relay_inside_of_one_app() {
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let relay = alice.starts_relay(Reach::ThisComputer).await;
    let room = alice.creates_a_room(&relay).await;
    let link = alice.invites(room).await;

    bob.wants(Request::Join { link }).await;
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
async fn the_relay_opens_to_the_network_and_closes_while_rooms_live_on_it() {
    let lan = Lan::at(2);
    let (mut alice, mut bob) = (
        Person::on("Alice", lan.network()).await,
        Person::new("Bob").await,
    );
    let relay = alice.starts_relay(Reach::ThisComputer).await;
    let room = alice.creates_a_room(&relay).await;
    assert_eq!(relay.network, None);
    assert!(alice.invites(room).await.contains("127.0.0.1"));

    let opened = alice.starts_relay(Reach::LocalNetwork).await;
    assert_eq!(opened.address, relay.address, "rooms stay where they are");
    let network = opened.network.clone().unwrap();
    assert!(
        network.starts_with("wss://127.0.0.2:") && network.contains('#'),
        "{network}"
    );
    let link = alice.invites(room).await;
    assert!(link.contains("127.0.0.2"), "{link}");
    bob.wants(Request::Join { link }).await;
    bob.hears(is_member).await;
    alice.says(room, "hello").await;
    bob.hears(|event| text_of(event).contains("hello")).await;

    // Closed, the guest is cut off, and the host notices nothing.
    let closed = alice.starts_relay(Reach::ThisComputer).await;
    assert_eq!((&closed.address, &closed.network), (&relay.address, &None));
    bob.hears(|event| text_of(event).contains(r#""type":"waiting""#))
        .await;
    alice.says(room, "while you are away").await;
    alice
        .hears(|event| text_of(event).contains(r#""delivery":"accepted""#))
        .await;
    assert!(alice.invites(room).await.contains("127.0.0.1"));

    let again = alice.starts_relay(Reach::LocalNetwork).await;
    assert_eq!(again, opened, "links stay good");
    bob.session.engine().unwrap().reconnect_now().await;
    bob.hears(|event| text_of(event).contains("while you are away"))
        .await;
    alice.session.stop().await;
    bob.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_that_gets_another_address_says_so_and_new_links_bring_guests_back() {
    let lan = Lan::at(2);
    let (mut alice, mut bob) = (
        Person::on("Alice", lan.network()).await,
        Person::new("Bob").await,
    );
    let relay = alice.starts_relay(Reach::LocalNetwork).await;
    let room = alice.creates_a_room(&relay).await;
    let link = alice.invites(room).await;
    bob.wants(Request::Join { link }).await;
    bob.hears(is_member).await;

    lan.moves_to(Some(3));
    let moved = alice.relay_is(|relay| relay.former.is_some()).await;
    assert_eq!(moved.former, relay.network);
    assert!(
        moved.network.as_ref().unwrap().contains("127.0.0.3"),
        "{moved:?}"
    );
    assert_eq!(moved.address, relay.address);
    bob.hears(|event| text_of(event).contains(r#""type":"waiting""#))
        .await;
    alice.says(room, "we have moved").await;

    let link = alice.invites(room).await;
    assert!(link.contains("127.0.0.3"), "{link}");
    bob.wants(Request::Join { link }).await;
    bob.hears(|event| text_of(event).contains("we have moved"))
        .await;
    bob.says(room, "found you").await;
    alice
        .hears(|event| text_of(event).contains("found you"))
        .await;

    // Once noted, it is not said again.
    let noted = alice.starts_relay(Reach::LocalNetwork).await;
    assert_eq!((noted.former, noted.network), (None, moved.network));
    alice.session.stop().await;
    bob.session.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_relay_goes_on_here_and_opens_when_there_is_one() {
    let lan = Lan::at(2);
    let mut alice = Person::on("Alice", lan.network()).await;
    let relay = alice.starts_relay(Reach::LocalNetwork).await;
    lan.moves_to(None);
    let stuck = alice.relay_is(|relay| relay.error.is_some()).await;
    assert!(stuck.running);
    assert_eq!(stuck.error, Some(ErrorCode::AddressUnavailable));
    let refused = alice.session.start_relay(Reach::LocalNetwork, None).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::AddressUnavailable);

    lan.moves_to(Some(2));
    let back = alice.relay_is(|relay| relay.error.is_none()).await;
    assert_eq!(back, relay, "nothing is lost, and nothing is to be said");
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
    // It ends: the old page is let go, after what it was told before.
    while let Some(event) = alice.heard.recv().await {
        assert!(!matches!(event, Event::Link { .. }));
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_made_is_said_in_the_window_and_tried_again() {
    let home = tempfile::tempdir().unwrap();
    let in_the_way = home.path().join("file");
    std::fs::write(&in_the_way, "not a folder").unwrap();
    let args = Args {
        profile_dir: Some(in_the_way.join("p")),
        ..Args::default()
    };
    let profile = Profile::resolve(&args).unwrap();
    let (desktop, keyring) = (Arc::new(NoDesktop), Arc::new(NoKeyring));
    let session = Session::with_keyring(&profile, desktop, None, keyring);
    let start = session.open(feed().0).await.unwrap();
    let code = ErrorCode::NotWritable;
    assert!(matches!(start, Start::Failed { code: said } if said == code));

    std::fs::remove_file(&in_the_way).unwrap();
    let start = session.open(feed().0).await.unwrap();
    assert!(matches!(start, Start::New { .. }));
}

/// A desktop with the main window in front or not, and a second one where it
/// rings or does not.
struct Desk {
    in_front: AtomicBool,
    rings: watch::Sender<bool>,
}

impl Desk {
    fn looks_at_it() -> Arc<Self> {
        Arc::new(Self {
            in_front: AtomicBool::new(true),
            rings: watch::Sender::new(false),
        })
    }

    async fn shows_ringing(&self, rings: bool) {
        let mut seen = self.rings.subscribe();
        let wait = seen.wait_for(|now| *now == rings);
        timeout(Duration::from_secs(60), wait)
            .await
            .expect("in time")
            .unwrap();
    }
}

impl Desktop for Desk {
    fn set_theme(&self, _: crate::settings::Theme) {}
    fn in_front(&self) -> bool {
        self.in_front.load(Ordering::SeqCst)
    }
    fn raise(&self) {}
    fn show_ringing(&self, rings: bool) {
        self.rings.send_replace(rings);
    }
    fn notify(&self, _: Note) {}
    fn copy_text(&self, _: String) -> Result<(), UiError> {
        Ok(())
    }
    fn choose_file(&self, _: FileUse) -> Result<oneshot::Receiver<PathBuf>, UiError> {
        Ok(oneshot::channel().1)
    }
    fn open_address(&self, _: &str) -> Result<(), UiError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_away_sees_what_rings_and_as_much_of_it_as_they_chose() {
    let desk = Desk::looks_at_it();
    let mut alice = Person::new("Alice").await;
    let mut bob = Person::at("Bob", Network::default(), desk.clone()).await;
    let relay = alice.starts_relay(Reach::ThisComputer).await;
    let room = alice.creates_a_room(&relay).await;
    let link = alice.invites(room).await;
    bob.wants(Request::Join { link }).await;
    bob.hears(is_member).await;
    let nothing = Settings {
        notifications: Notifications::Off,
        sound: false,
        ..Settings::default()
    };
    bob.session.set_settings(nothing.clone()).await.unwrap();
    for person in [&alice, &bob] {
        person.is_heard_nowhere().await;
    }
    let call = Request::StartCall {
        room,
        video: false,
        sending: Sending::default(),
    };
    alice.wants(call).await;
    bob.hears(|event| text_of(event).contains(r#""ringing""#))
        .await;
    assert!(!*desk.rings.borrow(), "he sees it in the main window");

    desk.in_front.store(false, Ordering::SeqCst);
    bob.session.looked_away();
    desk.shows_ringing(true).await;
    let (say, mut told) = mpsc::unbounded_channel();
    let feed: RingingFeed = Box::new(move |call| say.send(call).is_ok());
    bob.session.watch_ringing(feed).await.unwrap();
    let call = told.recv().await.flatten().expect("it rings");
    assert_eq!((call.caller, call.room), (None, None));
    let names = Settings {
        notifications: Notifications::Names,
        ..nothing
    };
    bob.session.set_settings(names).await.unwrap();
    let call = told.recv().await.flatten().expect("it rings");
    assert_eq!(call.room.as_deref(), Some("Field notes"));
    assert!(call.caller.is_some_and(|caller| caller.name == "Alice"));

    // A room that is muted meanwhile rings no more.
    let prefs = model::RoomPrefs {
        muted: true,
        ..model::RoomPrefs::default()
    };
    bob.wants(Request::SetPrefs { room, prefs }).await;
    desk.shows_ringing(false).await;
    alice.session.stop().await;
    bob.session.stop().await;
}
