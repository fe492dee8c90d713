//! What a member's leaf says: the device certificate as credential, and the
//! profile as a leaf extension, so that names travel only inside MLS.

use super::provider::{Provider, SUITE};
use crate::{
    identity::{Vouched, encode_certificate},
    model::{Profile, clean_name, clean_text},
};
use openmls::prelude::*;
use serde::{Deserialize, Serialize};
use sotto_wire::{Millis, auth::DeviceCertificate};

/// GroupContext extension with the [`crate::room::state::RoomState`]. From the
/// range for private use (RFC 9420 §17.3).
pub(crate) const STATE_EXTENSION: u16 = 0xf050;
/// LeafNode extension with the [`Profile`] and the leaf's age.
pub(crate) const PROFILE_EXTENSION: u16 = 0xf051;

/// A profile takes at most this many bytes in a leaf.
const PROFILE_MAX: usize = 512;

/// A leaf that holds: its certificate is signed, and names the leaf's key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leaf {
    pub vouched: Vouched,
    pub profile: Profile,
    pub made: Millis,
}

/// What the leaf extension says.
#[derive(Serialize, Deserialize)]
struct Card {
    #[serde(flatten)]
    profile: Profile,
    /// When the device made this leaf, by its own clock, and always later than
    /// the one before: an old leaf cannot take a newer one's place.
    made: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadLeaf;

pub(crate) fn credential(certificate: &DeviceCertificate) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(encode_certificate(certificate)).into(),
        signature_key: certificate.leaf_key.0.clone().into(),
    }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .extensions(vec![
            ExtensionType::Unknown(STATE_EXTENSION),
            ExtensionType::Unknown(PROFILE_EXTENSION),
        ])
        .proposals(vec![])
        .credentials(vec![CredentialType::Basic])
        .build()
}

pub(crate) fn extensions(profile: &Profile, made: Millis) -> Extensions<LeafNode> {
    let profile = profile.clone();
    let bytes = serde_json::to_vec(&Card { profile, made }).expect("a card is plain data");
    let extension = Extension::Unknown(PROFILE_EXTENSION, UnknownExtension(bytes));
    Extensions::single(extension).expect("an unknown extension is valid in a leaf")
}

/// Reads and judges a leaf. Dates are judged where a member is admitted, not
/// here: all members must come to the same verdict whenever they look.
pub(crate) fn read(provider: &Provider<'_>, node: &LeafNode) -> Result<Leaf, BadLeaf> {
    let vouched = vouch(provider, node.credential(), node.signature_key().as_slice())?;
    let card: Card = match node.extensions().unknown(PROFILE_EXTENSION) {
        Some(UnknownExtension(bytes)) if bytes.len() <= PROFILE_MAX => {
            serde_json::from_slice(bytes).map_err(|_| BadLeaf)?
        }
        _ => return Err(BadLeaf),
    };
    Ok(Leaf {
        vouched,
        profile: presentable(card.profile),
        made: card.made,
    })
}

/// Judges the certificate in a credential against the leaf's signature key.
pub(crate) fn vouch(
    provider: &Provider<'_>,
    credential: &Credential,
    signature_key: &[u8],
) -> Result<Vouched, BadLeaf> {
    let credential = BasicCredential::try_from(credential.clone()).map_err(|_| BadLeaf)?;
    let vouched = provider.vouched(credential.identity()).ok_or(BadLeaf)?;
    (signature_key == vouched.leaf_key)
        .then_some(vouched)
        .ok_or(BadLeaf)
}

/// Names come from others: what would not be accepted here is mended for
/// display, the same way for everybody.
fn presentable(profile: Profile) -> Profile {
    let emoji = clean_text(&profile.emoji, false);
    Profile {
        name: clean_name(&profile.name).unwrap_or_default(),
        emoji: if emoji.chars().count() <= 8 {
            emoji
        } else {
            String::new()
        },
        color: profile.color,
    }
}
