//! OpenMLS's storage inside a client's transaction: group state and the
//! messages it decrypted are committed together or not at all.
//!
//! Every record is one value under its label and key; what OpenMLS keeps as a
//! list is one record of framed entries. Deleted means gone. This module knows
//! nothing of what the values mean, and caches nothing.

use crate::store::{Space, StoreError, Txn};
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use zeroize::Zeroizing;

mod list;
mod pack;

/// OpenMLS's view of a transaction's [`Space::Mls`].
pub struct MlsStorage<'t> {
    txn: RefCell<&'t mut dyn Txn>,
    failure: RefCell<Option<StoreError>>,
}

/// The store failed. OpenMLS wraps it in errors of its own; the first one is
/// kept for [`MlsStorage::take_failure`].
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StorageFailed(#[from] pub StoreError);

type Result<T, E = StorageFailed> = std::result::Result<T, E>;

/// What kind of value a record holds: the first byte of its key. Never reuse
/// one.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Label {
    Tree = 1,
    InterimTranscriptHash = 2,
    GroupContext = 3,
    ConfirmationTag = 4,
    JoinConfig = 5,
    GroupState = 6,
    MessageSecrets = 7,
    ResumptionPsks = 8,
    OwnLeafIndex = 9,
    EpochSecrets = 10,
    OwnLeafNodes = 11,
    ProposalRefs = 12,
    Proposal = 13,
    EpochKeyPairs = 14,
    SignatureKeyPair = 15,
    EncryptionKeyPair = 16,
    KeyPackage = 17,
    Psk = 18,
}

impl<'t> MlsStorage<'t> {
    pub fn new(txn: &'t mut dyn Txn) -> Self {
        Self {
            txn: RefCell::new(txn),
            failure: RefCell::new(None),
        }
    }

    /// What failed first, if anything did.
    pub fn take_failure(&self) -> Option<StoreError> {
        self.failure.take()
    }

    fn note<T>(&self, result: Result<T, StoreError>) -> Result<T> {
        result.map_err(|error| {
            self.failure.borrow_mut().get_or_insert(same(&error));
            StorageFailed(error)
        })
    }

    fn get(&self, key: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let value = self.txn.borrow().get(Space::Mls, key);
        Ok(self.note(value)?.map(Zeroizing::new))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.note(self.txn.borrow_mut().put(Space::Mls, key, value))
    }

    fn delete(&self, key: &[u8]) -> Result<()> {
        self.note(self.txn.borrow_mut().delete(Space::Mls, key))
    }

    fn encode<T: Serialize + ?Sized>(&self, value: &T) -> Result<Zeroizing<Vec<u8>>> {
        self.note(pack::encode(value))
    }

    fn decode<T: DeserializeOwned>(&self, value: &[u8]) -> Result<T> {
        self.note(pack::decode(value))
    }

    /// Label, version, then each part with its length: no key is the
    /// beginning of another, and no two lists of parts read alike.
    fn key(&self, label: Label, parts: &[&dyn KeyPart]) -> Result<Vec<u8>> {
        let mut key = vec![label as u8];
        key.extend_from_slice(&CURRENT_VERSION.to_be_bytes());
        for part in parts {
            list::push(&mut key, &self.note(part.bytes())?);
        }
        Ok(key)
    }

    fn write<T: Serialize + ?Sized>(&self, key: &[u8], value: &T) -> Result<()> {
        self.put(key, &self.encode(value)?)
    }

    fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        self.get(key)?.map(|value| self.decode(&value)).transpose()
    }

    fn read_list<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Vec<T>> {
        let entries = self.get(key)?.unwrap_or_default();
        let entries = self.note(list::entries(&entries))?;
        entries
            .into_iter()
            .map(|entry| self.decode(entry))
            .collect()
    }
}

/// The same error again: [`StoreError`] is not `Clone`, so that nobody passes
/// one on twice by accident.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Locked => StoreError::Locked,
        StoreError::Damaged => StoreError::Damaged,
        StoreError::Io => StoreError::Io,
    }
}

/// Part of a record's key.
trait KeyPart {
    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, StoreError>;
}

impl<T: Serialize> KeyPart for T {
    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        pack::encode_key(self)
    }
}

/// The records that are one value under one key: how to write, read and delete
/// each. Generics stand in the order in which the trait has them.
macro_rules! records {
    ($(
        $label:ident: $key:ident => $value:ident,
        $write:ident<$w1:ident, $w2:ident>, $read:ident<$r1:ident, $r2:ident>, $delete:ident;
    )*) => {$(
        fn $write<$w1: traits::$w1<CURRENT_VERSION>, $w2: traits::$w2<CURRENT_VERSION>>(
            &self,
            key: &$key,
            value: &$value,
        ) -> Result<()> {
            self.write(&self.key(Label::$label, &[&key])?, value)
        }

        fn $read<$r1: traits::$r1<CURRENT_VERSION>, $r2: traits::$r2<CURRENT_VERSION>>(
            &self,
            key: &$key,
        ) -> Result<Option<$value>> {
            self.read(&self.key(Label::$label, &[&key])?)
        }

        fn $delete<$key: traits::$key<CURRENT_VERSION>>(&self, key: &$key) -> Result<()> {
            self.delete(&self.key(Label::$label, &[&key])?)
        }
    )*};
}

impl StorageProvider<CURRENT_VERSION> for MlsStorage<'_> {
    type Error = StorageFailed;

    records! {
        Tree: GroupId => TreeSync,
            write_tree<GroupId, TreeSync>, tree<GroupId, TreeSync>, delete_tree;
        InterimTranscriptHash: GroupId => InterimTranscriptHash,
            write_interim_transcript_hash<GroupId, InterimTranscriptHash>,
            interim_transcript_hash<GroupId, InterimTranscriptHash>,
            delete_interim_transcript_hash;
        GroupContext: GroupId => GroupContext,
            write_context<GroupId, GroupContext>,
            group_context<GroupId, GroupContext>,
            delete_context;
        ConfirmationTag: GroupId => ConfirmationTag,
            write_confirmation_tag<GroupId, ConfirmationTag>,
            confirmation_tag<GroupId, ConfirmationTag>,
            delete_confirmation_tag;
        JoinConfig: GroupId => MlsGroupJoinConfig,
            write_mls_join_config<GroupId, MlsGroupJoinConfig>,
            mls_group_join_config<GroupId, MlsGroupJoinConfig>,
            delete_group_config;
        GroupState: GroupId => GroupState,
            write_group_state<GroupState, GroupId>,
            group_state<GroupState, GroupId>,
            delete_group_state;
        MessageSecrets: GroupId => MessageSecrets,
            write_message_secrets<GroupId, MessageSecrets>,
            message_secrets<GroupId, MessageSecrets>,
            delete_message_secrets;
        ResumptionPsks: GroupId => ResumptionPskStore,
            write_resumption_psk_store<GroupId, ResumptionPskStore>,
            resumption_psk_store<GroupId, ResumptionPskStore>,
            delete_all_resumption_psk_secrets;
        OwnLeafIndex: GroupId => LeafNodeIndex,
            write_own_leaf_index<GroupId, LeafNodeIndex>,
            own_leaf_index<GroupId, LeafNodeIndex>,
            delete_own_leaf_index;
        EpochSecrets: GroupId => GroupEpochSecrets,
            write_group_epoch_secrets<GroupId, GroupEpochSecrets>,
            group_epoch_secrets<GroupId, GroupEpochSecrets>,
            delete_group_epoch_secrets;
        SignatureKeyPair: SignaturePublicKey => SignatureKeyPair,
            write_signature_key_pair<SignaturePublicKey, SignatureKeyPair>,
            signature_key_pair<SignaturePublicKey, SignatureKeyPair>,
            delete_signature_key_pair;
        EncryptionKeyPair: EncryptionKey => HpkeKeyPair,
            write_encryption_key_pair<EncryptionKey, HpkeKeyPair>,
            encryption_key_pair<HpkeKeyPair, EncryptionKey>,
            delete_encryption_key_pair;
        KeyPackage: HashReference => KeyPackage,
            write_key_package<HashReference, KeyPackage>,
            key_package<HashReference, KeyPackage>,
            delete_key_package;
        Psk: PskId => PskBundle,
            write_psk<PskId, PskBundle>, psk<PskBundle, PskId>, delete_psk;
    }

    fn append_own_leaf_node<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNode: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        leaf_node: &LeafNode,
    ) -> Result<()> {
        let key = self.key(Label::OwnLeafNodes, &[&group_id])?;
        let mut nodes = self.get(&key)?.unwrap_or_default();
        list::push(&mut nodes, &self.encode(leaf_node)?);
        self.put(&key, &nodes)
    }

    fn own_leaf_nodes<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNode: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<LeafNode>> {
        self.read_list(&self.key(Label::OwnLeafNodes, &[&group_id])?)
    }

    fn delete_own_leaf_nodes<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<()> {
        self.delete(&self.key(Label::OwnLeafNodes, &[&group_id])?)
    }

    /// The proposal in a record of its own, its reference at the end of the
    /// group's list. The same proposal again keeps its place.
    fn queue_proposal<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
        QueuedProposal: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
        proposal: &QueuedProposal,
    ) -> Result<()> {
        self.write(
            &self.key(Label::Proposal, &[&group_id, proposal_ref])?,
            proposal,
        )?;
        let key = self.key(Label::ProposalRefs, &[&group_id])?;
        let mut refs = self.get(&key)?.unwrap_or_default();
        let entry = self.encode(proposal_ref)?;
        if !self.note(list::entries(&refs))?.contains(&entry.as_slice()) {
            list::push(&mut refs, &entry);
            self.put(&key, &refs)?;
        }
        Ok(())
    }

    fn queued_proposal_refs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<ProposalRef>> {
        self.read_list(&self.key(Label::ProposalRefs, &[&group_id])?)
    }

    fn queued_proposals<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
        QueuedProposal: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Vec<(ProposalRef, QueuedProposal)>> {
        let refs: Vec<ProposalRef> = self.queued_proposal_refs(group_id)?;
        refs.into_iter()
            .map(|proposal_ref| {
                let key = self.key(Label::Proposal, &[&group_id, &proposal_ref])?;
                let proposal = self.read(&key)?.ok_or(StoreError::Damaged);
                Ok((proposal_ref, self.note(proposal)?))
            })
            .collect()
    }

    fn remove_proposal<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        proposal_ref: &ProposalRef,
    ) -> Result<()> {
        self.delete(&self.key(Label::Proposal, &[&group_id, proposal_ref])?)?;
        let key = self.key(Label::ProposalRefs, &[&group_id])?;
        let refs = self.get(&key)?.unwrap_or_default();
        let gone = self.encode(proposal_ref)?;
        let mut left = Vec::with_capacity(refs.len());
        for entry in self.note(list::entries(&refs))? {
            if entry != gone.as_slice() {
                list::push(&mut left, entry);
            }
        }
        if left.is_empty() {
            self.delete(&key)
        } else {
            self.put(&key, &left)
        }
    }

    fn clear_proposal_queue<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<()> {
        let refs: Vec<ProposalRef> = self.queued_proposal_refs(group_id)?;
        for proposal_ref in &refs {
            self.delete(&self.key(Label::Proposal, &[&group_id, proposal_ref])?)?;
        }
        self.delete(&self.key(Label::ProposalRefs, &[&group_id])?)
    }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<()> {
        self.write(
            &self.key(Label::EpochKeyPairs, &[&group_id, &epoch, &leaf_index])?,
            key_pairs,
        )
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>> {
        let key = self.key(Label::EpochKeyPairs, &[&group_id, &epoch, &leaf_index])?;
        Ok(self.read(&key)?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<()> {
        self.delete(&self.key(Label::EpochKeyPairs, &[&group_id, &epoch, &leaf_index])?)
    }
}

#[cfg(test)]
mod tests;
