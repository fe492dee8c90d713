//! Commits of others, and what a merged commit, of whomever, means for the
//! record: state and members are copied out of the group, and what belonged to
//! people who are gone is dropped. What people are told of it is in
//! [`super::news`].

use super::{
    Cx, Leaf, Room,
    authorize::{Facts, Refusal, judge_commit},
    record::{self, Member},
    timeline::At,
};
use crate::{
    api::Why,
    mls::group::Opened,
    model::{GapWhy, Standing, SystemLine},
    store::StoreError,
};
use openmls::prelude::StagedCommit;
use sotto_wire::{UserId, frame::ChatReceive};

impl Room {
    pub(super) fn receive_commit(
        &mut self,
        cx: &mut Cx<'_>,
        message: &ChatReceive,
    ) -> Result<(), StoreError> {
        let mut at = At::new(message.seq, message.at);
        let opened =
            self.with_group(cx, |group, provider, _| group.open(provider, &message.body))?;
        let Some(Opened::Commit { facts, staged }) = opened else {
            self.reject(cx, Some(message.from), Some(message.seq), Why::Forged);
            return self.say_gap(cx, &mut at, 1, GapWhy::Unreadable);
        };
        let Some(by) = self.record.at_leaf(facts.by).map(|m| m.user) else {
            self.reject(cx, Some(message.from), Some(message.seq), Why::Forged);
            return Ok(());
        };
        let seats = self.seats();
        let verdict = self
            .before(&seats)
            .map(|before| judge_commit(&before, &facts));
        if by == message.from && verdict == Some(Err(Refusal::LeaverStays)) {
            // Nobody's fault: the goodbye overtook the commit, and its author
            // drops it as well.
            return Ok(());
        }
        if by != message.from || verdict != Some(Ok(())) {
            let why = if by == message.from {
                Why::NotAllowed
            } else {
                Why::WrongSender
            };
            self.reject(cx, Some(by), Some(message.seq), why);
            let by = self.actor(by);
            return self.say(cx, &mut at, SystemLine::Refused { by });
        }
        self.merge(cx, *staged)?;
        self.drop_pending(cx)?;
        self.apply(cx, &mut at, by, &facts)
    }

    fn merge(&mut self, cx: &mut Cx<'_>, staged: StagedCommit) -> Result<(), StoreError> {
        let merged = self.with_group(cx, |group, provider, _| group.merge(provider, staged))?;
        // It was staged a moment ago on this very group.
        merged.ok_or(StoreError::Damaged)
    }

    /// The commit is merged: what does it mean for people?
    pub(super) fn apply(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        by: UserId,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        if facts.removes_me {
            let who = self.actor(cx.me.user());
            let by_actor = self.actor(by);
            self.say(cx, at, SystemLine::Removed { who, by: by_actor })?;
            return self.end(cx, Standing::Removed { by });
        }
        let before = self.record.clone();
        let added = facts.added_users();
        self.take_over(cx, by, &added)?;
        // Whoever came back does not leave any more.
        self.record.leaving.retain(|user| !added.contains(user));
        for package in facts.added_packages() {
            record::remember(&mut self.record.answered, package);
        }
        self.remember_closed(before.state.as_ref());
        self.forget_absent(cx)?;
        self.report(cx, at, by, facts, &before)?;
        self.show_people(cx);
        self.show_invites(cx);
        self.open_held_knocks(cx)
    }

    /// Copies state and members out of the group.
    pub(super) fn take_over(
        &mut self,
        cx: &mut Cx<'_>,
        by: UserId,
        added: &[UserId],
    ) -> Result<(), StoreError> {
        let read = self.with_group(cx, |group, provider, _| {
            Ok((group.state(), group.members(provider), group.epoch()))
        })?;
        let Some((Some(state), Some(members), epoch)) = read else {
            return Err(StoreError::Damaged);
        };
        let old = std::mem::take(&mut self.record.roster);
        let now = cx.now.wall;
        self.record.roster = members
            .into_iter()
            .map(
                |(
                    leaf,
                    Leaf {
                        vouched,
                        profile,
                        made,
                    },
                )| {
                    // Whose leaf was replaced counts as added anew.
                    let anew = added.contains(&vouched.user);
                    let known = old.iter().find(|m| m.user == vouched.user && !anew);
                    Member {
                        leaf,
                        user: vouched.user,
                        device: vouched.device,
                        account: vouched.account,
                        profile,
                        made,
                        added_by: known.map_or(Some(by), |m| m.added_by),
                        added_at: known.map_or(Some(now), |m| m.added_at),
                    }
                },
            )
            .collect();
        self.record.state = Some(state);
        self.record.mls_epoch = epoch;
        self.agreed_dirty = true;
        cx.people.meet(cx.txn, &self.record.roster)?;
        self.touch();
        Ok(())
    }

    /// Drops what is kept of people who are no longer members.
    fn forget_absent(&mut self, cx: &mut Cx<'_>) -> Result<(), StoreError> {
        let record = &mut self.record;
        let here = |user: &UserId| record.roster.iter().any(|m| m.user == *user);
        record.leaving.retain(|user| here(user));
        record.read_marks.retain(|user, _| here(user));
        self.live.typing.retain(|user, _| here(user));
        self.live.delivered.retain(|user, _| here(user));
        self.live.heard.clear();
        if self.record.leaving.is_empty() {
            self.live.sweep_at = None;
        }
        self.drop_answered_knocks(cx)
    }
}
