//! Who comes and who goes.

use super::*;

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
    let s = Scene::leaving(&[BOB]);
    let (gone, dave) = (without(BOB), |invite| {
        s.renewal(2).adding(&[DAVE], Some(invite)).removing(&[1])
    });
    check(
        &s,
        vec![
            (
                "by a leaver's",
                dave(BOBS).changing(gone),
                Err(Refusal::NoInvite),
            ),
            (
                "as he goes, by another's",
                dave(HOSTS).changing(gone),
                Ok(()),
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
            ("the host", s.renewal(0).removing(&[2]), Ok(())),
            (
                "the host, all",
                s.renewal(0).removing(&[1, 2]).changing(without(BOB)),
                Ok(()),
            ),
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

/// Closes the links of somebody.
fn without(user: UserId) -> impl Fn(&mut RoomState) + Copy {
    move |after| after.invites.retain(|invite| invite.by != user)
}

#[test]
fn whoever_goes_takes_their_links_along() {
    let removal = |s: &Scene, by: u32| s.renewal(by).removing(&[1]);
    let s = scene();
    check(
        &s,
        vec![
            ("his stay open", removal(&s, 0), Err(Refusal::BadState)),
            (
                "his are closed",
                removal(&s, 0).changing(without(BOB)),
                Ok(()),
            ),
            (
                "he comes back with it",
                removal(&s, 0).adding(&[BOB], Some(HOSTS)),
                Ok(()),
            ),
        ],
    );
    let s = Scene::leaving(&[BOB]);
    let both = |after: &mut RoomState| after.invites.clear();
    check(
        &s,
        vec![
            (
                "a sweep, his stay open",
                removal(&s, 2),
                Err(Refusal::BadState),
            ),
            (
                "a sweep, his are closed",
                removal(&s, 2).changing(without(BOB)),
                Ok(()),
            ),
            (
                "a sweep, and another's",
                removal(&s, 2).changing(both),
                Err(Refusal::NotHost),
            ),
            (
                "his are closed, and he is not swept",
                s.renewal(2).changing(without(BOB)),
                Err(Refusal::NotHost),
            ),
        ],
    );
    let s = scene();
    let absent = |after: &mut RoomState| after.invites.push(invite(UNKNOWN, DAVE));
    check(
        &s,
        vec![(
            "the host, in the name of somebody who is not here",
            s.renewal(0).changing(absent),
            Err(Refusal::BadState),
        )],
    );
}
