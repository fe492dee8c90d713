//! Attack 11: no key is used twice, whatever happens to the store.

use super::tools::sends;
use crate::simulator::rooms::{all_agree, of_two};
use sotto_client::{
    Why,
    model::{Delivery, Standing},
};
use sotto_wire::{ClientFrame, frame::ChatKind};

#[test]
fn attack_11_a_restart_uses_no_key_again() {
    let (world, alice, bob) = of_two();
    for n in 0..6 {
        alice.says(&format!("{n}"));
        if n % 2 == 0 {
            world.run_for(10);
        }
        alice.restarts();
        world.settle();
    }
    bob.reads_only(&["0", "1", "2", "3", "4", "5"]);
    bob.rejected_nothing();
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_11_a_process_that_dies_after_sending_uses_no_key_again() {
    let (world, alice, bob) = of_two();
    for n in 0..6 {
        let id = sotto_wire::MessageId([n; 16]);
        let body = sotto_client::model::MessageBody {
            text: format!("{n}"),
            reply_to: None,
        };
        let request = sotto_client::Request::Send {
            room: alice.room(),
            id,
            body,
        };
        let input = sotto_client::Input::Ui {
            ask: sotto_client::Ask(1_000 + u64::from(n)),
            request,
        };
        let fate = sotto_tests::world::Fate::DiesAfterEffects(usize::from(n));
        world.scene().take_with("alice", input, fate);
        world.settle();
    }
    bob.reads_only(&["0", "1", "2", "3", "4", "5"]);
    bob.rejected_nothing();
}

#[test]
fn attack_11_two_copies_of_one_store_use_no_key_twice() {
    let (world, alice, bob) = of_two();
    let copy = bob.backup();
    bob.goes_offline();
    let twin = world.person("twin");
    let (room, user) = (bob.room(), bob.user());
    twin.restores(&copy);
    twin.looks_at(room);
    world.scene().machine("twin").user = user;
    world.settle();
    assert!(twin.is_member());
    twin.says("from the copy");
    world.settle();
    twin.goes_offline();
    bob.says("from the original");
    bob.comes_back();
    world.settle();
    let kinds: Vec<ChatKind> = sends(&world, &bob)
        .iter()
        .rev()
        .take(2)
        .map(|s| s.kind)
        .collect();
    assert_eq!(
        kinds,
        [ChatKind::Application, ChatKind::Commit],
        "a new leaf came first"
    );
    assert!(bob.rejected().contains(&Why::Unasked));
    alice.reads_only(&["from the copy", "from the original"]);
    alice.rejected_nothing();
    all_agree(&[&alice, &bob]);
    twin.comes_back();
    world.settle();
    assert_eq!(twin.standing(), Standing::Lost, "two cannot be one device");
}

#[test]
fn attack_11_no_ciphertext_is_made_twice_for_different_words() {
    let (world, alice, bob) = of_two();
    for n in 0..4 {
        alice.says(&format!("{n}"));
        bob.calls_themselves(&format!("Bob {n}"));
        alice.restarts();
        world.settle();
    }
    let bodies: Vec<_> = world
        .sent_by(&alice)
        .into_iter()
        .filter_map(|frame| match frame {
            ClientFrame::ChatSend(send) => Some((send.id, send.epoch, send.body)),
            _ => None,
        })
        .collect();
    for (n, (id, epoch, body)) in bodies.iter().enumerate() {
        for (other, other_epoch, other_body) in &bodies[..n] {
            let same = body == other_body;
            assert!(
                !same || (id, epoch) == (other, other_epoch),
                "a body in two places"
            );
        }
    }
    bob.reads_only(&["0", "1", "2", "3"]);
}

#[test]
fn attack_11_an_old_copy_of_the_store_reuses_no_key() {
    let (world, alice, bob) = of_two();
    bob.says("one");
    world.settle();
    let copy = bob.backup();
    bob.says("two");
    bob.says("three");
    world.settle();
    bob.restores(&copy);
    let before = world.sent_by(&bob).len();
    bob.says("four");
    world.settle();
    let sent: Vec<ChatKind> = world.sent_by(&bob)[before..]
        .iter()
        .filter_map(|frame| match frame {
            ClientFrame::ChatSend(send) => Some(send.kind),
            _ => None,
        })
        .collect();
    assert_eq!(
        sent,
        [ChatKind::Commit, ChatKind::Application],
        "a new leaf comes first"
    );
    alice.reads_only(&["one", "two", "three", "four"]);
    bob.reads("four");
    assert_eq!(
        bob.gaps(),
        2,
        "what the copy does not know is shown as missing"
    );
    alice.rejected_nothing();
    assert!(bob.rejected().contains(&Why::Unasked));
    all_agree(&[&alice, &bob]);
}

#[test]
fn attack_11_an_old_copy_can_still_say_goodbye() {
    let (world, alice, bob) = of_two();
    let copy = bob.backup();
    bob.says("one");
    world.settle();
    bob.goes_offline();
    bob.restores(&copy);
    bob.leaves();
    bob.comes_back();
    world.settle();
    assert_eq!(bob.standing(), Standing::Left);
    assert_eq!(alice.member_names(), ["Alice"]);
}

#[test]
fn attack_11_an_old_copy_that_missed_its_own_commit_knows_that_it_is_lost() {
    let (world, alice, bob) = of_two();
    let copy = bob.backup();
    bob.calls_themselves("Bobby");
    world.settle();
    bob.restores(&copy);
    world.settle();
    assert_eq!(bob.standing(), Standing::Lost);
    let id = bob.says("from the past");
    world.settle();
    assert_eq!(bob.delivery(id), Some(Delivery::Pending));
    alice.rejected_nothing();
    bob.joins(&alice.invites());
    world.settle();
    all_agree(&[&alice, &bob]);
    alice.reads("from the past");
}
