//! Getting in, and not getting in.

use super::rooms::{all_agree, of_three, of_two};
use sotto_client::{
    Outcome, Request, RequestError, Why,
    invite::{BadLink, Link},
    model::{Admission, Standing, SystemLine},
};
use sotto_tests::world::{World, elsewhere};
use sotto_wire::RelayFrame;

const HOUR: u64 = 60 * 60 * 1000;

#[test]
fn whoever_has_a_link_is_let_in_at_once() {
    let (world, alice, bob, carol) = of_three();
    all_agree(&[&alice, &bob, &carol]);
    assert_eq!(carol.member_names(), ["Alice", "Bob", "Carol"]);
    let joined =
        |line: &SystemLine| matches!(line, SystemLine::YouJoined { by } if by.name == "Alice");
    assert!(carol.lines().iter().any(joined));
    assert_eq!(
        carol.person(&bob).added_by,
        None,
        "that was before carol's time"
    );
    assert_eq!(bob.person(&carol).added_by, Some(alice.user()));
    carol.says("hello all");
    world.settle();
    alice.reads("hello all");
    bob.reads("hello all");
}

#[test]
fn a_newcomer_reads_nothing_of_before() {
    let (world, alice, bob) = of_two();
    alice.says("between us");
    world.settle();
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.settle();
    bob.says("welcome");
    world.settle();
    carol.reads_only(&["welcome"]);
    assert_eq!(carol.gaps(), 0);
    assert_eq!(carol.view().unread, 1);
}

#[test]
fn in_a_guarded_room_the_host_says_yes() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    bob.joins(&alice.invites());
    world.settle();
    assert_eq!(bob.standing(), Standing::Knocking);
    assert_eq!(alice.view().knocks, 1);
    assert_eq!(alice.knocks()[0].profile.name, "Bob");
    alice.lets_in(&bob);
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(alice.view().knocks, 0);
}

#[test]
fn in_a_guarded_room_only_the_host_says_yes() {
    let (world, alice, bob) = of_two();
    alice.sets_admission(Admission::ByHost);
    world.settle();
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.settle();
    let knock = bob.knocks()[0].id;
    let asked = bob.asks(Request::AnswerKnock {
        room: bob.room(),
        knock,
        admit: true,
    });
    assert_eq!(asked, Err(RequestError::NotHost));
    let asked = bob.asks(Request::CreateInvite {
        room: bob.room(),
        valid_for: HOUR,
    });
    assert_eq!(asked, Err(RequestError::NotHost));
    world.settle();
    assert_eq!(carol.standing(), Standing::Knocking);
    alice.lets_in(&carol);
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    assert_eq!(bob.view().knocks, 0);
}

#[test]
fn the_host_can_say_no() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    let link = alice.invites();
    bob.joins(&link);
    world.settle();
    alice.turns_down(&bob);
    world.settle();
    assert_eq!(bob.standing(), Standing::Denied);
    assert_eq!(alice.knocks(), []);
    bob.joins(&link);
    world.settle();
    alice.lets_in(&bob);
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn a_no_reaches_somebody_who_was_away() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    bob.joins(&alice.invites());
    world.settle();
    bob.goes_offline();
    world.settle();
    alice.turns_down(&bob);
    world.settle();
    bob.comes_back();
    world.settle();
    assert_eq!(bob.standing(), Standing::Denied);
}

#[test]
fn a_link_works_before_the_room_has_heard_of_it() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    world.settle();
    alice.goes_offline();
    bob.joins(&alice.invites());
    world.settle();
    assert_eq!(bob.standing(), Standing::Knocking);
    alice.comes_back();
    world.settle();
    all_agree(&[&alice, &bob]);
}

#[test]
fn a_member_lets_in_when_the_host_is_away() {
    let (world, alice, bob) = of_two();
    let link = bob.invites();
    world.settle();
    alice.goes_offline();
    let carol = world.carol();
    carol.joins(&link);
    world.settle();
    assert!(carol.is_member());
    alice.comes_back();
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    assert_eq!(alice.person(&carol).added_by, Some(bob.user()));
}

#[test]
fn the_welcome_waits_for_somebody_who_went_away() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    bob.joins(&alice.invites());
    world.settle();
    bob.goes_offline();
    alice.lets_in(&bob);
    world.settle();
    alice.says("see you");
    world.settle();
    bob.restarts();
    bob.comes_back();
    world.settle();
    all_agree(&[&alice, &bob]);
    bob.reads_only(&["see you"]);
}

#[test]
fn many_come_at_once() {
    let world = World::new();
    let alice = world.alice();
    alice.creates("Field notes");
    let link = alice.invites();
    let names = ["bob", "carol", "dave", "erin", "frank", "grace"];
    let guests: Vec<_> = names.iter().map(|name| world.person(name)).collect();
    guests.iter().for_each(|guest| {
        guest.joins(&link);
    });
    world.settle();
    let mut all = vec![&alice];
    all.extend(&guests);
    all_agree(&all);
    assert_eq!(alice.member_names().len(), 7);
}

#[test]
fn an_old_link_opens_nothing() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    let link = alice.invites_for(1_000);
    world.settle();
    world.run_for(2_000);
    let asked = carol.asks(Request::Join { link });
    assert_eq!(asked, Err(RequestError::BadLink(BadLink::Expired)));
}

#[test]
fn a_link_that_expires_is_refused_by_the_members_too() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    let link = alice.invites_for(HOUR);
    world.settle();
    alice.forgets_rejected();
    // Carol's clock is an hour behind: for her the link is good.
    world.scene().machine("carol").skew = -(HOUR as i64);
    world.run_for(HOUR + 1_000);
    carol.joins(&link);
    world.settle();
    assert_eq!(carol.standing(), Standing::Denied, "and says so");
    assert!(alice.rejected().contains(&Why::BadKnock));
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
}

#[test]
fn a_revoked_link_opens_nothing() {
    let (world, alice, bob) = of_two();
    let link = alice.invites();
    world.settle();
    alice.revokes_all_invites();
    world.settle();
    assert_eq!(alice.invitations(), []);
    assert_eq!(bob.invitations(), []);
    let carol = world.carol();
    carol.joins(&link);
    world.settle();
    assert_eq!(carol.standing(), Standing::Denied, "and says so");
    assert_eq!(alice.member_names(), ["Alice", "Bob"]);
}

#[test]
fn a_guest_cannot_revoke_the_hosts_link() {
    let (world, alice, bob) = of_two();
    let room = bob.room();
    let (hosts, own) = (bob.invitations()[0].id, bob.invites());
    world.settle();
    let refused = bob.asks(Request::RevokeInvite {
        room,
        invite: hosts,
    });
    assert_eq!(refused, Err(RequestError::NotHost));
    let own = bob
        .invitations()
        .into_iter()
        .find(|i| i.link == own)
        .expect("it is open")
        .id;
    assert!(
        bob.asks(Request::RevokeInvite { room, invite: own })
            .is_ok()
    );
    world.settle();
    assert_eq!(alice.invitations().len(), 1);
}

#[test]
fn a_link_to_a_room_that_is_not_there_says_so() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    let mut link: Link = alice.invites().parse().expect("a link");
    link.relay = elsewhere();
    carol.joins(&link.to_string());
    world.settle();
    assert_eq!(carol.standing(), Standing::Deleted { by: None });
    assert!(carol.relays().contains(&elsewhere()));
}

#[test]
fn a_broken_link_says_what_is_wrong_with_it() {
    let (world, alice, _) = of_two();
    let carol = world.carol();
    let link = alice.invites();
    let tries = |link: &str| match carol.asks(Request::Join {
        link: link.to_owned(),
    }) {
        Err(RequestError::BadLink(bad)) => bad,
        other => panic!("{other:?}"),
    };
    assert_eq!(tries("hello"), BadLink::NotALink);
    assert_eq!(
        tries(link.split('#').next().expect("the beginning")),
        BadLink::SecretMissing
    );
    assert_eq!(tries(&link[..link.len() - 3]), BadLink::SecretDamaged);
    assert_eq!(
        tries(&link.replace("join/", "call/")),
        BadLink::OtherVersion
    );
}

#[test]
fn members_do_not_join_again() {
    let (_world, alice, bob) = of_two();
    let link = alice.invites();
    assert_eq!(
        bob.asks(Request::Join { link }),
        Err(RequestError::AlreadyMember)
    );
}

#[test]
fn pressing_join_twice_gets_in_once() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.run_for(30);
    bob.joins(&link);
    world.run_for(25);
    bob.joins(&link);
    world.settle();
    all_agree(&[&alice, &bob]);
    alice.says("hello");
    world.settle();
    bob.reads("hello");
}

#[test]
fn joining_by_two_links_gets_in_once() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    let (one, other) = (alice.invites(), alice.invites());
    world.settle();
    for pause in [0, 10, 30, 50, 70, 90] {
        bob.joins(&one);
        world.run_for(pause);
        bob.joins(&other);
        world.settle();
        all_agree(&[&alice, &bob]);
        bob.leaves();
        world.settle();
        assert_eq!(alice.member_names(), ["Alice"]);
    }
}

#[test]
fn a_join_that_is_given_up_leaves_nobody_behind() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates_guarded("Field notes");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.settle();
    assert_eq!(alice.knocks().len(), 1);
    let room = bob.room();
    assert_eq!(bob.asks(Request::CancelJoin(room)), Ok(Outcome::Done));
    assert!(!bob.has_room());
    world.settle();
    assert_eq!(alice.knocks(), [], "nobody knocks any more");
}

#[test]
fn whoever_leaves_while_being_let_in_is_gone() {
    let world = World::new();
    let (alice, bob) = (world.alice(), world.bob());
    alice.creates("Field notes");
    let link = alice.invites();
    world.settle();
    for pause in [0, 10, 30, 50, 70, 90, 110] {
        bob.joins(&link);
        world.run_for(pause);
        bob.leaves();
        world.settle();
        assert_eq!(alice.member_names(), ["Alice"], "after {pause} ms");
        assert!(!bob.is_member());
    }
}

#[test]
fn who_lost_step_comes_back_by_a_link_and_sees_the_gap() {
    let (world, alice, bob) = of_two();
    bob.says("before");
    world.settle();
    // The relay holds a commit back from bob for ever.
    bob.goes_offline();
    alice.renames_room("Elsewhere");
    alice.says("missed");
    world.settle();
    world.sleep(31 * 24 * HOUR);
    world.tick();
    bob.comes_back();
    world.settle();
    assert_eq!(bob.standing(), Standing::Lost);
    bob.says("into the void");
    let link = alice.invites();
    world.settle();
    bob.joins(&link);
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(bob.view().name, "Elsewhere");
    alice.says("there you are");
    world.settle();
    bob.reads("before");
    bob.reads("there you are");
    assert!(bob.gaps() >= 2, "a gap of {}", bob.gaps());
    alice.reads("into the void");
    bob.reads("into the void");
}

#[test]
fn who_lost_everything_comes_back_as_somebody_new() {
    let (world, alice, bob) = of_two();
    let old = bob.user();
    bob.is_killed();
    world.settle();
    let bob = {
        world.scene().arrive("bob");
        world.bob()
    };
    assert_ne!(bob.user(), old);
    bob.joins(&alice.invites());
    world.settle();
    assert_eq!(alice.member_names(), ["Alice", "Bob", "Bob"]);
    assert_eq!(alice.view().unverified, 2);
    alice.says("which is which");
    world.settle();
    bob.reads("which is which");
}

#[test]
fn verified_people_stay_verified_when_others_come_and_go() {
    let (world, alice, bob) = of_two();
    alice.verifies(&bob);
    assert_eq!(alice.view().unverified, 0);
    let carol = world.carol();
    carol.joins(&alice.invites());
    world.settle();
    assert_eq!(alice.view().unverified, 1);
    assert!(alice.person(&bob).verified_at.is_some());
    assert!(alice.person(&carol).verified_at.is_none());
    carol.leaves();
    bob.leaves();
    world.settle();
    bob.joins(&alice.invites());
    world.settle();
    assert!(alice.person(&bob).verified_at.is_some());
    alice.restarts();
    world.settle();
    assert_eq!(alice.view().unverified, 0);
}

#[test]
fn both_compare_the_same_safety_number() {
    let (world, alice, bob) = of_two();
    let number = |of: &'static str, with| {
        let mut scene = world.scene();
        let client = scene.machine(of).client.as_ref().expect("it runs");
        client.safety(with).expect("they have met")
    };
    let (a, b) = (number("alice", &bob.user()), number("bob", &alice.user()));
    assert_eq!(a.digits, b.digits);
    assert_eq!(a.digits.len(), 60);
}

#[test]
fn a_knock_that_comes_again_lets_nobody_in_again() {
    let (world, alice, bob, carol) = of_three();
    let knock = world.heard_by(&alice).into_iter().rfind(
        |frame| matches!(frame, RelayFrame::RoomKnocked { from, .. } if *from == carol.user()),
    );
    let knock = knock.expect("carol knocked");
    let epoch = alice.view().epoch;
    for member in [&alice, &bob] {
        world.relay_says(member, knock.clone());
    }
    world.settle();
    for member in [&alice, &bob] {
        member.restarts();
        world.settle();
        world.relay_says(member, knock.clone());
        world.settle();
    }
    assert!(carol.is_member(), "carol is {:?}", carol.standing());
    all_agree(&[&alice, &bob, &carol]);
    assert_eq!(alice.view().epoch, epoch, "nothing was changed");
}
