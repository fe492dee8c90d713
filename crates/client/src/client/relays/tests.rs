//! Relays as a person keeps them: codes, addresses, what links name.

use crate::{
    Ask, Change, Client, Effect, Input, Now, Outcome, Request, RequestError,
    model::{Admission, MessageBody, Profile, TEXT_MAX},
    store::memory::MemoryStore,
};
use sotto_wire::{MessageId, RelayAddress, RelayFrame, RoomId, frame::Token, limits::Limits};

const HOUR: u64 = 3_600_000;

struct Alice {
    store: MemoryStore,
    client: Client,
}

fn now() -> Now {
    let wall = 1_700_000_000_000;
    Now { wall, mono: 0 }
}

impl Alice {
    fn new() -> Self {
        Self::seeded(1)
    }

    fn seeded(seed: u8) -> Self {
        let mut store = MemoryStore::default();
        let mut txn = store.begin();
        let profile = Profile {
            name: "Alice".into(),
            ..Profile::default()
        };
        let client = Client::create([seed; 32], &mut txn, now(), profile).unwrap();
        txn.commit().unwrap();
        Self { store, client }
    }

    fn restarted(mut self) -> Self {
        let mut txn = self.store.begin();
        let client = Client::load([2; 32], &mut txn, now()).unwrap().unwrap();
        drop(txn);
        let store = self.store;
        Self { store, client }
    }

    fn takes(&mut self, input: Input) -> Vec<Effect> {
        let mut txn = self.store.begin();
        let effects = self.client.handle(now(), input, &mut txn).unwrap();
        txn.commit().unwrap();
        effects
    }

    /// What is done, and the answer at the end of it.
    fn asks(&mut self, request: Request) -> (Vec<Effect>, Result<Outcome, RequestError>) {
        let ask = Ask(1);
        let mut effects = self.takes(Input::Ui { ask, request });
        let is_answer = |effect: &Effect| matches!(effect, Effect::Answer { .. });
        let place = effects.iter().position(is_answer).unwrap();
        match effects.remove(place) {
            Effect::Answer { result, .. } => (effects, result),
            _ => unreachable!("it was one"),
        }
    }

    fn creates_a_room(&mut self, relay: &RelayAddress) -> RoomId {
        let create = Request::CreateRoom {
            relay: relay.clone(),
            name: "Backstage".into(),
            topic: String::new(),
            admission: Admission::AtOnce,
        };
        match self.asks(create).1 {
            Ok(Outcome::Room(room)) => room,
            other => panic!("{other:?}"),
        }
    }

    fn invites(&mut self, room: RoomId) -> String {
        let valid_for = HOUR;
        match self.asks(Request::CreateInvite { room, valid_for }).1 {
            Ok(Outcome::Invite(invite)) => invite.link,
            other => panic!("{other:?}"),
        }
    }
}

fn at(text: &str) -> RelayAddress {
    text.parse().unwrap()
}

/// An address whose certificate is known.
fn pinned(host: &str, pin: u8) -> RelayAddress {
    RelayAddress {
        pin: Some([pin; 32]),
        ..at(&format!("wss://{host}:3030"))
    }
}

#[test]
fn an_invite_code_is_kept_until_the_relay_has_taken_it() {
    let mut alice = Alice::new();
    let relay = at("relay.example");
    let code = |text: &str| Token(text.into());
    let with = |text: &str| Request::AddRelayWithCode {
        relay: relay.clone(),
        code: code(text),
    };
    let connect = Effect::Connect {
        relay: relay.clone(),
    };
    assert_eq!(alice.asks(with("wrong")).0, std::slice::from_ref(&connect));
    // A second one takes its place, and is tried at once.
    assert_eq!(alice.asks(with("right")).0, [connect]);
    let mut alice = alice.restarted();
    assert_eq!(alice.client.admission(&relay), Some(code("right")));
    assert_eq!(alice.client.admission(&at("other.example")), None);

    alice.takes(Input::RelayUp {
        relay: relay.clone(),
    });
    assert_eq!(alice.client.admission(&relay), None);
    alice.asks(with("again")).1.unwrap();
    assert_eq!(alice.client.admission(&relay), None, "it is in already");
    assert_eq!(alice.restarted().client.admission(&relay), None);
}

#[test]
fn links_carry_the_address_that_others_reach() {
    let mut alice = Alice::new();
    let (inside, outside) = (at("ws://127.0.0.1:3030"), pinned("10.0.0.1", 7));
    let room = alice.creates_a_room(&inside);
    assert!(alice.invites(room).contains("127.0.0.1:3030"));
    let public = |public: Option<&RelayAddress>| Request::SetPublicAddress {
        relay: inside.clone(),
        public: public.cloned(),
    };
    alice.asks(public(Some(&outside))).1.unwrap();
    let mut alice = alice.restarted();
    let link = alice.invites(room);
    assert!(
        link.contains("10.0.0.1:3030") && !link.contains("127.0.0.1"),
        "{link}"
    );
    assert_eq!(alice.client.rooms()[0].relay, inside, "the room stays");

    // A room of somebody else on the same relay is reached from inside.
    let mut bob = Alice::seeded(9);
    let theirs = bob.creates_a_room(&outside);
    let link = bob.invites(theirs);
    alice.asks(Request::Join { link }).1.unwrap();
    assert_eq!(alice.client.relays(), std::slice::from_ref(&inside));

    alice.asks(public(None)).1.unwrap();
    assert!(alice.invites(room).contains("127.0.0.1:3030"));
}

#[test]
fn a_link_moves_a_room_to_where_the_same_relay_is_now() {
    let mut alice = Alice::new();
    let (before, after) = (pinned("10.0.0.1", 7), pinned("10.0.0.2", 7));
    let room = alice.creates_a_room(&before);
    let other = alice.creates_a_room(&before);
    let link = alice.invites(room);
    alice.takes(Input::RelayUp {
        relay: before.clone(),
    });

    let moved = link.replace("10.0.0.1", "10.0.0.2");
    let (effects, answer) = alice.asks(Request::Join { link: moved });
    assert_eq!(answer, Ok(Outcome::Room(room)));
    let connect = Effect::Connect {
        relay: after.clone(),
    };
    let disconnect = Effect::Disconnect {
        relay: before.clone(),
    };
    assert!(effects.contains(&connect) && effects.contains(&disconnect));
    let mut alice = alice.restarted();
    assert_eq!(alice.client.relays(), std::slice::from_ref(&after));
    for id in [room, other] {
        assert_eq!(alice.client.room(&id).unwrap().relay, after);
    }
    // There, the rooms are taken up again.
    let effects = alice.takes(Input::RelayUp {
        relay: after.clone(),
    });
    let sent = |effect: &&Effect| matches!(effect, Effect::Send { relay, .. } if *relay == after);
    assert!(effects.iter().filter(sent).count() >= 2);
}

#[test]
fn a_link_moves_no_room_to_another_relay() {
    let mut alice = Alice::new();
    let before = pinned("10.0.0.1", 7);
    let room = alice.creates_a_room(&before);
    let link = alice.invites(room);
    let elsewhere = link.replace("10.0.0.1", "10.0.0.2");
    let ours = sotto_wire::bytes::encode(&[7; 32]);
    let theirs = sotto_wire::bytes::encode(&[8; 32]);
    assert!(elsewhere.contains(&ours));
    let stranger = elsewhere.replace(&ours, &theirs);
    let refused = alice.asks(Request::Join { link: stranger }).1;
    assert_eq!(refused, Err(RequestError::AlreadyMember));

    // Without a fingerprint nothing tells that it is the same.
    let open = alice.creates_a_room(&at("one.example"));
    let link = alice.invites(open).replace("one.example", "two.example");
    let refused = alice.asks(Request::Join { link }).1;
    assert_eq!(refused, Err(RequestError::AlreadyMember));
    assert_eq!(alice.client.room(&room).unwrap().relay, before);
}

#[test]
fn a_message_is_as_long_as_its_relay_takes() {
    let mut alice = Alice::new();
    let address: RelayAddress = "relay.example".parse().unwrap();
    let (_, made) = alice.asks(Request::CreateRoom {
        relay: address.clone(),
        name: "Field notes".into(),
        topic: String::new(),
        admission: Admission::AtOnce,
    });
    let Ok(Outcome::Room(room)) = made else {
        panic!("a room")
    };
    let says = |alice: &mut Alice, id: u8, length: usize| {
        let text = "x".repeat(length);
        let body = MessageBody {
            text,
            reply_to: None,
        };
        let id = MessageId([id; 16]);
        alice.asks(Request::Send { room, id, body }).1
    };
    assert_eq!(says(&mut alice, 1, 4_000), Ok(Outcome::Done));
    let longest = |alice: &Alice| alice.client.room(&room).unwrap().longest_text;
    assert_eq!(longest(&alice), TEXT_MAX);
    let frame = RelayFrame::AuthOk {
        user: alice.client.user(),
        device: alice.client.device(),
        server_time: now().wall,
        limits: Limits {
            frame: 16 * 1024,
            ..Limits::default()
        },
    };
    let effects = alice.takes(Input::Relay {
        relay: address,
        envelope: frame.into(),
    });
    let shown = effects.iter().find_map(|effect| match effect {
        Effect::Show(Change::Room(view)) => Some(view.longest_text),
        _ => None,
    });
    assert_eq!(shown, Some(3_070), "whoever writes sees it");
    assert_eq!(longest(&alice), 3_070);
    let too_long = Err(RequestError::MessageTooLong { max: 3_070 });
    assert_eq!(says(&mut alice, 2, 4_000), too_long);
    assert_eq!(says(&mut alice, 3, 3_070), Ok(Outcome::Done));
}
