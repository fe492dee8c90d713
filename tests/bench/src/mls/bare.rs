//! Bare OpenMLS with its own memory storage: groups, and nothing around them.
//!
//! What costs time inside MLS is as in our rooms: suite, extensions, padding,
//! how commits are made, and that newcomers renew their leaf. What is missing
//! is all else: roster, rights, timeline, outbox, wire frames.
//!
//! OpenMLS authenticates nobody; that is left to whoever uses it. So each time
//! is taken twice: without, and with the check of device certificates that our
//! rooms make, each certificate once for each member.

use super::{MESSAGES, Times, counts};
use crate::Work;
use openmls::prelude::tls_codec::{DeserializeBytes as _, Serialize as _};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use sotto_client::identity::{
    AccountKey, check_certificate, decode_certificate, encode_certificate, issue_certificate,
};
use sotto_client::pad;
use sotto_wire::DeviceId;
use std::collections::HashSet;
use std::time::Duration;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// As in our rooms: a state that all agree on, and a profile in each leaf.
const STATE: ExtensionType = ExtensionType::Unknown(0xf050);
const PROFILE: ExtensionType = ExtensionType::Unknown(0xf051);
const STATE_SIZE: usize = 300;
const PROFILE_SIZE: usize = 80;

/// What a message says beside its text: id, type, what its author had seen.
const CONTENT_SIZE: usize = 160;

/// What was measured.
#[derive(Debug, Default)]
pub struct Bare {
    /// OpenMLS alone.
    pub alone: Times,
    /// And it is known who the members are.
    pub authenticated: Times,
}

/// A commit, and how long it took.
struct Made {
    commit: Vec<u8>,
    welcome: Option<Vec<u8>>,
}

struct Member {
    provider: OpenMlsRustCrypto,
    keys: SignatureKeyPair,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
    vouched: HashSet<Vec<u8>>,
}

/// Builds one group up to its size and measures in it.
pub fn round(size: usize, times: &mut Bare) {
    let mut alice = Member::new(1);
    let mut bob = Member::new(2);
    alice.creates();
    let counted = counts(2, size);
    admit(&mut alice, &mut bob, None, counted.then_some(times));
    for members in 3..=size {
        let counted = counts(members, size);
        let mut newcomer = Member::new(members as u32);
        let times = counted.then_some(&mut *times);
        admit(&mut alice, &mut newcomer, Some(&mut bob), times);
    }
    for number in 0..5 {
        commit(&mut alice, &mut bob, number, times);
    }
    talk(&mut alice, &mut bob, times);
}

/// Certificates and signature keys to be checked.
type Leaves = Vec<(Vec<u8>, Vec<u8>)>;

fn admit(
    host: &mut Member,
    newcomer: &mut Member,
    witness: Option<&mut Member>,
    times: Option<&mut Bare>,
) {
    let package = newcomer.package();
    let begun = Work::begin();
    let package = KeyPackageIn::tls_deserialize_exact_bytes(&package)
        .expect("our own")
        .validate(host.provider.crypto(), ProtocolVersion::Mls10)
        .expect("our own");
    let leaf = leaf(package.leaf_node());
    let made = host.commits(vec![package], None);
    host.merges();
    let added = begun.took();
    let adder_checked = host.checks(&vec![leaf]);

    let welcome = made.welcome.expect("somebody was added");
    let (joined, joiner_checked) = newcomer.joins(&welcome);
    let renewal = newcomer.commits(Vec::new(), None);
    newcomer.merges();
    host.takes(&renewal.commit);
    if let Some(witness) = witness {
        witness.takes(&made.commit);
        witness.takes(&renewal.commit);
    }
    if let Some(times) = times {
        times.alone.add.add(added);
        times.authenticated.add.add(added + adder_checked);
        times.alone.join.add(joined);
        times.authenticated.join.add(joined + joiner_checked);
    }
}

fn commit(alice: &mut Member, bob: &mut Member, number: u8, times: &mut Bare) {
    let begun = Work::begin();
    let made = alice.commits(Vec::new(), Some(number));
    alice.merges();
    let took = begun.took();
    times.alone.commit.add(took);
    times.authenticated.commit.add(took);

    let (took, checked) = bob.takes(&made.commit);
    times.alone.follow.add(took);
    times.authenticated.follow.add(took + checked);
}

fn talk(alice: &mut Member, bob: &mut Member, times: &mut Bare) {
    for number in 0..MESSAGES {
        let text = format!("a message of an ordinary length, number {number}");
        let begun = Work::begin();
        let content = pad::pad(format!("{text:CONTENT_SIZE$}").as_bytes());
        let (provider, keys, group) = alice.parts();
        let message = group
            .create_message(provider, keys, &content)
            .expect("a member writes");
        let message = bytes(message);
        let took = begun.took();
        times.alone.encrypt.add(took);
        times.authenticated.encrypt.add(took);

        let (took, checked) = bob.takes(&message);
        times.alone.decrypt.add(took);
        times.authenticated.decrypt.add(took + checked);
    }
}

impl Member {
    fn new(number: u32) -> Self {
        let provider = OpenMlsRustCrypto::default();
        let keys = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("randomness");
        keys.store(provider.storage()).expect("memory");
        let mut secret = [7; 32];
        secret[28..].copy_from_slice(&number.to_be_bytes());
        let account = AccountKey::from_secret(&secret).expect("a small number");
        let leaf_key = keys.public().try_into().expect("an Ed25519 key");
        let certificate = issue_certificate(&account, DeviceId([1; 16]), leaf_key, 0, u64::MAX);
        let credential = CredentialWithKey {
            credential: BasicCredential::new(encode_certificate(&certificate)).into(),
            signature_key: keys.public().into(),
        };
        Self {
            provider,
            keys,
            credential,
            group: None,
            vouched: HashSet::new(),
        }
    }

    fn package(&self) -> Vec<u8> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .leaf_node_extensions(profile())
            .build(SUITE, &self.provider, &self.keys, self.credential.clone())
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
            .max_past_epochs(0)
            .number_of_resumption_psks(0)
            .sender_ratchet_configuration(ratchets())
            .with_capabilities(capabilities())
            .with_group_context_extensions(context(0))
            .with_leaf_node_extensions(profile())
            .expect("its own capabilities name it")
            .build(&self.provider, &self.keys, self.credential.clone())
            .expect("a group");
        self.group = Some(group);
    }

    /// Adds, or changes what all agree on; either way the own leaf is renewed.
    fn commits(&mut self, adds: Vec<KeyPackage>, state: Option<u8>) -> Made {
        let renewed = LeafNodeParameters::builder()
            .with_credential_with_key(self.credential.clone())
            .with_capabilities(capabilities())
            .with_extensions(profile())
            .build();
        let (provider, keys, group) = self.parts();
        group.set_aad(b"{}".to_vec());
        let mut builder = group
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .propose_adds(adds)
            .leaf_node_parameters(renewed);
        if let Some(number) = state {
            builder = builder
                .propose_group_context_extensions(context(number))
                .expect("all members know them");
        }
        let (commit, welcome, _) = builder
            .load_psks(provider.storage())
            .expect("there are none")
            .build(provider.rand(), provider.crypto(), keys, |_| true)
            .expect("a member commits")
            .stage_commit(provider)
            .expect("memory")
            .into_messages();
        Made {
            commit: bytes(commit),
            welcome: welcome.map(bytes),
        }
    }

    fn merges(&mut self) {
        let (provider, _, group) = self.parts();
        group.merge_pending_commit(provider).expect("staged");
    }

    /// Says how long joining took, and how long the check of all members.
    fn joins(&mut self, welcome: &[u8]) -> (Duration, Duration) {
        let begun = Work::begin();
        let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome).expect("our own");
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
            panic!("a Welcome was sent");
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .max_past_epochs(0)
            .number_of_resumption_psks(0)
            .sender_ratchet_configuration(ratchets())
            .build();
        let staged = StagedWelcome::build_from_welcome(&self.provider, &config, welcome)
            .expect("meant for us")
            .skip_lifetime_validation()
            .replace_old_group()
            .build()
            .expect("meant for us");
        let opened = begun.took();
        let members = staged.members();
        let leaves = members.map(|m| (identity(&m.credential), m.signature_key));
        let checked = self.checks(&leaves.collect());
        let begun = Work::begin();
        let group = staged.into_group(&self.provider);
        self.group = Some(group.expect("meant for us"));
        (opened + begun.took(), checked)
    }

    /// Says how long it took, and how long the check of who came or changed.
    fn takes(&mut self, message: &[u8]) -> (Duration, Duration) {
        let begun = Work::begin();
        let message = MlsMessageIn::tls_deserialize_exact_bytes(message)
            .expect("our own")
            .try_into_protocol_message()
            .expect("a protocol message");
        let (provider, _, group) = self.parts();
        let processed = group
            .process_message(provider, message)
            .expect("of our group");
        let opened = begun.took();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return (opened, Duration::ZERO);
        };
        let added = staged.add_proposals();
        let added = added.map(|add| leaf(add.add_proposal().key_package().leaf_node()));
        let renewed = staged.update_path_leaf_node().map(leaf);
        let checked = self.checks(&added.chain(renewed).collect());
        let begun = Work::begin();
        let (provider, _, group) = self.parts();
        group
            .merge_staged_commit(provider, *staged)
            .expect("of our group");
        (opened + begun.took(), checked)
    }

    /// What any application must do of its own accord: know who it is.
    fn checks(&mut self, leaves: &Leaves) -> Duration {
        let begun = Work::begin();
        for (certificate, key) in leaves {
            if !self.vouched.contains(certificate) {
                let decoded = decode_certificate(certificate).expect("issued here");
                let vouched = check_certificate(&decoded).expect("issued here");
                assert_eq!(vouched.leaf_key[..], key[..], "of another leaf");
                self.vouched.insert(certificate.clone());
            }
        }
        begun.took()
    }

    fn parts(&mut self) -> (&OpenMlsRustCrypto, &SignatureKeyPair, &mut MlsGroup) {
        let group = self.group.as_mut().expect("in a group");
        (&self.provider, &self.keys, group)
    }
}

fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .extensions(vec![STATE, PROFILE])
        .proposals(vec![])
        .credentials(vec![CredentialType::Basic])
        .build()
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(64, 2_000)
}

fn profile() -> Extensions<LeafNode> {
    let ExtensionType::Unknown(number) = PROFILE else {
        unreachable!("for private use")
    };
    let profile = Extension::Unknown(number, UnknownExtension(vec![b' '; PROFILE_SIZE]));
    Extensions::single(profile).expect("valid in a leaf")
}

fn context(number: u8) -> Extensions<GroupContext> {
    let ExtensionType::Unknown(state) = STATE else {
        unreachable!("for private use")
    };
    let basic = [CredentialType::Basic];
    let required = RequiredCapabilitiesExtension::new(&[STATE, PROFILE], &[], &basic);
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::Unknown(state, UnknownExtension(vec![number; STATE_SIZE])),
    ])
    .expect("valid in a group context")
}

fn leaf(node: &LeafNode) -> (Vec<u8>, Vec<u8>) {
    let key = node.signature_key().as_slice().to_vec();
    (identity(node.credential()), key)
}

fn identity(credential: &Credential) -> Vec<u8> {
    BasicCredential::try_from(credential.clone())
        .expect("all have one")
        .identity()
        .to_vec()
}

fn bytes(message: MlsMessageOut) -> Vec<u8> {
    message.to_bytes().expect("serializable")
}
