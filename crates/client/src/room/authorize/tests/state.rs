//! What the members agree on, and who may change it.

use super::*;

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
