//! Two parts in one call, with the signals between them in the test's hand.

mod anew;
mod attacks;
mod expecting;
mod moving;
mod owing;
mod repairing;
mod telling;

use super::*;
use crate::{
    api::Now,
    call::{
        ledger::Ledger,
        media::{Candidate, Description, DescriptionKind, Fingerprint, MediaReport, PeerFailure},
        payload::{CandidateLine, Sdp, Seed},
        view::Connection,
    },
    identity::AccountKey,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sotto_wire::DeviceId;
use zeroize::Zeroizing;

const CALL: CallId = CallId([1; 16]);
const NOW: Millis = 5_000_000;

struct Person {
    account: AccountKey,
    rng: ChaCha20Rng,
    session: Session,
    cert: Fingerprint,
    now: Millis,
    out: Vec<Deed>,
}

impl Person {
    fn new(n: u8) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(u64::from(n));
        let account = AccountKey::generate(&mut rng);
        let opening = Opening {
            room: RoomId([9; 16]),
            call: CALL,
            me: Peer {
                user: account.user(),
                device: DeviceId([n; 16]),
            },
            caller: n == 1,
            video: false,
            sending: Sending::default(),
            paths: Paths::default(),
            route: Route::Direct,
            epoch: epoch(1),
        };
        let mut out = Vec::new();
        let now = Now {
            wall: NOW,
            mono: NOW,
        };
        let session = Session::open(
            &mut Tick {
                now,
                account: &account,
                rng: &mut rng,
                out: &mut out,
            },
            opening,
        );
        Self {
            account,
            rng,
            session,
            cert: Fingerprint([n; 32]),
            now: NOW,
            out: Vec::new(),
        }
    }

    fn acts<T>(&mut self, act: impl FnOnce(&mut Session, &mut Tick<'_>) -> T) -> T {
        let mut tick = Tick {
            now: Now {
                wall: self.now,
                mono: self.now,
            },
            account: &self.account,
            rng: &mut self.rng,
            out: &mut self.out,
        };
        act(&mut self.session, &mut tick)
    }

    fn attendant(&self) -> Attendant {
        Attendant {
            peer: self.session.me,
            account: self.account.public(),
        }
    }

    /// Everything since it was asked last.
    fn done(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.out)
    }

    fn orders(&mut self) -> Vec<MediaOrder> {
        let order = |deed| match deed {
            Deed::Order(order) => Some(order),
            _ => None,
        };
        self.done().into_iter().filter_map(order).collect()
    }

    fn rejects(&mut self) -> Vec<Why> {
        let why = |deed| match deed {
            Deed::Reject(_, why) => Some(why),
            _ => None,
        };
        self.done().into_iter().filter_map(why).collect()
    }

    /// Says anything at all, properly sealed and signed.
    fn says(&mut self, to: &Self, payload: &Payload) -> Vec<u8> {
        let peer = to.session.me;
        self.acts(|session, tick| {
            let (mut air, links) = session.air(tick);
            links.get_mut(&peer).expect("a link").say(&mut air, payload);
        });
        match self.out.pop() {
            Some(Deed::Signal { body, .. }) => body,
            other => panic!("{other:?}"),
        }
    }

    fn hears(&mut self, from: &Self, body: &[u8]) {
        let peer = from.session.me;
        self.acts(|session, tick| session.signal(tick, peer, body));
    }

    fn connection(&self, to: &Self) -> Connection {
        let link = self.session.link(&to.session.me).expect("a link");
        link.connection(self.now, self.now)
    }

    fn sdp(&self, kind: DescriptionKind) -> Sdp {
        sdp(kind, self.cert)
    }

    fn described(&mut self, other: &Self, kind: DescriptionKind) {
        let (peer, sdp) = (other.session.me, self.sdp(kind).sdp);
        let description = Description { kind, sdp };
        let report = MediaReport::Described {
            call: CALL,
            peer,
            description,
        };
        self.acts(|session, tick| session.report(tick, report));
    }

    fn connected(&mut self, other: &Self, local: Fingerprint, remote: Fingerprint) {
        let report = MediaReport::Connected {
            call: CALL,
            peer: other.session.me,
            local,
            remote,
        };
        self.acts(|session, tick| session.report(tick, report));
    }
}

fn epoch(n: u64) -> EpochKeys {
    EpochKeys {
        epoch: n,
        authenticator: vec![n as u8; 32],
        secret: Zeroizing::new(vec![n as u8; 32]),
    }
}

fn sdp(kind: DescriptionKind, cert: Fingerprint) -> Sdp {
    let hex: Vec<String> = cert.0.iter().map(|b| format!("{b:02X}")).collect();
    let setup = match kind {
        DescriptionKind::Offer => "actpass",
        DescriptionKind::Answer => "active",
    };
    let sdp = format!(
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256 {}\r\n\
         a=setup:{setup}\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n",
        hex.join(":")
    );
    Sdp {
        sdp,
        fingerprint: cert.0.as_slice().into(),
        ufrag: "abcd".into(),
    }
}

/// Alice called, Bob came, Carol too: Alice offers to Bob, Bob to Carol.
fn of_three() -> [Person; 3] {
    let mut people = [1, 2, 3].map(Person::new);
    let mut ledger = Ledger::default();
    for (n, person) in people.iter().enumerate() {
        let key = person.session.key;
        let says = match n {
            0 => CallSays::Started {
                video: false,
                key,
                replaces: None,
            },
            _ => CallSays::Joined { key },
        };
        ledger.hear(person.session.me, &CallSaying { call: CALL, says }, NOW);
    }
    let members: Vec<Attendant> = people.iter().map(Person::attendant).collect();
    for person in &mut people {
        person.session.placed = true;
        let end =
            person.acts(|session, tick| session.follow(tick, ledger.running.as_ref(), &members));
        assert_eq!(end, None);
        person.out.clear();
    }
    people
}

/// Until Alice and Bob have each other's descriptions.
fn negotiated() -> [Person; 3] {
    let [mut alice, mut bob, carol] = of_three();
    alice.described(&bob, DescriptionKind::Offer);
    for deed in alice.done() {
        if let Deed::Signal { body, .. } = deed {
            bob.hears(&alice, &body);
        }
    }
    bob.described(&alice, DescriptionKind::Answer);
    for deed in bob.done() {
        if let Deed::Signal { to, body, .. } = deed
            && to == alice.session.me
        {
            alice.hears(&bob, &body);
        }
    }
    alice.out.clear();
    [alice, bob, carol]
}

fn describes(orders: &[MediaOrder]) -> usize {
    let of_it = |o: &&MediaOrder| matches!(o, MediaOrder::Describe { .. });
    orders.iter().filter(of_it).count()
}
