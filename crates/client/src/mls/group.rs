//! One room's MLS group: making it, joining it, committing, encrypting,
//! decrypting. A staged commit is handed out as facts to be judged before it
//! is merged.

use super::{MlsError, leaf, leaf::Leaf, provider::Provider, provider::SUITE, settle};
use crate::{
    identity::Vouched,
    model::Profile,
    room::{
        authorize::{Added, CommitNote, Facts, PackageId},
        state::RoomState,
    },
};
use openmls::prelude::{tls_codec::DeserializeBytes as _, *};
use openmls_basic_credential::SignatureKeyPair;
use sha2::{Digest as _, Sha256};
use sotto_wire::{Millis, RoomId, auth::DeviceCertificate};

/// Label and length of the secret behind passing signals.
const SIGNAL_LABEL: &str = "sotto v1 signal";

/// Label of the secret that keys of media in a call rest on.
const CALL_LABEL: &str = "sotto v1 call";

/// The own device, as far as groups need it.
pub(crate) struct Signer<'a> {
    pub keys: &'a SignatureKeyPair,
    pub certificate: &'a DeviceCertificate,
    pub profile: &'a Profile,
    /// See [`leaf::Leaf::made`].
    pub made: Millis,
}

pub(crate) struct Group(MlsGroup);

/// What to commit. Every commit also renews the own leaf.
#[derive(Default)]
pub(crate) struct Plan {
    pub adds: Vec<KeyPackage>,
    pub removes: Vec<u32>,
    pub state: Option<RoomState>,
    pub note: CommitNote,
}

/// A commit that is staged here and waits for the relay's word.
pub(crate) struct Built {
    pub commit: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
}

/// A message of the group, opened.
#[expect(clippy::large_enum_variant, reason = "one at a time, and gone at once")]
pub(crate) enum Opened {
    Application {
        leaf: u32,
        content: Vec<u8>,
    },
    Commit {
        facts: Facts,
        staged: Box<StagedCommit>,
    },
    /// Authentic, but of a kind that rooms do not use.
    Other,
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        // The relay refuses messages of past epochs, so no key of one is kept.
        .max_past_epochs(0)
        .number_of_resumption_psks(0)
        .sender_ratchet_configuration(ratchets())
        .build()
}

/// Generations of a sender that may come late. A relay can still read from a
/// broken connection when the next one brings the same messages, encrypted
/// again: the two then interleave. Twice the outbox's window covers it; only
/// keys that were skipped are kept, and only for the epoch.
const LATE_MAX: u32 = 64;

/// Generations are skipped when a sender had to encrypt again.
fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(LATE_MAX, 2_000)
}

/// Names a key package by its init key, which serves once: which one a commit added, and
/// whether it was added before.
pub(crate) fn package_id(package: &KeyPackage) -> PackageId {
    let digest = Sha256::digest(package.hpke_init_key().as_slice());
    let (id, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
    PackageId(*id)
}

fn group_id(room: &RoomId) -> GroupId {
    GroupId::from_slice(room.as_bytes())
}

/// All extensions of a room's GroupContext. A commit that results in any
/// other list is refused, so nobody can slip in external senders.
fn context_extensions(state: &RoomState) -> Extensions<GroupContext> {
    let required = RequiredCapabilitiesExtension::new(
        &[
            ExtensionType::Unknown(leaf::STATE_EXTENSION),
            ExtensionType::Unknown(leaf::PROFILE_EXTENSION),
        ],
        &[],
        &[CredentialType::Basic],
    );
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::Unknown(leaf::STATE_EXTENSION, UnknownExtension(state.encode())),
    ])
    .expect("both extensions are valid in a group context")
}

fn read_state(extensions: &Extensions<GroupContext>) -> Option<RoomState> {
    let state = RoomState::decode(&extensions.unknown(leaf::STATE_EXTENSION)?.0)?;
    (*extensions == context_extensions(&state)).then_some(state)
}

impl Group {
    pub fn create(
        provider: &Provider<'_>,
        signer: &Signer<'_>,
        room: &RoomId,
        state: &RoomState,
    ) -> Result<Self, MlsError> {
        let builder = MlsGroup::builder()
            .with_group_id(group_id(room))
            .ciphersuite(SUITE)
            .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .max_past_epochs(0)
            .number_of_resumption_psks(0)
            .sender_ratchet_configuration(ratchets())
            .with_capabilities(leaf::capabilities())
            .with_group_context_extensions(context_extensions(state))
            .with_leaf_node_extensions(leaf::extensions(signer.profile, signer.made))
            .map_err(|_| MlsError::Refused)?;
        let group = builder.build(provider, signer.keys, leaf::credential(signer.certificate));
        settle(provider, group).map(Self)
    }

    pub fn load(provider: &Provider<'_>, room: &RoomId) -> Result<Option<Self>, MlsError> {
        let group = MlsGroup::load(provider.storage(), &group_id(room));
        Ok(settle(provider, group)?.map(Self))
    }

    pub fn delete(mut self, provider: &Provider<'_>) -> Result<(), MlsError> {
        let deleted = self.0.delete(provider.storage());
        settle(provider, deleted)
    }

    /// MLS epoch (RFC 9420 §8).
    pub fn epoch(&self) -> u64 {
        self.0.epoch().as_u64()
    }

    pub fn own_leaf(&self) -> u32 {
        self.0.own_leaf_index().u32()
    }

    pub fn state(&self) -> Option<RoomState> {
        read_state(self.0.extensions())
    }

    /// The members in leaf order, or `None` if a leaf does not hold.
    pub fn members(&self, provider: &Provider<'_>) -> Option<Vec<(u32, Leaf)>> {
        let leaves = self.0.treesync().full_leaves();
        leaves
            .map(|(i, node)| Some((i.u32(), leaf::read(provider, node).ok()?)))
            .collect()
    }

    pub fn encrypt(
        &mut self,
        provider: &Provider<'_>,
        signer: &Signer<'_>,
        content: &[u8],
    ) -> Result<Vec<u8>, MlsError> {
        let message = self.0.create_message(provider, signer.keys, content);
        settle(provider, message)?
            .to_bytes()
            .map_err(|_| MlsError::Refused)
    }

    pub fn commit(
        &mut self,
        provider: &Provider<'_>,
        signer: &Signer<'_>,
        plan: Plan,
    ) -> Result<Built, MlsError> {
        self.clear_pending_commit(provider)?;
        self.0.set_aad(plan.note.encode());
        let renewed = LeafNodeParameters::builder()
            .with_credential_with_key(leaf::credential(signer.certificate))
            .with_capabilities(leaf::capabilities())
            .with_extensions(leaf::extensions(signer.profile, signer.made))
            .build();
        let removes = plan.removes.into_iter().map(LeafNodeIndex::new);
        let mut builder = self
            .0
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .propose_removals(removes)
            .propose_adds(plan.adds)
            .leaf_node_parameters(renewed);
        if let Some(state) = &plan.state {
            let proposed = builder.propose_group_context_extensions(context_extensions(state));
            builder = proposed.map_err(|_| MlsError::Refused)?;
        }
        let loaded = settle(provider, builder.load_psks(provider.storage()))?;
        let built = loaded.build(provider.rand(), provider.crypto(), signer.keys, |_| true);
        let staged = settle(provider, built)?.stage_commit(provider);
        let (commit, welcome, _) = settle(provider, staged)?.into_messages();
        let bytes = |message: MlsMessageOut| message.to_bytes().map_err(|_| MlsError::Refused);
        Ok(Built {
            commit: bytes(commit)?,
            welcome: welcome.map(bytes).transpose()?,
        })
    }

    pub fn clear_pending_commit(&mut self, provider: &Provider<'_>) -> Result<(), MlsError> {
        let cleared = self.0.clear_pending_commit(provider.storage());
        settle(provider, cleared)
    }

    /// The facts of the own staged commit, to be judged like anybody's.
    pub fn pending_facts(&self, provider: &Provider<'_>, note: CommitNote) -> Option<Facts> {
        Some(facts(
            provider,
            self.0.pending_commit()?,
            self.own_leaf(),
            note,
        ))
    }

    pub fn merge_pending(&mut self, provider: &Provider<'_>) -> Result<(), MlsError> {
        let merged = self.0.merge_pending_commit(provider);
        settle(provider, merged)
    }

    pub fn merge(&mut self, provider: &Provider<'_>, staged: StagedCommit) -> Result<(), MlsError> {
        let merged = self.0.merge_staged_commit(provider, staged);
        settle(provider, merged)
    }

    /// Opens a message of somebody else. Nothing is merged.
    pub fn open(&mut self, provider: &Provider<'_>, body: &[u8]) -> Result<Opened, MlsError> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(body)
            .map_err(|_| MlsError::Refused)?
            .try_into_protocol_message()
            .map_err(|_| MlsError::Refused)?;
        if message.wire_format() != WireFormat::PrivateMessage {
            return Err(MlsError::Refused);
        }
        let opened = self.0.process_message(provider, message);
        let opened = settle(provider, opened)?;
        let Sender::Member(sender) = *opened.sender() else {
            return Err(MlsError::Refused);
        };
        let note = CommitNote::decode(opened.aad());
        Ok(match opened.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Opened::Application {
                leaf: sender.u32(),
                content: message.into_bytes(),
            },
            ProcessedMessageContent::StagedCommitMessage(staged) => Opened::Commit {
                facts: facts(provider, &staged, sender.u32(), note),
                staged,
            },
            _ => Opened::Other,
        })
    }

    /// The secret behind passing signals of this epoch, the same for all
    /// members.
    pub fn signal_secret(&self, provider: &Provider<'_>) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let secret = self
            .0
            .export_secret(provider.crypto(), SIGNAL_LABEL, b"", 32);
        secret.ok().map(Into::into)
    }

    /// What proves that two members are in the same epoch (RFC 9420 §8.7).
    pub fn epoch_authenticator(&self) -> Vec<u8> {
        self.0.epoch_authenticator().as_slice().to_vec()
    }

    /// The secret of this epoch that keys of media in calls rest on.
    pub fn call_secret(&self, provider: &Provider<'_>) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let secret = self.0.export_secret(provider.crypto(), CALL_LABEL, b"", 32);
        secret.ok().map(Into::into)
    }
}

/// A Welcome, opened but not joined yet.
pub(crate) struct Invitation {
    staged: StagedWelcome,
    pub sender_leaf: u32,
    pub own_leaf: u32,
    pub room: Option<RoomId>,
    pub state: Option<RoomState>,
    /// Leaf and certificate of every member; `None` if one does not hold.
    pub members: Option<Vec<(u32, Vouched)>>,
}

impl Invitation {
    pub fn open(provider: &Provider<'_>, welcome: &[u8]) -> Result<Self, MlsError> {
        let message =
            MlsMessageIn::tls_deserialize_exact_bytes(welcome).map_err(|_| MlsError::Refused)?;
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
            return Err(MlsError::Refused);
        };
        if welcome.ciphersuite() != SUITE {
            return Err(MlsError::Refused);
        }
        let builder = StagedWelcome::build_from_welcome(provider, &config(), welcome);
        // Members may have joined long ago: their key packages' lifetimes
        // were judged when they were admitted.
        let builder = settle(provider, builder)?
            .skip_lifetime_validation()
            .replace_old_group();
        let staged = settle(provider, builder.build())?;
        let context = staged.group_context();
        let members = staged
            .members()
            .map(|m| {
                Some((
                    m.index.u32(),
                    leaf::vouch(provider, &m.credential, &m.signature_key).ok()?,
                ))
            })
            .collect();
        Ok(Self {
            sender_leaf: staged.welcome_sender_index().u32(),
            own_leaf: staged.own_leaf_index().u32(),
            room: context.group_id().as_slice().try_into().ok().map(RoomId),
            state: read_state(context.extensions()),
            members,
            staged,
        })
    }

    pub fn join(self, provider: &Provider<'_>) -> Result<Group, MlsError> {
        let group = self.staged.into_group(provider);
        settle(provider, group).map(Group)
    }
}

fn facts(provider: &Provider<'_>, staged: &StagedCommit, by: u32, note: CommitNote) -> Facts {
    let mut adds = Vec::new();
    let mut removes = Vec::new();
    let mut only_known = true;
    for queued in staged.queued_proposals() {
        // Everything is proposed by the committer, in the commit itself.
        only_known &= queued.proposal_or_ref_type() == ProposalOrRefType::Proposal;
        match queued.proposal() {
            Proposal::Add(add) => {
                adds.push(match leaf::read(provider, add.key_package().leaf_node()) {
                    Ok(leaf) => Added::Sound {
                        vouched: leaf.vouched,
                        profile: leaf.profile,
                        made: leaf.made,
                        package: package_id(add.key_package()),
                    },
                    Err(_) => Added::Broken,
                })
            }
            Proposal::Remove(remove) => removes.push(remove.removed().u32()),
            Proposal::GroupContextExtensions(_) => {}
            _ => only_known = false,
        }
    }
    Facts {
        by,
        adds,
        removes,
        state: read_state(staged.group_context().extensions()),
        renewed: staged
            .update_path_leaf_node()
            .map(|node| leaf::read(provider, node).ok()),
        only_known,
        removes_me: staged.self_removed(),
        note,
    }
}

/// A key package of the own device for one knock, with its secrets stored.
pub(crate) fn key_package(
    provider: &Provider<'_>,
    signer: &Signer<'_>,
) -> Result<Vec<u8>, MlsError> {
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(leaf::capabilities())
        .leaf_node_extensions(leaf::extensions(signer.profile, signer.made))
        .build(
            SUITE,
            provider,
            signer.keys,
            leaf::credential(signer.certificate),
        );
    let bundle = settle(provider, bundle)?;
    let message = MlsMessageOut::from(bundle.into_key_package());
    message.to_bytes().map_err(|_| MlsError::Refused)
}

/// Reads and validates somebody's key package; it and its certificate must hold
/// now.
pub(crate) fn read_key_package(
    provider: &Provider<'_>,
    bytes: &[u8],
    now: Millis,
) -> Option<(KeyPackage, Leaf)> {
    let package = provider.package(bytes, |bytes| judge_key_package(provider, bytes))?;
    package.life_time().validate().ok()?;
    let leaf = leaf::read(provider, package.leaf_node()).ok()?;
    leaf.vouched.holds_at(now).then_some((package, leaf))
}

/// Form, suite and signatures.
fn judge_key_package(provider: &Provider<'_>, bytes: &[u8]) -> Option<KeyPackage> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).ok()?;
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        return None;
    };
    let package = package
        .validate(provider.crypto(), ProtocolVersion::Mls10)
        .ok()?;
    (package.ciphersuite() == SUITE).then_some(package)
}
