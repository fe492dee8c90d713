//! Engines as they run for people: real disks, real sockets, a real relay in
//! this process.

#[path = "engine/admission.rs"]
mod admission;
#[path = "engine/calls.rs"]
mod calls;
#[path = "engine/calls_leaver.rs"]
mod calls_leaver;
#[path = "engine/calls_parting.rs"]
mod calls_parting;
#[path = "engine/calls_relayed.rs"]
mod calls_relayed;
#[path = "engine/calls_six.rs"]
mod calls_six;
mod harness;

use harness::{FakeKeyring, Person, World, eventually};
use sotto_client::{Change, Outcome, Request, RequestError};
use sotto_engine::{
    Event, KeyringState, LinkProblem, LinkStatus, Lock, OpenError, Problem, Protection, Secret,
    StopWhy, Unlock,
};
use sotto_relay::server::Tls;
use sotto_wire::RelayAddress;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_in_one_order() {
    let world = World::new().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    for n in 0..5 {
        alice.send(room, &format!("alice {n}")).await;
        bob.send(room, &format!("bob {n}")).await;
    }
    alice.sees(room, "bob 4").await;
    alice.sees(room, "alice 4").await;
    bob.sees(room, "alice 4").await;
    bob.sees(room, "bob 4").await;
    let texts = alice.accepted(room, 10).await;
    assert_eq!(texts, bob.accepted(room, 10).await);
    for from in ["alice", "bob"] {
        let theirs: Vec<_> = texts.iter().filter(|text| text.starts_with(from)).collect();
        assert_eq!(
            theirs,
            (0..5)
                .map(|n| format!("{from} {n}"))
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>()
        );
    }
    let alice_safety = alice.engine.safety(bob.user()).await.unwrap();
    let bob_safety = bob.engine.safety(alice.user()).await.unwrap();
    assert_eq!(alice_safety.digits, bob_safety.digits);
    alice.engine.stop().await;
    bob.engine.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_goes_and_comes_back_loses_and_doubles_nothing() {
    let mut world = World::new().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    alice.send(room, "before").await;
    bob.sees(room, "before").await;

    world.relay_stops().await;
    alice.is_waiting().await;
    bob.is_waiting().await;
    alice.send(room, "while it was away").await;
    bob.send(room, "me too").await;

    world.relay_starts().await;
    alice.engine.reconnect_now().await;
    bob.engine.reconnect_now().await;
    alice.sees(room, "me too").await;
    bob.sees(room, "while it was away").await;
    alice.send(room, "after").await;
    bob.sees(room, "after").await;
    let texts = bob.accepted(room, 4).await;
    assert_eq!(texts, alice.accepted(room, 4).await);
    assert_eq!(texts.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_killed_goes_on_where_its_disk_is() {
    let world = World::new().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    alice.send(room, "one").await;
    bob.sees(room, "one").await;
    // What is on the disk at this moment is what a kill leaves.
    let mut bob = bob.killed().await;
    alice.send(room, "two").await;
    bob.sees(room, "two").await;
    bob.send(room, "three").await;
    alice.sees(room, "three").await;
    assert_eq!(bob.accepted(room, 3).await, ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_engine_leaves_its_profile_free_and_comes_back_complete() {
    let world = World::new().await;
    let (mut alice, mut bob) = (Person::new("Alice").await, Person::new("Bob").await);
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    assert_eq!(bob.open_again().await.err(), Some(OpenError::InUse));
    bob.stop().await;
    alice.send(room, "missed you").await;
    bob.engine = bob.open_again().await.unwrap();
    bob.watch().await;
    bob.sees(room, "missed you").await;
    assert_eq!(bob.engine.me().await.profile.name, "Bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_passphrase_opens_nothing_and_changes_nothing() {
    let mut alice = Person::new("Alice").await;
    let user = alice.user();
    alice.stop().await;
    let open = async |text: &str| {
        alice
            .open_with(Unlock::Passphrase(Secret::new(text.into())))
            .await
    };
    let before = alice.files();
    assert_eq!(
        open("sotto voci").await.err(),
        Some(OpenError::WrongPassphrase)
    );
    assert_eq!(alice.files(), before);
    let engine = open("sotto voce").await.unwrap();
    assert_eq!(engine.me().await.user, user);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_keyring_entry_is_said_and_mended_by_the_passphrase() {
    let mut alice = Person::new("Alice").await;
    alice.stop().await;
    assert_eq!(alice.inspect().await, Ok(Lock::Ready));

    alice.keyring.forget();
    let locked = |keyring| Lock::Locked {
        keyring,
        passphrase: true,
        recovery: false,
        app_lock: false,
    };
    assert_eq!(
        alice.inspect().await,
        Ok(locked(KeyringState::EntryMissing))
    );
    let missing = Some(OpenError::Keyring(KeyringState::EntryMissing));
    assert_eq!(alice.open_with(Unlock::Keyring).await.err(), missing);

    let engine = alice.open_again().await.unwrap();
    eventually(async || alice.keyring.len() == 1).await;
    assert_eq!(engine.slots().await.keyring, KeyringState::Working);
    engine.stop().await;
    assert_eq!(alice.inspect().await, Ok(Lock::Ready));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_is_gone_is_a_problem_and_not_a_loss() {
    let mut alice = Person::new("Alice").await;
    alice.stop().await;
    alice.keyring.break_with(Some(KeyringState::NoService));
    alice.engine = alice.open_again().await.unwrap();
    let gone = Problem::KeyringGone(KeyringState::NoService);
    eventually(async || alice.engine.subscribe().await.0.problems == [gone]).await;
    alice.watch().await;
    alice.keyring.break_with(None);
    alice.engine.set_keyring_slot(true).await.unwrap();
    alice
        .until(|event| (*event == Event::ProblemGone(gone)).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_made_once() {
    let mut alice = Person::new("Alice").await;
    assert_eq!(alice.create_again().await.err(), Some(OpenError::InUse));
    alice.stop().await;
    assert_eq!(
        alice.create_again().await.err(),
        Some(OpenError::AlreadyExists)
    );

    let empty = tempfile::tempdir().unwrap();
    let dir = sotto_engine::ProfileDir::new(empty.path().join("deep/er"));
    let keyring = FakeKeyring::new();
    keyring.break_with(Some(KeyringState::Denied));
    assert_eq!(
        sotto_engine::inspect(&dir, keyring.clone()).await,
        Ok(Lock::New)
    );
    let protection = Protection {
        keyring: true,
        passphrase: None,
    };
    let made = sotto_engine::create(&dir, keyring.clone(), protection, Default::default()).await;
    assert_eq!(made.err(), Some(OpenError::Keyring(KeyringState::Denied)));
    assert_eq!(sotto_engine::inspect(&dir, keyring).await, Ok(Lock::New));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_opens_when_all_else_is_lost() {
    let mut alice = Person::new("Alice").await;
    let code = alice.engine.new_recovery_code().await.unwrap();
    assert!(alice.engine.slots().await.recovery);
    alice.stop().await;
    alice.keyring.forget();
    let engine = alice.open_with(Unlock::Recovery(code)).await.unwrap();
    engine
        .set_passphrase(Some(Secret::new("mezza voce".into())))
        .await
        .unwrap();
    engine.stop().await;
    let unlock = Unlock::Passphrase(Secret::new("mezza voce".into()));
    alice.open_with(unlock).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_relay_is_known_by_its_certificate_and_no_other() {
    let world = World::with_tls(Tls::SelfSigned).await;
    let pinned = world.address();
    assert!(pinned.secure && pinned.pin.is_some());
    let mut alice = Person::new("Alice").await;
    alice.uses(&pinned).await;
    assert_eq!(alice.link_settles(&pinned).await, LinkStatus::Connected);

    let wrong = RelayAddress {
        pin: Some([7; 32]),
        ..pinned.clone()
    };
    alice.uses(&wrong).await;
    assert_eq!(alice.why_waiting(&wrong).await, LinkProblem::PinMismatch);
    let unpinned = RelayAddress {
        pin: None,
        ..pinned.clone()
    };
    alice.uses(&unpinned).await;
    assert_eq!(alice.why_waiting(&unpinned).await, LinkProblem::Tls);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_relay_is_said() {
    let mut alice = Person::new("Alice").await;
    // A port that was free a moment ago: nobody listens.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody: RelayAddress = silent.local_addr().unwrap().to_string().parse().unwrap();
    drop(silent);
    alice.uses(&nobody).await;
    assert_eq!(alice.why_waiting(&nobody).await, LinkProblem::Unreachable);

    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other: RelayAddress = web.local_addr().unwrap().to_string().parse().unwrap();
    let serving = tokio::spawn(async move {
        while let Ok((mut socket, _)) = web.accept().await {
            // Read before closing: a reset would look like an unreachable host.
            let _ = socket.read(&mut [0; 4096]).await;
            let page =
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";
            let _ = socket.write_all(page).await;
        }
    });
    alice.uses(&other).await;
    assert_eq!(alice.why_waiting(&other).await, LinkProblem::NotARelay);
    serving.abort();

    alice
        .engine
        .request(Request::RemoveRelay(other.clone()))
        .await
        .unwrap();
    assert_eq!(alice.link_settles(&other).await, LinkStatus::Off);
    assert_eq!(alice.engine.relays().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_outlive_the_engine_and_so_do_the_app_s_settings() {
    let world = World::new().await;
    let mut alice = Person::new("Alice").await;
    alice.uses(&world.address()).await;
    assert_eq!(
        alice.link_settles(&world.address()).await,
        LinkStatus::Connected
    );
    assert_eq!(alice.engine.setting("theme").await, None);
    alice.engine.set_setting("theme", "dark").await.unwrap();
    alice.stop().await;
    alice.engine = alice.open_again().await.unwrap();
    alice.watch().await;
    assert_eq!(
        alice.link_settles(&world.address()).await,
        LinkStatus::Connected
    );
    assert_eq!(alice.engine.setting("theme").await.as_deref(), Some("dark"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_is_told_of_the_end() {
    let mut alice = Person::new("Alice").await;
    let other_handle = alice.engine.clone();
    alice.stop().await;
    alice
        .until(|event| (*event == Event::Stopped(StopWhy::Asked)).then_some(()))
        .await;
    let asked = other_handle
        .request(Request::SetProfile(Default::default()))
        .await;
    assert_eq!(asked, Err(RequestError::Internal));
    assert!(other_handle.new_recovery_code().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_handles_ends_by_itself() {
    let alice = Person::new("Alice").await;
    let Person {
        dir,
        keyring,
        engine,
        events,
        ..
    } = alice;
    drop((engine, events));
    let place = sotto_engine::ProfileDir::new(dir.path());
    let opened = async || match sotto_engine::open(&place, keyring.clone(), Unlock::Keyring).await {
        Ok(engine) => {
            engine.stop().await;
            true
        }
        Err(error) => {
            assert_eq!(error, OpenError::InUse);
            false
        }
    };
    eventually(opened).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_misses_nothing_and_repeats_nothing() {
    let mut alice = Person::new("Alice").await;
    let relay: RelayAddress = "127.0.0.1:9".parse().unwrap();
    let engine = alice.engine.clone();
    let making = tokio::spawn(async move {
        let mut made = Vec::new();
        for n in 0..10 {
            let request = Request::CreateRoom {
                relay: relay.clone(),
                name: format!("Room {n}"),
                topic: String::new(),
                admission: Default::default(),
            };
            let Ok(Outcome::Room(room)) = engine.request(request).await else {
                panic!()
            };
            made.push(room);
        }
        made
    });
    let (snapshot, mut events) = alice.engine.subscribe().await;
    let made = making.await.unwrap();
    alice.stop().await;
    let mut known: Vec<_> = snapshot.rooms.into_iter().map(|room| room.id).collect();
    while let Some(event) = events.recv().await {
        if let Event::Client(Change::Room(room)) = event
            && !known.contains(&room.id)
        {
            known.push(room.id);
        }
    }
    known.sort();
    let mut made = made;
    made.sort();
    assert_eq!(known, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_and_disk_tell_nothing_of_what_was_said_and_by_whom() {
    let log = harness::log();
    let world = World::new().await;
    let (mut alice, mut bob) = (
        Person::new("Cassiopeia").await,
        Person::new("Persephone").await,
    );
    let room = world.room_of(&mut alice, &mut [&mut bob]).await;
    alice.send(room, "the quokka flies at midnight").await;
    bob.sees(room, "the quokka flies at midnight").await;
    alice.stop().await;
    bob.stop().await;
    let port = format!(":{}", world.address().port);
    let said = log.text();
    assert!(said.contains("connected to a relay"), "the log is on");
    let ids = [alice.user().to_string(), room.to_string()];
    let secret = [
        "quokka",
        "Cassiopeia",
        "Persephone",
        "sotto voce",
        "eyJ",
        &port,
        &ids[0],
        &ids[1],
    ];
    for word in secret {
        assert!(!said.contains(word), "{word} is in the log");
    }
    for (name, bytes) in alice.files().into_iter().chain(bob.files()) {
        for word in secret {
            let found = bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes());
            // Three bytes come up by chance.
            assert!(!found || word.len() < 8, "{word} is in {name}");
        }
    }
}
