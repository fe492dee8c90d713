use super::*;
use crate::{
    identity::{AccountKey, PublicKey},
    invite::InviteSecret,
    room::{Leaf, state::InviteEntry},
};
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
        created: 0,
        expires: 1,
        by,
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

#[test]
fn everybody_renews_their_own_leaf_and_no_other() {
    let s = scene();
    let by = |leaf: u32| s.renewal(leaf);
    let bob = |made| leaf(BOB, device(BOB), made);
    check(
        &s,
        vec![
            ("the host", by(0), Ok(())),
            ("a member", by(1), Ok(())),
            ("an empty leaf", by(7), Err(Refusal::NotAMember)),
            ("no new leaf", by(1).renewing(None), Err(Refusal::NoPath)),
            (
                "a bad certificate",
                by(1).renewing(Some(None)),
                Err(Refusal::BadCertificate),
            ),
            (
                "as carol",
                by(1).renewing(Some(Some(leaf(CAROL, device(BOB), MADE + 1)))),
                Err(Refusal::ForeignLeaf),
            ),
            (
                "another device",
                by(1).renewing(Some(Some(leaf(BOB, device(CAROL), MADE + 1)))),
                Err(Refusal::ForeignLeaf),
            ),
            (
                "an older leaf",
                by(1).renewing(Some(Some(bob(MADE - 1)))),
                Err(Refusal::Outdated),
            ),
            (
                "the same leaf",
                by(1).renewing(Some(Some(bob(MADE)))),
                Err(Refusal::Outdated),
            ),
            (
                "a leaf of tomorrow",
                by(1).renewing(Some(Some(bob(Millis::MAX)))),
                Ok(()),
            ),
        ],
    );
}

#[test]
fn the_host_can_do_no_more_about_leaves_than_others() {
    let s = scene();
    check(
        &s,
        vec![
            (
                "no new leaf",
                s.renewal(0).renewing(None),
                Err(Refusal::NoPath),
            ),
            (
                "as bob",
                s.renewal(0)
                    .renewing(Some(Some(leaf(BOB, device(BOB), MADE + 1)))),
                Err(Refusal::ForeignLeaf),
            ),
        ],
    );
}

#[test]
fn only_known_proposals_and_sound_states_pass() {
    let s = scene();
    for by in 0..3 {
        let facts = Facts {
            only_known: false,
            ..s.renewal(by)
        };
        check(
            &s,
            vec![(
                "a proposal by reference",
                facts,
                Err(Refusal::UnknownProposal),
            )],
        );
        let facts = Facts {
            state: None,
            ..s.renewal(by)
        };
        check(
            &s,
            vec![("a state nobody can read", facts, Err(Refusal::BadState))],
        );
    }
}

#[test]
fn who_announced_to_leave_commits_nothing() {
    let s = Scene::leaving(&[BOB]);
    check(
        &s,
        vec![
            ("a renewal", s.renewal(1), Err(Refusal::NotAMember)),
            (
                "their own removal",
                s.renewal(1).removing(&[1]),
                Err(Refusal::NotAMember),
            ),
            ("others go on", s.renewal(2), Ok(())),
        ],
    );
    let s = Scene::leaving(&[ALICE]);
    check(
        &s,
        vec![("the leaving host", s.renewal(0), Err(Refusal::NotAMember))],
    );
}

#[test]
fn additions_rest_on_an_open_invite_or_the_host() {
    let s = scene();
    let dave = |by: u32, invite| s.renewal(by).adding(&[DAVE], invite);
    check(
        &s,
        vec![
            ("the host, by an invite", dave(0, Some(HOSTS)), Ok(())),
            ("the host, without", dave(0, None), Ok(())),
            ("a member, by the host's", dave(1, Some(HOSTS)), Ok(())),
            ("a member, by their own", dave(1, Some(BOBS)), Ok(())),
            ("a member, without", dave(1, None), Err(Refusal::NoInvite)),
            (
                "a member, by none that is open",
                dave(1, Some(UNKNOWN)),
                Err(Refusal::NoInvite),
            ),
            (
                "an invite that the same commit opens",
                dave(1, Some(UNKNOWN)).changing(|after| {
                    after.invites.push(invite(UNKNOWN, BOB));
                }),
                Err(Refusal::NoInvite),
            ),
        ],
    );
    let s = Scene::guarded();
    let dave = |by: u32, invite| s.renewal(by).adding(&[DAVE], invite);
    check(
        &s,
        vec![
            ("guarded: the host", dave(0, Some(HOSTS)), Ok(())),
            (
                "guarded: a member",
                dave(1, Some(HOSTS)),
                Err(Refusal::NoInvite),
            ),
            (
                "guarded: opened in the same commit",
                dave(1, Some(HOSTS)).changing(|after| {
                    after.admission = Admission::AtOnce;
                }),
                Err(Refusal::NoInvite),
            ),
        ],
    );
}

#[test]
fn additions_are_of_sound_people_who_are_not_there_yet() {
    let s = scene();
    let by_bob = |adds: Vec<Added>| Facts {
        adds,
        ..s.renewal(1).adding(&[], Some(HOSTS))
    };
    let by_host = |adds: Vec<Added>| Facts {
        adds,
        ..s.renewal(0)
    };
    let (dave, carol) = (newcomer(DAVE, 1), |made| newcomer(CAROL, made));
    check(
        &s,
        vec![
            (
                "a bad certificate",
                by_bob(vec![Added::Broken]),
                Err(Refusal::BadCertificate),
            ),
            (
                "one good, one bad",
                by_bob(vec![dave.clone(), Added::Broken]),
                Err(Refusal::BadCertificate),
            ),
            (
                "the host, bad",
                by_host(vec![Added::Broken]),
                Err(Refusal::BadCertificate),
            ),
            (
                "twice in one commit",
                by_bob(vec![dave.clone(), dave.clone()]),
                Err(Refusal::Twice),
            ),
            (
                "the host, twice",
                by_host(vec![dave.clone(), dave]),
                Err(Refusal::Twice),
            ),
            (
                "who is here",
                by_bob(vec![carol(MADE + 1)]),
                Err(Refusal::Twice),
            ),
            (
                "the host, who is here",
                by_host(vec![carol(MADE + 1)]),
                Err(Refusal::Twice),
            ),
            (
                "themselves",
                by_bob(vec![newcomer(BOB, MADE + 1)]),
                Err(Refusal::Twice),
            ),
            (
                "who is barred",
                by_bob(vec![newcomer(BARRED, 1)]),
                Err(Refusal::Barred),
            ),
            (
                "the host, who is barred",
                by_host(vec![newcomer(BARRED, 1)]),
                Ok(()),
            ),
            (
                "who is unbarred in the same commit",
                by_bob(vec![newcomer(BARRED, 1)]).changing(|after| {
                    after.barred.clear();
                }),
                Err(Refusal::Barred),
            ),
        ],
    );
}

#[test]
fn a_leaf_is_replaced_by_a_newer_one_of_the_same_person_only() {
    let s = scene();
    let replaces = |by: u32, made: Millis| Facts {
        adds: vec![newcomer(CAROL, made)],
        ..s.renewal(by).adding(&[], Some(HOSTS)).removing(&[2])
    };
    let dave = s.renewal(1).adding(&[DAVE], Some(HOSTS)).removing(&[2]);
    check(
        &s,
        vec![
            ("by a newer", replaces(1, MADE + 1), Ok(())),
            ("by the same", replaces(1, MADE), Err(Refusal::Outdated)),
            ("by an older", replaces(1, MADE - 1), Err(Refusal::Outdated)),
            (
                "the host, by an older",
                replaces(0, MADE - 1),
                Err(Refusal::Outdated),
            ),
            ("by somebody else", dave, Err(Refusal::NotHost)),
            (
                "and another with it",
                replaces(1, MADE + 1).removing(&[0]),
                Err(Refusal::NotHost),
            ),
        ],
    );
    let s = Scene::guarded();
    let facts = s.renewal(1).adding(&[CAROL], Some(HOSTS)).removing(&[2]);
    check(&s, vec![("guarded", facts, Err(Refusal::NoInvite))]);
}

#[test]
fn leavers_go_before_somebody_comes() {
    let s = Scene::leaving(&[CAROL]);
    let add = |by: u32| s.renewal(by).adding(&[DAVE], Some(HOSTS));
    check(
        &s,
        vec![
            ("she stays", add(1), Err(Refusal::LeaverStays)),
            ("the host, she stays", add(0), Err(Refusal::LeaverStays)),
            ("she goes with it", add(1).removing(&[2]), Ok(())),
            ("nobody comes", s.renewal(1), Ok(())),
        ],
    );
}

#[test]
fn the_host_removes_and_others_only_take_leavers_away() {
    let s = scene();
    check(
        &s,
        vec![
            ("the host", s.renewal(0).removing(&[1]), Ok(())),
            ("the host, all", s.renewal(0).removing(&[1, 2]), Ok(())),
            (
                "a member",
                s.renewal(1).removing(&[2]),
                Err(Refusal::NotHost),
            ),
            (
                "a member, the host",
                s.renewal(1).removing(&[0]),
                Err(Refusal::NotHost),
            ),
            (
                "an empty leaf",
                s.renewal(0).removing(&[7]),
                Err(Refusal::NotAMember),
            ),
        ],
    );
    let s = Scene::leaving(&[CAROL]);
    check(
        &s,
        vec![
            ("a leaver", s.renewal(1).removing(&[2]), Ok(())),
            (
                "a leaver and another",
                s.renewal(1).removing(&[2, 0]),
                Err(Refusal::NotHost),
            ),
        ],
    );
}

#[test]
fn only_the_host_describes_the_room() {
    let s = scene();
    type Change = fn(&mut RoomState);
    let changes: [(&str, Change); 5] = [
        ("name", |after| after.name = "Garden".into()),
        ("topic", |after| after.topic = "weeds".into()),
        ("admission", |after| after.admission = Admission::ByHost),
        ("host", |after| after.host = BOB),
        ("barred", |after| bar(after, CAROL)),
    ];
    for (what, change) in changes {
        check(
            &s,
            vec![
                (what, s.renewal(0).changing(change), Ok(())),
                (what, s.renewal(1).changing(change), Err(Refusal::NotHost)),
            ],
        );
    }
    check(
        &s,
        vec![
            (
                "a host who is not here",
                s.renewal(0).changing(|after| after.host = DAVE),
                Err(Refusal::BadState),
            ),
            (
                "a newcomer as host at once",
                s.renewal(0)
                    .adding(&[DAVE], None)
                    .changing(|after| after.host = DAVE),
                Err(Refusal::BadState),
            ),
        ],
    );
}

#[test]
fn invites_are_opened_in_the_own_name_and_closed_by_their_owner_or_the_host() {
    let open = |by| move |after: &mut RoomState| after.invites.push(invite(UNKNOWN, by));
    let close = |id| move |after: &mut RoomState| after.invites.retain(|i| i.id != id);
    let s = scene();
    check(
        &s,
        vec![
            ("the own", s.renewal(1).changing(open(BOB)), Ok(())),
            (
                "in the host's name",
                s.renewal(1).changing(open(ALICE)),
                Err(Refusal::NotHost),
            ),
            ("closes the own", s.renewal(1).changing(close(BOBS)), Ok(())),
            (
                "closes the host's",
                s.renewal(1).changing(close(HOSTS)),
                Err(Refusal::NotHost),
            ),
            (
                "the host closes bob's",
                s.renewal(0).changing(close(BOBS)),
                Ok(()),
            ),
            (
                "another secret for the host's",
                s.renewal(1).changing(|after| {
                    after.invites[0].secret = InviteSecret::from_bytes([9; 32]);
                }),
                Err(Refusal::NotHost),
            ),
            (
                "another secret for the own",
                s.renewal(1).changing(|after| {
                    after.invites[1].secret = InviteSecret::from_bytes([9; 32]);
                }),
                Err(Refusal::NotHost),
            ),
            (
                "a longer time for the host's",
                s.renewal(1).changing(|after| {
                    after.invites[0].expires = Millis::MAX;
                }),
                Err(Refusal::NotHost),
            ),
            (
                "an invite and a name",
                s.renewal(1).changing(open(BOB)).changing(|after| {
                    after.name = "Garden".into();
                }),
                Err(Refusal::NotHost),
            ),
        ],
    );
    let s = Scene::guarded();
    check(
        &s,
        vec![
            (
                "guarded: a member opens",
                s.renewal(1).changing(open(BOB)),
                Err(Refusal::NotHost),
            ),
            (
                "guarded: a member closes the own",
                s.renewal(1).changing(close(BOBS)),
                Ok(()),
            ),
            (
                "guarded: the host opens",
                s.renewal(0).changing(open(ALICE)),
                Ok(()),
            ),
        ],
    );
}

#[test]
fn the_host_is_whom_the_state_names_or_the_lowest_leaf() {
    let is = |scene: &Scene, expect| assert_eq!(host(&scene.before()), expect);
    is(&scene(), Some(ALICE));
    is(&Scene::without_alice(), Some(BOB));
    is(&Scene::leaving(&[ALICE]), Some(BOB));
    is(&Scene::leaving(&[BOB]), Some(ALICE));
    is(&Scene::leaving(&[ALICE, BOB]), Some(CAROL));
    is(&Scene::leaving(&[ALICE, BOB, CAROL]), None);
    let mut named = scene();
    named.state.host = CAROL;
    is(&named, Some(CAROL));
    named.leaving.insert(CAROL);
    is(&named, Some(ALICE));
    let mut nobody = scene();
    nobody.seats.clear();
    is(&nobody, None);
}

#[test]
fn who_follows_the_host_has_the_hosts_rights() {
    for s in [Scene::without_alice(), Scene::leaving(&[ALICE])] {
        let named = |after: &mut RoomState| after.name = "Bob's".into();
        check(
            &s,
            vec![
                ("bob", s.renewal(1).changing(named), Ok(())),
                ("carol", s.renewal(2).changing(named), Err(Refusal::NotHost)),
                ("bob removes", s.renewal(1).removing(&[2]), Ok(())),
            ],
        );
    }
}

/// Bob's Welcome by Alice, altered by `change`.
fn welcome(
    what: &str,
    expect: Verdict,
    change: impl FnOnce(&mut Vec<(u32, Vouched)>, &mut RoomState, &mut [u32; 2], &mut MessageId),
) {
    let mut members = vec![(0, vouched(ALICE)), (1, vouched(BOB)), (2, vouched(CAROL))];
    let (mut state, mut leaves, mut asked) = (scene().state, [1, 0], HOSTS);
    change(&mut members, &mut state, &mut leaves, &mut asked);
    let facts = WelcomeFacts {
        asked_invite: asked,
        me: &vouched(BOB),
        own_leaf: leaves[0],
        sender_leaf: leaves[1],
        state: Some(&state),
        members: Some(&members),
    };
    assert_eq!(judge_welcome(&facts), expect, "{what}");
}

#[test]
fn a_welcome_is_judged_by_who_sends_it_and_who_is_in_it() {
    welcome("by the host", Ok(()), |_, _, _, _| {});
    welcome("by a member, on the invite", Ok(()), |_, _, leaves, _| {
        leaves[1] = 2
    });
    welcome(
        "on an invite that is closed",
        Err(Refusal::NoInvite),
        |_, _, leaves, asked| {
            (leaves[1], *asked) = (2, UNKNOWN);
        },
    );
    welcome("by the host, on none", Ok(()), |_, _, _, asked| {
        *asked = UNKNOWN
    });
    welcome(
        "guarded, by a member",
        Err(Refusal::NoInvite),
        |_, state, leaves, _| {
            (leaves[1], state.admission) = (2, Admission::ByHost);
        },
    );
    welcome("guarded, by the host", Ok(()), |_, state, _, _| {
        state.admission = Admission::ByHost
    });
    welcome(
        "guarded, the host is gone",
        Ok(()),
        |members, state, leaves, _| {
            (state.admission, state.host, leaves[1]) = (Admission::ByHost, DAVE, 0);
            members[0].1 = vouched(CAROL);
            members.pop();
        },
    );
    welcome("by nobody", Err(Refusal::NotAMember), |_, _, leaves, _| {
        leaves[1] = 7
    });
    welcome("by oneself", Err(Refusal::NotAsked), |_, _, leaves, _| {
        leaves[1] = 1
    });
    welcome(
        "into somebody's seat",
        Err(Refusal::NotAsked),
        |_, _, leaves, _| leaves[0] = 2,
    );
    welcome("into no seat", Err(Refusal::NotAsked), |_, _, leaves, _| {
        leaves[0] = 7
    });
    welcome(
        "with somebody twice",
        Err(Refusal::Twice),
        |members, _, _, _| {
            members.push((3, vouched(CAROL)));
        },
    );
    welcome(
        "with oneself twice",
        Err(Refusal::Twice),
        |members, _, _, _| {
            members.push((3, vouched(BOB)));
        },
    );
    welcome(
        "on another device",
        Err(Refusal::NotAsked),
        |members, _, _, _| {
            members[1].1.device = device(DAVE);
        },
    );
    welcome(
        "under another leaf key",
        Err(Refusal::NotAsked),
        |members, _, _, _| {
            members[1].1.leaf_key = [9; 32];
        },
    );
}

#[test]
fn a_welcome_that_cannot_be_read_is_refused() {
    let (state, members) = (scene().state, [(0, vouched(ALICE)), (1, vouched(BOB))]);
    let me = vouched(BOB);
    let judge = |state, members| {
        let (asked_invite, own_leaf, sender_leaf) = (HOSTS, 1, 0);
        judge_welcome(&WelcomeFacts {
            asked_invite,
            me: &me,
            own_leaf,
            sender_leaf,
            state,
            members,
        })
    };
    assert_eq!(judge(Some(&state), Some(&members)), Ok(()));
    assert_eq!(judge(None, Some(&members)), Err(Refusal::BadState));
    assert_eq!(judge(Some(&state), None), Err(Refusal::BadCertificate));
    assert_eq!(judge(Some(&state), Some(&[])), Err(Refusal::NotAsked));
}

#[test]
fn the_barred_are_kept_up_to_a_number_newest_last() {
    let mut state = scene().state;
    for n in 0..=u8::MAX {
        bar(&mut state, UserId([n; 32]));
    }
    assert_eq!(state.barred.len(), BARRED_MAX);
    assert_eq!(state.barred.last(), Some(&UserId([u8::MAX; 32])));
    let oldest = state.barred[0];
    bar(&mut state, oldest);
    assert_eq!(state.barred.len(), BARRED_MAX, "nobody twice");
    assert_eq!(state.barred.last(), Some(&oldest));
}
