//! Changes to a room, alone and against each other.

use super::rooms::{all_agree, of_three, of_two, with_mallory};
use sotto_client::{
    Request, RequestError,
    model::{Admission, SystemLine},
    rogue::{Rogue, Tamper},
};

#[test]
fn name_topic_and_admission_change_for_all() {
    let (world, alice, bob, carol) = of_three();
    alice.renames_room("Garden");
    world.settle();
    alice.sets_topic("tomatoes");
    world.settle();
    alice.sets_admission(Admission::ByHost);
    world.settle();
    for person in [&alice, &bob, &carol] {
        let view = person.view();
        assert_eq!(
            (view.name.as_str(), view.topic.as_str()),
            ("Garden", "tomatoes")
        );
        assert_eq!(view.admission, Admission::ByHost);
        let said = person.lines();
        assert!(
            said.iter()
                .any(|l| matches!(l, SystemLine::Renamed { name, .. } if name == "Garden"))
        );
        assert!(
            said.iter()
                .any(|l| matches!(l, SystemLine::TopicChanged { .. }))
        );
        assert!(
            said.iter()
                .any(|l| matches!(l, SystemLine::AdmissionChanged { .. }))
        );
    }
}

#[test]
fn only_the_host_changes_the_room() {
    let (_world, _alice, bob) = of_two();
    let (name, topic, admission) = ("Mine".to_owned(), String::new(), Admission::AtOnce);
    let asked = bob.asks(Request::ChangeRoom {
        room: bob.room(),
        name,
        topic,
        admission,
    });
    assert_eq!(asked, Err(RequestError::NotHost));
}

#[test]
fn two_commits_race_and_both_wishes_are_granted() {
    let (world, alice, bob, carol) = of_three();
    alice.renames_room("Garden");
    let link = bob.invites();
    carol.calls_themselves("Caroline");
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    for person in [&alice, &bob, &carol] {
        assert_eq!(person.view().name, "Garden");
        assert!(
            person
                .invitations()
                .iter()
                .any(|invite| invite.link == link)
        );
        assert_eq!(person.member_names(), ["Alice", "Bob", "Caroline"]);
    }
    alice.rejected_nothing();
    bob.rejected_nothing();
    carol.rejected_nothing();
}

#[test]
fn a_race_is_won_however_the_network_is() {
    for head_start in [0, 5, 15, 25, 35, 45, 60] {
        let (world, alice, bob) = of_two();
        alice.renames_room("Garden");
        world.run_for(head_start);
        let link = bob.invites();
        alice.says("hello");
        bob.says("hello too");
        world.settle();
        all_agree(&[&alice, &bob]);
        assert_eq!(bob.view().name, "Garden");
        assert!(alice.invitations().iter().any(|invite| invite.link == link));
        assert_eq!(alice.texts(), bob.texts());
        assert_eq!(alice.texts().len(), 2);
    }
}

#[test]
fn a_change_made_offline_is_made_later() {
    let (world, alice, bob) = of_two();
    alice.goes_offline();
    world.settle();
    alice.renames_room("Garden");
    bob.calls_themselves("Bobby");
    world.settle();
    alice.restarts();
    alice.comes_back();
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(bob.view().name, "Garden");
}

#[test]
fn a_wish_that_became_forbidden_takes_no_other_with_it() {
    let (world, alice, bob) = of_two();
    bob.goes_offline();
    world.settle();
    bob.invites();
    bob.calls_themselves("Bobby");
    alice.sets_admission(Admission::ByHost);
    world.settle();
    bob.comes_back();
    world.settle();
    all_agree(&[&alice, &bob]);
    assert_eq!(alice.member_names(), ["Alice", "Bobby"]);
    assert_eq!(
        alice.invitations().len(),
        1,
        "bob's link is not wanted any more"
    );
    bob.rejected_nothing();
}

#[test]
fn a_new_host_and_the_old_one_act_at_the_same_moment() {
    let (world, alice, bob, carol) = of_three();
    alice.makes_host(&bob);
    alice.renames_room("Just in time");
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    alice.sees_host(&bob);
    bob.renames_room("Bob's");
    world.settle();
    assert_eq!(alice.view().name, "Bob's");
    alice.says("still friends");
    world.settle();
    carol.reads("still friends");
}

#[test]
fn who_is_let_in_together_with_other_changes_gets_in() {
    let (world, alice, bob) = of_two();
    let carol = world.carol();
    alice.sets_admission(Admission::ByHost);
    world.settle();
    let link = alice.invites();
    world.settle();
    carol.joins(&link);
    world.settle();
    alice.goes_offline();
    world.settle();
    alice.lets_in(&carol);
    alice.makes_host(&bob);
    alice.renames_room("Garden");
    alice.revokes_all_invites();
    alice.comes_back();
    world.settle();
    all_agree(&[&alice, &bob, &carol]);
    alice.sees_host(&bob);
    assert_eq!(carol.view().name, "Garden");
}

#[test]
fn who_is_let_in_by_a_guest_who_closes_the_link_gets_in() {
    let (world, alice, bob) = of_two();
    let link = bob.invites();
    world.settle();
    alice.goes_offline();
    let carol = world.carol();
    carol.joins(&link);
    world.run_for(100);
    bob.revokes_own_invites();
    world.run_for(1_600);
    alice.comes_back();
    world.settle();
    assert!(carol.is_member() || carol.standing() == sotto_client::model::Standing::Denied);
    let members = if carol.is_member() { 3 } else { 2 };
    assert_eq!(alice.member_names().len(), members);
    assert_eq!(bob.member_names().len(), members);
}

#[test]
fn a_wish_survives_a_commit_that_all_refuse() {
    let (world, alice, bob, mallory) = with_mallory();
    let rogue = Rogue {
        changes: vec![Tamper::Name("Mine".into())],
        ..Rogue::default()
    };
    // Mallory's commit wins the epoch, and everybody refuses it.
    mallory.sends_commit(&mallory.forges_commit(&rogue));
    alice.renames_room("Garden");
    alice.says("hello");
    world.settle();
    assert_eq!(bob.view().name, "Garden");
    bob.reads("hello");
    assert_eq!(alice.view().epoch, bob.view().epoch);
}
