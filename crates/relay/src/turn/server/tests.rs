//! The rules, on a clock of the test's own.

use super::*;
use proptest::prelude::{any, prop};
use sotto_wire::{DeviceId, UserId};

const SECRET: [u8; 32] = [9; 32];
const TOLD: &str = "203.0.113.5";
const HOUR: Millis = 60 * 60_000;

struct World {
    server: Server,
    credentials: Arc<Credentials>,
    now: Now,
    transactions: u32,
}

/// Somebody with an allocation.
#[derive(Clone)]
struct End {
    path: Path,
    name: String,
    key: [u8; 16],
    nonce: String,
    relayed: SocketAddr,
}

fn path(client: &str) -> Path {
    Path {
        door: Door(0),
        client: client.parse().unwrap(),
    }
}

fn error(message: &Message<'_>) -> Option<u16> {
    match message.get(a::ERROR_CODE)? {
        [_, _, class, number, ..] => Some(u16::from(*class) * 100 + u16::from(*number)),
        _ => None,
    }
}

impl World {
    fn new() -> Self {
        Self::with(TurnLimits::default())
    }

    fn with(limits: TurnLimits) -> Self {
        let credentials = Arc::new(Credentials::new(&SECRET));
        let told = TOLD.parse().unwrap();
        let server = Server::new(&SECRET, Arc::clone(&credentials), limits, told);
        let now = Now {
            wall: 1_700_000_000_000,
            mono: 1_000,
        };
        Self {
            server,
            credentials,
            now,
            transactions: 0,
        }
    }

    fn passes(&mut self, time: Millis) {
        self.now.wall += time;
        self.now.mono += time;
    }

    fn name(&self, n: u8) -> String {
        let holder = self
            .credentials
            .holder(&UserId([n; 32]), &DeviceId([n; 16]));
        self.credentials
            .issue(&holder, [n; 9], self.now.wall, 2 * HOUR)
            .username
    }

    fn key(&self, name: &str) -> [u8; 16] {
        self.credentials.read(name).unwrap().key
    }

    fn write(&mut self, method: Method) -> Writing {
        self.transactions += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.transactions.to_be_bytes());
        Writing::new(Class::Request, method, &id)
    }

    fn hears(&mut self, from: Path, bytes: &[u8]) -> Option<Datagram> {
        self.server.handle(self.now, from, bytes)
    }

    /// The code of a refusal; `None` for a success.
    fn asks(&mut self, from: Path, request: Writing, key: Option<&[u8]>) -> Option<u16> {
        let answer = self.hears(from, &request.finish(key)).expect("an answer");
        assert_eq!(answer.to, from);
        error(&Message::read(&answer.bytes).expect("a message"))
    }

    fn nonce(&mut self, from: Path) -> String {
        let request = self.write(Method::Allocate);
        let answer = self.hears(from, &request.finish(None)).expect("an answer");
        let message = Message::read(&answer.bytes).unwrap();
        assert_eq!(error(&message), Some(401));
        assert_eq!(message.text(a::REALM), Some(REALM));
        message.text(a::NONCE).unwrap().to_owned()
    }

    fn allocation(&mut self, name: &str, nonce: &str) -> Writing {
        signed(self.write(Method::Allocate), name, nonce).with(a::REQUESTED_TRANSPORT, &UDP)
    }

    fn allocates(&mut self, n: u8, client: &str) -> Result<End, Option<u16>> {
        let (path, name) = (path(client), self.name(n));
        let (nonce, key) = (self.nonce(path), self.key(&name));
        let request = self.allocation(&name, &nonce).finish(Some(&key));
        let answer = self.hears(path, &request).ok_or(None)?;
        let message = Message::read(&answer.bytes).unwrap();
        if message.class == Class::Error {
            return Err(error(&message));
        }
        assert!(message.is_signed_with(&key));
        let mapped = message.get(a::XOR_MAPPED_ADDRESS).unwrap();
        assert_eq!(
            stun::address(mapped, &message.transaction),
            Some(path.client)
        );
        let relayed = message.get(a::XOR_RELAYED_ADDRESS).unwrap();
        let relayed = stun::address(relayed, &message.transaction).unwrap();
        Ok(End {
            path,
            name,
            key,
            nonce,
            relayed,
        })
    }

    fn does(
        &mut self,
        end: &End,
        method: Method,
        with: impl FnOnce(Writing) -> Writing,
    ) -> Option<u16> {
        let request = with(signed(self.write(method), &end.name, &end.nonce));
        self.asks(end.path, request, Some(&end.key))
    }

    fn permits(&mut self, end: &End, peer: SocketAddr) -> Option<u16> {
        self.does(end, Method::CreatePermission, |w| {
            w.with_address(a::XOR_PEER_ADDRESS, peer)
        })
    }

    fn binds(&mut self, end: &End, number: u16, peer: SocketAddr) -> Option<u16> {
        self.does(end, Method::ChannelBind, |w| {
            w.with(
                a::CHANNEL_NUMBER,
                &[(number >> 8) as u8, number as u8, 0, 0],
            )
            .with_address(a::XOR_PEER_ADDRESS, peer)
        })
    }

    fn refreshes(&mut self, end: &End, seconds: u32) -> Option<u16> {
        self.does(end, Method::Refresh, |w| {
            w.with(a::LIFETIME, &seconds.to_be_bytes())
        })
    }

    fn sends(&mut self, end: &End, peer: SocketAddr, data: &[u8]) -> Option<Datagram> {
        let message = Writing::new(Class::Indication, Method::Send, &[3; 12])
            .with_address(a::XOR_PEER_ADDRESS, peer)
            .with(a::DATA, data);
        self.hears(end.path, &message.plain())
    }

    /// Two who permit each other.
    fn pair(&mut self) -> (End, End) {
        let alice = self.allocates(1, "198.51.100.1:4000").unwrap();
        let bob = self.allocates(2, "198.51.100.2:4000").unwrap();
        assert_eq!(self.permits(&alice, bob.relayed), None);
        assert_eq!(self.permits(&bob, alice.relayed), None);
        (alice, bob)
    }
}

const UDP: [u8; 4] = [17, 0, 0, 0];

fn signed(writing: Writing, name: &str, nonce: &str) -> Writing {
    writing
        .with(a::USERNAME, name.as_bytes())
        .with(a::REALM, REALM.as_bytes())
        .with(a::NONCE, nonce.as_bytes())
}

/// What arrived, and from whom, of a Data indication.
fn data(datagram: &Datagram) -> (SocketAddr, Vec<u8>) {
    let message = Message::read(&datagram.bytes).expect("an indication");
    assert_eq!(
        (message.class, message.method),
        (Class::Indication, Method::Data)
    );
    let from = stun::address(
        message.get(a::XOR_PEER_ADDRESS).unwrap(),
        &message.transaction,
    );
    (from.unwrap(), message.get(a::DATA).unwrap().to_vec())
}

#[test]
fn anybody_may_ask_where_they_are_seen() {
    let mut world = World::new();
    for (client, seen) in [
        ("198.51.100.1:4000", "198.51.100.1:4000"),
        ("[::ffff:198.51.100.1]:4000", "198.51.100.1:4000"),
        ("[2001:db8::1]:4000", "[2001:db8::1]:4000"),
    ] {
        let request = world.write(Method::Binding).finish(None);
        let answer = world.hears(path(client), &request).expect("an answer");
        let message = Message::read(&answer.bytes).unwrap();
        let mapped = message.get(a::XOR_MAPPED_ADDRESS).unwrap();
        let found = stun::address(mapped, &message.transaction);
        assert_eq!(found, Some(seen.parse().unwrap()));
    }
}

#[test]
fn data_goes_between_two_who_permit_each_other() {
    let mut world = World::new();
    let (alice, bob) = world.pair();
    let there = world.sends(&alice, bob.relayed, b"hello").expect("it goes");
    assert_eq!(there.to, bob.path);
    assert_eq!(data(&there), (alice.relayed, b"hello".to_vec()));
    let back = world.sends(&bob, alice.relayed, b"yes").expect("it goes");
    assert_eq!(data(&back), (bob.relayed, b"yes".to_vec()));
}

#[test]
fn channels_carry_with_four_bytes_each_way_they_are_bound() {
    let mut world = World::new();
    let (alice, bob) = world.pair();
    assert_eq!(world.binds(&alice, 0x4000, bob.relayed), None);
    let bytes = channel::write(0x4000, b"hello");
    // Bob has no channel yet.
    let there = world.hears(alice.path, &bytes).expect("it goes");
    assert_eq!(data(&there), (alice.relayed, b"hello".to_vec()));
    assert_eq!(world.binds(&bob, 0x4007, alice.relayed), None);
    let there = world.hears(alice.path, &bytes).expect("it goes");
    assert_eq!(there.bytes, channel::write(0x4007, b"hello"));
    // A channel is one peer's, and a peer's only one.
    let carol = world.allocates(3, "198.51.100.3:4000").unwrap();
    assert_eq!(world.binds(&alice, 0x4000, carol.relayed), Some(400));
    assert_eq!(world.binds(&alice, 0x4001, bob.relayed), Some(400));
    assert_eq!(world.binds(&alice, 0x3fff, carol.relayed), Some(400));
    assert_eq!(world.binds(&alice, 0x5000, carol.relayed), Some(400));
}

#[test]
fn nothing_passes_without_permission_on_both_sides() {
    let mut world = World::new();
    let alice = world.allocates(1, "198.51.100.1:4000").unwrap();
    let bob = world.allocates(2, "198.51.100.2:4000").unwrap();
    assert_eq!(world.sends(&alice, bob.relayed, b"hello"), None);
    world.permits(&alice, bob.relayed);
    assert_eq!(world.sends(&alice, bob.relayed, b"hello"), None);
    world.permits(&bob, alice.relayed);
    assert!(world.sends(&alice, bob.relayed, b"hello").is_some());
    // Permissions last five minutes, allocations longer.
    world.passes(5 * 60_000 - 1);
    assert!(world.sends(&alice, bob.relayed, b"hello").is_some());
    world.passes(1);
    assert_eq!(world.sends(&alice, bob.relayed, b"hello"), None);
}

#[test]
fn a_permission_is_for_one_allocation_not_for_its_neighbours() {
    let mut world = World::new();
    let (alice, bob) = world.pair();
    let mallory = world.allocates(4, "198.51.100.4:4000").unwrap();
    world.permits(&mallory, bob.relayed);
    assert_eq!(world.sends(&mallory, bob.relayed, b"let me in"), None);
    assert!(world.sends(&alice, bob.relayed, b"hello").is_some());
}

#[test]
fn an_allocation_ends_with_its_time_and_goes_on_when_refreshed() {
    let mut world = World::new();
    let (alice, bob) = world.pair();
    world.passes(9 * 60_000);
    assert_eq!(world.refreshes(&alice, 600), None);
    world.passes(60_000);
    // Bob's ten minutes are over, and so are those of his nonce.
    assert_eq!(world.refreshes(&bob, 600), Some(438));
    let bob = End {
        nonce: world.nonce(bob.path),
        ..bob
    };
    assert_eq!(world.refreshes(&bob, 600), Some(437));
    assert_eq!(world.permits(&bob, alice.relayed), Some(437));
    assert_eq!(world.permits(&alice, bob.relayed), None);
    assert_eq!(world.sends(&alice, bob.relayed, b"hello"), None);
    world.server.tick(world.now);
    assert_eq!(world.server.len(), 1);
    // With 0 it ends at once.
    assert_eq!(world.refreshes(&alice, 0), None);
    assert!(world.server.is_empty());
    // What an account sent counts for a second more.
    world.passes(1_000);
    world.server.tick(world.now);
    assert!(world.server.relayed.is_empty() && world.server.accounts.is_empty());
}

#[test]
fn nobody_keeps_an_allocation_longer_than_the_operator_said() {
    let mut world = World::with(TurnLimits {
        lifetime: 60_000,
        ..TurnLimits::default()
    });
    let alice = world.allocates(1, "198.51.100.1:4000").unwrap();
    assert_eq!(world.refreshes(&alice, 1_000_000), None);
    world.passes(60_000);
    assert_eq!(world.refreshes(&alice, 600), Some(437));
}

#[test]
fn wrong_forged_foreign_and_expired_credentials_begin_nothing() {
    let mut world = World::new();
    let from = path("198.51.100.1:4000");
    let (nonce, good) = (world.nonce(from), world.name(1));
    let key = world.key(&good);
    let foreign = Credentials::new(&[8; 32]);
    let holder = foreign.holder(&UserId([1; 32]), &DeviceId([1; 16]));
    let theirs = foreign
        .issue(&holder, [1; 9], world.now.wall, HOUR)
        .username;
    let their_key = foreign.read(&theirs).unwrap().key;
    let (until, opaque) = good.split_once(':').unwrap();
    let longer = format!("{}:{opaque}", until.parse::<u64>().unwrap() + 86_400);
    for (name, key) in [
        (&*good, b"a wrong password".to_vec()),
        (&*good, their_key.to_vec()),
        (&*theirs, their_key.to_vec()),
        (&*longer, key.to_vec()),
        ("1700000000:alice", key.to_vec()),
        ("", key.to_vec()),
    ] {
        let request = world.allocation(name, &nonce);
        assert_eq!(world.asks(from, request, Some(&key)), Some(401), "{name}");
    }
    // Half a credential.
    let request = world.write(Method::Allocate).with(a::REALM, b"sotto");
    assert_eq!(world.asks(from, request, Some(&key)), Some(400));
    // Another realm.
    let request = world
        .write(Method::Allocate)
        .with(a::USERNAME, good.as_bytes())
        .with(a::REALM, b"elsewhere")
        .with(a::NONCE, nonce.as_bytes());
    assert_eq!(world.asks(from, request, Some(&key)), Some(401));
    world.passes(2 * HOUR + 1_000);
    let nonce = world.nonce(from);
    let request = world.allocation(&good, &nonce);
    assert_eq!(world.asks(from, request, Some(&key)), Some(401));
    assert!(world.server.is_empty());
}

#[test]
fn what_was_begun_in_time_outlives_its_credential_and_no_other_takes_it_over() {
    let mut world = World::new();
    let alice = world.allocates(1, "198.51.100.1:4000").unwrap();
    for _ in 0..15 {
        world.passes(9 * 60_000);
        assert_eq!(world.refreshes(&alice, 600), None);
    }
    assert!(world.credentials.read(&alice.name).unwrap().expires < world.now.wall);
    // A newer credential of hers carries on, somebody else's does not.
    let name = world.name(2);
    let bobs = End {
        key: world.key(&name),
        name,
        ..alice.clone()
    };
    assert_eq!(world.refreshes(&bobs, 600), Some(441));
    let name = world.name(1);
    let newer = End {
        key: world.key(&name),
        name,
        ..alice.clone()
    };
    assert_eq!(world.refreshes(&newer, 600), None);
    // The old one is expired and no longer the one it runs under.
    assert_eq!(world.refreshes(&alice, 600), Some(401));
}

#[test]
fn whoever_is_barred_has_nothing_any_more_until_they_are_handed_anew() {
    let mut world = World::new();
    let (alice, bob) = world.pair();
    let device = DeviceId([1; 16]);
    let holder = world.credentials.holder(&UserId([1; 32]), &device);
    let another = world
        .credentials
        .holder(&UserId([1; 32]), &DeviceId([7; 16]));
    world.server.bar(world.now, &another, false);
    assert!(world.sends(&alice, bob.relayed, b"hello").is_some());
    world.server.bar(world.now, &holder, true);
    assert_eq!(world.server.len(), 1);
    assert_eq!(world.sends(&bob, alice.relayed, b"hello"), None);
    let nonce = world.nonce(alice.path);
    let request = world.allocation(&alice.name, &nonce);
    assert_eq!(world.asks(alice.path, request, Some(&alice.key)), Some(403));
    world.passes(5_000);
    assert!(world.allocates(1, "198.51.100.1:4000").is_ok());
}

#[test]
fn a_nonce_is_for_one_address_and_for_some_minutes() {
    let mut world = World::new();
    let from = path("198.51.100.1:4000");
    let (name, nonce) = (world.name(1), world.nonce(from));
    let key = world.key(&name);
    let request = world.allocation(&name, &nonce);
    let elsewhere = path("198.51.100.1:4001");
    assert_eq!(world.asks(elsewhere, request, Some(&key)), Some(438));
    let mut forged = nonce.clone().into_bytes();
    forged[20] ^= 1;
    let forged = String::from_utf8(forged).unwrap();
    let request = world.allocation(&name, &forged);
    assert_eq!(world.asks(from, request, Some(&key)), Some(438));
    world.passes(10 * 60_000);
    let request = world.allocation(&name, &nonce);
    assert_eq!(world.asks(from, request, Some(&key)), Some(438));
}

#[test]
fn a_repeated_request_gets_its_answer_again_and_another_does_not() {
    let mut world = World::new();
    let from = path("198.51.100.1:4000");
    let (name, nonce) = (world.name(1), world.nonce(from));
    let key = world.key(&name);
    let request = world.allocation(&name, &nonce).finish(Some(&key));
    let first = world.hears(from, &request);
    assert_eq!(world.hears(from, &request), first);
    let another = world.allocation(&name, &nonce);
    assert_eq!(world.asks(from, another, Some(&key)), Some(437));
    assert_eq!(world.server.len(), 1);
}

#[test]
fn quotas_hold_for_an_account_whatever_its_names_and_for_all() {
    let mut world = World::with(TurnLimits {
        per_account: 2,
        total: 3,
        ..TurnLimits::default()
    });
    assert!(world.allocates(1, "198.51.100.1:4000").is_ok());
    let second = world.allocates(1, "198.51.100.1:4001").unwrap();
    assert_eq!(
        world.allocates(1, "198.51.100.1:4002").err(),
        Some(Some(486))
    );
    assert!(world.allocates(2, "198.51.100.2:4000").is_ok());
    assert_eq!(
        world.allocates(3, "198.51.100.3:4000").err(),
        Some(Some(508))
    );
    assert_eq!(world.refreshes(&second, 0), None);
    assert!(world.allocates(1, "198.51.100.1:4003").is_ok());
}

#[test]
fn more_than_the_bandwidth_is_dropped_each_way() {
    let mut world = World::with(TurnLimits {
        bytes_per_second: 10_000,
        ..TurnLimits::default()
    });
    let (alice, bob) = world.pair();
    let packet = [0; 1_000];
    let mut sent = (0..50).filter_map(|_| world.sends(&alice, bob.relayed, &packet));
    assert_eq!(sent.by_ref().count(), 10);
    // The other way is another account.
    assert!(world.sends(&bob, alice.relayed, &packet).is_some());
    world.passes(500);
    let sent = (0..50).filter_map(|_| world.sends(&alice, bob.relayed, &packet));
    assert_eq!(sent.count(), 5);
}

#[test]
fn an_account_has_so_much_bandwidth_however_many_allocations_it_has() {
    let mut world = World::with(TurnLimits {
        account_bytes_per_second: 10_000,
        ..TurnLimits::default()
    });
    let (alice, bob) = world.pair();
    let more = world.allocates(1, "198.51.100.1:4001").unwrap();
    assert_eq!(world.permits(&more, bob.relayed), None);
    assert_eq!(world.permits(&bob, more.relayed), None);
    let carol = world.allocates(3, "198.51.100.3:4000").unwrap();
    assert_eq!(world.permits(&more, carol.relayed), None);
    assert_eq!(world.permits(&carol, more.relayed), None);
    let packet = [0; 1_000];
    let sent = |world: &mut World, from: &End, to: &End| {
        let sent = (0..50).filter_map(|_| world.sends(from, to.relayed, &packet));
        sent.count()
    };
    assert_eq!(sent(&mut world, &alice, &bob), 10);
    assert_eq!(sent(&mut world, &more, &carol), 0);
    // The other way is counted alone, and so is everybody else.
    assert_eq!(sent(&mut world, &bob, &alice), 10);
    assert_eq!(sent(&mut world, &carol, &more), 0);
    world.passes(500);
    assert_eq!(sent(&mut world, &more, &carol), 5);
    // Whoever begins anew is remembered.
    for end in [&alice, &more] {
        assert_eq!(world.refreshes(end, 0), None);
    }
    world.server.tick(world.now);
    let again = world.allocates(1, "198.51.100.1:4002").unwrap();
    assert_eq!(world.permits(&again, carol.relayed), None);
    assert_eq!(world.permits(&carol, again.relayed), None);
    assert_eq!(sent(&mut world, &again, &carol), 0);
}

#[test]
fn a_door_is_somebody_s_home_while_an_allocation_made_there_lives() {
    let mut world = World::new();
    let (alice, bob) = world.pair();
    let elsewhere = Door(1);
    assert!(world.server.is_home(world.now, alice.path.door));
    assert!(!world.server.is_home(world.now, elsewhere));
    assert_eq!(world.refreshes(&alice, 0), None);
    assert!(world.server.is_home(world.now, bob.path.door));
    world.passes(HOUR);
    assert!(!world.server.is_home(world.now, bob.path.door));
}

#[test]
fn peers_of_one_allocation_are_bounded() {
    let mut world = World::new();
    let alice = world.allocates(1, "198.51.100.1:4000").unwrap();
    let peer = |n: u16| SocketAddr::new(TOLD.parse().unwrap(), 50_000 + n);
    for n in 0..64 {
        assert_eq!(world.permits(&alice, peer(n)), None);
    }
    assert_eq!(world.permits(&alice, peer(64)), Some(508));
    // One more time is not one more.
    assert_eq!(world.permits(&alice, peer(0)), None);
}

#[test]
fn what_is_asked_for_and_not_had_is_refused_by_name() {
    let mut world = World::new();
    let from = path("198.51.100.1:4000");
    let (name, nonce) = (world.name(1), world.nonce(from));
    let key = world.key(&name);
    let mut check = |with: &dyn Fn(Writing) -> Writing, expect: u16| {
        let request = signed(world.write(Method::Allocate), &name, &nonce);
        assert_eq!(world.asks(from, with(request), Some(&key)), Some(expect));
    };
    check(&|w| w, 400);
    check(&|w| w.with(a::REQUESTED_TRANSPORT, &[6, 0, 0, 0]), 442);
    check(
        &|w| {
            w.with(a::REQUESTED_TRANSPORT, &UDP)
                .with(a::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])
        },
        440,
    );
    // EVEN-PORT, DONT-FRAGMENT, RESERVATION-TOKEN.
    for typ in [0x0018, 0x001a, 0x0022] {
        check(
            &|w| w.with(a::REQUESTED_TRANSPORT, &UDP).with(typ, &[0; 8]),
            420,
        );
    }
    assert!(world.server.is_empty());
}

#[test]
fn nobody_is_answered_without_end() {
    let mut world = World::new();
    let from = path("198.51.100.1:4000");
    let request = world.write(Method::Binding).finish(None);
    let answers = (0..5_000).filter(|_| world.hears(from, &request).is_some());
    assert!(answers.count() <= 300);
    // An answer is no good for making a crowd of one question.
    let question = world.write(Method::Allocate).finish(None);
    let answer = world.hears(path("198.51.100.9:4000"), &question).unwrap();
    assert!(answer.bytes.len() <= 6 * question.len());
    for client in [
        "255.255.255.255:9",
        "224.0.0.1:9",
        "0.0.0.0:9",
        "198.51.100.7:0",
    ] {
        assert_eq!(world.hears(path(client), &request), None, "{client}");
    }
}

#[test]
fn relayed_addresses_cannot_be_foretold_and_never_meet() {
    let mut world = World::with(TurnLimits {
        per_account: 1_000,
        ..TurnLimits::default()
    });
    let mut ports = Vec::new();
    for n in 0..200_u16 {
        let client = format!("198.51.{}.1:{}", n % 250, 4_000 + n);
        let end = world.allocates(1, &client).unwrap();
        assert_eq!(end.relayed.ip().to_string(), TOLD);
        assert!(end.relayed.port() >= crate::turn::peers::FIRST);
        ports.push(end.relayed.port());
    }
    let steps = ports.windows(2).filter(|w| w[0].abs_diff(w[1]) == 1);
    assert!(steps.count() < 5);
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 200);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut world = World::new();
        world.hears(path("198.51.100.1:4000"), &bytes);
    }

    /// Well-formed up to a few bytes, from somebody with an allocation: that
    /// gets further in.
    #[test]
    fn no_damage_to_a_request_makes_it_panic_or_speak_to_others(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        let (alice, bob) = world.pair();
        let peer = bob.relayed;
        let mut bytes = match which {
            0 => world.allocation(&alice.name, &alice.nonce).finish(Some(&alice.key)),
            1 => signed(world.write(Method::ChannelBind), &alice.name, &alice.nonce)
                .with(a::CHANNEL_NUMBER, &[0x40, 1, 0, 0])
                .with_address(a::XOR_PEER_ADDRESS, peer)
                .finish(Some(&alice.key)),
            2 => Writing::new(Class::Indication, Method::Send, &[3; 12])
                .with_address(a::XOR_PEER_ADDRESS, peer)
                .with(a::DATA, b"hello")
                .plain(),
            _ => channel::write(0x4000, b"hello"),
        };
        for (at, byte) in &damage {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if damage.len() == 3 {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        if let Some(answer) = world.hears(alice.path, &bytes) {
            proptest::prop_assert!(answer.to == alice.path || answer.to == bob.path);
        }
    }
}
