//! What others say in a room: texts, goodbyes, the end of the room. What cannot
//! be read is shown as a gap; what its author may not do changes nothing.

use super::{
    Cx, Room,
    content::{Content, Saying},
    knocks::rank_delay,
    outbox::presentable,
    timeline::At,
    trail::Seen,
};
use crate::{
    api::Why,
    mls::group::Opened,
    model::{GapWhy, Standing, SystemLine},
    store::StoreError,
};
use sotto_wire::{UserId, frame::ChatReceive};

impl Room {
    pub(super) fn receive_content(
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
            Saying::Call(saying) => self.hear_call(cx, &mut at, from, &saying),
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
            self.record.split &= self.record.trail.newest().is_none();
            return Ok(());
        }
        self.reject(cx, Some(from), Some(self.record.cursor + 1), Why::SplitView);
        self.record.trail.lose();
        // Said once: the two orders stay apart from here.
        if std::mem::replace(&mut self.record.split, true) {
            return Ok(());
        }
        self.say_gap(cx, at, 0, GapWhy::SplitView)
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
}
