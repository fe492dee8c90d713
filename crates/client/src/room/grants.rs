//! What a commit grants of what was wished for: each wish against the room as
//! it would stand after those before it. What cannot be granted now waits for
//! the next commit; what has become pointless is dropped.

use super::{
    Cx, Room,
    authorize::{CommitNote, bar},
    record::{Answer, Wish},
    state::{INVITES_MAX, InviteEntry, RoomState},
};
use crate::{
    api::Change,
    mls::{
        group::{Plan, read_key_package},
        provider::Provider,
    },
    model::Admission,
    store::StoreError,
};
use sotto_wire::{MessageId, Millis, UserId, limits};

/// People whom one commit lets in.
const ADDS_MAX: usize = 20;

/// A commit in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub plan: Plan,
    pub added: Vec<UserId>,
    pub removed: Vec<UserId>,
    pub answers: Vec<Answer>,
    pub wishes: Vec<Wish>,
}

impl Room {
    /// Puts a wish into the draft. `false`: it has become pointless.
    pub(super) fn grant(
        &mut self,
        cx: &mut Cx<'_>,
        draft: &mut Draft,
        after: &mut RoomState,
        wish: &Wish,
    ) -> Result<bool, StoreError> {
        if wish.changes_room() && !draft.answers.is_empty() {
            return Ok(true); // in the next commit: see `grant_admission`
        }
        let is_host = self.host() == Some(cx.me.user());
        let at_once = after.admission == Admission::AtOnce;
        let granted = match wish {
            Wish::Admit { knock } => return self.grant_admission(cx, draft, after, knock, wish),
            Wish::Remove { user } => match self.record.member(user) {
                Some(member) if is_host => {
                    draft.plan.removes.push(member.leaf);
                    draft.removed.push(*user);
                    bar(after, *user);
                    // They know every open link.
                    after.invites.clear();
                    true
                }
                _ => false,
            },
            Wish::Sweep => !self.record.leaving.is_empty(),
            Wish::Renew => true,
            Wish::Describe {
                name,
                topic,
                admission,
            } if is_host => {
                after.name.clone_from(name);
                after.topic.clone_from(topic);
                after.admission = *admission;
                true
            }
            Wish::MakeHost { user } if is_host && self.record.member(user).is_some() => {
                after.host = *user;
                true
            }
            Wish::OpenInvite(invite) if is_host || at_once => {
                after
                    .invites
                    .retain(|i| i.id != invite.id && i.expires > cx.now.wall);
                if after.invites.len() >= INVITES_MAX {
                    after.invites.remove(0);
                }
                after.invites.push(invite.clone());
                true
            }
            Wish::Describe { .. } | Wish::MakeHost { .. } | Wish::OpenInvite(_) => false,
            Wish::CloseInvite { invite } => {
                let mine = |i: &InviteEntry| is_host || i.by == cx.me.user();
                let before = after.invites.len();
                after.invites.retain(|i| i.id != *invite || !mine(i));
                after.invites.len() != before
            }
        };
        if granted {
            draft.wishes.push(wish.clone());
        }
        Ok(granted)
    }

    fn grant_admission(
        &mut self,
        cx: &mut Cx<'_>,
        draft: &mut Draft,
        after: &mut RoomState,
        knock: &MessageId,
        wish: &Wish,
    ) -> Result<bool, StoreError> {
        let Some(caller) = self.caller(cx, knock)? else {
            return Ok(false);
        };
        let invite = caller.knock.invite;
        if draft.plan.note.invite.is_some_and(|other| other != invite)
            || draft.added.len() >= ADDS_MAX
                        || draft.added.contains(&caller.knock.user)
            // A newcomer judges the Welcome by the room that it shows, and
            // must find the host and the invite there as they were.
            || draft.wishes.iter().any(Wish::changes_room)
        {
            return Ok(true); // in the next commit
        }
        let provider = Provider::new(cx.crypto, cx.txn);
        let read = read_key_package(&provider, &caller.key_package, cx.now.wall);
        let seated = self.record.member(&caller.knock.user);
        let newer = |made: Millis| seated.is_none_or(|member| made > member.made);
        let Some((package, leaf)) = read.filter(|(_, leaf)| newer(leaf.made)) else {
            self.drop_caller(cx, knock)?;
            return Ok(false);
        };
        let vouched = leaf.vouched;
        let Some(open) = self.open_invite_for(cx.crypto, &caller) else {
            return Ok(false);
        };
        let (invite, account) = (open.entry.clone(), open.account);
        let replaced = self.record.member(&vouched.user).map(|m| m.leaf);
        let most = cx.limits.members.min(limits::MEMBERS);
        if replaced.is_none() && self.record.roster.len() + draft.added.len() >= most {
            cx.show(Change::Refused {
                room: Some(self.id()),
                code: sotto_wire::ErrorCode::RoomFull,
            });
            return Ok(false);
        }
        draft.plan.removes.extend(replaced);
        draft.plan.adds.push(package);
        draft.plan.note = CommitNote {
            invite: Some(invite.id),
        };
        draft.added.push(vouched.user);
        draft.answers.push(Answer {
            knock: *knock,
            user: vouched.user,
            invite,
            account,
        });
        draft.wishes.push(wish.clone());
        after.barred.retain(|user| *user != vouched.user);
        Ok(true)
    }

    /// Whether the relay would take somebody off its roster at our word. Its
    /// host goes by their own word only, and tells it when they can.
    pub(super) fn may_unlist(&self, cx: &Cx<'_>, user: &UserId) -> bool {
        let relay_host = self.live.relay_host;
        relay_host != Some(*user) || relay_host == Some(cx.me.user())
    }

    /// Whoever commits takes those who are leaving out of the tree, and closes
    /// the invites of whoever goes.
    pub(super) fn sweep_into(&self, draft: &mut Draft, after: &mut RoomState) {
        for user in &self.record.leaving {
            if let Some(member) = self.record.member(user)
                && !draft.plan.removes.contains(&member.leaf)
            {
                draft.plan.removes.push(member.leaf);
                draft.removed.push(*user);
            }
        }
        after.invites.retain(|invite| {
            let here = self.record.member(&invite.by).is_some();
            here && !draft.removed.contains(&invite.by)
        });
    }
}

impl Wish {
    /// Whether it changes what the members agree on, besides who they are.
    fn changes_room(&self) -> bool {
        !matches!(self, Self::Admit { .. } | Self::Sweep | Self::Renew)
    }
}
