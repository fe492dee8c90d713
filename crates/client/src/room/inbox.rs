//! The room's order, as the relay hands it out: each place is taken once, in
//! turn, whatever stands there. What cannot be read is shown as a gap; what
//! its author may not do changes nothing.

use super::{
    Cx, Leaf, Room, Sync,
    authorize::{Added, Facts, Refusal, judge_commit},
    content::{Content, Saying},
    knocks::rank_delay,
    outbox::presentable,
    record::{self, Departure, Member},
    timeline::At,
    trail::{Place, Seen},
};
use crate::{
    api::{Change, Why},
    mls::group::Opened,
    model::{GapWhy, Standing, SystemLine},
    store::StoreError,
};
use openmls::prelude::StagedCommit;
use sotto_wire::{
    ClientFrame, Epoch, MessageId, Millis, Seq, UserId,
    frame::{ChatKind, ChatReceive},
};

/// While catching up, the relay hears of progress every so many messages.
const ACKNOWLEDGE_EVERY: Seq = 64;

impl Room {
    /// The relay has accepted something of ours.
    pub fn acknowledged(
        &mut self,
        cx: &mut Cx<'_>,
        id: MessageId,
        seq: Seq,
        at: Millis,
    ) -> Result<(), StoreError> {
        if !self.takes_part() && self.record.standing == Standing::Lost {
            return Ok(()); // it comes again with the backlog
        }
        if !self.takes_part() || seq <= self.record.cursor {
            // Its place went by before its answer came: while this client was
            // lost, or on its way out.
            return self.accept_message(cx, &id, seq, at);
        }
        let commit = self.pending.as_ref().is_some_and(|p| p.id == id);
        if !commit && self.queued(&id).is_none() {
            self.reject(cx, None, Some(seq), Why::Unasked);
            return Ok(());
        }
        if seq != self.record.cursor + 1 {
            // Something came before it that we have not seen. Our own message
            // comes again with the backlog.
            return self.open(cx);
        }
        if commit {
            self.accept_commit(cx, seq, at)?;
        } else {
            self.accept_message(cx, &id, seq, at)?;
        }
        let (kind, epochs) = match commit {
            true => (ChatKind::Commit, 1),
            false => (ChatKind::Application, 0),
        };
        let from = cx.me.user();
        let place = Place {
            seq,
            id,
            from,
            kind,
        };
        self.advance(cx, &place, epochs)
    }

    pub fn receive(&mut self, cx: &mut Cx<'_>, message: ChatReceive) -> Result<(), StoreError> {
        let ChatReceive {
            seq, from, kind, ..
        } = message;
        if !self.takes_part() {
            self.reject(cx, Some(from), Some(seq), Why::UnknownRoom);
            return Ok(());
        }
        if seq <= self.record.cursor {
            self.reject(cx, Some(from), Some(seq), Why::Replay);
            return Ok(());
        }
        if seq != self.record.cursor + 1 {
            return self.open(cx);
        }
        let mut epochs = u64::from(kind == ChatKind::Commit);
        if from == cx.me.user() && message.device == cx.me.device() {
            epochs = self.receive_own(cx, &message)?;
        } else {
            match kind {
                ChatKind::Application => self.receive_content(cx, &message)?,
                ChatKind::Commit => self.receive_commit(cx, &message)?,
                // Rooms do not use proposals by reference.
                ChatKind::Proposal => self.reject(cx, Some(from), Some(seq), Why::NotAllowed),
            }
        }
        let place = Place {
            seq,
            id: message.id,
            from,
            kind,
        };
        self.advance(cx, &place, epochs)
    }

    /// Takes the place, and says so to the relay when it is time.
    fn advance(&mut self, cx: &mut Cx<'_>, place: &Place, epochs: Epoch) -> Result<(), StoreError> {
        let seq = place.seq;
        self.touch();
        self.record.cursor = seq;
        self.record.trail.extend(place);
        self.record.epoch += epochs;
        if epochs > 0 && self.pending.is_some() {
            // The relay takes it no more, not even after a commit that all
            // members refused.
            self.drop_commit(cx)?;
        }
        if let Sync::Open { head, epoch } = self.live.sync
            && seq >= head
        {
            return self.caught_up(cx, epoch);
        }
        if self.is_current() || seq >= self.live.acknowledged + ACKNOWLEDGE_EVERY {
            self.acknowledge(cx);
        }
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>) {
        let up_to = self.record.cursor;
        if up_to > self.live.acknowledged {
            self.live.acknowledged = up_to;
            self.send(
                cx,
                ClientFrame::ChatReceived {
                    room: self.record.id,
                    up_to,
                },
            );
        }
    }

    /// Everything up to the relay's head is processed: are we in step?
    pub(super) fn caught_up(&mut self, cx: &mut Cx<'_>, epoch: Epoch) -> Result<(), StoreError> {
        self.live.sync = Sync::Current;
        self.acknowledge(cx);
        let in_step = self.record.epoch == epoch;
        self.touch();
        match (&self.record.standing, self.record.departure) {
            (Standing::Member, _) if !in_step => self.record.standing = Standing::Lost,
            (Standing::Lost, _) if in_step => self.record.standing = Standing::Member,
            // Nobody would understand the goodbye.
            (_, Departure::Announcing { delete }) if !in_step => {
                return self.announced(cx, delete);
            }
            _ => {}
        }
        Ok(())
    }

    /// Our own message comes back: the ack was lost, or this store is an older
    /// copy of one that sent it. Says how many epochs it moved this client.
    fn receive_own(&mut self, cx: &mut Cx<'_>, message: &ChatReceive) -> Result<Epoch, StoreError> {
        let ChatReceive {
            seq, id, at, kind, ..
        } = *message;
        let pending = self.pending.as_ref();
        if pending.is_some_and(|p| p.id == id && p.body == message.body) {
            self.accept_commit(cx, seq, at)?;
            return Ok(1);
        }
        if kind == ChatKind::Application && self.queued(&id).is_some() {
            self.accept_message(cx, &id, seq, at)?;
            return Ok(0);
        }
        self.reject(cx, Some(message.from), Some(seq), Why::Unasked);
        // Keys may have been used that this store does not know of.
        self.record.renew_first = true;
        if kind == ChatKind::Commit && self.is_member() {
            // What it made of the group is not known here, and stays so: the
            // epoch is not counted.
            self.record.standing = Standing::Lost;
        }
        self.say_gap(cx, &mut At::new(seq, at), 1, GapWhy::Unreadable)?;
        Ok(0)
    }

    fn receive_content(
        &mut self,
        cx: &mut Cx<'_>,
        message: &ChatReceive,
    ) -> Result<(), StoreError> {
        let mut at = At::new(message.seq, message.at);
        let (from, content) = match self.open_content(cx, message)? {
            Ok(opened) => opened,
            Err(why) => {
                self.reject(cx, Some(message.from), Some(message.seq), why);
                return self.say_gap(cx, &mut at, 1, GapWhy::Unreadable);
            }
        };
        self.stop_typing(cx, from);
        if let Some(seen) = &content.seen {
            self.compare(cx, &mut at, from, seen)?;
        }
        match content.saying {
            // Nobody may take the place of what was said before.
            Saying::Text(_) if cx.txn.row(&self.record.id, &content.id)?.is_some() => {
                self.reject(cx, Some(from), Some(message.seq), Why::Replay);
                Ok(())
            }
            Saying::Text(body) => match presentable(body) {
                Some(body) => self.hear(cx, &mut at, content.id, from, body),
                None => {
                    self.reject(cx, Some(from), Some(message.seq), Why::UnknownContent);
                    self.say_gap(cx, &mut at, 1, GapWhy::Unreadable)
                }
            },
            Saying::Leave => self.hear_leave(cx, &mut at, from),
            Saying::Delete => self.hear_delete(cx, &mut at, from),
        }
    }

    /// The relay shows everybody the same order, or it is noticed here.
    fn compare(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        from: UserId,
        seen: &Seen,
    ) -> Result<(), StoreError> {
        if self.record.trail.agrees(self.record.cursor, seen) {
            return Ok(());
        }
        self.reject(cx, Some(from), Some(self.record.cursor + 1), Why::SplitView);
        // Said once: the two orders stay apart from here.
        self.record.trail.lose();
        self.say_gap(cx, at, 1, GapWhy::Unreadable)
    }

    /// Who said what, or why it does not count.
    fn open_content(
        &mut self,
        cx: &mut Cx<'_>,
        message: &ChatReceive,
    ) -> Result<Result<(UserId, Content), Why>, StoreError> {
        let opened =
            self.with_group(cx, |group, provider, _| group.open(provider, &message.body))?;
        let Some(Opened::Application { leaf, content }) = opened else {
            return Ok(Err(Why::Forged));
        };
        let Some(sender) = self.record.at_leaf(leaf).map(|m| m.user) else {
            return Ok(Err(Why::Forged));
        };
        if sender != message.from {
            return Ok(Err(Why::WrongSender));
        }
        Ok(match Content::decode(&content) {
            None => Err(Why::UnknownContent),
            Some(content) if content.id != message.id => Err(Why::Forged),
            Some(content) => Ok((sender, content)),
        })
    }

    fn hear_leave(&mut self, cx: &mut Cx<'_>, at: &mut At, who: UserId) -> Result<(), StoreError> {
        if !self.record.leaving.insert(who) {
            return Ok(());
        }
        self.live.sweep_at = Some(cx.now.mono + rank_delay(self.rank(cx)));
        self.live.online.remove(&who);
        let who = self.actor(who);
        self.say(cx, at, SystemLine::Left { who })?;
        self.show_people(cx);
        Ok(())
    }

    fn hear_delete(&mut self, cx: &mut Cx<'_>, at: &mut At, by: UserId) -> Result<(), StoreError> {
        if self.host() != Some(by) {
            self.reject(cx, Some(by), None, Why::NotAllowed);
            let by = self.actor(by);
            return self.say(cx, at, SystemLine::Refused { by });
        }
        let actor = self.actor(by);
        self.say(cx, at, SystemLine::Deleted { by: Some(actor) })?;
        self.end(cx, Standing::Deleted { by: Some(by) })
    }

    fn receive_commit(&mut self, cx: &mut Cx<'_>, message: &ChatReceive) -> Result<(), StoreError> {
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
        self.tell(cx, at, by, facts, &before)?;
        self.show_people(cx);
        let invites = self.invites();
        cx.show(Change::Invites {
            room: self.record.id,
            invites,
        });
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

    fn tell(
        &mut self,
        cx: &mut Cx<'_>,
        at: &mut At,
        by: UserId,
        facts: &Facts,
        before: &super::record::Record,
    ) -> Result<(), StoreError> {
        let by = self.actor(by);
        for leaf in &facts.removes {
            let Some(gone) = before.at_leaf(*leaf) else {
                continue;
            };
            let stays = self.record.member(&gone.user).is_some();
            if !stays && !before.leaving.contains(&gone.user) {
                let who = crate::model::Actor {
                    user: gone.user,
                    name: gone.profile.name.clone(),
                };
                self.say(
                    cx,
                    at,
                    SystemLine::Removed {
                        who,
                        by: by.clone(),
                    },
                )?;
            }
        }
        for added in &facts.adds {
            if let Added::Sound { vouched, .. } = added {
                let who = self.actor(vouched.user);
                self.say(
                    cx,
                    at,
                    SystemLine::Joined {
                        who,
                        by: by.clone(),
                    },
                )?;
            }
        }
        let old_name = before.member(&by.user).map(|m| m.profile.name.clone());
        if let Some(old) = old_name.filter(|old| *old != by.name) {
            self.say(
                cx,
                at,
                SystemLine::ProfileChanged {
                    who: by.clone(),
                    before: old,
                },
            )?;
        }
        let (Some(old), Some(new)) = (before.state.clone(), self.record.state.clone()) else {
            return Ok(());
        };
        if old.name != new.name {
            let name = new.name.clone();
            self.say(
                cx,
                at,
                SystemLine::Renamed {
                    by: by.clone(),
                    name,
                },
            )?;
        }
        if old.topic != new.topic {
            let topic = new.topic.clone();
            self.say(
                cx,
                at,
                SystemLine::TopicChanged {
                    by: by.clone(),
                    topic,
                },
            )?;
        }
        if old.admission != new.admission {
            let admission = new.admission;
            self.say(
                cx,
                at,
                SystemLine::AdmissionChanged {
                    by: by.clone(),
                    admission,
                },
            )?;
        }
        if old.host != new.host {
            let host = self.actor(new.host);
            self.say(cx, at, SystemLine::HostChanged { host })?;
        }
        Ok(())
    }
}
