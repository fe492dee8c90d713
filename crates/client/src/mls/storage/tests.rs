//! What a group leaves in the store, and that it can be read back.

use super::*;
use crate::{mls::provider::Provider, store::memory::Fault};
use member::{Member, group_id, load, member};
use openmls::{ciphersuite::hash_ref::ProposalRef, prelude::*};
use openmls_basic_credential::SignatureKeyPair;
use std::collections::BTreeMap;

mod member;

fn alice_and_bob() -> (Member, Member) {
    let (mut alice, mut bob) = (member("alice"), member("bob"));
    alice.create();
    let (_, welcome) = alice.add(&[bob.key_package()]);
    bob.join(&welcome);
    (alice, bob)
}

#[test]
fn a_group_lives_though_it_is_loaded_anew_for_each_step() {
    let (mut alice, mut bob) = alice_and_bob();
    for round in 0..3u8 {
        let message = alice.say(&[round]);
        assert_eq!(bob.hear(&message), [round]);
        let message = bob.say(b"yes");
        assert_eq!(alice.hear(&message), b"yes");
        let commit = bob.update();
        alice.hear(&commit);
        let commit = alice.update();
        bob.hear(&commit);
    }
    let mut carol = member("carol");
    let (commit, welcome) = alice.add(&[carol.key_package()]);
    bob.hear(&commit);
    carol.join(&welcome);
    let message = carol.say(b"hello");
    assert_eq!(alice.hear(&message), b"hello");
    assert_eq!(bob.hear(&message), b"hello");
}

#[test]
fn a_deleted_group_leaves_nothing_but_the_signature_key() {
    let (mut alice, mut bob) = alice_and_bob();
    let message = alice.say(b"hello");
    bob.hear(&message);
    let commit = bob.update();
    alice.hear(&commit);
    let proposal = bob.in_group(|group, provider, me| {
        group
            .leave_group(provider, me.keys)
            .unwrap()
            .to_bytes()
            .unwrap()
    });
    alice.hear(&proposal);
    assert!(alice.labels().contains(&(Label::Proposal as u8)));
    for member in [&mut alice, &mut bob] {
        member.in_group(|group, provider, _| group.delete(provider.storage()).unwrap());
        assert_eq!(
            member.labels(),
            [Label::SignatureKeyPair as u8],
            "{}",
            member.name
        );
        member.step(|provider, me| {
            let public = me.keys.public();
            let key = SignatureKeyPair::read(provider.storage(), public, SignatureScheme::ED25519);
            assert!(key.is_some());
            SignatureKeyPair::delete(provider.storage(), public, SignatureScheme::ED25519).unwrap();
        });
        assert_eq!(member.labels(), Vec::<u8>::new(), "{}", member.name);
    }
}

#[test]
fn a_key_package_is_gone_once_it_was_used() {
    let (mut alice, mut bob) = (member("alice"), member("bob"));
    alice.create();
    let package = bob.key_package();
    assert!(bob.labels().contains(&(Label::KeyPackage as u8)));
    let (_, welcome) = alice.add(&[package]);
    bob.join(&welcome);
    assert!(!bob.labels().contains(&(Label::KeyPackage as u8)));
    assert!(!bob.labels().contains(&(Label::EncryptionKeyPair as u8)));
}

#[test]
fn keys_of_past_epochs_are_gone() {
    let (mut alice, mut bob) = alice_and_bob();
    let before = alice.records();
    for _ in 0..3 {
        let commit = alice.update();
        bob.hear(&commit);
    }
    let count = |records: &BTreeMap<Vec<u8>, Vec<u8>>, label: Label| {
        records.keys().filter(|key| key[0] == label as u8).count()
    };
    let after = alice.records();
    assert_eq!(count(&after, Label::EpochKeyPairs), 1);
    assert_eq!(count(&after, Label::EncryptionKeyPair), 0);
    assert_eq!(after.len(), before.len());
}

#[test]
fn a_step_that_is_not_committed_never_happened() {
    let (mut alice, mut bob) = alice_and_bob();
    let before = alice.records();
    let mut txn = alice.store.begin();
    let provider = Provider::new(&alice.crypto, &mut txn);
    let mut group = load(&provider);
    group
        .self_update(&provider, &alice.keys, LeafNodeParameters::default())
        .unwrap();
    group.merge_pending_commit(&provider).unwrap();
    drop(txn);
    assert_eq!(alice.records(), before);
    let message = alice.say(b"still here");
    assert_eq!(bob.hear(&message), b"still here");
}

#[test]
fn a_disk_that_fails_is_remembered_whatever_openmls_makes_of_it() {
    let (mut alice, _) = alice_and_bob();
    let before = alice.records();
    for access in 0..40 {
        alice.store.fail(Fault::AccessAfter(access));
        let mut txn = alice.store.begin();
        let provider = Provider::new(&alice.crypto, &mut txn);
        let work = || -> Option<()> {
            let mut group = MlsGroup::load(provider.storage(), &group_id()).ok()??;
            group
                .self_update(&provider, &alice.keys, LeafNodeParameters::default())
                .ok()?;
            group.merge_pending_commit(&provider).ok()
        };
        let worked = work().is_some();
        let failed = provider.take_failure();
        drop(txn);
        if alice.store.is_fault_pending() {
            assert!(worked && failed.is_none() && access > 20, "access {access}");
            return;
        }
        assert!(matches!(failed, Some(StoreError::Io)), "access {access}");
        assert!(!worked, "access {access}");
        assert_eq!(alice.records(), before);
    }
    panic!("a self-update touches the disk fewer than 40 times");
}

#[test]
fn a_damaged_record_is_an_outcome() {
    let (mut alice, _) = alice_and_bob();
    for (key, value) in alice.records() {
        if key[0] == Label::SignatureKeyPair as u8 || key[0] == Label::EpochKeyPairs as u8 {
            continue;
        }
        let mut txn = alice.store.begin();
        txn.put(Space::Mls, &key, &value[..value.len() / 2])
            .unwrap();
        let storage = MlsStorage::new(&mut txn);
        assert!(
            MlsGroup::load(&storage, &group_id()).is_err(),
            "label {}",
            key[0]
        );
        assert!(
            matches!(storage.take_failure(), Some(StoreError::Damaged)),
            "label {}",
            key[0]
        );
    }
}

#[test]
fn proposals_are_queued_in_order_and_once() {
    let (mut alice, mut bob) = alice_and_bob();
    let mut refs = Vec::new();
    for name in ["carol", "dave", "erin"] {
        let package = member(name).key_package();
        let (proposal, reference) = bob.in_group(|group, provider, me| {
            group
                .propose_add_member(provider, me.keys, &package)
                .unwrap()
        });
        alice.hear(&proposal.to_bytes().unwrap());
        refs.push(reference);
    }
    let queued = |member: &mut Member| {
        member.step(|provider, _| -> Vec<ProposalRef> {
            provider
                .storage()
                .queued_proposal_refs(&group_id())
                .unwrap()
        })
    };
    assert_eq!(queued(&mut alice), refs);
    assert_eq!(queued(&mut bob), refs);
    alice.step(|provider, _| {
        let storage = provider.storage();
        let proposals: Vec<(ProposalRef, QueuedProposal)> =
            storage.queued_proposals(&group_id()).unwrap();
        let (reference, proposal) = &proposals[1];
        storage
            .queue_proposal(&group_id(), reference, proposal)
            .unwrap();
    });
    assert_eq!(queued(&mut alice), refs, "the same again keeps its place");

    alice.in_group(|group, provider, _| {
        group
            .remove_pending_proposal(provider.storage(), &refs[1])
            .unwrap();
    });
    assert_eq!(queued(&mut alice), [refs[0].clone(), refs[2].clone()]);
    alice.in_group(|group, _, _| assert_eq!(group.pending_proposals().count(), 2));

    alice.in_group(|group, provider, _| {
        group.clear_pending_proposals(provider.storage()).unwrap();
    });
    assert_eq!(queued(&mut alice), []);
    let labels = alice.labels();
    assert!(!labels.contains(&(Label::Proposal as u8)));
    assert!(!labels.contains(&(Label::ProposalRefs as u8)));
}

#[test]
fn own_leaf_nodes_wait_in_order_until_a_commit() {
    let (mut alice, mut bob) = alice_and_bob();
    let mut proposals = Vec::new();
    for _ in 0..3 {
        let (proposal, _) = alice.in_group(|group, provider, me| {
            let update = LeafNodeParameters::default();
            group
                .propose_self_update(provider, me.keys, update)
                .unwrap()
        });
        proposals.push(proposal.to_bytes().unwrap());
    }
    let nodes: Vec<LeafNode> =
        alice.step(|provider, _| provider.storage().own_leaf_nodes(&group_id()).unwrap());
    assert_eq!(nodes.len(), 3);
    assert!(nodes[0] != nodes[1] && nodes[1] != nodes[2]);

    bob.hear(&proposals[2]);
    let commit = bob.in_group(|group, provider, me| {
        let (commit, ..) = group
            .commit_to_pending_proposals(provider, me.keys)
            .unwrap();
        group.merge_pending_commit(provider).unwrap();
        commit.to_bytes().unwrap()
    });
    alice.hear(&commit);
    alice.in_group(|group, _, _| assert_eq!(group.own_leaf_node(), Some(&nodes[2])));
    assert!(!alice.labels().contains(&(Label::OwnLeafNodes as u8)));
    let message = alice.say(b"hello");
    assert_eq!(bob.hear(&message), b"hello");
}

#[test]
fn a_message_in_a_large_group_rewrites_little() {
    let mut alice = member("alice");
    alice.create();
    let packages: Vec<_> = (0..99).map(|_| member("somebody").key_package()).collect();
    alice.add(&packages);
    let before = alice.records();
    let whole: usize = before.values().map(Vec::len).sum();
    alice.say(b"hello");
    let after = alice.records();
    assert_eq!(before.len(), after.len());
    let rewritten: usize = after
        .iter()
        .filter(|(key, value)| before[*key] != **value)
        .map(|(_, value)| value.len())
        .sum();
    assert!(rewritten < 16 * 1024, "{rewritten} of {whole} bytes");
    assert!(whole < 600 * 1024, "{whole} bytes");
}
