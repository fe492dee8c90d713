//! Who may do what: one pure function over a staged commit, one over a
//! Welcome.
//!
//! Every member judges the same commit against the same agreed state, so all
//! come to the same verdict. That is why nothing in here looks at a clock, at
//! the relay's word, or at anything that members could see differently.
//!
//! | act | host | other members |
//! |---|---|---|
//! | let somebody in | yes | by an open invite, where the room admits at once, unless that person is barred |
//! | replace the leaf of a member who knocked again, by a newer one | as above | as above |
//! | remove somebody | yes | only who announced to leave |
//! | name, topic, admission, host, barred | yes | no |
//! | open an invite | yes | where the room admits at once, in their own name |
//! | close an invite | yes | their own |
//! | close the invites of whoever goes by the commit | must | must |
//! | renew the own leaf, change the own name | yes | yes |

use super::state::{BARRED_MAX, RoomState};
use crate::{
    identity::Vouched,
    model::{Admission, Profile},
};
use serde::{Deserialize, Serialize};
use sotto_wire::{DeviceId, MessageId, Millis, UserId};
use std::collections::BTreeSet;

/// A member's place in the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seat {
    pub leaf: u32,
    pub user: UserId,
    pub device: DeviceId,
    /// See [`super::Leaf::made`].
    pub made: Millis,
}

/// What a commit says beside its proposals, authenticated but readable by the
/// relay: only the random id of the invite an addition rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommitNote {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<MessageId>,
}

impl CommitNote {
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a note is plain data")
    }

    pub fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }
}

/// What a staged commit would do.
#[derive(Clone)]
pub(crate) struct Facts {
    /// The committer's leaf.
    pub by: u32,
    pub adds: Vec<Added>,
    pub removes: Vec<u32>,
    /// The room state after it; `None` if it is no state a client would make,
    /// or if other extensions came along.
    pub state: Option<RoomState>,
    /// The committer's new leaf; inner `None` if it does not hold.
    pub renewed: Option<Option<super::Leaf>>,
    /// Only inline Add, Remove and GroupContextExtensions proposals.
    pub only_known: bool,
    pub removes_me: bool,
    pub note: CommitNote,
}

impl Facts {
    /// Everybody it adds whose certificate holds.
    pub fn added_users(&self) -> Vec<UserId> {
        let user = |added: &Added| match added {
            Added::Sound { vouched, .. } => Some(vouched.user),
            Added::Broken => None,
        };
        self.adds.iter().filter_map(user).collect()
    }

    pub fn added_packages(&self) -> Vec<PackageId> {
        let package = |added: &Added| match added {
            Added::Sound { package, .. } => Some(*package),
            Added::Broken => None,
        };
        self.adds.iter().filter_map(package).collect()
    }
}

/// Somebody whom a commit adds.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "hardly anybody is broken")]
pub(crate) enum Added {
    Sound {
        vouched: Vouched,
        profile: Profile,
        made: Millis,
        package: PackageId,
    },
    /// Its certificate does not hold.
    Broken,
}

/// The name of a key package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageId(pub [u8; 16]);

/// What all members agree on before the commit.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    pub state: &'a RoomState,
    /// In leaf order.
    pub seats: &'a [Seat],
    /// Who announced to leave and is still in the tree.
    pub leaving: &'a BTreeSet<UserId>,
}

/// Why a commit or Welcome is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The committer is not in the tree, or is leaving.
    NotAMember,
    BadCertificate,
    /// A proposal of a kind that rooms do not use, or by reference.
    UnknownProposal,
    BadState,
    /// The new leaf is another person's or device's.
    ForeignLeaf,
    /// A commit without a new leaf: its author could not recover from a leak.
    NoPath,
    NotHost,
    NoInvite,
    Barred,
    /// Somebody would be in the room twice.
    Twice,
    /// An old leaf would take a newer one's place.
    Outdated,
    /// Somebody who announced to leave would stay, unknown to a newcomer.
    LeaverStays,
    /// The invite, the room or the own seat is not what was asked for.
    NotAsked,
}

/// The host: who the state names, as long as they are here to stay, otherwise
/// the member with the lowest leaf. `None` when everybody is leaving.
pub(crate) fn host(before: &Before<'_>) -> Option<UserId> {
    host_among(
        before.state.host,
        before.seats.iter().map(|s| s.user),
        before.leaving,
    )
}

/// The same, for `members` in leaf order.
pub(crate) fn host_among(
    named: UserId,
    members: impl Iterator<Item = UserId>,
    leaving: &BTreeSet<UserId>,
) -> Option<UserId> {
    let mut staying = members.filter(|user| !leaving.contains(user));
    let first = staying.next();
    if first == Some(named) || staying.any(|user| user == named) {
        Some(named)
    } else {
        first
    }
}

/// Judges a staged commit. Whoever it lets pass may be merged.
pub(crate) fn judge_commit(before: &Before<'_>, facts: &Facts) -> Result<(), Refusal> {
    let committer = before
        .seats
        .iter()
        .find(|s| s.leaf == facts.by)
        .ok_or(Refusal::NotAMember)?;
    let by = committer.user;
    if before.leaving.contains(&by) {
        return Err(Refusal::NotAMember);
    }
    if !facts.only_known {
        return Err(Refusal::UnknownProposal);
    }
    let is_host = host(before) == Some(by);
    judge_renewal(committer, facts)?;
    let added = judge_adds(before, facts, is_host)?;
    judge_removes(before, facts, is_host, &added)?;
    let after = facts.state.as_ref().ok_or(Refusal::BadState)?;
    let staying = |user: &UserId| {
        let stays = |s: &Seat| s.user == *user && !facts.removes.contains(&s.leaf);
        added.contains(user) || before.seats.iter().any(stays)
    };
    judge_state(before, after, by, is_host, staying)
}

fn judge_renewal(committer: &Seat, facts: &Facts) -> Result<(), Refusal> {
    let renewed = facts.renewed.as_ref().ok_or(Refusal::NoPath)?;
    let leaf = renewed.as_ref().ok_or(Refusal::BadCertificate)?;
    let same = leaf.vouched.user == committer.user && leaf.vouched.device == committer.device;
    if !same {
        return Err(Refusal::ForeignLeaf);
    }
    if leaf.made > committer.made {
        Ok(())
    } else {
        Err(Refusal::Outdated)
    }
}

fn judge_adds(
    before: &Before<'_>,
    facts: &Facts,
    is_host: bool,
) -> Result<BTreeSet<UserId>, Refusal> {
    let mut added = BTreeSet::new();
    for add in &facts.adds {
        let Added::Sound { vouched, made, .. } = add else {
            return Err(Refusal::BadCertificate);
        };
        if !added.insert(vouched.user) {
            return Err(Refusal::Twice);
        }
        if !is_host && before.state.barred.contains(&vouched.user) {
            return Err(Refusal::Barred);
        }
        let stays = |s: &Seat| s.user == vouched.user && !facts.removes.contains(&s.leaf);
        if before.seats.iter().any(stays) {
            return Err(Refusal::Twice);
        }
        // Else anybody could put somebody out by a knock of long ago.
        let newer = |s: &Seat| s.user == vouched.user && s.made >= *made;
        if before.seats.iter().any(newer) {
            return Err(Refusal::Outdated);
        }
    }
    if added.is_empty() {
        return Ok(added);
    }
    let open = facts.note.invite.and_then(|id| before.state.invite(&id));
    // A link of somebody who announced to leave is closed.
    let invited = open.is_some_and(|invite| !before.leaving.contains(&invite.by));
    let by_invite = before.state.admission == Admission::AtOnce && invited;
    if !is_host && !by_invite {
        return Err(Refusal::NoInvite);
    }
    // A newcomer cannot know who announced to leave before they came.
    let stays = |s: &Seat| before.leaving.contains(&s.user) && !facts.removes.contains(&s.leaf);
    if before.seats.iter().any(stays) {
        Err(Refusal::LeaverStays)
    } else {
        Ok(added)
    }
}

fn judge_removes(
    before: &Before<'_>,
    facts: &Facts,
    is_host: bool,
    added: &BTreeSet<UserId>,
) -> Result<(), Refusal> {
    for leaf in &facts.removes {
        let seat = before
            .seats
            .iter()
            .find(|s| s.leaf == *leaf)
            .ok_or(Refusal::NotAMember)?;
        let user = seat.user;
        let replaced = added.contains(&user);
        if !is_host && !replaced && !before.leaving.contains(&user) {
            return Err(Refusal::NotHost);
        }
    }
    Ok(())
}

fn judge_state(
    before: &Before<'_>,
    after: &RoomState,
    by: UserId,
    is_host: bool,
    staying: impl Fn(&UserId) -> bool,
) -> Result<(), Refusal> {
    let old = before.state;
    // Whoever goes takes their links along.
    if !after.invites.iter().all(|invite| staying(&invite.by)) {
        return Err(Refusal::BadState);
    }
    if after == old {
        return Ok(());
    }
    if is_host {
        let host_is_here = before.seats.iter().any(|s| s.user == after.host);
        return if host_is_here || after.host == old.host {
            Ok(())
        } else {
            Err(Refusal::BadState)
        };
    }
    let only_invites = RoomState {
        invites: old.invites.clone(),
        ..after.clone()
    } == *old;
    if !only_invites {
        return Err(Refusal::NotHost);
    }
    let opened = after.invites.iter().filter(|i| !old.invites.contains(i));
    let closed = old.invites.iter().filter(|i| !after.invites.contains(i));
    let may_open = old.admission == Admission::AtOnce;
    let fine = opened
        .into_iter()
        .all(|i| may_open && i.by == by && old.invite(&i.id).is_none())
        && closed.into_iter().all(|i| i.by == by || !staying(&i.by));
    if fine { Ok(()) } else { Err(Refusal::NotHost) }
}

/// A Welcome against the knock it answers.
pub(crate) struct WelcomeFacts<'a> {
    pub asked_invite: MessageId,
    /// Who invited, by the link.
    pub inviter: UserId,
    pub me: &'a Vouched,
    pub own_leaf: u32,
    pub sender_leaf: u32,
    pub state: Option<&'a RoomState>,
    pub members: Option<&'a [(u32, Vouched)]>,
}

impl WelcomeFacts<'_> {
    /// Who made it.
    pub fn sender(&self) -> Option<UserId> {
        let seats = self.members?;
        let sender = seats.iter().find(|(leaf, _)| *leaf == self.sender_leaf);
        sender.map(|(_, vouched)| vouched.user)
    }
}

/// Judges a Welcome whose room is the one that was knocked at. That it comes
/// out of the inviter's room at all is not seen here: see
/// [`crate::invite::proof`].
pub(crate) fn judge_welcome(facts: &WelcomeFacts<'_>) -> Result<(), Refusal> {
    let state = facts.state.ok_or(Refusal::BadState)?;
    let members = facts.members.ok_or(Refusal::BadCertificate)?;
    let users: BTreeSet<UserId> = members.iter().map(|(_, v)| v.user).collect();
    if users.len() != members.len() {
        return Err(Refusal::Twice);
    }
    let seat = |leaf| members.iter().find(|(l, _)| *l == leaf).map(|(_, v)| v);
    if seat(facts.own_leaf) != Some(facts.me) {
        return Err(Refusal::NotAsked);
    }
    let sender = seat(facts.sender_leaf).ok_or(Refusal::NotAMember)?;
    if sender.user == facts.me.user {
        return Err(Refusal::NotAsked);
    }
    let lowest = members
        .iter()
        .min_by_key(|(leaf, _)| *leaf)
        .map(|(_, v)| v.user);
    let host = if users.contains(&state.host) {
        Some(state.host)
    } else {
        lowest
    };
    let invite = state.invite(&facts.asked_invite).ok_or(Refusal::NoInvite)?;
    if invite.by != facts.inviter || !users.contains(&facts.inviter) {
        return Err(Refusal::NotAsked);
    }
    if host == Some(sender.user) || state.admission == Admission::AtOnce {
        Ok(())
    } else {
        Err(Refusal::NoInvite)
    }
}

/// Bars somebody, forgetting the oldest beyond [`BARRED_MAX`].
pub(crate) fn bar(state: &mut RoomState, user: UserId) {
    state.barred.retain(|u| *u != user);
    state.barred.push(user);
    let excess = state.barred.len().saturating_sub(BARRED_MAX);
    state.barred.drain(..excess);
}

#[cfg(test)]
mod tests;
