//! The hub's rules as short plays. Everybody has one device per connection
//! unless a play says otherwise; every step is checked against the store.

mod calls;
mod direct;
mod members;
mod order;
mod rights;
mod time;

use super::{
    memory::{MemoryRelay, Out},
    *,
};
use crate::store::StoreError;
use sotto_wire::{
    Bytes, Epoch, MessageId, Seq,
    frame::{ChatKind, ChatReceive, ChatSend, Presence, PresenceAction, RoomOpened, RoomSettings},
};
use std::collections::BTreeSet;

const START: Millis = 1_800_000_000_000;
const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;

/// A relay, the people around it, and what each of their sockets has heard.
pub struct World {
    relay: MemoryRelay,
    now: Millis,
    heard: BTreeMap<ConnId, Vec<Envelope<RelayFrame>>>,
    closed: BTreeMap<ConnId, CloseCode>,
    next: u64,
}

pub fn user(name: &str) -> UserId {
    let mut id = [0; 32];
    id[..name.len()].copy_from_slice(name.as_bytes());
    UserId(id)
}

pub fn device(conn: ConnId) -> DeviceId {
    let mut id = [9; 16];
    id[..8].copy_from_slice(&conn.0.to_be_bytes());
    DeviceId(id)
}

pub fn room() -> RoomId {
    RoomId([7; 16])
}

pub fn message(n: u64) -> MessageId {
    let mut id = [3; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    MessageId(id)
}

pub fn body(n: u8) -> Bytes {
    Bytes(vec![n; 10])
}

pub fn chat(n: u64, epoch: Epoch) -> ChatSend {
    ChatSend {
        room: room(),
        id: message(n),
        kind: ChatKind::Application,
        epoch,
        adds: vec![],
        removes: vec![],
        body: body(n as u8),
    }
}

pub fn commit(n: u64, epoch: Epoch, adds: &[&str], removes: &[&str]) -> ChatSend {
    let users = |names: &[&str]| names.iter().map(|name| user(name)).collect();
    ChatSend {
        kind: ChatKind::Commit,
        adds: users(adds),
        removes: users(removes),
        ..chat(n, epoch)
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(HubConfig::default())
    }

    pub fn with(config: HubConfig) -> Self {
        Self {
            relay: MemoryRelay::new(config),
            now: START,
            heard: BTreeMap::new(),
            closed: BTreeMap::new(),
            next: 0,
        }
    }

    /// Alice has made the room and opened it on her connection.
    pub fn with_room() -> (Self, ConnId) {
        let mut world = Self::new();
        let alice = world.connect("alice");
        world.create(alice);
        world.open(alice, 0);
        world.clear();
        (world, alice)
    }

    /// Alice, bob and carol are in the room, which all have open; epoch 2.
    pub fn of_three() -> (Self, ConnId, ConnId, ConnId) {
        let (mut world, alice) = Self::with_room();
        let (bob, carol) = (world.connect("bob"), world.connect("carol"));
        world.chat(alice, commit(1, 0, &["bob"], &[]));
        world.chat(alice, commit(2, 1, &["carol"], &[]));
        world.open(bob, 0);
        world.open(carol, 0);
        world.clear();
        (world, alice, bob, carol)
    }

    pub fn event(&mut self, event: Event) {
        for out in self.relay.handle(self.now, event) {
            match out {
                Out::Send { conn, envelope } => self.heard.entry(conn).or_default().push(envelope),
                Out::Close { conn, code } => {
                    self.closed.insert(conn, code);
                }
            }
        }
        self.check();
    }

    /// What is stored makes the same hub again.
    fn check(&self) {
        let restored = Hub::restore(self.relay.hub.config.clone(), self.relay.store.load());
        assert_eq!(settled(&self.relay.hub), settled(&restored));
    }

    pub fn connect(&mut self, name: &str) -> ConnId {
        let conn = ConnId(self.next);
        self.connect_device(name, device(conn))
    }

    pub fn connect_device(&mut self, name: &str, device: DeviceId) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.event(Event::Connected {
            conn,
            user: user(name),
            device,
        });
        conn
    }

    pub fn send(&mut self, conn: ConnId, frame: ClientFrame) {
        self.event(Event::Frame {
            conn,
            envelope: frame.into(),
        });
    }

    pub fn create(&mut self, conn: ConnId) {
        self.send(
            conn,
            ClientFrame::RoomCreate {
                room: room(),
                settings: RoomSettings::default(),
            },
        );
    }

    pub fn open(&mut self, conn: ConnId, since: Seq) {
        self.send(
            conn,
            ClientFrame::RoomOpen {
                room: room(),
                since,
            },
        );
    }

    pub fn chat(&mut self, conn: ConnId, send: ChatSend) {
        self.send(conn, ClientFrame::ChatSend(send));
    }

    pub fn received(&mut self, conn: ConnId, up_to: Seq) {
        self.send(
            conn,
            ClientFrame::ChatReceived {
                room: room(),
                up_to,
            },
        );
    }

    pub fn disconnect(&mut self, conn: ConnId) {
        self.event(Event::Disconnected { conn });
    }

    pub fn pass(&mut self, time: Millis) {
        self.now += time;
        self.event(Event::Tick);
    }

    pub fn restart(&mut self) {
        self.relay.restart();
    }

    /// What `conn` has heard since it was last asked.
    pub fn hears(&mut self, conn: ConnId) -> Vec<RelayFrame> {
        let heard = self.heard.remove(&conn).unwrap_or_default();
        heard.into_iter().map(|envelope| envelope.frame).collect()
    }

    pub fn clear(&mut self) {
        self.heard.clear();
    }

    /// The one error `conn` has heard, and nothing else.
    pub fn error(&mut self, conn: ConnId) -> ErrorCode {
        match self.hears(conn).as_slice() {
            [RelayFrame::Error(error)] => error.code,
            other => panic!("expected one error, heard {other:?}"),
        }
    }

    pub fn opened(&mut self, conn: ConnId) -> (RoomOpened, Vec<ChatReceive>) {
        let mut frames = self.hears(conn).into_iter();
        let Some(RelayFrame::RoomOpened(opened)) = frames.next() else {
            panic!("not opened")
        };
        let messages = frames.filter_map(|frame| match frame {
            RelayFrame::ChatReceive(message) => Some(message),
            _ => None,
        });
        (opened, messages.collect())
    }
}

/// The hub without what a restart forgets.
fn settled(hub: &Hub) -> Hub {
    let mut hub = hub.clone();
    (hub.next_key, hub.next_direct) = (0, 0);
    hub.conns.clear();
    for account in hub.accounts.values_mut() {
        account.conns.clear();
        account.buckets.clear();
    }
    for room in hub.rooms.values_mut() {
        room.open.clear();
        room.calls.clear();
    }
    hub.accounts
        .retain(|_, account| account.created > 0 || !account.rooms.is_empty());
    hub
}

pub fn seqs(messages: &[ChatReceive]) -> Vec<Seq> {
    messages.iter().map(|message| message.seq).collect()
}

pub fn presence(who: &str, action: PresenceAction, count: usize) -> RelayFrame {
    RelayFrame::PresenceUpdate {
        room: room(),
        user: user(who),
        action,
        count,
    }
}

#[test]
fn a_connection_that_did_not_sign_in_learns_nothing() {
    let (mut world, _) = World::with_room();
    let stranger = ConnId(99);
    world.create(stranger);
    assert_eq!(world.error(stranger), ErrorCode::NotAuthenticated);
    world.open(stranger, 0);
    assert_eq!(world.error(stranger), ErrorCode::NotAuthenticated);
}

#[test]
fn an_answer_repeats_the_name_of_its_request() {
    let mut world = World::new();
    let alice = world.connect("alice");
    world.clear();
    let id = Some(RequestId::new("7").unwrap());
    let ping = Envelope {
        id: id.clone(),
        frame: ClientFrame::Ping,
    };
    world.event(Event::Frame {
        conn: alice,
        envelope: ping,
    });
    assert_eq!(
        world.heard[&alice],
        [Envelope {
            id,
            frame: RelayFrame::Pong
        }]
    );
}

#[test]
fn what_can_not_be_stored_has_not_happened() {
    let (mut world, alice, bob, _) = World::of_three();
    world.relay.store.set_broken(Some(StoreError::DiskFull));
    world.chat(alice, chat(10, 2));
    world.chat(alice, commit(11, 2, &[], &["bob"]));
    let errors: Vec<_> = world
        .hears(alice)
        .into_iter()
        .map(|frame| match frame {
            RelayFrame::Error(error) => (error.code, error.id),
            other => panic!("{other:?}"),
        })
        .collect();
    let unavailable = |n| (ErrorCode::Unavailable, Some(message(n).into()));
    assert_eq!(errors, [unavailable(10), unavailable(11)]);
    assert_eq!(world.hears(bob), []);

    world.relay.store.set_broken(None);
    world.chat(alice, chat(10, 2));
    let ack = RelayFrame::ChatAck {
        id: message(10),
        room: room(),
        seq: 3,
        at: START,
    };
    assert_eq!(world.hears(alice), [ack]);
    assert_eq!(world.hears(bob).len(), 1);
}

#[test]
fn an_operator_bars_a_device_and_disables_an_account() {
    let (mut world, _, bob, _) = World::of_three();
    let other = world.connect("bob");
    world.event(Event::Revoke {
        user: user("bob"),
        device: Some(device(bob)),
    });
    assert_eq!(world.closed.get(&bob), Some(&CloseCode::Unauthenticated));
    assert_eq!(world.closed.get(&other), None);
    let again = world.connect_device("bob", device(bob));
    assert_eq!(world.closed.get(&again), Some(&CloseCode::Unauthenticated));
    assert_eq!(
        world.relay.hub.standing(&user("bob"), &device(bob)),
        Standing::Barred
    );

    world.event(Event::Disable {
        user: user("bob"),
        disabled: true,
    });
    assert_eq!(world.closed.get(&other), Some(&CloseCode::Unauthenticated));
    assert_eq!(
        world.relay.hub.standing(&user("bob"), &device(other)),
        Standing::Barred
    );
    world.event(Event::Disable {
        user: user("bob"),
        disabled: false,
    });
    let good = Standing::Good { generation: 1 };
    assert_eq!(world.relay.hub.standing(&user("bob"), &device(other)), good);
}

#[test]
fn a_spent_refresh_token_ends_its_family() {
    let mut world = World::new();
    let session = |secret: u8, expires| NewSession {
        family: [1; 32],
        secret: [secret; 32],
        expires,
    };
    let (user, device) = (user("alice"), DeviceId([1; 16]));
    let later = START + DAY;
    world.event(Event::SignedIn {
        user,
        device,
        session: session(1, later),
    });
    let rotate = |world: &mut World, secret: u8, next: u8| {
        let event = Event::Rotate {
            family: [1; 32],
            secret: [secret; 32],
            next: session(next, later),
        };
        let plan = world.relay.hub.plan(world.now, event.clone());
        world.event(event);
        plan.outcome.map_err(|error| error.code)
    };
    assert_eq!(rotate(&mut world, 1, 2), Ok(()));
    assert_eq!(rotate(&mut world, 2, 3), Ok(()));
    // A thief shows the first one again: nobody has a good token any more.
    assert_eq!(rotate(&mut world, 1, 9), Err(ErrorCode::BadCredential));
    assert_eq!(rotate(&mut world, 3, 4), Err(ErrorCode::BadCredential));
}
