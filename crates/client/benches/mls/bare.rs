//! Bare OpenMLS, used as the client uses it.

use super::{Side, time};
use openmls::prelude::{tls_codec::DeserializeBytes as _, *};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use std::time::Duration;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
/// As long as the client's certificate.
const IDENTITY: usize = 162;

struct Party {
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
}

pub struct Bare {
    host: Party,
    host_group: MlsGroup,
    member: Party,
    member_group: MlsGroup,
}

impl Party {
    fn new() -> Self {
        let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("keys");
        let credential = CredentialWithKey {
            credential: BasicCredential::new(vec![7; IDENTITY]).into(),
            signature_key: signer.public().into(),
        };
        Self {
            provider: OpenMlsRustCrypto::default(),
            signer,
            credential,
        }
    }

    fn key_package(&self) -> KeyPackage {
        let built = KeyPackage::builder().build(
            SUITE,
            &self.provider,
            &self.signer,
            self.credential.clone(),
        );
        built.expect("a key package").into_key_package()
    }
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build()
}

fn commit(
    party: &Party,
    group: &mut MlsGroup,
    adds: Vec<KeyPackage>,
    removes: Vec<LeafNodeIndex>,
) -> (Vec<u8>, Option<Vec<u8>>) {
    let provider = &party.provider;
    let bundle = group
        .commit_builder()
        .force_self_update(true)
        .propose_removals(removes)
        .propose_adds(adds)
        .load_psks(provider.storage())
        .expect("psks")
        .build(provider.rand(), provider.crypto(), &party.signer, |_| true)
        .expect("a commit")
        .stage_commit(provider)
        .expect("staged");
    let (commit, welcome, _) = bundle.into_messages();
    let bytes = |message: MlsMessageOut| message.to_bytes().expect("bytes");
    (bytes(commit), welcome.map(bytes))
}

fn merge(party: &Party, group: &mut MlsGroup) {
    group.merge_pending_commit(&party.provider).expect("merged");
}

fn join(party: &Party, welcome: &[u8]) -> MlsGroup {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome).expect("a message");
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        unreachable!("it is a Welcome")
    };
    StagedWelcome::new_from_welcome(&party.provider, &config(), welcome, None)
        .expect("a Welcome")
        .into_group(&party.provider)
        .expect("a group")
}

fn process(party: &Party, group: &mut MlsGroup, bytes: &[u8]) {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).expect("a message");
    let message = message
        .try_into_protocol_message()
        .expect("a protocol message");
    let processed = group
        .process_message(&party.provider, message)
        .expect("processed");
    if let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() {
        group
            .merge_staged_commit(&party.provider, *staged)
            .expect("merged");
    }
}

impl Side for Bare {
    fn with_members(count: usize) -> Self {
        let host = Party::new();
        let mut host_group = MlsGroup::builder()
            .ciphersuite(SUITE)
            .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build(&host.provider, &host.signer, host.credential.clone())
            .expect("a group");
        // One commit each, as the client's newcomers come one by one.
        for _ in 2..count {
            commit(
                &host,
                &mut host_group,
                vec![Party::new().key_package()],
                vec![],
            );
            merge(&host, &mut host_group);
        }
        let member = Party::new();
        let (_, welcome) = commit(&host, &mut host_group, vec![member.key_package()], vec![]);
        merge(&host, &mut host_group);
        let member_group = join(&member, &welcome.expect("a Welcome"));
        Self {
            host,
            host_group,
            member,
            member_group,
        }
    }

    fn round(&mut self) -> [Duration; 5] {
        let Self {
            host,
            host_group,
            member,
            member_group,
        } = self;
        let newcomer = Party::new();
        let package = newcomer.key_package();
        let (add, (bytes, welcome)) = time(|| {
            let made = commit(host, host_group, vec![package], vec![]);
            merge(host, host_group);
            made
        });
        process(member, member_group, &bytes);
        let welcome = welcome.expect("a Welcome");
        let (join, group) = time(|| join(&newcomer, &welcome));
        let (bytes, _) = commit(host, host_group, vec![], vec![group.own_leaf_index()]);
        merge(host, host_group);
        process(member, member_group, &bytes);

        let (committed, _) = time(|| {
            let (bytes, _) = commit(host, host_group, vec![], vec![]);
            merge(host, host_group);
            process(member, member_group, &bytes);
        });

        let content = [7; 128];
        let (encrypt, bytes) = time(|| {
            let message = host_group.create_message(&host.provider, &host.signer, &content);
            message.expect("a message").to_bytes().expect("bytes")
        });
        let (decrypt, ()) = time(|| process(member, member_group, &bytes));
        [add, join, committed, encrypt, decrypt]
    }
}
