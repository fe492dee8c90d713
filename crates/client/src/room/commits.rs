//! Own commits: from wishes to a commit on its way, to the relay's word on it.
//!
//! One commit is on its way at a time. The relay lets one commit of an epoch
//! win; a loser drops its own, applies the winner's, and decides again. Wishes
//! are therefore kept until a commit that grants them is merged.

use super::{
    Cx, Room,
    authorize::judge_commit,
    grants::Draft,
    record::{self, Pending, Wish},
    timeline::At,
};
use crate::{
    api::Why,
    store::{Space, StoreError},
};
use sotto_wire::{
    ClientFrame, Millis, Seq,
    frame::{ChatKind, ChatSend},
};

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
        self.sweep_into(&mut draft, &mut after);
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
}
