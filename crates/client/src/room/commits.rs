//! Own commits: from wishes to a commit on its way, to the relay's word on it.
//!
//! One commit is on its way at a time. The relay lets one commit of an epoch
//! win; a loser drops its own, applies the winner's, and decides again. Wishes
//! are therefore kept until a commit that grants them is merged.

use super::{
    Cx, Room,
    authorize::{CommitNote, bar, judge_commit},
    record::{self, Answer, Letter, Pending, Wish},
    state::{INVITES_MAX, InviteEntry, RoomState},
    timeline::At,
    trail::Place,
};
use crate::{
    api::{Change, Why},
    mls::group::{Plan, read_key_package},
    model::Admission,
    seal::{Purpose, SealKey},
    store::{Space, StoreError},
};
use sotto_wire::{
    ClientFrame, MessageId, Millis, Seq, UserId,
    frame::{ChatKind, ChatSend},
    limits,
};

/// The own leaf is renewed after this long or this many messages, so that a
/// leaked state heals.
const RENEW_AFTER: Millis = 24 * 60 * 60 * 1000;
const RENEW_AFTER_SENT: u32 = 200;
/// People whom one commit lets in.
const ADDS_MAX: usize = 20;
/// A Welcome that is not fetched by then is dropped by the relay.
const LETTER_VALID: Millis = 7 * 24 * 60 * 60 * 1000;

/// A commit in the making.
#[derive(Default)]
struct Draft {
    plan: Plan,
    added: Vec<UserId>,
    removed: Vec<UserId>,
    answers: Vec<Answer>,
    wishes: Vec<Wish>,
}

impl Room {
    pub(super) fn wish(&mut self, wish: Wish) {
        if !self.record.wishes.contains(&wish) {
            self.record.wishes.push(wish);
            self.touch();
        }
    }

    /// Does what can be done now: a commit first, then messages.
    pub(super) fn drive(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if !cx.up || !self.is_current() || !self.takes_part() {
            return Ok(());
        }
        if self
            .live
            .hold_until
            .is_some_and(|until| cx.now.mono < until)
        {
            return Ok(());
        }
        self.live.hold_until = None;
        if self.is_member() {
            self.take_up_duties(cx)?;
            self.hand_over(cx);
        } else if self.record.renew_first {
            // Not even a goodbye goes out under keys that may have been used.
            self.wish(Wish::Renew);
        }
        if self.pending.is_none() {
            self.build_commit(cx)?;
        }
        self.send_commit(cx);
        let messages_may_go = self.pending.is_none() && !self.record.renew_first;
        if messages_may_go {
            self.flush(cx)
        } else {
            Ok(())
        }
    }

    /// Turns what is due into wishes.
    fn take_up_duties(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let now = cx.now.mono;
        let due: Vec<MessageId> = self
            .live
            .admit_at
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(id, _)| *id)
            .collect();
        for knock in due {
            self.live.admit_at.remove(&knock);
            self.wish(Wish::Admit { knock });
        }
        if self.live.sweep_at.is_some_and(|at| at <= now) {
            self.live.sweep_at = None;
            self.wish(Wish::Sweep);
        }
        let old = cx.now.wall.saturating_sub(self.record.renewed_at) > RENEW_AFTER;
        let worn = self.record.sent_since >= RENEW_AFTER_SENT;
        let asked = self.live.renew_at.is_some_and(|at| at <= now);
        if old || worn || asked || self.record.renew_first {
            self.live.renew_at = None;
            self.wish(Wish::Renew);
        }
        Ok(())
    }

    fn send_commit(&mut self, cx: &mut Cx<'_>) {
        if let Some(pending) = self.pending.clone()
            && !self.live.commit_sent
        {
            self.live.commit_sent = true;
            let send = ChatSend {
                room: self.id(),
                id: pending.id,
                kind: ChatKind::Commit,
                epoch: pending.epoch,
                adds: pending.adds,
                removes: pending.removes,
                body: pending.body,
            };
            self.send(cx, ClientFrame::ChatSend(send));
        }
    }

    fn build_commit(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let Some(state) = self.record.state.clone() else {
            return Ok(());
        };
        let mut draft = Draft::default();
        let mut after = state.clone();
        for wish in self.record.wishes.clone() {
            if !self.grant(cx, &mut draft, &mut after, &wish)? {
                self.record.wishes.retain(|w| *w != wish);
                self.touch();
            }
        }
        if draft.wishes.is_empty() {
            return Ok(());
        }
        self.sweep_into(&mut draft);
        draft.plan.state = (after != state).then_some(after);
        let (note, plan) = (draft.plan.note, draft.plan);
        let built = self.with_group(cx, |group, provider, signer| {
            let built = group.commit(provider, signer, plan)?;
            Ok((built, group.pending_facts(provider, note)))
        })?;
        let seats = self.seats();
        let allowed = match (&built, self.before(&seats)) {
            (Some((_, Some(facts))), Some(before)) => judge_commit(&before, facts).is_ok(),
            _ => false,
        };
        let Some((built, _)) = built.filter(|_| allowed) else {
            // Never send what others would refuse; never wish for it again.
            self.reject(cx, Some(cx.me.user()), None, Why::NotAllowed);
            self.record.wishes.retain(|w| !draft.wishes.contains(w));
            self.touch();
            return self.drop_commit(cx);
        };
        let pending = Pending {
            id: cx.random_id(),
            epoch: self.record.epoch,
            body: built.commit.into(),
            adds: draft.added,
            removes: draft
                .removed
                .into_iter()
                .filter(|user| self.may_unlist(cx, user))
                .collect(),
            note,
            welcome: built.welcome.map(Into::into),
            answers: draft.answers,
            wishes: draft.wishes,
        };
        record::write(
            cx.txn,
            Space::Room,
            &record::pending_key(&self.id()),
            &pending,
        )?;
        self.live.commit_sent = false;
        self.pending = Some(pending);
        self.touch();
        Ok(())
    }

    /// Puts a wish into the draft. `false`: it has become pointless.
    fn grant(
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
        let provider = crate::mls::provider::Provider::new(cx.crypto, cx.txn);
        let read = read_key_package(&provider, &caller.key_package, cx.now.wall);
        let seated = self.record.member(&caller.knock.user);
        let newer = |made: Millis| seated.is_none_or(|member| made > member.made);
        let Some((package, leaf)) = read.filter(|(_, leaf)| newer(leaf.made)) else {
            self.drop_caller(cx, knock)?;
            return Ok(false);
        };
        let vouched = leaf.vouched;
        let open = self
            .record
            .state
            .as_ref()
            .and_then(|state| state.invite(&invite));
        let Some(secret) = open.map(|entry| entry.secret.clone()) else {
            return Ok(false);
        };
        let replaced = self.record.member(&vouched.user).map(|m| m.leaf);
        if replaced.is_none() && self.record.roster.len() + draft.added.len() >= limits::MEMBERS {
            cx.show(Change::Refused {
                room: Some(self.id()),
                code: sotto_wire::ErrorCode::RoomFull,
            });
            return Ok(false);
        }
        draft.plan.removes.extend(replaced);
        draft.plan.adds.push(package);
        draft.plan.note = CommitNote {
            invite: Some(invite),
        };
        draft.added.push(vouched.user);
        draft.answers.push(Answer {
            knock: *knock,
            user: vouched.user,
            secret,
        });
        draft.wishes.push(wish.clone());
        after.barred.retain(|user| *user != vouched.user);
        Ok(true)
    }

    /// Whether the relay would take somebody off its roster at our word. Its
    /// host goes by their own word only, and tells it when they can.
    fn may_unlist(&self, cx: &Cx<'_>, user: &UserId) -> bool {
        let relay_host = self.live.relay_host;
        relay_host != Some(*user) || relay_host == Some(cx.me.user())
    }

    /// Whoever commits takes those who are leaving out of the tree.
    fn sweep_into(&self, draft: &mut Draft) {
        for user in &self.record.leaving {
            if let Some(member) = self.record.member(user)
                && !draft.plan.removes.contains(&member.leaf)
            {
                draft.plan.removes.push(member.leaf);
                draft.removed.push(*user);
            }
        }
    }

    /// The relay has given the own commit its place. It is judged like
    /// anybody's: a message before it may have changed what it may do.
    pub(super) fn accept_commit(
        &mut self,
        cx: &mut Cx<'_>,
        seq: Seq,
        at: Millis,
    ) -> Result<(), StoreError> {
        let Some(pending) = self.pending.clone() else {
            return Ok(());
        };
        let facts = self.with_group(cx, |group, provider, _| {
            Ok(group.pending_facts(provider, pending.note))
        })?;
        let seats = self.seats();
        let facts = facts.flatten().filter(|facts| {
            self.before(&seats)
                .is_some_and(|before| judge_commit(&before, facts).is_ok())
        });
        let Some(facts) = facts else {
            return self.drop_commit(cx);
        };
        let merged = self.with_group(cx, |group, provider, _| group.merge_pending(provider))?;
        merged.ok_or(StoreError::Damaged)?;
        self.drop_pending(cx)?;
        self.record
            .wishes
            .retain(|wish| !pending.wishes.contains(wish));
        self.record.renewed_at = cx.now.wall;
        self.record.sent_since = 0;
        self.record.renew_first = false;
        self.send_letters(cx, &pending, seq)?;
        self.apply(cx, &mut At::new(seq, at), cx.me.user(), &facts)
    }

    /// Sends each newcomer the Welcome, sealed so that only the one who
    /// knocked with the invite's secret takes it.
    fn send_letters(
        &mut self,
        cx: &mut Cx<'_>,
        pending: &Pending,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let Some(welcome) = &pending.welcome else {
            return Ok(());
        };
        let (id, from, kind) = (pending.id, cx.me.user(), ChatKind::Commit);
        let mut trail = self.record.trail.clone();
        trail.extend(&Place {
            seq,
            id,
            from,
            kind,
        });
        let mark = trail.newest().unwrap_or_default();
        for Answer {
            knock,
            user,
            secret,
        } in &pending.answers
        {
            let key = SealKey::derive(secret.expose(), Purpose::Welcome, self.record.id.as_bytes());
            // The joiner takes part from the next place and epoch on.
            let mut letter = seq.to_be_bytes().to_vec();
            letter.extend_from_slice(&(pending.epoch + 1).to_be_bytes());
            letter.extend_from_slice(&mark);
            letter.extend_from_slice(welcome);
            let mut body = record::key_in(&self.record.id, knock.as_bytes());
            body.extend(key.seal(cx.rng, knock.as_bytes(), &letter));
            let letter = Letter {
                relay: self.record.relay.clone(),
                id: cx.random_id(),
                to: *user,
                body: body.into(),
                expires: cx.now.wall + LETTER_VALID,
            };
            record::write(cx.txn, Space::Direct, letter.id.as_bytes(), &letter)?;
            self.send(cx, letter.frame());
        }
        Ok(())
    }

    /// The relay refused the commit for good: what it would have granted is
    /// not wished for again.
    pub(super) fn fail_commit(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if let Some(pending) = &self.pending {
            self.record
                .wishes
                .retain(|wish| !pending.wishes.contains(wish));
        }
        self.drop_commit(cx)
    }

    /// Gives up the own commit, also inside MLS.
    pub(super) fn drop_commit(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.with_group(cx, |group, provider, _| {
            group.clear_pending_commit(provider)
        })?;
        self.drop_pending(cx)
    }

    pub(super) fn drop_pending(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        if self.pending.take().is_some() {
            cx.txn
                .delete(Space::Room, &record::pending_key(&self.id()))?;
            self.live.commit_sent = false;
            self.touch();
        }
        Ok(())
    }

    /// How many members come before this one when something is to be done
    /// that one of them must do: the host first, then by leaf.
    pub(super) fn rank(&self, cx: &Cx<'_>) -> u64 {
        let me = cx.me.user();
        if self.host() == Some(me) {
            return 0;
        }
        let ahead = self.record.roster.iter().take_while(|m| m.user != me);
        1 + ahead
            .filter(|m| !self.record.leaving.contains(&m.user))
            .count() as u64
    }

    pub(super) fn renew_soon(&mut self, cx: &mut Cx<'_>) {
        use rand_core::Rng as _;
        let spread = u64::from(cx.rng.next_u32()) % 2_500;
        self.live.renew_at = Some(cx.now.mono + 500 + spread);
    }

    /// When this room wants to be woken (mono).
    pub fn next_wake(&self) -> Option<Millis> {
        let live = &self.live;
        let typing = live.typing.values().min().copied();
        if !self.is_current() && live.hold_until.is_none() {
            return typing;
        }
        if live.hold_until.is_some() || !self.is_member() {
            return [live.hold_until, typing].into_iter().flatten().min();
        }
        let duties = [live.sweep_at, live.renew_at, typing];
        duties
            .into_iter()
            .flatten()
            .chain(live.admit_at.values().copied())
            .min()
    }

    pub fn wake(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        self.expire_typing(cx);
        self.open_again(cx)
    }
}

impl Wish {
    /// Whether it changes what the members agree on, besides who they are.
    fn changes_room(&self) -> bool {
        !matches!(self, Self::Admit { .. } | Self::Sweep | Self::Renew)
    }
}

impl Letter {
    pub fn frame(&self) -> ClientFrame {
        let Letter {
            to,
            id,
            body,
            expires,
            ..
        } = self.clone();
        ClientFrame::DirectSend {
            to,
            id,
            body,
            expires,
        }
    }
}
