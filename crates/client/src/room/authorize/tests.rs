//! The judge's tables: a scene, commits made up from facts, verdicts. One
//! subject a file.

mod leaves;
mod people;
mod state;
mod welcomes;

use super::*;
use crate::{
    identity::{AccountKey, PublicKey},
    invite::{InviteSecret, proof::InviteKey},
    room::{Leaf, state::InviteEntry},
};
use sotto_wire::Bytes;
use std::sync::LazyLock;

const ALICE: UserId = UserId([1; 32]);
const BOB: UserId = UserId([2; 32]);
const CAROL: UserId = UserId([3; 32]);
const DAVE: UserId = UserId([4; 32]);
const BARRED: UserId = UserId([5; 32]);
/// Every seat's leaf was made at this time.
const MADE: Millis = 100;
const HOSTS: MessageId = MessageId([10; 16]);
const BOBS: MessageId = MessageId([20; 16]);
const UNKNOWN: MessageId = MessageId([30; 16]);

/// What stands before the commit: Alice, who is host, Bob and Carol on the
/// leaves 0 to 2, an invite of Alice's and one of Bob's.
#[derive(Clone)]
struct Scene {
    state: RoomState,
    seats: Vec<Seat>,
    leaving: BTreeSet<UserId>,
}

fn scene() -> Scene {
    let seat = |leaf: u32, user| Seat {
        leaf,
        user,
        device: device(user),
        made: MADE,
    };
    let mut state = RoomState::new(
        "Field notes".into(),
        String::new(),
        ALICE,
        Admission::AtOnce,
    );
    state.invites = vec![invite(HOSTS, ALICE), invite(BOBS, BOB)];
    state.barred = vec![BARRED];
    let seats = vec![seat(0, ALICE), seat(1, BOB), seat(2, CAROL)];
    Scene {
        state,
        seats,
        leaving: BTreeSet::new(),
    }
}

impl Scene {
    fn guarded() -> Self {
        let mut scene = scene();
        scene.state.admission = Admission::ByHost;
        scene
    }

    fn leaving(users: &[UserId]) -> Self {
        Self {
            leaving: users.iter().copied().collect(),
            ..scene()
        }
    }

    fn without_alice() -> Self {
        let mut scene = scene();
        scene.seats.remove(0);
        scene.state.invites.retain(|invite| invite.by != ALICE);
        scene
    }

    fn before(&self) -> Before<'_> {
        Before {
            state: &self.state,
            seats: &self.seats,
            leaving: &self.leaving,
        }
    }

    /// A commit that does nothing but renew the leaf of its author.
    fn renewal(&self, by: u32) -> Facts {
        let user = self
            .seats
            .iter()
            .find(|s| s.leaf == by)
            .map_or(DAVE, |s| s.user);
        Facts {
            by,
            adds: Vec::new(),
            removes: Vec::new(),
            state: Some(self.state.clone()),
            renewed: Some(Some(leaf(user, device(user), MADE + 1))),
            only_known: true,
            removes_me: false,
            note: CommitNote::default(),
        }
    }
}

impl Facts {
    fn adding(mut self, users: &[UserId], invite: Option<MessageId>) -> Self {
        self.adds
            .extend(users.iter().map(|user| newcomer(*user, MADE + 1)));
        self.note = CommitNote { invite };
        self
    }

    fn removing(mut self, leaves: &[u32]) -> Self {
        self.removes.extend(leaves);
        self
    }

    fn changing(mut self, change: impl FnOnce(&mut RoomState)) -> Self {
        if let Some(state) = &mut self.state {
            change(state);
        }
        self
    }

    fn renewing(mut self, renewed: Option<Option<Leaf>>) -> Self {
        self.renewed = renewed;
        self
    }
}

fn device(user: UserId) -> DeviceId {
    DeviceId([user.0[0]; 16])
}

fn invite(id: MessageId, by: UserId) -> InviteEntry {
    let secret = InviteSecret::from_bytes([id.0[0]; 32]);
    InviteEntry {
        id,
        secret,
        key: InviteKey::from_bytes([id.0[0]; 32]).expect("a key"),
        created: 0,
        expires: 1,
        by,
        vouching: Bytes::default(),
    }
}

/// One key for all: what it says does not matter here.
static ACCOUNT: LazyLock<PublicKey> =
    LazyLock::new(|| AccountKey::from_secret(&[7; 32]).expect("a key").public());

fn vouched(user: UserId) -> Vouched {
    Vouched {
        user,
        account: *ACCOUNT,
        device: device(user),
        leaf_key: [user.0[0]; 32],
        not_before: 0,
        not_after: Millis::MAX,
    }
}

fn leaf(user: UserId, device: DeviceId, made: Millis) -> Leaf {
    let vouched = Vouched {
        device,
        ..vouched(user)
    };
    Leaf {
        vouched,
        profile: Profile::default(),
        made,
    }
}

fn newcomer(user: UserId, made: Millis) -> Added {
    let package = PackageId([user.0[0]; 16]);
    Added::Sound {
        vouched: vouched(user),
        profile: Profile::default(),
        made,
        package,
    }
}

type Verdict = Result<(), Refusal>;

/// Checks one scene's table: what, the commit, the verdict.
fn check(scene: &Scene, table: Vec<(&str, Facts, Verdict)>) {
    for (what, facts, expect) in table {
        assert_eq!(judge_commit(&scene.before(), &facts), expect, "{what}");
    }
}
