//! Renewing leaves, and commits that are none.

use super::*;

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
