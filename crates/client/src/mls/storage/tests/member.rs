//! People in a group, for tests of the storage below them.

use crate::{
    mls::provider::{Crypto, Provider, SUITE},
    store::{Space, Txn, memory::MemoryStore},
};
use openmls::{
    group::PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    prelude::{tls_codec::Deserialize as _, *},
};
use openmls_basic_credential::SignatureKeyPair;

use std::collections::BTreeMap;

/// Somebody with a store; every step is a transaction of its own, and loads
/// the group anew.
pub struct Member {
    pub crypto: Crypto,
    pub store: MemoryStore,
    pub keys: SignatureKeyPair,
    pub name: &'static str,
}

pub fn member(name: &'static str) -> Member {
    let mut member = Member {
        crypto: Crypto::default(),
        store: MemoryStore::default(),
        keys: SignatureKeyPair::new(SUITE.signature_algorithm()).unwrap(),
        name,
    };
    member.step(|provider, member| member.keys.store(provider.storage()).unwrap());
    member
}

pub struct Me<'m> {
    pub keys: &'m SignatureKeyPair,
    pub name: &'m str,
}

impl Me<'_> {
    pub fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.name.into()).into(),
            signature_key: self.keys.public().into(),
        }
    }
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build()
}

pub fn group_id() -> GroupId {
    GroupId::from_slice(b"room")
}

pub fn load(provider: &Provider<'_>) -> MlsGroup {
    MlsGroup::load(provider.storage(), &group_id())
        .unwrap()
        .expect("the group is there")
}

impl Member {
    pub fn step<T>(&mut self, act: impl FnOnce(&Provider<'_>, Me<'_>) -> T) -> T {
        let mut txn = self.store.begin();
        let provider = Provider::new(&self.crypto, &mut txn);
        let result = act(
            &provider,
            Me {
                keys: &self.keys,
                name: self.name,
            },
        );
        assert!(provider.take_failure().is_none());
        txn.commit().unwrap();
        result
    }

    pub fn in_group<T>(
        &mut self,
        act: impl FnOnce(&mut MlsGroup, &Provider<'_>, Me<'_>) -> T,
    ) -> T {
        self.step(|provider, me| act(&mut load(provider), provider, me))
    }

    pub fn create(&mut self) {
        self.step(|provider, me| {
            MlsGroup::builder()
                .with_group_id(group_id())
                .ciphersuite(SUITE)
                .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
                .use_ratchet_tree_extension(true)
                .build(provider, me.keys, me.credential())
                .unwrap();
        });
    }

    pub fn key_package(&mut self) -> KeyPackage {
        self.step(|provider, me| {
            let bundle = KeyPackage::builder().build(SUITE, provider, me.keys, me.credential());
            bundle.unwrap().key_package().clone()
        })
    }

    /// Adds people; gives what members and what newcomers are sent.
    pub fn add(&mut self, packages: &[KeyPackage]) -> (Vec<u8>, Vec<u8>) {
        self.in_group(|group, provider, me| {
            let (commit, welcome, _) = group.add_members(provider, me.keys, packages).unwrap();
            group.merge_pending_commit(provider).unwrap();
            (commit.to_bytes().unwrap(), welcome.to_bytes().unwrap())
        })
    }

    pub fn join(&mut self, welcome: &[u8]) {
        self.step(|provider, _| {
            let message = MlsMessageIn::tls_deserialize_exact(welcome).unwrap();
            let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
                panic!("not a Welcome");
            };
            StagedWelcome::new_from_welcome(provider, &config(), welcome, None)
                .unwrap()
                .into_group(provider)
                .unwrap();
        });
    }

    pub fn say(&mut self, text: &[u8]) -> Vec<u8> {
        self.in_group(|group, provider, me| {
            group
                .create_message(provider, me.keys, text)
                .unwrap()
                .to_bytes()
                .unwrap()
        })
    }

    pub fn update(&mut self) -> Vec<u8> {
        self.in_group(|group, provider, me| {
            let made = group.self_update(provider, me.keys, LeafNodeParameters::default());
            let (commit, ..) = made.unwrap().into_contents();
            group.merge_pending_commit(provider).unwrap();
            commit.to_bytes().unwrap()
        })
    }

    /// What a message said; empty for a commit or proposal.
    pub fn hear(&mut self, message: &[u8]) -> Vec<u8> {
        self.in_group(|group, provider, _| {
            let message = MlsMessageIn::tls_deserialize_exact(message).unwrap();
            let message = message.try_into_protocol_message().unwrap();
            match group
                .process_message(provider, message)
                .unwrap()
                .into_content()
            {
                ProcessedMessageContent::ApplicationMessage(text) => text.into_bytes(),
                ProcessedMessageContent::StagedCommitMessage(commit) => {
                    group.merge_staged_commit(provider, *commit).unwrap();
                    vec![]
                }
                ProcessedMessageContent::ProposalMessage(proposal) => {
                    group
                        .store_pending_proposal(provider.storage(), *proposal)
                        .unwrap();
                    vec![]
                }
                _ => panic!("unexpected content"),
            }
        })
    }

    pub fn records(&mut self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.store
            .begin()
            .scan(Space::Mls, b"")
            .unwrap()
            .into_iter()
            .collect()
    }

    pub fn labels(&mut self) -> Vec<u8> {
        self.records().into_keys().map(|key| key[0]).collect()
    }
}
