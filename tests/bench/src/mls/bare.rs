//! Bare OpenMLS with its own memory storage: groups, and nothing around them.

use super::{MESSAGES, Times, counts, rounds};
use openmls::prelude::tls_codec::{DeserializeBytes as _, Serialize as _};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use std::time::Instant;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

struct Member {
    provider: OpenMlsRustCrypto,
    keys: SignatureKeyPair,
    group: Option<MlsGroup>,
}

/// Times at one size.
pub fn measure(size: usize) -> Times {
    let mut times = Times::default();
    for _ in 0..rounds(size) {
        let mut alice = Member::new();
        let mut bob = Member::new();
        alice.creates();
        admit(
            &mut alice,
            &mut bob,
            None,
            counts(2, size).then_some(&mut times),
        );
        for members in 3..=size {
            let counted = counts(members, size).then_some(&mut times);
            admit(&mut alice, &mut Member::new(), Some(&mut bob), counted);
        }
        for _ in 0..5 {
            commit(&mut alice, &mut bob, &mut times);
        }
        talk(&mut alice, &mut bob, &mut times);
    }
    times
}

fn admit(
    host: &mut Member,
    newcomer: &mut Member,
    witness: Option<&mut Member>,
    times: Option<&mut Times>,
) {
    let package = newcomer.package();
    let begun = Instant::now();
    let package = KeyPackageIn::tls_deserialize_exact_bytes(&package)
        .expect("our own")
        .validate(host.provider.crypto(), ProtocolVersion::Mls10)
        .expect("our own");
    let (provider, keys, group) = host.parts();
    let (commit, welcome, _) = group
        .add_members(provider, keys, &[package])
        .expect("a good package");
    let (commit, welcome) = (bytes(&commit), bytes(&welcome));
    group.merge_pending_commit(provider).expect("staged");
    let added = begun.elapsed();

    if let Some(witness) = witness {
        witness.takes(&commit);
    }
    let begun = Instant::now();
    newcomer.joins(&welcome);
    let joined = begun.elapsed();
    if let Some(times) = times {
        times.add.add(added);
        times.join.add(joined);
    }
}

fn commit(alice: &mut Member, bob: &mut Member, times: &mut Times) {
    let begun = Instant::now();
    let (provider, keys, group) = alice.parts();
    let made = group
        .self_update(provider, keys, LeafNodeParameters::default())
        .expect("a member commits");
    let commit = bytes(made.commit());
    group.merge_pending_commit(provider).expect("staged");
    times.commit.add(begun.elapsed());

    let begun = Instant::now();
    bob.takes(&commit);
    times.follow.add(begun.elapsed());
}

fn talk(alice: &mut Member, bob: &mut Member, times: &mut Times) {
    for number in 0..MESSAGES {
        let text = format!("a message of an ordinary length, number {number}");
        let begun = Instant::now();
        let (provider, keys, group) = alice.parts();
        let message = group
            .create_message(provider, keys, text.as_bytes())
            .expect("a member writes");
        let message = bytes(&message);
        times.encrypt.add(begun.elapsed());

        let begun = Instant::now();
        bob.takes(&message);
        times.decrypt.add(begun.elapsed());
    }
}

impl Member {
    fn new() -> Self {
        let provider = OpenMlsRustCrypto::default();
        let keys = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("randomness");
        keys.store(provider.storage()).expect("memory");
        Self {
            provider,
            keys,
            group: None,
        }
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.keys.public().to_vec()).into(),
            signature_key: self.keys.public().into(),
        }
    }

    fn package(&self) -> Vec<u8> {
        let bundle = KeyPackage::builder()
            .build(SUITE, &self.provider, &self.keys, self.credential())
            .expect("a key package");
        bundle
            .key_package()
            .tls_serialize_detached()
            .expect("serializable")
    }

    fn creates(&mut self) {
        let group = MlsGroup::builder()
            .ciphersuite(SUITE)
            .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.keys, self.credential())
            .expect("a group");
        self.group = Some(group);
    }

    fn joins(&mut self, welcome: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome).expect("our own");
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
            panic!("a Welcome was sent");
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, None);
        let group = staged.expect("meant for us").into_group(&self.provider);
        self.group = Some(group.expect("meant for us"));
    }

    fn takes(&mut self, message: &[u8]) {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(message)
            .expect("our own")
            .try_into_protocol_message()
            .expect("a protocol message");
        let (provider, _, group) = self.parts();
        let processed = group
            .process_message(provider, message)
            .expect("of our group");
        if let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() {
            group
                .merge_staged_commit(provider, *staged)
                .expect("of our group");
        }
    }

    fn parts(&mut self) -> (&OpenMlsRustCrypto, &SignatureKeyPair, &mut MlsGroup) {
        let group = self.group.as_mut().expect("in a group");
        (&self.provider, &self.keys, group)
    }
}

fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.to_bytes().expect("serializable")
}
